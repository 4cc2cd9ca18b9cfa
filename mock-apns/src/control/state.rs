//! All of it at once: what is to be there, declared.

use axum::{Json, extract::State as Handle};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Control,
    declared::State,
    error::{ApiError, ApiResult},
    extract::{from_body, from_json, from_toml},
};

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(get, declare))
}

/// Bytes of a declared state: a hundred thousand devices fit.
const STATE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What there is, as it would be declared
///
/// Declared to another double, it brings it to the same teams, keys, apps, devices, tokens, settings and clocks. Notifications and
/// the journal are not part of it.
#[utoipa::path(get, path = "/v1/state", tag = "state", responses((status = 200, body = State), ApiError))]
async fn get(Handle(control): Handle<Control>) -> ApiResult<Json<State>> {
    State::of(&control).map(Json)
}

/// Declare what is to be there
///
/// As JSON, or as TOML with `content-type: application/toml`: the same as in the file of `--state`. What is not there is made;
/// what is there is brought to what is declared; what is not mentioned stays. Doing it again changes nothing more.
#[utoipa::path(
    put, path = "/v1/state", tag = "state", request_body(content((State = "application/json"), (String = "application/toml"))),
    responses((status = 200, body = State), ApiError)
)]
async fn declare(
    Handle(control): Handle<Control>,
    request: axum::extract::Request,
) -> ApiResult<Json<State>> {
    let state: State = from_body(request, STATE_BYTES_MAX).await?;
    state.carry_out(&control)?;
    State::of(&control).map(Json)
}

impl Control {
    /// Declares what stands in a file, TOML or JSON. The error says where it is wrong.
    pub(crate) fn declare(&self, text: &str) -> Result<(), String> {
        let is_json = text.trim_start().starts_with('{');
        let state = if is_json { from_json(text.as_bytes()) } else { from_toml(text.as_bytes()) };
        state.and_then(|state: State| state.carry_out(self)).map_err(|error| error.to_string())
    }
}
