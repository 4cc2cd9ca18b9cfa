//! Webhooks: whom to tell of what happens.

use apns_provider_server_core::{
    audit::Action,
    ids::TenantId,
    problem::Code,
    webhook::{EventKind, SigningSecret, Subscription, WebhookRequest},
};
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    access::Caller,
    apps,
    error::{ApiError, ApiResult},
    extract::{self, DONE, Page, Path, Query, cursor, moment, next, row},
    now,
    tenants::read_settings,
};
use crate::{
    secrets::Secret,
    store::{self, NewWebhook, WebhookId},
};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, put, remove)).routes(routes!(test))
}

/// A webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
#[serde(rename_all = "kebab-case")]
struct Shown {
    /// What it is asked for by.
    id: String,
    /// What people call it.
    label: String,
    /// Where it is called.
    url: String,
    /// What it is told.
    events: Vec<EventKind>,
    /// Only what happens to this app, by its bundle ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<String>,
    /// Whether it is called.
    is_enabled: bool,
    /// Since when it is there.
    created_at: String,
}

/// A webhook that was added.
#[derive(Serialize, ToSchema)]
#[schema(as = AddedWebhook)]
struct Added {
    #[serde(flatten)]
    webhook: Shown,
    /// What its calls are signed with, told now and never again: as Standard Webhooks write it, `whsec_` and base64.
    secret: String,
}

/// A test that is on its way.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookTest)]
struct Tested {
    /// The event's ID: the header `webhook-id` of its delivery.
    id: String,
}

/// Webhooks, in the order in which they were added.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhooks)]
struct List {
    webhooks: Vec<Shown>,
    /// What to give as `after` to go on; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A webhook.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "kebab-case")]
#[into_params(parameter_in = Path)]
struct OneWebhook {
    /// Its ID.
    webhook_id: String,
}

async fn shown(api: &Api, webhook: &store::Webhook) -> ApiResult<Shown> {
    let new = &webhook.webhook;
    let app = match new.app {
        Some(app) => api.store().app_by_id(app).await?.map(|app| app.bundle_id.as_str().to_owned()),
        None => None,
    };
    Ok(Shown {
        id: webhook.id.get().to_string(),
        label: new.label.to_string(),
        url: new.url.clone(),
        events: read_settings(&new.events)?,
        app,
        is_enabled: new.is_enabled,
        created_at: moment(webhook.created_at),
    })
}

/// What is to be stored. `secret` is what is encrypted already.
async fn checked(
    api: &Api,
    caller: &Caller,
    tenant: TenantId,
    request: WebhookRequest,
    secret: Vec<u8>,
) -> ApiResult<NewWebhook> {
    let Subscription { label, url, events, app, is_enabled } = request.check(&api.parts().webhook_policy)?;
    let app = match app {
        Some(bundle_id) => Some(apps::named(api, caller, &bundle_id).await?.id),
        None => None,
    };
    let (url, events) = (url.to_string(), json!(events).to_string());
    Ok(NewWebhook { tenant, app, label, url, secret, events, is_enabled })
}

fn unknown(id: &str) -> ApiError {
    ApiError::new(Code::UnknownWebhook, format!("there is no webhook {id:?}"))
}

async fn found(api: &Api, tenant: TenantId, one: &OneWebhook) -> ApiResult<store::Webhook> {
    let id = row(&one.webhook_id).map(WebhookId::new).ok_or_else(|| unknown(&one.webhook_id))?;
    api.store().webhook(tenant, id).await?.ok_or_else(|| unknown(&one.webhook_id))
}

/// The tenant's webhooks
#[utoipa::path(get, path = "/v1/webhooks", tag = "webhooks", params(Page), responses((status = 200, body = List), ApiError))]
async fn list(State(api): State<Api>, caller: Caller, Query(page): Query<Page>) -> ApiResult<Json<List>> {
    let after = cursor(page.after.as_deref(), row)?.unwrap_or(0);
    let found = api.store().webhooks(caller.tenant()?, WebhookId::new(after), page.limit.get()).await?;
    let next = next(&found, page.limit, |webhook| webhook.id.get().to_string());
    let mut webhooks = Vec::with_capacity(found.len());
    for webhook in &found {
        webhooks.push(shown(&api, webhook).await?);
    }
    Ok(Json(List { webhooks, next }))
}

/// Add a webhook
#[utoipa::path(
    post, path = "/v1/webhooks", tag = "webhooks", request_body = WebhookRequest,
    responses((status = 201, body = Added), ApiError)
)]
async fn create(
    State(api): State<Api>,
    caller: Caller,
    extract::Json(request): extract::Json<WebhookRequest>,
) -> ApiResult<(StatusCode, Json<Added>)> {
    let tenant = caller.tenant()?;
    let secret = SigningSecret::from_random(rand::random()).to_text();
    let sealed = api.parts().vault.seal(Secret::Webhook(tenant), secret.as_bytes())?;
    let new = checked(&api, &caller, tenant, request, sealed).await?;
    let webhook = api.store().add_webhook(new, now()).await?;
    let webhook = shown(&api, &webhook).await?;
    let subject = format!("webhook {}", webhook.id);
    caller.audit(&api, Action::WebhookChanged, &subject, json!({ "url": webhook.url })).await?;
    Ok((StatusCode::CREATED, Json(Added { webhook, secret })))
}

/// One webhook
#[utoipa::path(
    get, path = "/v1/webhooks/{webhook-id}", tag = "webhooks", params(OneWebhook),
    responses((status = 200, body = Shown), ApiError)
)]
async fn get(State(api): State<Api>, caller: Caller, Path(one): Path<OneWebhook>) -> ApiResult<Json<Shown>> {
    let webhook = found(&api, caller.tenant()?, &one).await?;
    shown(&api, &webhook).await.map(Json)
}

/// Change a webhook
///
/// What its calls are signed with stays.
#[utoipa::path(
    put, path = "/v1/webhooks/{webhook-id}", tag = "webhooks", params(OneWebhook), request_body = WebhookRequest,
    responses((status = 200, body = Shown), ApiError)
)]
async fn put(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneWebhook>,
    extract::Json(request): extract::Json<WebhookRequest>,
) -> ApiResult<Json<Shown>> {
    let tenant = caller.tenant()?;
    let before = found(&api, tenant, &one).await?;
    let webhook = checked(&api, &caller, tenant, request, before.webhook.secret.clone()).await?;
    let url = webhook.url.clone();
    if !api.store().change_webhook(before.id, webhook).await? {
        return Err(unknown(&one.webhook_id));
    }
    let subject = format!("webhook {}", before.id.get());
    caller.audit(&api, Action::WebhookChanged, &subject, json!({ "url": url })).await?;
    let webhook = found(&api, tenant, &one).await?;
    shown(&api, &webhook).await.map(Json)
}

/// Remove a webhook
#[utoipa::path(
    delete, path = "/v1/webhooks/{webhook-id}", tag = "webhooks", params(OneWebhook),
    responses((status = 204), ApiError)
)]
async fn remove(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneWebhook>,
) -> ApiResult<StatusCode> {
    let tenant = caller.tenant()?;
    let webhook = found(&api, tenant, &one).await?;
    if !api.store().remove_webhook(tenant, webhook.id).await? {
        return Err(unknown(&one.webhook_id));
    }
    let subject = format!("webhook {}", webhook.id.get());
    caller.audit(&api, Action::WebhookRemoved, &subject, json!({})).await?;
    Ok(DONE)
}

/// Tell a webhook a test event
///
/// It is told like any other event, whether the webhook asked for events of this kind or not.
#[utoipa::path(
    post, path = "/v1/webhooks/{webhook-id}/test", tag = "webhooks", params(OneWebhook),
    responses((status = 202, body = Tested), ApiError)
)]
async fn test(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneWebhook>,
) -> ApiResult<(StatusCode, Json<Tested>)> {
    let webhook = found(&api, caller.tenant()?, &one).await?;
    match api.store().test_webhook(webhook.id, now()).await? {
        Some(id) => Ok((StatusCode::ACCEPTED, Json(Tested { id: id.to_string() }))),
        None => Err(ApiError::new(Code::Conflict, "the webhook is not enabled, so that it is told nothing")),
    }
}
