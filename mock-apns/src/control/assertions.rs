//! What must, or must not, have been received: said by a test, judged here.

use std::time::Duration;

use axum::{Json, extract::State};
use mock_apns_core::{Pushes, TeamAt};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Control, InTeam,
    clock::duration,
    error::{ApiError, ApiResult, ErrorCode},
    extract::{self, Query},
    notifications::{FilterText, NearMiss, Notification, Range},
    raw,
    waiting::{WAIT_MAX, Wait},
};

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
    let mut asked = assertions.into_iter().map(Counting::new).collect::<ApiResult<Vec<_>>>()?;
    let team = control.team_id(team);
    let mut waiting = Wait::begin(&control, team, wait)?;
    let mut settling = settle.is_zero();
    loop {
        let state = control.in_team(Some(team), |team| Counting::go_on(&mut asked, team))?;
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
            return control.in_team(Some(team), |team| Verdict::of(&mut asked, team).map(Json));
        }
    }
}

/// An assertion, with how many were found so far.
struct Counting {
    name: String,
    min: usize,
    max: Option<usize>,
    range: Range,
    /// What was not looked at yet.
    rest: Range,
    found: usize,
}

/// What is known of assertions so far.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Decision {
    /// All of them hold, so far.
    Holds,
    /// One has too many, and that does not change.
    Fails,
    /// One has too few, so far.
    Open,
}

impl Counting {
    fn new(assertion: Assertion) -> ApiResult<Self> {
        let Assertion { name, filter, after, min, max } = assertion;
        let filter = filter.0?;
        let min = min.unwrap_or_else(|| usize::from(max.is_none()));
        if let Some(max) = max.filter(|max| *max < min) {
            let message = format!("field assertions: at least {min} and at most {max} cannot both be");
            return Err(ApiError::new(ErrorCode::BadValue, message));
        }
        let name = name.unwrap_or_else(|| match filter.to_string() {
            text if text.is_empty() => "any notification".to_owned(),
            text => text,
        });
        let range = Range { filter: filter.clone(), after, limit: SHOWN };
        Ok(Self { name, min, max, range, rest: Range { filter, after, limit: AT_ONCE }, found: 0 })
    }

    /// Counts what is new.
    fn go_on(all: &mut [Self], team: &TeamAt<'_>) -> ApiResult<Decision> {
        let mut decision = Decision::Holds;
        for one in all {
            loop {
                let Pushes { pushes, next, .. } = one.rest.find(team)?;
                one.found += pushes.len();
                one.rest.after = next;
                if pushes.len() < one.rest.limit {
                    break;
                }
            }
            if one.max.is_some_and(|max| one.found > max) {
                decision = Decision::Fails;
            } else if one.found < one.min && decision == Decision::Holds {
                decision = Decision::Open;
            }
        }
        Ok(decision)
    }

    fn holds(&self) -> bool {
        self.found >= self.min && self.max.is_none_or(|max| self.found <= max)
    }

    fn expected(&self) -> String {
        match (self.min, self.max) {
            (_, Some(0)) => "none".to_owned(),
            (0, Some(max)) => format!("at most {max}"),
            (min, None) => format!("at least {min}"),
            (min, Some(max)) if min == max => format!("exactly {min}"),
            (min, Some(max)) => format!("{min} to {max}"),
        }
    }

    fn judge(&self, team: &TeamAt<'_>) -> ApiResult<Judged> {
        let is_short = self.found < self.min;
        Ok(Judged {
            name: self.name.clone(),
            holds: self.holds(),
            expected: self.expected(),
            found: self.found,
            notifications: self.range.find(team)?.pushes.iter().map(raw).collect(),
            near_misses: if is_short { self.range.near_misses(team) } else { Vec::new() },
        })
    }

    /// What a person needs to read.
    fn write(&self, team: &TeamAt<'_>, text: &mut String) {
        use std::fmt::Write as _;
        let mark = if self.holds() { "holds" } else { "FAILS" };
        let _ = writeln!(text, "{mark}: {}: expected {}, found {}", self.name, self.expected(), self.found);
        if self.found < self.min {
            for miss in team.team().near_misses(&self.range.filter, self.range.after, SHOWN) {
                let differences: Vec<_> = miss.differences.iter().map(ToString::to_string).collect();
                let id = miss.record.ids().map_or("", |(apns_id, _)| apns_id.as_str());
                let _ = writeln!(text, "  nearly: {id} ({})", differences.join("; "));
            }
        }
    }
}

impl Verdict {
    fn of(asked: &mut [Counting], team: &TeamAt<'_>) -> ApiResult<Self> {
        Counting::go_on(asked, team)?; // what came since
        let mut text = String::new();
        for one in asked.iter() {
            one.write(team, &mut text);
        }
        let assertions = asked.iter().map(|one| one.judge(team)).collect::<ApiResult<Vec<_>>>()?;
        Ok(Self { holds: assertions.iter().all(|one| one.holds), text, assertions })
    }
}

/// Assertions in one request: each looks at every new notification.
const ASSERTIONS_MAX: usize = 100;
/// Notifications that are shown of each assertion, and near misses: more than that nobody reads.
const SHOWN: usize = 5;
/// Notifications that are counted at once.
const AT_ONCE: usize = 1000;
