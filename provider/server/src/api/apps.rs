//! Apps: what is pushed to.

use apns_provider_core::BundleId;
use apns_provider_server_core::{
    audit::Action,
    ids::AppId,
    limits::{AppLimits, AppSettings},
    problem::Code,
};
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    access::Caller,
    error::{ApiError, ApiResult},
    extract::{self, Page, Path, Query, bundle_id, cursor, moment, next, row},
    now,
    tenants::{put_status, read_settings},
};
use crate::store;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get, put))
        .routes(routes!(pause))
        .routes(routes!(resume))
}

/// An app.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct App {
    /// What it is called.
    bundle_id: String,
    /// Whether nothing of it is sent until it is resumed.
    is_paused: bool,
    settings: AppSettings,
    /// Since when it is there.
    created_at: String,
}

/// Apps, in the order in which they were added.
#[derive(Serialize, ToSchema)]
#[schema(as = Apps)]
struct List {
    apps: Vec<App>,
    /// What to give as `after` to go on; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// An app.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "kebab-case")]
#[into_params(parameter_in = Path)]
pub(super) struct OneApp {
    /// Its bundle ID.
    #[param(example = "com.example.tea")]
    pub(super) bundle_id: String,
}

/// The caller's app with this bundle ID, or the answer that there is none: the same, whether another tenant has one or nobody.
pub(super) async fn find(api: &Api, caller: &Caller, text: &str) -> ApiResult<store::App> {
    named(api, caller, &bundle_id(text)?).await
}

/// As [`find`] does, by a bundle ID that was read before.
pub(super) async fn named(api: &Api, caller: &Caller, bundle_id: &BundleId) -> ApiResult<store::App> {
    let found = api.store().app(caller.tenant()?, bundle_id).await?;
    found.ok_or_else(|| unknown(bundle_id))
}

fn unknown(bundle_id: &BundleId) -> ApiError {
    ApiError::new(Code::UnknownApp, format!("there is no app {}", bundle_id.as_str()))
}

/// What an app may have.
pub(super) fn limits(app: &store::App) -> ApiResult<AppLimits> {
    read_settings::<AppSettings>(&app.settings)?.check().map_err(|error| ApiError::internal(&error))
}

impl App {
    fn of(app: &store::App) -> ApiResult<Self> {
        Ok(Self {
            bundle_id: app.bundle_id.as_str().to_owned(),
            is_paused: app.is_paused,
            settings: read_settings(&app.settings)?,
            created_at: moment(app.created_at),
        })
    }
}

/// The tenant's apps
#[utoipa::path(get, path = "/v1/apps", tag = "apps", params(Page), responses((status = 200, body = List), ApiError))]
async fn list(State(api): State<Api>, caller: Caller, Query(page): Query<Page>) -> ApiResult<Json<List>> {
    let after = cursor(page.after.as_deref(), row)?.unwrap_or(0);
    let apps = api.store().apps(caller.tenant()?, AppId::new(after), page.limit.get()).await?;
    let next = next(&apps, page.limit, |app| app.id.to_string());
    Ok(Json(List { apps: apps.iter().map(App::of).collect::<ApiResult<_>>()?, next }))
}

/// One app
#[utoipa::path(get, path = "/v1/apps/{bundle-id}", tag = "apps", params(OneApp), responses((status = 200, body = App), ApiError))]
async fn get(State(api): State<Api>, caller: Caller, Path(one): Path<OneApp>) -> ApiResult<Json<App>> {
    App::of(&find(&api, &caller, &one.bundle_id).await?).map(Json)
}

/// Add an app, or change its settings
#[utoipa::path(
    put, path = "/v1/apps/{bundle-id}", tag = "apps", params(OneApp), request_body = AppSettings,
    responses((status = 200, body = App), (status = 201, body = App, description = "It is new."), ApiError)
)]
async fn put(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneApp>,
    extract::Json(settings): extract::Json<AppSettings>,
) -> ApiResult<(StatusCode, Json<App>)> {
    let bundle_id = bundle_id(&one.bundle_id)?;
    settings.check()?;
    let settings = json!(settings);
    let put = api.store().put_app(caller.tenant()?, &bundle_id, &settings.to_string(), now()).await?;
    caller.audit(&api, Action::AppChanged, bundle_id.as_str(), settings).await?;
    Ok((put_status(put.is_new), Json(App::of(&put.now)?)))
}

async fn set_paused(api: &Api, caller: &Caller, one: &OneApp, is_paused: bool) -> ApiResult<Json<App>> {
    let app = find(api, caller, &one.bundle_id).await?;
    if !api.store().pause_app(app.id, is_paused).await? {
        return Err(unknown(&app.bundle_id));
    }
    let action = if is_paused { Action::AppPaused } else { Action::AppResumed };
    caller.audit(api, action, app.bundle_id.as_str(), json!({})).await?;
    App::of(&store::App { is_paused, ..app }).map(Json)
}

/// Send nothing of an app until it is resumed
///
/// What is with APNs already goes on. Notifications are taken as before.
#[utoipa::path(post, path = "/v1/apps/{bundle-id}/pause", tag = "apps", params(OneApp), responses((status = 200, body = App), ApiError))]
async fn pause(State(api): State<Api>, caller: Caller, Path(one): Path<OneApp>) -> ApiResult<Json<App>> {
    set_paused(&api, &caller, &one, true).await
}

/// Go on with an app
#[utoipa::path(post, path = "/v1/apps/{bundle-id}/resume", tag = "apps", params(OneApp), responses((status = 200, body = App), ApiError))]
async fn resume(State(api): State<Api>, caller: Caller, Path(one): Path<OneApp>) -> ApiResult<Json<App>> {
    set_paused(&api, &caller, &one, false).await
}
