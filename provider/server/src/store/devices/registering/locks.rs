use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

use super::{Name, Request};
use crate::store::{
    StoreError,
    sql::{Column, Connection, Dialect, Statement, Table, values},
};

/// Of two transactions that register the same token or the same user, one waits for the other. On SQLite there is one writer.
pub(super) async fn take(requests: &[Request], transaction: &mut Connection) -> Result<(), StoreError> {
    if transaction.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    // In one order, so that two never wait for each other.
    let keys: BTreeSet<i64> = requests.iter().flat_map(Request::names).map(|name| key(&name)).collect();
    let mut input = Table::new(1);
    for key in keys {
        input.push([key.into()]);
    }
    transaction.rows_with(&LOCK, values![], &input).await.map(drop)
}

fn key(name: &Name<'_>) -> i64 {
    let (app, what, name) = match name {
        Name::Token(app, token) => (app, "token", token.as_str()),
        Name::User(app, user) => (app, "user", user.as_str()),
    };
    let hash = Sha256::new().chain_update(app.get().to_be_bytes()).chain_update(what).chain_update([0]);
    let hash: [u8; 32] = hash.chain_update(name).finalize().into();
    LOCKS_BEGIN + i64::from(hash[0])
}

/// As many locks as a byte has values: PostgreSQL has room for a few thousand, for all transactions together, and one may register a
/// thousand devices. Strangers that share one wait for each other, which is a few milliseconds.
const LOCKS_BEGIN: i64 = 0x6465_7669_6365_0000;

static LOCK: Statement = Statement::with_input(
    "SELECT pg_advisory_xact_lock(lock_key)::text FROM (SELECT lock_key FROM {input} ORDER BY lock_key) AS keys",
    &[("lock_key", Column::Int)],
);
