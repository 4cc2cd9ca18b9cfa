//! The team's time, which a test turns.

use std::time::Duration;

use axum::{Json, extract::State};
use mock_apns_core::{Clock, ClockError, TeamAt, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Control, InTeam,
    error::{ApiError, ApiResult},
    extract::{self, Query},
};
use crate::json::raw;

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(read, set)).routes(routes!(advance))
}

/// The team's time.
#[derive(Serialize, ToSchema)]
#[schema(as = Clock)]
struct View {
    /// The team's time, in milliseconds since 1970.
    #[schema(value_type = u64, example = 1_700_000_000_000_u64)]
    now: Timestamp,
    /// Whether it runs with the machine's clock or stands until it is set.
    mode: Mode,
}

/// How a team's time goes.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = ClockMode)]
enum Mode {
    /// It runs with the machine's clock, ahead of it by as much as it was advanced.
    Machine,
    /// It stands still until it is set or advanced.
    Manual,
}

/// How to set a clock.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(tag = "mode", rename_all = "kebab-case", deny_unknown_fields)]
#[schema(as = SetClock)]
pub(super) enum Set {
    /// Stand still at a time, which may be the present one, and never an earlier one.
    Manual {
        /// The time, in milliseconds since 1970; left out, the present one.
        #[schema(value_type = Option<u64>)]
        now: Option<Timestamp>,
    },
    /// Run with the machine's clock from here on. One that was behind jumps to the machine's time; one that was ahead stays
    /// ahead.
    Machine {},
}

/// How far to advance a clock.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AdvanceClock)]
struct Advance {
    /// A duration, such as `90s`, `20m`, `8h` or `28d`.
    #[serde(deserialize_with = "duration")]
    #[schema(value_type = String, example = "28d")]
    by: Duration,
}

/// The clock, and what setting it has brought about.
#[derive(Serialize, ToSchema)]
#[schema(as = ClockChange)]
struct Change {
    #[serde(flatten)]
    clock: View,
    /// What was due until then and has happened now, each thing at its time: entries of the journal.
    #[schema(value_type = Vec<Object>)]
    fired: Vec<Box<RawValue>>,
}

impl View {
    fn of(team: &TeamAt<'_>) -> Self {
        let mode = match team.team().clock() {
            Clock::Machine { .. } => Mode::Machine,
            Clock::Manual { .. } => Mode::Manual,
        };
        Self { now: team.now(), mode }
    }
}

/// The team's time
#[utoipa::path(get, path = "/v1/clock", tag = "clock", params(InTeam), responses((status = 200, body = View), ApiError))]
async fn read(
    State(control): State<Control>,
    Query(InTeam { team }): Query<InTeam>,
) -> ApiResult<Json<View>> {
    control.in_team::<_, ApiError>(team, |team| Ok(Json(View::of(team))))
}

/// Set the team's time, or let it go
///
/// Everything that ages follows it: provider tokens, certificates, expirations, what is stored, the timestamps of 410,
/// rate limits. It never goes backwards.
#[utoipa::path(
    put, path = "/v1/clock", tag = "clock", params(InTeam), request_body = Set,
    responses((status = 200, body = Change), ApiError)
)]
async fn set(
    State(control): State<Control>,
    Query(InTeam { team }): Query<InTeam>,
    extract::Json(set): extract::Json<Set>,
) -> ApiResult<Json<Change>> {
    control.in_team::<_, ClockError>(team, |team| {
        let before = team.team().next_cursor();
        set.carry_out(team)?;
        Ok(Json(Change::since(before, team)))
    })
}

/// Advance the team's time
///
/// What is due until then happens, each thing at its time, and is listed in the answer. A clock that runs goes on running,
/// so much further ahead.
#[utoipa::path(
    post, path = "/v1/clock/advance", tag = "clock", params(InTeam), request_body = Advance,
    responses((status = 200, body = Change), ApiError)
)]
async fn advance(
    State(control): State<Control>,
    Query(InTeam { team }): Query<InTeam>,
    extract::Json(advance): extract::Json<Advance>,
) -> ApiResult<Json<Change>> {
    control.in_team::<_, ApiError>(team, |team| {
        let before = team.team().next_cursor();
        team.advance_clock(advance.by);
        Ok(Json(Change::since(before, team)))
    })
}

impl Set {
    pub(super) fn carry_out(&self, team: &mut TeamAt<'_>) -> Result<(), ClockError> {
        match self {
            Self::Machine {} => team.follow_machine(),
            Self::Manual { now } => {
                let now = now.unwrap_or_else(|| team.now());
                team.set_clock(now)?;
            }
        }
        Ok(())
    }

    /// What sets another clock to this team's; `None`: it follows the machine's, and is not ahead.
    pub(super) fn of(team: &TeamAt<'_>) -> Option<Self> {
        match team.team().clock() {
            Clock::Machine { .. } => None,
            Clock::Manual { now } => Some(Self::Manual { now: Some(now) }),
        }
    }
}

impl Change {
    fn since(cursor: u64, team: &TeamAt<'_>) -> Self {
        let fired = team.team().journal(cursor).map(|record| raw(&record)).collect();
        Self { clock: View::of(team), fired }
    }
}

/// Reads a duration as people write it.
pub(super) fn duration<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = std::borrow::Cow::<str>::deserialize(from)?;
    humantime::parse_duration(&text).map_err(|error| {
        serde::de::Error::custom(format_args!(
            "{text:?} is not a duration ({error}): write it like 90s, 20m, 8h or 28d"
        ))
    })
}
