//! Keys for provider tokens, and provider tokens ready to use.

use apns_certs::AuthKey;
use axum::{
    Json,
    extract::State,
    http::{Response, StatusCode},
};
use mock_apns_core::{BundleId, Environment, KeyId, KeyScope, ProviderKey, TeamError, TeamId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Control, InTeam,
    error::{ApiError, ApiResult, ErrorCode},
    extract::{self, Path, Query, file},
    schema,
};
use crate::{credentials::Credentials, provider_token::mint};

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, change))
        .routes(routes!(p8))
        .routes(routes!(provider_token))
}

/// What a key is good for. With neither field: all topics in both environments, as keys made before 2025-02-17.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Scope {
    /// The one environment that it is good for; left out, both.
    #[schema(value_type = Option<schema::Environment>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) environment: Option<Environment>,
    /// The only apps that it is good for; left out, all of the team's. Such a key is for one environment.
    #[schema(value_type = Option<Vec<String>>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) apps: Option<Vec<BundleId>>,
    /// The one other key for certain apps that may be used on the same connection.
    #[schema(value_type = Option<String>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) related: Option<KeyId>,
}

/// A key to make.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct NewKey {
    /// Its ID, ten letters or digits; left out, the next free one.
    #[schema(value_type = Option<String>, example = "KEY0000042")]
    key_id: Option<KeyId>,
    /// A key of your own, as Apple's .p8 has it: for providers whose key is in a file that they come with. Never Apple's
    /// real one.
    p8: Option<String>,
    /// See the key.
    #[schema(value_type = Option<schema::Environment>)]
    environment: Option<Environment>,
    /// See the key.
    #[schema(value_type = Option<Vec<String>>)]
    apps: Option<Vec<BundleId>>,
    /// See the key.
    #[schema(value_type = Option<String>)]
    related: Option<KeyId>,
}

/// A key of a team.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::struct_field_names, reason = "Apple calls it so")]
pub(super) struct Key {
    /// Its ID: the `kid` of the provider tokens that it signs.
    #[schema(value_type = String, example = "KEY0000001")]
    key_id: KeyId,
    /// Whether it is revoked.
    revoked: bool,
    #[serde(flatten)]
    scope: Scope,
    /// The private key, as Apple's .p8 has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    p8: Option<String>,
}

/// The keys of a team.
#[derive(Serialize, ToSchema)]
#[schema(as = Keys)]
struct List {
    /// In the order in which they were added.
    keys: Vec<Key>,
}

/// What to change of a key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChangeKey)]
struct Change {
    /// Only `true`: what is revoked stays revoked.
    revoked: bool,
}

/// When a provider token was issued.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schema(as = NewProviderToken)]
struct Issue {
    /// The `iat`, in milliseconds since 1970; left out, the team's present. An hour later it has expired.
    #[schema(value_type = Option<u64>)]
    issued_at: Option<Timestamp>,
}

/// A provider token.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct ProviderToken {
    /// The JWT.
    provider_token: String,
    /// The header with it: `authorization`.
    #[schema(example = "bearer eyJ…")]
    authorization: String,
}

/// A key of a team.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "kebab-case")]
#[into_params(parameter_in = Path)]
struct OneKey {
    /// The key's ID.
    #[param(value_type = String)]
    key_id: KeyId,
}

impl Scope {
    pub(super) fn of(scope: &KeyScope) -> Self {
        match scope {
            KeyScope::Legacy => Self::default(),
            KeyScope::Team { environment } => Self { environment: Some(*environment), ..Self::default() },
            KeyScope::Topics { environment, bundle_ids, related } => Self {
                environment: Some(*environment),
                apps: Some(bundle_ids.iter().cloned().collect()),
                related: *related,
            },
        }
    }

    pub(super) fn read(self) -> ApiResult<KeyScope> {
        match (self.environment, self.apps, self.related) {
            (None, None, None) => Ok(KeyScope::Legacy),
            (Some(environment), None, None) => Ok(KeyScope::Team { environment }),
            (Some(environment), Some(bundle_ids), related) => {
                Ok(KeyScope::Topics { environment, bundle_ids: bundle_ids.into_iter().collect(), related })
            }
            (None, Some(_), _) => Err(ApiError::new(
                ErrorCode::BadValue,
                "a key for certain apps is for one environment: add `environment`",
            )),
            (_, None, Some(_)) => Err(ApiError::new(
                ErrorCode::BadValue,
                "only a key for certain apps has a related one: add `apps`",
            )),
        }
    }
}

impl Key {
    pub(super) fn of(key: &ProviderKey, team: TeamId, credentials: &Credentials) -> Self {
        Self {
            key_id: key.id,
            revoked: key.revoked,
            scope: Scope::of(&key.scope),
            p8: credentials.get(team, key.id).map(|key| key.to_p8()),
        }
    }
}

/// The team's keys
#[utoipa::path(get, path = "/v1/keys", tag = "keys", params(InTeam), responses((status = 200, body = List), ApiError))]
async fn list(
    State(control): State<Control>,
    Query(InTeam { team }): Query<InTeam>,
) -> ApiResult<Json<List>> {
    control.in_team::<_, ApiError>(team, |team| {
        let keys = team.team().keys().map(|key| Key::of(key, team.team().id(), control.credentials()));
        Ok(Json(List { keys: keys.collect() }))
    })
}

/// Make a key, or bring one
#[utoipa::path(
    post, path = "/v1/keys", tag = "keys", params(InTeam), request_body = NewKey,
    responses((status = 201, body = Key), ApiError)
)]
async fn create(
    State(control): State<Control>,
    Query(InTeam { team }): Query<InTeam>,
    extract::Json(new): extract::Json<NewKey>,
) -> ApiResult<(StatusCode, Json<Key>)> {
    let scope = Scope { environment: new.environment, apps: new.apps, related: new.related }.read()?;
    let key = match (new.p8, new.key_id) {
        (Some(p8), Some(id)) => (id, AuthKey::from_p8(apns_certs::KeyId::new(id.as_str())?, &p8)?),
        (Some(_), None) => {
            return Err(ApiError::new(ErrorCode::BadValue, "a key of your own has an ID: add `key-id`"));
        }
        (None, id) => control.credentials().new_key(id)?,
    };
    let (id, key) = key;
    let provider_key = ProviderKey::new(id, key.private_key.public_key(), scope);
    control.in_team::<_, TeamError>(team, |team| team.add_key(provider_key.clone()))?;
    let team = control.team_id(team);
    control.credentials().remember(team, id, key);
    Ok((StatusCode::CREATED, Json(Key::of(&provider_key, team, control.credentials()))))
}

/// One key
#[utoipa::path(
    get, path = "/v1/keys/{key-id}", tag = "keys", params(OneKey, InTeam),
    responses((status = 200, body = Key), ApiError)
)]
async fn get(
    State(control): State<Control>,
    Path(OneKey { key_id }): Path<OneKey>,
    Query(InTeam { team }): Query<InTeam>,
) -> ApiResult<Json<Key>> {
    find(&control, team, key_id).map(Json)
}

/// Revoke a key
///
/// From the next push on its provider tokens are answered `403 InvalidProviderToken`.
#[utoipa::path(
    patch, path = "/v1/keys/{key-id}", tag = "keys", params(OneKey, InTeam), request_body = Change,
    responses((status = 200, body = Key), ApiError)
)]
async fn change(
    State(control): State<Control>,
    Path(OneKey { key_id }): Path<OneKey>,
    Query(InTeam { team }): Query<InTeam>,
    extract::Json(Change { revoked }): extract::Json<Change>,
) -> ApiResult<Json<Key>> {
    if !revoked {
        let message = "a key that is revoked stays revoked: POST /v1/keys makes another";
        return Err(ApiError::new(ErrorCode::BadValue, message));
    }
    control.in_team::<_, ApiError>(team, |team| {
        team.revoke_key(key_id);
        Ok(())
    })?;
    find(&control, team, key_id).map(Json)
}

/// The private key, as Apple's .p8 file
#[utoipa::path(
    get, path = "/v1/keys/{key-id}/key.p8", tag = "keys", params(OneKey, InTeam),
    responses((status = 200, body = String, content_type = "application/pkcs8"), ApiError)
)]
async fn p8(
    State(control): State<Control>,
    Path(OneKey { key_id }): Path<OneKey>,
    Query(InTeam { team }): Query<InTeam>,
) -> ApiResult<Response<axum::body::Body>> {
    Ok(file("application/pkcs8", private_half(&control, team, key_id)?.to_p8()))
}

/// Make a provider token
///
/// Providers make their own; this is for curl, and for tests of what an old one is answered.
#[utoipa::path(
    post, path = "/v1/keys/{key-id}/provider-token", tag = "keys", params(OneKey, InTeam), request_body = Issue,
    responses((status = 201, body = ProviderToken), ApiError)
)]
async fn provider_token(
    State(control): State<Control>,
    Path(OneKey { key_id }): Path<OneKey>,
    Query(InTeam { team }): Query<InTeam>,
    extract::Json(Issue { issued_at }): extract::Json<Issue>,
) -> ApiResult<(StatusCode, Json<ProviderToken>)> {
    let key = private_half(&control, team, key_id)?;
    let now = control.in_team::<_, ApiError>(team, |team| Ok(team.now()))?;
    let provider_token = mint(&key, control.team_id(team).as_str(), issued_at.unwrap_or(now))
        .map_err(|error| ApiError::new(ErrorCode::Internal, error.to_string()))?;
    let authorization = format!("bearer {provider_token}");
    Ok((StatusCode::CREATED, Json(ProviderToken { provider_token, authorization })))
}

fn find(control: &Control, team: Option<TeamId>, id: KeyId) -> ApiResult<Key> {
    control.in_team(team, |team| {
        let key = team.team().keys().find(|key| key.id == id);
        let key = key.ok_or_else(|| unknown(team.team().id(), id))?;
        Ok::<_, ApiError>(Key::of(key, team.team().id(), control.credentials()))
    })
}

fn private_half(control: &Control, team: Option<TeamId>, id: KeyId) -> ApiResult<AuthKey> {
    find(control, team, id)?;
    let team = control.team_id(team);
    control.credentials().get(team, id).ok_or_else(|| unknown(team, id))
}

fn unknown(team: TeamId, id: KeyId) -> ApiError {
    ApiError::new(ErrorCode::UnknownKey, format!("the team {team} has no key {id}"))
}
