//! Broadcast channels: what Live Activities of many devices are updated by at once. APNs has them, and is asked.

use apns_provider::Channels;
use apns_provider_core::{Channel, ChannelError, ChannelId, MessageStoragePolicy, Reason};
use apns_provider_server_core::{
    audit::Action,
    device::Environment,
    problem::{Code, Field, Problem},
    worker::Source,
};
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    access::Caller,
    apps::find,
    error::{ApiError, ApiResult},
    extract::{self, DONE, Path, parameter},
    now,
};
use crate::{secrets::StoredCredential, store};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, remove))
}

/// A channel to be created.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schema(as = NewChannel)]
struct New {
    /// What APNs keeps for devices that cannot be reached: 0 is nothing, and lets more be sent; 1 is the latest broadcast, until it expires
    /// and for 8 hours at most. It stays as it is.
    message_storage_policy: u64,
}

/// A channel.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = Channel)]
struct Shown {
    /// Its name, which APNs drew.
    channel_id: String,
    /// What APNs keeps for devices that cannot be reached: nothing (0), or the latest broadcast (1).
    message_storage_policy: u8,
}

/// The channels of an app in an environment.
#[derive(Serialize, ToSchema)]
#[schema(as = Channels)]
struct List {
    /// Their IDs.
    channels: Vec<String>,
}

/// Where an app's channels are.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "kebab-case")]
#[into_params(parameter_in = Path)]
struct Place {
    /// The app's bundle ID.
    bundle_id: String,
    /// Production or sandbox.
    #[param(value_type = Environment)]
    environment: String,
}

/// A channel of an app.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "kebab-case")]
#[into_params(parameter_in = Path)]
struct OneChannel {
    /// The app's bundle ID.
    bundle_id: String,
    /// Production or sandbox.
    #[param(value_type = Environment)]
    environment: String,
    /// The channel's ID, as APNs drew it; what a path cannot have of it is percent-encoded.
    channel_id: String,
}

impl Shown {
    fn of(channel: &Channel) -> Self {
        Self { channel_id: channel.id.to_string(), message_storage_policy: channel.storage.as_number() }
    }
}

impl New {
    fn check(&self) -> Result<MessageStoragePolicy, Problem> {
        let number = self.message_storage_policy;
        MessageStoragePolicy::from_number(number).ok_or_else(|| {
            let why = format_args!("{number} is not 0, for nothing, or 1, for the latest");
            Problem::of_field(Field::new("message-storage-policy"), why)
        })
    }
}

/// The caller's app, and whoever asks for its channels with its credential.
async fn of_app(
    api: &Api,
    caller: &Caller,
    bundle_id: &str,
    environment: &str,
) -> ApiResult<(store::App, Environment, Channels)> {
    let environment = parameter("environment", Environment::parse(environment))?;
    let app = find(api, caller, bundle_id).await?;
    let source = Source { app: app.id, environment };
    let stored = api.store().credential(source).await?.ok_or_else(|| {
        let message = format!("the app has no credential for {environment}");
        ApiError::new(Code::UnknownCredential, message)
    })?;
    let credential = StoredCredential::open(&api.parts().vault, source, &stored.secret)
        .map_err(|error| ApiError::internal(&error))?;
    let channels = api.parts().channels.ask(environment, app.bundle_id.clone(), credential);
    Ok((app, environment, channels.map_err(|error| ApiError::internal(&error))?))
}

fn refused(error: &ChannelError) -> ApiError {
    let message = format!("channel management: {error}");
    let (code, retry_after) = match error {
        ChannelError::Rejected(rejection) => match rejection.reason {
            Some(Reason::ChannelNotRegistered) => (Code::UnknownChannel, None),
            _ => (Code::ApnsRefused, rejection.retry_after.map(|it| it.delay(now()))),
        },
        ChannelError::NotSent(_) => (Code::ApnsUnreachable, Some(UNREACHABLE_PAUSE)),
        _ => (Code::ApnsUnclear, None),
    };
    let problem = Problem::new(code, message);
    match retry_after {
        Some(pause) => problem.with_retry_after(pause).into(),
        None => problem.into(),
    }
}

/// A connection is refused for seconds as a rule, if not for good.
const UNREACHABLE_PAUSE: std::time::Duration = std::time::Duration::from_secs(10);

/// An app's broadcast channels in an environment
///
/// APNs is asked, with the app's credential.
#[utoipa::path(
    get, path = "/v1/apps/{bundle-id}/channels/{environment}", tag = "channels", params(Place),
    responses((status = 200, body = List), ApiError)
)]
async fn list(State(api): State<Api>, caller: Caller, Path(place): Path<Place>) -> ApiResult<Json<List>> {
    let (.., channels) = of_app(&api, &caller, &place.bundle_id, &place.environment).await?;
    let ids = channels.list().await.map_err(|error| refused(&error))?;
    Ok(Json(List { channels: ids.iter().map(ToString::to_string).collect() }))
}

/// Create a broadcast channel
///
/// APNs draws its ID; an app may have 10,000 in each environment. If the answer is `apns-unclear`, look which channels there are before it
/// is asked for again.
#[utoipa::path(
    post, path = "/v1/apps/{bundle-id}/channels/{environment}", tag = "channels", params(Place), request_body = New,
    responses((status = 201, body = Shown), ApiError)
)]
async fn create(
    State(api): State<Api>,
    caller: Caller,
    Path(place): Path<Place>,
    extract::Json(new): extract::Json<New>,
) -> ApiResult<(StatusCode, Json<Shown>)> {
    let (app, environment, channels) = of_app(&api, &caller, &place.bundle_id, &place.environment).await?;
    let channel = channels.create(new.check()?).await.map_err(|error| refused(&error))?;
    let shown = Shown::of(&channel);
    let subject = format!("{} {environment}", app.bundle_id.as_str());
    // It is there, whether that is written down or not: whoever was told otherwise would make another one.
    note(caller.audit(&api, Action::ChannelCreated, &subject, json!(shown)).await);
    Ok((StatusCode::CREATED, Json(shown)))
}

/// One broadcast channel
#[utoipa::path(
    get, path = "/v1/apps/{bundle-id}/channels/{environment}/{channel-id}", tag = "channels", params(OneChannel),
    responses((status = 200, body = Shown), ApiError)
)]
async fn get(State(api): State<Api>, caller: Caller, Path(one): Path<OneChannel>) -> ApiResult<Json<Shown>> {
    let id = parameter("channel-id", ChannelId::parse(&one.channel_id))?;
    let (.., channels) = of_app(&api, &caller, &one.bundle_id, &one.environment).await?;
    let channel = channels.read(id).await.map_err(|error| refused(&error))?;
    Ok(Json(Shown::of(&channel)))
}

/// Delete a broadcast channel
///
/// Broadcasts that are on their way may still arrive.
#[utoipa::path(
    delete, path = "/v1/apps/{bundle-id}/channels/{environment}/{channel-id}", tag = "channels", params(OneChannel),
    responses((status = 204), ApiError)
)]
async fn remove(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneChannel>,
) -> ApiResult<StatusCode> {
    let id = parameter("channel-id", ChannelId::parse(&one.channel_id))?;
    let (app, environment, channels) = of_app(&api, &caller, &one.bundle_id, &one.environment).await?;
    channels.delete(id.clone()).await.map_err(|error| refused(&error))?;
    let subject = format!("{} {environment}", app.bundle_id.as_str());
    note(caller.audit(&api, Action::ChannelDeleted, &subject, json!({ "channel-id": id })).await);
    Ok(DONE)
}

/// What was done at APNs is done.
fn note(audited: ApiResult<()>) {
    if let Err(ApiError(problem)) = audited {
        tracing::error!(%problem, "a change of channels is not in the audit log");
    }
}
