//! What follows when the engine is done with a push.

use std::time::Duration;

use apns_provider_core::{Now, Outcome, TokenVerdict};

use super::{
    ClaimId, Effect, Fate, Ticket, TokenFinding, Worker,
    active::{Phase, State},
    later, place,
};
use crate::{
    notification::Delivery,
    outcome::{Attempt, Ending, FinalOutcome, Trouble, Verdict, Wait, Whose},
};

/// Pushes in a row that were not processed, before an app is left alone for a while.
const BACKS_MAX: u16 = 3;
/// How often somebody is told that too many tokens are invalid.
const ALARM_EVERY: Duration = Duration::from_mins(1);
/// The longest that an app is left alone, however often it was.
const HELD_LONGEST: Duration = Duration::from_mins(15);
/// Holds after which the pause does not grow any more.
const HOLDS_COUNTED: u16 = 16;

impl Worker {
    pub(super) fn ended(&mut self, now: Now, ticket: Ticket, outcome: &Outcome) {
        let Ticket { claim: id, position } = ticket;
        let Some(active) = self.slots.get(id) else { return };
        if active.state(position) != Some(State::Sent) {
            return; // it has ended already
        }
        active.progressed_at = now.elapsed;
        let extra = active.extra(position);
        let attempt = Attempt {
            now: now.date,
            attempts_before: extra.map_or(0, |extra| extra.attempts),
            maybe_twice: extra.is_some_and(|extra| extra.maybe_twice),
            worthless_at: active.deadline.worthless_at,
            random: self.random.next(),
        };
        let rules = self.config.rules.with_ambiguous_pushes(active.delivery.ambiguous_pushes());
        let (source, lane) = (active.source, place(active.lane));
        self.in_engine[lane] -= 1;
        self.sources.get(source).in_engine -= 1;

        self.judge_token(now, id, position, outcome);
        let verdict = attempt.judge(outcome, &rules);
        if matches!(outcome, Outcome::Accepted(_) | Outcome::Rejected(_))
            && !matches!(verdict, Verdict::Back(_))
        {
            let source = self.sources.get(source);
            source.answered();
            // One that has run out of time or attempts was refused once more.
            let is_settled = matches!(
                &verdict,
                Verdict::Final(FinalOutcome { ending: Ending::Accepted | Ending::Rejected, .. })
            );
            if attempt.attempts_before > 0 && is_settled {
                source.budget.repay();
            }
            if let Some(active) = self.slots.get(id) {
                active.rounds = 0;
            }
        }
        match verdict {
            Verdict::Final(outcome) => self.end(now, id, position, outcome),
            Verdict::Wait(wait) => self.wait(now, id, position, wait),
            Verdict::Back(trouble) => self.back(now, id, position, attempt, &trouble),
        }
        self.unpark(source);
        self.release_if_quiet(id);
    }

    /// A recipient is to be tried again later, unless there is no later for it.
    fn wait(&mut self, now: Now, id: ClaimId, position: u16, wait: Wait) {
        let Some(active) = self.slots.get(id) else { return };
        if active.phase == Phase::Lost {
            active.set(position, State::Waiting); // whoever has the shard now tries it again
        } else if active.is_cancelled {
            let outcome = FinalOutcome::unanswered(Ending::Cancelled, wait.why);
            self.end(now, id, position, FinalOutcome { maybe_twice: wait.maybe_twice, ..outcome });
        } else {
            self.record(now, id, position, Fate::Wait(wait));
        }
    }

    /// A push was not processed: the recipient is as before, and its shard goes back.
    fn back(&mut self, now: Now, id: ClaimId, position: u16, attempt: Attempt, trouble: &Trouble) {
        let Some(active) = self.slots.get(id) else { return };
        let source = active.source;
        if active.phase == Phase::Lost || active.is_cancelled || active.delivery == Delivery::AtMostOnce {
            // One that is to be sent once at most is marked: waiting takes the mark away.
            let pause = self.config.rules.pause_after(1, attempt.random).max(trouble.at_least);
            let Attempt { attempts_before: attempts, maybe_twice, .. } = attempt;
            let wait =
                Wait { attempts, until: later(now.date, pause), why: Some(trouble.why.clone()), maybe_twice };
            self.wait(now, id, position, wait);
        } else {
            active.set(position, State::Pending);
            self.to_send[place(active.lane)] += 1;
        }
        self.wind_in_trouble(now, id, trouble);
        let source = self.sources.get(source);
        source.backs = source.backs.saturating_add(1);
        let is_enough = match trouble.whose {
            Whose::Credential => true,
            Whose::Ours => false,
            Whose::Service => source.backs >= BACKS_MAX,
        };
        if is_enough && !source.is_held(now.elapsed) {
            let source = source.source;
            self.hold(now, source, trouble);
        }
    }

    /// Leaves an app alone for a while: longer each time, until APNs answers it again.
    fn hold(&mut self, now: Now, source: super::Source, trouble: &Trouble) {
        let random = self.random.next();
        let Some(state) = self.sources.find(source) else { return };
        let pause = self.config.rules.rest(state.holds.min(HOLDS_COUNTED), random).unwrap_or(HELD_LONGEST);
        let pause = pause.max(trouble.at_least);
        state.holds = state.holds.saturating_add(1);
        state.held_until = now.elapsed.saturating_add(pause);
        let until = later(now.date, pause);
        self.effects.push_back(Effect::Troubled { source, trouble: trouble.clone(), until });
        for id in self.of_source(source) {
            self.wind_in_trouble(now, id, trouble);
            self.release_if_quiet(id);
        }
    }

    /// What is pending of a shard goes back, or, if it did so often enough, is undeliverable.
    fn wind_in_trouble(&mut self, now: Now, id: ClaimId, trouble: &Trouble) {
        let random = self.random.next();
        let Some(active) = self.slots.get(id).filter(|active| active.phase == Phase::Sending) else { return };
        let rounds = active.rounds;
        if trouble.whose == Whose::Ours {
            return self.wind(now, id, self.config.rules.pause_after(1, random), rounds);
        }
        match self.config.rules.rest(rounds, random) {
            Some(rest) => self.wind(now, id, rest.max(trouble.at_least), rounds + 1),
            None => {
                for position in [active.all(State::Pending), active.all(State::Marked)].concat() {
                    let outcome = FinalOutcome::unanswered(Ending::Undeliverable, trouble.why.clone());
                    self.end(now, id, position, outcome);
                }
            }
        }
    }

    /// What the outcome says of the device token.
    fn judge_token(&mut self, now: Now, id: ClaimId, position: u16, outcome: &Outcome) {
        let Some(active) = self.slots.get(id) else { return };
        let Some(recipient) = active.recipients.recipient(position) else { return };
        let source = self.sources.get(active.source);
        let finding = recipient.device.map(|device| {
            let number = recipient.number;
            TokenFinding { source: source.source, device, number }
        });
        match source.hygiene.judge(now.date, outcome, recipient.registered_at) {
            TokenVerdict::Keep => {}
            TokenVerdict::Check => {
                if let Some(finding) = finding {
                    self.saving.add_suspect(finding);
                }
            }
            TokenVerdict::Remove(removal) => {
                if let Some(finding) = finding.filter(|_| removal.applies_to(recipient.registered_at)) {
                    self.saving.add_dead_token(finding);
                }
            }
            TokenVerdict::Withheld { suspension, .. } => {
                let is_time =
                    source.alarmed_at.is_none_or(|at| now.elapsed.saturating_sub(at) >= ALARM_EVERY);
                if is_time {
                    source.alarmed_at = Some(now.elapsed);
                    let source = source.source;
                    self.effects.push_back(Effect::TooManyInvalid { source, suspension });
                }
            }
        }
    }

    /// An app that had too much in the engine may send again.
    fn unpark(&mut self, source: usize) {
        let state = self.sources.get(source);
        // Not for each push that ends: then there would be one to be sent for each.
        if state.parked > 0 && state.in_engine * 8 <= self.config.source_max() * 7 {
            state.parked = 0;
            let source = state.source;
            for id in self.of_source(source) {
                self.queue(id);
            }
        }
    }

    pub(super) fn of_source(&mut self, source: super::Source) -> Vec<ClaimId> {
        let place = self.sources.find_place(source);
        self.slots.ids(|active| Some(active.source) == place)
    }
}
