//! Teams: the unit of isolation.

use axum::{Json, extract::State, http::StatusCode};
use mock_apns_core::{BundleId, Team, TeamId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Control,
    apps::App,
    error::{ApiError, ApiResult, ErrorCode},
    extract::{self, DONE, Path},
    keys::Key,
};

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, remove))
}

/// A team to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewTeam)]
struct New {
    /// Its ID, ten letters or digits; left out, the next free one.
    #[schema(value_type = Option<String>, example = "TEAM000042")]
    id: Option<TeamId>,
    /// The bundle IDs of its apps, each good for every push type; left out, `com.example.app` alone.
    #[schema(value_type = Option<Vec<String>>, example = json!(["com.example.app"]))]
    apps: Option<Vec<BundleId>>,
}

/// A team, with what a provider needs to push for it.
#[derive(Serialize, ToSchema)]
#[schema(as = Team)]
struct View {
    /// Its ID: the `iss` of its provider tokens, and the parameter `team` of this API.
    #[schema(value_type = String, example = "TEAM000001")]
    id: TeamId,
    /// Its apps.
    apps: Vec<App>,
    /// Its keys; a new team has one, good for all its topics in both environments.
    keys: Vec<Key>,
}

/// All teams.
#[derive(Serialize, ToSchema)]
#[schema(as = Teams)]
struct List {
    /// Their IDs, in the order in which they were added.
    #[schema(value_type = Vec<String>)]
    teams: Vec<TeamId>,
}

/// A team.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct OneTeam {
    /// The team's ID.
    #[param(value_type = String)]
    id: TeamId,
}

impl View {
    fn of(team: &Team, control: &Control) -> Self {
        let id = team.id();
        Self {
            id,
            apps: team.apps().map(App::of).collect(),
            keys: team.keys().map(|key| Key::of(key, id, control.credentials())).collect(),
        }
    }
}

/// All teams
#[utoipa::path(get, path = "/v1/teams", tag = "teams", responses((status = 200, body = List), ApiError))]
async fn list(State(control): State<Control>) -> Json<List> {
    Json(List { teams: control.shared().batch().service().team_ids().collect() })
}

/// Make a team
///
/// It has a key, and shares nothing with any other team: devices, tokens, notifications, settings, clock. It takes well under
/// a millisecond, so that each test can have one.
#[utoipa::path(post, path = "/v1/teams", tag = "teams", request_body = New, responses((status = 201, body = View), ApiError))]
async fn create(
    State(control): State<Control>,
    extract::Json(New { id, apps }): extract::Json<New>,
) -> ApiResult<(StatusCode, Json<View>)> {
    let apps = match apps {
        Some(apps) => apps,
        None => vec![BundleId::parse(crate::ready_made::BUNDLE_ID)?],
    };
    let (id, _) = control.credentials().create_team(control.shared(), id, &apps)?;
    Ok((StatusCode::CREATED, Json(view(&control, id)?)))
}

/// One team
#[utoipa::path(
    get, path = "/v1/teams/{id}", tag = "teams", params(OneTeam), responses((status = 200, body = View), ApiError)
)]
async fn get(State(control): State<Control>, Path(OneTeam { id }): Path<OneTeam>) -> ApiResult<Json<View>> {
    view(&control, id).map(Json)
}

/// Remove a team and all that it has
///
/// Its provider tokens are answered `InvalidProviderToken` from now on; its devices are sent away. The ready-made team stays.
#[utoipa::path(
    delete, path = "/v1/teams/{id}", tag = "teams", params(OneTeam),
    responses((status = 204, description = "It is gone."), ApiError)
)]
async fn remove(
    State(control): State<Control>,
    Path(OneTeam { id }): Path<OneTeam>,
) -> ApiResult<StatusCode> {
    if id == control.about().team {
        let message = format!("{id} is the ready-made team, which stays; reset it instead");
        return Err(ApiError::new(ErrorCode::Conflict, message));
    }
    if !control.shared().batch().service().remove_team(id) {
        return Err(ApiError::unknown_team(id));
    }
    control.credentials().forget(id);
    Ok(DONE)
}

fn view(control: &Control, id: TeamId) -> ApiResult<View> {
    control.in_team(Some(id), |team| Ok::<_, ApiError>(View::of(team.team(), control)))
}
