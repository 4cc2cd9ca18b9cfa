//! From an audience to shards, step by step.
//!
//! ```text
//!   Plan::want(progress) ──▶ which devices to read ──▶ the store
//!                                                        │ Candidates
//!   shards, progress: stored in one transaction  ◀── Plan::step
//! ```
//!
//! A step reads a bounded number of devices, and its shards and the progress are stored together: a planner that dies goes on where it
//! was, no recipient is planned twice, and memory does not grow with the audience. Recipients with another start, since they live in
//! another time zone, or in another environment, are in other shards.

mod grouping;
mod progress;

use std::collections::BTreeSet;

use apns_provider_core::{DeviceToken, UnixTime};

pub use grouping::NewShard;
pub use progress::{Cursor, Progress};

use grouping::Groups;

use crate::{
    audience::{Audience, Who},
    device::{Environment, Kind},
    ids::{DeviceId, Locale, RegistrationNumber, UserId},
    lanes::Pace,
    message::Composed,
    schedule::{Schedule, TimeZoneName},
    shard::{Recipient, SHARD_RECIPIENTS},
};

/// Devices read in one step: ten shards, half a megabyte.
pub const STEP_DEVICES: usize = 10_000;
/// Users whose devices are read in one step: with as many devices as a user may have, as many devices as a step may read.
pub const STEP_USERS: usize = 500;

/// What is planned.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// What it says.
    pub message: &'a Composed,
    /// Whom it is for.
    pub audience: &'a Audience,
    /// When it is sent.
    pub schedule: &'a Schedule,
    /// When it was handed in.
    pub handed_in: UnixTime,
    /// How fast it goes, if it is a campaign with a pace.
    pub pace: Option<Pace>,
}

/// Which devices a step needs. All have the message's [kind](Plan::kind), and the environment that [`Plan::environment`] names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Want<'a> {
    /// Those of the audience with a greater row, in the order of their rows, and as many as this at most.
    After {
        /// The last row of the step before.
        after: DeviceId,
        /// How many.
        limit: usize,
    },
    /// All devices of these users.
    OfUsers(&'a [UserId]),
    /// The devices with these tokens.
    WithTokens(&'a [DeviceToken]),
    /// None: the plan is complete.
    Nothing,
}

/// A device that the store has found.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Its row.
    pub device: DeviceId,
    /// Its token, as bytes.
    pub token: &'a [u8],
    /// Where the token works.
    pub environment: Environment,
    /// What it was issued for.
    pub kind: Kind,
    /// Which registration it is.
    pub number: RegistrationNumber,
    /// When that was.
    pub registered_at: UnixTime,
    /// Its language.
    pub locale: Option<&'a Locale>,
    /// Where its clock is.
    pub time_zone: Option<&'a TimeZoneName>,
}

impl<'a> Plan<'a> {
    /// What its devices' tokens were issued for.
    pub fn kind(&self) -> Kind {
        self.message.kind()
    }

    /// Only devices of this environment, if one is named.
    pub fn environment(&self) -> Option<Environment> {
        self.audience.environment
    }

    /// Which devices the next step needs.
    pub fn want(&self, progress: &Progress) -> Want<'a> {
        match (&self.audience.who, progress.cursor) {
            (Who::All | Who::Tags(_), Cursor::After(after)) => Want::After { after, limit: STEP_DEVICES },
            (Who::Users(users), Cursor::Named(from)) => {
                some_of(users, from, STEP_USERS).map_or(Want::Nothing, Want::OfUsers)
            }
            (Who::Tokens(tokens), Cursor::Named(from)) => {
                some_of(tokens, from, SHARD_RECIPIENTS).map_or(Want::Nothing, Want::WithTokens)
            }
            _ => Want::Nothing,
        }
    }

    /// Where a plan begins.
    pub fn begin(&self) -> Progress {
        let cursor = match self.audience.who {
            Who::All | Who::Tags(_) => Cursor::After(DeviceId::new(0)),
            Who::Tokens(_) | Who::Users(_) => Cursor::Named(0),
        };
        Progress { cursor, ..Progress::default() }
    }

    /// One step: what was [wanted](Self::want) becomes shards, and the progress goes on. Both are to be stored together.
    pub fn step(&self, progress: &mut Progress, found: &[Candidate<'_>]) -> Vec<NewShard> {
        let mut groups = Groups::new(self);
        match self.want(progress) {
            Want::After { limit, .. } => {
                groups.take(found, progress);
                progress.cursor = match found.last() {
                    Some(last) if found.len() >= limit => Cursor::After(last.device),
                    _ => Cursor::Done,
                };
            }
            Want::OfUsers(users) => {
                groups.take(found, progress);
                progress.move_on(users.len());
            }
            Want::WithTokens(tokens) => {
                groups.take(found, progress);
                self.take_unregistered(tokens, found, &mut groups, progress);
                progress.move_on(tokens.len());
            }
            Want::Nothing => progress.cursor = Cursor::Done,
        }
        if self.want(progress) == Want::Nothing {
            progress.cursor = Cursor::Done;
        }
        groups.finish(progress)
    }

    /// Tokens that nobody has registered here are taken at their word.
    fn take_unregistered(
        &self,
        tokens: &[DeviceToken],
        found: &[Candidate<'_>],
        groups: &mut Groups<'_>,
        progress: &mut Progress,
    ) {
        let Some(environment) = self.audience.environment else { return };
        let known: BTreeSet<&[u8]> = found.iter().map(|candidate| candidate.token).collect();
        for token in tokens {
            let token = bytes_of(token);
            if known.contains(token.as_slice()) {
                continue;
            }
            let recipient = Recipient {
                token: &token,
                device: None,
                number: RegistrationNumber::new(0),
                registered_at: None,
                variant: 0,
            };
            groups.put(environment, None, recipient, progress);
        }
    }
}

fn some_of<T>(named: &[T], from: u32, count: usize) -> Option<&[T]> {
    let from = usize::try_from(from).ok()?;
    let rest = named.get(from..).filter(|rest| !rest.is_empty())?;
    Some(&rest[..rest.len().min(count)])
}

/// The bytes that a token's hexadecimal form stands for.
fn bytes_of(token: &DeviceToken) -> Vec<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16).unwrap_or(0) as u8;
    token.as_str().as_bytes().chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

#[cfg(test)]
mod tests;
