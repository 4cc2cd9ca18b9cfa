use apns_provider_core::UnixTime;
use apns_provider_server_core::{
    ids::{AppId, NotificationId},
    lanes::Pace,
};

use super::{NotificationState, Store, StoreError};

/// What cancelling has done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cancelled {
    /// It is cancelled: what is not sent yet is not sent any more.
    Cancelled,
    /// It was finished or cancelled before.
    TooLate,
    /// The app has no such notification.
    Unknown,
}

impl Store {
    /// An app's campaigns that were handed in before this one, the latest first.
    pub async fn campaigns(
        &self,
        app: AppId,
        before: Option<NotificationId>,
        limit: usize,
    ) -> Result<Vec<NotificationState>, StoreError> {
        todo!()
    }

    /// Stops handing out shards of a campaign, or goes on with it. `false`: the app has no such campaign.
    pub async fn pause_campaign(
        &self,
        app: AppId,
        id: NotificationId,
        is_paused: bool,
    ) -> Result<bool, StoreError> {
        todo!()
    }

    /// Makes a campaign faster or slower, or lets it go as fast as can be. Shards keep their size. `false`: the app has no such campaign.
    pub async fn set_pace(
        &self,
        app: AppId,
        id: NotificationId,
        pace: Option<Pace>,
    ) -> Result<bool, StoreError> {
        todo!()
    }

    /// Cancels a notification. What nobody works on ends as cancelled soon, by [`Store::sweep`]; who works on some of it is told.
    pub async fn cancel(
        &self,
        app: AppId,
        id: NotificationId,
        now: UnixTime,
    ) -> Result<Cancelled, StoreError> {
        todo!()
    }
}
