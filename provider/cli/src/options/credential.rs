use std::path::{Path, PathBuf};

use apns_provider::Credential;
use apns_provider_core::{AuthKey, KeyId, TeamId};
use clap::Args;

use super::read;

/// As whom: a key for provider tokens, or a certificate.
#[derive(Args, Debug)]
#[command(next_help_heading = "Credential")]
pub(crate) struct CredentialArgs {
    #[command(flatten)]
    key: KeyArgs,

    /// A certificate with its private key, PEM or PKCS#12 (.p12, .pfx), instead of a key.
    #[arg(long, env = "APNS_PROVIDER_CERTIFICATE", value_name = "FILE", conflicts_with = "key")]
    certificate: Option<PathBuf>,

    /// The password of the PKCS#12 file; better by the variable than here, where others see it.
    #[arg(
        long,
        env = "APNS_PROVIDER_PASSWORD",
        value_name = "TEXT",
        hide_env_values = true,
        default_value = ""
    )]
    certificate_password: String,
}

/// The key that signs provider tokens.
#[derive(Args, Debug)]
#[command(next_help_heading = "Credential")]
pub(crate) struct KeyArgs {
    /// The .p8 key that signs provider tokens.
    #[arg(long, env = "APNS_PROVIDER_KEY", value_name = "FILE")]
    key: Option<PathBuf>,

    /// The key's ID, ten characters; that of the file's name, AuthKey_<ID>.p8, if not given.
    #[arg(long, env = "APNS_PROVIDER_KEY_ID", value_name = "ID")]
    key_id: Option<String>,

    /// The team's ID, ten characters.
    #[arg(long, env = "APNS_PROVIDER_TEAM_ID", value_name = "ID")]
    team_id: Option<String>,
}

impl CredentialArgs {
    pub(crate) fn is_given(&self) -> bool {
        self.certificate.is_some() || self.key.key.is_some()
    }

    pub(crate) fn credential(&self) -> Result<Credential, String> {
        let Some(file) = &self.certificate else {
            if self.key.key.is_none() {
                return Err(
                    "there is no credential: give --key with --key-id and --team-id, or --certificate".into(),
                );
            }
            return self.key.auth_key().map(Credential::from);
        };
        let bytes = read(file, "--certificate")?;
        let is_pem = bytes.windows(PEM.len()).any(|window| window == PEM);
        let credential = if is_pem {
            Credential::from_pem(&bytes)
        } else {
            Credential::from_pkcs12(&bytes, &self.certificate_password)
        };
        credential.map_err(|error| format!("--certificate {}: {error}", file.display()))
    }
}

impl KeyArgs {
    pub(crate) fn auth_key(&self) -> Result<AuthKey, String> {
        let file = self.key.as_ref().ok_or("--key is missing: the .p8 file")?;
        let key_id = self.key_id.clone().or_else(|| key_id_of_name(file)).ok_or("--key needs --key-id")?;
        let team_id = self.team_id.as_ref().ok_or("--key needs --team-id")?;
        let key_id = KeyId::parse(&key_id).map_err(|error| error.to_string())?;
        let team_id = TeamId::parse(team_id).map_err(|error| error.to_string())?;
        AuthKey::from_p8(&read(file, "--key")?, key_id, team_id)
            .map_err(|error| format!("--key {}: {error}", file.display()))
    }
}

/// The ID of a key, from the name under which Apple hands out its file.
pub(crate) fn key_id_of_name(file: &Path) -> Option<String> {
    let name = file.file_name()?.to_str()?;
    name.strip_prefix("AuthKey_")?.strip_suffix(".p8").map(str::to_owned)
}

const PEM: &[u8] = b"-----BEGIN ";
