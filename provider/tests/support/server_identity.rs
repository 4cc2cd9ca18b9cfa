//! Who a server of a test is: a CA and a certificate for localhost, and the clients that trust it.

use std::{sync::Arc, time::SystemTime};

use apns_certs::{AuthKey, Authority, Identity, KeyId, Purpose};
use apns_provider::{Client, ClientBuilder, Credential, Endpoint, core::RetryPolicy};
use rustls::{ServerConfig, SupportedProtocolVersion, crypto::ring, pki_types::UnixTime};

/// A CA of its own, and a certificate for localhost.
pub(crate) struct ServerIdentity {
    authority: Authority,
    pub(crate) identity: Identity,
}

impl ServerIdentity {
    pub(crate) fn generate() -> Self {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let now = UnixTime::since_unix_epoch(since_epoch);
        let authority = Authority::generate(now).unwrap();
        let identity = authority.server(&[], now).unwrap();
        Self { authority, identity }
    }

    /// TLS with these versions and `h2`.
    pub(crate) fn tls(&self, versions: &[&'static SupportedProtocolVersion]) -> Arc<ServerConfig> {
        let mut tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(self.identity.chain().to_vec(), self.identity.private_key().to_der())
            .unwrap();
        tls.alpn_protocols = vec![b"h2".to_vec()];
        Arc::new(tls)
    }

    /// A client of the server at this port, with a key of its own, that tries once.
    pub(crate) fn builder(&self, port: u16) -> ClientBuilder {
        Client::builder(Endpoint::custom("localhost", port).unwrap())
            .ca_pem(&self.ca_pem())
            .credential(credential())
            .retry(RetryPolicy::never())
    }

    /// What clients have to trust.
    pub(crate) fn ca_pem(&self) -> Vec<u8> {
        self.authority.root_pem(Purpose::Server).into_bytes()
    }
}

/// A key of its own.
pub(crate) fn credential() -> Credential {
    let key = AuthKey::generate(KeyId::new("MOCKKEY001").unwrap()).unwrap();
    Credential::from_p8(key.to_p8().as_bytes(), "MOCKKEY001", "MOCKTEAM01").unwrap()
}
