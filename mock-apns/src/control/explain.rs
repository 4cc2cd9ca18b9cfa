//! Why a request is answered as it is, rule by rule.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use mock_apns_core::{Environment, ExplainOn, Opened, Request};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Control,
    error::{ApiError, ApiResult, ErrorCode},
    extract, schema,
};
use crate::{clock::now, json::raw};

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(explain))
}

/// A push to explain, as a provider would send it.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schema(as = ExplainRequest)]
struct Asked {
    /// The device token of the path `/3/device/…`.
    device_token: Option<String>,
    /// The whole `:path`, in place of the device token.
    path: Option<String>,
    /// The `:method`; left out, POST.
    method: Option<String>,
    /// The header fields, `authorization` among them, in lower case as on the wire.
    #[serde(default)]
    #[schema(example = json!({"authorization": "bearer eyJ…", "apns-topic": "com.example.app", "apns-push-type": "alert"}))]
    headers: Headers,
    /// The payload.
    #[schema(value_type = Option<Object>, example = json!({"aps": {"alert": "Hello"}}))]
    payload: Option<Box<RawValue>>,
    /// The body as text, in place of the payload: for one that is not JSON.
    body: Option<String>,
    /// The environment whose port it would be sent to; left out, the sandbox.
    #[schema(value_type = Option<schema::Environment>)]
    environment: Option<Environment>,
    /// The host name that the provider would connect to, if it is one of Apple's.
    server_name: Option<String>,
    /// The provider certificate that the connection would show, as PEM. Its chain is not checked here: TLS does that.
    certificate: Option<String>,
}

/// Header fields: an object, or a list of pairs where one is repeated.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
enum Headers {
    Object(BTreeMap<String, String>),
    List(Vec<(String, String)>),
}

impl Default for Headers {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

/// What would be answered, and why.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "describes what the core writes")]
pub(super) struct Explanation {
    /// The answer and the rule behind it, in a sentence or two.
    #[schema(example = "400 BadDeviceToken: device-token-is-known does not hold.")]
    summary: String,
    /// What would be answered.
    answer: ForeseenAnswer,
    /// Every rule, in Apple's order. The first that does not hold decides; the next ones would, were the first mistake
    /// mended.
    rules: Vec<RuleOutcome>,
}

/// What would be answered.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what the core writes")]
struct ForeseenAnswer {
    /// The `:status`.
    status: u16,
    /// Why it would be refused.
    reason: Option<String>,
    /// The body of the answer.
    body: String,
    /// Whether there is no answer, and the connection is told to go away with this reason.
    goaway: bool,
}

/// A rule, and what came of it.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "describes what the core writes")]
struct RuleOutcome {
    /// Its name, which does not change.
    rule: String,
    /// Where it stands: path, credentials, headers, topic, device token or payload.
    group: String,
    /// What must hold.
    title: String,
    /// `passed`, `failed`, or `not-reached`: one that it builds on does not hold.
    outcome: String,
    /// What is answered for it, if it does not hold.
    reason: Option<String>,
    /// What it looked at.
    looked_at: Option<String>,
    /// Where it is documented or was observed.
    source: String,
    /// What a provider that breaks it has usually done.
    usual_mistake: String,
}

/// Explain a push without sending it
///
/// It is judged by every rule as it stands now, on a new connection, and changes nothing: no notification, no entry in the
/// journal. The team is found from its credentials, as always.
#[utoipa::path(
    post, path = "/v1/explain", tag = "explain", request_body = Asked,
    responses((status = 200, body = Explanation), ApiError)
)]
async fn explain(
    State(control): State<Control>,
    extract::Json(asked): extract::Json<Asked>,
) -> ApiResult<Json<Box<RawValue>>> {
    let (request, body) = asked.request()?;
    let certificate = asked.certificate.as_deref().map(first_certificate).transpose()?;
    let opened = Opened {
        environment: asked.environment.unwrap_or(Environment::Sandbox),
        server_name: asked.server_name.as_deref(),
        certificate: certificate.as_deref(),
    };
    let mut batch = control.shared().batch();
    let explanation = batch.service().explain(now(), ExplainOn::New(opened), &request, &body);
    let explanation = explanation.expect("a new connection is always there");
    Ok(Json(raw(&explanation)))
}

impl Asked {
    /// The fields in the order of the wire, and the body.
    fn request(&self) -> ApiResult<(Request, Vec<u8>)> {
        let both = |one, other| {
            ApiError::new(ErrorCode::BadValue, format!("there is `{one}` and `{other}`: send one"))
        };
        let path = match (&self.path, &self.device_token) {
            (Some(_), Some(_)) => return Err(both("path", "device-token")),
            (Some(path), None) => path.clone(),
            (None, token) => format!("/3/device/{}", token.as_deref().unwrap_or_default()),
        };
        let body = match (&self.payload, &self.body) {
            (Some(_), Some(_)) => return Err(both("payload", "body")),
            (Some(payload), None) => payload.get().as_bytes().to_vec(),
            (None, body) => body.clone().unwrap_or_default().into_bytes(),
        };
        let mut request = Request::new();
        request.field(b":method", self.method.as_deref().unwrap_or("POST").as_bytes());
        request.field(b":scheme", b"https");
        request.field(b":path", path.as_bytes());
        for (name, value) in self.headers.iter() {
            request.field(name.to_ascii_lowercase().as_bytes(), value.as_bytes());
        }
        Ok((request, body))
    }
}

impl Headers {
    fn iter(&self) -> Box<dyn Iterator<Item = (&str, &str)> + '_> {
        match self {
            Self::Object(fields) => {
                Box::new(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())))
            }
            Self::List(fields) => {
                Box::new(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())))
            }
        }
    }
}

/// The DER of the first certificate of a PEM file.
fn first_certificate(pem: &str) -> ApiResult<CertificateDer<'static>> {
    CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|error| {
        ApiError::new(
            ErrorCode::BadValue,
            format!("field certificate: there is no certificate in PEM: {error}"),
        )
    })
}
