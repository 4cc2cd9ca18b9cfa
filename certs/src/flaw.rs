//! The bad ones, by name: certificates that are wrong in one way each and right in all others.

use rustls_pki_types::UnixTime;

use crate::hierarchy::{AuthorityNames, Hierarchy};
use crate::server::{server_leaf, server_sans};
use crate::validity::{LEAF_LIFETIME, Validity};
use crate::{
    Authority, Environment, Error, HostName, Identity, ProviderCertificateKind, ProviderCertificateRequest,
    Purpose, apple_extension,
};

/// What is wrong with a provider certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Its dates are over.
    Expired,
    /// Its dates have not begun.
    NotYetValid,
    /// An authority that the service does not trust issued it.
    ForeignCa,
    /// Nothing, by itself: [`Authority::revocation_list`] with its serial number takes it back.
    Revoked,
    /// It is good for the other environment only, not for the one named here, which is where it is to be
    /// presented.
    WrongEnvironment(Environment),
    /// It chains and is in date, but names no topic: neither a UID nor a list.
    NoTopics,
}

/// What is wrong with a server certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerFlaw {
    /// It speaks for a host that nobody can ask for.
    WrongHost,
    /// Its dates are over.
    Expired,
    /// No authority issued it: it signed itself.
    SelfSigned,
    /// An authority that nobody knows issued it.
    UnknownCa,
}

impl Flaw {
    /// Every flaw, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        FLAWS.iter().map(|row| row.flaw)
    }

    /// A short name for command lines, such as `not-yet-valid`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// What is wrong.
    pub fn problem(self) -> &'static str {
        self.row().problem
    }

    /// What APNs does about it.
    pub fn answer(self) -> &'static str {
        self.row().answer
    }

    fn row(self) -> &'static Row<Self> {
        FLAWS.iter().find(|row| row.flaw == self).expect("a test sees that every flaw has a row")
    }
}

impl ServerFlaw {
    /// Every flaw, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        SERVER_FLAWS.iter().map(|row| row.flaw)
    }

    /// A short name for command lines, such as `wrong-host`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// What is wrong.
    pub fn problem(self) -> &'static str {
        self.row().problem
    }

    /// What a provider must do about it.
    pub fn answer(self) -> &'static str {
        self.row().answer
    }

    fn row(self) -> &'static Row<Self> {
        SERVER_FLAWS.iter().find(|row| row.flaw == self).expect("a test sees that every flaw has a row")
    }
}

impl Authority {
    /// Issues a provider certificate that is as requested, but for one flaw.
    ///
    /// With [`Flaw::WrongEnvironment`] the request's kind gives way to the iOS kind of the other environment.
    /// Fails with [`Error::DateOutOfRange`] or [`Error::Crypto`].
    pub fn flawed_provider(
        &self,
        request: &ProviderCertificateRequest,
        flaw: Flaw,
        now: UnixTime,
    ) -> Result<Identity, Error> {
        let provider = self.hierarchy(Purpose::Provider);
        match flaw {
            Flaw::Expired => provider.issue(request.leaf(), Validity::expired(now)?),
            Flaw::NotYetValid => provider.issue(request.leaf(), Validity::not_yet(now)?),
            Flaw::ForeignCa => Hierarchy::generate(&FOREIGN, now)?
                .issue(request.leaf(), Validity::current(now, LEAF_LIFETIME)?),
            Flaw::Revoked => self.provider(request, now),
            Flaw::WrongEnvironment(presented_to) => {
                let kind = match presented_to {
                    Environment::Development => ProviderCertificateKind::Production,
                    Environment::Production => ProviderCertificateKind::Development,
                };
                self.provider(&ProviderCertificateRequest { kind, ..request.clone() }, now)
            }
            Flaw::NoTopics => {
                let mut leaf = request.leaf();
                let uid = rcgen::DnType::CustomDnType(apple_extension::UID.to_vec());
                leaf.subject.retain(|(attribute, _)| *attribute != uid);
                leaf.extensions.retain(|extension| !apple_extension::lists_topics(extension));
                provider.issue(leaf, Validity::current(now, LEAF_LIFETIME)?)
            }
        }
    }

    /// Issues a certificate for the service that is as [`Authority::server`] would, but for one flaw.
    ///
    /// Fails with [`Error::DateOutOfRange`] or [`Error::Crypto`].
    pub fn flawed_server(
        &self,
        host_names: &[HostName],
        flaw: ServerFlaw,
        now: UnixTime,
    ) -> Result<Identity, Error> {
        let (server, current) = (self.hierarchy(Purpose::Server), Validity::current(now, LEAF_LIFETIME)?);
        let good = server_leaf(server_sans(host_names)?);
        match flaw {
            ServerFlaw::WrongHost => {
                server.issue(server_leaf(vec![HostName::new(WRONG_HOST)?.to_san()?]), current)
            }
            ServerFlaw::Expired => server.issue(good, Validity::expired(now)?),
            ServerFlaw::SelfSigned => good.self_sign(current),
            ServerFlaw::UnknownCa => Hierarchy::generate(&FOREIGN, now)?.issue(good, current),
        }
    }
}

struct Row<F> {
    flaw: F,
    name: &'static str,
    problem: &'static str,
    answer: &'static str,
}

/// The alerts were seen at providers (parse-server-push-adapter 115, rpush 112, java-apns 353); the GOAWAY
/// for a wrong environment is from a frame trace of 2016. The other two answers are our reading of Apple's
/// reason strings.
const FLAWS: &[Row<Flaw>] = &[
    Row {
        flaw: Flaw::Expired,
        name: "expired",
        problem: "its dates were over a day ago",
        answer: "TLS alert certificate_expired (45)",
    },
    Row {
        flaw: Flaw::NotYetValid,
        name: "not-yet-valid",
        problem: "its dates begin in a day",
        answer: "refuses the TLS handshake; which alert it sends is not known",
    },
    Row {
        flaw: Flaw::ForeignCa,
        name: "foreign-ca",
        problem: "issued by an authority that is not Apple's",
        answer: "TLS alert certificate_unknown (46)",
    },
    Row {
        flaw: Flaw::Revoked,
        name: "revoked",
        problem: "taken back: its serial number is on the revocation list",
        answer: "TLS alert certificate_revoked (44)",
    },
    Row {
        flaw: Flaw::WrongEnvironment(Environment::Development),
        name: "wrong-environment-for-development",
        problem: "good for production only, to be presented to development",
        answer: "GOAWAY with BadCertificateEnvironment, no response",
    },
    Row {
        flaw: Flaw::WrongEnvironment(Environment::Production),
        name: "wrong-environment-for-production",
        problem: "good for development only, to be presented to production",
        answer: "GOAWAY with BadCertificateEnvironment, no response",
    },
    Row {
        flaw: Flaw::NoTopics,
        name: "no-topics",
        problem: "names no topic, neither as UID nor in a list",
        answer: "GOAWAY with BadCertificate, no response",
    },
];

const SERVER_FLAWS: &[Row<ServerFlaw>] = &[
    Row {
        flaw: ServerFlaw::WrongHost,
        name: "wrong-host",
        problem: "speaks for a host that nobody asked for",
        answer: "a provider must end the handshake and send nothing",
    },
    Row {
        flaw: ServerFlaw::Expired,
        name: "expired",
        problem: "its dates were over a day ago",
        answer: "a provider must end the handshake and send nothing",
    },
    Row {
        flaw: ServerFlaw::SelfSigned,
        name: "self-signed",
        problem: "signed by itself, not by an authority",
        answer: "a provider must end the handshake and send nothing",
    },
    Row {
        flaw: ServerFlaw::UnknownCa,
        name: "unknown-ca",
        problem: "issued by an authority that nobody knows",
        answer: "a provider must end the handshake and send nothing",
    },
];

const FOREIGN: AuthorityNames =
    AuthorityNames { organization: "Not Apple", root: "Foreign Root CA", intermediate: "Foreign CA" };

/// No DNS has a name under `.invalid` (RFC 2606 section 2).
const WRONG_HOST: &str = "wrong.host.invalid";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apple_extension::{PUSH_DEVELOPMENT, PUSH_PRODUCTION, PUSH_TOPICS, PUSH_VOIP_TOPICS};
    use crate::test_support::{NOW, extension, parse, subject};
    use crate::{TeamId, Topic};
    use x509_parser::time::ASN1Time;

    fn request(kind: ProviderCertificateKind) -> ProviderCertificateRequest {
        let bundle_id = Topic::new("com.example.app").unwrap();
        ProviderCertificateRequest::new(kind, bundle_id, TeamId::new("DEF123GHIJ").unwrap())
    }

    fn flawed(authority: &Authority, flaw: Flaw) -> Identity {
        authority.flawed_provider(&request(ProviderCertificateKind::Universal), flaw, NOW).unwrap()
    }

    #[test]
    fn every_flaw_has_one_row_and_a_name_of_its_own() {
        // A new variant fails to compile here until it is counted, and fails below until it has a row.
        let rows = match Flaw::Expired {
            Flaw::Expired
            | Flaw::NotYetValid
            | Flaw::ForeignCa
            | Flaw::Revoked
            | Flaw::WrongEnvironment(Environment::Development | Environment::Production)
            | Flaw::NoTopics => 7,
        };
        let server_rows = match ServerFlaw::Expired {
            ServerFlaw::WrongHost | ServerFlaw::Expired | ServerFlaw::SelfSigned | ServerFlaw::UnknownCa => 4,
        };
        assert_eq!((Flaw::all().count(), ServerFlaw::all().count()), (rows, server_rows));
        let mut names: Vec<_> = Flaw::all().map(Flaw::name).collect();
        names.dedup();
        assert_eq!(names.len(), rows);
    }

    #[test]
    fn dates_lie_where_the_flaw_says() {
        let authority = Authority::generate(NOW).unwrap();
        let now = ASN1Time::from_timestamp(NOW.as_secs().try_into().unwrap()).unwrap();
        let inside = |identity: &Identity| parse(identity.certificate()).validity().is_valid_at(now);
        for flaw in Flaw::all() {
            let dated = matches!(flaw, Flaw::Expired | Flaw::NotYetValid);
            assert_eq!(inside(&flawed(&authority, flaw)), !dated, "{flaw:?}");
        }
        for flaw in ServerFlaw::all() {
            let identity = authority.flawed_server(&[], flaw, NOW).unwrap();
            assert_eq!(inside(&identity), flaw != ServerFlaw::Expired, "{flaw:?}");
        }
    }

    #[test]
    fn only_the_foreign_one_has_another_issuer() {
        let authority = Authority::generate(NOW).unwrap();
        let ours = authority.provider(&request(ProviderCertificateKind::Universal), NOW).unwrap();
        for flaw in Flaw::all() {
            let foreign = flawed(&authority, flaw).chain()[1] != ours.chain()[1];
            assert_eq!(foreign, flaw == Flaw::ForeignCa, "{flaw:?}");
        }
    }

    #[test]
    fn a_wrong_environment_is_the_other_one_alone() {
        let authority = Authority::generate(NOW).unwrap();
        for (presented_to, present, absent, common_name) in [
            (
                Environment::Development,
                PUSH_PRODUCTION,
                PUSH_DEVELOPMENT,
                "CN=Apple Production IOS Push Services: ",
            ),
            (
                Environment::Production,
                PUSH_DEVELOPMENT,
                PUSH_PRODUCTION,
                "CN=Apple Development IOS Push Services: ",
            ),
        ] {
            let identity = flawed(&authority, Flaw::WrongEnvironment(presented_to));
            let certificate = parse(identity.certificate());
            assert!(extension(&certificate, present).is_some() && extension(&certificate, absent).is_none());
            assert!(subject(&certificate)[1].starts_with(common_name));
        }
    }

    #[test]
    fn without_topics_there_is_neither_uid_nor_list() {
        let authority = Authority::generate(NOW).unwrap();
        for kind in [ProviderCertificateKind::Universal, ProviderCertificateKind::Voip] {
            let identity = authority.flawed_provider(&request(kind), Flaw::NoTopics, NOW).unwrap();
            let certificate = parse(identity.certificate());
            assert!(!subject(&certificate).iter().any(|attribute| attribute.starts_with("UID=")));
            assert!(extension(&certificate, PUSH_TOPICS).is_none());
            assert!(extension(&certificate, PUSH_VOIP_TOPICS).is_none());
            assert!(extension(&certificate, PUSH_PRODUCTION).is_some());
        }
    }

    #[test]
    fn a_self_signed_server_is_its_own_issuer() {
        let authority = Authority::generate(NOW).unwrap();
        let identity = authority.flawed_server(&[], ServerFlaw::SelfSigned, NOW).unwrap();
        assert_eq!(identity.chain().len(), 1);
        let certificate = parse(identity.certificate());
        certificate.verify_signature(None).unwrap();
        assert!(!certificate.is_ca());
    }
}
