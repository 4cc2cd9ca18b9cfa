//! What events say: what happened to an app, as their data.

use apns_provider_core::{ApnsId, BundleId, UnixTime};
use serde_json::{Map, Value, json};

use super::{Event, EventKind, event::timestamp};
use crate::{
    device::Environment,
    outcome::{Ending, FinalOutcome, Trouble, Whose, Why},
    worker::ShardKey,
};

/// Things that one event tells of at most: a body of a hundred kilobytes or so. Of more there are several events.
pub const ITEMS_MAX: usize = 500;

/// What happened to an app.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// Nothing of it can be sent.
    AppTroubled {
        /// To this environment.
        environment: Environment,
        /// What is in the way.
        trouble: Trouble,
        /// When it is tried again.
        until: UnixTime,
    },
    /// Recipients became dead letters.
    DeadLettersAdded(Vec<RecipientNews>),
    /// Devices were removed.
    DevicesRemoved(Vec<DeviceNews>),
    /// Devices' tokens may be of the other environment.
    DevicesSuspect(Vec<DeviceNews>),
    /// Notifications are finished.
    NotificationFinished(Vec<NotificationNews>),
    /// Recipients have outcomes.
    Outcomes(Vec<RecipientNews>),
    /// Too many tokens are invalid at once.
    RemovalsSuspended {
        /// Of this environment.
        environment: Environment,
        /// Answers that spoke against their token.
        invalid: u64,
        /// Of so many answers.
        results: u64,
    },
}

/// A device that something happened to.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceNews {
    /// Its token, as hexadecimal digits.
    pub token: String,
    /// Where its token works.
    pub environment: Environment,
    /// Whose it is.
    pub user: Option<String>,
}

/// A notification that is finished.
#[derive(Clone, Debug, PartialEq)]
pub struct NotificationNews {
    /// What it is asked for by.
    pub id: String,
    /// How many recipients it had.
    pub recipients: u64,
    /// How many of them became dead letters.
    pub dead_letters: u64,
    /// How many ended how.
    pub ended: Vec<(Ending, u64)>,
}

/// A recipient that has an outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct RecipientNews {
    /// Of which shard.
    pub shard: ShardKey,
    /// Which recipient of it.
    pub position: u16,
    /// Where its token works.
    pub environment: Environment,
    /// Its token when it was planned, as hexadecimal digits.
    pub token: String,
    /// What became of it.
    pub outcome: FinalOutcome,
}

impl News {
    /// What it is called.
    pub fn kind(&self) -> EventKind {
        match self {
            Self::AppTroubled { .. } => EventKind::AppTroubled,
            Self::DeadLettersAdded(_) => EventKind::DeadLettersAdded,
            Self::DevicesRemoved(_) => EventKind::DevicesRemoved,
            Self::DevicesSuspect(_) => EventKind::DevicesSuspect,
            Self::NotificationFinished(_) => EventKind::NotificationFinished,
            Self::Outcomes(_) => EventKind::Outcomes,
            Self::RemovalsSuspended { .. } => EventKind::RemovalsSuspended,
        }
    }

    /// The events that tell it: none of nothing, and several of more than [`ITEMS_MAX`] things.
    pub fn events(&self, app: &BundleId, at: UnixTime) -> Vec<Event> {
        let (list, items): (&str, Vec<Value>) = match self {
            Self::AppTroubled { environment, trouble, until: end } => {
                let whose = match trouble.whose {
                    Whose::Credential => "credential",
                    Whose::Ours => "server",
                    Whose::Service => "apns",
                };
                let data = json!({
                    "app": app.as_str(), "environment": environment, "trouble": whose, "why": trouble.why.as_str(), "until": timestamp(*end),
                });
                return vec![Event { kind: self.kind(), at, data }];
            }
            Self::RemovalsSuspended { environment, invalid, results } => {
                let data = json!({
                    "app": app.as_str(), "environment": environment, "invalid": invalid, "results": results,
                });
                return vec![Event { kind: self.kind(), at, data }];
            }
            Self::DeadLettersAdded(all) => {
                ("dead-letters", all.iter().map(RecipientNews::to_letter).collect())
            }
            Self::DevicesRemoved(all) | Self::DevicesSuspect(all) => {
                ("devices", all.iter().map(DeviceNews::to_value).collect())
            }
            Self::NotificationFinished(all) => {
                ("notifications", all.iter().map(NotificationNews::to_value).collect())
            }
            Self::Outcomes(all) => ("outcomes", all.iter().map(RecipientNews::to_outcome).collect()),
        };
        let event = |items: &[Value]| {
            let data = json!({ "app": app.as_str(), list: items });
            Event { kind: self.kind(), at, data }
        };
        items.chunks(ITEMS_MAX).map(event).collect()
    }
}

impl DeviceNews {
    fn to_value(&self) -> Value {
        let mut value = json!({ "token": self.token, "environment": self.environment });
        put(&mut value, "user", self.user.as_deref());
        value
    }
}

impl NotificationNews {
    fn to_value(&self) -> Value {
        let ended = self.ended.iter().filter(|(_, count)| *count > 0);
        let ended: Map<String, Value> =
            ended.map(|(ending, count)| (ending.as_str().to_owned(), (*count).into())).collect();
        json!({ "id": self.id, "recipients": self.recipients, "dead-letters": self.dead_letters, "ended": ended })
    }
}

impl RecipientNews {
    /// As the API lists dead letters.
    fn to_letter(&self) -> Value {
        let ShardKey { notification, number } = self.shard;
        let mut value = json!({
            "id": format!("{notification}.{number}.{}", self.position),
            "notification": notification.to_string(),
            "environment": self.environment,
            "token": self.token,
        });
        self.put_why(&mut value);
        value
    }

    /// As the API lists outcomes.
    fn to_outcome(&self) -> Value {
        let ShardKey { notification, number } = self.shard;
        let apns_id: ApnsId = notification.apns_id(number, self.position);
        let mut value = json!({
            "notification": notification.to_string(),
            "apns-id": apns_id.to_string(),
            "environment": self.environment,
            "token": self.token,
            "ending": self.outcome.ending,
            "maybe-twice": self.outcome.maybe_twice,
        });
        self.put_why(&mut value);
        put(&mut value, "apns-unique-id", self.outcome.apns_unique_id.as_deref());
        value
    }

    fn put_why(&self, value: &mut Value) {
        let status = self.outcome.status;
        put(value, "status", (status != 0).then_some(status));
        put(value, "why", self.outcome.why.as_ref().map(Why::as_str));
    }
}

/// What there is not is left out.
fn put(value: &mut Value, key: &str, field: Option<impl Into<Value>>) {
    if let Some(field) = field {
        value[key] = field.into();
    }
}

#[cfg(test)]
mod tests {
    use apns_provider_core::Reason;

    use super::*;
    use crate::ids::NotificationId;

    const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

    fn app() -> BundleId {
        BundleId::parse("com.example.tea").unwrap()
    }

    fn recipient(position: u16) -> RecipientNews {
        let notification = NotificationId::new(NOW, [0; 10]);
        let why = Why::Apns(Reason::from_wire("BadTopic"));
        RecipientNews {
            shard: ShardKey { notification, number: 0 },
            position,
            environment: Environment::Sandbox,
            token: "00ff".into(),
            outcome: FinalOutcome { status: 400, ..FinalOutcome::unanswered(Ending::Rejected, why) },
        }
    }

    #[test]
    fn an_event_names_the_app_and_what_happened_as_the_api_does() {
        let events = News::DeadLettersAdded(vec![recipient(7)]).events(&app(), NOW);
        let expected = json!({ "app": "com.example.tea", "dead-letters": [{
            "id": "018bcfe5-6800-7000-8000-000000000000.0.7", "notification": "018bcfe5-6800-7000-8000-000000000000",
            "environment": "sandbox", "token": "00ff", "status": 400, "why": "BadTopic",
        }] });
        assert_eq!((events.len(), &events[0].data), (1, &expected));
        let ended = vec![(Ending::Accepted, 2), (Ending::Expired, 0)];
        let finished = NotificationNews { id: "n".into(), recipients: 2, dead_letters: 0, ended };
        let events = News::NotificationFinished(vec![finished]).events(&app(), NOW);
        let expected = json!([{ "id": "n", "recipients": 2, "dead-letters": 0, "ended": { "accepted": 2 } }]);
        assert_eq!(events[0].data["notifications"], expected);
        let device = DeviceNews { token: "00".into(), environment: Environment::Production, user: None };
        let events = News::DevicesRemoved(vec![device]).events(&app(), NOW);
        assert_eq!(events[0].data["devices"], json!([{ "token": "00", "environment": "production" }]));
    }

    #[test]
    fn of_many_there_are_several_events_and_of_nothing_none() {
        let many = (0..1201).map(recipient).collect();
        let events = News::Outcomes(many).events(&app(), NOW);
        let counts: Vec<_> =
            events.iter().map(|event| event.data["outcomes"].as_array().unwrap().len()).collect();
        assert_eq!(counts, [500, 500, 201]);
        assert!(events.iter().all(|event| event.to_body().len() < 200_000), "a receiver takes it");
        assert_eq!(News::DevicesSuspect(Vec::new()).events(&app(), NOW), []);
    }
}
