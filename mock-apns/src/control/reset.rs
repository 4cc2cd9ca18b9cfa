//! Back to the beginning, for a team or for all of it.

use axum::{extract::State, http::StatusCode};
use mock_apns_core::TeamId;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Control,
    error::{ApiError, ApiResult, ErrorCode},
    extract::{DONE, Query},
};
use crate::{clock::now, ready_made::ReadyMade, scenarios};

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(reset))
}

/// What to reset.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Scope {
    /// The team's ID; left out, the ready-made team's.
    #[param(value_type = Option<String>)]
    team: Option<TeamId>,
    /// Everything: the ready-made team is reset, and all other teams are removed.
    #[serde(default)]
    #[param(default = false)]
    all: bool,
}

/// Begin anew
///
/// The team is what it was right after it was made: its keys and first apps stay, the devices and tokens of the ready-made team
/// are there again, and all else is gone: devices, tokens, notifications, the journal, settings, the clock's lead, and the
/// faults that its scenarios have given to everyone. Cursors count on, and identifiers are the same again as at first. The table in
/// docs/control-api.md says it line by line.
#[utoipa::path(
    post, path = "/v1/reset", tag = "state", params(Scope),
    responses((status = 204, description = "It has begun anew."), ApiError)
)]
async fn reset(
    State(control): State<Control>,
    Query(Scope { team, all }): Query<Scope>,
) -> ApiResult<StatusCode> {
    if all && team.is_some() {
        return Err(ApiError::new(ErrorCode::BadValue, "there is `team` and `all`: send one"));
    }
    if all {
        reset_all(&control);
        return Ok(DONE);
    }
    control.in_team::<_, ApiError>(team, |team| {
        team.reset();
        if team.team().id() == control.about().team {
            ReadyMade::register_devices(team);
        }
        Ok(DONE)
    })
}

fn reset_all(control: &Control) {
    let mut batch = control.shared().batch();
    let service = batch.service();
    let ready_made = control.about().team;
    let others: Vec<TeamId> = service.team_ids().filter(|id| *id != ready_made).collect();
    for id in others {
        service.remove_team(id);
        control.credentials().forget(id);
    }
    service.reset(now());
    scenarios::unleash(service, now());
    if let Some(mut team) = service.team_at(now(), ready_made) {
        ReadyMade::register_devices(&mut team);
    }
}
