use std::{fmt, fs, path::Path};

use apns_certs::{AuthKey, Authority, KeyId, Purpose};
use rustls::pki_types::UnixTime;
use tempfile::TempDir;

use super::LoadError;
use crate::child::{AUTH_KEY_FILE, CA_FILE, KEY_ID};

/// A server's certificate and a key for provider tokens, made for one run and gone with it. Files, since children are processes.
#[derive(Debug)]
pub(super) struct Credentials {
    directory: TempDir,
}

/// The server's certificate and its intermediate, PEM.
pub(crate) const SERVER_CHAIN_FILE: &str = "server.pem";
/// The server's private key, PEM.
pub(crate) const SERVER_KEY_FILE: &str = "server-key.pem";

impl Credentials {
    /// Makes them, in a directory that only this user can read.
    pub(super) fn generate() -> Result<Self, LoadError> {
        let now = UnixTime::now();
        let authority = Authority::generate(now).map_err(failed)?;
        let server = authority.server(&[], now).map_err(failed)?;
        let key = AuthKey::generate(KeyId::new(KEY_ID).map_err(failed)?).map_err(failed)?;
        let directory = TempDir::new().map_err(failed)?;
        for (name, text) in [
            (CA_FILE, authority.root_pem(Purpose::Server)),
            (SERVER_CHAIN_FILE, server.chain_pem()),
            (SERVER_KEY_FILE, server.private_key().to_pem()),
            (AUTH_KEY_FILE, key.to_p8()),
        ] {
            fs::write(directory.path().join(name), text).map_err(failed)?;
        }
        Ok(Self { directory })
    }

    /// Where the files are.
    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }
}

fn failed(error: impl fmt::Display) -> LoadError {
    LoadError::Credentials { why: error.to_string() }
}
