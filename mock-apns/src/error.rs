use std::{io, net::SocketAddr};

use mock_apns_core::Environment;
use thiserror::Error;

/// Why a double did not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// An address cannot be listened on.
    #[error(
        "cannot listen on {address} for {environment:?}: {source}. Is another mock-apns running? Port 0 takes a free one"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Whose listener it was to be.
        environment: Environment,
        /// What the system said.
        source: io::Error,
    },
    /// A key or certificate could not be made.
    #[error("cannot make keys and certificates: {0}")]
    Certificates(#[from] apns_certs::Error),
    /// TLS refuses the certificates.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
}
