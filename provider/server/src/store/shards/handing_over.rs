//! From what the store says of a shard to what a worker takes.

use std::sync::Arc;

use apns_provider_core::Notification;
use apns_provider_server_core::{
    device::{Current, Planned, Standing},
    message::{Composed, Deadline},
    outcome::{Ending, FinalOutcome},
    worker::{Claim, Exception},
};

use super::{ClaimedShard, CurrentDevice};

/// Builds what is sent: once for all shards that have it in common.
#[derive(Debug, Default)]
pub struct Variants {
    /// What was built last: shards of one notification stand together, as they were claimed.
    built: Option<Built>,
}

#[derive(Debug)]
struct Built {
    message: Arc<Composed>,
    deadline: Deadline,
    variants: Vec<Arc<Notification>>,
}

impl Variants {
    fn of(&mut self, shard: &ClaimedShard) -> Vec<Arc<Notification>> {
        let is_same =
            |built: &&Built| Arc::ptr_eq(&built.message, &shard.message) && built.deadline == shard.deadline;
        if let Some(built) = self.built.as_ref().filter(is_same) {
            return built.variants.clone();
        }
        let variants = build(shard);
        let (message, deadline) = (Arc::clone(&shard.message), shard.deadline);
        self.built = Some(Built { message, deadline, variants: variants.clone() });
        variants
    }
}

/// All were built once when the notification was handed in. Should one not be any more, it and those behind it are missing, and end as
/// undeliverable.
fn build(shard: &ClaimedShard) -> Vec<Arc<Notification>> {
    let numbers = 0..u16::try_from(shard.message.variants()).unwrap_or(u16::MAX);
    let build = |variant| match shard.message.notification(&shard.bundle_id, variant, &shard.deadline) {
        Ok(notification) => Some(Arc::new(notification)),
        Err(error) => {
            tracing::error!(shard = %shard.key, variant, %error, "what was stored is no notification");
            None
        }
    };
    numbers.map_while(build).collect()
}

impl ClaimedShard {
    /// As a worker takes it: with its pushes built, and told what has happened to its recipients since they were planned.
    pub fn into_claim(self, variants: &mut Variants) -> Claim {
        let variants = variants.of(&self);
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

    /// Who is replaced is asked nothing more; who waits may have another token as well.
    pub(super) fn exceptions(&self) -> Vec<(u16, Exception)> {
        let replaced = FinalOutcome::unanswered(Ending::Replaced, None);
        let replaced = self.replaced.iter().map(|position| (position, Exception::End(replaced.clone())));
        let changed = self.changed.iter().filter(|(position, _)| !self.replaced.contains(*position));
        let changed = changed.filter_map(|(position, current)| {
            let standing = self.standing(*position, current.as_ref())?;
            Some((*position, Exception::of_standing(standing)?))
        });
        let waits = self.waits.iter().map(|(position, until)| (*position, Exception::NotBefore(*until)));
        replaced.chain(changed).chain(waits).collect()
    }

    fn standing(&self, position: u16, current: Option<&CurrentDevice>) -> Option<Standing> {
        let recipient = self.recipients.recipient(position)?;
        let planned =
            Planned { token: recipient.token, number: recipient.number, is_for_user: self.is_for_users };
        let current = current.map(|it| Current { token: &it.token, user_since: it.user_since });
        Some(Standing::of(planned, current))
    }
}
