//! The audit log: who changed what.

use apns_provider_server_core::{
    audit::{Action, Actor},
    ids::TenantId,
};
use axum::{Json, extract::State};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    access::Caller,
    error::{ApiError, ApiResult},
    extract::{Page, Query, cursor, moment, next, row},
};
use crate::store::{AuditId, StoredAuditEntry};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(list_of_operator))
}

/// Who did what.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
struct Entry {
    /// When it was.
    at: String,
    /// Who did it.
    #[schema(value_type = Actor)]
    actor: Value,
    /// What they did.
    #[schema(value_type = Action)]
    action: String,
    /// To what: a bundle ID, an ID, a name.
    subject: String,
    /// What else is to be said.
    #[schema(value_type = Object)]
    detail: Value,
}

/// Who did what, the latest first.
#[derive(Serialize, ToSchema)]
#[schema(as = Audit)]
struct List {
    entries: Vec<Entry>,
    /// What to give as `after` to go on with older ones; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl Entry {
    fn of(entry: StoredAuditEntry) -> Self {
        let json = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
        Self {
            at: moment(entry.at),
            actor: json(&entry.actor),
            action: entry.action,
            subject: entry.subject,
            detail: json(&entry.detail),
        }
    }
}

async fn page_of(api: &Api, tenant: Option<TenantId>, page: &Page) -> ApiResult<Json<List>> {
    let before = cursor(page.after.as_deref(), row)?.map(AuditId::new);
    let entries = api.store().audit(tenant, before, page.limit.get()).await?;
    let next = next(&entries, page.limit, |entry| entry.id.get().to_string());
    Ok(Json(List { entries: entries.into_iter().map(Entry::of).collect(), next }))
}

/// What was changed of the tenant's
#[utoipa::path(get, path = "/v1/audit", tag = "audit", params(Page), responses((status = 200, body = List), ApiError))]
async fn list(State(api): State<Api>, caller: Caller, Query(page): Query<Page>) -> ApiResult<Json<List>> {
    page_of(&api, Some(caller.tenant()?), &page).await
}

/// What was changed of tenants, of the operator's keys and of the tuning
#[utoipa::path(get, path = "/v1/operator/audit", tag = "audit", params(Page), responses((status = 200, body = List), ApiError))]
async fn list_of_operator(State(api): State<Api>, Query(page): Query<Page>) -> ApiResult<Json<List>> {
    page_of(&api, None, &page).await
}
