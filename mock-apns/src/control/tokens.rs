//! Device tokens: what they lead to, and what is answered for them.

use axum::{Json, extract::State, http::StatusCode};
use mock_apns_core::{
    BundleId, Destination, Device, DeviceError, DeviceId, DeviceToken, Environment, InstalledApp, TeamAt,
    TeamId, Timestamp, TokenKind, TokenStatus,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Control, InTeam,
    devices::PageOfDevices,
    error::{ApiError, ApiResult, ErrorCode},
    extract::{self, DONE, Path, Query},
    schema,
};

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, change, unregister))
}

/// A device token.
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
#[expect(clippy::struct_field_names, reason = "the API calls it so")]
pub(super) struct Token {
    /// The token, in hexadecimal.
    #[schema(value_type = String)]
    token: DeviceToken,
    /// The device that it leads to.
    #[schema(value_type = String, example = "phone")]
    device: DeviceId,
    /// The app on it.
    #[schema(value_type = String, example = "com.example.app")]
    app: BundleId,
    /// The environment that takes pushes to it.
    #[schema(value_type = schema::Environment)]
    environment: Environment,
    /// What it is for.
    #[schema(value_type = schema::TokenKind)]
    kind: TokenKind,
    /// The topic that a push to it needs.
    #[schema(example = "com.example.app")]
    topic: String,
    /// The number of the Live Activity whose token it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    activity: Option<u32>,
}

/// A device token, and what APNs knows of it.
#[derive(Serialize, ToSchema)]
#[schema(as = TokenWithStatus)]
struct View {
    #[serde(flatten)]
    token: Token,
    #[serde(flatten)]
    status: Status,
}

/// What APNs knows of a device token.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(tag = "status", rename_all = "kebab-case", deny_unknown_fields)]
#[schema(as = TokenStatus)]
pub(super) enum Status {
    /// A correct push to it is answered 200.
    Active {},
    /// A push to it is answered `410 Unregistered`.
    Unregistered {
        /// Since when, in milliseconds since 1970: the `timestamp` of the answer. Left out of a request, now.
        #[schema(value_type = Option<u64>)]
        since: Option<Timestamp>,
    },
    /// A push to it is answered `410 ExpiredToken`.
    Expired {
        /// Since when, in milliseconds since 1970: the `timestamp` of the answer. Left out of a request, now.
        #[schema(value_type = Option<u64>)]
        since: Option<Timestamp>,
    },
}

/// Device tokens of a team.
#[derive(Serialize, ToSchema)]
#[schema(as = Tokens)]
struct List {
    /// Those of all apps of the page's devices, but those of Live Activities.
    tokens: Vec<Token>,
    /// What to give as `after` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    next: Option<DeviceId>,
}

/// Who registers for what.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schema(as = Register)]
struct Register {
    /// The device's name. One that the team does not have is added.
    #[schema(value_type = String, example = "phone")]
    device: DeviceId,
    /// The app's bundle ID; left out, that of the team's first app. It is installed if it is not.
    #[schema(value_type = Option<String>, example = "com.example.app")]
    app: Option<BundleId>,
    /// The environment of the build; left out, the sandbox.
    #[schema(value_type = Option<schema::Environment>)]
    environment: Option<Environment>,
    /// What the token is for; left out, the app itself. For `live-activity` it is the token that starts one by push.
    #[schema(value_type = Option<schema::TokenKind>)]
    kind: Option<TokenKind>,
    /// Start a Live Activity, and register its token.
    #[serde(default)]
    start_activity: bool,
    /// A token of your own in hexadecimal, for tests that have theirs written down; left out, one is minted.
    #[schema(value_type = Option<String>)]
    token: Option<DeviceToken>,
}

/// A device token.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct OneToken {
    /// The token, in hexadecimal.
    #[param(value_type = String)]
    token: DeviceToken,
}

impl Token {
    /// The tokens of an app on a device.
    pub(super) fn of_app<'a>(device: Device<'a>, app: InstalledApp<'a>) -> impl Iterator<Item = Self> {
        app.tokens().map(move |(kind, token)| Self {
            token,
            device: device.id().clone(),
            app: app.bundle_id().clone(),
            environment: app.environment(),
            kind,
            topic: kind.topic(app.bundle_id()),
            activity: None,
        })
    }

    fn at(token: DeviceToken, to: &Destination<'_>) -> Self {
        Self {
            token,
            device: to.device.clone(),
            app: to.bundle_id.clone(),
            environment: to.environment,
            kind: to.kind,
            topic: to.topic(),
            activity: to.activity,
        }
    }
}

impl From<TokenStatus> for Status {
    fn from(status: TokenStatus) -> Self {
        match status {
            TokenStatus::Active => Self::Active {},
            TokenStatus::Unregistered { since } => Self::Unregistered { since: Some(since) },
            TokenStatus::Expired { since } => Self::Expired { since: Some(since) },
        }
    }
}

impl Status {
    pub(super) fn read(self, now: Timestamp) -> TokenStatus {
        match self {
            Self::Active {} => TokenStatus::Active,
            Self::Unregistered { since } => TokenStatus::Unregistered { since: since.unwrap_or(now) },
            Self::Expired { since } => TokenStatus::Expired { since: since.unwrap_or(now) },
        }
    }
}

/// The team's device tokens
#[utoipa::path(
    get, path = "/v1/tokens", tag = "tokens", params(PageOfDevices), responses((status = 200, body = List), ApiError)
)]
async fn list(State(control): State<Control>, Query(page): Query<PageOfDevices>) -> ApiResult<Json<List>> {
    control.in_team(page.team, |team| {
        let (devices, next) = page.read(team.team())?;
        let tokens = devices
            .into_iter()
            .flat_map(|device| device.apps().flat_map(move |app| Token::of_app(device, app)));
        Ok::<_, ApiError>(Json(List { tokens: tokens.collect(), next }))
    })
}

/// Register an app on a device, and get its token
///
/// The one call that a test needs before it pushes: the device is added and the app installed where they are not there yet.
/// Registering again gives the same token, until something makes it another.
#[utoipa::path(
    post, path = "/v1/tokens", tag = "tokens", params(InTeam), request_body = Register,
    responses((status = 201, body = View), ApiError)
)]
async fn create(
    State(control): State<Control>,
    Query(InTeam { team }): Query<InTeam>,
    extract::Json(register): extract::Json<Register>,
) -> ApiResult<(StatusCode, Json<View>)> {
    control.in_team(team, |team| {
        let token = register.carry_out(team)?;
        Ok::<_, ApiError>((StatusCode::CREATED, Json(view(team, token)?)))
    })
}

impl Register {
    fn carry_out(self, team: &mut TeamAt<'_>) -> ApiResult<DeviceToken> {
        let environment = self.environment.unwrap_or(Environment::Sandbox);
        let first = || team.team().apps().next().map(|app| app.bundle_id.clone());
        let Some(app) = self.app.or_else(first) else {
            return Err(ApiError::new(ErrorCode::BadValue, "the team has no app: add one first"));
        };
        let kind =
            self.kind.unwrap_or(if self.start_activity { TokenKind::LiveActivity } else { TokenKind::App });
        if self.start_activity && (kind != TokenKind::LiveActivity || self.token.is_some()) {
            let message = "a Live Activity that is started has a minted token of kind live-activity";
            return Err(ApiError::new(ErrorCode::BadValue, message));
        }
        if !team.team().apps().any(|known| known.bundle_id == app) {
            return Err(DeviceError::UnknownApp(app).into());
        }
        if team.team().device(&self.device).is_none() {
            team.add_device(self.device.clone())?;
        }
        team.install(&self.device, &app, environment)?;
        Ok(match self.token {
            _ if self.start_activity => team.start_activity(&self.device, &app, environment)?.1,
            None => team.register(&self.device, &app, environment, kind)?,
            Some(token) => {
                team.register_as(&self.device, &app, environment, kind, token.clone())?;
                token
            }
        })
    }
}

/// One device token
#[utoipa::path(
    get, path = "/v1/tokens/{token}", tag = "tokens", params(OneToken, InTeam),
    responses((status = 200, body = View), ApiError)
)]
async fn get(
    State(control): State<Control>,
    Path(OneToken { token }): Path<OneToken>,
    Query(InTeam { team }): Query<InTeam>,
) -> ApiResult<Json<View>> {
    control.in_team(team, |team| view(team, token).map(Json))
}

/// Say what APNs knows of a device token
///
/// As if a delivery had found it out: to begin a test with a dead token, or to bring one back to life.
#[utoipa::path(
    patch, path = "/v1/tokens/{token}", tag = "tokens", params(OneToken, InTeam), request_body = Status,
    responses((status = 200, body = View), ApiError)
)]
async fn change(
    State(control): State<Control>,
    Path(OneToken { token }): Path<OneToken>,
    Query(InTeam { team }): Query<InTeam>,
    extract::Json(status): extract::Json<Status>,
) -> ApiResult<Json<View>> {
    control.in_team(team, |team| {
        let status = status.read(team.now());
        team.set_token_status(&token, status);
        view(team, token).map(Json)
    })
}

/// Take a registration back
///
/// As the app does that wants no more pushes of this kind. APNs learns it when it next has something for the token. Of a
/// Live Activity's token: the activity ends.
#[utoipa::path(
    delete, path = "/v1/tokens/{token}", tag = "tokens", params(OneToken, InTeam),
    responses((status = 204, description = "It is not registered any more."), ApiError)
)]
async fn unregister(
    State(control): State<Control>,
    Path(OneToken { token }): Path<OneToken>,
    Query(InTeam { team }): Query<InTeam>,
) -> ApiResult<StatusCode> {
    control.in_team(team, |team| {
        let Token { device, app, environment, kind, activity, .. } = view(team, token)?.token;
        match activity {
            Some(activity) => team.end_activity(&device, &app, environment, activity)?,
            None => team.unregister(&device, &app, environment, kind)?,
        }
        Ok::<_, ApiError>(DONE)
    })
}

fn view(team: &TeamAt<'_>, token: DeviceToken) -> ApiResult<View> {
    let found = team.team().destination(&token).zip(team.team().token_status(&token, team.now()));
    let Some((to, status)) = found else { return Err(unknown(team.team().id(), &token)) };
    Ok(View { token: Token::at(token, &to), status: status.into() })
}

fn unknown(team: TeamId, token: &DeviceToken) -> ApiError {
    ApiError::new(ErrorCode::UnknownToken, format!("{token} is none of the device tokens of {team}"))
}
