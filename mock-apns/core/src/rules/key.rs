//! What a verified key may do here: in this environment, and on this connection with its past.

use super::{Checking, Group, Rule, Subject, Verdict, provider_token};
use crate::Reason;

const TOKEN_PAGE: &str = "Apple, \"Establishing a token-based connection to APNs\"";

/// A scoped key is for one environment. The spelling of the reason is a setting: page and wire differ.
pub(super) const KEY_FITS_ENVIRONMENT: Rule = Rule {
    id: "key-fits-environment",
    group: Group::Credentials,
    title: "The key's scope includes the environment that the push goes to.",
    reason: Reason::BadEnvironmentKeyInToken,
    source: "Apple, developer news of 2025-02-17; APNSwift#229 for the spelling",
    usual_mistake: "A sandbox key is used with api.push.apple.com, or the other way round.",
    builds_on: &[&provider_token::SIGNATURE_IS_GOOD],
    looks_at: Subject::KeyEnvironment,
    check: |checking| match checking.key() {
        Some(key) if !key.scope.allows_environment(checking.environment) => {
            Verdict::RefuseAs(checking.settings().environment_key_reason)
        }
        _ => Verdict::Pass,
    },
};

/// The first push binds a connection to its team. That another team is an error is documented, its reason is not.
pub(super) const TEAM_IS_THE_CONNECTIONS: Rule = Rule {
    id: "team-is-the-connections",
    group: Group::Credentials,
    title: "The provider token is of the team whose push was the connection's first.",
    reason: Reason::InvalidProviderToken,
    source: TOKEN_PAGE,
    usual_mistake: "One pool of connections serves several teams.",
    builds_on: &[&provider_token::SIGNATURE_IS_GOOD],
    looks_at: Subject::ConnectionTeam,
    check: |checking| match (checking.first_key(), checking.verified) {
        (Some(first), Some(token)) if first.team != token.key.team => checking.settings().second_team.into(),
        _ => Verdict::Pass,
    },
};

/// The first push binds a connection to its key, and to those related to it.
pub(super) const KEY_IS_RELATED: Rule = Rule {
    id: "key-is-related",
    group: Group::Credentials,
    title: "The key is the one of the connection's first push, or related to it.",
    reason: Reason::UnrelatedKeyIdInToken,
    source: TOKEN_PAGE,
    usual_mistake: "One pool of connections serves several topic-specific keys.",
    builds_on: &[&TEAM_IS_THE_CONNECTIONS],
    looks_at: Subject::ConnectionKey,
    check: key_is_related,
};

/// Where changes are counted, and for how long, are settings. A token that was refused is not remembered: the one in
/// use before goes on working.
pub(super) const PROVIDER_TOKEN_CHANGES_SELDOM: Rule = Rule {
    id: "provider-token-changes-seldom",
    group: Group::Credentials,
    title: "The provider token has not changed twice within 20 minutes.",
    reason: Reason::TooManyProviderTokenUpdates,
    source: TOKEN_PAGE,
    usual_mistake: "A token is signed for every push, or each worker signs its own.",
    builds_on: &[&provider_token::SIGNATURE_IS_GOOD],
    looks_at: Subject::TokenChanges,
    check: |checking| match (checking.verified, checking.token_past()) {
        (Some(token), Some(past)) => {
            Verdict::require(past.allows(token, checking.now(), checking.token_update_window()))
        }
        _ => Verdict::Pass,
    },
};

fn key_is_related(checking: &mut Checking<'_>) -> Verdict {
    let first = checking.first_key();
    let (Some(first), Some(token)) = (first, checking.verified) else { return Verdict::Pass };
    // Keys of two teams are no matter of this rule: the one before it has accepted them.
    if first == token.key || first.team != token.key.team {
        return Verdict::Pass;
    }
    let keys = checking.input.teams.key(first).zip(checking.key());
    Verdict::require(keys.is_some_and(|(first, key)| first.is_related_to(key)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::{
        Environment, Reason,
        bench::{Bench, HOUR, Jwt, NOW, OTHER_TEAM},
    };

    const TOO_MANY: Option<Reason> = Some(Reason::TooManyProviderTokenUpdates);

    #[test]
    fn key_fits_environment() {
        let mut bench = Bench::new();
        let push = bench.push().signed_by(&Jwt { kid: "PRODTEAM01", ..Jwt::default() });
        assert_eq!(bench.reason(&push), Some(Reason::BadEnvironmentKeyInToken));
        bench.register(Environment::Production);
        let production = push.clone().with(":authority", "api.push.apple.com:443");
        assert_eq!(bench.reason(&production), None);
        let mut bench = Bench::with_setting("environment-key-reason", "BadEnvironmentKeyIdInToken");
        assert_eq!(bench.reason(&push), Some(Reason::BadEnvironmentKeyIdInToken));
    }

    #[test]
    fn team_is_the_connections() {
        let other = Jwt { team: OTHER_TEAM, kid: "OTHERKEY01", ..Jwt::default() };
        for (value, reason) in [
            ("InvalidProviderToken", Some(Reason::InvalidProviderToken)),
            ("Forbidden", Some(Reason::Forbidden)),
            ("accept", None),
        ] {
            let mut bench = Bench::with_setting("second-team", value);
            let first = bench.push();
            assert_eq!(bench.reason(&first), None);
            let second = bench.push().signed_by(&other);
            assert_eq!(bench.reason(&second), reason, "{value}");
        }
        let mut bench = Bench::new();
        let alone = bench.push().signed_by(&other);
        assert_eq!(bench.reason(&alone), None);
    }

    #[test]
    fn key_is_related() {
        let by = |kid| Jwt { kid, ..Jwt::default() };
        let mut bench = Bench::new();
        let [first, related, unrelated, team] = ["TOPICKEY01", "TOPICKEY02", "TOPICKEY03", "SANDTEAM01"]
            .map(|kid| bench.push().signed_by(&by(kid)));
        assert_eq!(bench.reason(&first), None);
        assert_eq!(bench.reason(&related), None);
        // It is related to the key that came last, and not to the one that came first.
        assert_eq!(bench.reason(&unrelated), Some(Reason::UnrelatedKeyIdInToken));
        assert_eq!(bench.reason(&first), None);
        assert_eq!(bench.reason(&team), Some(Reason::UnrelatedKeyIdInToken));
        bench.connect();
        assert_eq!(bench.reason(&team), None);
        assert_eq!(bench.reason(&first), Some(Reason::UnrelatedKeyIdInToken));
    }

    /// Tokens issued one second apart, which is what signing for each push looks like.
    fn three_tokens(bench: &Bench) -> [crate::bench::Push; 3] {
        [0, 1, 2].map(|age| {
            let iat = (NOW.as_secs() - age).to_string();
            bench.push().signed_by(&Jwt { iat: &iat, ..Jwt::default() })
        })
    }

    #[test]
    fn provider_token_changes_seldom() {
        let mut bench = Bench::new();
        let [first, second, third] = three_tokens(&bench);
        assert_eq!(bench.reason(&first), None);
        assert_eq!(bench.reason(&second), None);
        assert_eq!(bench.reason(&third), TOO_MANY);
        assert_eq!(bench.reason(&second), None, "the token in use goes on working");
        assert_eq!(bench.reason(&first), TOO_MANY, "going back is a change too");
        bench.now = NOW.saturating_add(Duration::from_secs(1199));
        assert_eq!(bench.reason(&third), TOO_MANY);
        bench.now = NOW.saturating_add(Duration::from_mins(20));
        assert_eq!(bench.reason(&third), None);
    }

    #[test]
    fn a_token_signed_anew_within_one_second_is_no_change() {
        let mut bench = Bench::new();
        let (raw, der) = (bench.push(), bench.push().signed_by(&Jwt { der: true, ..Jwt::default() }));
        for _ in 0..3 {
            assert_eq!(bench.reason(&raw), None);
            assert_eq!(bench.reason(&der), None);
        }
    }

    #[test]
    fn changes_are_counted_for_each_connection_or_for_the_key_or_not_at_all() {
        for (scope, last) in [("per-connection", None), ("per-key", TOO_MANY), ("off", None)] {
            let mut bench = Bench::with_setting("provider-token-updates", scope);
            let [first, second, third] = three_tokens(&bench);
            for push in [&first, &second] {
                bench.connect();
                assert_eq!(bench.reason(push), None, "{scope}");
            }
            bench.connect();
            assert_eq!(bench.reason(&third), last, "{scope}");
        }
        let mut bench = Bench::with_setting("provider-token-updates", "off");
        let tokens = three_tokens(&bench);
        assert!(tokens.iter().all(|push| bench.reason(push).is_none()));
    }

    #[test]
    fn a_token_once_an_hour_is_never_too_often() {
        let mut bench = Bench::new();
        for _ in 0..5 {
            bench.now = bench.now.saturating_add(HOUR);
            let iat = bench.now.as_secs().to_string();
            let push = bench.push().signed_by(&Jwt { iat: &iat, ..Jwt::default() });
            assert_eq!(bench.reason(&push), None);
        }
    }
}
