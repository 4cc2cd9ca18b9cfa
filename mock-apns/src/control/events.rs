//! Everything that happens, as it happens.

use std::{collections::VecDeque, convert::Infallible};

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header::ACCEPT},
    response::{
        IntoResponse as _, Response,
        sse::{self, KeepAlive, Sse},
    },
};
use futures::stream::{self, Stream};
use mock_apns_core::{Filter, Record, Service, TeamAt, TeamId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Control,
    error::{ApiError, ApiResult, ErrorCode},
    extract::{FilterText, Limit, Query},
    notifications::known_cursor,
    waiting::Wait,
};
use crate::json::raw;

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(events))
}

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// The team's ID; left out, the ready-made team's.
    #[param(value_type = Option<String>)]
    team: Option<TeamId>,
    /// `true`: not a team's, but what concerns none: requests without credentials that anyone knows, connections with a certificate
    /// of nobody's, faults at the door. It cannot be streamed.
    #[serde(default)]
    nobodys: bool,
    /// Which ones are meant; the grammar is in docs/filters.md. Left out, all of them.
    #[serde(default)]
    #[param(value_type = Option<String>, example = "event:device")]
    filter: FilterText,
    /// A cursor: only what comes after it. Left out, everything that is still there.
    after: Option<u64>,
    /// Most entries to list at once, 1 to 1000.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
}

/// Entries of a team's journal.
#[derive(Serialize, ToSchema)]
#[schema(as = Events)]
struct List {
    /// In the order in which they happened.
    #[schema(value_type = Vec<Object>)]
    events: Vec<Box<RawValue>>,
    /// What to give as `after` to go on. Absent while nothing has happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
    /// How many entries after the cursor have made room for newer ones before anyone read them.
    evicted: u64,
}

/// Entries of a journal, read from a cursor on.
struct Reading {
    filter: Filter,
    after: Option<u64>,
    limit: usize,
}

/// What was read at once.
struct Page {
    /// Each with its cursor and the kind of event.
    entries: Vec<(u64, &'static str, Box<RawValue>)>,
    evicted: u64,
}

/// Everything that happened to a team
///
/// As JSON a page at a time; or, for whoever accepts `text/event-stream`, as server-sent events that go on as things happen.
/// The id of an event is its cursor: a browser that lost its connection goes on behind `Last-Event-ID`. An event called
/// `evicted` says how many entries had made room for newer ones before they were read.
#[utoipa::path(
    get, path = "/v1/events", tag = "events", params(Wanted),
    responses((status = 200, content((List = "application/json"), (String = "text/event-stream"))), ApiError)
)]
async fn events(
    State(control): State<Control>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let Wanted { team, nobodys, filter, after, limit } = wanted;
    if nobodys && team.is_some() {
        return Err(ApiError::new(
            ErrorCode::BadParameter,
            "parameter nobodys: what is nobody's is no team's",
        ));
    }
    let (filter, limit) = (filter.0?, limit.get());
    let is_stream =
        headers.get(ACCEPT).is_some_and(|accept| accept.as_bytes().starts_with(b"text/event-stream"));
    if !is_stream {
        let mut reading = Reading { filter, after, limit };
        let Page { entries, evicted } = if nobodys {
            reading.page_of_nobodys(control.shared().batch().service())?
        } else {
            control.in_team(team, |team| reading.page(team))?
        };
        let events = entries.into_iter().map(|(_, _, entry)| entry).collect();
        return Ok(Json(List { events, next: reading.after, evicted }).into_response());
    }
    if nobodys {
        let message = "parameter nobodys: what is nobody's is told a page at a time, and not streamed";
        return Err(ApiError::new(ErrorCode::BadParameter, message));
    }
    let last = headers.get("last-event-id").map(|id| cursor(id.as_bytes())).transpose()?;
    let reading = Reading { filter, after: last.or(after), limit };
    Ok(Sse::new(stream_of(control, team, reading)?).keep_alive(KeepAlive::default()).into_response())
}

impl Reading {
    /// The next entries, from where it stands.
    fn page(&mut self, team: &TeamAt<'_>) -> ApiResult<Page> {
        let team = team.team();
        known_cursor(self.after, team)?;
        let begin = self.begin();
        Ok(self.read(team.journal(begin), team.oldest_cursor()))
    }

    /// The same of what concerns no team.
    fn page_of_nobodys(&mut self, service: &Service) -> ApiResult<Page> {
        let cursors = service.unclaimed_cursors();
        if let Some(after) = self.after.filter(|after| *after >= cursors.end) {
            let message = format!("parameter after: {after} is no cursor of what is nobody's");
            return Err(ApiError::new(ErrorCode::BadCursor, message));
        }
        Ok(self.read(service.unclaimed(self.begin()), cursors.start))
    }

    fn begin(&self) -> u64 {
        self.after.map_or(0, |after| after + 1)
    }

    fn read<'a>(&mut self, records: impl Iterator<Item = Record<'a>>, oldest: u64) -> Page {
        let begin = self.begin();
        let mut entries = Vec::new();
        for record in records {
            self.after = Some(record.cursor);
            if self.filter.matches(&record) {
                entries.push((record.cursor, record.event.name(), raw(&record)));
                if entries.len() == self.limit {
                    break;
                }
            }
        }
        Page { entries, evicted: oldest.saturating_sub(begin) }
    }
}

/// Server-sent events until the double stops or the team is gone.
fn stream_of(
    control: Control,
    team: Option<TeamId>,
    mut reading: Reading,
) -> ApiResult<impl Stream<Item = Result<sse::Event, Infallible>>> {
    let wait = Wait::for_ever(&control, control.team_id(team))?;
    // A cursor that is none is refused before anything is sent.
    let first = control.in_team(team, |team| reading.page(team))?;
    let state = (control, reading, wait, VecDeque::from(first.events()));
    Ok(stream::unfold(state, move |(control, mut reading, mut wait, mut ready)| async move {
        loop {
            if let Some(event) = ready.pop_front() {
                return Some((Ok(event), (control, reading, wait, ready)));
            }
            let page = control.in_team(team, |team| reading.page(team)).ok()?;
            control.shared().kept().await.ok()?;
            ready.extend(page.events());
            if ready.is_empty() && !wait.next().await {
                return None;
            }
        }
    }))
}

impl Page {
    fn events(self) -> Vec<sse::Event> {
        let lost =
            (self.evicted > 0).then(|| sse::Event::default().event("evicted").data(self.evicted.to_string()));
        let entries = self.entries.into_iter().map(|(cursor, kind, entry)| {
            sse::Event::default().id(cursor.to_string()).event(kind).data(entry.get())
        });
        lost.into_iter().chain(entries).collect()
    }
}

fn cursor(text: &[u8]) -> ApiResult<u64> {
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    number.ok_or_else(|| {
        let message = format!("Last-Event-ID: {:?} is no cursor", String::from_utf8_lossy(text));
        ApiError::new(ErrorCode::BadCursor, message)
    })
}
