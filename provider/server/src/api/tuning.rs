//! What can be turned while it runs: of this process, until it ends.

use apns_provider_server_core::{
    audit::Action,
    problem::{Field, FieldErrors, Problem},
};
use axum::{Json, extract::State};
use serde_json::json;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api, Tuning,
    access::Caller,
    error::{ApiError, ApiResult},
    extract,
};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(get, put))
}

fn check(tuning: Tuning) -> Result<(), Problem> {
    let mut errors = FieldErrors::default();
    if !(1..=Tuning::CONNECTIONS_MAX).contains(&tuning.connections) {
        let why = format_args!("{} is not 1 to {}", tuning.connections, Tuning::CONNECTIONS_MAX);
        errors.refuse(Field::new("connections"), why);
    }
    if !(1..=Tuning::IN_ENGINE_MAX).contains(&tuning.in_engine) {
        let why = format_args!("{} is not 1 to {}", tuning.in_engine, Tuning::IN_ENGINE_MAX);
        errors.refuse(Field::new("in-engine"), why);
    }
    if tuning.pushes_per_second == Some(0) {
        errors.refuse(Field::new("pushes-per-second"), "0 sends nothing; pause apps instead");
    }
    errors.finish(Some(()))
}

/// How it is tuned
#[utoipa::path(get, path = "/v1/tuning", tag = "tuning", responses((status = 200, body = Tuning), ApiError))]
async fn get(State(api): State<Api>) -> Json<Tuning> {
    Json(api.parts().pipeline.tuning())
}

/// Tune it, from now on and until it ends
///
/// Each process has its own tuning. What it starts with is in its configuration.
#[utoipa::path(
    put, path = "/v1/tuning", tag = "tuning", request_body = Tuning, responses((status = 200, body = Tuning), ApiError)
)]
async fn put(
    State(api): State<Api>,
    caller: Caller,
    extract::Json(tuning): extract::Json<Tuning>,
) -> ApiResult<Json<Tuning>> {
    check(tuning)?;
    api.parts().pipeline.tune(tuning)?;
    caller.audit(&api, Action::ServerTuned, "this process", json!(tuning)).await?;
    Ok(Json(api.parts().pipeline.tuning()))
}
