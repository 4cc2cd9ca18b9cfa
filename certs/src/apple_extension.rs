//! The certificate extensions by which APNs knows what a provider may push, and to where.
//!
//! All lie under Apple's arc `1.2.840.113635.100.6.3` and are not critical. Names: Apple, "Worldwide
//! Developer Relations Certification Practice Statement".

use rcgen::CustomExtension;

use crate::{CertificateTopic, Environment, Topic};

/// The subject attribute that holds the default topic (RFC 4519 section 2.39, `uid`).
pub const UID: &[u64] = &[0, 9, 2342, 19_200_300, 100, 1, 1];

/// "Apple Push Development": good for the development environment. Its value is NULL.
pub const PUSH_DEVELOPMENT: &[u64] = &[1, 2, 840, 113_635, 100, 6, 3, 1];

/// "Apple Push Production": good for the production environment. Its value is NULL.
pub const PUSH_PRODUCTION: &[u64] = &[1, 2, 840, 113_635, 100, 6, 3, 2];

/// The topics of an older VoIP Services certificate. Its value is one UTF8String, the topics parted by
/// commas: Apple documents that topics are listed here, not how; observed in a client that reads real ones
/// (FKApnsMac, `APNSSecIdentityType.m`).
pub const PUSH_VOIP_TOPICS: &[u64] = &[1, 2, 840, 113_635, 100, 6, 3, 4];

/// The topics of a certificate that has several. Its value is one flat sequence that alternates a topic and
/// the sequence of its kinds (pushy, `apns-extensions.cnf`).
pub const PUSH_TOPICS: &[u64] = &[1, 2, 840, 113_635, 100, 6, 3, 6];

/// The extension that admits a certificate to `environment`.
pub(crate) fn environment(environment: Environment) -> CustomExtension {
    let oid = match environment {
        Environment::Development => PUSH_DEVELOPMENT,
        Environment::Production => PUSH_PRODUCTION,
    };
    CustomExtension::from_oid_content(oid, DER_NULL.to_vec())
}

/// [`PUSH_VOIP_TOPICS`] with one topic.
pub(crate) fn voip_topics(topic: &Topic) -> CustomExtension {
    let value = yasna::construct_der(|writer| writer.write_utf8_string(topic.as_str()));
    CustomExtension::from_oid_content(PUSH_VOIP_TOPICS, value)
}

/// [`PUSH_TOPICS`] with `topics`, in their order.
pub(crate) fn topics(topics: &[CertificateTopic]) -> CustomExtension {
    let value = yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            for CertificateTopic { topic, kinds } in topics {
                writer.next().write_utf8_string(topic.as_str());
                writer.next().write_sequence(|writer| {
                    for kind in kinds {
                        writer.next().write_utf8_string(kind.as_str());
                    }
                });
            }
        });
    });
    CustomExtension::from_oid_content(PUSH_TOPICS, value)
}

/// Whether this is one of the extensions that list topics.
pub(crate) fn lists_topics(extension: &CustomExtension) -> bool {
    [PUSH_VOIP_TOPICS, PUSH_TOPICS].iter().any(|oid| extension.oid_components().eq(oid.iter().copied()))
}

/// NULL in DER (ITU-T X.690 section 8.8).
const DER_NULL: [u8; 2] = [0x05, 0x00];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TopicKind;

    #[test]
    fn an_environment_is_a_null() {
        for of in [Environment::Development, Environment::Production] {
            assert_eq!(environment(of).content(), [0x05, 0x00]);
            assert!(!environment(of).criticality());
        }
    }

    #[test]
    fn voip_topics_are_one_string() {
        let extension = voip_topics(&Topic::new("com.example.app.voip").unwrap());
        assert_eq!(extension.content(), b"\x0c\x14com.example.app.voip");
    }

    /// The bytes that OpenSSL writes for pushy's configuration of the same topics.
    #[test]
    fn topics_are_the_flat_sequence_that_openssl_writes() {
        let topic =
            |name: &str, kind| CertificateTopic { topic: Topic::new(name).unwrap(), kinds: vec![kind] };
        let extension = topics(&[
            topic("com.example.app", TopicKind::App),
            topic("com.example.app.voip", TopicKind::Voip),
            topic("com.example.app.complication", TopicKind::Complication),
        ]);
        let hex = "30640c0f636f6d2e6578616d706c652e61707030050c03617070\
                   0c14636f6d2e6578616d706c652e6170702e766f697030060c04766f6970\
                   0c1c636f6d2e6578616d706c652e6170702e636f6d706c69636174696f6e300e0c0c636f6d706c69636174696f6e";
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        assert_eq!(extension.content(), (0..hex.len()).step_by(2).map(byte).collect::<Vec<_>>());
    }
}
