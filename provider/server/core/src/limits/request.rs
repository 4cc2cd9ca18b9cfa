//! The limits of an app, as its owner writes them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{QUEUED_OF_APP_MAX, Rate};
use crate::{
    device::DEVICES_PER_USER,
    problem::{Field, FieldErrors},
};

/// Most devices that one user may be allowed to have of one kind.
const DEVICES_PER_USER_MAX: u16 = 1000;
/// Most recipients that an app may be allowed to have queued.
const QUEUED_MAX: u64 = 1_000_000_000;

/// The limits of an app. What is left out is not limited, or has the server's default.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LimitsRequest {
    /// Pushes handed in for the app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pushes: Option<RateRequest>,
    /// Pushes handed in for one user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pushes_per_user: Option<RateRequest>,
    /// Pushes to one device; one beyond waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pushes_per_device: Option<RateRequest>,
    /// Background pushes to one device; one beyond waits. Apple lets through two or three an hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background_per_device: Option<RateRequest>,
    /// Recipients queued at once; left out, 5,000,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queued: Option<u64>,
    /// Devices of one user, of each kind and environment; left out, 20. The one that registered longest ago makes room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub devices_per_user: Option<u16>,
}

/// So many within so many seconds.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RateRequest {
    /// How many.
    pub count: u32,
    /// Within how many seconds.
    pub within_secs: u32,
}

/// The limits of an app.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Pushes handed in for the app.
    pub pushes: Option<Rate>,
    /// Pushes handed in for one user.
    pub pushes_per_user: Option<Rate>,
    /// Pushes to one device.
    pub pushes_per_device: Option<Rate>,
    /// Background pushes to one device.
    pub background_per_device: Option<Rate>,
    /// Recipients queued at once.
    pub queued: u64,
    /// Devices of one user, of each kind and environment.
    pub devices_per_user: u16,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pushes: None,
            pushes_per_user: None,
            pushes_per_device: None,
            background_per_device: None,
            queued: QUEUED_OF_APP_MAX,
            devices_per_user: DEVICES_PER_USER,
        }
    }
}

impl LimitsRequest {
    /// Checks them, at `at` in the request.
    pub fn check(self, at: Field<'_>, errors: &mut FieldErrors) -> Option<Limits> {
        let mut rate = |key, request: Option<RateRequest>| {
            errors.keep_optional(at.key(key), request, |RateRequest { count, within_secs }| {
                Rate::new(count, Duration::from_secs(within_secs.into()))
            })
        };
        let (pushes, pushes_per_user, pushes_per_device, background_per_device) = (
            rate("pushes", self.pushes),
            rate("pushes-per-user", self.pushes_per_user),
            rate("pushes-per-device", self.pushes_per_device),
            rate("background-per-device", self.background_per_device),
        );
        let queued = self.queued.unwrap_or(QUEUED_OF_APP_MAX);
        if !(1..=QUEUED_MAX).contains(&queued) {
            errors.refuse(at.key("queued"), format_args!("{queued} is not 1 to {QUEUED_MAX}"));
        }
        let devices_per_user = self.devices_per_user.unwrap_or(DEVICES_PER_USER);
        if !(1..=DEVICES_PER_USER_MAX).contains(&devices_per_user) {
            let why = format_args!("{devices_per_user} is not 1 to {DEVICES_PER_USER_MAX}");
            errors.refuse(at.key("devices-per-user"), why);
        }
        Some(Limits {
            pushes: pushes?,
            pushes_per_user: pushes_per_user?,
            pushes_per_device: pushes_per_device?,
            background_per_device: background_per_device?,
            queued,
            devices_per_user,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{json, problem::Problem};

    fn check(body: &str) -> Result<Limits, Problem> {
        let request: LimitsRequest = json::read(body.as_bytes())?;
        let mut errors = FieldErrors::default();
        let limits = request.check(Field::new("limits"), &mut errors);
        errors.finish(limits)
    }

    #[test]
    fn what_is_left_out_is_not_limited_or_as_usual() {
        assert_eq!(check("{}").unwrap(), Limits::default());
        let limits =
            check(r#"{"background-per-device":{"count":1,"within-secs":1200},"devices-per-user":5}"#)
                .unwrap();
        assert_eq!(limits.background_per_device, Some(Rate::new(1, Duration::from_mins(20)).unwrap()));
        assert_eq!((limits.devices_per_user, limits.queued), (5, QUEUED_OF_APP_MAX));
    }

    #[test]
    fn wrong_limits_are_named() {
        let problem = check(
            r#"{"pushes":{"count":0,"within-secs":1},"pushes-per-user":{"count":1,"within-secs":0},"queued":0,
                "devices-per-user":0}"#,
        )
        .unwrap_err();
        let fields: Vec<&str> = problem.fields().iter().map(|error| error.field.as_str()).collect();
        assert_eq!(
            fields,
            ["limits.pushes", "limits.pushes-per-user", "limits.queued", "limits.devices-per-user"]
        );
    }
}
