//! What Apple takes for abuse, and whether a team's provider does it. Nothing is answered differently for it: it is told
//! to whoever runs the double, before Apple tells them. What follows where a setting asks for it is in `throttling`.

mod form;
mod lately;
mod misconduct;

use std::time::Duration;

use crate::{
    Effect, Service, Timestamp, Totals, device_token::TokenIdentity, team::TeamIndex, throttling::Churn,
    token_updates::TokenPast, verified_tokens::VerifiedToken,
};
pub(crate) use form::ConductForm;
pub(crate) use lately::Lately;
pub use misconduct::Misconduct;
pub(crate) use misconduct::SHORT_CONNECTION;
use misconduct::{REPEATED_410_WINDOW, REPEATED_410S_MAX, SHORT_CONNECTIONS_MAX, TOKEN_CHANGE_MIN};
use rustc_hash::FxHashMap;

/// What one team's providers have done, as far as Apple would mind. Kept for each team, because a team is all that Apple
/// knows of who pushes.
#[derive(Debug, Default)]
pub(crate) struct Conduct {
    noticed: [bool; Misconduct::ALL.len()],
    /// Since when each device token is dead that was answered 410. No more than the team has tokens.
    told_dead: FxHashMap<TokenIdentity, Timestamp>,
    tokens: TokenPast,
    repeated_410s: Lately,
    short_connections: Lately,
    /// What connections that were closed rapidly come to, if a setting says so.
    pub(crate) churn: Churn,
}

/// Each of these counts what happened, and tells what was noticed just now for the first time; nothing is noticed twice.
impl Conduct {
    /// A push to this token was answered 410, dead `since` then.
    pub(crate) fn answered_410(
        &mut self,
        now: Timestamp,
        token: TokenIdentity,
        since: Timestamp,
        totals: &mut Totals,
    ) -> Option<Misconduct> {
        // One that came back to life and died again is told anew.
        if self.told_dead.insert(token, since) != Some(since) {
            return None;
        }
        totals.repeated_410s += 1;
        let is_too_often = self.repeated_410s.count(now, REPEATED_410_WINDOW) > REPEATED_410S_MAX;
        self.notice(Misconduct::Repeated410, is_too_often)
    }

    /// A connection begins to use a provider token that is not its last one.
    pub(crate) fn used_token(
        &mut self,
        now: Timestamp,
        token: VerifiedToken,
        totals: &mut Totals,
    ) -> Option<Misconduct> {
        let is_too_soon = !self.tokens.allows(token, now, TOKEN_CHANGE_MIN);
        if self.tokens.remember(token, now) {
            totals.provider_token_changes += 1;
        }
        self.notice(Misconduct::TokenChurn, is_too_soon)
    }

    /// A push was refused because its provider token had changed too often.
    pub(crate) fn refused_token(&mut self) -> Option<Misconduct> {
        self.notice(Misconduct::TokenChurn, true)
    }

    /// A connection was closed at `now`, by the machine's clock, that had been open for so long.
    pub(crate) fn closed_connection(
        &mut self,
        now: Timestamp,
        open_for: Duration,
        totals: &mut Totals,
    ) -> Option<Misconduct> {
        if open_for >= SHORT_CONNECTION {
            return None;
        }
        totals.short_connections += 1;
        let is_too_often = self.short_connections.count(now, SHORT_CONNECTION) > SHORT_CONNECTIONS_MAX;
        self.notice(Misconduct::ConnectionChurn, is_too_often)
    }

    pub(crate) fn has(&self, what: Misconduct) -> bool {
        self.noticed[what as usize]
    }

    fn notice(&mut self, what: Misconduct, does_it: bool) -> Option<Misconduct> {
        let noticed = &mut self.noticed[what as usize];
        let is_new = does_it && !*noticed;
        *noticed |= does_it;
        is_new.then_some(what)
    }
}

impl Service {
    /// Minds the conduct of a team's provider, and tells what is new.
    pub(crate) fn mind(
        &mut self,
        team: TeamIndex,
        look: impl FnOnce(&mut Conduct, &mut Totals) -> Option<Misconduct>,
    ) {
        let Some(team) = self.teams.get_mut(team) else { return };
        if let Some(what) = look(&mut team.conduct, &mut self.totals) {
            self.effects.push_back(Effect::WouldThrottle { team: team.id(), what });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{Bench, HOUR, Jwt, NOW, TEAM, TOKEN};
    use crate::{DeviceToken, Environment, Reason, TeamId, TokenStatus};

    fn team() -> TeamId {
        TeamId::parse(TEAM).unwrap()
    }

    fn throttled(effects: &[Effect]) -> Vec<Misconduct> {
        let what = |effect: &Effect| match effect {
            Effect::WouldThrottle { team: id, what } if *id == team() => Some(*what),
            _ => None,
        };
        effects.iter().filter_map(what).collect()
    }

    /// A bench whose device token died an hour ago.
    fn dead() -> Bench {
        let mut bench = Bench::new();
        die(&mut bench, NOW.saturating_sub(HOUR));
        bench
    }

    fn die(bench: &mut Bench, since: Timestamp) {
        let token = DeviceToken::from_hex(TOKEN.as_bytes()).unwrap();
        assert!(bench.team_at().set_token_status(&token, TokenStatus::Unregistered { since }));
    }

    fn pass(bench: &mut Bench, span: Duration) {
        bench.now = bench.now.saturating_add(span);
    }

    /// Pushes this often, and tells what was noticed.
    fn push(bench: &mut Bench, times: u32, issued_at: &str) -> Vec<Misconduct> {
        let push = bench.push().signed_by(&Jwt { iat: issued_at, ..Jwt::default() });
        (0..times).flat_map(|_| throttled(&bench.effects(&push))).collect()
    }

    #[test]
    fn pushing_to_a_dead_token_again_and_again_is_noticed_once() {
        let mut bench = dead();
        assert_eq!(push(&mut bench, 1 + REPEATED_410S_MAX, ""), []);
        assert!(!bench.team_at().team().would_be_throttled(Misconduct::Repeated410));
        assert_eq!(push(&mut bench, 5, ""), [Misconduct::Repeated410]);
        assert!(bench.team_at().team().would_be_throttled(Misconduct::Repeated410));
        assert_eq!(bench.service.totals().repeated_410s, u64::from(REPEATED_410S_MAX) + 5);
    }

    #[test]
    fn a_repetition_now_and_then_is_forgiven() {
        let mut bench = dead();
        for _ in 0..5 {
            let now = bench.now.as_secs().to_string();
            assert_eq!(push(&mut bench, REPEATED_410S_MAX, &now), []);
            pass(&mut bench, HOUR);
        }
    }

    #[test]
    fn a_token_that_lived_and_died_again_is_told_anew() {
        let mut bench = dead();
        assert_eq!(push(&mut bench, 1, ""), []);
        die(&mut bench, NOW);
        assert_eq!(push(&mut bench, 1, ""), []);
        assert_eq!(bench.service.totals().repeated_410s, 0);
    }

    #[test]
    fn a_reset_forgives_everything() {
        let mut bench = dead();
        assert_eq!(push(&mut bench, 2 + REPEATED_410S_MAX, ""), [Misconduct::Repeated410]);
        bench.team_at().reset();
        assert!(!bench.team_at().team().would_be_throttled(Misconduct::Repeated410));
        bench.register(Environment::Sandbox);
        die(&mut bench, NOW.saturating_sub(HOUR));
        assert_eq!(push(&mut bench, 1 + REPEATED_410S_MAX, ""), []);
        assert_eq!(push(&mut bench, 1, ""), [Misconduct::Repeated410]);
    }

    #[test]
    fn the_second_change_of_a_provider_token_within_20_minutes_is_noticed_over_all_connections() {
        let mut bench = Bench::new();
        let issued = |ago: u64| (NOW.as_secs() - ago).to_string();
        assert_eq!(push(&mut bench, 3, &issued(3)), []);
        bench.connect();
        assert_eq!(push(&mut bench, 3, &issued(2)), []);
        bench.connect();
        assert_eq!(push(&mut bench, 3, &issued(1)), [Misconduct::TokenChurn]);
        assert_eq!(bench.service.totals().provider_token_changes, 2);
        assert_eq!(bench.service.provider_tokens_seen(), 3);
    }

    #[test]
    fn a_change_every_20_minutes_is_as_it_should_be() {
        let mut bench = Bench::new();
        for _ in 0..5 {
            let now = bench.now.as_secs().to_string();
            assert_eq!(push(&mut bench, 2, &now), []);
            pass(&mut bench, TOKEN_CHANGE_MIN);
        }
        assert_eq!(bench.service.totals().provider_token_changes, 4);
    }

    #[test]
    fn a_refusal_for_changing_too_often_is_token_churn() {
        let mut bench = Bench::with_setting("provider-token-update-window", "3600");
        for (age, noticed) in [(3, &[][..]), (2, &[]), (1, &[Misconduct::TokenChurn])] {
            let issued_at = bench.now.saturating_sub(Duration::from_secs(age)).as_secs().to_string();
            let again = bench.push().signed_by(&Jwt { iat: &issued_at, ..Jwt::default() });
            let effects = bench.effects(&again);
            assert_eq!(throttled(&effects), noticed);
            let is_refused = matches!(&effects.last(), Some(Effect::Respond { answer, .. })
                if answer.reason == Some(Reason::TooManyProviderTokenUpdates));
            assert_eq!(is_refused, age == 1);
            pass(&mut bench, TOKEN_CHANGE_MIN);
        }
    }

    /// Opens a connection, pushes on it, and closes it after `open_for`.
    fn connection(bench: &mut Bench, pushes: u32, open_for: Duration) -> Vec<Misconduct> {
        bench.connect();
        let mut noticed = push(bench, pushes, "");
        pass(bench, open_for);
        bench.service.disconnected(bench.now, bench.connection);
        let effects: Vec<_> = std::iter::from_fn(|| bench.service.poll_effect()).collect();
        noticed.extend(throttled(&effects));
        noticed
    }

    #[test]
    fn a_connection_for_each_push_is_noticed() {
        let mut bench = Bench::new();
        for _ in 0..SHORT_CONNECTIONS_MAX {
            assert_eq!(connection(&mut bench, 1, Duration::from_millis(5)), []);
        }
        assert_eq!(connection(&mut bench, 1, Duration::from_millis(5)), [Misconduct::ConnectionChurn]);
        assert_eq!(connection(&mut bench, 1, Duration::from_millis(5)), []);
        assert_eq!(bench.service.totals().short_connections, u64::from(SHORT_CONNECTIONS_MAX) + 2);
    }

    #[test]
    fn connections_that_last_and_those_of_nobody_are_not() {
        let mut bench = Bench::new();
        for _ in 0..2 * SHORT_CONNECTIONS_MAX {
            assert_eq!(connection(&mut bench, 0, Duration::ZERO), []);
        }
        for _ in 0..SHORT_CONNECTIONS_MAX {
            assert_eq!(connection(&mut bench, 1, SHORT_CONNECTION), []);
        }
        assert_eq!(bench.service.totals().short_connections, 0);
    }
}
