//! A connection as the control API tells it.

use std::{borrow::Cow, collections::BTreeMap, net::SocketAddr};

use mock_apns_core::{DeviceId, Environment, KeyId, Service, TeamId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

use super::super::schema;
use crate::connections::{Because, Certificate, Entry, Kind, Name};

/// A connection.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = Connection)]
pub(super) struct View {
    /// Its name: of a provider's the number that the journal and the log have too, of a device's such as `device-7`.
    #[schema(example = "7")]
    id: String,
    /// Whose it is.
    kind: KindView,
    /// The address that it comes from.
    #[schema(value_type = String, example = "127.0.0.1:50123")]
    peer: SocketAddr,
    /// The teams that it is of: of the provider's certificate or accepted provider tokens, or the device's. None before one
    /// is known; more than one only where the setting `second-team` lets it.
    #[schema(value_type = Vec<String>)]
    teams: Vec<TeamId>,
    /// What TLS agreed on.
    tls: Tls,
    /// When its handshake was done, in milliseconds since 1970 by the machine's clock.
    #[schema(value_type = u64)]
    opened_at: Timestamp,
    /// How it ended; absent while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    closed: Option<Closed>,
    /// Bytes that came, decrypted.
    bytes_in: u64,
    /// Bytes that were sent, before they were encrypted; while it is open, as of the last batch that came.
    bytes_out: u64,
    /// What a provider has done on it.
    #[serde(flatten)]
    #[schema(inline)]
    provider: Option<Provider>,
    /// The device that a device's certificate names.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "phone")]
    device: Option<DeviceId>,
}

/// What a provider has done on its connection.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct Provider {
    /// The environment that its pushes are for, unless a push names another host.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Environment>)]
    environment: Option<Environment>,
    /// The keys of the provider tokens that were accepted, since their team was reset.
    #[schema(value_type = Vec<String>)]
    keys: Vec<KeyId>,
    /// How many requests were answered.
    requests: u64,
    /// How many with which status.
    #[schema(example = json!({"200": 41, "410": 1}))]
    answers: BTreeMap<u16, u64>,
    /// Streams on which a request or its answer is under way.
    streams_in_flight: u64,
}

/// Whose connection it is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = ConnectionKind)]
pub(super) enum KindView {
    /// A provider's.
    Provider,
    /// A device's.
    Device,
}

/// What TLS agreed on.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = ConnectionTls)]
struct Tls {
    /// The version.
    #[schema(example = "TLSv1.3")]
    version: Option<&'static str>,
    /// The protocol agreed on by ALPN; null without.
    #[schema(example = "h2")]
    alpn: Option<String>,
    /// The server name that was asked for; null if none was.
    #[schema(example = "api.push.apple.com")]
    server_name: Option<String>,
    /// The certificate that the peer has shown; null if it has shown none.
    certificate: Option<CertificateView>,
}

/// A certificate.
#[derive(Serialize, ToSchema)]
#[schema(as = ShownCertificate)]
struct CertificateView {
    /// Its subject.
    #[schema(example = "UID=com.example.app, CN=Apple Push Services: com.example.app")]
    subject: String,
    /// The SHA-256 of it in hexadecimal.
    sha256: String,
}

/// How a connection ended.
#[derive(Serialize, ToSchema)]
#[schema(as = ConnectionEnd)]
struct Closed {
    /// When, in milliseconds since 1970 by the machine's clock.
    #[schema(value_type = u64)]
    at: Timestamp,
    /// Why.
    #[schema(value_type = BecauseSchema)]
    because: &'static str,
    /// In words, where there is more to say: the error, or the reason of a GOAWAY.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// Why a connection ended.
struct BecauseSchema;

impl View {
    pub(super) fn of(name: Name, entry: &Entry, service: &Service) -> Self {
        let (about, traffic, parties) = (&entry.about, &entry.traffic, entry.parties(service));
        let provider = (name.kind() == Kind::Provider).then(|| Provider {
            environment: parties.environment,
            keys: parties.keys,
            requests: traffic.requests(),
            answers: traffic.answers().collect(),
            streams_in_flight: traffic.streams,
        });
        let closed = entry.closed().map(|closed| Closed {
            at: closed.at,
            because: closed.end.because.as_str(),
            detail: closed.end.detail.clone(),
        });
        Self {
            id: name.to_string(),
            kind: name.kind().into(),
            peer: about.peer,
            teams: parties.teams,
            tls: Tls {
                version: about.tls.version,
                alpn: about.tls.alpn.clone(),
                server_name: about.tls.server_name.clone(),
                certificate: about.tls.certificate.as_deref().map(CertificateView::of),
            },
            opened_at: about.opened_at,
            closed,
            bytes_in: traffic.bytes_in,
            bytes_out: traffic.bytes_out,
            provider,
            device: about.device.clone(),
        }
    }
}

impl CertificateView {
    fn of(certificate: &Certificate) -> Self {
        Self { subject: certificate.subject.clone(), sha256: certificate.sha256_text() }
    }
}

impl From<Kind> for KindView {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Provider => Self::Provider,
            Kind::Device => Self::Device,
        }
    }
}

impl PartialSchema for BecauseSchema {
    fn schema() -> RefOr<Schema> {
        let names = Because::ALL.iter().map(|because| because.as_str());
        let meanings: Vec<_> =
            Because::ALL.iter().map(|it| format!("* `{}`: {}", it.as_str(), it.meaning())).collect();
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(names))
            .description(Some(meanings.join("\n")))
            .into()
    }
}

impl ToSchema for BecauseSchema {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("ConnectionEndCause")
    }
}
