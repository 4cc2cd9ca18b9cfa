//! Who is asked: an address, whom to trust there, and what is good for it.

mod double;
mod file;
mod fill;

use std::collections::BTreeMap;

use apns_certs::AuthKey;
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
};

pub use double::{Double, DoubleError};
pub use file::TargetError;

use crate::Case;

/// An APNs endpoint, and what a suite needs to push to it. What it has not, the cases that need it are skipped for.
#[derive(Debug)]
pub struct Target {
    /// What reports call it.
    pub name: String,
    /// Host and port.
    pub address: String,
    /// Whose certificate is expected.
    pub server_name: ServerName<'static>,
    /// Who may have issued it.
    pub roots: RootCertStore,
    /// The bundle ID of the app that is pushed to.
    pub topic: String,
    /// Host and port of the control API, if it is a double.
    pub control: Option<String>,
    /// Device tokens, topics and host names, by the key of a target file: `tokens.alert`, `topics.other`, `authorities.host-api`.
    pub texts: BTreeMap<String, String>,
    /// Keys for provider tokens by their names: `main`.
    pub keys: BTreeMap<String, Key>,
    /// Certificates by their names: `topic`.
    pub certificates: BTreeMap<String, ClientCertificate>,
}

/// A key that signs provider tokens, and whose it is.
#[derive(Clone, Debug)]
pub struct Key {
    /// The team's ID: `iss`.
    pub team_id: String,
    /// The key with its ID: `kid`.
    pub key: AuthKey,
}

/// A certificate that a client shows.
#[derive(Debug)]
pub struct ClientCertificate {
    /// The client's own, then what issued it.
    pub chain: Vec<CertificateDer<'static>>,
    /// The private key of the first.
    pub key: PrivateKeyDer<'static>,
}

impl Target {
    /// The first thing that a case needs and the target has not, as the key of a target file.
    pub fn missing(&self, case: &Case) -> Option<String> {
        case.needs().into_iter().find(|need| !self.has(need))
    }

    fn has(&self, need: &str) -> bool {
        match need.split_once('.') {
            Some(("keys", name)) => self.keys.contains_key(name),
            Some(("certificates", name)) => self.certificates.contains_key(name),
            Some(_) => self.texts.contains_key(need),
            None => need == "control" && self.control.is_some(),
        }
    }
}
