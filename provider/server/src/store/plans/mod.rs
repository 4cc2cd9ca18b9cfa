//! Audiences becoming shards.

mod finding;
mod storing;

use std::time::Duration;

use apns_provider_core::UnixTime;
use apns_provider_server_core::{
    audience::Audience,
    ids::{AppId, NotificationId},
    lanes::Pace,
    message::Composed,
    plan::{NewShard, Plan, Progress},
    schedule::Schedule,
};

use super::{Owner, Signal, Store, StoreError, settings::Weight};
use finding::Finder;
pub use finding::Found;
use storing::Step;
pub(super) use storing::{read_notification_id, read_pace};

/// A notification that is to be planned, leased to whoever asked.
#[derive(Clone, Debug)]
pub struct ClaimedPlan {
    /// Which.
    pub notification: NotificationId,
    /// Whose.
    pub app: AppId,
    /// What it says.
    pub message: Composed,
    /// Whom it is for.
    pub audience: Audience,
    /// When it is sent.
    pub schedule: Schedule,
    /// When it was handed in.
    pub handed_in: UnixTime,
    /// How fast it goes, if it is a campaign with a pace.
    pub pace: Option<Pace>,
    /// How far the plan is.
    pub progress: Progress,
}

/// What became of a step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StepStored {
    /// It is not this owner's any more, or was cancelled: nothing was stored.
    Lost,
    /// It is stored, and the lease renewed. If the progress is complete, the notification is planned.
    Stored,
}

impl ClaimedPlan {
    /// What the core plans by.
    pub fn plan(&self) -> Plan<'_> {
        Plan {
            message: &self.message,
            audience: &self.audience,
            schedule: &self.schedule,
            handed_in: self.handed_in,
            pace: self.pace,
        }
    }
}

impl Store {
    /// Leases the notification that has been due to be planned longest, if there is one.
    pub async fn claim_plan(
        &self,
        owner: Owner,
        lease: Duration,
        now: UnixTime,
    ) -> Result<Option<ClaimedPlan>, StoreError> {
        let data = (owner, lease, now);
        self.database().write(Weight::Progress, data, |data, it| Box::pin(storing::claim(data, it))).await
    }

    /// Finds the devices that the next step of a plan wants. It reads in bounded pieces, however large the audience is.
    pub async fn find_candidates(
        &self,
        app: AppId,
        plan: &Plan<'_>,
        progress: &Progress,
    ) -> Result<Found, StoreError> {
        let finder = Finder { app, kind: plan.kind(), environment: plan.environment() };
        finder.find(plan, plan.want(progress), &mut self.reader().await?).await
    }

    /// Stores what a step has planned, and how far the plan is now.
    pub async fn store_step(
        &self,
        owner: Owner,
        notification: NotificationId,
        shards: Vec<NewShard>,
        progress: Progress,
        lease: Duration,
        now: UnixTime,
    ) -> Result<StepStored, StoreError> {
        let step = Step { owner, notification, shards, progress, lease, now };
        let (stored, lane, told) = self
            .database()
            .write(Weight::Progress, step, |step, it| Box::pin(storing::store_step(step, it)))
            .await?;
        if let Some(lane) = lane {
            self.tell(Signal::Work(lane)).await;
        }
        self.after_telling(told).await;
        Ok(stored)
    }
}
