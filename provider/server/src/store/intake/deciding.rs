//! Which submissions are taken, given what is there.

use std::collections::{BTreeMap, BTreeSet};

use apns_provider_core::UnixTime;
use apns_provider_server_core::{
    idempotency::{Kept, Repetition},
    ids::{AppId, IdempotencyKey, NotificationId, TenantId},
    lanes::Lane,
    limits::{Ledger, QueueDepth, Queued},
    problem::Problem,
};

use super::{Submission, Submitted, limiting};
use crate::store::{
    DeadLetterId,
    allowances::{Account, Taker},
};

/// What is there: what the database has, and what is taken before within the same transaction.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// By the app and the key: the notifications of a request.
    pub(super) keys: BTreeMap<(AppId, IdempotencyKey), Kept<Vec<NotificationId>>>,
    /// Keys that are used again after their time, and when they were used before.
    pub(super) over: BTreeMap<(AppId, IdempotencyKey), UnixTime>,
    /// Recipients without an outcome.
    pub(super) queued_of_app: BTreeMap<(AppId, Lane), u64>,
    pub(super) queued_of_tenant: BTreeMap<(TenantId, Lane), u64>,
    pub(super) dead_letters: BTreeSet<(AppId, DeadLetterId)>,
    /// What was taken of the rates of apps and users.
    pub(super) rates: Ledger<Account, Taker>,
    /// Recipients that were finished in a second, where a queue may be full.
    pub(super) finished_per_second: BTreeMap<(TenantId, AppId), u64>,
}

impl Known {
    /// Decides, and knows what is taken from now on.
    pub(super) fn decide(&mut self, submission: &Submission) -> Submitted {
        let key = submission.idempotency.as_ref().map(|it| (submission.app, it.key.clone()));
        if let (Some(key), Some(idempotency)) = (&key, &submission.idempotency) {
            match Repetition::of(submission.now, idempotency.request, self.keys.get(key)) {
                Repetition::Again(notifications) => return Submitted::Known(notifications.clone()),
                Repetition::First => {}
                Repetition::OfAnother => return Submitted::KeyReused,
            }
        }
        let is_gone = |id: &&DeadLetterId| !self.dead_letters.contains(&(submission.app, **id));
        if let Some(id) = submission.replayed.iter().find(is_gone) {
            return Submitted::AlreadyReplayed(*id);
        }
        let room = self.has_room(submission);
        // What is refused since the queue is full costs nothing of the rates.
        if let Err(problem) = room.and_then(|()| limiting::take(&mut self.rates, submission)) {
            return Submitted::Refused(problem);
        }
        self.take(submission, key);
        Submitted::Stored
    }

    /// Whether it may be that some of these find a queue full: if all of them are taken, and one that comes last.
    pub(super) fn may_be_full(&self, submissions: &[Submission]) -> bool {
        let adding: u64 = submissions.iter().flat_map(|it| by_lane(it).into_values()).sum();
        let is_near =
            |depth: Option<&u64>, bound: u64| depth.copied().unwrap_or(0).saturating_add(adding) > bound;
        submissions.iter().any(|it| {
            Lane::ALL.into_iter().any(|lane| {
                is_near(self.queued_of_app.get(&(it.app, lane)), it.bounds.app)
                    || is_near(self.queued_of_tenant.get(&(it.tenant, lane)), it.bounds.tenant)
            })
        })
    }

    fn has_room(&self, submission: &Submission) -> Result<(), Problem> {
        by_lane(submission).into_iter().try_for_each(|(lane, recipients)| {
            submission.bounds.admit(self.depth(submission, lane), recipients)
        })
    }

    fn depth(&self, submission: &Submission, lane: Lane) -> QueueDepth {
        let Submission { tenant, app, .. } = submission;
        let of_tenant = self.finished_per_second.range((*tenant, AppId::new(0))..);
        let of_tenant = of_tenant.take_while(|((it, _), _)| it == tenant).map(|(_, finished)| finished);
        QueueDepth {
            app: Queued {
                recipients: self.queued_of_app.get(&(*app, lane)).copied().unwrap_or(0),
                finished_per_second: self.finished_per_second.get(&(*tenant, *app)).copied().unwrap_or(0),
            },
            tenant: Queued {
                recipients: self.queued_of_tenant.get(&(*tenant, lane)).copied().unwrap_or(0),
                finished_per_second: of_tenant.sum(),
            },
        }
    }

    fn take(&mut self, submission: &Submission, key: Option<(AppId, IdempotencyKey)>) {
        for (lane, recipients) in by_lane(submission) {
            *self.queued_of_app.entry((submission.app, lane)).or_default() += recipients;
            *self.queued_of_tenant.entry((submission.tenant, lane)).or_default() += recipients;
        }
        for id in &submission.replayed {
            self.dead_letters.remove(&(submission.app, *id));
        }
        if let (Some(key), Some(idempotency)) = (key, &submission.idempotency) {
            let answer = submission.notifications.iter().map(|it| it.id).collect();
            let kept = Kept { request: idempotency.request, at: submission.now, answer };
            if let Some(before) = self.keys.insert(key.clone(), kept) {
                self.over.insert(key, before.at);
            }
        }
    }
}

/// How many recipients it puts into which lane. One that is to be planned counts as one: more than nothing.
fn by_lane(submission: &Submission) -> BTreeMap<Lane, u64> {
    let mut lanes = BTreeMap::new();
    for notification in &submission.notifications {
        let recipients = notification.progress.planned + u64::from(!notification.progress.is_complete());
        *lanes.entry(notification.lane).or_default() += recipients;
    }
    lanes
}
