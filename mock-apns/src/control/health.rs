//! Whether it lives, and whether it is ready.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Control, error::ApiError};

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(livez)).routes(routes!(readyz))
}

/// That it is ready.
#[derive(Serialize, ToSchema)]
struct Ready {
    /// Always true: who is not ready does not answer.
    ready: bool,
}

/// Whether the process lives
#[utoipa::path(get, path = "/livez", tag = "health", responses((status = 200, description = "It does."), ApiError))]
async fn livez() {}

/// Whether it is ready
///
/// It is once every listener accepts and what was declared at the start is there. The control API accepts last, and
/// answers this only while the service can be asked.
#[utoipa::path(get, path = "/readyz", tag = "health", responses((status = 200, body = Ready), ApiError))]
async fn readyz(State(control): State<Control>) -> Json<Ready> {
    let ready = control.shared().batch().service().team(control.about().team).is_some();
    Json(Ready { ready })
}
