//! What a started double tells others, as JSON.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
};

use apns_certs::{Flaw, ProviderCertificateKind};
use serde::{Deserialize, Serialize};

use super::folder::{Folder, certificate_file, write_whole};
use crate::{MockApns, Named as _, certificates::PKCS12_PASSWORD, endpoint::url};

/// Addresses and credentials of a double. Every path is absolute.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct ReadyFile {
    pub(super) version: String,
    pub(super) seed: u64,
    /// The profile that teams begin with; a device, which reads it too, need not know.
    #[serde(default)]
    pub(super) profile: String,
    pub(super) sandbox: Endpoint,
    pub(super) production: Endpoint,
    pub(super) device_gateway: Endpoint,
    pub(super) control: Endpoint,
    pub(super) folder: PathBuf,
    /// The CA that clients have to trust.
    pub(super) ca: PathBuf,
    /// The CA with its keys, from which a device issues itself a certificate. Secret.
    pub(super) authority: PathBuf,
    /// A certificate for a device, with its key.
    pub(super) device_certificate: PathBuf,
    pub(super) team_id: String,
    pub(super) bundle_id: String,
    /// A file with a provider token that is always good; made anew every half hour.
    pub(super) provider_token: PathBuf,
    pub(super) keys: Vec<ProviderKey>,
    pub(super) certificates: Vec<Certificate>,
    pub(super) pkcs12_password: String,
    pub(super) device_tokens: Vec<DeviceToken>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Endpoint {
    pub(super) address: SocketAddr,
    pub(super) url: String,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct ProviderKey {
    pub(super) key_id: String,
    pub(super) scope: String,
    pub(super) file: PathBuf,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Certificate {
    pub(super) name: String,
    pub(super) file: PathBuf,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct DeviceToken {
    pub(super) name: String,
    pub(super) token: String,
    pub(super) environment: String,
    pub(super) topic: String,
    pub(super) answer: String,
}

impl ReadyFile {
    pub(super) fn new(mock: &MockApns, folder: &Folder, seed: u64) -> Self {
        let ready_made = mock.ready_made();
        let file = |name: &str| absolute(&folder.path().join(name));
        let kinds = ProviderCertificateKind::all().map(ProviderCertificateKind::name);
        let flaws = Flaw::all().map(Flaw::name);
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed,
            profile: mock.shared.batch().service().settings().profile().name().to_owned(),
            sandbox: Endpoint::new("https", mock.sandbox()),
            production: Endpoint::new("https", mock.production()),
            device_gateway: Endpoint::new("tls", mock.device_gateway()),
            control: Endpoint::new("http", mock.control()),
            folder: absolute(folder.path()),
            ca: file(Folder::CA),
            authority: file(Folder::AUTHORITY),
            device_certificate: file(Folder::DEVICE),
            team_id: ready_made.team_id.to_owned(),
            bundle_id: ready_made.bundle_id.to_owned(),
            provider_token: file(Folder::PROVIDER_TOKEN),
            keys: ready_made
                .keys
                .iter()
                .map(|key| ProviderKey {
                    key_id: key.key_id.to_owned(),
                    scope: key.scope.to_owned(),
                    file: file(&key.key.file_name()),
                })
                .collect(),
            certificates: kinds
                .chain(flaws)
                .map(|name| Certificate { name: name.to_owned(), file: file(&certificate_file(name)) })
                .collect(),
            pkcs12_password: PKCS12_PASSWORD.to_owned(),
            device_tokens: ready_made
                .device_tokens
                .iter()
                .map(|token| DeviceToken {
                    name: token.name.to_owned(),
                    token: token.token.clone(),
                    environment: token.environment.name().to_owned(),
                    topic: token.topic.clone(),
                    answer: token.answer.to_owned(),
                })
                .collect(),
        }
    }

    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        serde_json::from_slice(&text)
            .map_err(|error| format!("{} is not a ready file: {error}", path.display()))
    }

    pub(super) fn write(&self, path: &Path) -> Result<(), String> {
        let json = serde_json::to_vec_pretty(self).map_err(|error| format!("cannot write JSON: {error}"))?;
        write_whole(path, &json, 0o600)
    }

    pub(super) fn remove(path: &Path) {
        let _ = fs::remove_file(path); // already gone is as good
    }
}

impl Endpoint {
    fn new(scheme: &str, address: SocketAddr) -> Self {
        Self { address, url: url(scheme, address) }
    }

    /// Where to connect: an unspecified address is listened on, but cannot be connected to everywhere.
    pub(super) fn reachable(&self) -> SocketAddr {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        SocketAddr::new(ip, self.address.port())
    }
}

/// The path from the root; a curl command is pasted into a shell that stands elsewhere.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
