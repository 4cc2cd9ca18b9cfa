//! What was taken of rates: read and locked, decided by the core, and stored, within one transaction.

use std::collections::BTreeSet;

use apns_provider_server_core::{
    ids::AppId,
    limits::{Ledger, Limited, Paid},
};

use super::{
    StoreError,
    sql::{Column, Connection, Row, Statement, Table, values},
};

/// Whose rate.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Account {
    pub(super) limited: Limited,
    pub(super) app: AppId,
    /// Which user or device of the app.
    pub(super) target: i64,
}

/// Which recipient has taken: sequence, number and position.
pub(super) type Taker = (i64, u32, u16);

/// What these have taken. Nobody else takes of them before the transaction ends: they are locked in their order, so that two
/// transactions never wait for each other.
pub(super) async fn look(
    accounts: &BTreeSet<Account>,
    transaction: &mut Connection,
) -> Result<Ledger<Account, Taker>, StoreError> {
    let mut input = Table::new(3);
    for Account { limited, app, target } in accounts {
        input.push([limited.number().into(), (*app).into(), (*target).into()]);
    }
    let mut ledger = Ledger::default();
    for row in transaction.rows_with(&LOOK, values![], &input).await? {
        let (account, paid) = read(&row)?;
        ledger.put(account, paid);
    }
    Ok(ledger)
}

/// Stores what has changed.
pub(super) async fn store(
    ledger: &Ledger<Account, Taker>,
    transaction: &mut Connection,
) -> Result<(), StoreError> {
    let mut input = Table::new(7);
    for (Account { limited, app, target }, Paid { until, by }) in ledger.changed() {
        input.push([
            limited.number().into(),
            app.into(),
            target.into(),
            until.into(),
            by.map(|(sequence, ..)| sequence).into(),
            by.map(|(_, number, _)| number).into(),
            by.map(|(.., position)| position).into(),
        ]);
    }
    transaction.execute_with(&STORE, values![], &input).await.map(drop)
}

fn read(row: &Row) -> Result<(Account, Paid<Taker>), StoreError> {
    let account = Account {
        limited: row.numbered(0, Limited::from_number)?,
        app: AppId::new(row.int(1)?),
        target: row.int(2)?,
    };
    let by = match row.optional_int(4)? {
        Some(sequence) => Some((sequence, row.number(5)?, row.number(6)?)),
        None => None,
    };
    Ok((account, Paid { until: row.time(3)?, by }))
}

// Who has none yet gets a row that says that all is there: it is locked as the others are.
static LOOK: Statement = Statement::with_input(
    "INSERT INTO allowance (limited, app_id, target, paid_until)
     SELECT limited, app_id, target, 0 FROM {input} WHERE true
     ON CONFLICT (limited, app_id, target) DO UPDATE SET paid_until = allowance.paid_until
     RETURNING limited, app_id, target, paid_until, sequence, number, position",
    &[("limited", Column::Int), ("app_id", Column::Int), ("target", Column::Int)],
);
static STORE: Statement = Statement::with_input(
    "UPDATE allowance SET paid_until = input.paid_until, sequence = input.sequence, number = input.number,
        position = input.place
     FROM {input}
     WHERE allowance.limited = input.limited AND allowance.app_id = input.app_id AND allowance.target = input.target",
    &[
        ("limited", Column::Int),
        ("app_id", Column::Int),
        ("target", Column::Int),
        ("paid_until", Column::Int),
        ("sequence", Column::Int),
        ("number", Column::Int),
        ("place", Column::Int),
    ],
);
