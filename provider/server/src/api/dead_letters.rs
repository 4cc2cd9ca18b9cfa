//! Dead letters: what somebody should look at, and may send again.

use std::collections::BTreeMap;

use apns_provider_server_core::{
    audience::{Audience, Who},
    audit::Action,
    device::{Environment, Kind},
    ids::NotificationId,
    json as body_json,
    plan::Plan,
    problem::{Code, Field, FieldErrors, Problem},
    schedule::Schedule,
    worker::ShardKey,
};
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    access::Caller,
    apps::{OneApp, find},
    error::{ApiError, ApiResult},
    extract::{self, Bytes, Idempotent, Page, Path, Query, cursor, moment, next},
    now,
    taking::{limits, repetition, take},
};
use crate::store::{self, DeadLetter, DeadLetterId, NewNotification, Submission};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(replay)).routes(routes!(forget))
}

/// As many IDs as may be named.
const BODY: usize = 128 * 1024;
/// Dead letters of one request: a page.
const NAMED_MAX: usize = store::PAGE_MAX;

/// A dead letter.
#[derive(Serialize, ToSchema)]
#[schema(as = DeadLetter)]
#[serde(rename_all = "kebab-case")]
struct Shown {
    /// What it is replayed or forgotten by.
    id: String,
    /// The notification that it is of.
    notification: String,
    /// Where its token works.
    environment: Environment,
    /// What its token was issued for.
    kind: Kind,
    /// Its token when it was planned.
    token: String,
    /// The HTTP status of the last answer; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// Why: APNs' word, or one of ours in kebab-case.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// When it ended so.
    at: String,
}

/// Dead letters, in the order in which their notifications were handed in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = DeadLetters)]
struct List {
    dead_letters: Vec<Shown>,
    /// How many the app has.
    count: u64,
    /// What to give as `after` to go on; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Which dead letters.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeadLetterIds)]
struct Which {
    /// Their IDs, as they were listed: 1 to 1000.
    ids: Vec<String>,
}

/// What sends dead letters again.
#[derive(Serialize, ToSchema)]
struct Replayed {
    /// The notifications that do: one for each that they were of, in each environment.
    notifications: Vec<String>,
}

/// What was forgotten.
#[derive(Serialize, ToSchema)]
struct Forgotten {
    /// How many there were of those that were named.
    forgotten: u64,
}

impl Shown {
    fn of(letter: &DeadLetter) -> Self {
        Self {
            id: write(letter.id),
            notification: letter.id.shard.notification.to_string(),
            environment: letter.environment,
            kind: letter.kind,
            token: letter.token.as_str().to_owned(),
            status: (letter.status != 0).then_some(letter.status),
            why: letter.why.as_ref().map(ToString::to_string),
            at: moment(letter.at),
        }
    }
}

fn write(id: DeadLetterId) -> String {
    format!("{}.{}.{}", id.shard.notification, id.shard.number, id.position)
}

fn read(text: &str) -> Option<DeadLetterId> {
    let mut parts = text.split('.');
    let notification = NotificationId::parse(parts.next()?).ok()?;
    let shard = ShardKey { notification, number: parts.next()?.parse().ok()? };
    let position = parts.next()?.parse().ok()?;
    parts.next().is_none().then_some(DeadLetterId { shard, position })
}

impl Which {
    fn check(&self) -> Result<Vec<DeadLetterId>, Problem> {
        let at = Field::new("ids");
        let mut errors = FieldErrors::default();
        let count = self.ids.len();
        if count == 0 || count > NAMED_MAX {
            errors.refuse(at, format_args!("there are {count}; give 1 to {NAMED_MAX}"));
            return errors.finish(None);
        }
        let ids: Vec<_> = self
            .ids
            .iter()
            .enumerate()
            .map(|(index, text)| errors.keep(at.at(index), read(text).ok_or("it is no ID of a dead letter")))
            .collect();
        let ids: Option<std::collections::BTreeSet<_>> = ids.into_iter().collect();
        errors.finish(ids.map(|ids| ids.into_iter().collect()))
    }
}

/// An app's dead letters
#[utoipa::path(
    get, path = "/v1/apps/{bundle-id}/dead-letters", tag = "dead-letters", params(OneApp, Page),
    responses((status = 200, body = List), ApiError)
)]
async fn list(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneApp>,
    Query(page): Query<Page>,
) -> ApiResult<Json<List>> {
    let after = cursor(page.after.as_deref(), read)?;
    let app = find(&api, &caller, &one.bundle_id).await?;
    let letters = api.store().dead_letters(app.id, after, page.limit.get()).await?;
    let count = api.store().count_dead_letters(app.id).await?;
    let next = next(&letters, page.limit, |letter| write(letter.id));
    Ok(Json(List { dead_letters: letters.iter().map(Shown::of).collect(), count, next }))
}

/// Send dead letters again
///
/// A new notification with the same message goes to just those, at once. All of them are taken, or none.
#[utoipa::path(
    post, path = "/v1/apps/{bundle-id}/dead-letters/replay", tag = "dead-letters",
    params(OneApp, ("idempotency-key" = Option<String>, Header, description = "What the request is known by if it is sent again: up to 255 visible ASCII characters.")),
    request_body = Which, responses((status = 202, body = Replayed), ApiError)
)]
async fn replay(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneApp>,
    request: Idempotent,
    Bytes(body): Bytes<BODY>,
) -> ApiResult<(StatusCode, Json<Replayed>)> {
    let app = find(&api, &caller, &one.bundle_id).await?;
    let idempotency = request.with(&body);
    if let Some(notifications) = repetition(&api, &app, idempotency.as_ref()).await? {
        return Ok(replayed(&notifications));
    }
    let ids = body_json::read::<Which>(&body)?.check()?;
    let letters = api.store().dead_letters_of(app.id, &ids).await?;
    if letters.len() < ids.len() {
        let gone = ids.iter().find(|id| !letters.iter().any(|letter| letter.id == **id));
        let gone = gone.map(|id| write(*id)).unwrap_or_default();
        return Err(ApiError::new(Code::UnknownDeadLetter, format!("the app has no dead letter {gone}")));
    }
    let notifications = again(&api, &app, &letters).await?;
    let (bounds, rates) = limits(&api, &app, &api.store().terms(app.id).await?)?;
    let submission = Submission {
        tenant: caller.tenant()?,
        app: app.id,
        idempotency,
        bounds,
        rates,
        notifications,
        replayed: ids,
        now: now(),
    };
    let count = submission.replayed.len();
    let ids = take(&api, submission).await?;
    let detail = json!({ "dead-letters": count });
    caller.audit(&api, Action::DeadLettersReplayed, app.bundle_id.as_str(), detail).await?;
    Ok(replayed(&ids))
}

fn replayed(notifications: &[NotificationId]) -> (StatusCode, Json<Replayed>) {
    let notifications = notifications.iter().map(ToString::to_string).collect();
    (StatusCode::ACCEPTED, Json(Replayed { notifications }))
}

/// The notifications that send them again, planned already: one for each that they were of, in each environment.
async fn again(api: &Api, app: &store::App, letters: &[DeadLetter]) -> ApiResult<Vec<NewNotification>> {
    let mut groups: BTreeMap<(NotificationId, Environment), Vec<&DeadLetter>> = BTreeMap::new();
    for letter in letters {
        groups.entry((letter.id.shard.notification, letter.environment)).or_default().push(letter);
    }
    let at = now();
    let mut notifications = Vec::new();
    for ((of, environment), letters) in groups {
        let (Some(state), Some((message, ..))) = (
            api.store().notification(app.id, of).await?,
            api.store().notification_content(app.id, of).await?,
        ) else {
            let message = format!("the notification {of} of a dead letter is not kept any more");
            return Err(ApiError::new(Code::UnknownDeadLetter, message));
        };
        let tokens = letters.iter().map(|letter| letter.token.clone()).collect();
        let audience = Audience { who: Who::Tokens(tokens), environment: Some(environment) };
        let schedule = Schedule::Now;
        let plan =
            Plan { message: &message, audience: &audience, schedule: &schedule, handed_in: at, pace: None };
        let mut progress = plan.begin();
        let found = api.store().find_candidates(app.id, &plan, &progress).await?;
        let shards = plan.step(&mut progress, &found.candidates());
        notifications.push(NewNotification {
            id: NotificationId::new(at, rand::random()),
            message,
            audience,
            schedule,
            lane: apns_provider_server_core::lanes::Lane::Normal,
            delivery: state.delivery,
            campaign: None,
            handed_in: at,
            shards,
            progress,
        });
    }
    Ok(notifications)
}

/// Forget dead letters
#[utoipa::path(
    post, path = "/v1/apps/{bundle-id}/dead-letters/forget", tag = "dead-letters", params(OneApp),
    request_body = Which, responses((status = 200, body = Forgotten), ApiError)
)]
async fn forget(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneApp>,
    extract::Json(which): extract::Json<Which, BODY>,
) -> ApiResult<Json<Forgotten>> {
    let ids = which.check()?;
    let app = find(&api, &caller, &one.bundle_id).await?;
    let forgotten = api.store().remove_dead_letters(app.id, &ids).await?;
    let detail = json!({ "dead-letters": forgotten });
    caller.audit(&api, Action::DeadLettersForgotten, app.bundle_id.as_str(), detail).await?;
    Ok(Json(Forgotten { forgotten }))
}
