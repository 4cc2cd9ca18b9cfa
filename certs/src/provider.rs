//! Provider certificates: what a provider without a token presents in the TLS handshake.

use rcgen::{DnType, DnValue, ExtendedKeyUsagePurpose};
use rustls_pki_types::UnixTime;

use crate::authority::ORGANIZATION;
use crate::hierarchy::Leaf;
use crate::validity::{LEAF_LIFETIME, Validity};
use crate::{Authority, Error, Identity, ProviderCertificateKind, Purpose, TeamId, Topic, apple_extension};

/// One of APNs' two environments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// For builds signed for development; also called the sandbox.
    Development,
    /// For everything distributed: App Store, TestFlight, ad hoc.
    Production,
}

/// What a provider certificate is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderCertificateRequest {
    /// What it is ordered for.
    pub kind: ProviderCertificateKind,
    /// What it is ordered under: a bundle identifier, a pass type, a website or an MDM topic, without a
    /// suffix.
    pub bundle_id: Topic,
    /// The team that ordered it.
    pub team_id: TeamId,
    /// The topics it lists beside its default one; with several, `apns-topic` is required (Apple
    /// "Communicating with APNs"). Empty: no list is written.
    pub topics: Vec<CertificateTopic>,
}

/// One topic that a certificate lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateTopic {
    /// The topic, with its suffix.
    pub topic: Topic,
    /// What it is for; one kind, in all certificates seen.
    pub kinds: Vec<TopicKind>,
}

/// What a listed topic is for (Apple "Communicating with APNs").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopicKind {
    /// The app itself.
    App,
    /// Its calls.
    Voip,
    /// Its watch complications.
    Complication,
}

impl ProviderCertificateRequest {
    /// A certificate as Apple issues it: [`Universal`](ProviderCertificateKind::Universal) lists the app, its
    /// VoIP and its complication topic, [`WatchKit`](ProviderCertificateKind::WatchKit) the complication, the
    /// others nothing.
    pub fn new(kind: ProviderCertificateKind, bundle_id: Topic, team_id: TeamId) -> Self {
        let listed: &[(&'static str, TopicKind)] = match kind {
            ProviderCertificateKind::Universal => &[
                ("", TopicKind::App),
                (".voip", TopicKind::Voip),
                (".complication", TopicKind::Complication),
            ],
            ProviderCertificateKind::WatchKit => &[(".complication", TopicKind::Complication)],
            _ => &[],
        };
        let topic =
            |&(suffix, kind)| CertificateTopic { topic: bundle_id.with_suffix(suffix), kinds: vec![kind] };
        let topics = listed.iter().map(topic).collect();
        Self { kind, bundle_id, team_id, topics }
    }

    /// The topic of a push that names none: the subject's UID.
    pub fn default_topic(&self) -> Topic {
        self.bundle_id.with_suffix(self.kind.topic_suffix())
    }

    pub(crate) fn leaf(&self) -> Leaf {
        let common_name = self.common_name();
        Leaf {
            subject: self.subject(&common_name),
            common_name,
            usage: ExtendedKeyUsagePurpose::ClientAuth,
            subject_alt_names: Vec::new(),
            extensions: self.extensions(),
        }
    }

    fn common_name(&self) -> String {
        let identifier = self.bundle_id.as_str();
        let named = match self.kind {
            ProviderCertificateKind::Mdm => identifier.strip_prefix(MDM_TOPIC_PREFIX).unwrap_or(identifier),
            _ => identifier,
        };
        format!("{}{named}", self.kind.common_name_prefix())
    }

    /// In Apple's order. MDM certificates belong to a customer, not to a team, and name neither.
    fn subject(&self, common_name: &str) -> Vec<(DnType, DnValue)> {
        let uid = DnType::CustomDnType(apple_extension::UID.to_vec());
        let mut subject =
            vec![(uid, self.default_topic().as_str().into()), (DnType::CommonName, common_name.into())];
        if self.kind != ProviderCertificateKind::Mdm {
            subject.push((DnType::OrganizationalUnitName, self.team_id.as_str().into()));
            subject.push((DnType::OrganizationName, ORGANIZATION.into()));
        }
        let country = COUNTRY.try_into().expect("two capital letters make a PrintableString");
        subject.push((DnType::CountryName, DnValue::PrintableString(country)));
        subject
    }

    fn extensions(&self) -> Vec<rcgen::CustomExtension> {
        let environments = self.kind.environments();
        let mut extensions: Vec<_> = environments.iter().copied().map(apple_extension::environment).collect();
        if self.kind == ProviderCertificateKind::Voip {
            extensions.push(apple_extension::voip_topics(&self.default_topic()));
        }
        if !self.topics.is_empty() {
            extensions.push(apple_extension::topics(&self.topics));
        }
        extensions
    }
}

impl Environment {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Production => "production",
        }
    }
}

impl TopicKind {
    /// The word for it in the certificate.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Voip => "voip",
            Self::Complication => "complication",
        }
    }
}

impl Authority {
    /// Issues a provider certificate, in force for 13 months around `now`.
    ///
    /// Fails with [`Error::DateOutOfRange`] or [`Error::Crypto`].
    pub fn provider(&self, request: &ProviderCertificateRequest, now: UnixTime) -> Result<Identity, Error> {
        self.hierarchy(Purpose::Provider).issue(request.leaf(), Validity::current(now, LEAF_LIFETIME)?)
    }
}

/// What an MDM topic begins with; the rest is a UUID, which is what the common name repeats.
pub(crate) const MDM_TOPIC_PREFIX: &str = "com.apple.mgmt.External.";

/// The subject's country.
const COUNTRY: &str = "US";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apple_extension::{PUSH_DEVELOPMENT, PUSH_PRODUCTION, PUSH_TOPICS, PUSH_VOIP_TOPICS};
    use crate::test_support::{NOW, extension, parse, subject};
    use ProviderCertificateKind as K;

    fn request(kind: K, bundle_id: &str) -> ProviderCertificateRequest {
        ProviderCertificateRequest::new(
            kind,
            Topic::new(bundle_id).unwrap(),
            TeamId::new("DEF123GHIJ").unwrap(),
        )
    }

    /// One row a kind: its identifier, the UID and common name to find, and whether each extension
    /// (development, production, VoIP topics, topics) is there.
    const EXPECTED: [(K, &str, &str, &str, [bool; 4]); 10] = [
        (
            K::Development,
            "c.a",
            "c.a",
            "Apple Development IOS Push Services: c.a",
            [true, false, false, false],
        ),
        (K::Production, "c.a", "c.a", "Apple Production IOS Push Services: c.a", [false, true, false, false]),
        (
            K::MacDevelopment,
            "c.a",
            "c.a",
            "Apple Development Mac Push Services: c.a",
            [true, false, false, false],
        ),
        (
            K::MacProduction,
            "c.a",
            "c.a",
            "Apple Production Mac Push Services: c.a",
            [false, true, false, false],
        ),
        (K::Universal, "c.a", "c.a", "Apple Push Services: c.a", [true, true, false, true]),
        (K::Voip, "c.a", "c.a.voip", "VoIP Services: c.a", [true, true, true, false]),
        (K::WatchKit, "c.a", "c.a.complication", "WatchKit Services: c.a", [true, true, false, true]),
        (K::WebsitePush, "web.c.a", "web.c.a", "Website Push ID: web.c.a", [false, true, false, false]),
        (K::PassType, "pass.c.a", "pass.c.a", "Pass Type ID: pass.c.a", [false, true, false, false]),
        (
            K::Mdm,
            "com.apple.mgmt.External.0a-1b",
            "com.apple.mgmt.External.0a-1b",
            "APSP:0a-1b",
            [false, true, false, false],
        ),
    ];

    #[test]
    fn every_kind_has_apples_subject_and_extensions() {
        let authority = Authority::generate(NOW).unwrap();
        assert!(EXPECTED.iter().map(|row| row.0).eq(K::all()));
        for (kind, bundle_id, uid, common_name, extensions) in EXPECTED {
            let identity = authority.provider(&request(kind, bundle_id), NOW).unwrap();
            let certificate = parse(identity.certificate());

            let mut expected = vec![format!("UID={uid}"), format!("CN={common_name}")];
            if kind != K::Mdm {
                expected.extend(["OU=DEF123GHIJ".to_owned(), "O=mock-apns".to_owned()]);
            }
            expected.push("C=US".to_owned());
            assert_eq!(subject(&certificate), expected, "{kind:?}");

            let oids = [PUSH_DEVELOPMENT, PUSH_PRODUCTION, PUSH_VOIP_TOPICS, PUSH_TOPICS];
            let found = oids.map(|oid| extension(&certificate, oid).is_some());
            assert_eq!(found, extensions, "{kind:?}");
        }
    }

    #[test]
    fn it_is_a_client_of_the_provider_authority() {
        let authority = Authority::generate(NOW).unwrap();
        let identity = authority.provider(&request(K::Universal, "com.example.app"), NOW).unwrap();
        let (leaf, issuer) = (parse(identity.certificate()), parse(&identity.chain()[1]));
        leaf.verify_signature(Some(issuer.public_key())).unwrap();
        issuer.verify_signature(Some(parse(authority.root(Purpose::Provider)).public_key())).unwrap();
        let purposes = leaf.extended_key_usage().unwrap().unwrap().value;
        assert!(purposes.client_auth && !purposes.server_auth);
        assert!(leaf.key_usage().unwrap().unwrap().value.digital_signature());
        assert!(
            issuer
                .subject()
                .to_string()
                .contains("Apple Worldwide Developer Relations Certification Authority")
        );
    }

    #[test]
    fn topics_that_a_caller_lists_replace_the_usual_ones() {
        let authority = Authority::generate(NOW).unwrap();
        let mut request = request(K::Production, "com.example.app");
        let topic = Topic::new("com.example.app.voip").unwrap();
        request.topics = vec![CertificateTopic { topic, kinds: vec![TopicKind::Voip] }];
        let identity = authority.provider(&request, NOW).unwrap();
        let certificate = parse(identity.certificate());
        let expected = b"\x30\x1e\x0c\x14com.example.app.voip\x30\x06\x0c\x04voip";
        assert_eq!(extension(&certificate, PUSH_TOPICS), Some(expected.as_slice()));
    }

    #[test]
    fn the_private_key_belongs_to_the_certificate() {
        let authority = Authority::generate(NOW).unwrap();
        let identity = authority.provider(&request(K::Production, "com.example.app"), NOW).unwrap();
        let certificate = parse(identity.certificate());
        let public_key = &certificate.public_key().subject_public_key.data;
        assert_eq!(public_key.as_ref(), identity.private_key().public_key());
    }
}
