//! Whom a notification is for.

use std::collections::BTreeSet;

use apns_provider_core::DeviceToken;
use serde::{Deserialize, Serialize};

use crate::{
    device::Environment,
    ids::{Tag, UserId},
    problem::{Field, FieldErrors},
};

/// Users or device tokens that one notification names: ten shards. Whoever names more has a list that a tag should stand for.
pub const NAMED_MAX: usize = 10_000;
/// Tags of each of the lists that an audience is told by.
pub const AUDIENCE_TAGS_MAX: usize = 20;

/// Whom a notification is for: one of `all`, `tags`, `tokens` and `users`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AudienceRequest {
    /// `true`: every device of the app.
    pub all: Option<bool>,
    /// Devices by their tags.
    pub tags: Option<TagsRequest>,
    /// Device tokens, registered here or not: at most 10,000.
    pub tokens: Option<Vec<String>>,
    /// Users: all of their devices. At most 10,000.
    pub users: Option<Vec<String>>,
    /// Only devices of this environment; needed for tokens. Left out, both.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Environment>))]
    pub environment: Option<String>,
}

/// Devices by their tags. What is left out asks for nothing, and one of them has to ask for something.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TagsRequest {
    /// They have all of these.
    pub all: Vec<String>,
    /// They have at least one of these.
    pub any: Vec<String>,
    /// They have none of these.
    pub none: Vec<String>,
}

/// Whom a notification is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Audience {
    /// Who they are.
    pub who: Who,
    /// Only their devices of this environment.
    pub environment: Option<Environment>,
}

/// Who an audience are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Who {
    /// Every device of the app.
    All,
    /// Devices by their tags.
    Tags(TagExpression),
    /// These, each once, in the order in which they were named.
    Tokens(Vec<DeviceToken>),
    /// The devices of these, each once, in the order in which they were named.
    Users(Vec<UserId>),
}

/// Which tags a device has to have, and not.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct TagExpression {
    /// All of these.
    pub all: BTreeSet<Tag>,
    /// At least one of these, if there are some.
    pub any: BTreeSet<Tag>,
    /// None of these.
    pub none: BTreeSet<Tag>,
}

impl TagExpression {
    /// Whether a device with these tags is meant.
    pub fn matches(&self, tags: &BTreeSet<Tag>) -> bool {
        self.all.is_subset(tags)
            && (self.any.is_empty() || !self.any.is_disjoint(tags))
            && self.none.is_disjoint(tags)
    }
}

impl Audience {
    /// Whether a push is meant for the device's user, and not for whoever has the device when it is sent.
    pub fn is_for_users(&self) -> bool {
        matches!(self.who, Who::Users(_))
    }
}

impl AudienceRequest {
    /// Checks it, at `at` in the request.
    pub fn check(self, at: Field<'_>, errors: &mut FieldErrors) -> Option<Audience> {
        let Self { all, tags, tokens, users, environment } = self;
        let environment =
            errors.keep_optional(at.key("environment"), environment, |text| Environment::parse(&text));
        let who = match (all, tags, tokens, users) {
            (Some(true), None, None, None) => Some(Who::All),
            (Some(false), None, None, None) => {
                errors.refuse(at.key("all"), "it is true, or left out");
                None
            }
            (None, Some(tags), None, None) => tags.check(at.key("tags"), errors).map(Who::Tags),
            (None, None, Some(tokens), None) => {
                if environment == Some(None) {
                    errors.refuse(
                        at.key("environment"),
                        "it is missing; device tokens work in one environment only",
                    );
                }
                named(at.key("tokens"), &tokens, DeviceToken::from_hex, errors).map(Who::Tokens)
            }
            (None, None, None, Some(users)) => {
                named(at.key("users"), &users, UserId::parse, errors).map(Who::Users)
            }
            _ => {
                errors.refuse(at, "give one of all, tags, tokens and users");
                None
            }
        };
        Some(Audience { who: who?, environment: environment? })
    }
}

impl TagsRequest {
    fn check(self, at: Field<'_>, errors: &mut FieldErrors) -> Option<TagExpression> {
        let (all, any, none) = (
            tags(at.key("all"), &self.all, errors),
            tags(at.key("any"), &self.any, errors),
            tags(at.key("none"), &self.none, errors),
        );
        let expression = TagExpression { all: all?, any: any?, none: none? };
        if expression == TagExpression::default() {
            errors
                .refuse(at, "it asks for nothing; to mean every device, write \"all\": true instead of tags");
            return None;
        }
        Some(expression)
    }
}

fn tags(at: Field<'_>, names: &[String], errors: &mut FieldErrors) -> Option<BTreeSet<Tag>> {
    if names.len() > AUDIENCE_TAGS_MAX {
        errors.refuse(at, format_args!("there are {}, and {AUDIENCE_TAGS_MAX} are allowed", names.len()));
        return None;
    }
    let tags: Vec<_> =
        names.iter().enumerate().map(|(index, name)| errors.keep(at.at(index), Tag::parse(name))).collect();
    tags.into_iter().collect()
}

/// Each of them once, in the order in which they were named.
fn named<T: Clone + Ord, E: std::fmt::Display>(
    at: Field<'_>,
    names: &[String],
    parse: impl Fn(&str) -> Result<T, E>,
    errors: &mut FieldErrors,
) -> Option<Vec<T>> {
    if names.is_empty() || names.len() > NAMED_MAX {
        errors.refuse(at, format_args!("there are {}; give 1 to {NAMED_MAX}", names.len()));
        return None;
    }
    let parsed: Vec<_> =
        names.iter().enumerate().map(|(index, name)| errors.keep(at.at(index), parse(name))).collect();
    let parsed: Vec<T> = parsed.into_iter().collect::<Option<_>>()?;
    let mut seen = BTreeSet::new();
    Some(parsed.into_iter().filter(|name| seen.insert(name.clone())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{json, problem::Problem};

    fn check(body: &str) -> Result<Audience, Problem> {
        let request: AudienceRequest = json::read(body.as_bytes())?;
        let mut errors = FieldErrors::default();
        let audience = request.check(Field::new("audience"), &mut errors);
        errors.finish(audience)
    }

    fn set(tags: &[&str]) -> BTreeSet<Tag> {
        tags.iter().map(|tag| Tag::parse(tag).unwrap()).collect()
    }

    #[test]
    fn an_audience_is_all_or_has_tags_or_is_named() {
        assert_eq!(check(r#"{"all":true}"#).unwrap(), Audience { who: Who::All, environment: None });
        let users = check(r#"{"users":["ada","bob","ada"],"environment":"sandbox"}"#).unwrap();
        assert_eq!(users.environment, Some(Environment::Sandbox));
        assert!(users.is_for_users());
        let Who::Users(users) = users.who else { panic!() };
        assert_eq!(users.iter().map(UserId::as_str).collect::<Vec<_>>(), ["ada", "bob"], "each once");
        let tokens = check(r#"{"tokens":["AA","bb","aa"],"environment":"production"}"#).unwrap();
        let Who::Tokens(tokens) = tokens.who else { panic!() };
        assert_eq!(tokens.iter().map(DeviceToken::as_str).collect::<Vec<_>>(), ["aa", "bb"]);
    }

    #[test]
    fn tags_ask_for_all_any_and_none() {
        let Who::Tags(expression) =
            check(r#"{"tags":{"all":["eu"],"any":["news","sports"],"none":["muted"]}}"#).unwrap().who
        else {
            panic!()
        };
        for (tags, matches) in [
            (set(&["eu", "news"]), true),
            (set(&["eu", "sports", "news", "x"]), true),
            (set(&["eu"]), false),
            (set(&["news"]), false),
            (set(&["eu", "news", "muted"]), false),
        ] {
            assert_eq!(expression.matches(&tags), matches, "{tags:?}");
        }
        let none = TagExpression { none: set(&["muted"]), ..TagExpression::default() };
        assert!(none.matches(&set(&[])));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (body, field) in [
            ("{}", "audience"),
            (r#"{"all":true,"users":["a"]}"#, "audience"),
            (r#"{"all":false}"#, "audience.all"),
            (r#"{"tags":{}}"#, "audience.tags"),
            (r#"{"tags":{"any":["ok","not ok"]}}"#, "audience.tags.any[1]"),
            (r#"{"users":[]}"#, "audience.users"),
            (r#"{"users":["a","b","c",""]}"#, "audience.users[3]"),
            (r#"{"tokens":["aa"]}"#, "audience.environment"),
            (r#"{"tokens":["aa","a"],"environment":"sandbox"}"#, "audience.tokens[1]"),
            (r#"{"all":true,"environment":"dev"}"#, "audience.environment"),
            (r#"{"everyone":true}"#, ""),
        ] {
            let problem = check(body).unwrap_err();
            assert!(problem.fields()[0].field.starts_with(field), "{body}: {problem}");
        }
        let many = vec!["u"; NAMED_MAX + 1];
        let problem =
            check(&format!(r#"{{"users":{}}}"#, serde_json::to_string(&many).unwrap())).unwrap_err();
        assert_eq!(problem.message(), "audience.users: there are 10001; give 1 to 10000");
    }
}
