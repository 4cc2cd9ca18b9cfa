//! What is not known of APNs, or depends on its load, is a setting: one table of names, values and defaults.
//!
//! The shell makes its flags from [`SETTINGS`], and the documentation its list of differences from Apple.

mod form;
mod value;

use std::time::Duration;

use thiserror::Error;

use crate::{Named as _, Profile, Reason, delivery::Bucket, device_token::TokenLength};
use form::PROFILE;
pub(crate) use value::{
    EndedActivity, Ending, ErrorContentType, Purity, Ruling, SettingValue, TokenUpdates, UniqueIds,
};

/// Declares [`Settings`] and [`SETTINGS`], so that a setting is written down once. The first value listed is the
/// default.
macro_rules! settings {
    ($($field:ident: $type:ty = $name:literal, $values:expr, $default:literal, $meaning:literal, $source:literal;)*) => {
        /// The service's settings. All have a default, and all are set by name.
        ///
        /// ```
        /// use mock_apns_core::Settings;
        ///
        /// let mut settings = Settings::default();
        /// settings.set("background-priority-10", "BadPriority")?;
        /// assert_eq!(settings.get("background-priority-10").as_deref(), Some("BadPriority"));
        /// let error = settings.set("background-priority-10", "maybe").unwrap_err();
        /// assert!(error.to_string().contains("accept, BadPriority"));
        /// # Ok::<(), mock_apns_core::SettingError>(())
        /// ```
        #[derive(Clone, Debug, PartialEq)]
        pub struct Settings {
            /// What the others began with.
            profile: Profile,
            $(#[doc = $meaning] pub(crate) $field: $type,)*
        }

        /// Every setting, in the order in which the rules use them.
        pub const SETTINGS: &[SettingSpec] = &[$(SettingSpec {
            name: $name, meaning: $meaning, values: $values, default: $default, source: $source,
        }),*];

        impl Default for Settings {
            fn default() -> Self {
                Self {
                    profile: Profile::default(),
                    $($field: SettingValue::parse($default).expect("a default is a value: tested"),)*
                }
            }
        }

        impl Settings {
            /// Gives the setting called `name` a value.
            pub fn set(&mut self, name: &str, value: &str) -> Result<(), SettingError> {
                let spec = SettingSpec::of(name).ok_or_else(|| SettingError::UnknownName(name.to_owned()))?;
                let bad_value = || SettingError::BadValue { spec, value: value.to_owned() };
                if !spec.values.include(value) {
                    return Err(bad_value());
                }
                match name {
                    $($name => self.$field = SettingValue::parse(value).ok_or_else(bad_value)?,)*
                    _ => return Err(SettingError::UnknownName(name.to_owned())),
                }
                Ok(())
            }

            /// The value of the setting called `name`.
            pub fn get(&self, name: &str) -> Option<String> {
                match name {
                    $($name => Some(self.$field.text()),)*
                    _ => None,
                }
            }
        }
    };
}

settings! {
    future_iat: Ruling = "future-iat",
        Values::OneOf(&["ExpiredProviderToken", "InvalidProviderToken", "accept"]), "ExpiredProviderToken",
        "What is answered to a provider token issued in the future, beyond the tolerance.",
        "Not documented. \"Not within the last hour\" is documented as ExpiredProviderToken, and clients whose \
         clock was ahead report it";
    future_iat_tolerance: u32 = "future-iat-tolerance",
        Values::Number { min: 0, max: 3600, unit: "seconds" }, "60",
        "How far ahead of the service's clock a provider token may be issued.",
        "Not documented; a minute is what two machines with synchronised clocks stay well within";
    string_iat: Ruling = "string-iat",
        Values::OneOf(&["accept", "InvalidProviderToken"]), "accept",
        "What is answered to a provider token whose iat is a JSON string.",
        "Shipped clients send one, and so does the sample on Apple's page; that it is accepted is not proven";
    standard_base64: Ruling = "standard-base64",
        Values::OneOf(&["accept", "InvalidProviderToken"]), "accept",
        "What is answered to a provider token in padded or standard base64.",
        "Documented is base64url; the crates a2 and apns-h2 write padded base64 and are in use";
    environment_key_reason: Reason = "environment-key-reason",
        Values::OneOf(&["BadEnvironmentKeyInToken", "BadEnvironmentKeyIdInToken"]), "BadEnvironmentKeyInToken",
        "How the reason is spelled when a key is for the other environment.",
        "Logs of the real service show the first, Apple's page the second";
    second_team: Ruling = "second-team",
        Values::OneOf(&["InvalidProviderToken", "Forbidden", "accept"]), "InvalidProviderToken",
        "What is answered to a second team's provider token on one connection.",
        "Documented as an error, without its reason; pushy's double says InvalidProviderToken";
    provider_token_updates: TokenUpdates = "provider-token-updates",
        Values::OneOf(&["per-connection", "per-key", "off"]), "per-connection",
        "Where changes of a provider token are counted for TooManyProviderTokenUpdates.",
        "Documented for one connection; reports of several workers with one key speak for the key";
    provider_token_update_window: u32 = "provider-token-update-window",
        Values::Number { min: 1, max: 86_400, unit: "seconds" }, "1200",
        "For how long after a change of provider token the next one is refused.",
        "Documented: no more than once every 20 minutes";
    background_priority_10: Ruling = "background-priority-10",
        Values::OneOf(&["accept", "BadPriority"]), "accept",
        "What is answered to a background push that asks for priority 10.",
        "Documented as an error, without its reason; no refusal was ever shown";
    body_not_json: Ruling = "body-not-json",
        Values::OneOf(&["PayloadEmpty", "accept"]), "PayloadEmpty",
        "What is answered to a payload that is not JSON.",
        "Unknown. A refusal shows the mistake, and no other documented reason speaks of the payload";
    body_not_object: Ruling = "body-not-object",
        Values::OneOf(&["PayloadEmpty", "accept"]), "PayloadEmpty",
        "What is answered to a payload that is JSON and not a dictionary.",
        "Unknown. Documented is that a payload is a dictionary";
    error_content_type: ErrorContentType = "error-content-type",
        Values::OneOf(&["absent", "application/json"]), "absent",
        "Whether a refusal has a content-type.",
        "Documented as application/json; transcripts of the real service show none";
    apns_unique_id: UniqueIds = "apns-unique-id",
        Values::OneOf(&["sandbox", "always", "never"]), "sandbox",
        "Which answers have an apns-unique-id: accepted pushes to the sandbox, all answers, or none.",
        "Documented for the sandbox; of refusals nothing is known";
    max_concurrent_streams_before_token: u32 = "max-concurrent-streams-before-token",
        Values::Number { min: 1, max: 2_147_483_647, unit: "streams" }, "1",
        "MAX_CONCURRENT_STREAMS of a connection without certificate until its first valid provider token.",
        "Documented, and observed as 1 in a transcript of 2022";
    max_concurrent_streams: u32 = "max-concurrent-streams",
        Values::Number { min: 1, max: 2_147_483_647, unit: "streams" }, "1000",
        "MAX_CONCURRENT_STREAMS of a connection with certificate, or after its first valid provider token.",
        "Observed as 500 (2016), 1500 (2019) and 1000 (2021, 2022); documented to depend on load";
    errors_before_fewer_streams: u32 = "errors-before-fewer-streams",
        Values::Number { min: 0, max: 1_000_000, unit: "errors" }, "0",
        "After how many errors a connection gets fewer streams until a push on it is accepted; 0 lowers them never.",
        "Documented: throughput is lowered after errors, and a 410 is none. In 2016 one error lowered 500 streams to 1";
    max_concurrent_streams_after_errors: u32 = "max-concurrent-streams-after-errors",
        Values::Number { min: 1, max: 2_147_483_647, unit: "streams" }, "1",
        "MAX_CONCURRENT_STREAMS of a connection that gets fewer for its errors.",
        "Observed as 1 in 2016; later reports say only that SETTINGS lowered it";
    fewer_streams_time: u32 = "fewer-streams-time",
        Values::Number { min: 0, max: 86_400, unit: "seconds" }, "0",
        "After how long the next push, whatever its answer, restores the streams; 0: only an accepted one does.",
        "Observed: the next accepted push restored them";
    errors_before_disconnect: u32 = "errors-before-disconnect",
        Values::Number { min: 0, max: 1_000_000, unit: "errors" }, "0",
        "After how many errors a connection is ended; 0 ends none.",
        "Documented, sooner for errors such as BadDeviceToken, and a 410 is none; the number is not published";
    bad_device_token_errors: u32 = "bad-device-token-errors",
        Values::Number { min: 1, max: 1000, unit: "errors" }, "5",
        "For how many errors a BadDeviceToken counts towards the end of a connection.",
        "Documented is that it weighs more, not how much";
    error_window: u32 = "error-window",
        Values::Number { min: 1, max: 86_400, unit: "seconds" }, "60",
        "Within what time a connection's errors are counted, from the first one on.",
        "Not published";
    error_disconnect: Ending = "error-disconnect",
        Values::OneOf(&["Shutdown", "TooManyRequests", "close"]), "Shutdown",
        "How a connection is ended for its errors: by GOAWAY with this reason, or closed without one.",
        "Documented is that APNs ends connections by GOAWAY with a reason; of the documented ones Shutdown alone ends one \
         whose credentials are good";
    short_connections_before_block: u32 = "short-connections-before-block",
        Values::Number { min: 0, max: 1_000_000, unit: "connections" }, "0",
        "After how many connections of a team, closed within a minute and each less than a minute old, newcomers are turned \
         away; 0 turns none away.",
        "Documented: rapid opening and closing is taken for a denial-of-service attack; the number is not published. Many \
         connections that stay open are allowed";
    connection_block: u32 = "connection-block",
        Values::Number { min: 1, max: 86_400, unit: "seconds" }, "60",
        "For how long a team's newcomers are turned away; its connections that are open stay.",
        "Documented as \"for a while\"";
    connection_block_answer: Ending = "connection-block-answer",
        Values::OneOf(&["close", "Shutdown", "TooManyRequests"]), "close",
        "How a newcomer is turned away once it shows whose it is, by certificate or first token: closed, or by GOAWAY.",
        "Not documented; who is blocked is hardly told why";
    device_token_length: TokenLength = "device-token-length",
        Values::OneOf(&["usual", "varied"]), "usual",
        "How long device tokens are: 32 bytes, and 80 for a Live Activity; or from 32 to 100, each another length.",
        "Documented is that the length varies and must not be relied upon; 32 and 80 bytes are what was seen";
    unregistered_delay: u32 = "unregistered-delay",
        Values::Number { min: 0, max: 2_592_000, unit: "seconds" }, "0",
        "For how long a dead device token is still answered 200 after a delivery has found it dead.",
        "Apple leaves it vague on purpose; reports say minutes, hours and more than a day";
    ended_live_activity: EndedActivity = "ended-live-activity",
        Values::OneOf(&["ExpiredToken", "accept"]), "ExpiredToken",
        "What is answered for the token of a Live Activity once a delivery has found it ended.",
        "Both were reported: 410 ExpiredToken, and 200 for ever";
    device_token_burst: u32 = "device-token-burst",
        Values::Number { min: 0, max: 1_000_000, unit: "pushes" }, "0",
        "How many pushes to one device token are taken at once before TooManyRequests; 0 sets no limit.",
        "The threshold is not published; none by default, so that a load test may use one token";
    device_token_refill: u32 = "device-token-refill",
        Values::Number { min: 1, max: 86_400_000, unit: "milliseconds" }, "1000",
        "How long it takes until one more push to that token is taken.",
        "Not published";
    background_pushes_per_hour: u32 = "background-pushes-per-hour",
        Values::Number { min: 0, max: 3600, unit: "pushes" }, "0",
        "How many background pushes an app on a device takes in an hour before they wait; 0 sets no limit.",
        "Documented: do not try more than two or three an hour; no limit while an app is run from Xcode";
    unacknowledged_pushes: u32 = "unacknowledged-pushes",
        Values::Number { min: 1, max: 1000, unit: "notifications" }, "100",
        "How many notifications for one app a connected device may leave unacknowledged before the next is stored.",
        "Documented is that a device acknowledges before the next is taken from the queue, and that fast pushes may \
         overwrite each other (that would be 1); in practice a device that is online gets them all";
    pure: Purity = "pure",
        Values::OneOf(&["off", "on"]), "off",
        "Whether answers have nothing that Apple's have not: the field mock-apns-fault names a fault that has fired.",
        "Apple has no faults to name; a test that reads the field knows that its fault has really fired";
    journal_entries: u32 = "journal-entries",
        Values::Number { min: 10, max: 100_000_000, unit: "entries" }, "20000",
        "How many entries a team's journal keeps; the oldest make room. An accepted push makes two.",
        "Apple's delivery log keeps seven days";
}

impl Settings {
    /// The settings as a profile has them. What is [set](Self::set) afterwards wins over it.
    pub fn of(profile: Profile) -> Self {
        let mut settings = Self { profile, ..Self::default() };
        for (name, value) in profile.changes() {
            settings.set(name, value).expect("a profile has values of settings: tested");
        }
        settings
    }

    /// The profile that they began with.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// These with some changed, each by its name. `profile` is a name too: with it all begin anew, as that profile has them, and
    /// what stands beside it wins.
    pub fn changed<'a>(
        &self,
        changes: impl IntoIterator<Item = (&'a str, String)>,
    ) -> Result<Self, SettingError> {
        let (profiles, changes): (Vec<_>, Vec<_>) =
            changes.into_iter().partition(|(name, _)| *name == PROFILE);
        let mut settings = match profiles.last() {
            Some((_, profile)) => Self::of(Profile::parse(profile)?),
            None => self.clone(),
        };
        for (name, value) in changes {
            settings.set(name, &value)?;
        }
        Ok(settings)
    }
}

impl Settings {
    pub(crate) fn unregistered_delay(&self) -> Duration {
        Duration::from_secs(self.unregistered_delay.into())
    }

    /// The rate limit of one device token.
    pub(crate) fn flood_limit(&self) -> Bucket {
        let refill = Duration::from_millis(self.device_token_refill.into());
        Bucket { burst: self.device_token_burst, refill }
    }

    /// The background pushes that an app on a device takes.
    pub(crate) fn background_budget(&self) -> Bucket {
        let burst = self.background_pushes_per_hour;
        Bucket { burst, refill: Duration::from_hours(1) / burst.max(1) }
    }
}

/// What can be said of one setting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SettingSpec {
    /// Its name, as [`Settings::set`] takes it.
    pub name: &'static str,
    /// What it decides, in one sentence.
    pub meaning: &'static str,
    /// The values it takes.
    pub values: Values,
    /// The value it has unless it is set.
    pub default: &'static str,
    /// What is known of the matter, and why the default is what it is.
    pub source: &'static str,
}

impl SettingSpec {
    /// The setting called `name`.
    pub fn of(name: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|spec| spec.name == name)
    }
}

/// The values that a setting takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Values {
    /// One of these texts. A reason's name stands for a refusal with that reason.
    OneOf(&'static [&'static str]),
    /// A whole number, both ends included.
    Number {
        /// The least value.
        min: u32,
        /// The greatest value.
        max: u32,
        /// What is counted.
        unit: &'static str,
    },
}

impl Values {
    fn include(self, value: &str) -> bool {
        match self {
            Self::OneOf(texts) => texts.contains(&value),
            Self::Number { min, max, .. } => {
                value.parse().is_ok_and(|number: u32| (min..=max).contains(&number))
            }
        }
    }
}

impl std::fmt::Display for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OneOf(texts) => write!(f, "one of {}", texts.join(", ")),
            Self::Number { min, max, unit } => write!(f, "{min} to {max} {unit}"),
        }
    }
}

/// A setting could not be set.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum SettingError {
    /// There is no setting of this name.
    #[error("there is no setting {0:?}; the settings are {names}", names = names())]
    UnknownName(String),
    /// There is no profile of this name.
    #[error("there is no profile {0:?}; the profiles are {names}", names = profile_names())]
    UnknownProfile(String),
    /// The setting does not take this value.
    #[error("{name} cannot be {value:?}: it takes {values}", name = spec.name, values = spec.values)]
    BadValue {
        /// The setting.
        spec: &'static SettingSpec,
        /// The value that it does not take.
        value: String,
    },
}

fn profile_names() -> String {
    Profile::ALL.iter().map(|profile| profile.name()).collect::<Vec<_>>().join(", ")
}

fn names() -> String {
    SETTINGS.iter().map(|spec| spec.name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_its_default_until_it_is_set() {
        let settings = Settings::default();
        for spec in SETTINGS {
            assert!(spec.values.include(spec.default), "{}", spec.name);
            assert_eq!(settings.get(spec.name).as_deref(), Some(spec.default), "{}", spec.name);
        }
    }

    #[test]
    fn every_value_of_every_setting_can_be_set_and_read_back() {
        for spec in SETTINGS {
            let values: Vec<String> = match spec.values {
                Values::OneOf(texts) => texts.iter().map(ToString::to_string).collect(),
                Values::Number { min, max, .. } => vec![min.to_string(), max.to_string()],
            };
            for value in values {
                let mut settings = Settings::default();
                settings.set(spec.name, &value).unwrap();
                assert_eq!(settings.get(spec.name), Some(value), "{}", spec.name);
            }
        }
    }

    #[test]
    fn an_unknown_name_is_named_with_those_that_exist() {
        let error = Settings::default().set("colour", "red").unwrap_err();
        assert_eq!(error, SettingError::UnknownName("colour".to_owned()));
        let message = error.to_string();
        assert!(message.contains("\"colour\"") && message.contains("future-iat-tolerance"), "{message}");
        assert_eq!(Settings::default().get("colour"), None);
    }

    #[test]
    fn a_bad_value_changes_nothing_and_is_named_with_what_is_taken() {
        let mut settings = Settings::default();
        for (name, value, taken) in [
            ("future-iat-tolerance", "3601", "0 to 3600 seconds"),
            ("max-concurrent-streams", "0", "1 to 2147483647 streams"),
            ("provider-token-updates", "Off", "one of per-connection, per-key, off"),
            // A reason, but none that this setting may answer with.
            ("background-priority-10", "BadTopic", "one of accept, BadPriority"),
        ] {
            let message = settings.set(name, value).unwrap_err().to_string();
            assert_eq!(message, format!("{name} cannot be {value:?}: it takes {taken}"));
        }
        assert_eq!(settings, Settings::default());
    }

    #[test]
    fn every_setting_says_what_it_decides_and_what_is_known() {
        for spec in SETTINGS {
            assert!(spec.meaning.ends_with('.') && !spec.source.is_empty(), "{}", spec.name);
        }
    }
}
