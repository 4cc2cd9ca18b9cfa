//! As whom the adapter sends.

use apns_certs::{AuthKey, KeyId, ProviderCertificateKind};
use mock_apns::MockTeam;
use mock_apns_core::{KeyId as ProviderKeyId, KeyScope, ProviderKey};

use super::{Stage, broken};
use crate::provider::{evidence::KnownKey, item::Stop, protocol::Credential};

impl Stage {
    /// The ready-made key.
    pub(crate) fn key(&self) -> Credential {
        self.key_of(&self.team(), &self.mock.ready_made().keys[0].key)
    }

    /// A key of a team, for the adapter; the judge learns its public half.
    pub(crate) fn key_of(&self, team: &MockTeam, key: &AuthKey) -> Credential {
        let (key_id, team_id) = (key.key_id.as_str().to_owned(), team.id().to_string());
        let public_key = key.private_key.public_key().to_vec();
        self.recorder.knows(&key_id, KnownKey { team_id: team_id.clone(), public_key });
        let p8 = key.to_p8();
        self.is_secret(&p8);
        Credential::Key { p8, key_id, team_id }
    }

    /// One more key of the team, as good as the first, which the double knows from now on.
    ///
    /// # Errors
    /// None can be made.
    pub(crate) fn new_key(&self, key_id: &str) -> Result<Credential, Stop> {
        let team = self.team();
        let key = AuthKey::generate(KeyId::new(key_id).map_err(broken)?).map_err(broken)?;
        let id = ProviderKeyId::parse(key_id).map_err(broken)?;
        let known = ProviderKey::new(id, key.private_key.public_key(), KeyScope::Legacy);
        team.at_work(|team| team.add_key(known)).map_err(broken)?;
        Ok(self.key_of(&team, &key))
    }

    /// A certificate of the team that is good for the sandbox.
    ///
    /// # Errors
    /// None can be made.
    pub(crate) fn certificate(&self) -> Result<Credential, Stop> {
        self.certificate_of(&self.team())
    }

    /// A certificate of a team, for the app that it began with, that is good for the sandbox.
    ///
    /// # Errors
    /// None can be made.
    pub(crate) fn certificate_of(&self, team: &MockTeam) -> Result<Credential, Stop> {
        let identity = team.certificate(ProviderCertificateKind::Development).map_err(broken)?;
        self.is_secret(&identity.private_key().to_pem());
        Ok(Credential::Certificate { certificate_pem: identity.to_pem() })
    }

    /// The judge learns what of a key nobody else may: its lines of base64.
    fn is_secret(&self, pem: &str) {
        let lines = pem.lines().filter(|line| !line.starts_with('-') && line.len() >= SECRET_BYTES_MIN);
        lines.for_each(|line| self.recorder.is_secret("private key", line));
    }
}

/// A shorter end of a key might be found in any text.
const SECRET_BYTES_MIN: usize = 16;
