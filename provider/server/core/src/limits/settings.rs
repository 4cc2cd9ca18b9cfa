//! What is set for an app and for a tenant, as its owner writes it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Rate, Rates};
use crate::{
    device::DEVICES_PER_USER,
    problem::{Field, FieldErrors, Problem},
};

/// Most devices that one user may be allowed to have of one kind: all devices of a user are read at once.
const DEVICES_PER_USER_MAX: u16 = 1000;
/// Most recipients that may be allowed to be queued: more are not waiting but lost.
const QUEUED_MAX: u64 = 1_000_000_000;

/// What is set for an app. What is left out is not limited, or has the server's usual number.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AppSettings {
    /// Devices of one user of one kind in one environment, 1 to 1000; left out, 20. The one that registered longest ago makes room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub devices_per_user: Option<u16>,
    /// Recipients without an outcome that it may have in one lane; left out, the server's usual number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_max: Option<u64>,
    /// Pushes handed in for the app; what is beyond is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pushes: Option<RateRequest>,
    /// Notifications handed in for one user; what is beyond is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pushes_per_user: Option<RateRequest>,
    /// Pushes to one device; one beyond waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pushes_per_device: Option<RateRequest>,
    /// Background pushes to one device; one beyond waits. Apple lets through two or three an hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background_per_device: Option<RateRequest>,
}

/// What is set for a tenant. What is left out is not limited, or has the server's usual number.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TenantSettings {
    /// Recipients without an outcome that its apps may have in one lane together; left out, the server's usual number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_max: Option<u64>,
    /// Requests with its keys that each process of the server answers; what is beyond is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<RateRequest>,
}

/// So many within so many seconds: at once, or spread.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RateRequest {
    /// How many: 1 to 10000000.
    pub count: u32,
    /// Within how many seconds: 1 to 2592000.
    pub within_secs: u32,
}

/// The limits of an app.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AppLimits {
    /// How often there may be pushes.
    pub rates: Rates,
    /// Recipients queued at once, if it has a bound of its own.
    pub queued: Option<u64>,
    /// Devices of one user, of each kind and environment.
    pub devices_per_user: u16,
}

/// The limits of a tenant.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TenantLimits {
    /// Requests with its keys.
    pub requests: Option<Rate>,
    /// Recipients queued at once, if it has a bound of its own.
    pub queued: Option<u64>,
}

impl Default for AppLimits {
    fn default() -> Self {
        Self { rates: Rates::default(), queued: None, devices_per_user: DEVICES_PER_USER }
    }
}

impl AppSettings {
    /// Checks them; each field that is wrong is named.
    pub fn check(&self) -> Result<AppLimits, Problem> {
        let mut errors = FieldErrors::default();
        let rates = Rates {
            pushes: rate("pushes", self.pushes, &mut errors),
            pushes_per_user: rate("pushes-per-user", self.pushes_per_user, &mut errors),
            pushes_per_device: rate("pushes-per-device", self.pushes_per_device, &mut errors),
            background_per_device: rate("background-per-device", self.background_per_device, &mut errors),
        };
        check_queue_max(self.queue_max, &mut errors);
        let devices_per_user = self.devices_per_user.unwrap_or(DEVICES_PER_USER);
        if !(1..=DEVICES_PER_USER_MAX).contains(&devices_per_user) {
            let why = format_args!("{devices_per_user} is not 1 to {DEVICES_PER_USER_MAX}");
            errors.refuse(Field::new("devices-per-user"), why);
        }
        errors.finish(Some(AppLimits { rates, queued: self.queue_max, devices_per_user }))
    }
}

impl TenantSettings {
    /// Checks them; each field that is wrong is named.
    pub fn check(&self) -> Result<TenantLimits, Problem> {
        let mut errors = FieldErrors::default();
        let requests = rate("requests", self.requests, &mut errors);
        check_queue_max(self.queue_max, &mut errors);
        errors.finish(Some(TenantLimits { requests, queued: self.queue_max }))
    }
}

fn rate(key: &'static str, request: Option<RateRequest>, errors: &mut FieldErrors) -> Option<Rate> {
    let RateRequest { count, within_secs } = request?;
    errors.keep(Field::new(key), Rate::new(count, Duration::from_secs(within_secs.into())))
}

fn check_queue_max(queue_max: Option<u64>, errors: &mut FieldErrors) {
    if let Some(max) = queue_max.filter(|max| !(1..=QUEUED_MAX).contains(max)) {
        errors.refuse(Field::new("queue-max"), format_args!("{max} is not 1 to {QUEUED_MAX}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn check(body: &str) -> Result<AppLimits, Problem> {
        json::read::<AppSettings>(body.as_bytes())?.check()
    }

    fn fields(problem: &Problem) -> Vec<&str> {
        problem.fields().iter().map(|error| error.field.as_str()).collect()
    }

    #[test]
    fn what_is_left_out_is_not_limited_or_as_usual() {
        assert_eq!(check("{}").unwrap(), AppLimits::default());
        let limits =
            check(r#"{"background-per-device":{"count":1,"within-secs":1200},"devices-per-user":5}"#)
                .unwrap();
        let rate = Rate::new(1, Duration::from_mins(20)).unwrap();
        assert_eq!(limits.rates, Rates { background_per_device: Some(rate), ..Rates::default() });
        assert_eq!((limits.devices_per_user, limits.queued), (5, None));
    }

    #[test]
    fn c76_wrong_limits_are_named() {
        let problem = check(
            r#"{"pushes":{"count":0,"within-secs":1},"pushes-per-user":{"count":1,"within-secs":0},"queue-max":0,
                "devices-per-user":0}"#,
        )
        .unwrap_err();
        assert_eq!(fields(&problem), ["pushes", "pushes-per-user", "queue-max", "devices-per-user"]);
        let tenant = TenantSettings {
            requests: Some(RateRequest { count: 1, within_secs: u32::MAX }),
            queue_max: Some(QUEUED_MAX + 1),
        };
        assert_eq!(fields(&tenant.check().unwrap_err()), ["requests", "queue-max"]);
        assert!(check(r#"{"pushes":{"count":1}}"#).is_err());
    }
}
