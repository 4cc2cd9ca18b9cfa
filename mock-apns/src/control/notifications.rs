//! What was pushed, accepted or refused, and what has become of it.

use std::time::Duration;

use axum::{Json, extract::State};
use mock_apns_core::{Decision, Expectation, Tally, Team, TeamId, Times};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Control, InTeam,
    clock::duration,
    error::{ApiError, ApiResult, ErrorCode},
    extract::{FilterText, Limit, Path, Query},
    waiting::Wait,
};
use crate::json::raw;

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}

/// Which notifications, and how long to wait for them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// The team's ID; left out, the ready-made team's.
    #[param(value_type = Option<String>)]
    team: Option<TeamId>,
    /// Which ones are meant; the grammar is in docs/filters.md. Left out, all of them.
    #[serde(default)]
    #[param(value_type = Option<String>, example = "device:phone type:alert \"Hello\"")]
    filter: FilterText,
    /// A cursor: only what comes after it. `next` of an answer is the one to go on with.
    after: Option<u64>,
    /// Most notifications to list, 1 to 1000.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// How long to wait until there are as many as `min`, such as `5s`; left out, not at all.
    #[serde(default, deserialize_with = "optional_duration")]
    #[param(value_type = Option<String>, example = "5s")]
    wait: Option<Duration>,
    /// How many to wait for; left out, one.
    min: Option<usize>,
}

/// Notifications, and how to go on.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = Notifications)]
struct List {
    /// In the order in which the filter found them.
    #[schema(value_type = Vec<Notification>)]
    notifications: Vec<Box<RawValue>>,
    /// What to give as `after` to go on: nothing is listed twice, and nothing is missed. Absent while nothing has happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
    /// How many entries of the journal after the cursor have made room for newer ones before anyone read them.
    evicted: u64,
    /// Of a request that waited: whether there were as many as were waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    satisfied: Option<bool>,
    /// Of a wait in vain: what came nearest, and what differed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<NearMiss>)]
    near_misses: Vec<Box<RawValue>>,
}

/// Something that was nearly what was asked for.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "describes what the core writes")]
pub(super) struct NearMiss {
    /// The entry of the journal.
    cursor: u64,
    /// The push.
    apns_id: String,
    /// What was asked and what it has, for each term of the filter that does not hold.
    #[schema(example = json!(["type: asked alert, has background"]))]
    differences: Vec<String>,
}

/// A push, accepted or refused.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "describes what the core writes")]
pub(super) struct Notification {
    /// Where it stands in the list.
    cursor: u64,
    /// When it came, in milliseconds since 1970 by the team's clock.
    at: u64,
    /// The `apns-id` of the answer.
    apns_id: String,
    /// The `apns-unique-id` of the answer, where there was one.
    apns_unique_id: Option<String>,
    /// `accepted` or `refused`.
    verdict: String,
    /// What was answered, and by which rule.
    answer: PushAnswer,
    /// The connection that it came on.
    connection: u64,
    /// The stream that it came on.
    stream: u32,
    /// The fields that APNs reads, each as it came first. The secret part of `authorization` is cut.
    #[schema(value_type = Object)]
    headers: (),
    /// Every field in order, also unknown and repeated ones.
    raw_headers: Vec<Vec<String>>,
    /// The payload as text.
    payload: String,
    /// The payload as JSON, if it is.
    #[schema(value_type = Option<Object>)]
    json: (),
    /// Its number among the team's accepted ones.
    number: Option<u64>,
    /// The device that it was for.
    device: Option<String>,
    /// The app that it was for.
    app: Option<String>,
    /// The environment of the app's build.
    environment: Option<String>,
    /// What the device token is for.
    kind: Option<String>,
    /// The number of the Live Activity whose token it is.
    activity: Option<u32>,
    /// The device token.
    token: Option<String>,
    /// The topic.
    topic: Option<String>,
    /// What has become of it, in order, in the words of Apple's console.
    history: Vec<HistoryStep>,
    /// The last of it; of a refused one the status of the answer.
    #[schema(value_type = String)]
    status: (),
    /// What the device shows of it, once it was delivered.
    #[schema(value_type = Option<Object>)]
    shown: (),
    /// Why the device shows less than may have been meant.
    #[schema(value_type = Option<Vec<Object>>)]
    warnings: (),
}

/// What was answered to a push.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "describes what the core writes")]
struct PushAnswer {
    /// The `:status`.
    status: u16,
    /// Why it was refused.
    reason: Option<String>,
    /// The rule that did not hold.
    rule: Option<String>,
    /// What a provider that breaks it has usually done.
    usual_mistake: Option<String>,
}

/// A step in the life of a push.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what the core writes")]
struct HistoryStep {
    /// The entry of the journal.
    cursor: u64,
    /// When, in milliseconds since 1970 by the team's clock.
    at: u64,
    /// What it reached.
    #[schema(value_type = String)]
    status: (),
    /// Why, where the status alone does not tell.
    #[schema(value_type = Option<Object>)]
    because: (),
}

/// A push.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct OnePush {
    /// Its `apns-id` or `apns-unique-id`.
    id: String,
}

/// What was pushed
///
/// Accepted pushes and refused ones, once each: a push stands where the filter first found an entry about it. With `wait` the
/// answer comes as soon as there are as many as `min`; when the time is over, with what there is and with the near misses.
#[utoipa::path(
    get, path = "/v1/notifications", tag = "notifications", params(Wanted), responses((status = 200, body = List), ApiError)
)]
async fn list(State(control): State<Control>, Query(wanted): Query<Wanted>) -> ApiResult<Json<List>> {
    let Wanted { team, filter, after, limit, wait, min } = wanted;
    let times = Times::at_least(min.unwrap_or(1));
    let mut tally = Tally::new(Expectation { filter: filter.0?, after, times });
    let team = control.team_id(team);
    let Some(time) = wait else {
        if min.is_some() {
            let message = "parameter min: how many to wait for; there is no `wait`";
            return Err(ApiError::new(ErrorCode::BadParameter, message));
        }
        return control.in_team(Some(team), |team| {
            known_cursor(after, team.team())?;
            Ok::<_, ApiError>(Json(List::of(&control, &tally, team.team(), limit, None)))
        });
    };
    let mut wait = Wait::begin(&control, team, time)?;
    let mut is_over = false;
    loop {
        let list = control.in_team(Some(team), |team| {
            known_cursor(after, team.team())?;
            let is_satisfied = tally.decide(team.team()) == Decision::Holds;
            let is_done = is_satisfied || is_over;
            Ok::<_, ApiError>(
                is_done.then(|| List::of(&control, &tally, team.team(), limit, Some(is_satisfied))),
            )
        })?;
        if let Some(list) = list {
            return Ok(Json(list));
        }
        is_over = !wait.next().await;
    }
}

/// One push
#[utoipa::path(
    get, path = "/v1/notifications/{id}", tag = "notifications", params(OnePush, InTeam),
    responses((status = 200, body = Notification), ApiError)
)]
async fn get(
    State(control): State<Control>,
    Path(OnePush { id }): Path<OnePush>,
    Query(InTeam { team }): Query<InTeam>,
) -> ApiResult<Json<Box<RawValue>>> {
    control.in_team(team, |team| {
        let unknown = || {
            let message = format!("the journal of {} has no push with the apns-id {id}", team.team().id());
            ApiError::new(ErrorCode::UnknownNotification, message)
        };
        team.team().push(&id).map(|push| Json(raw(&push))).ok_or_else(unknown)
    })
}

impl List {
    fn of(control: &Control, tally: &Tally, team: &Team, limit: Limit, satisfied: Option<bool>) -> Self {
        let found = tally.pushes(team, limit.get());
        let in_vain = satisfied == Some(false);
        let near_misses = if in_vain { tally.near_misses(team, NEAR_MISSES) } else { Vec::new() };
        Self {
            notifications: match &found.pushes[..] {
                [push] => vec![control.last_written().text(team, push)],
                pushes => pushes.iter().map(raw).collect(),
            },
            next: found.next,
            evicted: found.evicted,
            satisfied,
            near_misses: near_misses.iter().map(raw).collect(),
        }
    }
}

/// Refuses a cursor that no entry of a team has had yet.
pub(super) fn known_cursor(after: Option<u64>, team: &Team) -> ApiResult<()> {
    let next = team.next_cursor();
    let Some(after) = after.filter(|after| *after >= next) else { return Ok(()) };
    let newest = next
        .checked_sub(1)
        .map_or_else(|| "there is none yet".to_owned(), |newest| format!("the newest is {newest}"));
    let message = format!("parameter after: {after} is no cursor of {}: {newest}", team.id());
    Err(ApiError::new(ErrorCode::BadCursor, message))
}

/// Near misses in one answer: more than that nobody reads.
const NEAR_MISSES: usize = 5;

fn optional_duration<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    duration(from).map(Some)
}
