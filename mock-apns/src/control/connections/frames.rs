//! The log of a connection's frames, and its switch.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header::ACCEPT},
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    super::{
        Control,
        error::{ApiError, ApiResult, ErrorCode},
        extract::{self, Limit, Path, Query, file},
    },
    OneConnection,
    frame_view::FrameView,
    named, unknown,
};
use crate::connections::{Entry, Kind, LogFramesError, LoggedFrame, Name};

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(list, switch)).routes(routes!(of_new, switch_all))
}

/// Which frames.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// A cursor: only what comes after it. Left out, everything that is still there.
    after: Option<u64>,
    /// Most frames to list, 1 to 1000.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
}

/// Frames of a connection.
#[derive(Serialize, ToSchema)]
#[schema(as = Frames)]
struct List {
    /// Whether its frames are logged now.
    on: bool,
    /// In the order in which they were seen.
    frames: Vec<FrameView>,
    /// What to give as `after` to go on. Absent while there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
    /// How many frames after the cursor have made room for newer ones before anyone read them.
    evicted: u64,
}

/// Whether frames are logged.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FrameLogging)]
struct Switch {
    /// Whether they are.
    on: bool,
}

/// Frames that were asked for.
struct Page<'a> {
    frames: Vec<(u64, &'a LoggedFrame)>,
    /// Where to go on.
    next: Option<u64>,
    evicted: u64,
    /// How many more there are.
    more: u64,
}

/// The HTTP/2 frames of a provider's connection
///
/// Each frame in and out, decoded: as JSON, or for whoever accepts `text/plain`, as `nghttp -v` prints them.
/// They are kept while the log is on, the newest 1000 of a connection and no more than 256 KiB, and can be
/// read after it was closed. docs/frames.md says how to read them.
#[utoipa::path(
    get, path = "/v1/connections/{id}/frames", operation_id = "list_frames", tag = "connections",
    params(OneConnection, Wanted),
    responses((status = 200, content((List = "application/json"), (String = "text/plain"))), ApiError)
)]
async fn list(
    State(control): State<Control>,
    Path(OneConnection { id }): Path<OneConnection>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let name = named(&id)?;
    let mut batch = control.shared().batch();
    let entry = batch.connections().0.get(name).ok_or_else(|| unknown(name))?;
    if name.kind() == Kind::Device {
        return Err(has_no_frames(name));
    }
    let page = wanted.read(name, entry)?;
    let is_text = headers.get(ACCEPT).is_some_and(|accept| accept.as_bytes().starts_with(b"text/plain"));
    if is_text {
        return Ok(file(TEXT, page.text()));
    }
    let Page { frames, next, evicted, .. } = page;
    let frames = frames.into_iter().map(|(cursor, frame)| FrameView::of(cursor, frame)).collect();
    Ok(Json(List { on: entry.is_logged(), frames, next, evicted }).into_response())
}

/// Switch the log of a connection's frames on or off
///
/// On: from what comes next on, with the header compression as it stands. Off: what was kept can still be
/// read.
#[utoipa::path(
    put, path = "/v1/connections/{id}/frames", operation_id = "log_frames", tag = "connections", params(OneConnection),
    request_body = Switch, responses((status = 200, body = Switch), ApiError)
)]
async fn switch(
    State(control): State<Control>,
    Path(OneConnection { id }): Path<OneConnection>,
    extract::Json(Switch { on }): extract::Json<Switch>,
) -> ApiResult<Json<Switch>> {
    let name = named(&id)?;
    match control.shared().batch().connections().0.log_frames(name, on) {
        Ok(()) => Ok(Json(Switch { on })),
        Err(LogFramesError::Unknown) => Err(unknown(name)),
        Err(LogFramesError::Device) => Err(has_no_frames(name)),
        Err(LogFramesError::Closed) => Err(ApiError::new(
            ErrorCode::Conflict,
            format!("connection {name} is closed: nothing more comes on it"),
        )
        .hint("To log the next one from its first byte on, switch the log on for all: PUT /v1/connections/frames.")),
    }
}

/// Whether the frames of new connections are logged
#[utoipa::path(
    get, path = "/v1/connections/frames", operation_id = "is_logging_frames", tag = "connections",
    responses((status = 200, body = Switch), ApiError)
)]
async fn of_new(State(control): State<Control>) -> Json<Switch> {
    Json(Switch { on: control.shared().batch().connections().0.logs_new() })
}

/// Switch the log of frames on or off for all connections
///
/// For those that are open, from what comes next on, and for those to come, from their first byte on. What
/// `--trace-frames` does at the start.
#[utoipa::path(
    put, path = "/v1/connections/frames", operation_id = "log_all_frames", tag = "connections",
    request_body = Switch, responses((status = 200, body = Switch), ApiError)
)]
async fn switch_all(
    State(control): State<Control>,
    extract::Json(Switch { on }): extract::Json<Switch>,
) -> Json<Switch> {
    control.shared().batch().connections().0.log_frames_of_all(on);
    Json(Switch { on })
}

impl Wanted {
    fn read<'a>(&self, name: Name, entry: &'a Entry) -> ApiResult<Page<'a>> {
        let log = entry.frames();
        let (oldest, end) = log.range();
        if let Some(after) = self.after.filter(|after| *after >= end) {
            let message = format!("parameter after: {after} is no cursor of connection {name}");
            return Err(ApiError::new(ErrorCode::BadCursor, message));
        }
        let begin = self.after.map_or(0, |after| after + 1);
        let frames: Vec<_> = log.from(begin).take(self.limit.get()).collect();
        let next = frames.last().map(|(cursor, _)| *cursor).or(self.after);
        let more = end - next.map_or(oldest, |next| next + 1).max(oldest);
        Ok(Page { frames, next, evicted: oldest.saturating_sub(begin), more })
    }
}

impl Page<'_> {
    fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |line: &str| text.extend([line, "\n"]);
        if self.evicted > 0 {
            line(&format!("; {} frames before these made room", self.evicted));
        }
        for (_, frame) in &self.frames {
            line(&frame.text());
        }
        if let Some(next) = self.next.filter(|_| self.more > 0) {
            line(&format!("; {} more frames: after={next}", self.more));
        }
        text
    }
}

fn has_no_frames(name: Name) -> ApiError {
    let message = format!("connection {name} is a device's: lines of JSON go over it, and no HTTP/2 frames");
    ApiError::new(ErrorCode::BadValue, message)
        .hint("GET /v1/events tells what devices did and what they were sent; docs/device-gateway.md has the lines.")
}

/// The media type of the text.
const TEXT: &str = "text/plain; charset=utf-8";
