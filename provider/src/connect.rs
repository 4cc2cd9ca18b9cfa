use std::{sync::Arc, time::Duration};

use apns_provider_core::NotSent;
use apns_wire::{TlsSocket, WireError};
use rustls::ClientConfig;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};

use crate::{Endpoint, tls::ALPN_H2};

const CONNECT_MAX: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Connector {
    endpoint: Endpoint,
    tls: Arc<ClientConfig>,
}

#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) socket: TlsSocket,
}

impl Connector {
    pub(crate) fn new(endpoint: Endpoint, tls: Arc<ClientConfig>) -> Self {
        Self { endpoint, tls }
    }

    pub(crate) async fn connect(&self, _: Option<Instant>) -> Result<Connected, NotSent> {
        let (host, port) = (self.endpoint.host(), self.endpoint.port());
        let deadline = Instant::now() + CONNECT_MAX;
        let late =
            |what| move |_| no_connection(format!("{what} with {} was not done in time", self.endpoint));
        let tcp = timeout_at(deadline, TcpStream::connect((host, port)))
            .await
            .map_err(late("a TCP connection"))?
            .map_err(|error| no_connection(format!("cannot connect to {}: {error}", self.endpoint)))?;
        let handshake = TlsSocket::connect(tcp, Arc::clone(&self.tls), self.endpoint.server_name());
        let socket = timeout_at(deadline, handshake)
            .await
            .map_err(late("the TLS handshake"))?
            .map_err(|error| wire_failure(&self.endpoint, &error))?;
        if socket.tls().alpn_protocol() != Some(ALPN_H2) {
            return Err(no_connection(format!(
                "{} does not speak HTTP/2: TLS did not agree on h2",
                self.endpoint
            )));
        }
        Ok(Connected { socket })
    }
}
/// What a TLS failure means for the pushes that waited for the connection.
pub(crate) fn wire_failure(endpoint: &Endpoint, error: &WireError) -> NotSent {
    match error {
        WireError::Tls(rustls::Error::InvalidCertificate(why)) => NotSent::CertificateRefused {
            why: format!("the certificate of {endpoint} is not trusted: {why}").into(),
        },
        WireError::Tls(rustls::Error::AlertReceived(alert)) => NotSent::CertificateRefused {
            why: format!("{endpoint} refused us in TLS, most likely for our certificate: alert {alert:?}")
                .into(),
        },
        error => no_connection(format!("no connection with {endpoint}: {error}")),
    }
}

fn no_connection(why: String) -> NotSent {
    NotSent::NoConnection { why: why.into() }
}
