//! The CA, provider certificates good and bad, device certificates: made for whoever asks.

use apns_certs::{
    Flaw,
    catalogue::{Entry, File, Recipe},
};
use axum::{Json, body::Body, extract::State, http::Response};
use mock_apns_core::{BundleId, DeviceId, TeamId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Control, InTeam,
    error::{ApiError, ApiResult, ErrorCode},
    extract::{Path, Query, file},
};
use crate::certificates::{PKCS12_PASSWORD, now};

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}

/// What can be had.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = Certificates)]
struct List {
    /// Every kind, good and bad.
    certificates: Vec<Kind>,
    /// The password of every .p12 file.
    #[schema(example = "mock-apns")]
    pkcs12_password: &'static str,
}

/// A kind of certificate.
#[derive(Serialize, ToSchema)]
#[schema(as = CertificateKind)]
struct Kind {
    /// Its name.
    #[schema(example = "provider-universal")]
    name: String,
    /// What it is, and what a bad one is answered.
    about: String,
    /// The files that it can be had as, each at /v1/certificates/ and its name.
    #[schema(example = json!(["provider-universal.pem", "provider-universal.p12"]))]
    files: Vec<String>,
}

/// Whose certificate it is to be.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Subject {
    /// The team's ID; left out, the ready-made team's.
    #[param(value_type = Option<String>)]
    team: Option<TeamId>,
    /// Of a provider's certificate, the app's bundle ID; left out, that of the team's first app.
    #[param(value_type = Option<String>)]
    app: Option<BundleId>,
    /// Of a device's certificate, the device's name; left out, `phone`.
    #[param(value_type = Option<String>)]
    device: Option<DeviceId>,
}

/// A file.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct OneFile {
    /// The file's name, such as `ca.pem` or `provider-universal.p12`.
    file: String,
}

/// What can be had
#[utoipa::path(
    get, path = "/v1/certificates", tag = "certificates", params(InTeam), responses((status = 200, body = List), ApiError)
)]
async fn list(
    State(control): State<Control>,
    Query(InTeam { team }): Query<InTeam>,
) -> ApiResult<Json<List>> {
    let recipe = recipe(&control, Subject { team, app: None, device: None })?;
    let mut certificates = Vec::new();
    for entry in offered() {
        let files = entry.files(&recipe)?;
        certificates.push(Kind {
            name: entry.name(),
            about: entry.about(),
            files: files.into_iter().map(|file| file.name).collect(),
        });
    }
    Ok(Json(List { certificates, pkcs12_password: PKCS12_PASSWORD }))
}

/// One file
///
/// The CA is always the same one; any other is made afresh. PEM files of providers and devices have the chain and the private
/// key.
#[utoipa::path(
    get, path = "/v1/certificates/{file}", tag = "certificates", params(OneFile, Subject),
    responses((status = 200, body = String, content_type = "application/x-pem-file"), ApiError)
)]
async fn get(
    State(control): State<Control>,
    Path(OneFile { file: name }): Path<OneFile>,
    Query(subject): Query<Subject>,
) -> ApiResult<Response<Body>> {
    let is_ready_made = subject.team.is_none_or(|team| team == control.about().team) && subject.app.is_none();
    let recipe = recipe(&control, subject)?;
    for entry in offered().filter(|entry| could_be(*entry, &name)) {
        if entry == Entry::FlawedProvider(Flaw::Revoked) {
            return revoked(&control, &name, is_ready_made);
        }
        if let Some(File { contents, .. }) = entry.files(&recipe)?.into_iter().find(|file| file.name == name)
        {
            return Ok(file(media_type(&name), contents));
        }
    }
    let message = format!("there is no certificate file {name:?}");
    Err(ApiError::new(ErrorCode::UnknownCertificate, message))
}

/// Making a certificate takes time: only what may have a file of this name is made.
fn could_be(entry: Entry, file: &str) -> bool {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let is_list = entry == Entry::FlawedProvider(Flaw::Revoked) && REVOCATION_LISTS.contains(&file);
    entry == Entry::Ca || entry.name() == stem || is_list
}

/// The revocation list names one certificate, made at the start.
fn revoked(control: &Control, name: &str, is_ready_made: bool) -> ApiResult<Response<Body>> {
    if !is_ready_made {
        let message =
            "only the ready-made team's certificate for its first app is revoked: leave out `team` and `app`";
        return Err(ApiError::new(ErrorCode::BadValue, message)
            .hint("TLS refuses it before any team is looked at, so that it serves a test of every team."));
    }
    let list = control.certificates().revocation_list();
    match name {
        REVOCATION_LIST_PEM => return Ok(file(media_type(name), list.to_pem())),
        REVOCATION_LIST_DER => return Ok(file("application/pkix-crl", list.der().to_vec())),
        _ => {}
    }
    let identity = control.certificates().flawed_provider(Flaw::Revoked)?;
    if std::path::Path::new(name).extension().is_some_and(|extension| extension == "p12") {
        let pkcs12 = identity.to_pkcs12(PKCS12_PASSWORD, apns_certs::Pkcs12Encryption::Modern)?;
        return Ok(file(media_type(name), pkcs12));
    }
    Ok(file(media_type(name), identity.to_pem()))
}

/// What the double has revoked.
const REVOCATION_LIST_PEM: &str = "revoked.crl.pem";
const REVOCATION_LIST_DER: &str = "revoked.crl";
const REVOCATION_LISTS: &[&str] = &[REVOCATION_LIST_PEM, REVOCATION_LIST_DER];

/// What clients of the double have a use for: not what a server shows, and keys have a resource of their own.
fn offered() -> impl Iterator<Item = Entry> {
    let is_server = |entry| {
        matches!(
            entry,
            Entry::Server | Entry::FlawedServer(_) | Entry::ServerOfNewRoot | Entry::ServerOfCrossSignedRoot
        )
    };
    Entry::all().into_iter().filter(move |entry| !is_server(*entry) && *entry != Entry::AuthKey)
}

fn recipe(control: &Control, subject: Subject) -> ApiResult<Recipe> {
    let team_id = control.team_id(subject.team);
    let app = match subject.app {
        Some(app) => app,
        None => control.in_team(subject.team, |team| {
            let first = team.team().apps().next().map(|app| app.bundle_id.clone());
            first.ok_or_else(|| {
                ApiError::new(ErrorCode::BadValue, "the team has no app: add one, or name one with `app`")
            })
        })?,
    };
    let device = subject.device.as_ref().map_or("phone", DeviceId::as_str);
    Ok(Recipe {
        authority: control.certificates().authority().clone(),
        now: now(),
        bundle_id: apns_certs::Topic::new(app.as_str())?,
        team_id: apns_certs::TeamId::new(team_id.as_str())?,
        key_id: apns_certs::KeyId::new("MOCKKEY001")?,
        host_names: Vec::new(),
        device_id: apns_certs::DeviceId::new(device)?,
        password: PKCS12_PASSWORD.to_owned(),
    })
}

fn media_type(file: &str) -> &'static str {
    match file.rsplit_once('.') {
        Some((_, "p12")) => "application/x-pkcs12",
        _ => "application/x-pem-file",
    }
}
