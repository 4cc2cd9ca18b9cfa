//! What the store hands out, as a worker takes it.

use std::sync::Arc;

use apns_provider_core::Notification;
use apns_provider_server_core::{
    device::{Current, Planned, Standing},
    message::{Composed, Deadline},
    outcome::{Cause, Ending, FinalOutcome},
    worker::{Claim, Exception},
};

use crate::store::{ClaimedShard, CurrentDevice};

/// Builds what is sent: once for all shards that have it in common.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// What was built last: shards of one notification stand together, as they were claimed.
    built: Option<Built>,
}

#[derive(Debug)]
struct Built {
    message: Arc<Composed>,
    deadline: Deadline,
    variants: Vec<Arc<Notification>>,
}

impl Claims {
    /// A shard as a worker takes it.
    pub(super) fn claim(&mut self, shard: ClaimedShard) -> Claim {
        let variants = self.variants(&shard);
        let exceptions = exceptions(&shard);
        Claim {
            shard: shard.key,
            source: shard.source,
            lane: shard.lane,
            recipients: shard.recipients,
            variants,
            deadline: shard.deadline,
            delivery: shard.delivery,
            rounds: shard.rounds,
            done: shard.done,
            started: shard.started,
            waiting: shard.waiting,
            exceptions,
        }
    }

    fn variants(&mut self, shard: &ClaimedShard) -> Vec<Arc<Notification>> {
        let is_same =
            |built: &&Built| Arc::ptr_eq(&built.message, &shard.message) && built.deadline == shard.deadline;
        if let Some(built) = self.built.as_ref().filter(is_same) {
            return built.variants.clone();
        }
        let numbers = 0..u16::try_from(shard.message.variants()).unwrap_or(u16::MAX);
        let build = |variant| match shard.message.notification(&shard.bundle_id, variant, &shard.deadline) {
            Ok(notification) => Some(Arc::new(notification)),
            Err(error) => {
                tracing::error!(shard = %shard.key, variant, %error, "what was stored is no notification");
                None
            }
        };
        // What is missing at the end ends as undeliverable, and so does what is behind it.
        let variants: Vec<_> = numbers.map_while(build).collect();
        let (message, deadline) = (Arc::clone(&shard.message), shard.deadline);
        self.built = Some(Built { message, deadline, variants: variants.clone() });
        variants
    }
}

fn exceptions(shard: &ClaimedShard) -> Vec<(u16, Exception)> {
    let replaced = shard.replaced.iter().map(|position| {
        let outcome = FinalOutcome::unanswered(Ending::Replaced, None);
        (position, Exception::End(outcome))
    });
    let changed = shard.changed.iter().filter_map(|(position, device)| {
        let exception = exception(shard, *position, device.as_ref())?;
        Some((*position, exception))
    });
    replaced.chain(changed).collect()
}

fn exception(shard: &ClaimedShard, position: u16, current: Option<&CurrentDevice>) -> Option<Exception> {
    let recipient = shard.recipients.recipient(position)?;
    let planned =
        Planned { token: recipient.token, number: recipient.number, is_for_user: shard.is_for_users };
    let current = current.map(|it| Current { token: &it.token, user_since: it.user_since });
    match Standing::of(planned, current) {
        Standing::AsPlanned => None,
        Standing::Gone => Some(Exception::End(FinalOutcome::skipped(Cause::DeviceGone))),
        Standing::Moved(token) => Some(Exception::SendTo(token)),
        Standing::OtherUser => Some(Exception::End(FinalOutcome::skipped(Cause::DeviceOfOtherUser))),
    }
}
