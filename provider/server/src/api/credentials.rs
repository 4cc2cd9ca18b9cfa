//! What apps authenticate with. It comes in and never goes out.

use apns_provider_server_core::{
    audit::Action,
    device::Environment,
    problem::{Code, Field, FieldErrors, Problem},
    worker::Source,
};
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    access::Caller,
    apps::{OneApp, find},
    error::{ApiError, ApiResult},
    extract::{self, DONE, Path, moment, parameter},
    now,
    tenants::read_settings,
};
use crate::{secrets::StoredCredential, store::Credential};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(put, remove))
}

/// A file with a certificate, its chain and a key, in base64: tens of kilobytes.
const BODY: usize = 256 * 1024;

/// A credential: one of `p8`, `p12` and `pem`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schema(as = NewCredential)]
struct New {
    /// A key for provider tokens.
    #[serde(default)]
    p8: Option<P8>,
    /// A certificate with its private key, as PKCS#12.
    #[serde(default)]
    p12: Option<P12>,
    /// A certificate with its private key and its chain, as PEM.
    #[serde(default)]
    pem: Option<String>,
}

/// A key as Apple hands it out.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct P8 {
    /// The text of the file `AuthKey_<key ID>.p8`.
    key: String,
    /// The key's ID: ten letters and digits.
    key_id: String,
    /// The team's ID: ten letters and digits.
    team_id: String,
}

/// A PKCS#12 file.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct P12 {
    /// The file, in base64.
    file: String,
    /// Its password; left out, an empty one.
    #[serde(default)]
    password: String,
}

/// What may be known of a credential.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct About {
    /// `p8`, `p12` or `pem`.
    kind: String,
    /// The ID of the key, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
    /// The ID of the key's team, if it is a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    team_id: Option<String>,
    /// When the certificate is over, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

/// A credential of an app, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = Credential)]
#[serde(rename_all = "kebab-case")]
struct Shown {
    /// Where it works.
    environment: Environment,
    #[serde(flatten)]
    about: About,
    /// When it was put.
    updated_at: String,
}

/// The credentials of an app.
#[derive(Serialize, ToSchema)]
#[schema(as = Credentials)]
struct List {
    credentials: Vec<Shown>,
}

/// A credential of an app.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "kebab-case")]
#[into_params(parameter_in = Path)]
struct OneCredential {
    /// The app's bundle ID.
    bundle_id: String,
    /// Where it works: production or sandbox.
    #[param(value_type = Environment)]
    environment: String,
}

impl New {
    /// Reads it as a client will: what cannot be used is refused now, and not when the first push is sent.
    fn check(self) -> Result<(StoredCredential, About), Problem> {
        let (field, stored) = match (self.p8, self.p12, self.pem) {
            (Some(P8 { key, key_id, team_id }), None, None) => {
                check_ids(&key_id, &team_id)?;
                (Field::new("p8"), StoredCredential::P8 { p8: key, key_id, team_id })
            }
            (None, Some(P12 { file, password }), None) => {
                (Field::new("p12"), StoredCredential::P12 { p12: file, password })
            }
            (None, None, Some(pem)) => (Field::new("pem"), StoredCredential::Pem { pem }),
            _ => return Err(Problem::of_field(Field::ROOT, "give one of p8, p12 and pem")),
        };
        let credential = stored.to_credential().map_err(|why| {
            let part = match stored {
                StoredCredential::P8 { .. } => field.key("key"),
                StoredCredential::P12 { .. } => field.key("file"),
                StoredCredential::Pem { .. } => field,
            };
            Problem::of_field(part, why)
        })?;
        let (key_id, team_id) = match &stored {
            StoredCredential::P8 { key_id, team_id, .. } => (Some(key_id.clone()), Some(team_id.clone())),
            StoredCredential::P12 { .. } | StoredCredential::Pem { .. } => (None, None),
        };
        let expires_at = credential.certificate_expires_at().map(moment);
        let about = About { kind: field.to_string(), key_id, team_id, expires_at };
        Ok((stored, about))
    }
}

fn check_ids(key_id: &str, team_id: &str) -> Result<(), Problem> {
    let at = Field::new("p8");
    let mut errors = FieldErrors::default();
    errors.keep(at.key("key-id"), apns_provider_core::KeyId::parse(key_id));
    errors.keep(at.key("team-id"), apns_provider_core::TeamId::parse(team_id));
    errors.finish(Some(()))
}

fn shown(environment: Environment, credential: &Credential) -> ApiResult<Shown> {
    let about = read_settings(&credential.about)?;
    Ok(Shown { environment, about, updated_at: moment(credential.updated_at) })
}

/// An app's credentials, without their secrets
#[utoipa::path(
    get, path = "/v1/apps/{bundle-id}/credentials", tag = "credentials", params(OneApp),
    responses((status = 200, body = List), ApiError)
)]
async fn list(State(api): State<Api>, caller: Caller, Path(one): Path<OneApp>) -> ApiResult<Json<List>> {
    let app = find(&api, &caller, &one.bundle_id).await?;
    let credentials = api.store().credentials(app.id).await?;
    let credentials = credentials.iter().map(|(environment, credential)| shown(*environment, credential));
    Ok(Json(List { credentials: credentials.collect::<ApiResult<_>>()? }))
}

/// Give an app what it authenticates with
///
/// It takes the place of the one before, also for what is queued; nothing has to be started again.
#[utoipa::path(
    put, path = "/v1/apps/{bundle-id}/credentials/{environment}", tag = "credentials", params(OneCredential),
    request_body = New, responses((status = 200, body = Shown), ApiError)
)]
async fn put(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneCredential>,
    extract::Json(new): extract::Json<New, BODY>,
) -> ApiResult<Json<Shown>> {
    let environment = parameter("environment", Environment::parse(&one.environment))?;
    let app = find(&api, &caller, &one.bundle_id).await?;
    let (stored, about) = new.check()?;
    let source = Source { app: app.id, environment };
    let secret = stored.seal(&api.parts().vault, source)?;
    let at = now();
    let told = json!(about);
    api.store().put_credential(source, secret, &told.to_string(), at).await?;
    let subject = format!("{} {environment}", app.bundle_id.as_str());
    caller.audit(&api, Action::CredentialChanged, &subject, told).await?;
    Ok(Json(Shown { environment, about, updated_at: moment(at) }))
}

/// Forget what an app authenticates with
#[utoipa::path(
    delete, path = "/v1/apps/{bundle-id}/credentials/{environment}", tag = "credentials", params(OneCredential),
    responses((status = 204), ApiError)
)]
async fn remove(
    State(api): State<Api>,
    caller: Caller,
    Path(one): Path<OneCredential>,
) -> ApiResult<StatusCode> {
    let environment = parameter("environment", Environment::parse(&one.environment))?;
    let app = find(&api, &caller, &one.bundle_id).await?;
    if !api.store().remove_credential(Source { app: app.id, environment }).await? {
        let message = format!("the app has no credential for {environment}");
        return Err(ApiError::new(Code::UnknownCredential, message));
    }
    let subject = format!("{} {environment}", app.bundle_id.as_str());
    caller.audit(&api, Action::CredentialRemoved, &subject, json!({})).await?;
    Ok(DONE)
}
