//! What nobody knows of Apple's servers: each a setting of the team.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use mock_apns_core::{Named as _, SETTINGS, SettingError, Settings};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Control, InTeam,
    error::{ApiError, ApiResult},
    extract::{self, Query},
};

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(list, change))
}

/// A setting of a team.
#[derive(Serialize, ToSchema)]
struct Setting {
    /// Its name: that of the command line's option without the dashes.
    #[schema(example = "future-iat")]
    name: &'static str,
    /// What it is set to.
    #[schema(example = "ExpiredProviderToken")]
    value: String,
    /// What it is set to unless it is changed: as the profile has it.
    default: String,
    /// What it decides.
    meaning: &'static str,
    /// What it takes.
    values: String,
    /// What is known of the matter, and why the default is what it is.
    source: &'static str,
}

/// The settings of a team, in the order of the README's table.
#[derive(Serialize, ToSchema)]
#[schema(as = Settings)]
struct List {
    /// The profile that they began with.
    #[schema(example = "fast")]
    profile: &'static str,
    /// All of them.
    settings: Vec<Setting>,
}

/// New values by the settings' names. Numbers may be written as numbers. `profile` is a name too: with it all settings begin
/// anew, as that profile has them, and what stands beside it wins.
#[derive(Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(as = ChangeSettings, example = json!({"future-iat": "accept", "unregistered-delay": 60}))]
struct Change(BTreeMap<String, Value>);

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = SettingValue)]
pub(super) enum Value {
    Text(String),
    Number(u32),
}

impl Value {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
        }
    }
}

impl List {
    fn of(settings: &Settings) -> Self {
        let profile = settings.profile();
        let defaults = Settings::of(profile);
        let settings = SETTINGS.iter().map(|spec| Setting {
            name: spec.name,
            value: settings.get(spec.name).unwrap_or_default(),
            default: defaults.get(spec.name).unwrap_or_default(),
            meaning: spec.meaning,
            values: spec.values.to_string(),
            source: spec.source,
        });
        Self { profile: profile.name(), settings: settings.collect() }
    }
}

/// The team's settings
#[utoipa::path(get, path = "/v1/settings", tag = "settings", params(InTeam), responses((status = 200, body = List), ApiError))]
async fn list(
    State(control): State<Control>,
    Query(InTeam { team }): Query<InTeam>,
) -> ApiResult<Json<List>> {
    control.in_team::<_, ApiError>(team, |team| Ok(Json(List::of(team.team().settings()))))
}

/// Change some of the team's settings
///
/// They count from the next push on. If one is wrong, none is changed. `{"profile": "realistic"}` begins all of them anew.
#[utoipa::path(
    patch, path = "/v1/settings", tag = "settings", params(InTeam), request_body = Change,
    responses((status = 200, body = List), ApiError)
)]
async fn change(
    State(control): State<Control>,
    Query(InTeam { team }): Query<InTeam>,
    extract::Json(Change(changes)): extract::Json<Change>,
) -> ApiResult<Json<List>> {
    control.in_team::<_, SettingError>(team, |team| {
        let settings = changed(team.team().settings(), &changes)?;
        team.set_settings(settings);
        Ok(Json(List::of(team.team().settings())))
    })
}

/// Settings with some of them changed, or all by a profile.
pub(super) fn changed(
    settings: &Settings,
    changes: &BTreeMap<String, Value>,
) -> Result<Settings, SettingError> {
    settings.changed(changes.iter().map(|(name, value)| (name.as_str(), value.text())))
}

/// What brings other settings to these, by name: the profile, and what differs from it.
pub(super) fn declared(settings: &Settings) -> BTreeMap<String, Value> {
    let profile = settings.profile();
    let defaults = Settings::of(profile);
    let differing = SETTINGS.iter().filter_map(|spec| {
        let value = settings.get(spec.name)?;
        (defaults.get(spec.name)? != value).then(|| (spec.name.to_owned(), Value::Text(value)))
    });
    let profile = (PROFILE.to_owned(), Value::Text(profile.name().to_owned()));
    std::iter::once(profile).chain(differing).collect()
}

/// The name of the profile among the settings.
const PROFILE: &str = "profile";
