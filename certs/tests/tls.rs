//! rustls on both sides of a connection: who is let in, and in which words the others are refused.

#![expect(clippy::unwrap_used, reason = "what a helper cannot do ends the test")]

use std::sync::Arc;

use apns_certs::{
    Authority, DeviceId, Flaw, Identity, ProviderCertificateKind, ProviderCertificateRequest, Purpose,
    ServerFlaw, TeamId, Topic,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, Error, RootCertStore, ServerConfig, ServerConnection,
};

#[test]
fn a_good_provider_is_let_in_under_apples_names_and_our_own() {
    let pki = Pki::new();
    let (server, provider) = (pki.server(), pki.provider());
    for host in ["localhost", "127.0.0.1", "::1", "api.push.apple.com", "17.push.apple.com"] {
        assert_eq!(pki.handshake(host, &server, &provider), Ok(()), "{host}");
    }
}

#[test]
fn each_bad_provider_is_refused_for_its_flaw() {
    let pki = Pki::new();
    let server = pki.server();
    let answer = |identity: &Identity| pki.handshake("localhost", &server, identity);
    let flawed = |flaw| pki.authority.flawed_provider(&request(), flaw, pki.now).unwrap();

    assert!(matches!(
        answer(&flawed(Flaw::Expired)),
        Err(Error::InvalidCertificate(CertificateError::ExpiredContext { .. }))
    ));
    assert!(matches!(
        answer(&flawed(Flaw::NotYetValid)),
        Err(Error::InvalidCertificate(CertificateError::NotValidYetContext { .. }))
    ));
    let unknown = Err(Error::InvalidCertificate(CertificateError::UnknownIssuer));
    assert_eq!(answer(&flawed(Flaw::ForeignCa)), unknown);
    assert_eq!(answer(&pki.revoked), Err(Error::InvalidCertificate(CertificateError::Revoked)));
    let device = pki.authority.device(&DeviceId::new("iphone-1").unwrap(), pki.now).unwrap();
    assert_eq!(answer(&device), unknown);
    assert!(answer(&server).is_err());
    assert_eq!(answer(&flawed(Flaw::NoTopics)), Ok(()));
}

#[test]
fn a_provider_refuses_each_bad_server() {
    let pki = Pki::new();
    let answer = |flaw| {
        let server = pki.authority.flawed_server(&[], flaw, pki.now).unwrap();
        match pki.handshake("localhost", &server, &pki.provider()) {
            Err(Error::InvalidCertificate(error)) => error,
            other => panic!("{flaw:?}: {other:?}"),
        }
    };
    assert!(matches!(answer(ServerFlaw::WrongHost), CertificateError::NotValidForNameContext { .. }));
    assert!(matches!(answer(ServerFlaw::Expired), CertificateError::ExpiredContext { .. }));
    assert_eq!(answer(ServerFlaw::SelfSigned), CertificateError::UnknownIssuer);
    assert_eq!(answer(ServerFlaw::UnknownCa), CertificateError::UnknownIssuer);
}

#[test]
fn a_new_root_is_taken_by_who_trusts_it_and_by_others_if_the_old_one_vouches_for_it() {
    let pki = Pki::new();
    let (old, new) = (pki.authority.root(Purpose::Server), pki.authority.new_root());
    let alone = pki.authority.server_of_new_root(&[], pki.now).unwrap();
    let crossed = pki.authority.server_of_cross_signed_root(&[], pki.now).unwrap();
    let usual = pki.server();
    let answer = |root, server| pki.handshake_trusting(root, "localhost", server, &pki.provider());
    let unknown = Err(Error::InvalidCertificate(CertificateError::UnknownIssuer));
    assert_eq!([answer(old, &alone), answer(new, &usual)], [unknown.clone(), unknown]);
    assert_eq!([answer(old, &crossed), answer(new, &crossed), answer(new, &alone)], [Ok(()), Ok(()), Ok(())]);
}

#[test]
fn a_stored_authority_goes_on_letting_in_what_it_issued_before() {
    let before = Pki::new();
    let (server, provider) = (before.server(), before.provider());
    let after = Pki::with(Authority::from_pem(&before.authority.to_pem()).unwrap(), before.now);
    assert_eq!(after.handshake("localhost", &server, &after.provider()), Ok(()));
    assert_eq!(after.handshake("localhost", &after.server(), &provider), Ok(()));
}

struct Pki {
    now: UnixTime,
    authority: Authority,
    revoked: Identity,
}

impl Pki {
    fn new() -> Self {
        // rustls judges by the machine's clock.
        let now = UnixTime::now();
        Self::with(Authority::generate(now).unwrap(), now)
    }

    fn with(authority: Authority, now: UnixTime) -> Self {
        let revoked = authority.flawed_provider(&request(), Flaw::Revoked, now).unwrap();
        Self { now, authority, revoked }
    }

    fn server(&self) -> Identity {
        self.authority.server(&[], self.now).unwrap()
    }

    fn provider(&self) -> Identity {
        self.authority.provider(&request(), self.now).unwrap()
    }

    /// Lets a client that trusts the server root meet a server that trusts the provider root and knows the
    /// revocation list; says which side refused the other, and why.
    fn handshake(&self, host: &str, server: &Identity, client: &Identity) -> Result<(), Error> {
        self.handshake_trusting(self.authority.root(Purpose::Server), host, server, client)
    }

    fn handshake_trusting(
        &self,
        root: &CertificateDer<'static>,
        host: &str,
        server: &Identity,
        client: &Identity,
    ) -> Result<(), Error> {
        let list = self.authority.revocation_list(&[self.revoked.serial_number()], self.now).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(
            Arc::new(trusting(self.authority.root(Purpose::Provider))),
            Arc::new(rustls::crypto::ring::default_provider()),
        )
        .with_crls([list.der().clone()])
        .only_check_end_entity_revocation()
        .build()
        .unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server_config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(server.chain().to_vec(), server.private_key().to_der())
            .unwrap();
        let client_config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(trusting(root))
            .with_client_auth_cert(client.chain().to_vec(), client.private_key().to_der())
            .unwrap();
        let host = ServerName::try_from(host.to_owned()).unwrap();
        connect(
            ClientConnection::new(Arc::new(client_config), host).unwrap(),
            ServerConnection::new(Arc::new(server_config)).unwrap(),
        )
    }
}

fn request() -> ProviderCertificateRequest {
    ProviderCertificateRequest::new(
        ProviderCertificateKind::Universal,
        Topic::new("com.example.app").unwrap(),
        TeamId::new("DEF123GHIJ").unwrap(),
    )
}

fn trusting(root: &CertificateDer<'static>) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    roots
}

/// Carries bytes between the two in memory until both are done or one refuses.
fn connect(mut client: ClientConnection, mut server: ServerConnection) -> Result<(), Error> {
    while client.is_handshaking() || server.is_handshaking() {
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).unwrap();
        server.read_tls(&mut bytes.as_slice()).unwrap();
        server.process_new_packets()?;
        bytes.clear();
        server.write_tls(&mut bytes).unwrap();
        client.read_tls(&mut bytes.as_slice()).unwrap();
        client.process_new_packets()?;
    }
    Ok(())
}
