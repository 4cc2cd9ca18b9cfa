//! API keys: of tenants, and of the operator.

use apns_provider_server_core::{
    api_key::{ApiKeyText, KeyRequest, NewKey, Role, Roles},
    audit::Action,
    ids::TenantId,
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
    extract::{self, DONE, Page, Path, Query, cursor, moment, next, row},
    now,
};
use crate::store::{self, ApiKeyId, NewApiKey};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(revoke))
        .routes(routes!(list_of_operator, create_for_operator))
        .routes(routes!(revoke_of_operator))
}

/// An API key. The key itself is told once, when it is made.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct Key {
    /// What it is revoked by.
    id: String,
    /// What people call it.
    label: String,
    /// What it is for.
    roles: Vec<Role>,
    /// Since when it is there.
    created_at: String,
    /// Since when it is not valid any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<String>,
}

/// A key that was made.
#[derive(Serialize, ToSchema)]
struct NewlyMade {
    #[serde(flatten)]
    about: Key,
    /// The key itself, told now and never again: for the header `authorization: Bearer`.
    key: String,
}

/// API keys, in the order in which they were made.
#[derive(Serialize, ToSchema)]
#[schema(as = Keys)]
struct List {
    keys: Vec<Key>,
    /// What to give as `after` to go on; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// An API key.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "kebab-case")]
#[into_params(parameter_in = Path)]
struct OneKey {
    /// Its ID.
    key_id: String,
}

impl Key {
    fn of(key: &store::ApiKey) -> Self {
        Self {
            id: key.id.get().to_string(),
            label: key.label.to_string(),
            roles: Roles::parse(&key.roles).iter().flat_map(Roles::iter).collect(),
            created_at: moment(key.created_at),
            revoked_at: key.revoked_at.map(moment),
        }
    }
}

async fn list_keys(api: &Api, tenant: Option<TenantId>, page: &Page) -> ApiResult<Json<List>> {
    let after = cursor(page.after.as_deref(), row)?.unwrap_or(0);
    let keys = api.store().api_keys(tenant, ApiKeyId::new(after), page.limit.get()).await?;
    let next = next(&keys, page.limit, |key| key.id.get().to_string());
    Ok(Json(List { keys: keys.iter().map(Key::of).collect(), next }))
}

async fn make(
    api: &Api,
    caller: &Caller,
    tenant: Option<TenantId>,
    new: KeyRequest,
) -> ApiResult<(StatusCode, Json<NewlyMade>)> {
    let NewKey { label, roles } = new.check(tenant.is_none())?;
    let key = ApiKeyText::from_random(rand::random());
    let stored = NewApiKey { tenant, label, roles: roles.to_string(), hash: key.hash() };
    let stored = api.store().add_api_key(stored, now()).await?;
    let about = Key::of(&stored);
    let detail = json!({ "label": about.label, "roles": about.roles });
    caller.audit(api, Action::KeyMade, &format!("key {}", about.id), detail).await?;
    Ok((StatusCode::CREATED, Json(NewlyMade { about, key: key.as_str().to_owned() })))
}

async fn revoke_key(
    api: &Api,
    caller: &Caller,
    tenant: Option<TenantId>,
    one: &OneKey,
) -> ApiResult<StatusCode> {
    let unknown = || ApiError::new(Code::UnknownKey, format!("there is no key {:?}", one.key_id));
    let id = row(&one.key_id).map(ApiKeyId::new).ok_or_else(unknown)?;
    if id == caller.key().id && tenant == caller.key().tenant {
        // So the last one cannot go by mistake, and nobody is locked out.
        let message = "a key does not revoke itself: ask with another one";
        return Err(ApiError::new(Code::Conflict, message));
    }
    if !api.store().revoke_api_key(tenant, id, now()).await? {
        return Err(unknown());
    }
    caller.audit(api, Action::KeyRevoked, &format!("key {}", id.get()), json!({})).await?;
    Ok(DONE)
}

/// The tenant's keys
#[utoipa::path(get, path = "/v1/keys", tag = "keys", params(Page), responses((status = 200, body = List), ApiError))]
async fn list(State(api): State<Api>, caller: Caller, Query(page): Query<Page>) -> ApiResult<Json<List>> {
    list_keys(&api, Some(caller.tenant()?), &page).await
}

/// Make a key of the tenant
#[utoipa::path(
    post, path = "/v1/keys", tag = "keys", request_body = KeyRequest,
    responses((status = 201, body = NewlyMade), ApiError)
)]
async fn create(
    State(api): State<Api>,
    caller: Caller,
    extract::Json(new): extract::Json<KeyRequest>,
) -> ApiResult<(StatusCode, Json<NewlyMade>)> {
    make(&api, &caller, Some(caller.tenant()?), new).await
}

/// Revoke a key of the tenant
///
/// From the next request on it is not valid. Revoked keys stay listed.
#[utoipa::path(delete, path = "/v1/keys/{key-id}", tag = "keys", params(OneKey), responses((status = 204), ApiError))]
async fn revoke(State(api): State<Api>, caller: Caller, Path(one): Path<OneKey>) -> ApiResult<StatusCode> {
    revoke_key(&api, &caller, Some(caller.tenant()?), &one).await
}

/// The operator's keys
#[utoipa::path(get, path = "/v1/operator/keys", tag = "keys", params(Page), responses((status = 200, body = List), ApiError))]
async fn list_of_operator(State(api): State<Api>, Query(page): Query<Page>) -> ApiResult<Json<List>> {
    list_keys(&api, None, &page).await
}

/// Make a key of the operator
#[utoipa::path(
    post, path = "/v1/operator/keys", tag = "keys", request_body = KeyRequest,
    responses((status = 201, body = NewlyMade), ApiError)
)]
async fn create_for_operator(
    State(api): State<Api>,
    caller: Caller,
    extract::Json(new): extract::Json<KeyRequest>,
) -> ApiResult<(StatusCode, Json<NewlyMade>)> {
    make(&api, &caller, None, new).await
}

/// Revoke a key of the operator
#[utoipa::path(
    delete, path = "/v1/operator/keys/{key-id}", tag = "keys", params(OneKey),
    responses((status = 204), ApiError)
)]
async fn revoke_of_operator(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneKey>,
) -> ApiResult<StatusCode> {
    revoke_key(&api, &caller, None, &one).await
}
