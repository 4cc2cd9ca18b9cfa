//! The certificates of one double: its own, and those that providers present to it.

use std::{
    sync::{Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use apns_certs::{
    Authority, DeviceId, Flaw, HostName, Identity, ProviderCertificateKind, ProviderCertificateRequest,
    RevocationList, ServerFlaw, TeamId, Topic,
};
use mock_apns_core::fault::ServerCertificate;
use rustls::pki_types::UnixTime;

use crate::{StartError, ready_made};

/// A CA, and what it issues. It is made when the first double of a process starts, and nothing of it outlives the process.
#[derive(Clone, Debug)]
pub struct Certificates {
    authority: Authority,
    host_names: Vec<HostName>,
    server: Identity,
    revoked: Identity,
    revocation_list: RevocationList,
}

impl Certificates {
    /// Those of this process, made the first time: a test suite starts hundreds of doubles.
    pub(crate) fn of_this_process() -> Result<Self, StartError> {
        static MADE: Mutex<Option<Certificates>> = Mutex::new(None);
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(certificates) = &*made {
            return Ok(certificates.clone());
        }
        let certificates = Self::generate(&[])?;
        Ok(made.insert(certificates).clone())
    }

    /// A fresh CA, a server certificate for localhost, Apple's names and `host_names`, and one provider
    /// certificate that is revoked.
    pub(crate) fn generate(host_names: &[HostName]) -> Result<Self, StartError> {
        Self::issue(Authority::generate(now())?, host_names)
    }

    /// The same of a CA that there is.
    pub(crate) fn issue(authority: Authority, host_names: &[HostName]) -> Result<Self, StartError> {
        let now = now();
        let server = authority.server(host_names, now)?;
        let revoked =
            authority.flawed_provider(&request(ProviderCertificateKind::Universal), Flaw::Revoked, now)?;
        let revocation_list = authority.revocation_list(&[revoked.serial_number()], now)?;
        Ok(Self { authority, host_names: host_names.to_vec(), server, revoked, revocation_list })
    }

    /// The CA, which issues whatever else a test needs.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// What the double shows to providers.
    pub fn server(&self) -> &Identity {
        &self.server
    }

    /// What the double has revoked.
    pub fn revocation_list(&self) -> &RevocationList {
        &self.revocation_list
    }

    /// A good certificate for the ready-made app.
    pub fn provider(&self, kind: ProviderCertificateKind) -> Result<Identity, apns_certs::Error> {
        self.authority.provider(&request(kind), now())
    }

    /// A bad certificate for the ready-made app.
    pub fn flawed_provider(&self, flaw: Flaw) -> Result<Identity, apns_certs::Error> {
        match flaw {
            Flaw::Revoked => Ok(self.revoked.clone()), // the list names this one
            _ => self.authority.flawed_provider(&request(ProviderCertificateKind::Universal), flaw, now()),
        }
    }

    /// Another certificate than the double's, for the same hosts.
    pub(crate) fn flawed_server(&self, shown: ServerCertificate) -> Result<Identity, apns_certs::Error> {
        let (authority, host_names, now) = (&self.authority, &self.host_names, now());
        let flaw = match shown {
            ServerCertificate::Expired => ServerFlaw::Expired,
            ServerCertificate::WrongHost => ServerFlaw::WrongHost,
            ServerCertificate::SelfSigned => ServerFlaw::SelfSigned,
            ServerCertificate::UnknownCa => ServerFlaw::UnknownCa,
            ServerCertificate::NewRoot => return authority.server_of_new_root(host_names, now),
            ServerCertificate::NewRootCrossSigned => {
                return authority.server_of_cross_signed_root(host_names, now);
            }
        };
        authority.flawed_server(host_names, flaw, now)
    }

    /// A good certificate for a device that is called `ready-made`.
    pub(crate) fn device(&self) -> Result<Identity, apns_certs::Error> {
        self.authority.device(&DeviceId::new(DEVICE_ID)?, now())
    }

    /// The same device's certificate, a day past its dates.
    pub(crate) fn expired_device(&self) -> Result<Identity, apns_certs::Error> {
        self.authority.expired_device(&DeviceId::new(DEVICE_ID)?, now())
    }
}

/// Password of the PKCS#12 file. OpenSSL and Node read files without one badly.
pub(crate) const PKCS12_PASSWORD: &str = "mock-apns";

/// The device whose certificate is ready to use.
const DEVICE_ID: &str = "ready-made";

fn request(kind: ProviderCertificateKind) -> ProviderCertificateRequest {
    let constants = "the ready-made identifiers are well-formed: every test makes certificates for them";
    let bundle_id = Topic::new(ready_made::BUNDLE_ID).expect(constants);
    let team_id = TeamId::new(ready_made::TEAM_ID).expect(constants);
    ProviderCertificateRequest::new(kind, bundle_id, team_id)
}

pub(crate) fn now() -> UnixTime {
    UnixTime::since_unix_epoch(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Issuers along the chain, as far as they matter here.
    fn issuers(identity: &Identity) -> Vec<String> {
        let issuer = |der: &[u8]| {
            let (_, certificate) = x509_parser::parse_x509_certificate(der).unwrap();
            certificate.issuer().iter_common_name().next().unwrap().as_str().unwrap().to_owned()
        };
        identity.chain().iter().map(|der| issuer(der)).collect()
    }

    #[test]
    fn each_certificate_of_a_fault_has_the_chain_it_is_named_for() {
        let certificates = Certificates::generate(&[]).unwrap();
        let chain = |shown| issuers(&certificates.flawed_server(shown).unwrap());
        let usual = issuers(certificates.server());
        let (root, new_root) = ("Mock Apple Server Root CA", "Mock Apple Server Root CA 2");
        assert_eq!(usual, ["Mock Apple Server CA", root]);
        assert_eq!(chain(ServerCertificate::Expired), usual);
        assert_eq!(chain(ServerCertificate::WrongHost), usual);
        assert_eq!(chain(ServerCertificate::SelfSigned), ["api.push.apple.com"]);
        assert_eq!(chain(ServerCertificate::UnknownCa), ["Foreign CA", "Foreign Root CA"]);
        assert_eq!(chain(ServerCertificate::NewRoot), ["Mock Apple Server CA 2", new_root]);
        let crossed = chain(ServerCertificate::NewRootCrossSigned);
        assert_eq!(crossed, ["Mock Apple Server CA 2", new_root, root]);
    }

    #[test]
    fn another_certificate_is_for_the_same_hosts() {
        let host = HostName::new("apns.test").unwrap();
        let certificates = Certificates::generate(&[host]).unwrap();
        for shown in [ServerCertificate::Expired, ServerCertificate::NewRootCrossSigned] {
            let der = certificates.flawed_server(shown).unwrap().certificate().clone();
            assert!(der.windows(9).any(|it| it == b"apns.test"), "{shown:?}");
        }
    }
}
