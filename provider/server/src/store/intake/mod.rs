//! Taking notifications: durable when it returns, many requests in one transaction.

mod batcher;
mod deciding;
mod limiting;
mod storing;

use std::collections::BTreeSet;

use apns_provider_core::UnixTime;
use apns_provider_server_core::{
    audience::Audience,
    idempotency::{Repetition, RequestHash},
    ids::{AppId, IdempotencyKey, NotificationId, TenantId},
    lanes::Lane,
    limits::{QueueBounds, Rates},
    message::Composed,
    notification::{Campaign, Delivery},
    plan::{NewShard, Progress},
    problem::Problem,
    schedule::Schedule,
};

use super::{DeadLetterId, Signal, Store, StoreError};
pub(super) use batcher::Intakes;

/// What one request hands in: all of it is taken, or nothing.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Whose it is.
    pub tenant: TenantId,
    /// For which app.
    pub app: AppId,
    /// What the request is known by, if it is sent again.
    pub idempotency: Option<Idempotency>,
    /// How much may be queued.
    pub bounds: QueueBounds,
    /// How often there may be more, for the app and for each user.
    pub rates: Rates,
    /// The notifications: at least one.
    pub notifications: Vec<NewNotification>,
    /// Dead letters that are sent again by this: they are taken out of the table in the same transaction.
    pub replayed: Vec<DeadLetterId>,
    /// Now.
    pub now: UnixTime,
}

/// What a request is known by.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Idempotency {
    /// The key, of the caller's choice, for this app.
    pub key: IdempotencyKey,
    /// What is asked.
    pub request: RequestHash,
}

/// A notification to be stored.
#[derive(Clone, Debug)]
pub struct NewNotification {
    /// Its identity.
    pub id: NotificationId,
    /// What it says.
    pub message: Composed,
    /// Whom it is for.
    pub audience: Audience,
    /// When it is sent.
    pub schedule: Schedule,
    /// How urgent it is.
    pub lane: Lane,
    /// What becomes of a push of which nobody knows whether APNs took it.
    pub delivery: Delivery,
    /// What it is besides, if it is a campaign.
    pub campaign: Option<Campaign>,
    /// When it was handed in.
    pub handed_in: UnixTime,
    /// What is planned already: for a few named recipients, everything.
    pub shards: Vec<NewShard>,
    /// How far the plan is with them. If it is not complete, it is carried on later.
    pub progress: Progress,
}

/// What became of a submission.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Submitted {
    /// A dead letter is not there any more: somebody else has sent it again, or removed it. Nothing was taken.
    AlreadyReplayed(DeadLetterId),
    /// The same request came before: these are its notifications. Nothing was taken now.
    Known(Vec<NotificationId>),
    /// Another request came with this key. Nothing was taken.
    KeyReused,
    /// As much is queued as may be, or it came too often. Nothing was taken.
    Refused(Problem),
    /// It was taken.
    Stored,
}

impl NewNotification {
    /// Whether it is finished as it comes.
    pub(super) fn is_for_nobody(&self) -> bool {
        self.progress.is_complete() && self.progress.planned == 0
    }
}

impl Store {
    /// What became of the same request before, if it came before: whatever has changed since then, it is answered alike. A read, which
    /// [`submit`](Self::submit) does not rely on.
    pub async fn repetition(
        &self,
        app: AppId,
        idempotency: &Idempotency,
        now: UnixTime,
    ) -> Result<Option<Submitted>, StoreError> {
        let kept = storing::kept(app, &idempotency.key, &mut self.reader().await?).await?;
        Ok(match Repetition::of(now, idempotency.request, kept.as_ref()) {
            Repetition::Again(notifications) => Some(Submitted::Known(notifications.clone())),
            Repetition::First => None,
            Repetition::OfAnother => Some(Submitted::KeyReused),
        })
    }

    /// Takes what a request hands in. Requests that come at the same time share a transaction.
    pub async fn submit(&self, submission: Submission) -> Result<Submitted, StoreError> {
        let lanes: BTreeSet<Lane> = submission.notifications.iter().map(|it| it.lane).collect();
        let is_planned = submission.notifications.iter().all(|it| it.progress.is_complete());
        let is_finished = submission.notifications.iter().any(NewNotification::is_for_nobody);
        let submitted = self.inner.intakes.ask(submission).await?;
        if submitted == Submitted::Stored {
            for lane in lanes {
                self.tell(Signal::Work(lane)).await;
            }
            if !is_planned {
                self.tell(Signal::Plan).await;
            }
            if is_finished {
                self.tell(Signal::Webhooks).await;
            }
        }
        Ok(submitted)
    }
}
