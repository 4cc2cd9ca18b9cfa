//! Conduct as it is written in a snapshot.

use serde::{Deserialize, Serialize};

use super::{Conduct, Lately, Misconduct};
use crate::{
    Timestamp,
    bytes::is_default,
    device_token::TokenIdentity,
    snapshot::Problem,
    team::KeyIndex,
    throttling::Churn,
    token_updates::{KeyPastForm, TokenPast},
};

/// What a team's providers have done; nothing is left out that decides what is noticed next.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ConductForm {
    #[serde(skip_serializing_if = "is_default")]
    noticed: Vec<Misconduct>,
    #[serde(skip_serializing_if = "is_default")]
    told_dead: Vec<(TokenIdentity, Timestamp)>,
    #[serde(skip_serializing_if = "is_default")]
    tokens: Vec<KeyPastForm>,
    #[serde(skip_serializing_if = "is_default")]
    repeated_410s: Lately,
    #[serde(skip_serializing_if = "is_default")]
    short_connections: Lately,
    #[serde(skip_serializing_if = "is_default")]
    churn: Churn,
}

impl Conduct {
    pub(crate) fn to_form(&self) -> ConductForm {
        let mut told_dead: Vec<_> = self.told_dead.iter().map(|(token, since)| (*token, *since)).collect();
        told_dead.sort_unstable();
        ConductForm {
            noticed: Misconduct::ALL.iter().copied().filter(|what| self.has(*what)).collect(),
            told_dead,
            tokens: self.tokens.to_forms(),
            repeated_410s: self.repeated_410s,
            short_connections: self.short_connections,
            churn: self.churn,
        }
    }

    /// The conduct of a team with these keys.
    pub(crate) fn from_form(form: &ConductForm, is_key: impl Fn(KeyIndex) -> bool) -> Result<Self, Problem> {
        let mut conduct = Self {
            noticed: [false; Misconduct::ALL.len()],
            told_dead: form.told_dead.iter().copied().collect(),
            tokens: TokenPast::from_forms(&form.tokens, is_key)?,
            repeated_410s: form.repeated_410s,
            short_connections: form.short_connections,
            churn: form.churn,
        };
        if conduct.told_dead.len() != form.told_dead.len() {
            return Err(Problem::Twice("a token"));
        }
        for what in &form.noticed {
            if std::mem::replace(&mut conduct.noticed[*what as usize], true) {
                return Err(Problem::Twice("a misconduct"));
            }
        }
        Ok(conduct)
    }
}

#[cfg(test)]
mod tests {
    use crate::bench::{Bench, NOW, TOKEN, verify};
    use crate::{DeviceToken, Service, TokenStatus};

    /// What is written of the conduct of the bench's team.
    fn written(bench: &Bench) -> serde_json::Value {
        let snapshot = serde_json::to_value(bench.service.snapshot()).unwrap();
        snapshot["teams"][0].get("conduct").cloned().unwrap_or_default()
    }

    #[test]
    fn who_has_done_nothing_is_not_mentioned() {
        assert_eq!(written(&Bench::new()), serde_json::Value::Null);
    }

    #[test]
    fn what_is_noticed_next_is_the_same_after_a_restart_and_nothing_is_noticed_twice() {
        let mut bench = Bench::new();
        let token = DeviceToken::from_hex(TOKEN.as_bytes()).unwrap();
        assert!(bench.team_at().set_token_status(&token, TokenStatus::Unregistered { since: NOW }));
        let push = bench.push();
        let mut noticed_at = Vec::new();
        for nth in 1..=15 {
            let effects = bench.effects(&push);
            if effects.iter().any(|effect| matches!(effect, crate::Effect::WouldThrottle { .. })) {
                noticed_at.push(nth);
            }
            let before = written(&bench);
            bench.service = Service::restore(bench.now, &bench.service.snapshot(), verify).unwrap();
            assert_eq!(written(&bench), before);
            bench.connect();
        }
        assert_eq!(noticed_at, [12]); // the first is told, and ten more are excused
        assert_eq!(written(&bench)["noticed"], serde_json::json!(["repeated_410"]));
    }
}
