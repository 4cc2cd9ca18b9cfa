use std::{net::SocketAddr, sync::Arc, time::Duration};

use apns_certs::{Authority, DeviceId, Identity, Purpose};
use apns_wire::TlsSocket;
use mock_apns_core::{DeviceState, TeamId};
use rustls::{
    ClientConfig, RootCertStore,
    client::Resumption,
    crypto::ring,
    pki_types::{CertificateDer, ServerName},
};
use tokio::{net::TcpStream, time::timeout};

use super::{Device, DeviceError};
use crate::certificates;

/// Time to connect: TCP and TLS.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// How a device connects. For a double in another process, its address and certificate authority are in its
/// ready file.
#[derive(Clone, Debug)]
#[must_use = "options do nothing until `connect`"]
pub struct DeviceOptions {
    address: SocketAddr,
    ca: CertificateDer<'static>,
    identity: Identity,
    pub(super) team: Option<TeamId>,
    pub(super) state: DeviceState,
    pub(super) acknowledge: Acknowledge,
    pub(super) on_line: Option<fn(&[u8])>,
}

/// When a device acknowledges what it receives.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Acknowledge {
    /// When [`Device::next`] returns it.
    #[default]
    WhenReturned,
    /// When [`Device::acknowledge`] is called. What is not acknowledged is delivered again.
    WhenTold,
}

impl DeviceOptions {
    /// To the gateway at `address`, whose certificate the root `ca` has issued, with the device's own
    /// certificate. In the service's first team, and online.
    pub fn new(address: SocketAddr, ca: CertificateDer<'static>, identity: Identity) -> Self {
        Self {
            address,
            ca,
            identity,
            team: None,
            state: DeviceState::Online,
            acknowledge: Acknowledge::default(),
            on_line: None,
        }
    }

    /// The same, with a certificate that `authority` issues now for a device of this name.
    pub fn issued_by(authority: &Authority, address: SocketAddr, name: &str) -> Result<Self, DeviceError> {
        let identity = authority.device(&DeviceId::new(name)?, certificates::now())?;
        Ok(Self::new(address, authority.root(Purpose::Server).clone(), identity))
    }

    /// The team that the device belongs to.
    pub fn team(mut self, team: TeamId) -> Self {
        self.team = Some(team);
        self
    }

    /// Connects saving power: only what is urgent is delivered.
    pub fn power_saving(mut self) -> Self {
        self.state = DeviceState::PowerSaving;
        self
    }

    /// When the device acknowledges what it receives.
    pub fn acknowledge(mut self, acknowledge: Acknowledge) -> Self {
        self.acknowledge = acknowledge;
        self
    }

    /// Calls `on_line` with each line of the gateway as it came, without its line break.
    pub fn on_line(mut self, on_line: fn(&[u8])) -> Self {
        self.on_line = Some(on_line);
        self
    }

    /// Connects. When this returns, the device is online.
    pub async fn connect(self) -> Result<Device, DeviceError> {
        let unreachable = |why: String| DeviceError::Unreachable { address: self.address, why };
        let config = self.tls().map_err(|error| DeviceError::Refused { why: error.to_string() })?;
        let handshake = async {
            let tcp =
                TcpStream::connect(self.address).await.map_err(|error| unreachable(error.to_string()))?;
            let server = ServerName::try_from(SERVER_NAME).expect("a constant that is a DNS name");
            TlsSocket::connect(tcp, config, server).await.map_err(|error| DeviceError::in_handshake(&error))
        };
        let socket = timeout(CONNECT_MAX, handshake)
            .await
            .map_err(|_| unreachable(format!("no TLS handshake within {CONNECT_MAX:?}")))??;
        Device::open(socket, self).await
    }

    fn tls(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(self.ca.clone())?;
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_client_auth_cert(self.identity.chain().to_vec(), self.identity.private_key().to_der())?;
        config.resumption = Resumption::disabled(); // one connection, and a cache costs more than all of it
        Ok(Arc::new(config))
    }
}

/// What every double's certificate is good for, wherever it listens.
const SERVER_NAME: &str = "localhost";
