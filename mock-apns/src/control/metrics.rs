//! What was counted.

use axum::{body::Body, extract::State};
use http::Response;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Control, error::ApiError, extract};
use crate::metrics::Numbers;

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(metrics))
}

/// What was counted, for Prometheus
///
/// All numbers since the start, over all teams, in the OpenMetrics text format; docs/metrics.md lists them. The same guard
/// stands before it as before everything else: a Prometheus that scrapes it sends the token, if one was set.
#[utoipa::path(
    get, path = "/metrics", tag = "metrics",
    responses((status = 200, body = String, content_type = "application/openmetrics-text"), ApiError)
)]
async fn metrics(State(control): State<Control>) -> Response<Body> {
    let numbers = control.shared().batch().numbers();
    extract::file(Numbers::MEDIA_TYPE, numbers.into_text())
}
