//! Tenants: for the operator.

use apns_provider_server_core::{
    audit::Action,
    ids::{TenantId, TenantName},
    limits::{TenantLimits, TenantSettings},
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
    extract::{self, Page, Path, Query, cursor, moment, next, parameter, row},
    now,
};
use crate::store::{self, StoreError};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get, put))
}

/// A tenant.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct Tenant {
    /// What it is called.
    name: String,
    settings: TenantSettings,
    /// Since when it is there.
    created_at: String,
}

/// Tenants, in the order in which they were added.
#[derive(Serialize, ToSchema)]
#[schema(as = Tenants)]
struct List {
    tenants: Vec<Tenant>,
    /// What to give as `after` to go on; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A tenant.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct OneTenant {
    /// Its name: `a` to `z`, `0` to `9`, and `-` within; at most 64.
    tenant: String,
}

/// What a tenant may have, by what the store keeps of its settings.
pub(super) fn limits(settings: &str) -> ApiResult<TenantLimits> {
    read_settings::<TenantSettings>(settings)?.check().map_err(|error| ApiError::internal(&error))
}

/// What was written as JSON, read again.
pub(super) fn read_settings<T: serde::de::DeserializeOwned>(text: &str) -> ApiResult<T> {
    serde_json::from_str(text)
        .map_err(|error| ApiError::internal(&StoreError::Damaged(format!("settings: {error}"))))
}

impl Tenant {
    fn of(tenant: &store::Tenant) -> ApiResult<Self> {
        Ok(Self {
            name: tenant.name.to_string(),
            settings: read_settings(&tenant.settings)?,
            created_at: moment(tenant.created_at),
        })
    }
}

/// All tenants
#[utoipa::path(get, path = "/v1/tenants", tag = "tenants", params(Page), responses((status = 200, body = List), ApiError))]
async fn list(State(api): State<Api>, Query(page): Query<Page>) -> ApiResult<Json<List>> {
    let after = cursor(page.after.as_deref(), row)?.unwrap_or(0);
    let tenants = api.store().tenants(TenantId::new(after), page.limit.get()).await?;
    let next = next(&tenants, page.limit, |tenant| tenant.id.to_string());
    Ok(Json(List { tenants: tenants.iter().map(Tenant::of).collect::<ApiResult<_>>()?, next }))
}

/// One tenant
#[utoipa::path(get, path = "/v1/tenants/{tenant}", tag = "tenants", params(OneTenant), responses((status = 200, body = Tenant), ApiError))]
async fn get(State(api): State<Api>, Path(one): Path<OneTenant>) -> ApiResult<Json<Tenant>> {
    let name = parameter("tenant", TenantName::parse(&one.tenant))?;
    let found = api.store().tenant(&name).await?;
    let found =
        found.ok_or_else(|| ApiError::new(Code::UnknownTenant, format!("there is no tenant {name}")))?;
    Tenant::of(&found).map(Json)
}

/// Add a tenant, or change its settings
#[utoipa::path(
    put, path = "/v1/tenants/{tenant}", tag = "tenants", params(OneTenant), request_body = TenantSettings,
    responses((status = 200, body = Tenant), (status = 201, body = Tenant, description = "It is new."), ApiError)
)]
async fn put(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneTenant>,
    extract::Json(settings): extract::Json<TenantSettings>,
) -> ApiResult<(StatusCode, Json<Tenant>)> {
    let name = parameter("tenant", TenantName::parse(&one.tenant))?;
    settings.check()?;
    let settings = json!(settings);
    let put = api.store().put_tenant(&name, &settings.to_string(), now()).await?;
    caller.audit(&api, Action::TenantChanged, name.as_str(), settings).await?;
    Ok((put_status(put.is_new), Json(Tenant::of(&put.now)?)))
}

pub(super) fn put_status(is_new: bool) -> StatusCode {
    if is_new { StatusCode::CREATED } else { StatusCode::OK }
}
