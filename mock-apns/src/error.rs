use std::{io, net::SocketAddr, path::PathBuf};

use mock_apns_core::{BundleIdError, ScenarioError, TeamError};

use thiserror::Error;

use crate::{DataDirError, MintError};

/// Why a double did not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// An address cannot be listened on.
    #[error(
        "cannot listen on {address} for {what}: {source}. Is another mock-apns running? Port 0 takes a free one"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What was to listen there.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A key or certificate could not be made.
    #[error("cannot make keys and certificates: {0}")]
    Certificates(#[from] apns_certs::Error),
    /// The folder in which everything is to be kept cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// What was to be declared cannot be.
    #[error("the declared state: {0}")]
    State(String),
    /// The scenario cannot be played.
    #[error("the scenario {name}: {error}")]
    Scenario {
        /// Its name.
        name: String,
        /// Why.
        error: ScenarioError,
    },
    /// The file cannot be made in which the journals are to be written down.
    #[error("cannot record to {}: {source}", .path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// TLS refuses the certificates.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// Why a team was not made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TeamCreationError {
    /// The app's bundle identifier is none.
    #[error(transparent)]
    App(#[from] BundleIdError),
    /// The key could not be made.
    #[error("cannot make the team's key: {0}")]
    Key(#[from] apns_certs::Error),
    /// The key cannot sign.
    #[error("cannot sign with the team's key: {0}")]
    ProviderToken(#[from] MintError),
    /// The team cannot be as it was asked for.
    #[error(transparent)]
    Team(#[from] TeamError),
    /// A double names a million teams and no more.
    #[error("this double has made a million teams: start another")]
    TooMany,
}
