use apns_provider_core::UnixTime;
use apns_provider_server_core::{
    audience::Audience,
    ids::{AppId, Label, NotificationId},
    lanes::Lane,
    message::Composed,
    notification::{Campaign, Delivery},
    outcome::Ending,
    schedule::Schedule,
};

use super::{
    Store, StoreError,
    plans::{read_notification_id, read_pace},
    sql::{Row, Statement, values},
    stored::{read_audience, read_json},
};

/// A notification, and how far it is.
#[derive(Clone, Debug, PartialEq)]
pub struct NotificationState {
    /// Its identity.
    pub id: NotificationId,
    /// Whose.
    pub app: AppId,
    /// How urgent it is.
    pub lane: Lane,
    /// What becomes of a push of which nobody knows whether APNs took it.
    pub delivery: Delivery,
    /// When it was handed in.
    pub handed_in: UnixTime,
    /// What it is besides, if it is a campaign.
    pub campaign: Option<Campaign>,
    /// Where it is.
    pub state: State,
    /// When it was cancelled, if it was.
    pub cancelled_at: Option<UnixTime>,
    /// When its last recipient had an outcome.
    pub finished_at: Option<UnixTime>,
    /// How many recipients are where.
    pub counts: Counts,
}

/// Where a notification is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// It was cancelled, and some of its recipients have no outcome yet.
    Cancelling,
    /// Each recipient has an outcome.
    Finished,
    /// It is a campaign, and paused.
    Paused,
    /// Its audience is being found; what is found is sent already.
    Planning,
    /// Its recipients are being sent to, or wait for their time.
    Sending,
}

/// How many recipients of a notification are where.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Recipients so far.
    pub planned: u64,
    /// Devices of the audience that get nothing.
    pub left_out: u64,
    /// Recipients without an outcome.
    pub unended: u64,
    /// Recipients whose outcome is a dead letter.
    pub dead_letters: u64,
    pub(super) by_ending: [u64; Ending::ALL.len()],
}

impl Counts {
    /// How many ended so.
    pub fn of(&self, ending: Ending) -> u64 {
        self.by_ending[usize::from(ending.number()) - 1]
    }

    /// How many ended.
    pub fn ended(&self) -> u64 {
        self.by_ending.iter().sum()
    }
}

impl Store {
    /// An app's notification.
    pub async fn notification(
        &self,
        app: AppId,
        id: NotificationId,
    ) -> Result<Option<NotificationState>, StoreError> {
        let row = self.reader().await?.first(&BY_ID, values![app, id]).await?;
        row.as_ref().map(read).transpose()
    }

    /// What an app's notification says, to whom, and when.
    pub async fn notification_content(
        &self,
        app: AppId,
        id: NotificationId,
    ) -> Result<Option<(Composed, Audience, Schedule)>, StoreError> {
        let Some(row) = self.reader().await?.first(&CONTENT, values![app, id]).await? else {
            return Ok(None);
        };
        let message = Composed::from_bytes(row.text(0)?.as_bytes());
        let message = message.map_err(|why| StoreError::Damaged(why.to_string()))?;
        Ok(Some((message, read_audience(row.text(1)?)?, read_json("a schedule", row.text(2)?)?)))
    }
}

/// The columns that [`read`] reads, in this order, of the notification `n` and the campaign `c`, which may be none.
macro_rules! columns {
    () => {
        "n.id, n.app_id, n.lane, n.delivery, n.handed_in, c.sequence, c.label, c.pace, c.is_paused, n.is_planned,
         n.cancelled_at, n.finished_at, n.planned, n.left_out, n.unended, n.dead_letters,
         n.accepted, n.rejected, n.expired, n.replaced, n.cancelled, n.undeliverable, n.ambiguous, n.skipped"
    };
}
pub(super) use columns;

pub(super) fn read(row: &Row) -> Result<NotificationState, StoreError> {
    let campaign = match row.optional_int(5)? {
        None => None,
        Some(_) => Some(Campaign { label: row.optional_parsed(6, Label::parse)?, pace: read_pace(row, 7)? }),
    };
    let cancelled_at = row.optional_time(10)?;
    let finished_at = row.optional_time(11)?;
    let state = if finished_at.is_some() {
        State::Finished
    } else if cancelled_at.is_some() {
        State::Cancelling
    } else if row.optional_int(8)? == Some(1) {
        State::Paused
    } else if row.is_set(9)? {
        State::Sending
    } else {
        State::Planning
    };
    let mut by_ending = [0; Ending::ALL.len()];
    for (at, count) in by_ending.iter_mut().enumerate() {
        *count = row.number(FIRST_ENDING + at)?;
    }
    Ok(NotificationState {
        id: read_notification_id(row, 0)?,
        app: AppId::new(row.int(1)?),
        lane: row.numbered(2, Lane::from_number)?,
        delivery: row.numbered(3, Delivery::from_number)?,
        handed_in: row.time(4)?,
        campaign,
        state,
        cancelled_at,
        finished_at,
        counts: Counts {
            planned: row.number(12)?,
            left_out: row.number(13)?,
            unended: row.number(14)?,
            dead_letters: row.number(15)?,
            by_ending,
        },
    })
}

/// The column of the first ending; the others follow in the order of their numbers.
const FIRST_ENDING: usize = 16;

static BY_ID: Statement = Statement::new(concat!(
    "SELECT ",
    columns!(),
    " FROM notification n LEFT JOIN campaign c ON c.sequence = n.sequence WHERE n.app_id = $1 AND n.id = $2"
));
static CONTENT: Statement = Statement::new(
    "SELECT m.message, m.audience, m.schedule FROM notification n JOIN message m ON m.sequence = n.sequence
     WHERE n.app_id = $1 AND n.id = $2",
);
