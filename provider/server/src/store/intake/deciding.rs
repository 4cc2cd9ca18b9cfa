//! Which submissions are taken, given what is there.

use std::collections::{BTreeMap, BTreeSet};

use apns_provider_server_core::{
    ids::{AppId, IdempotencyKey, NotificationId, TenantId},
    lanes::Lane,
};

use super::{Submission, Submitted};
use crate::store::DeadLetterId;

/// What is there: what the database has, and what is taken before within the same transaction.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// By the app and the key: the body's hash and the notifications.
    pub(super) keys: BTreeMap<(AppId, IdempotencyKey), (Vec<u8>, Vec<NotificationId>)>,
    /// Recipients without an outcome.
    pub(super) queued_of_app: BTreeMap<(AppId, Lane), u64>,
    pub(super) queued_of_tenant: BTreeMap<(TenantId, Lane), u64>,
    pub(super) dead_letters: BTreeSet<(AppId, DeadLetterId)>,
}

impl Known {
    /// Decides, and knows what is taken from now on.
    pub(super) fn decide(&mut self, submission: &Submission) -> Submitted {
        let key = submission.idempotency.as_ref().map(|it| (submission.app, it.key.clone()));
        if let (Some(key), Some(idempotency)) = (&key, &submission.idempotency)
            && let Some((body_hash, notifications)) = self.keys.get(key)
        {
            return if *body_hash == idempotency.body_hash {
                Submitted::Known(notifications.clone())
            } else {
                Submitted::KeyReused
            };
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
            let notifications = submission.notifications.iter().map(|it| it.id).collect();
            self.keys.insert(key, (idempotency.body_hash.to_vec(), notifications));
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
