//! What a rule is about.

use serde::{Deserialize, Serialize};

use super::{FaultError, Moment, Occasion, Ordinals, span::Span};
use crate::{Environment, Filter, FilterKey, KeyId, PushType, TeamId, Timestamp};

/// What a rule is about: everything that is stated here must hold. What is left out holds for all.
///
/// The device token, topic, push type, priority, `apns-id` and `collapse-id` of a request are compared as the key of that name of
/// a [`Filter`] does, and `filter` is one: it sees what the journal would say of the request if no rule fired, so that
/// `status:200` means requests that would be accepted.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", try_from = "Form", into = "Form")]
pub struct Matching {
    form: Form,
    /// All in `form` that is about a request's fields, as one filter.
    filter: Filter,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Form {
    /// Whose provider it is. Only for rules of the whole service.
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<TeamId>,
    /// The key of the provider token.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<KeyId>,
    /// Where the request or the connection goes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<Environment>,
    /// Which of the team's connections it is, in the order in which they have shown whose they are; for rules of the whole
    /// service, which of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<Ordinals>,
    /// Which of the requests on its connection it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<Ordinals>,
    /// How many of the team's other connections are open, at least; for rules of the whole service, of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    open_connections: Option<u64>,
    /// From when on.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<At>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<At>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    push_type: Option<PushType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    collapse_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    apns_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<String>,
}

/// A point in time: so long after the rule was added, or in milliseconds since 1970.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(
    untagged,
    expecting = "a time is a duration after the rule was added, such as \"60s\", or milliseconds since 1970"
)]
enum At {
    After(Span),
    Time(Timestamp),
}

impl At {
    fn when(self, added_at: Timestamp) -> Timestamp {
        match self {
            Self::After(Span(span)) => added_at.saturating_add(span),
            Self::Time(time) => time,
        }
    }
}

impl Matching {
    /// The team that it names.
    pub fn team(&self) -> Option<TeamId> {
        self.form.team
    }

    /// Whether it asks how many connections are open.
    pub(super) fn counts_connections(&self) -> bool {
        self.form.open_connections.is_some()
    }

    /// When its window begins, of a rule that was added at `added_at`.
    pub(super) fn begins(&self, added_at: Timestamp) -> Option<Timestamp> {
        self.form.from.map(|from| from.when(added_at))
    }

    /// Whether a rule that was added at `added_at` is about this.
    pub(super) fn holds(
        &self,
        now: Timestamp,
        added_at: Timestamp,
        of_team: bool,
        it: &Occasion<'_>,
    ) -> bool {
        let form = &self.form;
        let among = if of_team { it.among_team } else { Some(it.among_all) };
        let at_least = |min: u64| among.is_some_and(|among| among.others_open >= min);
        let is_connection = |which: Ordinals| among.is_some_and(|among| which.contain(among.ordinal));
        form.team.is_none_or(|team| it.team == Some(team))
            && form.key_id.is_none_or(|key| it.key == Some(key))
            && form.environment.is_none_or(|environment| it.environment == environment)
            && form.connection.is_none_or(is_connection)
            && form.open_connections.is_none_or(at_least)
            && form.stream.is_none_or(|which| it.stream.is_some_and(|stream| which.contain(stream)))
            && form.from.is_none_or(|from| from.when(added_at) <= now)
            && form.until.is_none_or(|until| now < until.when(added_at))
            && (self.filter.is_empty() || it.record.is_some_and(|record| self.filter.matches(record)))
    }

    /// Whether it can hold at all when it is looked at then.
    pub(super) fn check(&self, moment: Moment, of_team: bool, now: Timestamp) -> Result<(), FaultError> {
        let form = &self.form;
        let never = |what: &str| Err(FaultError::NeverMatches(what.to_owned()));
        for (is_there, name, first) in [
            (form.team.is_some(), "team", Moment::Connection),
            (form.key_id.is_some(), "key-id", Moment::Connection),
            (form.connection.is_some(), "connection", Moment::Connection),
            (form.open_connections.is_some(), "open-connections", Moment::Connection),
        ] {
            if is_there && moment < first {
                return never(&format!(
                    "nothing is known of its {name} at that moment ({})",
                    moment.as_str()
                ));
            }
        }
        if moment != Moment::Request && (form.stream.is_some() || !self.filter.is_empty()) {
            return never(&format!("there is no request at that moment ({})", moment.as_str()));
        }
        if !of_team && moment == Moment::Connection && (form.team.is_some() || form.key_id.is_some()) {
            return never(
                "whose a connection is shows with its first provider token: give the fault to the team",
            );
        }
        if of_team && form.team.is_some() {
            return never("it is a rule of one team and names a team: leave it out");
        }
        for (which, name) in [(form.connection, "connection"), (form.stream, "stream")] {
            if which.is_some_and(Ordinals::are_none) {
                return never(&format!("{name} is counted from 1, and up"));
            }
        }
        let until = form.until.map(|until| until.when(now));
        if until.is_some_and(|until| until <= now || self.begins(now).is_some_and(|from| from >= until)) {
            return never("its time window is empty, or over: until comes after from, and after now");
        }
        if moment == Moment::Clock && self.begins(now).is_none_or(|from| from < now) {
            return never(
                "at the moment clock it fires when its time window begins: say from when, not in the past",
            );
        }
        match self.filter.never_at_arrival() {
            Some(key) => never(&format!("no request that arrives has what its filter asks of {key}")),
            None => Ok(()),
        }
    }
}

impl TryFrom<Form> for Matching {
    type Error = String;

    fn try_from(form: Form) -> Result<Self, String> {
        let mut filter = match &form.filter {
            Some(text) => Filter::parse(text).map_err(|error| error.to_string())?,
            None => Filter::default(),
        };
        let push_type = form.push_type.map(|it| it.as_str().to_owned());
        let priority = form.priority.map(|it| it.to_string());
        for (key, value) in [
            (FilterKey::Token, &form.token),
            (FilterKey::Topic, &form.topic),
            (FilterKey::Type, &push_type),
            (FilterKey::Priority, &priority),
            (FilterKey::Collapse, &form.collapse_id),
            (FilterKey::Id, &form.apns_id),
        ] {
            if let Some(value) = value {
                filter.require(key, value).map_err(|problem| problem.to_string())?;
            }
        }
        Ok(Self { form, filter })
    }
}

impl From<Matching> for Form {
    fn from(matching: Matching) -> Self {
        matching.form
    }
}
