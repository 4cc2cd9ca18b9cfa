//! Checklist A: TLS and the client's certificate.

use apns_certs::{Flaw, Identity, Pkcs12Encryption, ProviderCertificateKind};
use apns_provider::{
    Credential,
    core::{NotSent, Outcome},
};
use rustls::{
    ProtocolVersion, SupportedProtocolVersion,
    version::{TLS12, TLS13},
};
use tokio::join;
use tracing::Level;

use crate::{
    logs::Logs,
    raw_server::RawServer,
    world::{World, hello, some_token},
};

#[tokio::test]
async fn c05_a_ca_is_trusted_by_those_who_were_told_of_it() {
    let (world, stranger) = (World::good().await, RawServer::start().await);
    assert!(matches!(world.send(&world.client()).await, Outcome::Accepted(_)));
    let (outcome, _) = join!(
        async {
            let client = stranger.builder().ca_pem(&world.ca_pem()).build().unwrap();
            client.send(hello(), some_token()).await
        },
        stranger.refused()
    );
    let Outcome::NotSent(NotSent::CertificateRefused { why }) = outcome else { panic!("{outcome:?}") };
    assert!(why.contains("not trusted"), "{why}");
}

#[tokio::test]
async fn c07_tls_1_3_is_preferred_and_1_2_is_enough() {
    let both: &[&'static SupportedProtocolVersion] = &[&TLS12, &TLS13];
    for (versions, expected) in [(both, ProtocolVersion::TLSv1_3), (&[&TLS12], ProtocolVersion::TLSv1_2)] {
        let server = RawServer::speaking(versions).await;
        let client = server.builder().build().unwrap();
        let (outcome, agreed) = join!(client.send(hello(), some_token()), async {
            let mut peer = server.greeted(&[]).await;
            let stream = peer.request().await.stream;
            peer.accepts(stream).await;
            peer.socket.tls().protocol_version()
        });
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
        assert_eq!(agreed, Some(expected));
    }
}

/// A certificate as people have it.
fn forms(identity: &Identity) -> [Credential; 3] {
    let pkcs12 = |encryption| identity.to_pkcs12("secret", encryption).unwrap();
    [
        Credential::from_pem(identity.to_pem().as_bytes()).unwrap(),
        Credential::from_pkcs12(&pkcs12(Pkcs12Encryption::Modern), "secret").unwrap(),
        Credential::from_pkcs12(&pkcs12(Pkcs12Encryption::Legacy), "secret").unwrap(),
    ]
}

#[tokio::test]
async fn c07_certificates_of_every_form_speak_for_their_team() {
    let world = World::good().await;
    let identity = world.mock.certificates().provider(ProviderCertificateKind::Universal).unwrap();
    for credential in forms(&identity) {
        let client = world.builder().credential(credential).build().unwrap();
        let outcome = world.send(&client).await;
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    }
    assert!(world.seen().iter().all(|push| push.header("authorization").is_none()));
}

#[tokio::test]
async fn c07_a_certificate_that_is_over_is_warned_of_and_one_that_is_not_is_not() {
    let world = World::good().await;
    let good = world.mock.certificates().provider(ProviderCertificateKind::Universal).unwrap();
    let over = world.mock.certificates().flawed_provider(Flaw::Expired).unwrap();
    for (identity, warns) in [(good, false), (over, true)] {
        let credential = Credential::from_pem(identity.to_pem().as_bytes()).unwrap();
        assert!(credential.certificate_expires_at().is_some());
        let logs = Logs::at(Level::WARN);
        let built = world.builder().credential(credential).build();
        assert!(built.is_ok(), "APNs decides");
        let text = logs.text();
        assert_eq!(text.contains("WARN") && text.contains("provider certificate is over"), warns, "{text}");
    }
}
