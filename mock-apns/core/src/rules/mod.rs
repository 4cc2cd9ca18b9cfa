//! The rules by which a push is judged: a table, in Apple's order.
//!
//! That credentials come before the device token and the topic is proven by a transcript (`403
//! MissingProviderToken` for a request without credentials, with a bad token and no topic). The rest of the order is
//! the likeliest one.
//!
//! A rule reads what it judges into a value that cannot be wrong, and leaves it in [`Checking`] for those behind it:
//! nothing is read twice.

mod checking;
mod credentials;
mod device_token;
mod headers;
mod key;
mod path;
mod payload;
mod provider_token;
mod subject;
mod topic;

pub(crate) use checking::{Checking, Input, Judged};
pub(crate) use path::DEVICE_PATH;

use std::fmt;

use crate::{
    Reason,
    explain::{Outcome, Step},
    settings::Ruling,
};
use subject::Subject;

/// One thing that must hold of a push.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Rule {
    /// Its name, which does not change.
    pub id: &'static str,
    /// Where it stands.
    pub group: Group,
    /// What must hold, in one sentence.
    pub title: &'static str,
    /// What is answered when it does not, unless a setting names another reason.
    pub reason: Reason,
    /// Where it is documented or was observed.
    pub source: &'static str,
    /// What a provider that breaks it has usually done.
    pub usual_mistake: &'static str,
    /// The rules before it that must have held for it to have a meaning. The first rule that does not hold ends
    /// [`run`]; [`run_all`] goes on where this allows.
    builds_on: &'static [&'static Self],
    looks_at: Subject,
    check: fn(&mut Checking<'_>) -> Verdict,
}

/// A rule is known by its id.
impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// Its id, and no address, which would be another in every run.
impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule({})", self.id)
    }
}

/// The order of the rules, in large.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Group {
    /// `:path` and `:method`: 404 and 405.
    Path,
    /// The certificate, or `authorization`: 403, and 429 for a token that changes too often.
    Credentials,
    /// The syntax of APNs' own fields: 400.
    Headers,
    /// Whether there is a topic, and whether these credentials may push to it: 400.
    Topic,
    /// Whether the device token is one, is known, leads to the topic, and is not flooded: 400, 410 and 429.
    DeviceToken,
    /// The body: 400 and 413.
    Payload,
}

impl Group {
    /// Its name, as [`Explanation`](crate::Explanation) writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Credentials => "credentials",
            Self::Headers => "headers",
            Self::Topic => "topic",
            Self::DeviceToken => "device-token",
            Self::Payload => "payload",
        }
    }
}

/// The rules for `POST /3/device/<token>`, in the order in which they are checked. The first that does not hold
/// decides the answer.
pub const DEVICE_RULES: &[&Rule] = &[
    &path::PATH_IS_KNOWN,
    &path::METHOD_IS_POST,
    &credentials::CERTIFICATE_FITS_ENVIRONMENT,
    &credentials::PROVIDER_TOKEN_IS_PRESENT,
    &provider_token::PROVIDER_TOKEN_IS_READABLE,
    &provider_token::PROVIDER_TOKEN_IS_BASE64URL,
    &provider_token::PROVIDER_TOKEN_IS_ES256,
    &provider_token::IAT_IS_A_NUMBER,
    &provider_token::TEAM_IS_KNOWN,
    &provider_token::KEY_IS_KNOWN,
    &provider_token::SIGNATURE_IS_GOOD,
    &provider_token::KEY_IS_NOT_REVOKED,
    &provider_token::PROVIDER_TOKEN_IS_RECENT,
    &provider_token::PROVIDER_TOKEN_IS_NOT_FROM_THE_FUTURE,
    &key::KEY_FITS_ENVIRONMENT,
    &key::TEAM_IS_THE_CONNECTIONS,
    &key::KEY_IS_RELATED,
    &key::PROVIDER_TOKEN_CHANGES_SELDOM,
    &headers::HEADERS_ARE_SINGLE,
    &headers::APNS_ID_IS_A_UUID,
    &headers::EXPIRATION_IS_A_TIME,
    &headers::PRIORITY_IS_ALLOWED,
    &headers::COLLAPSE_ID_IS_SHORT,
    &headers::PUSH_TYPE_IS_KNOWN,
    &headers::PRIORITY_FITS_PUSH_TYPE,
    &topic::TOPIC_IS_PRESENT,
    &topic::TOPIC_IS_WELL_FORMED,
    &topic::TOPIC_IS_ALLOWED,
    &topic::PUSH_TYPE_FITS_TOPIC,
    &device_token::DEVICE_TOKEN_IS_PRESENT,
    &device_token::DEVICE_TOKEN_IS_HEX,
    &device_token::DEVICE_TOKEN_IS_KNOWN,
    &device_token::DEVICE_TOKEN_FITS_ENVIRONMENT,
    &device_token::DEVICE_TOKEN_IS_FOR_TOPIC,
    &device_token::DEVICE_TOKEN_IS_REGISTERED,
    &device_token::DEVICE_TOKEN_IS_NOT_EXPIRED,
    &device_token::DEVICE_TOKEN_IS_NOT_FLOODED,
    &payload::PAYLOAD_IS_NOT_EMPTY,
    &payload::PAYLOAD_IS_NOT_TOO_LARGE,
    &payload::PAYLOAD_IS_JSON,
    &payload::PAYLOAD_IS_A_DICTIONARY,
];

/// Judges a push by [`DEVICE_RULES`].
pub(crate) fn run(checking: &mut Checking<'_>) -> Result<(), Refusal> {
    for &rule in DEVICE_RULES {
        match (rule.check)(checking) {
            Verdict::Pass => {}
            Verdict::Refuse => return Err(Refusal { rule, reason: rule.reason }),
            Verdict::RefuseAs(reason) => return Err(Refusal { rule, reason }),
        }
    }
    Ok(())
}

/// Judges a push by every one of [`DEVICE_RULES`] that has a meaning for it, also behind one that refuses it, and tells
/// what each looked at. Up to the first refusal it is [`run`]; behind it, what no rule has read counts as absent: the
/// service's settings do where no team is known.
pub(crate) fn run_all(checking: &mut Checking<'_>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::with_capacity(DEVICE_RULES.len());
    for &rule in DEVICE_RULES {
        let has_held =
            |base: &&Rule| steps.iter().any(|step| step.rule == *base && step.outcome == Outcome::Passed);
        if !rule.builds_on.iter().all(has_held) {
            steps.push(Step::not_reached(rule));
            continue;
        }
        let outcome = match (rule.check)(checking) {
            Verdict::Pass => Outcome::Passed,
            Verdict::Refuse => Outcome::Failed { reason: rule.reason },
            Verdict::RefuseAs(reason) => Outcome::Failed { reason },
        };
        // Asked afterwards: a rule leaves what it has read.
        steps.push(Step { rule, outcome, looked_at: rule.looks_at.text(checking) });
    }
    steps
}

/// Which rule did not hold, and what to answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal {
    pub(crate) rule: &'static Rule,
    pub(crate) reason: Reason,
}

/// Whether a rule holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    Pass,
    /// It does not: the rule's reason is the answer.
    Refuse,
    /// It does not, and a setting names the reason.
    RefuseAs(Reason),
}

impl Verdict {
    const fn require(holds: bool) -> Self {
        if holds { Self::Pass } else { Self::Refuse }
    }
}

impl From<Ruling> for Verdict {
    fn from(ruling: Ruling) -> Self {
        match ruling {
            Ruling::Accept => Self::Pass,
            Ruling::Refuse(reason) => Self::RefuseAs(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_groups_stand_in_their_order() {
        assert!(DEVICE_RULES.is_sorted_by_key(|rule| rule.group));
    }

    #[test]
    fn a_rule_builds_on_rules_before_it() {
        for (at, rule) in DEVICE_RULES.iter().enumerate() {
            for base in rule.builds_on {
                assert!(DEVICE_RULES[..at].contains(base), "{} on {}", rule.id, base.id);
            }
        }
    }

    #[test]
    fn ids_are_unique_and_in_kebab_case() {
        let mut ids: Vec<&str> = DEVICE_RULES.iter().map(|rule| rule.id).collect();
        for id in &ids {
            assert!(id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')), "{id}");
        }
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), DEVICE_RULES.len());
    }

    #[test]
    fn a_rule_prints_the_same_in_every_run() {
        assert_eq!(format!("{:?}", path::PATH_IS_KNOWN), "Rule(path-is-known)");
    }

    #[test]
    fn every_rule_says_what_it_wants_why_and_who_breaks_it() {
        for rule in DEVICE_RULES {
            assert!(rule.title.ends_with('.') && rule.usual_mistake.ends_with('.'), "{}", rule.id);
            assert!(!rule.source.is_empty(), "{}", rule.id);
        }
    }
}
