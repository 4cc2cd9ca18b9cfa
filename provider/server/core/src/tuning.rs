//! What an operator changes while the server runs.

use serde::{Deserialize, Serialize};

use crate::problem::{Field, FieldErrors, Problem};

/// How the server is tuned: each process heeds it from the moment it learns of it, and a restart does not forget it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tuning {
    /// Connections to APNs of each app and environment, of each process, at most.
    pub connections: u16,
    /// Pushes in the engine of each process at once.
    pub in_engine: u32,
    /// Pushes a second of each process; `null` is as many as can be.
    pub pace: Option<u32>,
    /// Whether notifications are taken. Without, they are answered 503; what is queued goes on.
    pub takes_notifications: bool,
    /// Whether anything is sent. Without, what is handed in is queued.
    pub sends: bool,
    /// Whether devices are removed whose tokens APNs has found dead.
    pub removes_devices: bool,
    /// Webhook deliveries of each process at once.
    pub webhook_deliveries: u16,
}

/// What to change of it: the body of `PATCH /v1/tuning`. What is left out stays.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TuningRequest {
    /// Connections to APNs of each app and environment, of each process, at most: 1 to 100.
    pub connections: Option<u16>,
    /// Pushes in the engine of each process at once: 1 to 100,000.
    pub in_engine: Option<u32>,
    /// Pushes a second of each process: 1 to 1,000,000; 0 is as many as can be.
    pub pace: Option<u32>,
    /// Whether notifications are taken.
    pub takes_notifications: Option<bool>,
    /// Whether anything is sent.
    pub sends: Option<bool>,
    /// Whether devices are removed whose tokens APNs has found dead.
    pub removes_devices: Option<bool>,
    /// Webhook deliveries of each process at once: 1 to 1,000.
    pub webhook_deliveries: Option<u16>,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            connections: 4,
            in_engine: 4_000,
            pace: None,
            takes_notifications: true,
            sends: true,
            removes_devices: true,
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
        within("pace", self.pace, 0, PACE_MAX);
        within("webhook-deliveries", self.webhook_deliveries.map(Into::into), 1, DELIVERIES_MAX.into());
        let pace = match self.pace {
            None => tuning.pace,
            Some(0) => None,
            pace => pace,
        };
        errors.finish(Some(Tuning {
            connections: self.connections.unwrap_or(tuning.connections),
            in_engine: self.in_engine.unwrap_or(tuning.in_engine),
            pace,
            takes_notifications: self.takes_notifications.unwrap_or(tuning.takes_notifications),
            sends: self.sends.unwrap_or(tuning.sends),
            removes_devices: self.removes_devices.unwrap_or(tuning.removes_devices),
            webhook_deliveries: self.webhook_deliveries.unwrap_or(tuning.webhook_deliveries),
        }))
    }
}

/// APNs takes what one process can send on far fewer.
const CONNECTIONS_MAX: u16 = 100;
/// Each has a kilobyte or two.
const IN_ENGINE_MAX: u32 = 100_000;
/// More than any process sends.
const PACE_MAX: u32 = 1_000_000;
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
        let tuned = apply(r#"{"connections":2,"pace":500,"sends":false}"#, Tuning::default()).unwrap();
        assert_eq!(tuned, Tuning { connections: 2, pace: Some(500), sends: false, ..Tuning::default() });
        assert_eq!(apply("{}", tuned).unwrap(), tuned);
        assert_eq!(apply(r#"{"pace":0}"#, tuned).unwrap().pace, None);
    }

    #[test]
    fn what_could_not_work_is_named() {
        let problem = apply(
            r#"{"connections":0,"in-engine":0,"pace":1000001,"webhook-deliveries":0}"#,
            Tuning::default(),
        )
        .unwrap_err();
        let fields: Vec<&str> = problem.fields().iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["connections", "in-engine", "pace", "webhook-deliveries"]);
        assert!(apply(r#"{"speed":1}"#, Tuning::default()).is_err());
    }

    #[test]
    fn a_tuning_is_stored_as_json() {
        let stored = serde_json::to_string(&Tuning::default()).unwrap();
        assert_eq!(serde_json::from_str::<Tuning>(&stored).unwrap(), Tuning::default());
    }
}
