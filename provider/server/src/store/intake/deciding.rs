//! Which submissions are taken, given what is there.

use std::collections::{BTreeMap, BTreeSet};

use apns_provider_core::UnixTime;
use apns_provider_server_core::{
    idempotency::{Kept, Repetition},
    ids::{AppId, IdempotencyKey, NotificationId, TenantId},
    lanes::Lane,
};

use super::{Submission, Submitted};
use crate::store::DeadLetterId;

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
        if let Some(full) = self.full(submission) {
            return full;
        }
        self.take(submission, key);
        Submitted::Stored
    }

    fn full(&self, submission: &Submission) -> Option<Submitted> {
        by_lane(submission).into_iter().find_map(|(lane, recipients)| {
            let of_app = self.queued_of_app.get(&(submission.app, lane)).copied().unwrap_or(0);
            let of_tenant = self.queued_of_tenant.get(&(submission.tenant, lane)).copied().unwrap_or(0);
            let full = |queued: u64, bound, is_tenants| {
                (queued.saturating_add(recipients) > bound).then_some(Submitted::QueueFull {
                    is_tenants,
                    queued,
                    bound,
                })
            };
            full(of_app, submission.bounds.app, false)
                .or_else(|| full(of_tenant, submission.bounds.tenant, true))
        })
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
