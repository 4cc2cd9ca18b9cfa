//! The API of the provider server, over HTTP/1.1.
//!
//! ```text
//!   HTTP ──▶ access: place, key, permission, tenant ──▶ extract: path, query, body ──▶ a resource ──▶ the store
//!        ◀── JSON, or a problem: one shape, a closed list of codes ◀──────────────────────┘
//! ```
//!
//! One file is one resource. Handlers are thin: what a request means is the core's, and what it changes the store's. The OpenAPI
//! document is generated from the handlers.

#![expect(unused_qualifications, reason = "what utoipa's macros expand to")]

mod access;
mod apps;
mod audit;
mod campaigns;
mod channels;
mod credentials;
mod dead_letters;
mod devices;
mod docs;
mod error;
mod extract;
mod health;
mod keys;
mod notifications;
mod page;
mod pipeline;
mod queues;
mod serving;
mod taking;
mod telemetry;
mod templates;
mod tenants;
mod tuning;
mod users;
mod webhooks;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use apns_provider_server_core::{
    ids::TenantId,
    limits::{Allowance, Limited, Limiter, QueueBounds, Rate},
    problem::{Code, Problem},
    ssrf::Policy,
};
use axum::{Router, extract::Request, middleware, response::IntoResponse as _};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::{Semaphore, SemaphorePermit};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::{channels::ChannelServices, clock::now, secrets::Vault, store::Store};
use error::{ApiError, ApiResult};
pub use pipeline::{NoPipeline, Pipeline};
pub use serving::{Limits, serve};

/// What every handler has at hand; a handle, cheap to clone.
#[derive(Clone, Debug)]
pub struct Api(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    parts: ApiParts,
    places: Semaphore,
    /// What tenants have taken of their rates of requests.
    requests: Mutex<Limiter<TenantId>>,
    is_draining: AtomicBool,
}

/// What the API is made of.
#[derive(Debug)]
pub struct ApiParts {
    /// Where everything is.
    pub store: Store,
    /// What encrypts secrets.
    pub vault: Arc<Vault>,
    /// What sends.
    pub pipeline: Arc<dyn Pipeline>,
    /// What an app and a tenant may have queued, unless they have bounds of their own.
    pub bounds: QueueBounds,
    /// Requests that are answered at once.
    pub requests_max: usize,
    /// Where webhooks may go.
    pub webhook_policy: Policy,
    /// Where broadcast channels are managed.
    pub channels: ChannelServices,
    /// What was counted, if anything counts.
    pub metrics: Option<PrometheusHandle>,
}

impl Api {
    /// An API of these.
    pub fn new(parts: ApiParts) -> Self {
        let places = Semaphore::new(parts.requests_max.min(Semaphore::MAX_PERMITS));
        let requests = Mutex::new(Limiter::new(TENANTS_MAX));
        Self(Arc::new(Inner { parts, places, requests, is_draining: AtomicBool::new(false) }))
    }

    /// From now on only what changes nothing is answered, and `/readyz` says no: so that a load balancer looks elsewhere.
    pub fn drain(&self) {
        self.0.is_draining.store(true, Relaxed);
    }

    /// Every path, with what stands in front of them.
    pub fn router(&self) -> Router {
        let (router, openapi) = resources().split_for_parts();
        router
            .merge(docs::routes(&docs::finished(openapi)))
            .merge(page::routes())
            .method_not_allowed_fallback(async |request: Request| wrong_method(&request).into_response())
            .fallback(async |uri: http::Uri| {
                ApiError::new(Code::UnknownPath, format!("there is nothing at {}", uri.path()))
                    .into_response()
            })
            .layer(middleware::from_fn_with_state(self.clone(), access::enter))
            .with_state(self.clone())
    }

    fn store(&self) -> &Store {
        &self.0.parts.store
    }

    fn parts(&self) -> &ApiParts {
        &self.0.parts
    }

    fn is_draining(&self) -> bool {
        self.0.is_draining.load(Relaxed)
    }

    /// Counts a request of a tenant that may have so many.
    fn count_request(&self, tenant: TenantId, rate: Rate) -> ApiResult<()> {
        let mut requests = self.0.requests.lock().unwrap_or_else(PoisonError::into_inner);
        match requests.take(now(), &tenant, rate, 1) {
            Allowance::Taken { .. } => Ok(()),
            Allowance::Refused { retry_after } => {
                Err(Limited::Tenant.problem(rate, retry_after, None).into())
            }
        }
    }

    fn place(&self) -> ApiResult<SemaphorePermit<'_>> {
        self.0
            .places
            .try_acquire()
            .map_err(|_| ApiError(Problem::plain(Code::Overloaded).with_retry_after(OVERLOADED_PAUSE)))
    }
}

/// The API's description, as it is served at `/v1/openapi.json`.
pub fn openapi() -> OpenApi {
    docs::finished(resources().into_openapi())
}

/// Every resource.
fn resources() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(docs::about())
        .merge(tenants::routes())
        .merge(keys::routes())
        .merge(apps::routes())
        .merge(credentials::routes())
        .merge(devices::routes())
        .merge(users::routes())
        .merge(templates::routes())
        .merge(notifications::routes())
        .merge(campaigns::routes())
        .merge(channels::routes())
        .merge(dead_letters::routes())
        .merge(webhooks::routes())
        .merge(audit::routes())
        .merge(queues::routes())
        .merge(tuning::routes())
        .merge(health::routes())
}

fn wrong_method(request: &Request) -> ApiError {
    let message = format!("{} cannot be asked with {}", request.uri().path(), request.method());
    ApiError::new(Code::MethodNotAllowed, message)
}

/// Tenants whose requests are remembered: of whoever has asked for nothing lately there is nothing to remember.
const TENANTS_MAX: usize = 10_000;
/// A request that takes longer is not waited for any more: longer than a database is busy, shorter than load balancers are patient.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// Requests take milliseconds.
const OVERLOADED_PAUSE: Duration = Duration::from_secs(1);
/// A server that stops is back, or another one there, in about this time.
const DRAINING_PAUSE: Duration = Duration::from_secs(5);
