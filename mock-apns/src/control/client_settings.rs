//! Settings to paste for each client.

use axum::{body::Body, extract::State, http::Response};
use mock_apns_core::TeamId;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Control,
    error::{ApiError, ApiResult, ErrorCode},
    extract::{Path, file},
};
use crate::{
    client_settings::{Client, Target},
    endpoint::url,
};

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(settings))
}

/// A client of a team.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct Wanted {
    /// The team's ID.
    #[param(value_type = String)]
    id: TeamId,
    /// The client: curl, node-apn, apns2-npm, aioapns, pyapns2, apns-h2, a2, apple-apns, apns2-go, gorush, pushy or apnswift.
    #[param(example = "curl")]
    client: String,
}

/// What a team's provider is set up with.
struct Credentials {
    key_id: String,
    topic: String,
    device_token: String,
}

/// Settings to paste for a client
///
/// Code or configuration that sends a first push for the team; its comments say how to fetch the CA and the key.
#[utoipa::path(
    get, path = "/v1/teams/{id}/settings/{client}", tag = "teams", params(Wanted),
    responses((status = 200, body = String, content_type = "text/plain"), ApiError)
)]
async fn settings(
    State(control): State<Control>,
    Path(Wanted { id, client }): Path<Wanted>,
) -> ApiResult<Response<Body>> {
    let client =
        Client::parse(&client).map_err(|error| ApiError::new(ErrorCode::UnknownClient, error.to_string()))?;
    let Credentials { key_id, topic, device_token } = credentials(&control, id)?;
    let about = control.about();
    let text = client.render(&Target {
        host: "localhost",
        sandbox_port: about.sandbox.port(),
        production_port: about.production.port(),
        control: Some(&url("http", about.control)),
        ca: "ca.pem",
        key: &format!("AuthKey_{key_id}.p8"),
        key_id: &key_id,
        team_id: id.as_str(),
        topic: &topic,
        device_token: &device_token,
    });
    Ok(file("text/plain; charset=utf-8", text))
}

/// The team's first key, first app, and the token of the first device that has one; what is missing is named for its maker.
fn credentials(control: &Control, id: TeamId) -> ApiResult<Credentials> {
    control.in_team(Some(id), |team| {
        let team = team.team();
        let missing =
            |what| ApiError::new(ErrorCode::BadValue, format!("the team {id} has no {what}: add one first"));
        let key = team.keys().find(|key| !key.revoked).ok_or_else(|| missing("key in force"))?;
        let tokens = team.devices().flat_map(mock_apns_core::Device::apps);
        let token = tokens
            .flat_map(|app| app.tokens().map(move |(kind, token)| (kind.topic(app.bundle_id()), token)));
        let (topic, device_token) = if let Some((topic, token)) = token.take(1).next() {
            (topic, token.to_string())
        } else {
            let app = team.apps().next().ok_or_else(|| missing("app"))?;
            (app.bundle_id.to_string(), NO_TOKEN.to_owned())
        };
        Ok::<_, ApiError>(Credentials { key_id: key.id.to_string(), topic, device_token })
    })
}

/// Stands where the device token goes while the team has none.
const NO_TOKEN: &str = "POST-v1-tokens-makes-one";
