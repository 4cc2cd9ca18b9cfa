//! Notifications: handing in, looking, cancelling.

use apns_provider_server_core::{
    audience::Who,
    audit::Action,
    ids::NotificationId,
    json as body_json,
    notification::{BatchRequest, Delivery, Intake, NotificationRequest},
    outcome::Ending,
    plan::{Plan, STEP_USERS},
    problem::{Code, Field, Problem},
};
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    access::Caller,
    apps::{self, OneApp, find},
    error::{ApiError, ApiResult},
    extract::{Bytes, IDEMPOTENCY_KEY, Idempotent, Page, Path, Query, cursor, moment, next, parameter},
    now, templates, tenants,
};
use crate::store::{
    self, Cancelled, Counts, Idempotency, NewNotification, NotificationState, QueueBounds, RecordedOutcome,
    State as Where, Submission, Submitted,
};

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
/// Names in an audience that are planned at once, so that a push to one user waits for no planner; more are planned step by step.
const PLANNED_AT_ONCE: usize = 100;

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

/// What may be queued: the app's own bound, the tenant's, or the usual ones.
pub(super) async fn bounds(api: &Api, app: &store::App) -> ApiResult<QueueBounds> {
    let usual = api.parts().bounds;
    let tenant = match api.store().tenant_by_id(app.tenant).await? {
        Some(tenant) => tenants::settings(&tenant)?.queue_max,
        None => None,
    };
    let app = apps::settings(app)?.queue_max;
    Ok(QueueBounds { app: app.unwrap_or(usual.app), tenant: tenant.unwrap_or(usual.tenant) })
}

/// Hands it to the store; the IDs are those of the notifications, or of the same request's before.
pub(super) async fn take(api: &Api, submission: Submission) -> ApiResult<Vec<NotificationId>> {
    if !api.parts().pipeline.tuning().takes_notifications {
        return Err(Problem::plain(Code::NotTaking).with_retry_after(NOT_TAKING_PAUSE).into());
    }
    let ids = submission.notifications.iter().map(|notification| notification.id).collect();
    answer(ids, api.store().submit(submission).await?)
}

/// What the same request was answered before, if it came before: to be asked before anything is looked at that may have changed.
pub(super) async fn repetition(
    api: &Api,
    app: &store::App,
    idempotency: Option<&Idempotency>,
) -> ApiResult<Option<Vec<NotificationId>>> {
    let Some(idempotency) = idempotency else { return Ok(None) };
    let before = api.store().repetition(app.id, idempotency, now()).await?;
    before.map(|submitted| answer(Vec::new(), submitted)).transpose()
}

/// The answer to a request that hands in notifications of these IDs.
fn answer(ids: Vec<NotificationId>, submitted: Submitted) -> ApiResult<Vec<NotificationId>> {
    match submitted {
        Submitted::Stored => Ok(ids),
        Submitted::Known(ids) => Ok(ids),
        Submitted::KeyReused => {
            let error = "another request came with this idempotency key";
            Err(Problem::new(Code::IdempotencyKeyReused, format!("{IDEMPOTENCY_KEY}: {error}")).into())
        }
        Submitted::AlreadyReplayed(_) => {
            let message = "a dead letter was sent again or forgotten by somebody else meanwhile";
            Err(ApiError::new(Code::Conflict, message))
        }
        Submitted::QueueFull { is_tenants, queued, bound } => {
            let whose = if is_tenants { "the tenant's apps have" } else { "the app has" };
            let message = format!("{whose} {queued} recipients queued in this lane, and {bound} may be");
            Err(Problem::new(Code::QueueFull, message).with_retry_after(FULL_PAUSE).into())
        }
    }
}

/// Somebody has to say otherwise.
const NOT_TAKING_PAUSE: std::time::Duration = std::time::Duration::from_mins(1);
/// A queue that is full has room again when a few thousand pushes are sent.
const FULL_PAUSE: std::time::Duration = std::time::Duration::from_secs(5);

/// Makes of what was handed in what is stored: finds the template, writes the message out, plans what is small.
async fn prepare(api: &Api, app: &store::App, at: Field<'_>, intake: Intake) -> ApiResult<NewNotification> {
    let template = match intake.message.template() {
        Some(name) => templates::load(api, app, name).await?,
        None => None,
    };
    let message = intake.message.compose(at.key("message"), &app.bundle_id, template.as_ref())?;
    let Intake { audience, schedule, lane, delivery, campaign, handed_in, .. } = intake;
    let plan = Plan {
        message: &message,
        audience: &audience,
        schedule: &schedule,
        handed_in,
        pace: campaign.as_ref().and_then(|campaign| campaign.pace),
    };
    let mut progress = plan.begin();
    let is_small = match &audience.who {
        Who::All | Who::Tags(_) => false,
        Who::Tokens(tokens) => tokens.len() <= PLANNED_AT_ONCE,
        Who::Users(users) => users.len() <= PLANNED_AT_ONCE.min(STEP_USERS),
    };
    let mut shards = Vec::new();
    if is_small {
        let found = api.store().find_candidates(app.id, &plan, &progress).await?;
        shards = plan.step(&mut progress, &found.candidates());
    }
    let id = NotificationId::new(handed_in, rand::random());
    Ok(NewNotification {
        id,
        message,
        audience,
        schedule,
        lane,
        delivery,
        campaign,
        handed_in,
        shards,
        progress,
    })
}

/// Where nothing is authenticated with, nothing could ever be sent.
async fn check_credentials(api: &Api, app: &store::App, intakes: &[Intake]) -> ApiResult<()> {
    let credentials = api.store().credentials(app.id).await?;
    for intake in intakes {
        let wanted = intake.audience.environment;
        if !credentials.iter().any(|(environment, _)| wanted.is_none_or(|wanted| wanted == *environment)) {
            let message = match wanted {
                Some(environment) => format!("the app has no credential for {environment}"),
                None => "the app has no credential".to_owned(),
            };
            return Err(ApiError::new(Code::NoCredential, message));
        }
    }
    Ok(())
}

async fn submit_all(
    api: &Api,
    caller: &Caller,
    app: store::App,
    intakes: Vec<Intake>,
    is_batch: bool,
    idempotency: Option<Idempotency>,
) -> ApiResult<Vec<NotificationId>> {
    check_credentials(api, &app, &intakes).await?;
    let bounds = bounds(api, &app).await?;
    let list = Field::new("notifications");
    let mut notifications = Vec::with_capacity(intakes.len());
    for (index, intake) in intakes.into_iter().enumerate() {
        let at = if is_batch { list.at(index) } else { Field::ROOT };
        notifications.push(prepare(api, &app, at, intake).await?);
    }
    let tenant = caller.tenant()?;
    let submission = Submission {
        tenant,
        app: app.id,
        idempotency,
        bounds,
        notifications,
        replayed: Vec::new(),
        now: now(),
    };
    take(api, submission).await
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
    let app = find(&api, &caller, &one.bundle_id).await?;
    let idempotency = request.with(&body);
    let ids = match repetition(&api, &app, idempotency.as_ref()).await? {
        Some(ids) => ids,
        None => {
            let intake = body_json::read::<NotificationRequest>(&body)?.check(now())?;
            submit_all(&api, &caller, app, vec![intake], false, idempotency).await?
        }
    };
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
    let app = find(&api, &caller, &one.bundle_id).await?;
    let idempotency = request.with(&body);
    let ids = match repetition(&api, &app, idempotency.as_ref()).await? {
        Some(ids) => ids,
        None => {
            let intakes = body_json::read::<BatchRequest>(&body)?.check(now())?;
            submit_all(&api, &caller, app, intakes, true, idempotency).await?
        }
    };
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
