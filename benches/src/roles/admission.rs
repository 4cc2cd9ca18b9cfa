//! What a server's clients need: its authority, a key, device tokens. Files, since clients are other processes; each run has its own.

use std::{fs, path::Path, sync::Arc};

use apns_certs::{AuthKey, Authority, KeyId, Purpose};
use rustls::{ServerConfig, pki_types::UnixTime};

use super::tls;
use crate::child::{
    AUTH_KEY_FILE, CA_FILE, DEVICE_TOKENS_FILE, DEVICES, Explain as _, Failure, KEY_ID, device_token,
};

/// Puts it where the clients find it.
pub(super) fn admit(directory: &Path, ca: &str, key: &str, device_tokens: &[String]) -> Result<(), Failure> {
    let device_tokens = device_tokens.join("\n");
    for (name, text) in [(CA_FILE, ca), (AUTH_KEY_FILE, key), (DEVICE_TOKENS_FILE, &device_tokens)] {
        fs::write(directory.join(name), text).explain("writing what clients need")?;
    }
    Ok(())
}

/// TLS of a server that checks nothing, with an authority of its own; its clients get a key that nobody knows, and [`DEVICES`] devices.
pub(super) fn always_200(directory: &Path) -> Result<Arc<ServerConfig>, Failure> {
    let now = UnixTime::now();
    let authority = Authority::generate(now).explain("making an authority")?;
    let server = authority.server(&[], now).explain("making a server certificate")?;
    let key_id = KeyId::new(KEY_ID).explain("naming a key")?;
    let key = AuthKey::generate(key_id).explain("making a key")?;
    let device_tokens: Vec<String> = (0..DEVICES).map(device_token).collect();
    admit(directory, &authority.root_pem(Purpose::Server), &key.to_p8(), &device_tokens)?;
    tls::server_config(&server)
}
