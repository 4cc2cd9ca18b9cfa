//! What goes between a connection and the dispatcher: pushes one way, how they ended the other.

use std::sync::Arc;

use apns_http2::CommandError;
use apns_provider_core::{Advice, Dispatcher, NotSent, Outcome, Reason, Room};
use tracing::debug;

use super::{Connection, events::GoingAway, request};
use crate::engine::{End, Engine, Job, Signals, Ticket};

/// Streams that are left when a connection is replaced: identifiers run out at 2³¹ (C-44).
const STREAMS_SPARE: u32 = 1000;

/// How a turn ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Turn {
    /// There may be more to take at once.
    More,
    /// There is nothing to do until something happens.
    Rest,
}

impl Connection {
    /// Tells how pushes ended, and takes others, as far as SETTINGS, windows and the socket allow.
    pub(super) fn exchange(&mut self, engine: &Arc<Engine>, signals: &Signals) -> Turn {
        let room = self.room(signals);
        let mut taken = std::mem::take(&mut self.taken);
        self.tell(engine, Some((room, &mut taken)));
        if taken.is_empty() {
            self.taken = taken;
            return Turn::Rest;
        }
        if self.in_flight.is_empty() {
            self.keep_alive.awaits(engine.elapsed());
        }
        let is_full = taken.len() >= Dispatcher::<Ticket>::TAKEN_MAX;
        let provider_token = engine.provider_token(&self.identity);
        let mut back = Vec::new();
        for job in taken.drain(..) {
            match request::send(&mut self.http2, job.outgoing(), &self.authority, provider_token.as_ref()) {
                Ok(stream) => {
                    let sent = self.socket.sent();
                    self.unwritten.get_or_insert((stream, sent));
                    self.in_flight.insert(stream, job);
                }
                Err(CommandError::FieldSectionTooLarge { size, limit }) => {
                    let why = NotSent::FieldsTooLarge { bytes: size, limit };
                    self.in_flight.end_unsent(job, Outcome::NotSent(why));
                }
                Err(error) => {
                    debug!(%error, "no stream opened");
                    back.push(job);
                }
            }
        }
        self.taken = taken;
        if !back.is_empty() {
            let id = self.id;
            engine.with(|dispatcher, now| {
                for job in back.into_iter().rev() {
                    dispatcher.give_back(now, id, job);
                }
            });
            return Turn::Rest;
        }
        // What could not be sent at all is told now: nothing else may happen here for a long time.
        if is_full || !self.in_flight.ended().is_empty() { Turn::More } else { Turn::Rest }
    }

    /// Before the first SETTINGS no limit is known (C-10), and when identifiers run out there is none left to open.
    fn room(&self, signals: &Signals) -> Room {
        let takes = self.http2.has_peer_settings()
            && self.going_away.is_none()
            && signals.end() == End::No
            && !self.socket.is_congested();
        let streams = if takes { self.http2.openable_streams() } else { 0 };
        Room { streams, window: self.http2.send_window() }
    }

    /// Tells the dispatcher what has ended since the last time.
    pub(super) fn report(&mut self, engine: &Arc<Engine>) {
        self.tell(engine, None);
    }

    fn tell(&mut self, engine: &Arc<Engine>, take: Option<(Room, &mut Vec<Job>)>) {
        let id = self.id;
        if let Some(date) = self.in_flight.take_date() {
            engine.answer_dated(date);
        }
        let goaway = self.going_away.as_mut().filter(|goaway| !goaway.is_told);
        let ended = self.in_flight.ended();
        if let Some(is_expired) = ended.iter().find_map(|(_, outcome)| refuses_token(outcome)) {
            engine.token_refused(&self.identity, is_expired);
        }
        engine.telemetry.attempts_ended(ended.iter().map(|(_, outcome)| outcome));
        let is_worn_out = self.http2.stream_ids_left() < STREAMS_SPARE;
        engine.with(|dispatcher, now| {
            // First, so that what is sent again goes elsewhere.
            if let Some(GoingAway { reason, wants_calm, is_told }) = goaway {
                dispatcher.goaway(now, id, reason.as_ref(), *wants_calm);
                *is_told = true;
            }
            if is_worn_out {
                dispatcher.worn_out(now, id);
            }
            for (job, outcome) in ended.drain(..) {
                dispatcher.ended(now, id, job, outcome);
            }
            if let Some((room, into)) = take {
                dispatcher.take(now, id, room, into);
            }
        });
    }
}

/// Whether the provider token was refused, and if so, as expired.
fn refuses_token(outcome: &Outcome) -> Option<bool> {
    match outcome {
        Outcome::Rejected(rejection) if rejection.advice == Advice::RenewProviderToken => Some(true),
        Outcome::Rejected(rejection) => {
            (rejection.reason == Some(Reason::InvalidProviderToken)).then_some(false)
        }
        _ => None,
    }
}
