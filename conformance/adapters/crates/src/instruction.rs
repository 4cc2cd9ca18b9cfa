use serde::Deserialize;

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub(crate) enum Instruction {
    Configure(Box<Configure>),
    Send(Box<Push>),
    Exit,
    #[serde(other)]
    Other,
}

/// Where to, as whom, and how.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Configure {
    pub host: String,
    pub port: u16,
    /// The only authority to trust.
    pub ca_pem: String,
    /// `sandbox` or `production`.
    pub environment: Option<String>,
    pub credential: Credential,
    pub deadline_ms: Option<u64>,
    pub idle_ping_ms: Option<u64>,
}

/// A key for provider tokens, or a certificate with its chain and private key.
#[derive(Deserialize)]
#[serde(untagged, rename_all_fields = "kebab-case")]
pub enum Credential {
    Key { p8: String, key_id: String, team_id: String },
    Certificate { certificate_pem: String },
}

/// One push.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Push {
    /// By which its result is told.
    pub id: String,
    pub device_token: String,
    pub topic: String,
    pub push_type: String,
    /// JSON, as it is to go out.
    pub payload: String,
    pub priority: Option<u8>,
    /// Seconds since 1970, or 0.
    pub expiration: Option<u64>,
    pub collapse_id: Option<String>,
    pub apns_id: Option<String>,
}
