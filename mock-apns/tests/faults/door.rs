//! The door: how TCP connections are accepted, and how TLS handshakes go. Faults there leave connections that
//! are open alone.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use apns_certs::Purpose;
use mock_apns::MockApns;
use rustls::{
    AlertDescription, ClientConfig, ClientConnection, Error, ProtocolVersion,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::{
    Control, RawProvider, always,
    raw_provider::PATIENCE,
    support::{Peer, client_config, trusting},
};

const SHORT: Duration = Duration::from_millis(300);
const USUAL: &[&[u8]] = &[b"h2"];

/// A double with a fault for everyone, and a provider that was connected before it.
async fn world(fault: &str) -> (MockApns, RawProvider) {
    let mock = MockApns::start().await.unwrap();
    let mut provider = RawProvider::connect(&mock).await;
    provider.push().await;
    provider.until("HEADERS 1").await;
    Control::of(&mock).post("/v1/faults?everyone=true", fault).await.expect(201);
    (mock, provider)
}

/// A fault called `f` that fires so often.
fn times(times: u32, action: &str) -> String {
    format!(r#"{{"name": "f", "times": {times}, "action": {action}}}"#)
}

/// The provider that was connected before still pushes.
async fn still_pushes(provider: &mut RawProvider) {
    provider.push().await;
    let seen = provider.until("HEADERS 3").await;
    assert!(seen.last().unwrap().starts_with("HEADERS 3 0x5 :status=200"), "{seen:?}");
}

/// Says hello, and gives what is said to that until the connection ends, or nothing comes for a while. An end
/// without a word is no byte.
async fn knock(address: SocketAddr) -> io::Result<Vec<u8>> {
    let (_tcp, said) = say_hello(address).await?;
    Ok(said)
}

async fn say_hello(address: SocketAddr) -> io::Result<(TcpStream, Vec<u8>)> {
    let config = trusting(apns_certs_root(), None);
    let mut tls = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    let mut hello = Vec::new();
    tls.write_tls(&mut hello).unwrap();
    let mut tcp = TcpStream::connect(address).await?;
    tcp.write_all(&hello).await?;
    let mut said = Vec::new();
    // That time is over is an answer too.
    timeout(SHORT, tcp.read_to_end(&mut said)).await.unwrap_or(Ok(0))?;
    Ok((tcp, said))
}

/// Any root: nothing is verified of a server to which hello is all that is said.
fn apns_certs_root() -> CertificateDer<'static> {
    let now = rustls::pki_types::UnixTime::now();
    apns_certs::Authority::generate(now).unwrap().root(Purpose::Server).clone()
}

/// How a handshake ends that offers these protocols.
async fn shake(mock: &MockApns, mut config: ClientConfig, alpn: &[&[u8]]) -> Result<RawProvider, Error> {
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    RawProvider::dial(mock, config).await
}

async fn shake_with(fault: &str, alpn: &[&[u8]]) -> Result<RawProvider, Error> {
    let (mock, _provider) = world(&always(fault)).await;
    let config = client_config(&mock, None);
    shake(&mock, config, alpn).await
}

async fn fired(mock: &MockApns) -> u64 {
    let fault = Control::of(mock).get("/v1/faults/f?everyone=true").await.expect(200);
    fault["fired"].as_u64().unwrap()
}

#[tokio::test]
async fn nobody_listens_for_a_while_and_then_it_is_as_before() {
    let (mock, mut provider) = world(&times(1, r#"{"accept": {"refuse": {"for": "800ms"}}}"#)).await;
    let begun = Instant::now();
    assert_eq!(knock(mock.sandbox()).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(knock(mock.sandbox()).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    still_pushes(&mut provider).await;
    Peer::connect(&mock, mock.production().port(), USUAL, None).await.unwrap();
    assert!(begun.elapsed() < Duration::from_millis(800), "all of that was meanwhile: {:?}", begun.elapsed());
    let listening_again = async {
        while let Err(error) = TcpStream::connect(mock.sandbox()).await {
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, listening_again).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(800), "{:?}", begun.elapsed());
    RawProvider::connect(&mock).await.until("SETTINGS").await;
    assert_eq!(fired(&mock).await, 1);
}

#[tokio::test]
async fn a_double_that_refuses_stalls_and_delays_stops_all_the_same() {
    for action in [
        r#"{"accept": {"refuse": {"for": "1h"}}}"#,
        r#"{"accept": {"delay": {"for": "1h"}}}"#,
        r#"{"tls": "stall"}"#,
    ] {
        let mock = MockApns::start().await.unwrap();
        Control::of(&mock).post("/v1/faults?everyone=true", &always(action)).await.expect(201);
        let _met = say_hello(mock.sandbox()).await;
        assert_eq!(fired(&mock).await, 1, "{action}");
        let begun = Instant::now();
        mock.stop().await;
        assert!(begun.elapsed() < Duration::from_secs(3), "{action}: {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_connection_is_closed_at_once_with_fin_or_rst() {
    let (mock, mut provider) = world(&always(r#"{"accept": "close"}"#)).await;
    assert_eq!(knock(mock.sandbox()).await.unwrap(), b"");
    assert_eq!(say_hello(mock.sandbox()).await.unwrap().0.read(&mut [0]).await.unwrap(), 0, "it is an end");
    still_pushes(&mut provider).await;

    let (mock, mut provider) = world(&always(r#"{"accept": "reset"}"#)).await;
    assert_eq!(knock(mock.sandbox()).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    still_pushes(&mut provider).await;
}

#[tokio::test]
async fn a_connection_is_accepted_late() {
    let (mock, mut provider) = world(&times(1, r#"{"accept": {"delay": {"for": "400ms"}}}"#)).await;
    let begun = Instant::now();
    let late = RawProvider::silent(&mock).await;
    assert!(begun.elapsed() >= Duration::from_millis(400), "{:?}", begun.elapsed());
    assert!(!late.is_over());
    still_pushes(&mut provider).await;
}

#[tokio::test]
async fn every_second_connection_is_met() {
    let (mock, _provider) =
        world(r#"{"name": "f", "every": 2, "times": 2, "action": {"accept": "reset"}}"#).await;
    let mut met = Vec::new();
    for _ in 0..6 {
        met.push(knock(mock.sandbox()).await.is_err());
    }
    assert_eq!(met, [true, false, true, false, false, false]);
}

#[tokio::test]
async fn a_handshake_stalls_after_the_hello() {
    let (mock, mut provider) = world(&always(r#"{"tls": "stall"}"#)).await;
    let (mut tcp, said) = say_hello(mock.sandbox()).await.unwrap();
    assert_eq!(said, b"");
    assert!(timeout(SHORT, tcp.read(&mut [0])).await.is_err(), "the connection stays open");
    still_pushes(&mut provider).await;
    // An alert: the double reads it, and says nothing to that either.
    tcp.write_all(&[21, 3, 3, 0, 2, 2, 40]).await.unwrap();
    tcp.shutdown().await.unwrap();
    assert_eq!(
        timeout(PATIENCE, tcp.read(&mut [0])).await.unwrap().unwrap(),
        0,
        "it goes when the client goes"
    );
}

#[tokio::test]
async fn an_alert_is_one_record_in_the_clear_and_then_fin() {
    for (alert, record) in [
        (r#""certificate-revoked""#, [21, 3, 3, 0, 2, 2, 44]),
        ("99", [21, 3, 3, 0, 2, 2, 99]),
        (r#""close-notify""#, [21, 3, 3, 0, 2, 1, 0]),
    ] {
        let (mock, mut provider) = world(&always(&format!(r#"{{"tls": {{"alert": {alert}}}}}"#))).await;
        let (mut tcp, said) = say_hello(mock.sandbox()).await.unwrap();
        assert_eq!(said, record, "{alert}");
        assert_eq!(timeout(PATIENCE, tcp.read(&mut [0])).await.unwrap().unwrap(), 0);
        still_pushes(&mut provider).await;
    }
    let refused = shake_with(r#"{"tls": {"alert": "internal-error"}}"#, USUAL).await.err();
    assert_eq!(refused, Some(Error::AlertReceived(AlertDescription::InternalError)));
}

#[tokio::test]
async fn a_client_refuses_each_bad_certificate_in_its_own_words() {
    let mock = MockApns::start().await.unwrap();
    let control = Control::of(&mock);
    for (certificate, words) in [
        ("expired", "InvalidCertificate(ExpiredContext"),
        ("wrong-host", "InvalidCertificate(NotValidForNameContext"),
        ("self-signed", "InvalidCertificate(UnknownIssuer)"),
        ("unknown-ca", "InvalidCertificate(UnknownIssuer)"),
        ("new-root", "InvalidCertificate(UnknownIssuer)"),
        ("expired", "InvalidCertificate(ExpiredContext"),
    ] {
        let fault = times(1, &format!(r#"{{"tls": {{"certificate": "{certificate}"}}}}"#));
        control.post("/v1/faults?everyone=true", &fault).await.expect(201);
        let refused = format!("{:?}", shake(&mock, client_config(&mock, None), USUAL).await.err().unwrap());
        assert!(refused.starts_with(words), "{certificate}: {refused}");
        shake(&mock, client_config(&mock, None), USUAL).await.unwrap();
        control.delete("/v1/faults/f?everyone=true").await.expect(204);
    }
}

#[tokio::test]
async fn a_change_of_the_root_is_rehearsed() {
    for (shown, by_old_root, by_new_root) in
        [("new-root", false, true), ("new-root-cross-signed", true, true)]
    {
        let (mock, mut provider) =
            world(&always(&format!(r#"{{"tls": {{"certificate": "{shown}"}}}}"#))).await;
        let new = Control::of(&mock).get("/v1/certificates/new-ca.pem").await;
        let new = CertificateDer::from_pem_slice(new.text.as_bytes()).unwrap();
        let with_old = shake(&mock, client_config(&mock, None), USUAL).await;
        assert_eq!(with_old.is_ok(), by_old_root, "{shown}: {:?}", with_old.err());
        let with_new = shake(&mock, trusting(new.clone(), None), USUAL).await;
        assert_eq!(with_new.is_ok(), by_new_root, "{shown}: {:?}", with_new.err());
        assert_eq!(with_new.unwrap().tls().alpn_protocol(), Some(&b"h2"[..]));
        still_pushes(&mut provider).await;

        Control::of(&mock).delete("/v1/faults/f?everyone=true").await.expect(204);
        assert!(shake(&mock, client_config(&mock, None), USUAL).await.is_ok(), "the old one is back");
        assert!(shake(&mock, trusting(new, None), USUAL).await.is_err());
    }
}

#[tokio::test]
async fn tls_is_no_newer_than_12() {
    let usual = shake_with(r#"{"accept": {"delay": {"for": "1ms"}}}"#, USUAL).await.unwrap();
    assert_eq!(usual.tls().protocol_version(), Some(ProtocolVersion::TLSv1_3));
    let old = shake_with(r#"{"tls": "tls12"}"#, USUAL).await.unwrap();
    assert_eq!(old.tls().protocol_version(), Some(ProtocolVersion::TLSv1_2));
    assert_eq!(old.tls().alpn_protocol(), Some(&b"h2"[..]));
}

#[tokio::test]
async fn protocols_are_refused_or_another_one_is_chosen() {
    let fault = r#"{"tls": "alpn-refused"}"#;
    let refused = Some(Error::AlertReceived(AlertDescription::NoApplicationProtocol));
    assert_eq!(shake_with(fault, USUAL).await.err(), refused);
    assert!(shake_with(fault, &[]).await.is_ok(), "who offers nothing cannot be refused");

    let (mock, _provider) = world(&always(r#"{"tls": "http11"}"#)).await;
    let offering = |alpn| shake(&mock, client_config(&mock, None), alpn);
    let mut provider = offering(&[b"h2", b"http/1.1"]).await.unwrap();
    assert_eq!(provider.tls().alpn_protocol(), Some(&b"http/1.1"[..]));
    // A client of HTTP/1.1 that waits for a status line gets this.
    assert!(provider.until("SETTINGS").await[0].starts_with("SETTINGS 1=4096 3=1 "));
    assert_eq!(offering(USUAL).await.unwrap().tls().alpn_protocol(), None);
}

#[tokio::test]
async fn a_fault_of_one_environment_leaves_the_other_alone() {
    for action in [r#"{"tls": {"alert": 80}}"#, r#"{"accept": "reset"}"#] {
        let fault =
            always(action).replace("\"action\"", r#""match": {"environment": "production"}, "action""#);
        let (mock, mut provider) = world(&fault).await;
        shake(&mock, client_config(&mock, None), USUAL).await.unwrap();
        assert_eq!(fired(&mock).await, 0);
        assert!(Peer::connect(&mock, mock.production().port(), USUAL, None).await.is_err());
        assert_eq!(fired(&mock).await, 1);
        // Devices have a door of their own.
        mock.device("alice-phone").await.unwrap();
        still_pushes(&mut provider).await;
    }
}
