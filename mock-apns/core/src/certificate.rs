//! Provider certificates: what a client's TLS certificate allows it to push, and to where.

use serde::{Deserialize, Serialize};
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
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
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
    #[error(
        "the client certificate has neither extension 1.2.840.113635.100.6.3.1 (development) nor .2 (production)"
    )]
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

#[cfg(test)]
mod tests {
    use apns_certs::{Flaw, ProviderCertificateKind, ProviderCertificateRequest};

    use super::*;
    use crate::bench::{TEAM, authority, certificate, certificate_for, unix_now};

    fn read(kind: &str) -> ProviderCertificate {
        ProviderCertificate::from_der(&certificate(kind)).unwrap()
    }

    #[test]
    fn each_kind_of_certificate_has_its_environments_and_topics() {
        use Environment::{Production, Sandbox};
        let app = "com.example.app";
        for (kind, environments, topics) in [
            ("development", &[Sandbox][..], &[app][..]),
            ("production", &[Production], &[app]),
            (
                "universal",
                &[Sandbox, Production],
                &[app, "com.example.app.voip", "com.example.app.complication"],
            ),
            ("voip", &[Sandbox, Production], &["com.example.app.voip"]),
            ("watchkit", &[Sandbox, Production], &["com.example.app.complication"]),
            ("pass-type", &[Production], &[app]),
        ] {
            let certificate = read(kind);
            assert_eq!(certificate.environments, environments, "{kind}");
            assert_eq!(certificate.topics, topics, "{kind}");
            let only = if topics.len() == 1 { Some(topics[0]) } else { None };
            assert_eq!(certificate.default_topic(), only, "{kind}");
        }
    }

    #[test]
    fn the_subject_names_the_app_and_the_team() {
        let certificate = read("universal");
        assert_eq!(certificate.uid.as_deref(), Some("com.example.app"));
        assert_eq!(certificate.common_name.as_deref(), Some("Apple Push Services: com.example.app"));
        assert_eq!(certificate.team_id, Some(TeamId::parse(TEAM).unwrap()));
        assert!(certificate.not_after > Timestamp::from_secs(unix_now().as_secs()));
        let mdm = "com.apple.mgmt.External.0B1C2D3E-0000-4000-8000-000000000000";
        let certificate = ProviderCertificate::from_der(&certificate_for("mdm", mdm, TEAM)).unwrap();
        assert_eq!((certificate.topics, certificate.team_id), (vec![mdm.to_owned()], None));
    }

    #[test]
    fn what_is_no_push_certificate_is_told_apart() {
        assert_eq!(ProviderCertificate::from_der(b"nonsense"), Err(CertificateError::NotX509));
        let server = authority().server(&[], unix_now()).unwrap();
        assert_eq!(ProviderCertificate::from_der(server.certificate()), Err(CertificateError::NotForPush));
        let request = ProviderCertificateRequest::new(
            ProviderCertificateKind::Development,
            apns_certs::Topic::new("com.example.app").unwrap(),
            apns_certs::TeamId::new(TEAM).unwrap(),
        );
        let no_topics = authority().flawed_provider(&request, Flaw::NoTopics, unix_now()).unwrap();
        assert_eq!(ProviderCertificate::from_der(no_topics.certificate()), Err(CertificateError::NoTopics));
    }

    #[test]
    fn a_list_of_topics_has_one_form() {
        // A topic and its one kind, as OpenSSL writes pushy's configuration.
        let one = b"\x30\x18\x0c\x0fcom.example.app\x30\x05\x0c\x03app";
        assert_eq!(topics_of_sequence(one), Some(vec!["com.example.app".to_owned()]));
        for value in [
            &b""[..],
            b"\x05\x00",
            b"\x30\x11\x0c\x0fcom.example.app",
            b"\x30\x0a\x0c\x03app\x0c\x03app",
            b"\x30\x05\x0c\xffapp",
        ] {
            assert_eq!(topics_of_sequence(value), None, "{value:?}");
        }
        assert_eq!(topics_of_string(b"\x0c\x08a.b, c.d"), Some(vec!["a.b".to_owned(), "c.d".to_owned()]));
        assert_eq!(topics_of_string(b"\x30\x00"), None);
    }
}
