//! What stands here for Apple's certificate authorities.

use std::sync::Arc;

use rustls_pki_types::pem::{PemObject as _, SectionKind};
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::hierarchy::{AuthorityNames, Hierarchy, Root};
use crate::new_root::NewRoot;
use crate::{Error, pem};

/// Three lines of trust, each with a root and an intermediate of its own: for servers, for providers, for
/// devices.
///
/// They share no root, as Apple's do not: the service's own certificate comes from a public authority, a
/// provider's from Apple's developer authority, a device's from the one that activates devices. So whoever
/// trusts [`Purpose::Server`]'s root (a client, perhaps a whole machine) trusts nothing else made here, and a
/// device's certificate is no provider's, nor the other way round.
///
/// For servers there is also the root that is to come: [`Self::new_root`].
///
/// Cloning is cheap and shares the keys. All methods that issue take the present as an argument.
#[derive(Clone, Debug)]
pub struct Authority(Arc<Hierarchies>);

/// What the certificates under a root are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The service's certificates; its root is the one that providers and devices trust.
    Server,
    /// Providers' certificates; the service trusts the root.
    Provider,
    /// Devices' certificates; the device gateway trusts the root.
    Device,
}

impl Authority {
    /// Makes all authorities anew, in force for 20 years from (a day before) `now`.
    ///
    /// Takes randomness from the operating system. Fails with [`Error::DateOutOfRange`] or [`Error::Crypto`].
    pub fn generate(now: UnixTime) -> Result<Self, Error> {
        let server = Root::generate(&SERVER, now)?;
        Ok(Self(Arc::new(Hierarchies {
            server: server.hierarchy(&SERVER, now)?,
            provider: Hierarchy::generate(&PROVIDER, now)?,
            device: Hierarchy::generate(&DEVICE, now)?,
            next_server: NewRoot::generate(&server, now)?,
        })))
    }

    /// Reads what [`Self::to_pem`] gave, so that a double keeps its authority from one start to the next.
    ///
    /// Whether it is still in date is for whoever verifies to see. Fails with [`Error::IncompleteAuthority`],
    /// [`Error::InconsistentAuthority`] or [`Error::UnreadableKey`].
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let mut sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(pem.as_bytes());
        let mut next = |kind: SectionKind, expected: &'static str| match sections.next() {
            Some(Ok((found, der))) if found == kind => Ok(der),
            _ => Err(Error::IncompleteAuthority { expected }),
        };
        let mut hierarchy = |parts: [&'static str; 3]| {
            let root = next(SectionKind::Certificate, parts[0])?;
            let intermediate = next(SectionKind::Certificate, parts[1])?;
            let key = next(SectionKind::PrivateKey, parts[2])?;
            Hierarchy::from_parts(root.into(), intermediate.into(), &key.into())
        };
        let server = hierarchy(["server root", "server intermediate", "server intermediate's key"])?;
        let provider = hierarchy(["provider root", "provider intermediate", "provider intermediate's key"])?;
        let device = hierarchy(["device root", "device intermediate", "device intermediate's key"])?;
        let new = hierarchy(["new server root", "new server intermediate", "new server intermediate's key"])?;
        let cross_signed = next(SectionKind::Certificate, "cross-signed new server root")?;
        let next_server = NewRoot::from_parts(&server, new, cross_signed.into())?;
        Ok(Self(Arc::new(Hierarchies { server, provider, device, next_server })))
    }

    /// All authorities with the keys that issue, as text to store. Secret.
    pub fn to_pem(&self) -> String {
        let Hierarchies { server, provider, device, next_server } = &*self.0;
        let old: String = [server, provider, device].into_iter().map(Hierarchy::to_pem).collect();
        old + &next_server.to_pem()
    }

    /// The root that a verifier of certificates for `purpose` trusts.
    pub fn root(&self, purpose: Purpose) -> &CertificateDer<'static> {
        self.hierarchy(purpose).root()
    }

    /// [`Self::root`] in PEM: the `ca.pem` that clients are given, when `purpose` is [`Purpose::Server`].
    pub fn root_pem(&self, purpose: Purpose) -> String {
        pem::encode(pem::CERTIFICATE, self.root(purpose))
    }

    pub(crate) fn hierarchy(&self, purpose: Purpose) -> &Hierarchy {
        match purpose {
            Purpose::Server => &self.0.server,
            Purpose::Provider => &self.0.provider,
            Purpose::Device => &self.0.device,
        }
    }

    pub(crate) fn next(&self) -> &NewRoot {
        &self.0.next_server
    }
}

#[derive(Debug)]
struct Hierarchies {
    server: Hierarchy,
    provider: Hierarchy,
    device: Hierarchy,
    next_server: NewRoot,
}

/// The organization that everything issued here names, so that nobody takes it for Apple's.
pub(crate) const ORGANIZATION: &str = "mock-apns";

const SERVER: AuthorityNames = AuthorityNames {
    organization: ORGANIZATION,
    root: "Mock Apple Server Root CA",
    intermediate: "Mock Apple Server CA",
};

/// Some providers refuse a certificate whose issuer does not name Apple's developer authority (PushSharp,
/// apns_tools): hence the long name.
const PROVIDER: AuthorityNames = AuthorityNames {
    organization: ORGANIZATION,
    root: "Mock Apple Root CA",
    intermediate: "Mock Apple Worldwide Developer Relations Certification Authority",
};

const DEVICE: AuthorityNames = AuthorityNames {
    organization: ORGANIZATION,
    root: "Mock Apple Device Root CA",
    intermediate: "Mock Apple Device CA",
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{NOW, parse};

    const PURPOSES: [Purpose; 3] = [Purpose::Server, Purpose::Provider, Purpose::Device];

    #[test]
    fn each_root_signs_itself_and_no_other_line() {
        let authority = Authority::generate(NOW).unwrap();
        for purpose in PURPOSES {
            for other in PURPOSES {
                let (one, other_root) = (parse(authority.root(purpose)), parse(authority.root(other)));
                let verified = one.verify_signature(Some(other_root.public_key())).is_ok();
                assert_eq!(verified, purpose == other, "{purpose:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_stored_authority_issues_under_the_same_roots() {
        let authority = Authority::generate(NOW).unwrap();
        let again = Authority::from_pem(&authority.to_pem()).unwrap();
        for purpose in PURPOSES {
            assert_eq!(again.root(purpose), authority.root(purpose));
        }
        assert_eq!(again.to_pem(), authority.to_pem());
        let (before, after) = (authority.server(&[], NOW).unwrap(), again.server(&[], NOW).unwrap());
        assert_eq!(before.chain()[1], after.chain()[1]);
        parse(after.certificate()).verify_signature(Some(parse(&after.chain()[1]).public_key())).unwrap();
    }

    #[test]
    fn text_around_the_sections_is_ignored() {
        let authority = Authority::generate(NOW).unwrap();
        let pem = format!("Kept by a double.\r\n{}", authority.to_pem().replace('\n', "\r\n"));
        assert_eq!(Authority::from_pem(&pem).unwrap().to_pem(), authority.to_pem());
    }

    #[test]
    fn a_missing_part_is_named() {
        let pem = Authority::generate(NOW).unwrap().to_pem();
        let missing = |pem: &str| match Authority::from_pem(pem) {
            Err(Error::IncompleteAuthority { expected }) => expected,
            other => panic!("{other:?}"),
        };
        assert_eq!(missing(""), "server root");
        assert_eq!(missing(&pem[..pem.len() - 40]), "cross-signed new server root");
        let sections: Vec<&str> = pem.split_inclusive("-----\n").collect();
        let without_third = [&sections[..4], &sections[6..]].concat().concat();
        assert_eq!(missing(&without_third), "server intermediate's key");
    }

    #[test]
    fn parts_of_two_authorities_do_not_pass_for_one() {
        let (one, other) =
            (Authority::generate(NOW).unwrap().to_pem(), Authority::generate(NOW).unwrap().to_pem());
        let (ours, theirs) = (sections(&one), sections(&other));
        for (index, problem) in [
            (0, "an intermediate is not signed by the root before it"),
            (1, "an intermediate is not signed by the root before it"),
            (2, "a private key is not that of the intermediate before it"),
        ] {
            let mut mixed = ours.clone();
            mixed[index] = theirs[index];
            let error = Authority::from_pem(&mixed.concat()).unwrap_err();
            assert_eq!(error, Error::InconsistentAuthority { problem });
        }
    }

    fn sections(pem: &str) -> Vec<&str> {
        let ends = pem.match_indices("-----BEGIN").map(|(at, _)| at).skip(1).chain([pem.len()]);
        let mut start = 0;
        ends.map(|end| &pem[std::mem::replace(&mut start, end)..end]).collect()
    }

    #[test]
    fn a_leaf_is_no_authority() {
        let authority = Authority::generate(NOW).unwrap();
        let leaf = authority.server(&[], NOW).unwrap();
        let mut parts = authority.root_pem(Purpose::Server);
        parts += &pem::encode(pem::CERTIFICATE, leaf.certificate());
        parts += &leaf.private_key().to_pem();
        let problem = "a root or an intermediate is no certificate authority";
        assert_eq!(Authority::from_pem(&parts).unwrap_err(), Error::InconsistentAuthority { problem });
    }
}
