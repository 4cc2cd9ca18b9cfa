use apns_provider_core::UnixTime;
use apns_provider_server_core::{
    audience::Audience,
    ids::{AppId, NotificationId},
    lanes::Lane,
    message::Composed,
    notification::{Campaign, Delivery},
    outcome::Ending,
    schedule::Schedule,
};

use super::{Store, StoreError};

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
        todo!()
    }

    /// What an app's notification says, to whom, and when.
    pub async fn notification_content(
        &self,
        app: AppId,
        id: NotificationId,
    ) -> Result<Option<(Composed, Audience, Schedule)>, StoreError> {
        todo!()
    }
}
