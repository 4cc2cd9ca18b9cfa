//! The control API: everything that a test in any language needs, over plain HTTP on loopback.
//!
//! ```text
//!   HTTP ──▶ guard: host, origin, token ──▶ extract: path, query, body ──▶ a resource ──▶ Service, for one batch
//!        ◀── JSON, or error: one shape, a closed list of codes ◀──────────────┘
//! ```
//!
//! One file is one resource. Handlers are thin: what a team can do is in the core, and here is only what it looks like in
//! JSON. The OpenAPI document is generated from the handlers.

#![expect(unused_qualifications, reason = "what utoipa's macros expand to")]

mod apps;
mod assertions;
mod certificates;
mod client_settings;
mod clock;
mod connections;
mod declared;
mod devices;
mod docs;
mod error;
mod events;
mod explain;
mod extract;
mod faults;
mod guard;
mod health;
mod info;
mod keys;
mod metrics;
mod notifications;
mod replay;
mod requests;
mod reset;
mod scenarios;
mod schema;
mod serving;
mod settings;
mod snapshot;
mod state;
mod teams;
mod tokens;
mod waiting;
mod written;

use std::{
    net::SocketAddr,
    sync::{Arc, LazyLock},
};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use mock_apns_core::{TeamAt, TeamId};
use serde::Deserialize;
use tokio::sync::Semaphore;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;

use crate::{Certificates, clock::now, credentials::Credentials, listener::Stop, shared::Shared};
use error::{ApiError, ApiResult, ErrorCode};
pub(crate) use guard::Guard;
pub(crate) use serving::{CONTROL_CONNECTIONS_MAX, serve};
use written::LastWritten;

/// What every handler has at hand; a handle, cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Control(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shared: Shared,
    credentials: Credentials,
    certificates: Certificates,
    about: About,
    /// Places for those who wait.
    waits: Arc<Semaphore>,
    last_written: LastWritten,
    /// Tells those who wait that the double stops.
    stop: Stop,
}

/// What a double can say of itself.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) seed: u64,
    /// The ready-made team: the one that is meant where none is named.
    pub(crate) team: TeamId,
    pub(crate) sandbox: SocketAddr,
    pub(crate) production: SocketAddr,
    pub(crate) device_gateway: SocketAddr,
    pub(crate) control: SocketAddr,
}

/// The team that is meant.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct InTeam {
    /// The team's ID; left out, the ready-made team's.
    #[param(value_type = Option<String>, example = "TEAM000001")]
    team: Option<TeamId>,
}

impl Control {
    pub(crate) fn new(
        shared: Shared,
        credentials: Credentials,
        certificates: Certificates,
        about: About,
        stop: Stop,
    ) -> Self {
        let waits = Arc::new(Semaphore::new(waiting::WAITS_MAX));
        Self(Arc::new(Inner {
            shared,
            credentials,
            certificates,
            about,
            waits,
            last_written: LastWritten::default(),
            stop,
        }))
    }

    /// How many requests wait.
    pub(crate) fn waiting(&self) -> usize {
        waiting::WAITS_MAX - self.0.waits.available_permits()
    }

    fn waits(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.waits)
    }

    fn last_written(&self) -> &LastWritten {
        &self.0.last_written
    }

    fn stop(&self) -> Stop {
        self.0.stop.clone()
    }

    fn shared(&self) -> &Shared {
        &self.0.shared
    }

    fn credentials(&self) -> &Credentials {
        &self.0.credentials
    }

    fn certificates(&self) -> &Certificates {
        &self.0.certificates
    }

    fn about(&self) -> &About {
        &self.0.about
    }

    /// The team that is meant where `named` may name one.
    fn team_id(&self, named: Option<TeamId>) -> TeamId {
        named.unwrap_or(self.0.about.team)
    }

    /// Does something to a team, or looks at it, while nothing else happens to it.
    fn in_team<R, E: Into<ApiError>>(
        &self,
        team: Option<TeamId>,
        work: impl FnOnce(&mut TeamAt<'_>) -> Result<R, E>,
    ) -> ApiResult<R> {
        let id = self.team_id(team);
        let mut batch = self.0.shared.batch();
        let mut team = batch.service().team_at(now(), id).ok_or_else(|| ApiError::unknown_team(id))?;
        work(&mut team).map_err(Into::into)
    }
}

/// Every resource.
fn resources() -> OpenApiRouter<Control> {
    OpenApiRouter::with_openapi(docs::about())
        .merge(info::routes())
        .merge(teams::routes())
        .merge(client_settings::routes())
        .merge(keys::routes())
        .merge(certificates::routes())
        .merge(apps::routes())
        .merge(devices::routes())
        .merge(tokens::routes())
        .merge(notifications::routes())
        .merge(replay::routes())
        .merge(requests::routes())
        .merge(assertions::routes())
        .merge(events::routes())
        .merge(explain::routes())
        .merge(connections::routes())
        .merge(faults::routes())
        .merge(scenarios::routes())
        .merge(clock::routes())
        .merge(settings::routes())
        .merge(state::routes())
        .merge(snapshot::routes())
        .merge(reset::routes())
        .merge(health::routes())
        .merge(metrics::routes())
}

/// The whole API, guarded.
pub(crate) fn router(control: Control, guard: Guard) -> Router {
    // Put together once: a test suite starts hundreds of doubles in one process.
    static API: LazyLock<Router<Control>> = LazyLock::new(|| {
        let (router, openapi) = resources().split_for_parts();
        router.merge(docs::routes(openapi))
    });
    API.clone()
        .method_not_allowed_fallback(async |method: http::Method, uri: http::Uri| {
            let message = format!("{} cannot be asked with {method}", uri.path());
            ApiError::new(ErrorCode::MethodNotAllowed, message).into_response()
        })
        .fallback(async |uri: http::Uri| {
            ApiError::new(ErrorCode::UnknownPath, format!("there is nothing at {}", uri.path()))
                .into_response()
        })
        .layer(middleware::from_fn_with_state(control.clone(), answer_when_kept))
        .layer(middleware::from_fn_with_state(Arc::new(guard), guard::guard))
        .with_state(control)
}

/// Answers once what was done is kept, if it is to be.
async fn answer_when_kept(State(control): State<Control>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    match control.shared().kept().await {
        Ok(()) => response,
        Err(error) => ApiError::new(ErrorCode::NotKept, error.to_string()).into_response(),
    }
}
