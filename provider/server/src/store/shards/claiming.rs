//! Which shards are leased.

use std::collections::BTreeMap;

use apns_provider_core::{Expiration, UnixTime};
use apns_provider_server_core::{
    device::Environment,
    ids::{AppId, NotificationId},
    lanes::{Pace, Paced},
    message::Deadline,
    notification::Delivery,
};

use super::ClaimRequest;
use crate::store::{
    Source, StoreError,
    plans::{read_notification_id, read_pace},
    sql::{Column, Connection, Row, Statement, Table, Value, values},
    times::later,
};

/// A shard that was leased, as its row says it.
#[derive(Debug)]
pub(super) struct LeasedRow {
    pub(super) sequence: i64,
    pub(super) number: u32,
    pub(super) queue: i64,
    pub(super) source: Source,
    pub(super) recipients: u16,
    pub(super) unended: u16,
    pub(super) not_before: UnixTime,
    pub(super) deadline: Deadline,
    pub(super) rounds: u16,
    pub(super) started: Option<Vec<u8>>,
    pub(super) notification: NotificationId,
    pub(super) delivery: Delivery,
    pub(super) is_for_users: bool,
    /// The collapse key, if a later notification with the same one is there.
    pub(super) overtaken: Option<i64>,
}

/// What was leased.
#[derive(Debug, Default)]
pub(super) struct LeasedRows {
    pub(super) rows: Vec<LeasedRow>,
    pub(super) next_at: Option<UnixTime>,
}

/// A queue from which something may be claimed.
#[derive(Debug)]
struct Queue {
    id: i64,
    source: Source,
    campaign: Option<i64>,
    pace: Option<Pace>,
    due_at: UnixTime,
    /// How many recipients its first shard has: the others are like it, as a rule.
    recipients: usize,
}

pub(super) async fn claim(
    request: &ClaimRequest,
    transaction: &mut Connection,
) -> Result<LeasedRows, StoreError> {
    let mut queues = Vec::new();
    let mut leased = LeasedRows::default();
    for row in transaction.rows(&QUEUES, values![request.lane.number()]).await? {
        let queue = read_queue(&row)?;
        if request.except.contains(&queue.source) {
            continue;
        }
        if queue.due_at > request.now {
            leased.wait(queue.due_at);
        } else {
            queues.push(queue);
        }
    }
    let mut claiming = Claiming { request, leased, paces: BTreeMap::new() };
    // Those that have been due longest come first. Each gets its share, and then what the others have left.
    let share = request.recipients.div_ceil(queues.len().max(1));
    let mut unfinished = Vec::new();
    for queue in queues {
        if claiming.take(&queue, share, transaction).await? {
            unfinished.push(queue);
        }
    }
    for queue in unfinished {
        let left = claiming.recipients_left();
        if claiming.take(&queue, left, transaction).await? {
            claiming.leased.wait(request.now); // there may be more of it at once
        }
    }
    Ok(claiming.leased)
}

struct Claiming<'a> {
    request: &'a ClaimRequest,
    leased: LeasedRows,
    /// By campaign.
    paces: BTreeMap<i64, PaceOf>,
}

/// Whose pace a campaign has.
#[derive(Clone, Copy, Debug)]
enum PaceOf {
    /// Ours: the next shard may be claimed then, if that was ever said.
    Ours(Option<UnixTime>),
    /// Another process is claiming of it.
    Theirs,
}

impl Claiming<'_> {
    /// Takes up to so many recipients out of a queue. Returns whether there may be more.
    async fn take(
        &mut self,
        queue: &Queue,
        recipients: usize,
        transaction: &mut Connection,
    ) -> Result<bool, StoreError> {
        let mut left = recipients.min(self.recipients_left());
        let mut each = queue.recipients.max(1);
        while left > 0 && self.shards_left() > 0 {
            let wanted = left.div_ceil(each).min(self.shards_left());
            let values = values![queue.id, self.request.now, wanted];
            let rows = transaction.rows(&DUE, values).await?;
            let mut piece = Piece::default();
            let goes_on = self.choose(queue, &rows, &mut left, &mut piece, transaction).await?;
            piece.store(self.request, transaction).await?;
            let taken: usize = piece.rows.iter().map(|row| usize::from(row.recipients)).sum();
            each = (taken / piece.rows.len().max(1)).max(1);
            self.leased.rows.append(&mut piece.rows);
            if !goes_on {
                return Ok(false);
            }
            if rows.len() < wanted {
                self.look_ahead(queue, transaction).await?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Nothing more of a queue is due: when will something be?
    async fn look_ahead(&mut self, queue: &Queue, transaction: &mut Connection) -> Result<(), StoreError> {
        let row = transaction.one(&NEXT, values![queue.id, self.request.now]).await?;
        if let Some(next_at) = row.optional_time(0)? {
            self.leased.wait(next_at);
        }
        Ok(())
    }

    /// Of the rows that are due, those that are claimed. Returns whether the queue goes on: `false` if its pace forbids it.
    async fn choose(
        &mut self,
        queue: &Queue,
        rows: &[Row],
        left: &mut usize,
        piece: &mut Piece,
        transaction: &mut Connection,
    ) -> Result<bool, StoreError> {
        for row in rows {
            if *left == 0 {
                break;
            }
            if row.optional_int(14)?.is_some() {
                piece.park(row)?;
                continue;
            }
            let leased = read_row(queue, row)?;
            if let (Some(campaign), Some(pace)) = (queue.campaign, queue.pace)
                && !self.keep_pace(campaign, pace, leased.recipients, transaction).await?
            {
                return Ok(false);
            }
            *left = left.saturating_sub(leased.recipients.into());
            piece.rows.push(leased);
        }
        Ok(true)
    }

    /// Whether a shard of so many recipients may be claimed now.
    async fn keep_pace(
        &mut self,
        campaign: i64,
        pace: Pace,
        recipients: u16,
        transaction: &mut Connection,
    ) -> Result<bool, StoreError> {
        let known = match self.paces.get(&campaign) {
            Some(known) => *known,
            None => match transaction.first(&PACE, values![campaign]).await? {
                Some(row) => PaceOf::Ours(row.optional_time(0)?),
                None => PaceOf::Theirs,
            },
        };
        self.paces.insert(campaign, known);
        let PaceOf::Ours(next_at) = known else { return Ok(false) };
        match pace.claim(self.request.now, next_at, recipients) {
            Paced::Claim { next_at } => {
                transaction.execute(&SET_PACE, values![campaign, next_at]).await?;
                self.paces.insert(campaign, PaceOf::Ours(Some(next_at)));
                Ok(true)
            }
            Paced::NotBefore(next_at) => {
                self.paces.insert(campaign, PaceOf::Ours(Some(next_at)));
                self.leased.wait(next_at);
                Ok(false)
            }
        }
    }

    fn recipients_left(&self) -> usize {
        let claimed: usize = self.leased.rows.iter().map(|row| usize::from(row.recipients)).sum();
        self.request.recipients.saturating_sub(claimed)
    }

    fn shards_left(&self) -> usize {
        self.request.shards.saturating_sub(self.leased.rows.len())
    }
}

/// Rows of one queue that are written together.
#[derive(Default)]
struct Piece {
    rows: Vec<LeasedRow>,
    /// Of notifications that were cancelled: nobody claims them any more.
    parked: Vec<(i64, u32)>,
}

impl Piece {
    fn park(&mut self, row: &Row) -> Result<(), StoreError> {
        self.parked.push((row.int(0)?, row.number(1)?));
        Ok(())
    }

    async fn store(&self, request: &ClaimRequest, transaction: &mut Connection) -> Result<(), StoreError> {
        let until = later(request.now, request.lease);
        let mut input = Table::new(4);
        for row in &self.rows {
            input.push([row.sequence.into(), row.number.into(), until.into(), request.owner.0.into()]);
        }
        for (sequence, number) in &self.parked {
            input.push([(*sequence).into(), (*number).into(), Value::Int(None), Value::Int(None)]);
        }
        transaction.execute_with(&LEASE, values![], &input).await.map(drop)
    }
}

impl LeasedRows {
    /// Something may be claimed then.
    fn wait(&mut self, at: UnixTime) {
        self.next_at = Some(self.next_at.map_or(at, |next_at| next_at.min(at)));
    }
}

fn read_queue(row: &Row) -> Result<Queue, StoreError> {
    let source =
        Source { app: AppId::new(row.int(1)?), environment: row.numbered(2, Environment::from_number)? };
    Ok(Queue {
        id: row.int(0)?,
        source,
        campaign: Some(row.int(3)?).filter(|sequence| *sequence != 0),
        pace: read_pace(row, 4)?,
        due_at: row.time(5)?,
        recipients: row.number(6)?,
    })
}

fn read_row(queue: &Queue, row: &Row) -> Result<LeasedRow, StoreError> {
    let expiration = row.optional_int(5)?.map(|secs| {
        let secs = u64::try_from(secs).ok();
        secs.and_then(|secs| Expiration::at_secs(secs).ok())
            .ok_or_else(|| StoreError::Damaged("a shard's expiration is none".into()))
    });
    let is_overtaken = row.is_set(13)?;
    Ok(LeasedRow {
        sequence: row.int(0)?,
        number: row.number(1)?,
        queue: queue.id,
        source: queue.source,
        recipients: row.number(2)?,
        unended: row.number(3)?,
        not_before: row.time(4)?,
        deadline: Deadline { expiration: expiration.transpose()?, worthless_at: row.optional_time(6)? },
        rounds: row.number(7)?,
        started: row.optional_blob(8)?.map(<[u8]>::to_vec),
        notification: read_notification_id(row, 9)?,
        delivery: row.numbered(10, Delivery::from_number)?,
        is_for_users: row.is_set(11)?,
        overtaken: row.optional_int(12)?.filter(|_| is_overtaken),
    })
}

// Of the queues those that have been due longest: the others come when these have moved on.
static QUEUES: Statement = Statement::new(
    "SELECT id, app_id, environment, campaign, pace, due_at,
        (SELECT shard.recipients FROM shard WHERE shard.queue_id = open.id AND shard.due_at IS NOT NULL
         ORDER BY shard.due_at LIMIT 1)
     FROM (
        SELECT queue.id, queue.app_id, queue.environment, queue.campaign, campaign.pace,
            (SELECT min(shard.due_at) FROM shard WHERE shard.queue_id = queue.id AND shard.due_at IS NOT NULL) AS due_at
        FROM queue JOIN app ON app.id = queue.app_id LEFT JOIN campaign ON campaign.sequence = queue.campaign
        WHERE queue.lane = $1 AND queue.depth > 0 AND app.is_paused = 0 AND COALESCE(campaign.is_paused, 0) = 0
     ) AS open
     WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 256",
);
static DUE: Statement = Statement::new(
    "SELECT shard.sequence, shard.number, shard.recipients, shard.unended, shard.not_before, shard.expiration,
        shard.worthless_at, shard.rounds, shard.started, n.id, n.delivery, n.is_for_users, n.collapse, n.is_overtaken,
        n.cancelled_at
     FROM shard JOIN notification n ON n.sequence = shard.sequence
     WHERE shard.queue_id = $1 AND shard.due_at <= $2 ORDER BY shard.due_at LIMIT $3{skip locked shards}",
);
static NEXT: Statement = Statement::new(
    "SELECT min(due_at) FROM shard WHERE queue_id = $1 AND due_at > $2 AND due_at IS NOT NULL",
);
static LEASE: Statement = Statement::with_input(
    "UPDATE shard SET due_at = input.due_at, owner = input.owner FROM {input}
     WHERE shard.sequence = input.sequence AND shard.number = input.number",
    &[("sequence", Column::Int), ("number", Column::Int), ("due_at", Column::Int), ("owner", Column::Int)],
);
static PACE: Statement = Statement::new("SELECT next_at FROM campaign WHERE sequence = $1{skip locked}");
static SET_PACE: Statement = Statement::new("UPDATE campaign SET next_at = $2 WHERE sequence = $1");
