//! What an app, through its own server, says of a device.

use std::collections::BTreeSet;

use apns_provider_core::DeviceToken;
use serde::{Deserialize, Serialize};

use super::{Environment, Kind};
use crate::{
    ids::{AppVersion, Locale, Tag, UserId},
    problem::{Field, FieldErrors, Problem},
    schedule::TimeZoneName,
};

/// Tags of one device: far more than an app has topics to subscribe to, few enough to be read with each device.
pub const TAGS_MAX: usize = 100;

/// A device to register, or to register again: the body of `PUT …/devices/{token}`. It says all there is to say: what is left out is
/// not known any more, so that signing out is registering without a user.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RegistrationRequest {
    /// Which service issued the token: production or sandbox.
    #[cfg_attr(feature = "openapi", schema(value_type = Environment))]
    pub environment: String,
    /// What the token was issued for; left out, alert.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Kind>))]
    pub kind: Option<String>,
    /// Who uses the device, by your own name for them: up to 128 bytes.
    #[serde(default)]
    pub user: Option<String>,
    /// In which language it wants to be spoken to, such as `de-CH`.
    #[serde(default)]
    pub locale: Option<String>,
    /// Where its clock is, such as `Europe/Zurich`.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// What else it can be addressed by: up to 100 tags of up to 64 characters.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Which version of the app it has.
    #[serde(default)]
    pub app_version: Option<String>,
    /// The token that the app had before this one: what is known under it becomes this one's, and it is not pushed to any more.
    #[serde(default)]
    pub previous_token: Option<String>,
}

/// Devices that register at once: the body of `POST …/devices/batch`. All are taken, or none is.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RegistrationsRequest {
    /// Up to 1,000, as if one registered after the other.
    pub devices: Vec<NewRegistration>,
}

/// One of several devices that register at once.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewRegistration {
    /// Its device token, in hexadecimal.
    pub token: String,
    /// What there is to say of it.
    pub registration: RegistrationRequest,
}

/// Devices that register at once: as many as one transaction of the store likes to take.
pub const REGISTRATIONS_MAX: usize = 1000;

/// A registration that cannot be wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Registration {
    /// The device's address.
    pub token: DeviceToken,
    /// Where the token works.
    pub environment: Environment,
    /// What it was issued for.
    pub kind: Kind,
    /// Who uses it.
    pub user: Option<UserId>,
    /// In which language it wants to be spoken to.
    pub locale: Option<Locale>,
    /// Where its clock is.
    pub time_zone: Option<TimeZoneName>,
    /// What else it can be addressed by.
    pub tags: BTreeSet<Tag>,
    /// Which version of the app it has.
    pub app_version: Option<AppVersion>,
    /// Its address before, if it was another one.
    pub previous_token: Option<DeviceToken>,
}

impl RegistrationRequest {
    /// Checks everything; `token` is the path's.
    pub fn check(self, token: &str) -> Result<Registration, Problem> {
        let token = DeviceToken::from_hex(token).map_err(|why| Problem::of_parameter("token", why))?;
        let mut errors = FieldErrors::default();
        let checked = self.check_fields(Field::ROOT, Some(token), &mut errors);
        errors.finish(checked)
    }

    fn check_fields(
        self,
        at: Field<'_>,
        token: Option<DeviceToken>,
        errors: &mut FieldErrors,
    ) -> Option<Registration> {
        let environment = errors.keep(at.key("environment"), Environment::parse(&self.environment));
        let kind = errors.keep_optional(at.key("kind"), self.kind, |text| Kind::parse(&text));
        let user = errors.keep_optional(at.key("user"), self.user, UserId::try_from);
        let locale = errors.keep_optional(at.key("locale"), self.locale, |text| Locale::parse(&text));
        let time_zone =
            errors.keep_optional(at.key("time-zone"), self.time_zone, |text| TimeZoneName::parse(&text));
        let app_version = errors.keep_optional(at.key("app-version"), self.app_version, AppVersion::try_from);
        let previous_token = errors.keep_optional(at.key("previous-token"), self.previous_token, |text| {
            DeviceToken::from_hex(&text)
        });
        let tags = check_tags(at.key("tags"), self.tags, errors);
        let token = token?;
        Some(Registration {
            environment: environment?,
            kind: kind?.unwrap_or_default(),
            user: user?,
            locale: locale?,
            time_zone: time_zone?,
            tags: tags?,
            app_version: app_version?,
            // Apps hand in the same token twice when it has not changed.
            previous_token: previous_token?.filter(|previous| *previous != token),
            token,
        })
    }
}

impl RegistrationsRequest {
    /// Checks everything; each wrong field is told with where it stands.
    pub fn check(self) -> Result<Vec<Registration>, Problem> {
        let (mut errors, at) = (FieldErrors::default(), Field::new("devices"));
        let count = self.devices.len();
        if count == 0 || count > REGISTRATIONS_MAX {
            errors.refuse(at, format_args!("there are {count}; give 1 to {REGISTRATIONS_MAX}"));
            return errors.finish(None);
        }
        let mut registrations = Vec::with_capacity(count);
        for (index, NewRegistration { token, registration }) in self.devices.into_iter().enumerate() {
            let at = at.at(index);
            let token = errors.keep(at.key("token"), DeviceToken::from_hex(&token));
            registrations.push(registration.check_fields(at.key("registration"), token, &mut errors));
        }
        errors.finish(registrations.into_iter().collect())
    }
}

fn check_tags(field: Field<'_>, tags: Vec<String>, errors: &mut FieldErrors) -> Option<BTreeSet<Tag>> {
    if tags.len() > TAGS_MAX {
        errors.refuse(field, format_args!("there are {}, and {TAGS_MAX} are allowed", tags.len()));
        return None;
    }
    let parsed: Vec<_> =
        tags.into_iter().enumerate().map(|(at, tag)| errors.keep(field.at(at), Tag::try_from(tag))).collect();
    parsed.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{json, problem::Code};

    const TOKEN: &str = "00fc13adff785122b4ad28809a342098";

    fn check(body: &str) -> Result<Registration, Problem> {
        json::read::<RegistrationRequest>(body.as_bytes())?.check(TOKEN)
    }

    #[test]
    fn a_registration_says_all_there_is_to_say() {
        let registration = check(
            r#"{"environment":"sandbox","kind":"voip","user":"u1","locale":"de_CH","time-zone":"Europe/Zurich",
                "tags":["news","news","beta"],"app-version":"3.1 (7)","previous-token":"AAbb"}"#,
        )
        .unwrap();
        assert_eq!(registration.environment, Environment::Sandbox);
        assert_eq!(registration.kind, Kind::Voip);
        assert_eq!(registration.locale.unwrap().as_str(), "de-CH");
        assert_eq!(registration.tags.iter().map(Tag::as_str).collect::<Vec<_>>(), ["beta", "news"]);
        assert_eq!(registration.previous_token.unwrap().as_str(), "aabb");
    }

    #[test]
    fn only_the_environment_has_to_be_said() {
        let registration = check(r#"{"environment":"production"}"#).unwrap();
        assert_eq!(registration.kind, Kind::Alert);
        assert_eq!((registration.user, registration.previous_token), (None, None));
        let refused = check("{}").unwrap_err();
        assert!(refused.message().contains("missing field `environment`"), "{refused}");
    }

    #[test]
    fn all_wrong_fields_are_told_at_once() {
        let refused = check(
            r#"{"environment":"dev","kind":"alarm","user":"","locale":"-","time-zone":"x","tags":["ok","not ok"],
                "app-version":"","previous-token":"xyz"}"#,
        )
        .unwrap_err();
        let fields: Vec<&str> = refused.fields().iter().map(|error| error.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "environment",
                "kind",
                "user",
                "locale",
                "time-zone",
                "app-version",
                "previous-token",
                "tags[1]"
            ]
        );
    }

    #[test]
    fn a_wrong_token_is_a_wrong_parameter_and_is_not_repeated() {
        let request = json::read::<RegistrationRequest>(br#"{"environment":"sandbox"}"#).unwrap();
        let refused = request.check("00fc13zz").unwrap_err();
        assert_eq!((refused.code(), refused.fields()[0].field.as_str()), (Code::BadParameter, "token"));
        assert!(!refused.message().contains("00fc13"), "{refused}");
    }

    #[test]
    fn a_token_that_has_not_changed_has_none_before_it() {
        let body = format!(r#"{{"environment":"sandbox","previous-token":"{}"}}"#, TOKEN.to_uppercase());
        assert_eq!(check(&body).unwrap().previous_token, None);
    }

    #[test]
    fn of_several_each_wrong_field_is_told_with_where_it_stands() {
        let check = |body: &str| json::read::<RegistrationsRequest>(body.as_bytes()).unwrap().check();
        let one = format!(r#"{{"token":"{TOKEN}","registration":{{"environment":"sandbox","tags":["a"]}}}}"#);
        let registrations = check(&format!(r#"{{"devices":[{one}]}}"#)).unwrap();
        assert_eq!((registrations.len(), registrations[0].token.as_str()), (1, TOKEN));
        let wrong = r#"{"token":"xyz","registration":{"environment":"dev","tags":["not ok"]}}"#;
        let refused = check(&format!(r#"{{"devices":[{one},{wrong}]}}"#)).unwrap_err();
        let fields: Vec<&str> = refused.fields().iter().map(|error| error.field.as_str()).collect();
        assert_eq!(
            fields,
            ["devices[1].token", "devices[1].registration.environment", "devices[1].registration.tags[0]"]
        );
        assert!(!refused.to_string().contains("xyz"), "{refused}");
        let many = vec![one.as_str(); REGISTRATIONS_MAX + 1].join(",");
        for (devices, count) in [("", 0), (&many, 1001)] {
            let message = check(&format!(r#"{{"devices":[{devices}]}}"#)).unwrap_err().message().to_owned();
            assert_eq!(message, format!("devices: there are {count}; give 1 to 1000"));
        }
    }

    #[test]
    fn tags_have_a_limit() {
        let tags = vec!["t"; TAGS_MAX + 1];
        let body = format!(r#"{{"environment":"sandbox","tags":{}}}"#, serde_json::to_string(&tags).unwrap());
        assert_eq!(check(&body).unwrap_err().message(), "tags: there are 101, and 100 are allowed");
    }
}
