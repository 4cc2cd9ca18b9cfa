//! Devices: what pushes lead to.

use axum::{Json, extract::State, http::StatusCode};
use mock_apns_core::{BundleId, DeviceError, DeviceId, DeviceState, Environment, NewTokens, TeamAt, TeamId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Control, InTeam,
    error::{ApiError, ApiResult, ErrorCode},
    extract::{self, DONE, Limit, Path, Query},
    schema,
    tokens::Token,
};
use crate::json::raw;

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, change, remove))
        .routes(routes!(install, uninstall))
        .routes(routes!(new_tokens))
        .routes(routes!(screen))
}

/// A simulated device.
#[derive(Serialize, ToSchema)]
#[schema(as = Device)]
struct View {
    /// Its name, unique in its team.
    #[schema(value_type = String, example = "phone")]
    name: DeviceId,
    /// Whether it can be reached.
    #[schema(value_type = schema::DeviceState)]
    state: DeviceState,
    /// Whether a device out there is it. One that is not connected acknowledges by itself whatever it is sent.
    connected: bool,
    /// The apps that are installed on it.
    apps: Vec<Installed>,
}

/// An app on a device.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = InstalledApp)]
struct Installed {
    /// Its bundle ID.
    #[schema(value_type = String)]
    bundle_id: BundleId,
    /// The environment of the build.
    #[schema(value_type = schema::Environment)]
    environment: Environment,
    /// Whether the user lets it show notifications.
    permission: bool,
    /// The tokens that it is registered under, but those of Live Activities.
    tokens: Vec<Token>,
    /// The apns-id of the notification that waits for it.
    stored: Option<String>,
}

/// Devices of a team.
#[derive(Serialize, ToSchema)]
#[schema(as = Devices)]
struct List {
    /// In the order in which they were added.
    devices: Vec<View>,
    /// What to give as `after` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    next: Option<DeviceId>,
}

/// Which page of devices.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageOfDevices {
    /// The team's ID; left out, the ready-made team's.
    #[param(value_type = Option<String>)]
    pub(super) team: Option<TeamId>,
    /// The name of the device that the page before ended with.
    #[param(value_type = Option<String>)]
    pub(super) after: Option<DeviceId>,
    /// Most devices to list, 1 to 1000.
    #[serde(default)]
    #[param(inline)]
    pub(super) limit: Limit,
}

/// A device to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewDevice)]
struct New {
    /// Its name: 1 to 64 printable ASCII characters.
    #[schema(value_type = String, example = "phone")]
    name: DeviceId,
    /// Whether it can be reached; left out, it is online.
    #[schema(value_type = Option<schema::DeviceState>)]
    state: Option<DeviceState>,
}

/// What to change of a device.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChangeDevice)]
struct Change {
    /// Whether it can be reached.
    #[schema(value_type = schema::DeviceState)]
    state: DeviceState,
}

/// An app to put on a device.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Install)]
struct Install {
    /// Whether the user lets it show notifications; left out, it stays as it is, and a new one may.
    permission: Option<bool>,
}

/// What happened to a device.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewTokens)]
struct Renew {
    /// What it was.
    #[schema(value_type = schema::NewTokens)]
    cause: NewTokens,
}

/// A device.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OneDevice {
    /// The device's name.
    #[param(value_type = String)]
    pub(super) name: DeviceId,
}

/// An app on a device.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "kebab-case")]
#[into_params(parameter_in = Path)]
struct OneApp {
    /// The device's name.
    #[param(value_type = String)]
    name: DeviceId,
    /// The app's bundle ID.
    #[param(value_type = String)]
    bundle_id: BundleId,
}

/// A build of an app, of a team.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Build {
    /// The team's ID; left out, the ready-made team's.
    #[param(value_type = Option<String>)]
    team: Option<TeamId>,
    /// The environment of the build; left out, the sandbox.
    #[param(value_type = Option<schema::Environment>, inline)]
    environment: Option<Environment>,
}

impl View {
    fn of(device: mock_apns_core::Device<'_>) -> Self {
        let apps = device.apps().map(|app| Installed {
            bundle_id: app.bundle_id().clone(),
            environment: app.environment(),
            permission: app.permission(),
            tokens: Token::of_app(device, app).collect(),
            stored: app.stored().map(|notification| notification.apns_id.as_str().to_owned()),
        });
        Self {
            name: device.id().clone(),
            state: device.state(),
            connected: device.is_connected(),
            apps: apps.collect(),
        }
    }
}

impl PageOfDevices {
    /// The devices of this page, and what to ask for the next with.
    pub(super) fn read<'a>(
        &self,
        team: &'a mock_apns_core::Team,
    ) -> ApiResult<(Vec<mock_apns_core::Device<'a>>, Option<DeviceId>)> {
        let limit = self.limit.get();
        let mut devices: Vec<_> = match &self.after {
            None => team.devices().take(limit + 1).collect(),
            Some(after) => {
                let following = team.devices_after(after).ok_or_else(|| {
                    let message = format!("parameter after: the team {} has no device {after}", team.id());
                    ApiError::new(ErrorCode::BadCursor, message)
                })?;
                following.take(limit + 1).collect()
            }
        };
        let is_last = devices.len() <= limit;
        devices.truncate(limit);
        let next = devices.last().filter(|_| !is_last).map(|device| device.id().clone());
        Ok((devices, next))
    }
}

/// The team's devices
#[utoipa::path(
    get, path = "/v1/devices", tag = "devices", params(PageOfDevices), responses((status = 200, body = List), ApiError)
)]
async fn list(State(control): State<Control>, Query(page): Query<PageOfDevices>) -> ApiResult<Json<List>> {
    control.in_team(page.team, |team| {
        let (devices, next) = page.read(team.team())?;
        Ok::<_, ApiError>(Json(List { devices: devices.into_iter().map(View::of).collect(), next }))
    })
}

/// Add a device
///
/// `POST /v1/tokens` adds a device too, and registers an app on it at once.
#[utoipa::path(
    post, path = "/v1/devices", tag = "devices", params(InTeam), request_body = New,
    responses((status = 201, body = View), ApiError)
)]
async fn create(
    State(control): State<Control>,
    Query(InTeam { team }): Query<InTeam>,
    extract::Json(New { name, state }): extract::Json<New>,
) -> ApiResult<(StatusCode, Json<View>)> {
    control.in_team::<_, DeviceError>(team, |team| {
        team.add_device(name.clone())?;
        if let Some(state) = state {
            team.set_device_state(&name, state)?;
        }
        Ok((StatusCode::CREATED, Json(view(team, &name)?)))
    })
}

/// One device
#[utoipa::path(
    get, path = "/v1/devices/{name}", tag = "devices", params(OneDevice, InTeam),
    responses((status = 200, body = View), ApiError)
)]
async fn get(
    State(control): State<Control>,
    Path(OneDevice { name }): Path<OneDevice>,
    Query(InTeam { team }): Query<InTeam>,
) -> ApiResult<Json<View>> {
    control.in_team(team, |team| view(team, &name).map(Json))
}

/// Let a device be reached, or not
///
/// One that comes online gets what was stored for it. One that is taken offline is disconnected.
#[utoipa::path(
    patch, path = "/v1/devices/{name}", tag = "devices", params(OneDevice, InTeam), request_body = Change,
    responses((status = 200, body = View), ApiError)
)]
async fn change(
    State(control): State<Control>,
    Path(OneDevice { name }): Path<OneDevice>,
    Query(InTeam { team }): Query<InTeam>,
    extract::Json(Change { state }): extract::Json<Change>,
) -> ApiResult<Json<View>> {
    control.in_team::<_, DeviceError>(team, |team| {
        team.set_device_state(&name, state)?;
        view(team, &name).map(Json)
    })
}

/// Remove a device
///
/// Its tokens are answered `400 BadDeviceToken` from now on, and what waits for it is discarded.
#[utoipa::path(
    delete, path = "/v1/devices/{name}", tag = "devices", params(OneDevice, InTeam),
    responses((status = 204, description = "It is gone."), ApiError)
)]
async fn remove(
    State(control): State<Control>,
    Path(OneDevice { name }): Path<OneDevice>,
    Query(InTeam { team }): Query<InTeam>,
) -> ApiResult<StatusCode> {
    control.in_team(team, |team| team.remove_device(&name))?;
    Ok(DONE)
}

/// Install an app on a device
///
/// An app that was uninstalled gets new tokens when it registers next. Where it is installed already, only the permission may
/// change.
#[utoipa::path(
    put, path = "/v1/devices/{name}/apps/{bundle-id}", tag = "devices", params(OneApp, Build), request_body = Install,
    responses((status = 200, body = View), ApiError)
)]
async fn install(
    State(control): State<Control>,
    Path(OneApp { name, bundle_id }): Path<OneApp>,
    Query(Build { team, environment }): Query<Build>,
    extract::Json(Install { permission }): extract::Json<Install>,
) -> ApiResult<Json<View>> {
    let environment = environment.unwrap_or(Environment::Sandbox);
    control.in_team::<_, DeviceError>(team, |team| {
        team.install(&name, &bundle_id, environment)?;
        if let Some(allowed) = permission {
            team.set_permission(&name, &bundle_id, environment, allowed)?;
        }
        view(team, &name).map(Json)
    })
}

/// Uninstall an app
///
/// APNs does not know at once: its tokens go on being answered 200 until a delivery has failed, and 410 from then on.
#[utoipa::path(
    delete, path = "/v1/devices/{name}/apps/{bundle-id}", tag = "devices", params(OneApp, Build),
    responses((status = 204, description = "It is gone from the device."), ApiError)
)]
async fn uninstall(
    State(control): State<Control>,
    Path(OneApp { name, bundle_id }): Path<OneApp>,
    Query(Build { team, environment }): Query<Build>,
) -> ApiResult<StatusCode> {
    let environment = environment.unwrap_or(Environment::Sandbox);
    control.in_team(team, |team| team.uninstall(&name, &bundle_id, environment))?;
    Ok(DONE)
}

/// Let the apps of a device get other tokens
///
/// Each gets another one when it registers next, and the one that it has leads nowhere.
#[utoipa::path(
    post, path = "/v1/devices/{name}/new-tokens", tag = "devices", params(OneDevice, InTeam), request_body = Renew,
    responses((status = 204, description = "They will."), ApiError)
)]
async fn new_tokens(
    State(control): State<Control>,
    Path(OneDevice { name }): Path<OneDevice>,
    Query(InTeam { team }): Query<InTeam>,
    extract::Json(Renew { cause }): extract::Json<Renew>,
) -> ApiResult<StatusCode> {
    control.in_team(team, |team| team.new_tokens(&name, cause))?;
    Ok(DONE)
}

/// What a device shows
///
/// Of all that was delivered to it, as far back as the journal goes: the list of notifications, badges, Live Activities.
#[utoipa::path(
    get, path = "/v1/devices/{name}/screen", tag = "devices", params(OneDevice, InTeam),
    responses((status = 200, body = Object), ApiError)
)]
async fn screen(
    State(control): State<Control>,
    Path(OneDevice { name }): Path<OneDevice>,
    Query(InTeam { team }): Query<InTeam>,
) -> ApiResult<Json<Box<RawValue>>> {
    control.in_team::<_, DeviceError>(team, |team| {
        view(team, &name)?;
        Ok(Json(raw(&team.team().screen(&name))))
    })
}

fn view(team: &TeamAt<'_>, name: &DeviceId) -> Result<View, DeviceError> {
    let device = team.team().device(name).ok_or_else(|| DeviceError::UnknownDevice(name.clone()))?;
    Ok(View::of(device))
}
