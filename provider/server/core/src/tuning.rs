//! What an operator changes while the server runs.

use serde::{Deserialize, Deserializer, Serialize};

use crate::problem::{Field, FieldErrors, Problem};

/// How a process is tuned, from its start or from the moment it is told, and until it ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub struct Tuning {
    /// Connections to APNs for each app and environment at most.
    pub connections: u16,
    /// Pushes that are handed to connections and have no answer yet, over all apps.
    pub in_engine: u32,
    /// Pushes a second at most; null is as many as can be.
    pub pushes_per_second: Option<u32>,
    /// Whether notifications are taken. Without, they are answered 503; what is queued goes on.
    pub takes_notifications: bool,
    /// Webhook deliveries at once.
    pub webhook_deliveries: u16,
}

/// What to change of it: the body of `PUT /v1/tuning`. What is left out stays.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TuningRequest {
    /// Connections to APNs for each app and environment at most: 1 to 64.
    pub connections: Option<u16>,
    /// Pushes that are handed to connections and have no answer yet, over all apps: 1 to 100000.
    pub in_engine: Option<u32>,
    /// Pushes a second at most: 1 to 1000000; null is as many as can be.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u32>))]
    #[serde(deserialize_with = "told")]
    pub pushes_per_second: Option<Option<u32>>,
    /// Whether notifications are taken. Without, they are answered 503; what is queued goes on.
    pub takes_notifications: Option<bool>,
    /// Webhook deliveries at once: 1 to 1000.
    pub webhook_deliveries: Option<u16>,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            connections: 4,
            in_engine: 4_000,
            pushes_per_second: None,
            takes_notifications: true,
            webhook_deliveries: 16,
        }
    }
}

impl TuningRequest {
    /// What it makes of what there is.
    pub fn apply(self, tuning: Tuning) -> Result<Tuning, Problem> {
        let mut errors = FieldErrors::default();
        let mut within = |key, value: Option<u32>, min: u32, max: u32| {
            if let Some(value) = value.filter(|value| !(min..=max).contains(value)) {
                errors.refuse(Field::new(key), format_args!("{value} is not {min} to {max}"));
            }
        };
        within("connections", self.connections.map(Into::into), 1, CONNECTIONS_MAX.into());
        within("in-engine", self.in_engine, 1, IN_ENGINE_MAX);
        // Who wants none at all pauses the apps.
        within("pushes-per-second", self.pushes_per_second.flatten(), 1, PUSHES_PER_SECOND_MAX);
        within("webhook-deliveries", self.webhook_deliveries.map(Into::into), 1, DELIVERIES_MAX.into());
        errors.finish(Some(Tuning {
            connections: self.connections.unwrap_or(tuning.connections),
            in_engine: self.in_engine.unwrap_or(tuning.in_engine),
            pushes_per_second: self.pushes_per_second.unwrap_or(tuning.pushes_per_second),
            takes_notifications: self.takes_notifications.unwrap_or(tuning.takes_notifications),
            webhook_deliveries: self.webhook_deliveries.unwrap_or(tuning.webhook_deliveries),
        }))
    }
}

/// What is there was told, if it is null as well.
fn told<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

/// Apple asks for few that live long, and takes what one process can send on far fewer.
const CONNECTIONS_MAX: u16 = 64;
/// Each has a kilobyte or two.
pub const IN_ENGINE_MAX: u32 = 100_000;
/// More than any process sends.
const PUSHES_PER_SECOND_MAX: u32 = 1_000_000;
/// Each has a connection.
const DELIVERIES_MAX: u16 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn apply(body: &str, tuning: Tuning) -> Result<Tuning, Problem> {
        json::read::<TuningRequest>(body.as_bytes())?.apply(tuning)
    }

    #[test]
    fn what_is_left_out_stays() {
        let body = r#"{"connections":2,"pushes-per-second":500,"takes-notifications":false}"#;
        let tuned = apply(body, Tuning::default()).unwrap();
        let expected = Tuning {
            connections: 2,
            pushes_per_second: Some(500),
            takes_notifications: false,
            ..Tuning::default()
        };
        assert_eq!(tuned, expected);
        assert_eq!(apply("{}", tuned).unwrap(), tuned);
        assert_eq!(apply(r#"{"pushes-per-second":null}"#, tuned).unwrap().pushes_per_second, None);
    }

    #[test]
    fn what_could_not_work_is_named() {
        let problem = apply(
            r#"{"connections":0,"in-engine":0,"pushes-per-second":1000001,"webhook-deliveries":0}"#,
            Tuning::default(),
        )
        .unwrap_err();
        let fields: Vec<&str> = problem.fields().iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["connections", "in-engine", "pushes-per-second", "webhook-deliveries"]);
        let problem = apply(r#"{"pushes-per-second":0}"#, Tuning::default()).unwrap_err();
        assert_eq!(problem.message(), "pushes-per-second: 0 is not 1 to 1000000");
        assert!(apply(r#"{"speed":1}"#, Tuning::default()).is_err());
    }

    #[test]
    fn what_was_shown_can_be_asked_for() {
        let tuned = Tuning { pushes_per_second: Some(7), takes_notifications: false, ..Tuning::default() };
        let shown = serde_json::to_string(&tuned).unwrap();
        assert_eq!(apply(&shown, Tuning::default()).unwrap(), tuned);
        let shown = serde_json::to_string(&Tuning::default()).unwrap();
        assert_eq!(apply(&shown, tuned).unwrap(), Tuning::default());
    }
}
