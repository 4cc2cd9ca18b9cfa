//! Who may ask for what: one table of all operations, and what stands in front of them.
//!
//! An operation without a row in the table is answered to nobody. What belongs to another tenant is answered as what never was.
//!
//! There are no rules for `Host` and `Origin`, as the double's control API has them: that one may be asked without a key. Here a page of
//! another site would need one, which no browser sends by itself, and without CORS it could not read an answer either. The
//! operator's page keeps its key where no other origin gets at it.

use apns_provider_server_core::{
    api_key::{ApiKeyText, Permission, Roles},
    audit::{Action, Actor, AuditEntry},
    ids::{TenantId, TenantName},
    problem::{Code, Problem},
};
use axum::{
    extract::{FromRequestParts, MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, Method, header::AUTHORIZATION, request::Parts};
use serde_json::Value;

use super::{
    Api,
    error::{ApiError, ApiResult},
    now, telemetry, tenants,
};
use crate::store::ApiKey;

/// What an operation needs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Needs {
    /// Nothing: it tells nothing.
    Nothing,
    /// A key of the operator.
    Operator(Permission),
    /// A key of a tenant, or of the operator, who then acts for a tenant.
    Tenant(Permission),
}

use Needs::{Nothing, Operator, Tenant};
use Permission::{Manage, Observe, Operate, Read, ReadDevices, Send, WriteDevices};

/// Every operation.
pub(super) const TABLE: &[(&str, &str, Needs)] = &[
    ("GET", "/", Nothing),
    ("GET", "/page.css", Nothing),
    ("GET", "/page.js", Nothing),
    ("GET", "/show.js", Nothing),
    ("GET", "/livez", Nothing),
    ("GET", "/readyz", Nothing),
    ("GET", "/metrics", Operator(Observe)),
    ("GET", "/v1/openapi.json", Nothing),
    ("GET", "/v1/operator/keys", Operator(Operate)),
    ("POST", "/v1/operator/keys", Operator(Operate)),
    ("DELETE", "/v1/operator/keys/{key-id}", Operator(Operate)),
    ("GET", "/v1/operator/audit", Operator(Operate)),
    ("GET", "/v1/operator/queue", Operator(Observe)),
    ("GET", "/v1/operator/recent", Operator(Observe)),
    ("GET", "/v1/tenants", Operator(Operate)),
    ("GET", "/v1/tenants/{tenant}", Operator(Operate)),
    ("PUT", "/v1/tenants/{tenant}", Operator(Operate)),
    ("GET", "/v1/tuning", Operator(Operate)),
    ("PUT", "/v1/tuning", Operator(Operate)),
    ("GET", "/v1/keys", Tenant(Manage)),
    ("POST", "/v1/keys", Tenant(Manage)),
    ("DELETE", "/v1/keys/{key-id}", Tenant(Manage)),
    ("GET", "/v1/audit", Tenant(Manage)),
    ("GET", "/v1/queue", Tenant(Read)),
    ("GET", "/v1/recent", Tenant(Read)),
    ("GET", "/v1/webhooks", Tenant(Manage)),
    ("POST", "/v1/webhooks", Tenant(Manage)),
    ("GET", "/v1/webhooks/{webhook-id}", Tenant(Manage)),
    ("PUT", "/v1/webhooks/{webhook-id}", Tenant(Manage)),
    ("DELETE", "/v1/webhooks/{webhook-id}", Tenant(Manage)),
    ("POST", "/v1/webhooks/{webhook-id}/test", Tenant(Manage)),
    ("GET", "/v1/apps", Tenant(Read)),
    ("GET", "/v1/apps/{bundle-id}", Tenant(Read)),
    ("PUT", "/v1/apps/{bundle-id}", Tenant(Manage)),
    ("POST", "/v1/apps/{bundle-id}/pause", Tenant(Manage)),
    ("POST", "/v1/apps/{bundle-id}/resume", Tenant(Manage)),
    ("GET", "/v1/apps/{bundle-id}/credentials", Tenant(Read)),
    ("PUT", "/v1/apps/{bundle-id}/credentials/{environment}", Tenant(Manage)),
    ("DELETE", "/v1/apps/{bundle-id}/credentials/{environment}", Tenant(Manage)),
    ("GET", "/v1/apps/{bundle-id}/devices", Tenant(ReadDevices)),
    ("POST", "/v1/apps/{bundle-id}/devices/batch", Tenant(WriteDevices)),
    ("GET", "/v1/apps/{bundle-id}/devices/{token}", Tenant(ReadDevices)),
    ("PUT", "/v1/apps/{bundle-id}/devices/{token}", Tenant(WriteDevices)),
    ("DELETE", "/v1/apps/{bundle-id}/devices/{token}", Tenant(WriteDevices)),
    ("GET", "/v1/apps/{bundle-id}/users/{user}/devices", Tenant(ReadDevices)),
    ("DELETE", "/v1/apps/{bundle-id}/users/{user}", Tenant(WriteDevices)),
    ("GET", "/v1/apps/{bundle-id}/templates", Tenant(Read)),
    ("GET", "/v1/apps/{bundle-id}/templates/{template}", Tenant(Read)),
    ("PUT", "/v1/apps/{bundle-id}/templates/{template}", Tenant(Manage)),
    ("DELETE", "/v1/apps/{bundle-id}/templates/{template}", Tenant(Manage)),
    ("POST", "/v1/apps/{bundle-id}/notifications", Tenant(Send)),
    ("POST", "/v1/apps/{bundle-id}/notifications/batch", Tenant(Send)),
    ("GET", "/v1/apps/{bundle-id}/notifications/{notification-id}", Tenant(Read)),
    ("GET", "/v1/apps/{bundle-id}/notifications/{notification-id}/outcomes", Tenant(Read)),
    ("POST", "/v1/apps/{bundle-id}/notifications/{notification-id}/cancel", Tenant(Send)),
    ("GET", "/v1/apps/{bundle-id}/campaigns", Tenant(Read)),
    ("POST", "/v1/apps/{bundle-id}/campaigns/{campaign-id}/pause", Tenant(Send)),
    ("POST", "/v1/apps/{bundle-id}/campaigns/{campaign-id}/resume", Tenant(Send)),
    ("POST", "/v1/apps/{bundle-id}/campaigns/{campaign-id}/cancel", Tenant(Send)),
    ("PUT", "/v1/apps/{bundle-id}/campaigns/{campaign-id}/pace", Tenant(Send)),
    ("GET", "/v1/apps/{bundle-id}/channels/{environment}", Tenant(Read)),
    ("POST", "/v1/apps/{bundle-id}/channels/{environment}", Tenant(Manage)),
    ("GET", "/v1/apps/{bundle-id}/channels/{environment}/{channel-id}", Tenant(Read)),
    ("DELETE", "/v1/apps/{bundle-id}/channels/{environment}/{channel-id}", Tenant(Manage)),
    ("GET", "/v1/apps/{bundle-id}/dead-letters", Tenant(Read)),
    ("POST", "/v1/apps/{bundle-id}/dead-letters/replay", Tenant(Send)),
    ("POST", "/v1/apps/{bundle-id}/dead-letters/forget", Tenant(Send)),
];

/// What the operation needs.
pub(super) fn needs(method: &str, path: &str) -> Option<Needs> {
    TABLE.iter().find(|(its, at, _)| *its == method && *at == path).map(|(_, _, needs)| *needs)
}

/// Who asks, and for whom.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    key: ApiKey,
    tenant: Option<TenantId>,
}

impl Caller {
    /// The tenant that is meant; there is one wherever the table says so.
    pub(super) fn tenant(&self) -> ApiResult<TenantId> {
        self.tenant.ok_or_else(|| ApiError(Problem::plain(Code::Internal)))
    }

    /// The key that was asked with.
    pub(super) fn key(&self) -> &ApiKey {
        &self.key
    }

    /// Writes down what was done, where the tenant finds it, or else the operator.
    pub(super) async fn audit(
        &self,
        api: &Api,
        action: Action,
        subject: &str,
        detail: Value,
    ) -> ApiResult<()> {
        let actor = Actor::Key { id: self.key.id.get().to_string(), label: self.key.label.to_string() };
        let entry = AuditEntry::new(now(), actor, action, subject, detail);
        Ok(api.store().append_audit(self.tenant, entry).await?)
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> ApiResult<Self> {
        parts.extensions.get().cloned().ok_or_else(|| ApiError(Problem::plain(Code::Internal)))
    }
}

/// Stands in front of every operation.
pub(super) async fn enter(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().cloned();
    let operation = path.as_ref().map_or(NOWHERE, MatchedPath::as_str).to_owned();
    let begun = std::time::Instant::now();
    let method = request.method().clone();
    let answer = answer(&api, &operation, &mut request);
    let response = match answer.await {
        Ok(_place) => match tokio::time::timeout(super::ANSWER_MAX, next.run(request)).await {
            Ok(response) => response,
            Err(_) => ApiError(Problem::plain(Code::TimedOut)).into_response(),
        },
        Err(error) => error.into_response(),
    };
    telemetry::answered(&method, &operation, response.status(), begun.elapsed());
    response
}

/// Lets a request in, or says why not. It is in as long as the place is kept.
async fn answer<'a>(
    api: &'a Api,
    operation: &str,
    request: &mut Request,
) -> ApiResult<Option<tokio::sync::SemaphorePermit<'a>>> {
    // HEAD is answered as GET without its body.
    let method = if request.method() == Method::HEAD { Method::GET } else { request.method().clone() };
    let needs = match needs(method.as_str(), operation) {
        Some(Nothing) => return Ok(None),
        Some(needs) => needs,
        // Nothing is at this path: the answer says so.
        None if operation == NOWHERE => return Ok(None),
        None if TABLE.iter().any(|(_, path, _)| *path == operation) => {
            return Err(super::wrong_method(request));
        }
        None => return Err(ApiError(Problem::plain(Code::Internal))),
    };
    let place = api.place()?;
    if api.is_draining() && method != Method::GET {
        return Err(ApiError(Problem::plain(Code::Draining).with_retry_after(super::DRAINING_PAUSE)));
    }
    let caller = caller(api, needs, request.headers()).await?;
    request.extensions_mut().insert(caller);
    Ok(Some(place))
}

async fn caller(api: &Api, needs: Needs, headers: &HeaderMap) -> ApiResult<Caller> {
    let (key, settings) = authenticate(api, headers).await?;
    let roles = Roles::parse(&key.roles).ok();
    let permission = match needs {
        Operator(permission) | Tenant(permission) => permission,
        Nothing => Read,
    };
    let is_operators = key.tenant.is_none();
    let is_allowed = roles.as_ref().is_some_and(|roles| roles.have(permission))
        && (is_operators || !matches!(needs, Operator(_)));
    if !is_allowed {
        let has = roles.map_or_else(|| "none".to_owned(), |roles| roles.to_string());
        return Err(ApiError::new(
            Code::NotAllowed,
            format!("it needs the permission {permission}, and the key's roles ({has}) do not have it"),
        ));
    }
    if let (Some(tenant), Some(settings)) = (key.tenant, settings)
        && let Some(rate) = tenants::limits(&settings)?.requests
    {
        api.count_request(tenant, rate)?;
    }
    let tenant = match needs {
        Tenant(_) => Some(tenant(api, &key, headers).await?),
        Nothing | Operator(_) => None,
    };
    Ok(Caller { key, tenant })
}

/// The key, and the settings of its tenant.
async fn authenticate(api: &Api, headers: &HeaderMap) -> ApiResult<(ApiKey, Option<String>)> {
    let refused = |why: &str| ApiError::new(Code::Unauthorized, why);
    let given = headers.get(AUTHORIZATION).ok_or_else(|| refused("there is no authorization header"))?;
    let given = given.to_str().ok().and_then(|text| text.split_once(' '));
    let Some((_, text)) = given.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")) else {
        return Err(refused("the authorization is not `Bearer` and a key"));
    };
    let text = ApiKeyText::parse(text.trim()).map_err(|error| refused(&error.to_string()))?;
    let key = api.store().api_key(&text.hash()).await?;
    // One that was revoked is answered as one that never was.
    key.filter(|(key, _)| key.revoked_at.is_none()).ok_or_else(|| refused("the API key is not known here"))
}

/// A tenant's key is for that tenant; the operator's for the one that is named, or the default one.
async fn tenant(api: &Api, key: &ApiKey, headers: &HeaderMap) -> ApiResult<TenantId> {
    let named = match headers.get(TENANT) {
        None => None,
        Some(value) => {
            let name = TenantName::parse(&String::from_utf8_lossy(value.as_bytes()));
            Some(super::extract::parameter(TENANT, name)?)
        }
    };
    let name = match (named, key.tenant) {
        (None, Some(own)) => return Ok(own),
        (Some(name), _) => name,
        (None, None) => crate::startup::default_tenant(),
    };
    let found = api.store().tenant(&name).await?.map(|tenant| tenant.id);
    found
        .filter(|id| key.tenant.is_none_or(|own| own == *id))
        .ok_or_else(|| ApiError::new(Code::UnknownTenant, format!("there is no tenant {name}")))
}

/// What is counted of requests to paths that there are not.
const NOWHERE: &str = "nowhere";
/// The header by which an operator says for which tenant.
pub(super) const TENANT: &str = "apns-tenant";
