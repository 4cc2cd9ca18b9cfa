//! Users: who uses devices. There is one while a device is registered for it.

use apns_provider_server_core::{audit::Action, ids::UserId, problem::Code};
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    access::Caller,
    apps::find,
    devices::{Device, List},
    error::{ApiError, ApiResult},
    extract::{Path, parameter},
};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(remove))
}

/// A user of an app.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "kebab-case")]
#[into_params(parameter_in = Path)]
struct OneUser {
    /// The app's bundle ID.
    bundle_id: String,
    /// Your own name for the user, percent-encoded.
    user: String,
}

/// How many devices were removed.
#[derive(Serialize, ToSchema)]
struct RemovedUser {
    devices: u64,
}

/// A user's devices
#[utoipa::path(
    get, path = "/v1/apps/{bundle-id}/users/{user}/devices", tag = "users", params(OneUser),
    responses((status = 200, body = List), ApiError)
)]
async fn list(State(api): State<Api>, caller: Caller, Path(one): Path<OneUser>) -> ApiResult<Json<List>> {
    let user = parameter("user", UserId::parse(&one.user))?;
    let app = find(&api, &caller, &one.bundle_id).await?;
    let devices = api.store().devices_of_user(app.id, &user).await?;
    if devices.is_empty() {
        return Err(unknown(&user));
    }
    Ok(Json(List { devices: devices.iter().map(Device::of).collect(), next: None }))
}

/// Remove all devices of a user
#[utoipa::path(
    delete, path = "/v1/apps/{bundle-id}/users/{user}", tag = "users", params(OneUser),
    responses((status = 200, body = RemovedUser), ApiError)
)]
async fn remove(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneUser>,
) -> ApiResult<Json<RemovedUser>> {
    let user = parameter("user", UserId::parse(&one.user))?;
    let app = find(&api, &caller, &one.bundle_id).await?;
    let devices = api.store().remove_user(app.id, &user).await?;
    if devices == 0 {
        return Err(unknown(&user));
    }
    let detail = json!({ "devices": devices });
    caller.audit(&api, Action::UserRemoved, app.bundle_id.as_str(), detail).await?;
    Ok(Json(RemovedUser { devices }))
}

fn unknown(user: &UserId) -> ApiError {
    ApiError::new(Code::UnknownUser, format!("the app has no device of the user {user}"))
}
