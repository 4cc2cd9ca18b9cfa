//! Scenarios: bad days as files, those of the library and anybody's.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Request, State},
};
use mock_apns_core::{Scenario, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Control, InTeam,
    error::{ApiError, ApiResult, ErrorCode},
    extract::{BODY_BYTES_MAX, Path, Query, from_body},
    faults,
};
use crate::scenarios::{self, ReadyScenario};

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(play_ready))
        .routes(routes!(play))
}

/// A scenario: docs/scenarios.md has its form, with examples.
#[derive(ToSchema)]
#[schema(as = Scenario, rename_all = "kebab-case")]
#[expect(dead_code, reason = "it describes what the core reads")]
struct Described {
    /// Its name, of the same letters as a fault's.
    #[schema(example = "busy")]
    name: String,
    /// What happens, and what a provider has to do.
    about: String,
    /// Where it was seen, or asked for.
    #[schema(value_type = Option<Vec<String>>)]
    sources: Vec<String>,
    /// Settings by their names, and `profile`.
    #[schema(value_type = Option<Object>, example = json!({"unregistered-delay": 60}))]
    settings: BTreeMap<String, String>,
    /// Faults, behind those that the team has.
    #[schema(value_type = Option<Vec<faults::Described>>)]
    faults: Vec<()>,
    /// Faults for everyone, behind those that there are: for all teams, and for the moments `accept` and `handshake`. They name no
    /// team. A reset of the team on which the scenario is played takes them away.
    #[schema(value_type = Option<Vec<faults::Described>>)]
    faults_for_everyone: Vec<()>,
    /// What happens: each an object with `at`, how long after the beginning, and with the event's name as its only other key:
    /// `token-gone`, `token-expired`, `device`, `uninstall`, `revoke-key`, `settings`, `fault`, `fault-ends`,
    /// `fault-for-everyone` or `fault-for-everyone-ends`.
    #[schema(value_type = Option<Vec<Object>>, example = json!([{"at": "1m", "device": {"name": "phone", "state": "offline"}}]))]
    events: Vec<()>,
}

/// A scenario in a word.
#[derive(Serialize, ToSchema)]
#[schema(as = ScenarioSummary)]
struct Summary {
    /// Its name.
    #[schema(example = "busy")]
    name: &'static str,
    /// What happens, and what a provider has to do.
    about: String,
    /// Where it was seen, or asked for.
    sources: Vec<String>,
}

impl Summary {
    fn of(ready: &ReadyScenario) -> Self {
        let Scenario { about, sources, .. } = ready.scenario();
        Self { name: ready.name(), about, sources }
    }
}

/// The library.
#[derive(Serialize, ToSchema)]
#[schema(as = Scenarios)]
struct List {
    /// All of them.
    scenarios: Vec<Summary>,
}

/// What is played.
#[derive(Serialize, ToSchema)]
#[schema(as = PlayedScenario)]
struct Played {
    /// The scenario's name.
    #[schema(example = "busy")]
    name: String,
    /// When it has begun, by the team's clock, in milliseconds since 1970.
    #[serde(rename = "began-at")]
    #[schema(value_type = u64)]
    began_at: Timestamp,
}

/// A scenario of the library.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct OneScenario {
    /// Its name.
    name: String,
}

impl OneScenario {
    fn find(&self) -> ApiResult<Scenario> {
        let found = scenarios::get(&self.name).map(ReadyScenario::scenario);
        found.ok_or_else(|| {
            ApiError::new(ErrorCode::UnknownScenario, format!("there is no scenario {:?}", self.name))
        })
    }
}

impl Control {
    fn play(&self, InTeam { team }: &InTeam, scenario: &Scenario) -> ApiResult<Json<Played>> {
        self.in_team::<_, ApiError>(*team, |team| {
            team.play(scenario)?;
            Ok(Json(Played { name: scenario.name.to_string(), began_at: team.now() }))
        })
    }
}

/// The scenarios that are ready
#[utoipa::path(get, path = "/v1/scenarios", tag = "scenarios", responses((status = 200, body = List), ApiError))]
async fn list() -> Json<List> {
    Json(List { scenarios: scenarios::all().iter().map(Summary::of).collect() })
}

/// One of them, whole
#[utoipa::path(
    get, path = "/v1/scenarios/{name}", tag = "scenarios", params(OneScenario),
    responses((status = 200, body = Described), ApiError)
)]
async fn get(Path(one): Path<OneScenario>) -> ApiResult<Json<Scenario>> {
    one.find().map(Json)
}

/// Play one of them
///
/// From now on, by the team's clock: its settings and faults are there when the answer comes, and the rest happens at its time. The
/// journal has an entry `scenario` with its name. A reset of the team ends it, and takes away the faults that it has given to everyone,
/// all other teams among them. If something in it cannot be, nothing of it is played.
#[utoipa::path(
    post, path = "/v1/scenarios/{name}/play", tag = "scenarios", params(OneScenario, InTeam),
    responses((status = 200, body = Played), ApiError)
)]
async fn play_ready(
    State(control): State<Control>,
    Path(one): Path<OneScenario>,
    Query(team): Query<InTeam>,
) -> ApiResult<Json<Played>> {
    control.play(&team, &one.find()?)
}

/// Play another
///
/// As JSON, or as TOML with `content-type: application/toml`: the same as in a file of `--scenario`.
#[utoipa::path(
    post, path = "/v1/scenarios/play", tag = "scenarios", params(InTeam),
    request_body(content((Described = "application/json"), (String = "application/toml"))),
    responses((status = 200, body = Played), ApiError)
)]
async fn play(
    State(control): State<Control>,
    Query(team): Query<InTeam>,
    request: Request,
) -> ApiResult<Json<Played>> {
    let scenario: Scenario = from_body(request, BODY_BYTES_MAX).await?;
    control.play(&team, &scenario)
}
