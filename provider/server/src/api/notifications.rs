//! Notifications: handing in, looking, cancelling.

use apns_provider_server_core::{
    audit::Action,
    ids::NotificationId,
    json as body_json,
    notification::{BatchRequest, Delivery, NotificationRequest},
    outcome::Ending,
    problem::Code,
};
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    access::Caller,
    apps::{OneApp, find},
    error::{ApiError, ApiResult},
    extract::{Bytes, Idempotent, Page, Path, Query, cursor, moment, next, parameter},
    now,
    taking::{self, HandedIn},
};
use crate::store::{self, Cancelled, Counts, NotificationState, RecordedOutcome, State as Where};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(submit))
        .routes(routes!(submit_batch))
        .routes(routes!(get))
        .routes(routes!(outcomes))
        .routes(routes!(cancel))
}

/// Ten thousand of the longest device tokens, and what is said to them.
const BODY: usize = 4 * 1024 * 1024;
/// A thousand notifications of a full payload each, and their audiences.
const BATCH_BODY: usize = 16 * 1024 * 1024;

/// What was taken.
#[derive(Serialize, ToSchema)]
struct Taken {
    /// What the notification is asked for by.
    id: String,
}

/// What was taken, in the order of the request.
#[derive(Serialize, ToSchema)]
struct BatchTaken {
    /// What the notifications are asked for by.
    ids: Vec<String>,
}

/// A notification, and how far it is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Notification {
    /// What it is asked for by.
    id: String,
    /// How urgent it is.
    lane: apns_provider_server_core::lanes::Lane,
    /// What becomes of a push of which nobody knows whether APNs took it.
    delivery: Delivery,
    /// `planning`, `sending`, `paused`, `cancelling` or `finished`.
    #[schema(value_type = String)]
    state: &'static str,
    /// When it was handed in.
    handed_in: String,
    /// When it was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled_at: Option<String>,
    /// When its last recipient had an outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<String>,
    /// What it is besides, if it is a campaign.
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign: Option<CampaignView>,
    /// How many recipients are where.
    counts: CountsView,
}

/// What a campaign is besides.
#[derive(Serialize, ToSchema)]
#[schema(as = Campaign)]
struct CampaignView {
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    /// Pushes a second, if not as many as can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pace: Option<u32>,
}

/// How many recipients are where.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = Counts)]
struct CountsView {
    /// Recipients so far.
    planned: u64,
    /// Devices of the audience that get nothing: the local time was over there, or the token is of another kind.
    left_out: u64,
    /// Recipients without an outcome.
    unended: u64,
    /// Recipients whose outcome is a dead letter.
    dead_letters: u64,
    /// By how they ended: accepted, rejected, expired, replaced, cancelled, undeliverable, ambiguous, skipped.
    #[schema(value_type = std::collections::BTreeMap<String, u64>)]
    ended: std::collections::BTreeMap<&'static str, u64>,
}

/// What became of one recipient.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct Outcome {
    /// Its token when it was planned.
    token: String,
    /// The apns-id of its push.
    apns_id: String,
    /// How it ended.
    ending: Ending,
    /// The HTTP status of the last answer; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// Why: APNs' word, or one of ours in kebab-case.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// Whether a push of it was sent once and not answered: the device may show it twice.
    maybe_twice: bool,
    /// The key to the delivery log of Apple's console, if APNs gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    apns_unique_id: Option<String>,
    /// When.
    at: String,
}

/// What became of recipients.
#[derive(Serialize, ToSchema)]
struct Outcomes {
    outcomes: Vec<Outcome>,
    /// What to give as `after` to go on; absent where there are no more yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A notification of an app.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "kebab-case")]
#[into_params(parameter_in = Path)]
struct OneNotification {
    /// The app's bundle ID.
    bundle_id: String,
    /// The notification's ID.
    notification_id: String,
}

impl Notification {
    pub(super) fn of(state: &NotificationState) -> Self {
        Self {
            id: state.id.to_string(),
            lane: state.lane,
            delivery: state.delivery,
            state: match state.state {
                Where::Cancelling => "cancelling",
                Where::Finished => "finished",
                Where::Paused => "paused",
                Where::Planning => "planning",
                Where::Sending => "sending",
            },
            handed_in: moment(state.handed_in),
            cancelled_at: state.cancelled_at.map(moment),
            finished_at: state.finished_at.map(moment),
            campaign: state.campaign.as_ref().map(|campaign| CampaignView {
                label: campaign.label.as_ref().map(ToString::to_string),
                pace: campaign.pace.map(apns_provider_server_core::lanes::Pace::per_second),
            }),
            counts: CountsView::of(&state.counts),
        }
    }
}

impl CountsView {
    fn of(counts: &Counts) -> Self {
        let ended = Ending::ALL.into_iter().map(|ending| (ending.as_str(), counts.of(ending)));
        Self {
            planned: counts.planned,
            left_out: counts.left_out,
            unended: counts.unended,
            dead_letters: counts.dead_letters,
            ended: ended.collect(),
        }
    }
}

impl Outcome {
    fn of(recorded: &RecordedOutcome) -> Self {
        let outcome = &recorded.outcome;
        let apns_id = recorded.shard.notification.apns_id(recorded.shard.number, recorded.position);
        Self {
            token: recorded.token.as_str().to_owned(),
            apns_id: apns_id.to_string(),
            ending: outcome.ending,
            status: (outcome.status != 0).then_some(outcome.status),
            why: outcome.why.as_ref().map(ToString::to_string),
            maybe_twice: outcome.maybe_twice,
            apns_unique_id: outcome.apns_unique_id.as_deref().map(str::to_owned),
            at: moment(recorded.at),
        }
    }
}

/// A notification's ID from the path: what is none names nothing.
pub(super) fn id_of(name: &str, text: &str) -> ApiResult<NotificationId> {
    parameter(name, NotificationId::parse(text))
}

fn unknown(id: NotificationId) -> ApiError {
    ApiError::new(Code::UnknownNotification, format!("the app has no notification {id}"))
}

/// Hand in a notification
///
/// When it is answered with 202, the notification is durable: it is sent whatever happens to the server. With an `idempotency-key`
/// the same request can be sent again and does nothing again.
#[utoipa::path(
    post, path = "/v1/apps/{bundle-id}/notifications", tag = "notifications",
    params(OneApp, ("idempotency-key" = Option<String>, Header, description = "What the request is known by if it is sent again: up to 255 visible ASCII characters.")),
    request_body = NotificationRequest, responses((status = 202, body = Taken), ApiError)
)]
async fn submit(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneApp>,
    request: Idempotent,
    Bytes(body): Bytes<BODY>,
) -> ApiResult<(StatusCode, Json<Taken>)> {
    let handed_in = HandedIn {
        bundle_id: one.bundle_id,
        idempotency: request.with(&body),
        is_batch: false,
        read: || Ok(vec![body_json::read::<NotificationRequest>(&body)?.check(now())?]),
    };
    let ids = taking::submit(&api, &caller, handed_in).await?;
    let id = ids.first().map(ToString::to_string).unwrap_or_default();
    Ok((StatusCode::ACCEPTED, Json(Taken { id })))
}

/// Hand in up to a thousand notifications
///
/// All are taken, or none.
#[utoipa::path(
    post, path = "/v1/apps/{bundle-id}/notifications/batch", tag = "notifications",
    params(OneApp, ("idempotency-key" = Option<String>, Header, description = "What the request is known by if it is sent again: up to 255 visible ASCII characters.")),
    request_body = BatchRequest, responses((status = 202, body = BatchTaken), ApiError)
)]
async fn submit_batch(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneApp>,
    request: Idempotent,
    Bytes(body): Bytes<BATCH_BODY>,
) -> ApiResult<(StatusCode, Json<BatchTaken>)> {
    let handed_in = HandedIn {
        bundle_id: one.bundle_id,
        idempotency: request.with(&body),
        is_batch: true,
        read: || body_json::read::<BatchRequest>(&body)?.check(now()),
    };
    let ids = taking::submit(&api, &caller, handed_in).await?;
    Ok((StatusCode::ACCEPTED, Json(BatchTaken { ids: ids.iter().map(ToString::to_string).collect() })))
}

/// One notification, and how far it is
#[utoipa::path(
    get, path = "/v1/apps/{bundle-id}/notifications/{notification-id}", tag = "notifications",
    params(OneNotification), responses((status = 200, body = Notification), ApiError)
)]
async fn get(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneNotification>,
) -> ApiResult<Json<Notification>> {
    let id = id_of("notification-id", &one.notification_id)?;
    let app = find(&api, &caller, &one.bundle_id).await?;
    let state = api.store().notification(app.id, id).await?.ok_or_else(|| unknown(id))?;
    Ok(Json(Notification::of(&state)))
}

/// What became of a notification's recipients
///
/// In the order in which they were planned: an outcome that comes later may stand before one that was listed already.
#[utoipa::path(
    get, path = "/v1/apps/{bundle-id}/notifications/{notification-id}/outcomes", tag = "notifications",
    params(OneNotification, Page), responses((status = 200, body = Outcomes), ApiError)
)]
async fn outcomes(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneNotification>,
    Query(page): Query<Page>,
) -> ApiResult<Json<Outcomes>> {
    let id = id_of("notification-id", &one.notification_id)?;
    let after = cursor(page.after.as_deref(), |text| {
        let (shard, position) = text.split_once('.')?;
        Some((shard.parse().ok()?, position.parse().ok()?))
    })?;
    let app = find(&api, &caller, &one.bundle_id).await?;
    if api.store().notification(app.id, id).await?.is_none() {
        return Err(unknown(id));
    }
    let found = api.store().outcomes(app.id, id, after, page.limit.get()).await?;
    let next = next(&found, page.limit, |it| format!("{}.{}", it.shard.number, it.position));
    Ok(Json(Outcomes { outcomes: found.iter().map(Outcome::of).collect(), next }))
}

/// Cancel a notification
///
/// What is not sent yet is not sent any more; what is with APNs stays there.
#[utoipa::path(
    post, path = "/v1/apps/{bundle-id}/notifications/{notification-id}/cancel", tag = "notifications",
    params(OneNotification), responses((status = 200, body = Notification), ApiError)
)]
async fn cancel(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneNotification>,
) -> ApiResult<Json<Notification>> {
    let id = id_of("notification-id", &one.notification_id)?;
    let app = find(&api, &caller, &one.bundle_id).await?;
    cancel_one(&api, &caller, &app, id, Action::NotificationCancelled, unknown).await
}

pub(super) async fn cancel_one(
    api: &Api,
    caller: &Caller,
    app: &store::App,
    id: NotificationId,
    action: Action,
    unknown: fn(NotificationId) -> ApiError,
) -> ApiResult<Json<Notification>> {
    match api.store().cancel(app.id, id, now()).await? {
        Cancelled::Cancelled => {}
        Cancelled::TooLate => {
            return Err(ApiError::new(Code::Conflict, format!("{id} is finished or cancelled already")));
        }
        Cancelled::Unknown => return Err(unknown(id)),
    }
    caller.audit(api, action, &id.to_string(), json!({ "app": app.bundle_id.as_str() })).await?;
    let state = api.store().notification(app.id, id).await?.ok_or_else(|| unknown(id))?;
    Ok(Json(Notification::of(&state)))
}
