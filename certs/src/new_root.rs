//! A change of the service's root, as Apple made in 2021 (to AAA Certificate Services) and in 2025 (to
//! USERTrust RSA): the root that is to come, and the certificate by which the old one vouches for it.

use rustls_pki_types::{CertificateDer, UnixTime};

use crate::authority::ORGANIZATION;
use crate::hierarchy::{AuthorityNames, Hierarchy, Root, is_signed_by, parse};
use crate::server::{server_leaf, server_sans};
use crate::validity::{LEAF_LIFETIME, Validity};
use crate::{Authority, Error, HostName, Identity, pem};

/// The root that is to come, with an intermediate of its own: a client that knows the old one's must not get
/// by with it.
#[derive(Debug)]
pub(crate) struct NewRoot {
    hierarchy: Hierarchy,
    cross_signed: CertificateDer<'static>,
}

/// A rehearsal of a change of roots. A client that trusts the new root takes both certificates here; one that
/// trusts the old root alone takes the cross-signed one alone.
impl Authority {
    /// The root that is to take the place of the one for [`Purpose::Server`](crate::Purpose::Server).
    pub fn new_root(&self) -> &CertificateDer<'static> {
        self.next().hierarchy.root()
    }

    /// [`Self::new_root`] in PEM: the `new-ca.pem` that clients are given.
    pub fn new_root_pem(&self) -> String {
        pem::encode(pem::CERTIFICATE, self.new_root())
    }

    /// Issues a certificate for the service as [`Self::server`] would, but under the new root alone.
    ///
    /// Fails with [`Error::DateOutOfRange`] or [`Error::Crypto`].
    pub fn server_of_new_root(&self, host_names: &[HostName], now: UnixTime) -> Result<Identity, Error> {
        let leaf = server_leaf(server_sans(host_names)?);
        self.next().hierarchy.issue(leaf, Validity::current(now, LEAF_LIFETIME)?)
    }

    /// The same with one more certificate in its chain: the new root's, signed by the old one.
    pub fn server_of_cross_signed_root(
        &self,
        host_names: &[HostName],
        now: UnixTime,
    ) -> Result<Identity, Error> {
        let mut identity = self.server_of_new_root(host_names, now)?;
        identity.chain.push(self.next().cross_signed.clone());
        Ok(identity)
    }
}

impl NewRoot {
    /// Makes it, in force from `now`.
    pub(crate) fn generate(old: &Root, now: UnixTime) -> Result<Self, Error> {
        let root = Root::generate(&NAMES, now)?;
        Ok(Self { hierarchy: root.hierarchy(&NAMES, now)?, cross_signed: old.cross_sign(&root)? })
    }

    /// Puts a stored one together again, once its parts are seen to fit.
    pub(crate) fn from_parts(
        old: &Hierarchy,
        hierarchy: Hierarchy,
        cross_signed: CertificateDer<'static>,
    ) -> Result<Self, Error> {
        let (crossed, new) = (parse(&cross_signed)?, parse(hierarchy.root())?);
        if crossed.subject() != new.subject() || crossed.public_key() != new.public_key() {
            return Err(Error::InconsistentAuthority { problem: OF_ANOTHER });
        }
        if !is_signed_by(&crossed, &parse(old.root())?) {
            return Err(Error::InconsistentAuthority { problem: OF_NO_OLD_ROOT });
        }
        Ok(Self { hierarchy, cross_signed })
    }

    /// Its hierarchy, then its cross-signed certificate. Secret.
    pub(crate) fn to_pem(&self) -> String {
        self.hierarchy.to_pem() + &pem::encode(pem::CERTIFICATE, &self.cross_signed)
    }
}

const OF_ANOTHER: &str = "a cross-signed certificate is not that of the new root before it";
const OF_NO_OLD_ROOT: &str = "the new root's cross-signed certificate is not signed by the old root";

const NAMES: AuthorityNames = AuthorityNames {
    organization: ORGANIZATION,
    root: "Mock Apple Server Root CA 2",
    intermediate: "Mock Apple Server CA 2",
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Purpose;
    use crate::test_support::{NOW, parse};

    #[test]
    fn the_old_root_vouches_for_the_name_and_key_of_the_new_one() {
        let authority = Authority::generate(NOW).unwrap();
        let identity = authority.server_of_cross_signed_root(&[], NOW).unwrap();
        let [_, intermediate, crossed] = identity.chain() else { panic!("three certificates") };
        let (crossed, new) = (parse(crossed), parse(authority.new_root()));
        assert_eq!((crossed.subject(), crossed.public_key()), (new.subject(), new.public_key()));
        assert_ne!(crossed.raw_serial(), new.raw_serial());
        assert!(is_signed_by(&crossed, &parse(authority.root(Purpose::Server))));
        assert!(is_signed_by(&parse(intermediate), &crossed) && is_signed_by(&parse(intermediate), &new));
        assert_eq!(crossed.basic_constraints().unwrap().unwrap().value.path_len_constraint, Some(1));
    }

    #[test]
    fn nothing_of_the_old_line_issues_under_the_new_root() {
        let authority = Authority::generate(NOW).unwrap();
        let (old, new) =
            (authority.server(&[], NOW).unwrap(), authority.server_of_new_root(&[], NOW).unwrap());
        assert_eq!(new.chain().len(), 2);
        let (old, new) = (parse(&old.chain()[1]), parse(&new.chain()[1]));
        assert_ne!(old.subject(), new.subject());
        assert_ne!(old.public_key(), new.public_key());
    }

    #[test]
    fn a_stored_one_vouches_for_the_same_root_and_parts_of_two_do_not_fit() {
        let authority = Authority::generate(NOW).unwrap();
        let pem = authority.to_pem();
        let again = Authority::from_pem(&pem).unwrap();
        assert_eq!((again.new_root(), again.to_pem()), (authority.new_root(), pem.clone()));

        let other = Authority::generate(NOW).unwrap().to_pem();
        let sections = |pem: &str| -> Vec<String> {
            pem.split_inclusive("-----BEGIN")
                .map(|it| format!("-----BEGIN{}", it.trim_end_matches("-----BEGIN")))
                .skip(1)
                .collect()
        };
        for (from, problem) in [(12, OF_ANOTHER), (9, OF_NO_OLD_ROOT)] {
            let mixed = [&sections(&pem)[..from], &sections(&other)[from..]].concat().concat();
            assert_eq!(Authority::from_pem(&mixed).unwrap_err(), Error::InconsistentAuthority { problem });
        }
    }
}
