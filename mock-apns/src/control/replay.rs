//! What a run has left behind: its journals as lines, and its answers given again.

use axum::{
    Json,
    extract::{Request, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use mock_apns_core::{Transcript, TranscriptError, TranscriptProgress};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Control,
    error::{ApiError, ApiResult, ErrorCode},
    extract::{DONE, read},
};
use crate::journal_file;

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(journal)).routes(routes!(progress, replay, stop))
}

/// Bytes of a transcript: a hundred thousand answers with payloads as large as they may be.
const TRANSCRIPT_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// JSON lines, as others call them too.
const JSON_LINES: &str = "application/x-ndjson";

/// What is replayed.
#[derive(Serialize, ToSchema)]
struct Replay {
    /// How far it is gone through; absent when nothing is replayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Progress>)]
    transcript: Option<TranscriptProgress>,
}

/// How far a transcript is gone through.
#[derive(ToSchema)]
#[schema(as = TranscriptProgress, rename_all = "kebab-case")]
#[expect(dead_code, reason = "it describes what the core writes")]
struct Progress {
    /// How many answers it has, and things done to connections.
    lines: usize,
    /// How many of them were given again, or done again.
    replayed: usize,
    /// How many requests came for which it has no answer, or no more: the double answered them itself.
    unknown_requests: u64,
}

impl From<TranscriptError> for ApiError {
    fn from(error: TranscriptError) -> Self {
        Self::new(ErrorCode::BadTranscript, error.to_string())
    }
}

/// Every journal, as lines
///
/// All that happened to every team, and what concerns none, as far as it is still there: a line of JSON for each entry, with its team.
/// It has no credentials, but payloads and device tokens as they were sent. It is for `PUT /v1/replay`, here or elsewhere, and for whoever keeps a run. `--record FILE` writes the same as it
/// happens.
#[utoipa::path(
    get, path = "/v1/journal", tag = "replay",
    responses((status = 200, body = String, content_type = "application/x-ndjson"), ApiError)
)]
async fn journal(State(control): State<Control>) -> Response {
    let lines = journal_file::lines(control.shared().batch().service());
    ([(CONTENT_TYPE, JSON_LINES)], lines).into_response()
}

/// What is replayed
#[utoipa::path(get, path = "/v1/replay", tag = "replay", responses((status = 200, body = Replay), ApiError))]
async fn progress(State(control): State<Control>) -> Json<Replay> {
    Json(Replay { transcript: control.shared().batch().service().transcript_progress() })
}

/// Answer as it was answered
///
/// From now on a request that is in these lines is answered as it was there, whoever sends it and with whatever credentials, and what
/// was done there to a connection is done to the one of the same number, counted from now on. The lines are those of a journal:
/// `GET /v1/journal`, the file of `--record`, or what a failing test has left behind. docs/replay.md says which requests are the same.
/// It is the whole double's, and ends with `DELETE` or when everything is reset.
#[utoipa::path(
    put, path = "/v1/replay", tag = "replay", request_body(content = String, content_type = "application/x-ndjson"),
    responses((status = 200, body = Replay), ApiError)
)]
async fn replay(State(control): State<Control>, request: Request) -> ApiResult<Json<Replay>> {
    let body = read(request, TRANSCRIPT_BYTES_MAX).await?;
    let lines = std::str::from_utf8(&body)
        .map_err(|error| ApiError::new(ErrorCode::BadTranscript, error.to_string()))?;
    let transcript = Transcript::parse(lines)?;
    if transcript.is_empty() {
        let message = "there is no answer in it: no entry of a journal that says what a provider was told";
        return Err(ApiError::new(ErrorCode::BadTranscript, message));
    }
    let mut batch = control.shared().batch();
    batch.service().set_transcript(Some(transcript));
    Ok(Json(Replay { transcript: batch.service().transcript_progress() }))
}

/// Answer by the rules again
#[utoipa::path(
    delete, path = "/v1/replay", tag = "replay",
    responses((status = 204, description = "Nothing is replayed."), ApiError)
)]
async fn stop(State(control): State<Control>) -> StatusCode {
    control.shared().batch().service().set_transcript(None);
    DONE
}
