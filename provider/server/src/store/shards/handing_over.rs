//! From what the store says of a shard to what a worker takes.

use std::sync::Arc;

use apns_provider_core::Notification;
use apns_provider_server_core::{
    device::{Current, Planned, Standing},
    outcome::{Cause, Ending, FinalOutcome},
    worker::{Claim, Exception},
};

use super::{ClaimedShard, CurrentDevice};

impl ClaimedShard {
    /// As a worker takes it: with its pushes built, and told what has happened to its recipients since they were planned.
    pub fn into_claim(self) -> Claim {
        let variants = self.variants();
        let exceptions = self.exceptions();
        Claim {
            shard: self.key,
            source: self.source,
            lane: self.lane,
            recipients: self.recipients,
            variants,
            deadline: self.deadline,
            delivery: self.delivery,
            rounds: self.rounds,
            done: self.done,
            started: self.started,
            waiting: self.waiting,
            exceptions,
        }
    }

    /// All were built once when the notification was handed in. Should one not be any more, it and those behind it are missing.
    fn variants(&self) -> Vec<Arc<Notification>> {
        let count = u16::try_from(self.message.variants()).unwrap_or(u16::MAX);
        let build = |variant| self.message.notification(&self.bundle_id, variant, &self.deadline).ok();
        (0..count).map_while(build).map(Arc::new).collect()
    }

    fn exceptions(&self) -> Vec<(u16, Exception)> {
        let replaced = FinalOutcome::unanswered(Ending::Replaced, None);
        let replaced = self.replaced.iter().map(|position| (position, Exception::End(replaced.clone())));
        let changed = self.changed.iter().filter(|(position, _)| !self.replaced.contains(*position));
        let changed = changed.filter_map(|(position, current)| {
            Some((*position, self.exception(*position, current.as_ref())?))
        });
        replaced.chain(changed).collect()
    }

    fn exception(&self, position: u16, current: Option<&CurrentDevice>) -> Option<Exception> {
        let recipient = self.recipients.recipient(position)?;
        let planned =
            Planned { token: recipient.token, number: recipient.number, is_for_user: self.is_for_users };
        let current = current.map(|it| Current { token: &it.token, user_since: it.user_since });
        match Standing::of(planned, current) {
            Standing::AsPlanned => None,
            Standing::Gone => Some(Exception::End(FinalOutcome::skipped(Cause::DeviceGone))),
            Standing::Moved(token) => Some(Exception::SendTo(token)),
            Standing::OtherUser => Some(Exception::End(FinalOutcome::skipped(Cause::DeviceOfOtherUser))),
        }
    }
}
