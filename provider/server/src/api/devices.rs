//! Devices: registering, looking, removing.

use apns_provider_core::DeviceToken;
use apns_provider_server_core::{
    device::{self, Environment, Kind, Registered, RegistrationRequest, RegistrationsRequest, WhyRemoved},
    ids::DeviceId,
    problem::Code,
    worker::Source,
};
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    access::Caller,
    apps::{self, OneApp, find},
    error::{ApiError, ApiResult},
    extract::{self, DONE, Page, Path, Query, cursor, moment, next, parameter, row},
    now,
};
use crate::store;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get, put, remove)).routes(routes!(put_batch))
}

/// A hundred tags and a long user.
const BODY: usize = 32 * 1024;
/// A thousand devices with a few tags each.
const BODY_OF_MANY: usize = 1024 * 1024;

/// A device.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Device {
    /// Its token.
    token: String,
    /// Where the token works.
    environment: Environment,
    /// What it was issued for.
    kind: Kind,
    /// Who uses it.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// In which language it wants to be spoken to.
    #[serde(skip_serializing_if = "Option::is_none")]
    locale: Option<String>,
    /// Where its clock is.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    /// What else it can be addressed by.
    tags: Vec<String>,
    /// Which version of the app it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    app_version: Option<String>,
    /// When the app registered it last.
    registered_at: String,
}

/// What a registration has done.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct Registration {
    device: Device,
    /// `added`, `refreshed`, `token-replaced` or `user-changed`.
    #[schema(value_type = String)]
    registered: &'static str,
    /// Devices that went with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    removed: Vec<Removed>,
}

/// What registrations have done, in the order in which they were given.
#[derive(Serialize, ToSchema)]
struct Registrations {
    registrations: Vec<Registration>,
}

/// A device that went with a registration.
#[derive(Serialize, ToSchema)]
#[schema(as = RemovedDevice)]
struct Removed {
    /// Its token.
    token: String,
    /// `evicted`: its user has more than may be; `other-environment`: the token works in the other one; `replaced`: its app has another
    /// token now.
    #[schema(value_type = String)]
    why: &'static str,
}

/// Devices, by kind and then in the order in which they were added.
#[derive(Serialize, ToSchema)]
#[schema(as = Devices)]
pub(super) struct List {
    pub(super) devices: Vec<Device>,
    /// What to give as `after` to go on; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

/// A device of an app.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "kebab-case")]
#[into_params(parameter_in = Path)]
struct OneDevice {
    /// The app's bundle ID.
    bundle_id: String,
    /// The device token, in hexadecimal.
    token: String,
}

/// Where a token works.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct In {
    /// production or sandbox; left out, wherever it is registered.
    #[param(value_type = Option<Environment>)]
    environment: Option<String>,
}

impl Device {
    pub(super) fn of(device: &device::Device) -> Self {
        let record = &device.record;
        Self {
            token: record.token.as_str().to_owned(),
            environment: record.environment,
            kind: record.kind,
            user: record.user.as_ref().map(ToString::to_string),
            locale: record.locale.as_ref().map(ToString::to_string),
            time_zone: record.time_zone.as_ref().map(|zone| zone.as_str().to_owned()),
            tags: record.tags.iter().map(ToString::to_string).collect(),
            app_version: record.app_version.as_ref().map(ToString::to_string),
            registered_at: moment(record.registered_at),
        }
    }
}

impl Registration {
    fn of(done: &store::RegisteredDevice) -> Self {
        let removed = done.removed.iter().map(|(device, why)| Removed {
            token: device.record.token.as_str().to_owned(),
            why: match why {
                WhyRemoved::Evicted => "evicted",
                WhyRemoved::OtherEnvironment => "other-environment",
                WhyRemoved::Replaced => "replaced",
            },
        });
        let registered = match done.registered {
            Registered::Added => "added",
            Registered::Refreshed => "refreshed",
            Registered::TokenReplaced => "token-replaced",
            Registered::UserChanged { .. } => "user-changed",
        };
        Self { device: Device::of(&done.device), registered, removed: removed.collect() }
    }
}

impl In {
    /// Which environments to look in.
    fn environments(&self) -> ApiResult<Vec<Environment>> {
        Ok(match &self.environment {
            None => Environment::ALL.to_vec(),
            Some(text) => vec![parameter("environment", Environment::parse(text))?],
        })
    }
}

fn token_of(one: &OneDevice) -> ApiResult<DeviceToken> {
    parameter("token", DeviceToken::from_hex(&one.token))
}

/// Without the token: it is in the path, and logs need not have it twice.
fn unknown() -> ApiError {
    ApiError::new(Code::UnknownDevice, "the app has no device with this token there")
}

/// An app's devices
#[utoipa::path(
    get, path = "/v1/apps/{bundle-id}/devices", tag = "devices", params(OneApp, Page),
    responses((status = 200, body = List), ApiError)
)]
async fn list(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneApp>,
    Query(page): Query<Page>,
) -> ApiResult<Json<List>> {
    let after = cursor(page.after.as_deref(), |text| {
        let (kind, device) = text.split_once('.')?;
        Some((Kind::parse(kind).ok()?, DeviceId::new(row(device)?)))
    })?;
    let app = find(&api, &caller, &one.bundle_id).await?;
    let devices = api.store().devices(app.id, after, page.limit.get()).await?;
    let next = next(&devices, page.limit, |device| format!("{}.{}", device.record.kind.as_str(), device.id));
    Ok(Json(List { devices: devices.iter().map(Device::of).collect(), next }))
}

/// One device
#[utoipa::path(
    get, path = "/v1/apps/{bundle-id}/devices/{token}", tag = "devices", params(OneDevice, In),
    responses((status = 200, body = Device), ApiError)
)]
async fn get(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneDevice>,
    Query(within): Query<In>,
) -> ApiResult<Json<Device>> {
    let (token, environments) = (token_of(&one)?, within.environments()?);
    let app = find(&api, &caller, &one.bundle_id).await?;
    for environment in environments {
        if let Some(device) = api.store().device(Source { app: app.id, environment }, &token).await? {
            return Ok(Json(Device::of(&device)));
        }
    }
    Err(unknown())
}

/// Register a device, or register it again
///
/// The body says all there is to say: what is left out is not known any more, so that signing out is registering without a user. An app
/// that got a new token hands in the old one as `previous-token`.
#[utoipa::path(
    put, path = "/v1/apps/{bundle-id}/devices/{token}", tag = "devices", params(OneDevice),
    request_body = RegistrationRequest,
    responses(
        (status = 200, body = Registration), (status = 201, body = Registration, description = "It is new."), ApiError
    )
)]
async fn put(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneDevice>,
    extract::Json(request): extract::Json<RegistrationRequest, BODY>,
) -> ApiResult<(StatusCode, Json<Registration>)> {
    let registration = request.check(&one.token)?;
    let app = find(&api, &caller, &one.bundle_id).await?;
    let devices_per_user = apps::limits(&app)?.devices_per_user;
    let done = api.store().register_device(app.id, registration, devices_per_user, now()).await?;
    let is_new = done.registered == Registered::Added;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(Registration::of(&done))))
}

/// Register many devices
///
/// Up to 1,000, as if one registered after the other, in one transaction: all of them, or none. Whoever moves here from elsewhere hands in
/// its devices so.
#[utoipa::path(
    post, path = "/v1/apps/{bundle-id}/devices/batch", tag = "devices", params(OneApp),
    request_body = RegistrationsRequest, responses((status = 200, body = Registrations), ApiError)
)]
async fn put_batch(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneApp>,
    extract::Json(request): extract::Json<RegistrationsRequest, BODY_OF_MANY>,
) -> ApiResult<Json<Registrations>> {
    let registrations = request.check()?;
    let app = find(&api, &caller, &one.bundle_id).await?;
    let devices_per_user = apps::limits(&app)?.devices_per_user;
    let done = api.store().register_devices(app.id, registrations, devices_per_user, now()).await?;
    Ok(Json(Registrations { registrations: done.iter().map(Registration::of).collect() }))
}

/// Remove a device
#[utoipa::path(
    delete, path = "/v1/apps/{bundle-id}/devices/{token}", tag = "devices", params(OneDevice, In),
    responses((status = 204), ApiError)
)]
async fn remove(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneDevice>,
    Query(within): Query<In>,
) -> ApiResult<StatusCode> {
    let (token, environments) = (token_of(&one)?, within.environments()?);
    let app = find(&api, &caller, &one.bundle_id).await?;
    let mut is_removed = false;
    for environment in environments {
        let source = Source { app: app.id, environment };
        is_removed |= api.store().remove_device(source, &token).await?.is_some();
    }
    if is_removed { Ok(DONE) } else { Err(unknown()) }
}
