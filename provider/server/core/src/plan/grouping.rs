//! Recipients of one step, put together by what they have to have in common within a shard.

use std::collections::BTreeMap;

use apns_provider_core::UnixTime;

use super::{Candidate, Plan, Progress};
use crate::{
    device::Environment,
    lanes::Pace,
    message::Deadline,
    schedule::{Start, TimeZoneName},
    shard::{Recipient, SHARD_RECIPIENTS, ShardWriter},
};

/// A shard to be stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewShard {
    /// Its number within its notification, counted from 0.
    pub number: u32,
    /// Where its tokens work.
    pub environment: Environment,
    /// When it may be claimed.
    pub not_before: UnixTime,
    /// Until when its pushes are of use.
    pub deadline: Deadline,
    /// How many recipients it has.
    pub recipients: u16,
    /// The recipients.
    pub bytes: Vec<u8>,
}

/// The shards of one step.
pub(super) struct Groups<'a> {
    plan: Plan<'a>,
    shard_recipients: usize,
    open: BTreeMap<(Environment, UnixTime), ShardWriter>,
    /// The starts that were looked up: a step has many devices and few time zones.
    starts: BTreeMap<TimeZoneName, Start>,
    finished: Vec<NewShard>,
}

impl<'a> Groups<'a> {
    pub(super) fn new(plan: &Plan<'a>) -> Self {
        Self {
            plan: *plan,
            shard_recipients: plan.pace.map_or(SHARD_RECIPIENTS, Pace::shard_recipients),
            open: BTreeMap::new(),
            starts: BTreeMap::new(),
            finished: Vec::new(),
        }
    }

    pub(super) fn take(&mut self, found: &[Candidate<'_>], progress: &mut Progress) {
        let wanted = self.plan.environment();
        for candidate in found {
            let fits = candidate.kind == self.plan.kind()
                && wanted.is_none_or(|environment| candidate.environment == environment);
            if !fits {
                progress.left_out += 1;
                continue;
            }
            let recipient = Recipient {
                token: candidate.token,
                device: Some(candidate.device),
                number: candidate.number,
                registered_at: Some(candidate.registered_at),
                variant: self.plan.message.variant_for(candidate.locale),
            };
            self.put(candidate.environment, candidate.time_zone, recipient, progress);
        }
    }

    pub(super) fn put(
        &mut self,
        environment: Environment,
        zone: Option<&TimeZoneName>,
        recipient: Recipient<'_>,
        progress: &mut Progress,
    ) {
        let Start::At(start) = self.start(zone) else {
            progress.left_out += 1;
            return;
        };
        let writer = self.open.entry((environment, start)).or_default();
        if writer.push(recipient).is_err() {
            progress.left_out += 1; // a token of no possible length: the store has none
            return;
        }
        progress.planned += 1;
        if writer.len() >= self.shard_recipients {
            self.close(environment, start, progress);
        }
    }

    /// Closes every shard that is open, those that start first before the others.
    pub(super) fn finish(mut self, progress: &mut Progress) -> Vec<NewShard> {
        let open: Vec<_> = self.open.keys().copied().collect();
        for (environment, start) in open {
            self.close(environment, start, progress);
        }
        self.finished
    }

    fn start(&mut self, zone: Option<&TimeZoneName>) -> Start {
        let Plan { schedule, handed_in, .. } = self.plan;
        if !schedule.depends_on_zone() {
            return schedule.start(handed_in, None);
        }
        let Some(zone) = zone else { return schedule.start(handed_in, None) };
        if let Some(start) = self.starts.get(zone) {
            return *start;
        }
        let start = schedule.start(handed_in, Some(zone));
        self.starts.insert(zone.clone(), start);
        start
    }

    fn close(&mut self, environment: Environment, start: UnixTime, progress: &mut Progress) {
        let Some(writer) = self.open.get_mut(&(environment, start)) else { return };
        let recipients = u16::try_from(writer.len()).unwrap_or(u16::MAX);
        let Some(bytes) = writer.finish(self.plan.kind()) else { return };
        let message = self.plan.message;
        self.finished.push(NewShard {
            number: progress.next_shard,
            environment,
            not_before: start,
            deadline: message.expiry().from_start(start, message.push_type()),
            recipients,
            bytes,
        });
        progress.next_shard += 1;
    }
}
