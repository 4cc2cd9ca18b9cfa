//! A shard that is being worked on.

use std::{sync::Arc, time::Duration};

use apns_provider_core::{DeviceToken, Notification, Now, UnixTime};

use super::io::{Claim, Exception, ShardKey, Waiting};
use crate::{
    lanes::Lane,
    message::Deadline,
    notification::Delivery,
    outcome::{Cause, Ending, FinalOutcome, Why},
    shard::{Positions, Shard},
};

/// A shard that is being worked on: one byte for each recipient, and more only for those that are not as planned.
///
/// ```text
///   Pending ──▶ Sent ──▶ Done              at least once
///     │ ▲        │ └───▶ Waiting           (stored; due when the shard is claimed again)
///     │ └────────┘                         not processed: it goes back
///     └──▶ Marking ──▶ Marked ──▶ Sent     at most once: marked in the store before it is sent
/// ```
#[derive(Debug)]
pub(super) struct Active {
    pub(super) shard: ShardKey,
    /// Its place in the table of sources.
    pub(super) source: usize,
    pub(super) lane: Lane,
    pub(super) recipients: Shard,
    pub(super) variants: Vec<Arc<Notification>>,
    pub(super) deadline: Deadline,
    pub(super) delivery: Delivery,
    /// How often it went back without one answer of APNs.
    pub(super) rounds: u16,
    states: Box<[State]>,
    /// What is not as planned, sorted by position.
    extras: Vec<(u16, Extra)>,
    /// No recipient before this is pending or marked.
    cursor: u16,
    counts: [u16; State::COUNT],
    /// Entries that the store has not confirmed.
    pub(super) unsaved: u32,
    pub(super) earliest_wait: Option<UnixTime>,
    pub(super) phase: Phase,
    pub(super) is_cancelled: bool,
    /// Whether it stands in its lane's queue.
    pub(super) is_queued: bool,
    pub(super) lease_until: Duration,
    /// When the engine last said something of it, or was handed something.
    pub(super) progressed_at: Duration,
}

/// Where a recipient is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum State {
    /// It has an outcome.
    Done,
    /// The store is asked to mark it.
    Marking,
    /// It is marked and not sent yet.
    Marked,
    /// It is to be sent.
    Pending,
    /// The engine has it.
    Sent,
    /// It waits in the store.
    Waiting,
}

impl State {
    const COUNT: usize = 6;
}

/// What happens to a shard.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Phase {
    /// Its pushes are sent.
    Sending,
    /// It goes back as soon as the engine is done with what it has: what is pending stays so.
    Winding { not_before: UnixTime, rounds: u16 },
    /// It belongs to somebody else: what the engine still has is stored, and nothing more is done.
    Lost,
}

/// What is not as planned about a recipient.
#[derive(Clone, Debug, Default)]
pub(super) struct Extra {
    pub(super) attempts: u8,
    pub(super) maybe_twice: bool,
    pub(super) send_to: Option<DeviceToken>,
}

impl Active {
    /// Takes a claim. What is over at once is put into `ended`, and the first of what is said of a recipient there counts.
    pub(super) fn new(
        claim: Claim,
        source: usize,
        now: Now,
        lease_until: Duration,
        ended: &mut Vec<(u16, FinalOutcome)>,
    ) -> Self {
        let count = claim.recipients.len();
        let mut counts = [0; State::COUNT];
        counts[State::Pending as usize] = count;
        let mut active = Self {
            shard: claim.shard,
            source,
            lane: claim.lane,
            recipients: claim.recipients,
            variants: claim.variants,
            deadline: claim.deadline,
            delivery: claim.delivery,
            rounds: claim.rounds,
            states: vec![State::Pending; usize::from(count)].into_boxed_slice(),
            extras: Vec::new(),
            cursor: 0,
            counts,
            unsaved: 0,
            earliest_wait: None,
            phase: Phase::Sending,
            is_cancelled: false,
            is_queued: false,
            lease_until,
            progressed_at: now.elapsed,
        };
        for position in claim.done.iter() {
            active.set(position, State::Done);
        }
        active.take_waiting(&claim.waiting, now.date);
        active.take_started(&claim.started, ended);
        active.take_exceptions(claim.exceptions, ended);
        active.extras.sort_by_key(|(position, _)| *position);
        active
    }

    fn take_waiting(&mut self, waiting: &[Waiting], now: UnixTime) {
        for waiting in waiting {
            if self.state(waiting.position) != Some(State::Pending) {
                continue;
            }
            let Waiting { position, attempts, until, maybe_twice } = *waiting;
            self.extras.push((position, Extra { attempts, maybe_twice, send_to: None }));
            if until > now {
                self.wait(position, until);
            }
        }
    }

    fn take_exceptions(&mut self, exceptions: Vec<(u16, Exception)>, ended: &mut Vec<(u16, FinalOutcome)>) {
        for (position, exception) in exceptions {
            let state = self.state(position);
            match exception {
                _ if state.is_none_or(|state| state == State::Done) => {}
                Exception::End(outcome) => ended.push((position, outcome)),
                // Even if it is that late by now: only the store knows whether somebody else was faster.
                Exception::NotBefore(until) => self.wait(position, until),
                Exception::SendTo(token) => match self.extras.iter_mut().find(|(at, _)| *at == position) {
                    Some((_, extra)) => extra.send_to = Some(token),
                    None => self.extras.push((position, Extra { send_to: Some(token), ..Extra::default() })),
                },
            }
        }
    }

    /// What was marked and has no outcome was sent, or nearly, by a process that died.
    fn take_started(&mut self, started: &Positions, ended: &mut Vec<(u16, FinalOutcome)>) {
        if self.delivery != Delivery::AtMostOnce {
            return;
        }
        let open = started.iter().filter(|position| self.state(*position) == Some(State::Pending));
        let outcome = FinalOutcome::unanswered(Ending::Ambiguous, Why::Ours(Cause::ServerDied));
        ended.extend(open.map(|position| (position, outcome.clone())));
    }

    pub(super) fn state(&self, position: u16) -> Option<State> {
        self.states.get(usize::from(position)).copied()
    }

    /// How many recipients are in this state.
    pub(super) fn count(&self, state: State) -> u16 {
        self.counts[state as usize]
    }

    /// How many are still to be sent.
    pub(super) fn to_send(&self) -> u16 {
        self.count(State::Pending) + self.count(State::Marked)
    }

    pub(super) fn set(&mut self, position: u16, state: State) {
        let Some(place) = self.states.get_mut(usize::from(position)) else { return };
        self.counts[*place as usize] -= 1;
        self.counts[state as usize] += 1;
        *place = state;
        if matches!(state, State::Pending | State::Marked) {
            self.cursor = self.cursor.min(position);
        }
    }

    pub(super) fn wait(&mut self, position: u16, until: UnixTime) {
        self.set(position, State::Waiting);
        self.earliest_wait = Some(self.earliest_wait.map_or(until, |earliest| earliest.min(until)));
    }

    /// The next recipient in this state, pending or marked, from the first that may be.
    pub(super) fn next(&mut self, wanted: State) -> Option<u16> {
        let rest = &self.states[usize::from(self.cursor).min(self.states.len())..];
        let is_open = |state: &State| matches!(state, State::Pending | State::Marked);
        let skipped = rest.iter().position(is_open).unwrap_or(rest.len());
        let found = rest.iter().position(|state| *state == wanted);
        let from = self.cursor;
        self.cursor += skipped as u16;
        found.map(|at| from + at as u16)
    }

    /// All recipients in this state.
    pub(super) fn all(&self, wanted: State) -> Vec<u16> {
        (0_u16..)
            .zip(&self.states)
            .filter(|(_, state)| **state == wanted)
            .map(|(position, _)| position)
            .collect()
    }

    pub(super) fn extra(&self, position: u16) -> Option<&Extra> {
        if self.extras.is_empty() {
            return None;
        }
        let at = self.extras.binary_search_by_key(&position, |(position, _)| *position).ok()?;
        Some(&self.extras[at].1)
    }

    /// Whether the engine and the store are done with it.
    pub(super) fn is_quiet(&self) -> bool {
        self.count(State::Sent) == 0 && self.count(State::Marking) == 0 && self.unsaved == 0
    }
}
