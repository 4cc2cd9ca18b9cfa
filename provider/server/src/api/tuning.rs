//! What can be turned while it runs: of this process, until it ends.

use apns_provider_server_core::{
    audit::Action,
    tuning::{Tuning, TuningRequest},
};
use axum::{Json, extract::State};
use serde_json::json;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    access::Caller,
    error::{ApiError, ApiResult},
    extract,
};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(get, put))
}

/// How it is tuned
#[utoipa::path(get, path = "/v1/tuning", tag = "tuning", responses((status = 200, body = Tuning), ApiError))]
async fn get(State(api): State<Api>) -> Json<Tuning> {
    Json(api.parts().pipeline.tuning())
}

/// Tune it, from now on and until it ends
///
/// What is left out stays. Each process has its own tuning; what it starts with is in its configuration.
#[utoipa::path(
    put, path = "/v1/tuning", tag = "tuning", request_body = TuningRequest,
    responses((status = 200, body = Tuning), ApiError)
)]
async fn put(
    State(api): State<Api>,
    caller: Caller,
    extract::Json(request): extract::Json<TuningRequest>,
) -> ApiResult<Json<Tuning>> {
    let pipeline = &api.parts().pipeline;
    let tuning = request.apply(pipeline.tuning())?;
    pipeline.tune(tuning)?;
    caller.audit(&api, Action::ServerTuned, "this process", json!(tuning)).await?;
    Ok(Json(pipeline.tuning()))
}
