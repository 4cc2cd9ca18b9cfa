//! What must, or must not, have been received: said by a test, judged here.

use std::{fmt::Write as _, time::Duration};

use axum::{Json, extract::State};
use mock_apns_core::{Decision, Expectation, Tally, Team, Times};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Control, InTeam,
    clock::duration,
    error::{ApiError, ApiResult, ErrorCode},
    extract::{self, FilterText, Query},
    notifications::{NearMiss, Notification, known_cursor},
    waiting::{WAIT_MAX, Wait},
};
use crate::json::raw;

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(assert))
}

/// What must hold.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schema(as = Assertions)]
struct Asked {
    /// All of it must hold.
    assertions: Vec<Assertion>,
    /// How long to wait until it does; left out, not at all.
    #[serde(default, deserialize_with = "duration")]
    #[schema(value_type = Option<String>, example = "5s")]
    wait: Duration,
    /// How long to go on looking once it holds, so that what must not come is given time to come; left out, not at all.
    #[serde(default, deserialize_with = "duration")]
    #[schema(value_type = Option<String>, example = "200ms")]
    settle: Duration,
}

/// How many notifications there must be of a kind.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Assertion {
    /// What it is called in the verdict; left out, its filter.
    name: Option<String>,
    /// Which notifications are meant; the grammar is in docs/filters.md. Left out, all of them.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "device:phone status:\"Delivered to Device\"")]
    filter: FilterText,
    /// A cursor: only what comes after it.
    after: Option<u64>,
    /// How many at least; left out, one, or none where there is a `max`.
    min: Option<usize>,
    /// How many at most; 0: there must be none. Left out, any number.
    max: Option<usize>,
}

/// Whether it holds.
#[derive(Serialize, ToSchema)]
#[schema(as = Verdict)]
struct Verdict {
    /// Whether all of it does.
    holds: bool,
    /// What to print when it does not: each assertion in a line or more.
    text: String,
    /// Each assertion, in the order of the request.
    assertions: Vec<Judged>,
}

/// Whether an assertion holds.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = JudgedAssertion)]
struct Judged {
    /// What it is called.
    name: String,
    /// Whether it holds.
    holds: bool,
    /// How many there must be, in words.
    #[schema(example = "at least 1")]
    expected: String,
    /// How many there are.
    found: usize,
    /// The first of them.
    #[schema(value_type = Vec<Notification>)]
    notifications: Vec<Box<RawValue>>,
    /// Where there are too few: what came nearest, and what differed.
    #[schema(value_type = Vec<NearMiss>)]
    near_misses: Vec<Box<RawValue>>,
}

/// Assert what was received, and what was not
///
/// The answer is 200 whether it holds or not, and comes as soon as that is known: with `wait`, when all of it holds (and
/// has settled), when there is too much of something, or when the time is over.
#[utoipa::path(
    post, path = "/v1/assertions", tag = "notifications", params(InTeam), request_body = Asked,
    responses((status = 200, body = Verdict), ApiError)
)]
async fn assert(
    State(control): State<Control>,
    Query(InTeam { team }): Query<InTeam>,
    extract::Json(asked): extract::Json<Asked>,
) -> ApiResult<Json<Verdict>> {
    let Asked { assertions, wait, settle } = asked;
    if assertions.is_empty() || assertions.len() > ASSERTIONS_MAX {
        let message =
            format!("field assertions: {} of them, and it takes 1 to {ASSERTIONS_MAX}", assertions.len());
        return Err(ApiError::new(ErrorCode::BadValue, message));
    }
    if wait > WAIT_MAX || settle > WAIT_MAX {
        let message = format!("fields wait and settle: at most {} seconds each", WAIT_MAX.as_secs());
        return Err(ApiError::new(ErrorCode::BadValue, message));
    }
    let mut asked = assertions.into_iter().map(Judging::new).collect::<ApiResult<Vec<_>>>()?;
    let team = control.team_id(team);
    let mut waiting = Wait::begin(&control, team, wait)?;
    let mut settling = settle.is_zero();
    loop {
        let state = control.in_team(Some(team), |team| decide(&mut asked, team.team()))?;
        let is_decided = match state {
            Decision::Fails => true,
            Decision::Holds if settling => settle.is_zero(),
            Decision::Holds => {
                waiting.end_in(settle);
                settling = true;
                false
            }
            Decision::Open => false,
        };
        if is_decided || !waiting.next().await {
            return control
                .in_team(Some(team), |team| Ok::<_, ApiError>(Json(Verdict::of(&mut asked, team.team()))));
        }
    }
}

/// What is known of all of them: the worst.
fn decide(all: &mut [Judging], team: &Team) -> ApiResult<Decision> {
    let mut worst = Decision::Holds;
    for Judging { tally, .. } in all {
        known_cursor(tally.expectation().after, team)?;
        worst = worst.max(tally.decide(team));
    }
    Ok(worst)
}

/// An assertion, with what was found so far.
struct Judging {
    name: String,
    tally: Tally,
}

impl Judging {
    fn new(assertion: Assertion) -> ApiResult<Self> {
        let Assertion { name, filter, after, min, max } = assertion;
        let filter = filter.0?;
        let times = Times::new(min.unwrap_or_else(|| usize::from(max.is_none())), max)
            .map_err(|error| ApiError::new(ErrorCode::BadValue, format!("field assertions: {error}")))?;
        let name = name.unwrap_or_else(|| match filter.to_string() {
            text if text.is_empty() => "any notification".to_owned(),
            text => text,
        });
        Ok(Self { name, tally: Tally::new(Expectation { filter, after, times }) })
    }

    /// Judges what has come up to now, and writes what a person needs to read.
    fn judge(&mut self, team: &Team, text: &mut String) -> Judged {
        let Self { name, tally } = self;
        let decision = tally.count(team);
        let (expected, found) = (tally.expectation().times.to_string(), tally.found());
        let mark = if decision == Decision::Holds { "holds" } else { "FAILS" };
        let _ = writeln!(text, "{mark}: {name}: expected {expected}, found {found}");
        let near_misses =
            if decision == Decision::Open { tally.near_misses(team, SHOWN) } else { Vec::new() };
        for miss in &near_misses {
            let _ = writeln!(text, "  nearly: {miss}");
        }
        Judged {
            name: name.clone(),
            holds: decision == Decision::Holds,
            expected,
            found,
            notifications: tally.pushes(team, SHOWN).pushes.iter().map(raw).collect(),
            near_misses: near_misses.iter().map(raw).collect(),
        }
    }
}

impl Verdict {
    fn of(asked: &mut [Judging], team: &Team) -> Self {
        let mut text = String::new();
        let assertions: Vec<Judged> = asked.iter_mut().map(|one| one.judge(team, &mut text)).collect();
        Self { holds: assertions.iter().all(|one| one.holds), text, assertions }
    }
}

/// Assertions in one request: each looks at every new notification.
const ASSERTIONS_MAX: usize = 100;
/// Notifications that are shown of each assertion, and near misses: more than that nobody reads.
const SHOWN: usize = 5;
