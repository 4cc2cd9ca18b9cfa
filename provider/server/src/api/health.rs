//! Whether it runs, whether it is ready, and what was counted.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use http::header::CONTENT_TYPE;
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    error::{ApiError, ApiResult},
    now,
};
use crate::telemetry;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(livez)).routes(routes!(readyz)).routes(routes!(metrics))
}

/// Whether it is ready.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct Readiness {
    is_ready: bool,
    /// Why it is not, if it is not.
    reasons: Vec<String>,
    /// What is not as it should be, and no reason to send requests elsewhere: APNs is away, for instance.
    notes: Vec<String>,
}

/// A database that takes longer to say that it is there is not ready; probes usually wait a second.
const CHECK_MAX: Duration = Duration::from_millis(800);

/// Whether the process runs
///
/// It says nothing of the database: to start a process again does not mend one.
#[utoipa::path(get, path = "/livez", tag = "health", responses((status = 204), ApiError))]
async fn livez() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Whether requests should come here
///
/// A server that cannot reach APNs is ready: what it takes is kept until it can be sent. `notes` say so then.
#[utoipa::path(
    get, path = "/readyz", tag = "health",
    responses((status = 200, body = Readiness), (status = 503, body = Readiness, description = "It is not ready."), ApiError)
)]
async fn readyz(State(api): State<Api>) -> (StatusCode, Json<Readiness>) {
    let mut reasons = Vec::new();
    if api.is_draining() {
        reasons.push("it is about to stop".to_owned());
    }
    match timeout(CHECK_MAX, api.store().check()).await {
        Ok(Ok(())) => {}
        // Anybody may ask: what the database said is in the log.
        Ok(Err(error)) => {
            tracing::warn!(%error, "the database is not ready");
            reasons.push("the database does not do what it is asked".to_owned());
        }
        Err(_) => reasons.push(format!("the database did not answer within {CHECK_MAX:?}")),
    }
    let pipeline = &api.parts().pipeline;
    reasons.extend(pipeline.troubles());
    let is_ready = reasons.is_empty();
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { is_ready, reasons, notes: pipeline.notes() }))
}

/// What was counted, for Prometheus
#[utoipa::path(
    get, path = "/metrics", tag = "health", responses((status = 200, body = String, content_type = "text/plain"), ApiError)
)]
async fn metrics(State(api): State<Api>) -> ApiResult<Response> {
    telemetry::tell_lanes(&api.store().lanes().await?, now());
    telemetry::tell_pipeline(&api.parts().pipeline.status());
    crate::webhooks::waiting(api.store().count_deliveries().await?);
    let text = api.parts().metrics.as_ref().map(|metrics| {
        metrics.run_upkeep();
        metrics.render()
    });
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4")], text.unwrap_or_default()).into_response())
}
