//! Configurations of handshakes that faults have changed. Each is made when it is first needed, and kept:
//! making a certificate takes longer than a handshake.

use std::sync::{Mutex, PoisonError};

use mock_apns_core::fault::ServerCertificate;
use rustls::{DEFAULT_VERSIONS, SupportedProtocolVersion, version::TLS12};
use thiserror::Error;

use super::{ALPN_H2, by_alpn::ByAlpn};
use crate::Certificates;

const ALPN_HTTP11: &[u8] = b"http/1.1";

/// What is another than usual.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Flaw {
    Showing(ServerCertificate),
    Tls12,
    Http11,
}

/// The configurations that were made so far.
#[derive(Debug)]
pub(super) struct Flawed {
    certificates: Certificates,
    made: Mutex<Vec<(Flaw, ByAlpn)>>,
}

/// A fault wants a handshake that cannot be had.
#[derive(Clone, Debug, Error, PartialEq)]
pub(crate) enum FlawedTlsError {
    /// Its certificate cannot be made.
    #[error("cannot make the server's certificate: {0}")]
    Certificate(#[from] apns_certs::Error),
    /// TLS refuses it.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
}

impl Flawed {
    pub(super) fn new(certificates: Certificates) -> Self {
        Self { certificates, made: Mutex::default() }
    }

    /// The configurations with this flaw.
    pub(super) fn get(&self, flaw: Flaw) -> Result<ByAlpn, FlawedTlsError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, there)) = made.iter().find(|(known, _)| *known == flaw) {
            return Ok(there.clone());
        }
        let new = self.make(flaw)?;
        made.push((flaw, new.clone()));
        Ok(new)
    }

    fn make(&self, flaw: Flaw) -> Result<ByAlpn, FlawedTlsError> {
        let usual = self.certificates.server();
        let of = |server, versions: &[&'static SupportedProtocolVersion], protocol| {
            ByAlpn::new(&self.certificates, server, versions, protocol).map_err(FlawedTlsError::Tls)
        };
        match flaw {
            Flaw::Showing(certificate) => {
                of(&self.certificates.flawed_server(certificate)?, DEFAULT_VERSIONS, ALPN_H2)
            }
            Flaw::Tls12 => of(usual, &[&TLS12], ALPN_H2),
            Flaw::Http11 => of(usual, DEFAULT_VERSIONS, ALPN_HTTP11),
        }
    }
}
