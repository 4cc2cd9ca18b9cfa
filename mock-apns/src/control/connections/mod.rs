//! Connections: who is connected, and who was lately.

mod frame_view;
mod frames;
mod view;

use axum::{Json, extract::State, http::StatusCode};
use mock_apns_core::{Service, TeamId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Control,
    error::{ApiError, ApiResult, ErrorCode},
    extract::{DONE, Limit, Path, Query},
};
use crate::connections::{CloseError, Connections, Entry, Name, NameError};
use view::{KindView, View};

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get, close)).merge(frames::routes())
}

/// Connections.
#[derive(Serialize, ToSchema)]
#[schema(as = Connections)]
struct List {
    /// Providers' first, then devices', each in the order in which they were opened.
    connections: Vec<View>,
    /// What to give as `after` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Whether a connection is open.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = ConnectionState)]
enum StateView {
    /// It is.
    Open,
    /// It was.
    Closed,
}

/// Which connections.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Only those of this team; left out, of all teams and of none.
    #[param(value_type = Option<String>)]
    team: Option<TeamId>,
    /// Only those of providers, or of devices.
    #[param(inline)]
    kind: Option<KindView>,
    /// Only those that are open, or closed.
    #[param(inline)]
    state: Option<StateView>,
    /// The id of the connection that the page before ended with.
    after: Option<String>,
    /// Most connections to list, 1 to 1000.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
}

/// A connection.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct OneConnection {
    /// The connection's id.
    #[param(example = "7")]
    id: String,
}

impl Wanted {
    /// The connections of this page, and what to ask for the next with.
    fn read(&self, connections: &Connections, service: &Service) -> ApiResult<List> {
        if let Some(team) = self.team.filter(|team| service.team(*team).is_none()) {
            return Err(ApiError::unknown_team(team));
        }
        let after = self.after.as_deref().map(str::parse).transpose().map_err(|error: NameError| {
            ApiError::new(ErrorCode::BadCursor, format!("parameter after: {error}"))
        })?;
        let limit = self.limit.get();
        let mut found: Vec<_> = connections
            .after(after)
            .filter(|(name, entry)| self.takes(*name, entry, service))
            .take(limit + 1)
            .collect();
        let is_last = found.len() <= limit;
        found.truncate(limit);
        let next = found.last().filter(|_| !is_last).map(|(name, _)| name.to_string());
        let connections = found.into_iter().map(|(name, entry)| View::of(name, entry, service)).collect();
        Ok(List { connections, next })
    }

    fn takes(&self, name: Name, entry: &Entry, service: &Service) -> bool {
        let state = if entry.closed().is_some() { StateView::Closed } else { StateView::Open };
        self.kind.is_none_or(|kind| kind == name.kind().into())
            && self.state.is_none_or(|wanted| wanted == state)
            && self.team.is_none_or(|team| entry.parties(service).teams.contains(&team))
    }
}

/// Who is connected, and who was lately
///
/// Connections of providers and of devices, all that are open and the 1000 that were closed last. A connection is not of one
/// team by itself: a provider's is once a push has shown its credentials, a device's once it has said `connect`. So `team`
/// is a filter here, and without it all are listed.
#[utoipa::path(
    get, path = "/v1/connections", tag = "connections", params(Wanted),
    responses((status = 200, body = List), ApiError)
)]
async fn list(State(control): State<Control>, Query(wanted): Query<Wanted>) -> ApiResult<Json<List>> {
    let mut batch = control.shared().batch();
    let (connections, service) = batch.connections();
    wanted.read(connections, service).map(Json)
}

/// One connection
#[utoipa::path(
    get, path = "/v1/connections/{id}", tag = "connections", params(OneConnection),
    responses((status = 200, body = View), ApiError)
)]
async fn get(
    State(control): State<Control>,
    Path(OneConnection { id }): Path<OneConnection>,
) -> ApiResult<Json<View>> {
    let name = named(&id)?;
    let mut batch = control.shared().batch();
    let (connections, service) = batch.connections();
    let entry = connections.get(name).ok_or_else(|| unknown(name))?;
    Ok(Json(View::of(name, entry, service)))
}

/// Close a connection
///
/// A provider is told to go away, with `{"reason":"Shutdown"}`, as when one of Apple's servers is taken out of service; a
/// device is told `closed`, `taken-offline`. The answer does not wait for it.
#[utoipa::path(
    delete, path = "/v1/connections/{id}", tag = "connections", params(OneConnection),
    responses((status = 204, description = "It is being closed."), ApiError)
)]
async fn close(
    State(control): State<Control>,
    Path(OneConnection { id }): Path<OneConnection>,
) -> ApiResult<StatusCode> {
    let name = named(&id)?;
    match control.shared().batch().connections().0.ask_to_close(name) {
        Ok(()) => Ok(DONE),
        Err(CloseError::Unknown) => Err(unknown(name)),
        Err(CloseError::Closed) => {
            Err(ApiError::new(ErrorCode::Conflict, format!("connection {name} is closed already")))
        }
    }
}

fn named(id: &str) -> ApiResult<Name> {
    id.parse()
        .map_err(|error: NameError| ApiError::new(ErrorCode::BadParameter, format!("parameter id: {error}")))
}

fn unknown(name: Name) -> ApiError {
    let message = format!("there is no connection {name}, or it was closed long ago");
    ApiError::new(ErrorCode::UnknownConnection, message)
}
