//! The certificates of one double: its own, and those that providers present to it.

use std::{
    sync::{Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use apns_certs::{
    Authority, DeviceId, Flaw, HostName, Identity, ProviderCertificateKind, ProviderCertificateRequest,
    RevocationList, TeamId, Topic,
};
use rustls::pki_types::UnixTime;

use crate::{StartError, ready_made};

/// A CA, and what it issues. It is made when the first double of a process starts, and nothing of it outlives the process.
#[derive(Clone, Debug)]
pub struct Certificates {
    authority: Authority,
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
        Ok(Self { authority, server, revoked, revocation_list })
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
