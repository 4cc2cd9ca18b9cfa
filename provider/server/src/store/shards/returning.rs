//! Leases that are renewed or given back, and marks.

use apns_provider_core::UnixTime;
use apns_provider_server_core::shard::Positions;

use crate::store::{
    Owner, StoreError,
    sql::{Column, Connection, Statement, Table, values},
};

/// Renews leases of these shards: rows of sequence and number. Returns those that still were the owner's.
pub(super) async fn renew(
    (owner, shards, until): &(Owner, Table, UnixTime),
    transaction: &mut Connection,
) -> Result<Vec<(i64, u32)>, StoreError> {
    let rows = transaction.rows_with(&RENEW, values![owner.0, *until], shards).await?;
    rows.iter().map(|row| Ok((row.int(0)?, row.number(1)?))).collect()
}

/// Gives shards back: rows of sequence, number, when they are due, and the rounds, if they change.
pub(super) async fn release(
    (owner, shards): &(Owner, Table),
    transaction: &mut Connection,
) -> Result<(), StoreError> {
    transaction.execute_with(&RELEASE, values![owner.0], shards).await.map(drop)
}

/// What is to be marked.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) owner: Owner,
    pub(super) sequence: i64,
    pub(super) number: u32,
    pub(super) positions: Positions,
}

pub(super) async fn start(start: &Start, transaction: &mut Connection) -> Result<bool, StoreError> {
    let Start { owner, sequence, number, positions } = start;
    let row = transaction.first(&STARTED, values![*sequence, *number, owner.0]).await?;
    let Some(row) = row else { return Ok(false) };
    let mut started = read_positions(row.optional_blob(0)?)?;
    let mut forgotten = Table::new(3);
    for position in positions.iter() {
        started.insert(position);
        forgotten.push([(*sequence).into(), (*number).into(), position.into()]);
    }
    transaction.execute(&MARK, values![*sequence, *number, started.to_bytes()]).await?;
    transaction.execute_with(&FORGET_WAITING, values![], &forgotten).await?;
    Ok(true)
}

/// Takes back the marks of these recipients, sorted, as far as their shards are the owner's.
pub(in crate::store) async fn unmark(
    owner: Owner,
    recipients: &[(i64, u32, u16)],
    transaction: &mut Connection,
) -> Result<(), StoreError> {
    for of_shard in recipients.chunk_by(|one, next| (one.0, one.1) == (next.0, next.1)) {
        let (sequence, number, _) = of_shard[0];
        let row = transaction.first(&MARKED, values![sequence, number, owner.0]).await?;
        let Some(row) = row else { continue };
        let mut started = read_positions(row.optional_blob(0)?)?;
        for (_, _, position) in of_shard {
            started.remove(*position);
        }
        transaction.execute(&MARK, values![sequence, number, started.to_bytes()]).await?;
    }
    Ok(())
}

fn read_positions(bytes: Option<&[u8]>) -> Result<Positions, StoreError> {
    Positions::from_bytes(bytes.unwrap_or_default()).map_err(|why| StoreError::damaged("a shard", why))
}

static RENEW: Statement = Statement::with_input(
    "UPDATE shard SET due_at = $2 FROM {input}
     WHERE shard.sequence = input.sequence AND shard.number = input.number AND shard.owner = $1
       AND shard.due_at IS NOT NULL AND shard.unended > 0
     RETURNING shard.sequence, shard.number",
    &[("sequence", Column::Int), ("number", Column::Int)],
);
static RELEASE: Statement = Statement::with_input(
    "UPDATE shard SET due_at = CASE WHEN shard.unended > 0 THEN input.due_at END,
        rounds = COALESCE(input.rounds, shard.rounds), owner = NULL
     FROM {input}
     WHERE shard.sequence = input.sequence AND shard.number = input.number AND shard.owner = $1",
    &[("sequence", Column::Int), ("number", Column::Int), ("due_at", Column::Int), ("rounds", Column::Int)],
);
static STARTED: Statement =
    Statement::new("SELECT started FROM shard WHERE sequence = $1 AND number = $2 AND owner = $3{lock}");
static MARKED: Statement = Statement::new(
    "SELECT started FROM shard WHERE sequence = $1 AND number = $2 AND owner = $3 AND started IS NOT NULL{lock}",
);
static MARK: Statement = Statement::new("UPDATE shard SET started = $3 WHERE sequence = $1 AND number = $2");
static FORGET_WAITING: Statement = Statement::with_input(
    "DELETE FROM waiting WHERE (sequence, number, position) IN (SELECT sequence, number, place FROM {input})",
    &[("sequence", Column::Int), ("number", Column::Int), ("place", Column::Int)],
);
