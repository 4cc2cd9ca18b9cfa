//! Apps: what a team may push to.

use std::collections::BTreeMap;

use axum::{Json, extract::State, http::StatusCode};
use mock_apns_core::{BundleId, PushType, PushTypes, TeamAt, TeamError};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Control, InTeam,
    error::{ApiError, ApiResult, ErrorCode},
    extract::{self, Path, Query},
    schema,
};

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get))
}

/// An app of a team.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct App {
    /// Its bundle ID, which is its topic; or the topic of an MDM server, a Wallet pass type or a website.
    #[schema(value_type = String, example = "com.example.app")]
    bundle_id: BundleId,
    /// What it was built to receive; left out, every push type. It has topics and tokens for these alone.
    #[schema(value_type = Option<Vec<schema::PushType>>)]
    #[serde(default = "all")]
    push_types: Vec<PushType>,
    /// Whether broadcast push notifications are switched on for it.
    #[serde(default)]
    broadcast: bool,
    /// Its localised strings, which `loc-key` and its like name: formats with `%@` or `%1$@` where an argument goes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    strings: BTreeMap<String, String>,
}

/// The apps of a team.
#[derive(Serialize, ToSchema)]
#[schema(as = Apps)]
struct List {
    /// In the order in which they were added.
    apps: Vec<App>,
}

/// An app.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "kebab-case")]
#[into_params(parameter_in = Path)]
struct OneApp {
    /// The app's bundle ID.
    #[param(value_type = String)]
    bundle_id: BundleId,
}

impl App {
    pub(super) fn of(app: &mock_apns_core::App) -> Self {
        Self {
            bundle_id: app.bundle_id.clone(),
            push_types: all().into_iter().filter(|it| app.push_types.contains(*it)).collect(),
            broadcast: app.broadcast,
            strings: app.strings.iter().map(|(key, format)| (key.to_owned(), format.to_owned())).collect(),
        }
    }

    fn read(&self) -> mock_apns_core::App {
        let mut app = mock_apns_core::App::new(self.bundle_id.clone());
        app.push_types = PushTypes::of(&self.push_types);
        app.broadcast = self.broadcast;
        app.strings = self.strings.clone().into_iter().collect();
        app
    }

    /// Adds the app, unless it is there.
    pub(super) fn declare(&self, team: &mut TeamAt<'_>) -> ApiResult<()> {
        let app = self.read();
        let known = team.team().apps().find(|known| known.bundle_id == app.bundle_id).cloned();
        match known {
            None => Ok(team.add_app(app)?),
            Some(known) if known == app => Ok(()),
            Some(_) => {
                let message = format!(
                    "the team {} has another app {}: an app does not change",
                    team.team().id(),
                    app.bundle_id
                );
                Err(ApiError::new(ErrorCode::Conflict, message))
            }
        }
    }
}

fn all() -> Vec<PushType> {
    PushType::ALL.to_vec()
}

/// The team's apps
#[utoipa::path(get, path = "/v1/apps", tag = "apps", params(InTeam), responses((status = 200, body = List), ApiError))]
async fn list(
    State(control): State<Control>,
    Query(InTeam { team }): Query<InTeam>,
) -> ApiResult<Json<List>> {
    control.in_team::<_, ApiError>(team, |team| {
        Ok(Json(List { apps: team.team().apps().map(App::of).collect() }))
    })
}

/// Add an app
#[utoipa::path(
    post, path = "/v1/apps", tag = "apps", params(InTeam), request_body = App,
    responses((status = 201, body = App), ApiError)
)]
async fn create(
    State(control): State<Control>,
    Query(InTeam { team }): Query<InTeam>,
    extract::Json(app): extract::Json<App>,
) -> ApiResult<(StatusCode, Json<App>)> {
    let app = app.read();
    control.in_team::<_, TeamError>(team, |team| {
        let view = App::of(&app);
        team.add_app(app)?;
        Ok((StatusCode::CREATED, Json(view)))
    })
}

/// One app
#[utoipa::path(
    get, path = "/v1/apps/{bundle-id}", tag = "apps", params(OneApp, InTeam),
    responses((status = 200, body = App), ApiError)
)]
async fn get(
    State(control): State<Control>,
    Path(OneApp { bundle_id }): Path<OneApp>,
    Query(InTeam { team }): Query<InTeam>,
) -> ApiResult<Json<App>> {
    control.in_team(team, |team| {
        let app = team.team().apps().find(|app| app.bundle_id == bundle_id);
        let unknown = || {
            let message = format!("the team {} has no app {bundle_id}", team.team().id());
            ApiError::new(ErrorCode::UnknownApp, message)
        };
        Ok::<_, ApiError>(Json(App::of(app.ok_or_else(unknown)?)))
    })
}
