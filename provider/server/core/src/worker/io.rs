//! What a worker is told, and what it asks for.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use apns_provider_core::{ApnsId, DeviceToken, Notification, Outcome, Push, Suspension, UnixTime};

use crate::{
    device::{Environment, Standing},
    ids::{AppId, DeviceId, NotificationId, RegistrationNumber},
    lanes::Lane,
    message::Deadline,
    notification::Delivery,
    outcome::{Cause, FinalOutcome, Tally, Trouble, Wait},
    shard::{Positions, Shard},
};

/// Which shard: of all notifications there is one.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ShardKey {
    /// Of which notification.
    pub notification: NotificationId,
    /// Its number within it.
    pub number: u32,
}

impl ShardKey {
    /// The apns-id of the push to the recipient at this position.
    pub fn apns_id(self, position: u16) -> ApnsId {
        self.notification.apns_id(self.number, position)
    }
}

/// Where pushes come from and go to: an app in an environment. Each has a client of its own.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Source {
    /// Which app.
    pub app: AppId,
    /// Which environment.
    pub environment: Environment,
}

/// A claim of this worker; no other one, not even a later one of the same shard, is called so.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ClaimId {
    pub(super) slot: u32,
    pub(super) generation: u32,
}

/// A push that was handed to the engine. It comes back with its outcome.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Ticket {
    pub(super) claim: ClaimId,
    pub(super) position: u16,
}

/// A batch of outcomes.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct BatchId(pub(super) u64);

/// What a worker is told.
#[derive(Debug)]
pub enum Input {
    /// The store's answer to [`Effect::Claim`].
    Claimed {
        /// Of which lane.
        lane: Lane,
        /// The shards, which are leased to this worker from when it asked.
        claims: Vec<Claim>,
        /// When the next shard of the lane that is there is due, if the store knows.
        next_at: Option<UnixTime>,
    },
    /// The store could not answer [`Effect::Claim`].
    ClaimFailed {
        /// Of which lane.
        lane: Lane,
    },
    /// Drain: claim nothing more, finish what is in the engine, give the rest back.
    Drain {
        /// When to stop waiting for the engine, on the steady clock.
        by: Duration,
    },
    /// What became of a push.
    Ended {
        /// Which.
        ticket: Ticket,
        /// What the engine says.
        outcome: Outcome,
    },
    /// Somebody has mended an app's credential, or says so.
    Mended(Source),
    /// The store could not answer [`Effect::Renew`].
    RenewFailed,
    /// The store's answer to [`Effect::Renew`].
    Renewed {
        /// Those that belong to somebody else now, or to nobody.
        lost: Vec<ClaimId>,
    },
    /// The store could not, or may not have, marked what [`Effect::Start`] asked for.
    StartFailed(ClaimId),
    /// The store has marked what [`Effect::Start`] asked for.
    Started(ClaimId),
    /// Somebody has cancelled or paused something.
    Stop(Stop),
    /// A batch is stored.
    Stored(BatchId),
    /// A batch could not be stored, or nobody knows whether it was. It is handed over again.
    StoreFailed(BatchId),
    /// An operator has tuned the server.
    Tuned {
        /// Pushes in the engine at once.
        in_engine_max: usize,
        /// Pushes a second, over all lanes, if there is a pace.
        pace: Option<u32>,
    },
    /// There may be something to do in a lane.
    Woken {
        /// In which.
        lane: Lane,
    },
}

/// What somebody has cancelled or paused. What is in the engine goes on in any case.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stop {
    /// What is not sent yet ends as cancelled.
    Cancel(NotificationId),
    /// What is not sent yet goes back, and the store hands none of the app out until it is resumed.
    PauseApp(AppId),
    /// The same of one campaign.
    PauseCampaign(NotificationId),
}

/// A shard that is leased to this worker.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Which shard.
    pub shard: ShardKey,
    /// Whose pushes they are.
    pub source: Source,
    /// How urgent they are.
    pub lane: Lane,
    /// To whom.
    pub recipients: Shard,
    /// What they get, by the number of the variant. A recipient whose variant is missing, since it could not be built, ends as
    /// undeliverable.
    pub variants: Vec<Arc<Notification>>,
    /// Until when they are of use.
    pub deadline: Deadline,
    /// Whether a push of which nobody knows whether it was processed is sent again.
    pub delivery: Delivery,
    /// How often the shard has gone back into the queue.
    pub rounds: u16,
    /// Those that have an outcome: they are not sent again.
    pub done: Positions,
    /// Of a shard that is to be sent once at most: those that were marked before they were sent, and have neither an outcome nor wait.
    pub started: Positions,
    /// Those that were tried before.
    pub waiting: Vec<Waiting>,
    /// Those that are not as they were planned.
    pub exceptions: Vec<(u16, Exception)>,
}

/// A recipient that was tried before.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    /// Which.
    pub position: u16,
    /// How often it was tried.
    pub attempts: u8,
    /// When to try again.
    pub until: UnixTime,
    /// Whether it was sent once and not answered.
    pub maybe_twice: bool,
}

/// What has happened to a recipient since it was planned.
#[derive(Clone, Debug)]
pub enum Exception {
    /// It is not sent: the device is gone or somebody else's, a later notification replaces this one.
    End(FinalOutcome),
    /// Not before this, since its device had too many of late.
    NotBefore(UnixTime),
    /// To another token, which the device has now.
    SendTo(DeviceToken),
}

impl Exception {
    /// What a device's standing makes of a push that was planned for it.
    pub fn of_standing(standing: Standing) -> Option<Self> {
        match standing {
            Standing::AsPlanned => None,
            Standing::Gone => Some(Self::End(FinalOutcome::skipped(Cause::DeviceGone))),
            Standing::Moved(token) => Some(Self::SendTo(token)),
            Standing::OtherUser => Some(Self::End(FinalOutcome::skipped(Cause::DeviceOfOtherUser))),
        }
    }
}

/// What a worker asks for.
#[derive(Debug)]
pub enum Effect {
    /// Lease shards that are due, the earliest first. Answered by [`Input::Claimed`] or [`Input::ClaimFailed`].
    Claim {
        /// Of this lane.
        lane: Lane,
        /// Until they have so many recipients: the last one may go beyond.
        recipients: usize,
        /// So many shards at most.
        shards: usize,
        /// None of these, which are in trouble.
        except: Vec<Source>,
    },
    /// Everything is finished, or was given up when it was time. Nothing follows.
    Drained,
    /// Give a shard back. It is not answered: if it is lost, the lease runs out.
    Release {
        /// Which.
        shard: ShardKey,
        /// What becomes of it.
        rest: Rest,
    },
    /// Renew these leases, from now on. Answered by [`Input::Renewed`] or [`Input::RenewFailed`].
    Renew(Vec<Lease>),
    /// Send a push. Answered by [`Input::Ended`], within the configured time.
    Send {
        /// To be given back.
        ticket: Ticket,
        /// Through this one's client. If it has none, the outcome is [`CredentialRefused`](apns_provider_core::NotSent::CredentialRefused).
        source: Source,
        /// Whether the client may send it again by itself when nobody knows whether it was processed.
        delivery: Delivery,
        /// Of which notification.
        notification: NotificationId,
        /// Which attempt at its recipient it is, from 1. What the client sends again by itself is none of its own.
        attempt: u8,
        /// The push.
        push: Push,
    },
    /// Mark recipients as sent, before they are, and forget that they waited. Answered by [`Input::Started`] or [`Input::StartFailed`].
    Start {
        /// To be given back.
        claim: ClaimId,
        /// In which shard.
        shard: ShardKey,
        /// Which.
        positions: Positions,
    },
    /// Store what has become of recipients, in one transaction. Answered by [`Input::Stored`] or [`Input::StoreFailed`].
    Store(Arc<Batch>),
    /// For the operator: an app's tokens are invalid in numbers, and none is removed.
    TooManyInvalid {
        /// Whose.
        source: Source,
        /// How many.
        suspension: Suspension,
    },
    /// For the operator: nothing of this one can be sent until then.
    Troubled {
        /// Whose.
        source: Source,
        /// What is in the way.
        trouble: Trouble,
        /// Until when it is left alone.
        until: UnixTime,
    },
}

/// What becomes of a shard that is given back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rest {
    /// All of its recipients have an outcome: it is never claimed again.
    Done,
    /// It may be claimed again.
    Until {
        /// Not before this.
        not_before: UnixTime,
        /// How often it has gone back now.
        rounds: u16,
    },
}

/// A lease to be renewed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Lease {
    /// To be given back if it is lost.
    pub claim: ClaimId,
    /// Of which shard.
    pub shard: ShardKey,
}

/// What has become of some recipients, and of their tokens.
#[derive(Debug)]
pub struct Batch {
    pub(super) id: BatchId,
    pub(super) entries: Vec<Entry>,
    pub(super) dead_tokens: Vec<TokenFinding>,
    pub(super) suspects: Vec<TokenFinding>,
    /// Whose entries they are, in the same order.
    pub(super) claims: Vec<ClaimId>,
}

/// What has become of one recipient.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// In which shard.
    pub shard: ShardKey,
    /// Which.
    pub position: u16,
    /// What has become of it.
    pub fate: Fate,
}

/// What has become of a recipient.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fate {
    /// That was it. Stored unless it has an outcome already: the first counts. It waits no more, and is not marked any more.
    Final(FinalOutcome),
    /// It waits. Stored only while the shard is leased to this worker and it has no outcome; it is not marked as sent any more. A batch
    /// that is handed over again may come after a later one that has its outcome.
    Wait(Wait),
}

/// What an answer says of a device's token, as it was registered when the push was planned.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TokenFinding {
    /// Whose app it is.
    pub source: Source,
    /// Which device.
    pub device: DeviceId,
    /// Which of its registrations: a later one is not meant.
    pub number: RegistrationNumber,
}

impl Batch {
    /// What it is called in the answer.
    pub fn id(&self) -> BatchId {
        self.id
    }

    /// What has become of recipients: each is in it once.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Devices to remove, each if its registration still is the one named: compare and clear in one statement.
    pub fn dead_tokens(&self) -> &[TokenFinding] {
        &self.dead_tokens
    }

    /// Devices whose token may be of the other environment: to be looked at, and not removed.
    pub fn suspects(&self) -> &[TokenFinding] {
        &self.suspects
    }

    /// What it adds to the counters of its notifications. A store that finds some of the outcomes stored already counts by itself.
    pub fn tallies(&self) -> BTreeMap<NotificationId, Tally> {
        let mut tallies = BTreeMap::<NotificationId, Tally>::new();
        for entry in &self.entries {
            if let Fate::Final(outcome) = &entry.fate {
                tallies
                    .entry(entry.shard.notification)
                    .or_default()
                    .add(outcome.ending, outcome.is_dead_letter());
            }
        }
        tallies
    }
}

impl fmt::Display for ShardKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.notification, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Ending;

    fn ending(exception: Option<Exception>) -> Option<Ending> {
        match exception {
            Some(Exception::End(outcome)) => Some(outcome.ending),
            _ => None,
        }
    }

    #[test]
    fn a_device_that_is_gone_or_somebody_elses_is_skipped() {
        for standing in [Standing::Gone, Standing::OtherUser] {
            assert_eq!(ending(Exception::of_standing(standing)), Some(Ending::Skipped));
        }
        assert!(Exception::of_standing(Standing::AsPlanned).is_none());
    }
}
