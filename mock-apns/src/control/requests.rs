//! Every request that was received, whichever team it concerned, and why it was answered as it was.

use axum::{Json, extract::State};
use mock_apns_core::{Push, Service, TeamId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Control,
    error::{ApiError, ApiResult, ErrorCode},
    explain::Explanation,
    extract::Path,
    notifications::Notification,
};
use crate::{clock::now, json::raw};

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(get)).routes(routes!(explain_again))
}

/// A request.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct OneRequest {
    /// The `apns-id` or `apns-unique-id` of its answer.
    id: String,
}

/// A request that was received.
#[derive(Serialize, ToSchema)]
#[schema(as = ReceivedRequest)]
struct Received {
    /// The team that it concerned; absent, if no team did.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<TeamId>,
    /// What came, what was answered, what became of it.
    #[schema(value_type = Notification)]
    push: Box<RawValue>,
}

/// A request that was received, with every rule.
#[derive(Serialize, ToSchema)]
#[schema(as = ExplainedRequest)]
struct Explained {
    #[serde(flatten)]
    received: Received,
    /// What would be answered to it now, rule by rule.
    #[schema(value_type = Explanation)]
    explanation: Box<RawValue>,
    /// Whether it would be answered otherwise now: a token was registered, a clock advanced, a setting changed.
    changed: bool,
}

impl Received {
    fn of(team: Option<TeamId>, push: &Push<'_>) -> Self {
        Self { team, push: raw(push) }
    }
}

/// One request
///
/// Of whichever team, and also one that concerned none: without credentials, or with unknown ones.
#[utoipa::path(
    get, path = "/v1/requests/{id}", tag = "explain", params(OneRequest),
    responses((status = 200, body = Received), ApiError)
)]
async fn get(
    State(control): State<Control>,
    Path(OneRequest { id }): Path<OneRequest>,
) -> ApiResult<Json<Received>> {
    look_at(&control, &id, |_, team, push| Json(Received::of(team, push)))
}

/// Why a request was answered as it was
///
/// The request as it came is judged by every rule once more, as things stand now, on its connection if that is still open.
#[utoipa::path(
    get, path = "/v1/requests/{id}/explain", tag = "explain", params(OneRequest),
    responses((status = 200, body = Explained), ApiError)
)]
async fn explain_again(
    State(control): State<Control>,
    Path(OneRequest { id }): Path<OneRequest>,
) -> ApiResult<Json<Explained>> {
    look_at(&control, &id, |service, team, push| {
        let explanation = service.explain_received(now(), push.request());
        let changed = explanation.answer.reason != push.reason();
        Json(Explained { received: Received::of(team, push), explanation: raw(&explanation), changed })
    })
}

/// Looks at a request and the team that it concerned, while nothing else happens.
fn look_at<R>(
    control: &Control,
    id: &str,
    look: impl FnOnce(&Service, Option<TeamId>, &Push<'_>) -> R,
) -> ApiResult<R> {
    let mut batch = control.shared().batch();
    let service = &*batch.service();
    let (team, push) = service.push(id).ok_or_else(|| {
        let message = format!("no request was answered with the apns-id {id}");
        ApiError::new(ErrorCode::UnknownNotification, message)
    })?;
    Ok(look(service, team, &push))
}
