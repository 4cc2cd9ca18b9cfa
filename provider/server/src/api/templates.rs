//! Templates: payloads with placeholders.

use apns_provider_server_core::{
    audit::Action,
    ids::TemplateName,
    problem::Code,
    template::{TEMPLATE_BYTES_MAX, Template, TemplateRequest},
};
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    access::Caller,
    apps::{OneApp, find},
    error::{ApiError, ApiResult},
    extract::{self, DONE, Page, Path, Query, cursor, moment, next, parameter},
    now,
    tenants::{put_status, read_settings},
};
use crate::store;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get, put, remove))
}

/// Room for white space and escapes around what a template may be.
const BODY: usize = 2 * TEMPLATE_BYTES_MAX;

/// A template.
#[derive(Serialize, ToSchema)]
#[schema(as = Template)]
#[serde(rename_all = "kebab-case")]
struct Shown {
    /// What it is called.
    name: String,
    #[serde(flatten)]
    template: TemplateRequest,
    /// When it was put.
    updated_at: String,
}

/// A template's name.
#[derive(Serialize, ToSchema)]
#[schema(as = TemplateSummary)]
#[serde(rename_all = "kebab-case")]
struct Summary {
    /// What it is called.
    name: String,
    /// When it was put.
    updated_at: String,
}

/// Templates, in the order of their names.
#[derive(Serialize, ToSchema)]
#[schema(as = Templates)]
struct List {
    templates: Vec<Summary>,
    /// What to give as `after` to go on; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A template of an app.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "kebab-case")]
#[into_params(parameter_in = Path)]
struct OneTemplate {
    /// The app's bundle ID.
    bundle_id: String,
    /// The template's name: letters, digits, `-`, `_`, `.`, `:` and `/`; at most 64.
    template: String,
}

/// The template of this name, ready to be rendered.
pub(super) async fn load(api: &Api, app: &store::App, name: &TemplateName) -> ApiResult<Option<Template>> {
    let Some(stored) = api.store().template(app.id, name).await? else { return Ok(None) };
    let request: TemplateRequest = read_settings(&stored.body)?;
    Ok(Some(request.check()?))
}

fn name_of(one: &OneTemplate) -> ApiResult<TemplateName> {
    parameter("template", TemplateName::parse(&one.template))
}

fn unknown(name: &TemplateName) -> ApiError {
    ApiError::new(Code::UnknownTemplate, format!("the app has no template {name}"))
}

/// An app's templates
#[utoipa::path(
    get, path = "/v1/apps/{bundle-id}/templates", tag = "templates", params(OneApp, Page),
    responses((status = 200, body = List), ApiError)
)]
async fn list(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneApp>,
    Query(page): Query<Page>,
) -> ApiResult<Json<List>> {
    let after = cursor(page.after.as_deref(), |text| TemplateName::parse(text).ok())?;
    let app = find(&api, &caller, &one.bundle_id).await?;
    let templates = api.store().templates(app.id, after.as_ref(), page.limit.get()).await?;
    let next = next(&templates, page.limit, |template| template.name.to_string());
    let templates = templates
        .iter()
        .map(|it| Summary { name: it.name.to_string(), updated_at: moment(it.updated_at) })
        .collect();
    Ok(Json(List { templates, next }))
}

/// One template
#[utoipa::path(
    get, path = "/v1/apps/{bundle-id}/templates/{template}", tag = "templates", params(OneTemplate),
    responses((status = 200, body = Shown), ApiError)
)]
async fn get(State(api): State<Api>, caller: Caller, Path(one): Path<OneTemplate>) -> ApiResult<Json<Shown>> {
    let name = name_of(&one)?;
    let app = find(&api, &caller, &one.bundle_id).await?;
    let stored = api.store().template(app.id, &name).await?.ok_or_else(|| unknown(&name))?;
    let template = read_settings(&stored.body)?;
    Ok(Json(Shown { name: stored.name.into(), template, updated_at: moment(stored.updated_at) }))
}

/// Add a template, or change it
///
/// What was handed in before keeps what it said.
#[utoipa::path(
    put, path = "/v1/apps/{bundle-id}/templates/{template}", tag = "templates", params(OneTemplate),
    request_body = TemplateRequest,
    responses((status = 200, body = Shown), (status = 201, body = Shown, description = "It is new."), ApiError)
)]
async fn put(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneTemplate>,
    extract::Json(request): extract::Json<TemplateRequest, BODY>,
) -> ApiResult<(StatusCode, Json<Shown>)> {
    let name = name_of(&one)?;
    let template = request.check()?.to_request();
    let app = find(&api, &caller, &one.bundle_id).await?;
    let body = json!(template).to_string();
    let at = now();
    let is_new = api.store().put_template(app.id, &name, &body, at).await?;
    let subject = format!("{} {name}", app.bundle_id.as_str());
    caller.audit(&api, Action::TemplateChanged, &subject, json!({})).await?;
    Ok((put_status(is_new), Json(Shown { name: name.into(), template, updated_at: moment(at) })))
}

/// Remove a template
#[utoipa::path(
    delete, path = "/v1/apps/{bundle-id}/templates/{template}", tag = "templates", params(OneTemplate),
    responses((status = 204), ApiError)
)]
async fn remove(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneTemplate>,
) -> ApiResult<StatusCode> {
    let name = name_of(&one)?;
    let app = find(&api, &caller, &one.bundle_id).await?;
    if !api.store().remove_template(app.id, &name).await? {
        return Err(unknown(&name));
    }
    let subject = format!("{} {name}", app.bundle_id.as_str());
    caller.audit(&api, Action::TemplateRemoved, &subject, json!({})).await?;
    Ok(DONE)
}
