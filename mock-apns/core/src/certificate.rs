//! Provider certificates: what a client's TLS certificate allows it to push, and to where.

use thiserror::Error;
use x509_parser::{
    certificate::X509Certificate,
    der_parser::{ber::BerObjectContent, der::parse_der, oid},
    oid_registry::{OID_X509_COMMON_NAME, OID_X509_ORGANIZATIONAL_UNIT, Oid},
    prelude::FromDer,
};

use crate::{Environment, TeamId, Timestamp};

/// What a provider certificate says. That it chains to the right authority is for TLS to see.
/// Source: Apple, "Establishing a certificate-based connection to APNs", archived "Communicating with APNs".
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProviderCertificate {
    /// The subject's UID: the topic of a certificate that lists none.
    pub uid: Option<String>,
    /// The subject's common name, such as `Apple Push Services: com.example.app`.
    pub common_name: Option<String>,
    /// The subject's organizational unit, where it is a team ID.
    pub team_id: Option<TeamId>,
    /// The environments that it is good for.
    pub environments: Vec<Environment>,
    /// The topics that it may push to: those that it lists, else its UID. Never empty.
    pub topics: Vec<String>,
    /// The last moment of its validity.
    pub not_after: Timestamp,
}

impl ProviderCertificate {
    /// Reads the DER of a leaf certificate.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let (_, certificate) = X509Certificate::from_der(der).map_err(|_| CertificateError::NotX509)?;
        let environments = environments(&certificate);
        if environments.is_empty() {
            return Err(CertificateError::NotForPush);
        }
        let uid = subject_text(&certificate, &UID);
        let mut topics = listed_topics(&certificate)?;
        if topics.is_empty() {
            topics.extend(uid.clone());
        }
        if topics.is_empty() {
            return Err(CertificateError::NoTopics);
        }
        let not_after = u64::try_from(certificate.validity().not_after.timestamp()).unwrap_or(0);
        Ok(Self {
            uid,
            common_name: subject_text(&certificate, &OID_X509_COMMON_NAME),
            team_id: subject_text(&certificate, &OID_X509_ORGANIZATIONAL_UNIT)
                .and_then(|unit| TeamId::parse(&unit).ok()),
            environments,
            topics,
            not_after: Timestamp::from_secs(not_after),
        })
    }

    /// The topic of a push without `apns-topic`: the only one there is.
    pub fn default_topic(&self) -> Option<&str> {
        match self.topics.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }
}

/// A certificate is not one that a provider can push with.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum CertificateError {
    /// It cannot be read.
    #[error("the client certificate is not an X.509 certificate")]
    NotX509,
    /// It has neither of the extensions that make it a push certificate.
    #[error("the client certificate has neither extension 1.2.840.113635.100.6.3.1 (development) nor .2 (production)")]
    NotForPush,
    /// It names no topic.
    #[error("the client certificate names no topic: no UID in its subject, and no list of topics")]
    NoTopics,
    /// Its list of topics has not the documented form.
    #[error("the client certificate's list of topics cannot be read")]
    BadTopicList,
}

fn environments(certificate: &X509Certificate<'_>) -> Vec<Environment> {
    let has = |oid| certificate.iter_extensions().any(|extension| extension.oid == oid);
    let development = has(PUSH_DEVELOPMENT).then_some(Environment::Sandbox);
    let production = has(PUSH_PRODUCTION).then_some(Environment::Production);
    development.into_iter().chain(production).collect()
}

fn listed_topics(certificate: &X509Certificate<'_>) -> Result<Vec<String>, CertificateError> {
    let mut topics = Vec::new();
    for extension in certificate.extensions() {
        let read = match &extension.oid {
            oid if *oid == TOPICS => topics_of_sequence,
            oid if *oid == VOIP_TOPICS => topics_of_string,
            _ => continue,
        };
        topics.extend(read(extension.value).ok_or(CertificateError::BadTopicList)?);
    }
    Ok(topics)
}

/// Reads the value of extension 6.3.6: one flat sequence of a topic, its kinds, the next topic, and so on. Source of
/// the form: the configuration by which pushy makes its test certificates.
fn topics_of_sequence(value: &[u8]) -> Option<Vec<String>> {
    let (_, list) = parse_der(value).ok()?;
    let (pairs, rest) = list.as_sequence().ok()?.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|[topic, kinds]| match (&topic.content, &kinds.content) {
            (BerObjectContent::UTF8String(topic), BerObjectContent::Sequence(_)) => Some((*topic).to_owned()),
            _ => None,
        })
        .collect()
}

/// Reads the value of extension 6.3.4, of older VoIP certificates: one string, topics parted by commas. Apple does
/// not document the form; it is that of a client which reads real ones.
fn topics_of_string(value: &[u8]) -> Option<Vec<String>> {
    let (_, text) = parse_der(value).ok()?;
    let topics = text.as_str().ok()?.split(',').map(|topic| topic.trim().to_owned());
    Some(topics.filter(|topic| !topic.is_empty()).collect())
}

fn subject_text(certificate: &X509Certificate<'_>, oid: &Oid<'static>) -> Option<String> {
    let attribute = certificate.subject().iter_by_oid(oid).next()?;
    Some(attribute.as_str().ok()?.to_owned())
}

/// `uid` in a subject (RFC 4519, 2.39).
const UID: Oid<'static> = oid!(0.9.2342.19200300.100.1.1);
/// "Apple Push Development". Source of the names: Apple, "Worldwide Developer Relations Certification Practice
/// Statement".
const PUSH_DEVELOPMENT: Oid<'static> = oid!(1.2.840.113635.100.6.3.1);
/// "Apple Push Production".
const PUSH_PRODUCTION: Oid<'static> = oid!(1.2.840.113635.100.6.3.2);
/// The topics of an older VoIP certificate.
const VOIP_TOPICS: Oid<'static> = oid!(1.2.840.113635.100.6.3.4);
/// The topics of a certificate that has several.
const TOPICS: Oid<'static> = oid!(1.2.840.113635.100.6.3.6);
