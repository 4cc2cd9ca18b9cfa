use apns_provider_core::{DeviceToken, UnixTime};
use apns_provider_server_core::{
    device::{Environment, Kind},
    ids::{AppId, DeviceId},
    outcome::Why,
};

use super::{
    ShardKey, Store, StoreError,
    devices::read_token,
    page::at_most,
    plans::read_notification_id,
    settings::Weight,
    sql::{Column, Row, Statement, Table, values},
};

/// A recipient that is a dead letter.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct DeadLetterId {
    /// Of which shard.
    pub shard: ShardKey,
    /// Which recipient of it.
    pub position: u16,
}

/// A recipient that somebody should look at, until it is sent again or forgotten. What it was to get is its notification's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeadLetter {
    /// Which.
    pub id: DeadLetterId,
    /// Where its token works.
    pub environment: Environment,
    /// What its token was issued for.
    pub kind: Kind,
    /// Its token when it was planned.
    pub token: DeviceToken,
    /// Its device, if it was one.
    pub device: Option<DeviceId>,
    /// The HTTP status of the last answer; 0 if there was none.
    pub status: u16,
    /// Why it ended so.
    pub why: Option<Why>,
    /// When.
    pub at: UnixTime,
}

impl Store {
    /// An app's dead letters in the order in which their notifications were handed in, behind this one.
    pub async fn dead_letters(
        &self,
        app: AppId,
        after: Option<DeadLetterId>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let (id, number, position) = match after {
            Some(DeadLetterId { shard, position }) => {
                (Some(shard.notification), i64::from(shard.number), i64::from(position))
            }
            None => (None, -1, -1),
        };
        let rows =
            self.reader().await?.rows(&PAGE, values![app, id, number, position, at_most(limit)]).await?;
        rows.iter().map(read).collect()
    }

    /// Those of these dead letters that an app has, in the same order; at most a page is to be asked for.
    pub async fn dead_letters_of(
        &self,
        app: AppId,
        ids: &[DeadLetterId],
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let rows = self.reader().await?.rows_with(&BY_ID, values![app], &input(ids)).await?;
        rows.iter().map(read).collect()
    }

    /// How many dead letters an app has; a million, if there are more.
    pub async fn count_dead_letters(&self, app: AppId) -> Result<u64, StoreError> {
        self.reader().await?.one(&COUNT, values![app, COUNTED_MAX]).await?.number(0)
    }

    /// Forgets dead letters. Returns how many there were. Those that are sent again are taken by [`Store::submit`].
    pub async fn remove_dead_letters(&self, app: AppId, ids: &[DeadLetterId]) -> Result<u64, StoreError> {
        self.database()
            .write(Weight::Promise, (app, input(ids)), |(app, input), transaction| {
                Box::pin(transaction.execute_with(&REMOVE, values![*app], input))
            })
            .await
    }
}

fn input(ids: &[DeadLetterId]) -> Table {
    let mut input = Table::new(3);
    for DeadLetterId { shard, position } in ids {
        input.push([shard.notification.into(), shard.number.into(), (*position).into()]);
    }
    input
}

fn read(row: &Row) -> Result<DeadLetter, StoreError> {
    let shard = ShardKey { notification: read_notification_id(row, 0)?, number: row.number(1)? };
    Ok(DeadLetter {
        id: DeadLetterId { shard, position: row.number(2)? },
        environment: row.numbered(3, Environment::from_number)?,
        kind: row.numbered(4, Kind::from_number)?,
        token: read_token(row, 5)?,
        device: row.optional_int(6)?.map(DeviceId::new),
        status: row.number(7)?,
        why: row.optional_text(8)?.map(Why::parse),
        at: row.time(9)?,
    })
}

/// Counting more takes longer than anybody wants to wait for it.
const COUNTED_MAX: i64 = 1_000_000;

static PAGE: Statement = Statement::new(
    "SELECT n.id, d.number, d.position, d.environment, d.kind, d.token, d.device_id, d.status, d.why, d.at
     FROM dead_letter d JOIN notification n ON n.sequence = d.sequence
     WHERE d.app_id = $1
       AND (d.sequence, d.number, d.position) > (COALESCE((SELECT sequence FROM notification WHERE id = $2), 0), $3, $4)
     ORDER BY d.sequence, d.number, d.position LIMIT $5",
);
static BY_ID: Statement = Statement::with_input(
    "SELECT n.id, d.number, d.position, d.environment, d.kind, d.token, d.device_id, d.status, d.why, d.at
     FROM {input} CROSS JOIN notification n CROSS JOIN dead_letter d
     WHERE n.id = input.id AND d.app_id = $1
       AND d.sequence = n.sequence AND d.number = input.number AND d.position = input.place
     ORDER BY d.sequence, d.number, d.position",
    &[("id", Column::Blob), ("number", Column::Int), ("place", Column::Int)],
);
static COUNT: Statement =
    Statement::new("SELECT count(*) FROM (SELECT 1 FROM dead_letter WHERE app_id = $1 LIMIT $2) AS counted");
static REMOVE: Statement = Statement::with_input(
    "DELETE FROM dead_letter WHERE app_id = $1 AND (sequence, number, position) IN (
        SELECT n.sequence, input.number, input.place FROM {input} CROSS JOIN notification n WHERE n.id = input.id)",
    &[("id", Column::Blob), ("number", Column::Int), ("place", Column::Int)],
);
