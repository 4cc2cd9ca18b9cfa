//! The whole state, taken and put back.

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
};
use mock_apns_core::Service;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Control,
    error::{ApiError, ApiResult, ErrorCode},
    extract::{DONE, from_json, read},
};
use crate::{clock::now, credentials::Credentials, snapshot::DoubleSnapshot, verify_es256};

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(snapshot, restore))
}

/// Bytes of a snapshot: a hundred thousand notifications with payloads as large as they may be.
const SNAPSHOT_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// The whole state, as it is
///
/// Teams, keys, devices, tokens, notifications, journals, clocks, settings, and the private halves of keys that were made here: it is
/// a secret. Only the CA is not in it, and who is connected. It is for `PUT /v1/snapshot` of this version of mock-apns, here or
/// elsewhere; its form is no promise. What people write by hand is `/v1/state`.
#[utoipa::path(
    get, path = "/v1/snapshot", tag = "state", responses((status = 200, body = Object), ApiError)
)]
async fn snapshot(State(control): State<Control>) -> Json<DoubleSnapshot> {
    let mut batch = control.shared().batch();
    Json(DoubleSnapshot { credentials: control.credentials().to_form(), service: batch.service().snapshot() })
}

/// Put a snapshot in the place of what there is
///
/// The state is that of the snapshot to the byte: the same cursors, the same identifiers from here on. Everyone who was connected,
/// providers and devices, is sent away (GOAWAY `Shutdown`; `closed`), and a device that was connected when the snapshot was taken is
/// offline. A snapshot that no double has made, or that was changed, is refused, and nothing is changed.
#[utoipa::path(
    put, path = "/v1/snapshot", tag = "state", request_body = Object,
    responses((status = 204, description = "It is there."), ApiError)
)]
async fn restore(State(control): State<Control>, request: Request) -> ApiResult<StatusCode> {
    let body = read(request, SNAPSHOT_BYTES_MAX).await?;
    let DoubleSnapshot { credentials, service } = from_json(&body)?;
    let bad = |error: &dyn std::fmt::Display| ApiError::new(ErrorCode::BadSnapshot, error.to_string());
    let credentials = Credentials::from_form(&credentials).map_err(|error| bad(&error))?;
    let service = Service::restore(now(), &service, verify_es256).map_err(|error| bad(&error))?;

    let mut batch = control.shared().batch();
    batch.replace(service);
    control.last_written().forget();
    control.credentials().replace(&credentials);
    batch.checkpoint(control.credentials());
    Ok(DONE)
}
