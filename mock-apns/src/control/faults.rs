//! Faults: what goes wrong on purpose.

use std::collections::BTreeMap;

use axum::{Json, extract::State, http::StatusCode};
use mock_apns_core::{
    TeamAt, TeamId, Timestamp,
    fault::{Fault, FaultError, FaultName, KnownFault},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Control,
    error::{ApiError, ApiResult, ErrorCode},
    extract::{self, DONE, Path, Query},
};
use crate::clock::now;

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(list, create, clear)).routes(routes!(get, remove))
}

/// A fault, and what it has done.
#[derive(Debug, Serialize)]
struct View {
    #[serde(flatten)]
    fault: Fault,
    #[serde(rename = "added-at")]
    added_at: Timestamp,
    matched: u64,
    fired: u64,
    #[serde(rename = "played-by", skip_serializing_if = "Option::is_none")]
    played_by: Option<TeamId>,
}

/// A fault: docs/faults.md has every match and every action, with examples.
#[derive(ToSchema)]
#[schema(as = Fault, rename_all = "kebab-case")]
#[expect(dead_code, reason = "it describes what the core reads")]
pub(super) struct Described {
    /// Its name, one of a kind in its team: in the journal, in the field `mock-apns-fault` of answers, in metrics.
    #[schema(example = "two-percent-503")]
    name: String,
    /// What it is about, all of which must hold: `team`, `token`, `topic`, `push-type`, `priority`, `collapse-id`, `apns-id`,
    /// `key-id`, `environment`, `connection`, `stream`, `open-connections`, `from`, `until`, `filter`. Left out, everything.
    #[schema(value_type = Option<Object>)]
    r#match: Option<BTreeMap<String, String>>,
    /// When it is looked at; left out, when its action usually is.
    #[schema(example = "request")]
    on: Option<String>,
    /// What happens: an object with the action's name as its only key.
    #[schema(value_type = Object, example = json!({"answer": {"status": 503, "retry-after": 5}}))]
    action: BTreeMap<String, String>,
    /// How many matches go by before it fires first.
    after: Option<u64>,
    /// It fires at every one of so many matches.
    every: Option<u64>,
    /// How often it fires at most.
    times: Option<u64>,
    /// How likely it is to fire: from 0, never, to 1, always.
    probability: Option<f64>,
    /// For how long it is there, such as `60s`.
    ttl: Option<String>,
    /// What its random draws follow from.
    seed: Option<u64>,
}

/// A fault, and what it has done.
#[derive(ToSchema)]
#[schema(as = KnownFault, rename_all = "kebab-case")]
#[expect(dead_code, reason = "it describes a view")]
struct DescribedView {
    #[schema(inline)]
    #[schema(value_type = Described)]
    fault: (),
    /// When it was added, in milliseconds since 1970.
    added_at: u64,
    /// How often it has matched.
    matched: u64,
    /// How often it has fired.
    fired: u64,
    /// Of a fault for everyone that a scenario has brought: the team on which that is played, and with whose reset it goes.
    #[schema(value_type = Option<String>)]
    played_by: (),
}

/// Faults.
#[derive(Serialize, ToSchema)]
#[schema(as = Faults)]
struct List {
    /// In the order in which they are looked at.
    #[schema(value_type = Vec<Described>)]
    faults: Vec<View>,
}

/// How many faults were removed.
#[derive(Serialize, ToSchema)]
#[schema(as = RemovedFaults)]
struct Removed {
    /// So many.
    removed: usize,
}

/// Whose faults are meant.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Whose {
    /// The team's ID; left out, the ready-made team's.
    #[param(value_type = Option<String>, example = "TEAM000001")]
    team: Option<TeamId>,
    /// `true`: not a team's, but those for everyone, which are looked at behind the team's own, and alone where no team is known
    /// yet: at the moments `accept` and `handshake`.
    #[serde(default)]
    everyone: bool,
}

/// A fault.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct OneFault {
    /// Its name.
    #[param(value_type = String)]
    name: FaultName,
}

/// Where faults are.
enum Place<'a, 'b> {
    Team(&'a mut TeamAt<'b>),
    Everyone(&'a mut mock_apns_core::Service),
}

impl Place<'_, '_> {
    fn add(&mut self, fault: Fault) -> Result<(), FaultError> {
        match self {
            Self::Team(team) => team.add_fault(fault),
            Self::Everyone(service) => service.add_fault(now(), fault),
        }
    }

    fn remove(&mut self, name: &FaultName) -> bool {
        match self {
            Self::Team(team) => team.remove_fault(name),
            Self::Everyone(service) => service.remove_fault(name),
        }
    }

    fn clear(&mut self) {
        match self {
            Self::Team(team) => team.clear_faults(),
            Self::Everyone(service) => service.clear_faults(),
        }
    }

    fn list(&self) -> Vec<View> {
        match self {
            Self::Team(team) => team.faults().map(View::of).collect(),
            Self::Everyone(service) => service.faults(now()).map(View::of).collect(),
        }
    }

    fn get(&self, name: &FaultName) -> ApiResult<View> {
        let found = self.list().into_iter().find(|view| view.fault.name == *name);
        found.ok_or_else(|| ApiError::new(ErrorCode::UnknownFault, format!("there is no fault {name} here")))
    }
}

impl View {
    fn of(known: KnownFault<'_>) -> Self {
        let KnownFault { fault, added_at, matched, fired, played_by, .. } = known;
        Self { fault: fault.clone(), added_at, matched, fired, played_by }
    }
}

impl Control {
    fn at_faults<R>(
        &self,
        whose: &Whose,
        work: impl FnOnce(&mut Place<'_, '_>) -> ApiResult<R>,
    ) -> ApiResult<R> {
        match whose {
            Whose { everyone: false, team } => self.in_team(*team, |team| work(&mut Place::Team(team))),
            Whose { everyone: true, team: None } => {
                work(&mut Place::Everyone(self.shared().batch().service()))
            }
            Whose { everyone: true, team: Some(_) } => Err(ApiError::new(
                ErrorCode::BadValue,
                "faults are a team's or for everyone: give team or everyone, not both",
            )),
        }
    }
}

/// The faults there are
#[utoipa::path(
    get, path = "/v1/faults", tag = "faults", params(Whose),
    responses((status = 200, body = List), ApiError)
)]
async fn list(State(control): State<Control>, Query(whose): Query<Whose>) -> ApiResult<Json<List>> {
    control.at_faults(&whose, |place| Ok(Json(List { faults: place.list() })))
}

/// Add a fault
///
/// It goes behind those that there are. The first that fires wins.
#[utoipa::path(
    post, path = "/v1/faults", tag = "faults", params(Whose), request_body = Described,
    responses((status = 201, body = DescribedView), ApiError)
)]
async fn create(
    State(control): State<Control>,
    Query(whose): Query<Whose>,
    extract::Json(fault): extract::Json<Fault>,
) -> ApiResult<(StatusCode, Json<View>)> {
    control.at_faults(&whose, |place| {
        let name = fault.name.clone();
        place.add(fault)?;
        Ok((StatusCode::CREATED, Json(place.get(&name)?)))
    })
}

/// Remove all faults
#[utoipa::path(
    delete, path = "/v1/faults", tag = "faults", params(Whose),
    responses((status = 200, body = Removed), ApiError)
)]
async fn clear(State(control): State<Control>, Query(whose): Query<Whose>) -> ApiResult<Json<Removed>> {
    control.at_faults(&whose, |place| {
        let removed = place.list().len();
        place.clear();
        Ok(Json(Removed { removed }))
    })
}

/// One fault, and how often it has fired
#[utoipa::path(
    get, path = "/v1/faults/{name}", tag = "faults", params(OneFault, Whose),
    responses((status = 200, body = DescribedView), ApiError)
)]
async fn get(
    State(control): State<Control>,
    Path(OneFault { name }): Path<OneFault>,
    Query(whose): Query<Whose>,
) -> ApiResult<Json<View>> {
    control.at_faults(&whose, |place| place.get(&name).map(Json))
}

/// Remove a fault
///
/// What it has done to connections that are open stays done.
#[utoipa::path(
    delete, path = "/v1/faults/{name}", tag = "faults", params(OneFault, Whose),
    responses((status = 204, description = "It is gone."), ApiError)
)]
async fn remove(
    State(control): State<Control>,
    Path(OneFault { name }): Path<OneFault>,
    Query(whose): Query<Whose>,
) -> ApiResult<StatusCode> {
    control.at_faults(&whose, |place| {
        place.get(&name)?;
        place.remove(&name);
        Ok(DONE)
    })
}

/// Brings a team, or everyone, to have these faults: one of the same name that is another is replaced.
pub(super) fn declare_in_team(faults: &[Fault], team: &mut TeamAt<'_>, path: &str) -> ApiResult<()> {
    declare(faults, &mut Place::Team(team), path)
}

/// The same for everyone.
pub(super) fn declare_for_everyone(faults: &[Fault], control: &Control) -> ApiResult<()> {
    declare(faults, &mut Place::Everyone(control.shared().batch().service()), "faults")
}

fn declare(faults: &[Fault], place: &mut Place<'_, '_>, path: &str) -> ApiResult<()> {
    for (at, fault) in faults.iter().enumerate() {
        let known = place.get(&fault.name).ok();
        if known.as_ref().is_some_and(|known| known.fault == *fault) {
            continue;
        }
        if known.is_some() {
            place.remove(&fault.name);
        }
        place.add(fault.clone()).map_err(|error| ApiError::from(error).at(&format!("{path}[{at}]")))?;
    }
    Ok(())
}
