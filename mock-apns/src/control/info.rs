//! What runs here, and where.

use std::net::SocketAddr;

use axum::{Json, extract::State};
use mock_apns_core::Named as _;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Control, error::ApiError};
use crate::endpoint::url;

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(info))
}

/// What runs here, and where.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct Info {
    /// The version of mock-apns.
    version: &'static str,
    /// The seed of everything that is chosen at random.
    seed: u64,
    /// The profile that teams begin with; `GET /v1/settings` says what each has.
    #[schema(example = "fast")]
    profile: &'static str,
    /// The ready-made team: the one that is meant where none is named.
    #[schema(example = "MOCKTEAM01")]
    team: String,
    /// The provider API for the sandbox.
    sandbox: Endpoint,
    /// The provider API for production.
    production: Endpoint,
    /// Where devices connect.
    device_gateway: Endpoint,
    /// The API that answers this.
    control: Endpoint,
}

/// Where something listens.
#[derive(Serialize, ToSchema)]
struct Endpoint {
    /// The address and port that are listened on.
    #[schema(value_type = String, example = "127.0.0.1:2197")]
    address: SocketAddr,
    /// What to connect to on this machine.
    #[schema(example = "https://localhost:2197")]
    url: String,
}

impl Endpoint {
    fn new(scheme: &str, address: SocketAddr) -> Self {
        Self { address, url: url(scheme, address) }
    }
}

/// What runs here, and where
#[utoipa::path(get, path = "/v1/info", tag = "info", responses((status = 200, body = Info), ApiError))]
async fn info(State(control): State<Control>) -> Json<Info> {
    let about = control.about();
    Json(Info {
        version: env!("CARGO_PKG_VERSION"),
        seed: about.seed,
        profile: control.shared().batch().service().settings().profile().name(),
        team: about.team.to_string(),
        sandbox: Endpoint::new("https", about.sandbox),
        production: Endpoint::new("https", about.production),
        device_gateway: Endpoint::new("tls", about.device_gateway),
        control: Endpoint::new("http", about.control),
    })
}
