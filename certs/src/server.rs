//! The service's own certificate.

use rcgen::{DnType, ExtendedKeyUsagePurpose};
use rustls_pki_types::UnixTime;

use crate::authority::ORGANIZATION;
use crate::hierarchy::Leaf;
use crate::names::default_sans;
use crate::validity::{LEAF_LIFETIME, Validity};
use crate::{Authority, Error, HostName, Identity, Purpose};

impl Authority {
    /// Issues a certificate for the service, in force for 13 months around `now`.
    ///
    /// It is good for `localhost`, `127.0.0.1`, `::1`, every one of
    /// [`APPLE_HOST_NAMES`](crate::APPLE_HOST_NAMES) and the `host_names` given. Fails with
    /// [`Error::DateOutOfRange`] or [`Error::Crypto`].
    pub fn server(&self, host_names: &[HostName], now: UnixTime) -> Result<Identity, Error> {
        let leaf = server_leaf(server_sans(host_names)?);
        self.hierarchy(Purpose::Server).issue(leaf, Validity::current(now, LEAF_LIFETIME)?)
    }
}

/// The default names and the caller's.
pub(crate) fn server_sans(host_names: &[HostName]) -> Result<Vec<rcgen::SanType>, Error> {
    let mut sans = default_sans()?;
    for name in host_names {
        sans.push(name.to_san()?);
    }
    Ok(sans)
}

pub(crate) fn server_leaf(subject_alt_names: Vec<rcgen::SanType>) -> Leaf {
    let subject =
        vec![(DnType::CommonName, COMMON_NAME.into()), (DnType::OrganizationName, ORGANIZATION.into())];
    Leaf {
        common_name: COMMON_NAME.to_owned(),
        subject,
        usage: ExtendedKeyUsagePurpose::ServerAuth,
        subject_alt_names,
        extensions: Vec::new(),
    }
}

/// Repeats one of the alternative names, as the CA/Browser Forum wants of a common name.
const COMMON_NAME: &str = "api.push.apple.com";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::APPLE_HOST_NAMES;
    use crate::test_support::{NOW, parse};
    use x509_parser::extensions::{GeneralName, ParsedExtension};

    fn names(identity: &Identity) -> Vec<String> {
        let certificate = parse(identity.certificate());
        let san = certificate.subject_alternative_name().unwrap().unwrap();
        let name = |name: &GeneralName<'_>| match name {
            GeneralName::DNSName(name) => (*name).to_owned(),
            GeneralName::IPAddress(octets) => match octets.len() {
                4 => std::net::IpAddr::from(<[u8; 4]>::try_from(*octets).unwrap()).to_string(),
                _ => std::net::IpAddr::from(<[u8; 16]>::try_from(*octets).unwrap()).to_string(),
            },
            other => panic!("{other:?}"),
        };
        san.value.general_names.iter().map(name).collect()
    }

    #[test]
    fn it_speaks_for_this_machine_apple_and_the_callers_names() {
        let authority = Authority::generate(NOW).unwrap();
        let extra = [HostName::new("apns.test").unwrap(), HostName::new("10.0.0.7").unwrap()];
        let names = names(&authority.server(&extra, NOW).unwrap());
        let apple = APPLE_HOST_NAMES.iter().map(|host| host.name);
        let expected: Vec<&str> = ["localhost", "127.0.0.1", "::1"]
            .into_iter()
            .chain(apple)
            .chain(["apns.test", "10.0.0.7"])
            .collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn it_has_all_that_strict_verifiers_ask_of_a_leaf() {
        let authority = Authority::generate(NOW).unwrap();
        let identity = authority.server(&[], NOW).unwrap();
        let (leaf, issuer) = (parse(identity.certificate()), parse(&identity.chain()[1]));

        let usage = leaf.key_usage().unwrap().unwrap();
        assert!(usage.critical && usage.value.digital_signature() && !usage.value.key_cert_sign());
        let purposes = leaf.extended_key_usage().unwrap().unwrap().value;
        assert!(purposes.server_auth && !purposes.client_auth && !purposes.any);
        let constraints = leaf.basic_constraints().unwrap().unwrap();
        assert!(constraints.critical && !constraints.value.ca);
        assert!(leaf.raw_serial().len() <= 20 && leaf.raw_serial() == identity.serial_number().as_bytes());
        let validity = leaf.validity();
        let lifetime = (validity.not_after - validity.not_before).unwrap();
        assert!(lifetime.whole_days() <= 397, "{lifetime}");
        assert_eq!(authority_key_id(&leaf), subject_key_id(&issuer));
        assert!(!subject_key_id(&leaf).is_empty());
    }

    fn authority_key_id(certificate: &x509_parser::certificate::X509Certificate<'_>) -> Vec<u8> {
        let found = certificate.iter_extensions().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::AuthorityKeyIdentifier(id) => id.key_identifier.as_ref().map(|id| id.0.to_vec()),
            _ => None,
        });
        found.unwrap()
    }

    fn subject_key_id(certificate: &x509_parser::certificate::X509Certificate<'_>) -> Vec<u8> {
        let found = certificate.iter_extensions().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
            _ => None,
        });
        found.unwrap()
    }
}
