//! Which recipients a later notification with the same collapse ID replaces.
//!
//! A recipient is noted only for a notification that came while an older one with the same collapse ID was not finished: most never
//! meet another one, and cost nothing here.

use std::collections::{BTreeMap, BTreeSet};

use apns_provider_core::{CollapseId, UnixTime};
use apns_provider_server_core::{
    ids::{AppId, Sequence},
    plan::NewShard,
    shard::{Recipient, Shard},
};
use sha2::{Digest as _, Sha256};

use super::{
    StoreError,
    sql::{Column, Connection, Statement, Table, values},
};

/// What stands for an app's collapse ID: of two that differ the same number is not to be expected.
pub(super) fn collapse_key(app: AppId, collapse_id: &CollapseId) -> i64 {
    hash(Sha256::new().chain_update(app.get().to_be_bytes()).chain_update(collapse_id.as_str()))
}

/// What stands for a recipient: its device, or a negative number for a token that is none here.
pub(super) fn target(recipient: &Recipient<'_>) -> i64 {
    match recipient.device {
        Some(device) => device.get(),
        None => hash(Sha256::new().chain_update(recipient.token)) | i64::MIN,
    }
}

/// The first bytes of a hash, as a number.
pub(super) fn hash(hash: Sha256) -> i64 {
    let hash: [u8; 32] = hash.finalize().into();
    let (first, _) = hash.split_first_chunk().expect("32 bytes have 8");
    i64::from_be_bytes(*first)
}

/// Notifications that were just stored, with their collapse keys: marks those that they overtake. Returns those that overtake one.
pub(super) async fn overtake(
    new: &[(Sequence, i64)],
    transaction: &mut Connection,
) -> Result<BTreeSet<Sequence>, StoreError> {
    let mut input = Table::new(2);
    for (sequence, collapse) in new {
        input.push([(*sequence).into(), (*collapse).into()]);
    }
    let rows = transaction.rows_with(&FIND_OVERTAKEN, values![], &input).await?;
    let mut overtaken = Table::new(1);
    let mut overtaking = BTreeSet::new();
    for row in rows {
        overtaking.insert(Sequence::new(row.int(0)?));
        overtaken.push([row.int(1)?.into()]);
    }
    let mut mark = Table::new(1);
    for sequence in &overtaking {
        mark.push([(*sequence).into()]);
    }
    transaction.execute_with(&MARK_OVERTAKEN, values![], &overtaken).await?;
    transaction.execute_with(&MARK_OVERTAKING, values![], &mark).await?;
    Ok(overtaking)
}

/// Whom notifications are for that overtake others.
#[derive(Debug, Default)]
pub(super) struct Overtaking {
    /// By collapse key and target: the latest.
    latest: BTreeMap<(i64, i64), (Sequence, UnixTime)>,
}

impl Overtaking {
    /// The recipients of a shard.
    pub(super) fn add(
        &mut self,
        sequence: Sequence,
        collapse: i64,
        shard: &NewShard,
    ) -> Result<(), StoreError> {
        let recipients = Shard::read(shard.bytes.clone().into())
            .map_err(|why| StoreError::Broken(format!("a shard to be stored is none: {why}")))?;
        for recipient in recipients.recipients() {
            let new = (sequence, shard.not_before);
            let noted = self.latest.entry((collapse, target(&recipient))).or_insert(new);
            *noted = (*noted).max(new);
        }
        Ok(())
    }

    pub(super) async fn store(self, transaction: &mut Connection) -> Result<(), StoreError> {
        let mut input = Table::new(4);
        for ((collapse, target), (sequence, starts_at)) in self.latest {
            input.push([collapse.into(), target.into(), sequence.into(), starts_at.into()]);
        }
        transaction.execute_with(&NOTE, values![], &input).await.map(drop)
    }
}

static FIND_OVERTAKEN: Statement = Statement::with_input(
    "SELECT input.sequence, older.sequence FROM {input} CROSS JOIN notification older
     WHERE older.collapse = input.collapse AND older.collapse IS NOT NULL AND older.finished_at IS NULL
       AND older.cancelled_at IS NULL AND older.sequence < input.sequence",
    &[("sequence", Column::Int), ("collapse", Column::Int)],
);
static MARK_OVERTAKEN: Statement = Statement::with_input(
    "UPDATE notification SET is_overtaken = 1 WHERE sequence IN (SELECT sequence FROM {input}) AND is_overtaken = 0",
    &[("sequence", Column::Int)],
);
static MARK_OVERTAKING: Statement = Statement::with_input(
    "UPDATE notification SET overtakes = 1 WHERE sequence IN (SELECT sequence FROM {input})",
    &[("sequence", Column::Int)],
);
static NOTE: Statement = Statement::with_input(
    "INSERT INTO collapse (collapse, target, sequence, starts_at)
     SELECT collapse, target, sequence, starts_at FROM {input} WHERE true
     ON CONFLICT (collapse, target) DO UPDATE SET sequence = excluded.sequence, starts_at = excluded.starts_at
     WHERE excluded.sequence > collapse.sequence",
    &[
        ("collapse", Column::Int),
        ("target", Column::Int),
        ("sequence", Column::Int),
        ("starts_at", Column::Int),
    ],
);
