//! A root, the intermediate it signed, and the intermediate's key: one line of trust.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, UnixTime};
use x509_parser::certificate::X509Certificate;

use crate::validity::{AUTHORITY_LIFETIME, Validity};
use crate::{Error, Identity, PrivateKey, SerialNumber, pem};

/// What the two authorities of a hierarchy are called.
pub(crate) struct AuthorityNames {
    pub(crate) organization: &'static str,
    pub(crate) root: &'static str,
    pub(crate) intermediate: &'static str,
}

/// A root with its key, while there is something left for it to sign.
pub(crate) struct Root {
    certificate: CertificateDer<'static>,
    params: CertificateParams,
    key: KeyPair,
}

impl Root {
    /// Makes a root, in force from `now`.
    pub(crate) fn generate(names: &AuthorityNames, now: UnixTime) -> Result<Self, Error> {
        let key = KeyPair::generate().map_err(Error::crypto(AN_AUTHORITY))?;
        let validity = Validity::current(now, AUTHORITY_LIFETIME)?;
        let params = authority(names.organization, names.root, ROOT_AND_INTERMEDIATE, validity)?;
        let certificate = params.self_signed(&key).map_err(Error::crypto(AN_AUTHORITY))?;
        Ok(Self { certificate: certificate.into(), params, key })
    }

    /// Makes an intermediate below it, in force from `now`.
    pub(crate) fn hierarchy(&self, names: &AuthorityNames, now: UnixTime) -> Result<Hierarchy, Error> {
        let key = KeyPair::generate().map_err(Error::crypto(AN_AUTHORITY))?;
        let validity = Validity::current(now, AUTHORITY_LIFETIME)?;
        let params = authority(names.organization, names.intermediate, LEAVES_ONLY, validity)?;
        let intermediate = params.signed_by(&key, &self.issuer()).map_err(Error::crypto(AN_AUTHORITY))?;
        let issuer = Issuer::new(params, key);
        Ok(Hierarchy { root: self.certificate.clone(), intermediate: intermediate.into(), issuer })
    }

    /// Vouches for another root: a certificate of that one's name and key, signed by this one.
    pub(crate) fn cross_sign(&self, other: &Self) -> Result<CertificateDer<'static>, Error> {
        let mut params = other.params.clone();
        params.serial_number = Some(SerialNumber::random()?.to_rcgen());
        params.is_ca = IsCa::Ca(ONE_INTERMEDIATE);
        let certificate =
            params.signed_by(&other.key, &self.issuer()).map_err(Error::crypto(AN_AUTHORITY))?;
        Ok(certificate.into())
    }

    fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }
}

/// A root and an intermediate that issues leaves. The root's key signs what it has to and is then forgotten,
/// as a root that is kept offline.
#[derive(Debug)]
pub(crate) struct Hierarchy {
    root: CertificateDer<'static>,
    intermediate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Hierarchy {
    /// Makes both authorities, in force from `now`.
    pub(crate) fn generate(names: &AuthorityNames, now: UnixTime) -> Result<Self, Error> {
        Root::generate(names, now)?.hierarchy(names, now)
    }

    /// Puts a stored hierarchy together again, once its parts are seen to fit.
    pub(crate) fn from_parts(
        root: CertificateDer<'static>,
        intermediate: CertificateDer<'static>,
        key: &PrivatePkcs8KeyDer<'_>,
    ) -> Result<Self, Error> {
        let key = KeyPair::try_from(key).map_err(Error::UnreadableKey)?;
        check(&parse(&root)?, &parse(&intermediate)?, &key)?;
        let issuer = Issuer::from_ca_cert_der(&intermediate, key)
            .map_err(|_| Error::InconsistentAuthority { problem: UNREADABLE })?;
        Ok(Self { root, intermediate, issuer })
    }

    /// What a verifier trusts.
    pub(crate) fn root(&self) -> &CertificateDer<'static> {
        &self.root
    }

    /// What signs certificates and revocation lists.
    pub(crate) fn issuer(&self) -> &Issuer<'static, KeyPair> {
        &self.issuer
    }

    /// Root, intermediate and the intermediate's key, in the order that [`Self::from_parts`] takes them.
    /// Secret.
    pub(crate) fn to_pem(&self) -> String {
        pem::encode(pem::CERTIFICATE, &self.root)
            + &pem::encode(pem::CERTIFICATE, &self.intermediate)
            + &pem::encode(pem::PRIVATE_KEY, self.issuer.key().serialized_der())
    }

    /// Issues a leaf with a key of its own.
    pub(crate) fn issue(&self, leaf: Leaf, validity: Validity) -> Result<Identity, Error> {
        let (private_key, serial_number) = (PrivateKey::generate()?, SerialNumber::random()?);
        let certificate = leaf
            .params(validity, serial_number)
            .signed_by(private_key.pair(), &self.issuer)
            .map_err(Error::crypto("a certificate"))?;
        let chain = vec![certificate.into(), self.intermediate.clone()];
        Ok(Identity { common_name: leaf.common_name, chain, private_key, serial_number })
    }
}

/// What a leaf says, before it has a key and dates.
pub(crate) struct Leaf {
    pub(crate) common_name: String,
    /// The whole subject, common name included, in the order in which it is written.
    pub(crate) subject: Vec<(DnType, rcgen::DnValue)>,
    pub(crate) usage: ExtendedKeyUsagePurpose,
    pub(crate) subject_alt_names: Vec<rcgen::SanType>,
    pub(crate) extensions: Vec<rcgen::CustomExtension>,
}

impl Leaf {
    /// Signs the leaf with its own key instead of an authority's.
    pub(crate) fn self_sign(self, validity: Validity) -> Result<Identity, Error> {
        let (private_key, serial_number) = (PrivateKey::generate()?, SerialNumber::random()?);
        let certificate = self
            .params(validity, serial_number)
            .self_signed(private_key.pair())
            .map_err(Error::crypto("a certificate"))?;
        Ok(Identity {
            common_name: self.common_name,
            chain: vec![certificate.into()],
            private_key,
            serial_number,
        })
    }

    fn params(&self, validity: Validity, serial_number: SerialNumber) -> CertificateParams {
        let mut params = dated(validity, serial_number);
        params.distinguished_name = DistinguishedName::new();
        for (attribute, value) in &self.subject {
            params.distinguished_name.push(attribute.clone(), value.clone());
        }
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![self.usage.clone()];
        params.subject_alt_names.clone_from(&self.subject_alt_names);
        params.custom_extensions.clone_from(&self.extensions);
        params
    }
}

fn authority(
    organization: &str,
    common_name: &str,
    path: BasicConstraints,
    validity: Validity,
) -> Result<CertificateParams, Error> {
    let mut params = dated(validity, SerialNumber::random()?);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.distinguished_name.push(DnType::OrganizationName, organization);
    params.is_ca = IsCa::Ca(path);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn dated(validity: Validity, serial_number: SerialNumber) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = validity.not_before;
    params.not_after = validity.not_after;
    params.serial_number = Some(serial_number.to_rcgen());
    params.use_authority_key_identifier_extension = true;
    params
}

pub(crate) fn parse<'a>(der: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, Error> {
    match x509_parser::parse_x509_certificate(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(Error::InconsistentAuthority { problem: UNREADABLE }),
    }
}

/// Whether one authority's certificate is signed by another's.
pub(crate) fn is_signed_by(below: &X509Certificate<'_>, above: &X509Certificate<'_>) -> bool {
    below.issuer() == above.subject() && below.verify_signature(Some(above.public_key())).is_ok()
}

fn check(root: &X509Certificate<'_>, intermediate: &X509Certificate<'_>, key: &KeyPair) -> Result<(), Error> {
    let problem = if !root.is_ca() || !intermediate.is_ca() {
        "a root or an intermediate is no certificate authority"
    } else if !is_signed_by(intermediate, root) {
        "an intermediate is not signed by the root before it"
    } else if intermediate.public_key().subject_public_key.data != key.public_key_raw() {
        "a private key is not that of the intermediate before it"
    } else {
        return Ok(());
    };
    Err(Error::InconsistentAuthority { problem })
}

const UNREADABLE: &str = "a section named CERTIFICATE holds no certificate authority";

const AN_AUTHORITY: &str = "an authority";

/// The path lengths (RFC 5280 section 4.2.1.9): how many authorities may follow below. A root may have another root
/// below it for which it vouches.
const ROOT_AND_INTERMEDIATE: BasicConstraints = BasicConstraints::Constrained(2);
const ONE_INTERMEDIATE: BasicConstraints = BasicConstraints::Constrained(1);
const LEAVES_ONLY: BasicConstraints = BasicConstraints::Constrained(0);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{NOW, parse};

    const NAMES: AuthorityNames =
        AuthorityNames { organization: "O", root: "Root", intermediate: "Intermediate" };

    #[test]
    fn an_intermediate_may_issue_leaves_only_and_both_only_sign() {
        let hierarchy = Hierarchy::generate(&NAMES, NOW).unwrap();
        for (der, authorities_below) in [(&hierarchy.root, 2), (&hierarchy.intermediate, 0)] {
            let certificate = parse(der);
            let constraints = certificate.basic_constraints().unwrap().unwrap();
            assert!(constraints.critical && constraints.value.ca);
            assert_eq!(constraints.value.path_len_constraint, Some(authorities_below));
            let usage = certificate.key_usage().unwrap().unwrap();
            assert!(usage.critical && usage.value.key_cert_sign() && usage.value.crl_sign());
            assert!(!usage.value.digital_signature());
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let debug = format!("{:?}", Hierarchy::generate(&NAMES, NOW).unwrap());
        assert!(debug.contains("signing_key: \"[elided]\""), "{debug}");
    }
}
