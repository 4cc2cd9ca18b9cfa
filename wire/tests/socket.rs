//! Two TLS sockets and a wire between them.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

use std::{sync::Arc, time::Duration};

use apns_certs::{Authority, Purpose};
use apns_wire::{Hello, Received, TlsSocket, WireError};
use rustls::{ClientConfig, RootCertStore, ServerConfig, crypto::ring, pki_types::UnixTime};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// Longer than anything here takes; a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(20);
/// More than rustls, the kernel and our limits hold together, in bytes.
const LEN: usize = 24 * 1024 * 1024;

struct Tls {
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
}

fn tls(alpn: &[&[u8]]) -> Tls {
    let now = UnixTime::now();
    let authority = Authority::generate(now).unwrap();
    let identity = authority.server(&[], now).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(authority.root(Purpose::Server).clone()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(identity.chain().to_vec(), identity.private_key().to_der())
        .unwrap();
    server.alpn_protocols = vec![b"h2".to_vec()];
    let mut client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    Tls { server: Arc::new(server), client: Arc::new(client) }
}

async fn pair(tls: &Tls) -> (Result<TlsSocket, WireError>, Result<TlsSocket, WireError>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = async {
        let (tcp, _) = listener.accept().await.unwrap();
        TlsSocket::accept(tcp, |_| Arc::clone(&tls.server)).await
    };
    let client = async {
        let tcp = TcpStream::connect(address).await.unwrap();
        TlsSocket::connect(tcp, Arc::clone(&tls.client), "localhost".try_into().unwrap()).await
    };
    timeout(PATIENCE, async { tokio::join!(server, client) }).await.unwrap()
}

/// Writes `len` bytes and reads as many, at once, and gives what it read.
async fn exchange(mut socket: TlsSocket, byte: u8, len: usize) -> Vec<u8> {
    let (mut written, mut read) = (0, Vec::new());
    loop {
        while written < len && !socket.is_congested() {
            let part = (len - written).min(10_000);
            socket.write(&vec![byte; part]).unwrap();
            written += part;
        }
        if socket.flush().unwrap() {
            if written < len {
                continue; // the kernel took it all: there is nothing to wait for
            }
            if read.len() == len {
                return read;
            }
        }
        socket.ready().await.unwrap();
        socket.read(|bytes| read.extend_from_slice(bytes)).unwrap();
    }
}

#[tokio::test]
async fn both_sides_can_write_more_than_all_buffers_hold_at_once() {
    let (server, client) = pair(&tls(&[b"h2"])).await;
    let both =
        async { tokio::join!(exchange(server.unwrap(), b's', LEN), exchange(client.unwrap(), b'c', LEN)) };
    let (at_server, at_client) = timeout(PATIENCE, both).await.expect("no deadlock");
    assert!(at_server.len() == LEN && at_server.iter().all(|byte| *byte == b'c'));
    assert!(at_client.len() == LEN && at_client.iter().all(|byte| *byte == b's'));
}

#[tokio::test]
async fn what_comes_right_behind_the_handshake_is_not_lost() {
    let (server, client) = pair(&tls(&[])).await;
    let (mut server, mut client) = (server.unwrap(), client.unwrap());
    client.write(b"first").unwrap();
    client.close().await.unwrap();
    let mut got = Vec::new();
    while server.read(|bytes| got.extend_from_slice(bytes)).unwrap() == Received::Open {
        timeout(PATIENCE, server.ready()).await.unwrap().unwrap();
    }
    assert_eq!(got, b"first");
}

#[tokio::test]
async fn a_handshake_without_a_common_protocol_fails_on_both_sides() {
    let (server, client) = pair(&tls(&[b"http/1.1"])).await;
    assert!(matches!(server, Err(WireError::Tls(rustls::Error::NoApplicationProtocol))));
    assert!(
        matches!(
            client,
            Err(WireError::Tls(rustls::Error::AlertReceived(
                rustls::AlertDescription::NoApplicationProtocol
            )))
        ),
        "the alert arrives"
    );
}

#[tokio::test]
async fn bytes_that_are_no_tls_are_answered_with_an_alert_and_an_end() {
    let tls = tls(&[]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = async {
        let (tcp, _) = listener.accept().await.unwrap();
        TlsSocket::accept(tcp, |_| Arc::clone(&tls.server)).await
    };
    let client = async {
        let mut tcp = TcpStream::connect(address).await.unwrap();
        tcp.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        tcp.read_to_end(&mut answer).await.unwrap();
        answer
    };
    let (server, answer) = timeout(PATIENCE, async { tokio::join!(server, client) }).await.unwrap();
    assert!(matches!(server, Err(WireError::Tls(_))), "{server:?}");
    assert_eq!(answer.first(), Some(&21), "a TLS alert record");
}

#[tokio::test]
async fn what_came_right_before_rubbish_is_read() {
    let (server, client) = pair(&tls(&[b"h2"])).await;
    let (mut server, mut client) = (server.unwrap(), client.unwrap());
    server.write(b"last words").unwrap();
    assert!(server.flush().unwrap());
    let rubbish = [0x17, 3, 3, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20];
    assert_eq!(server.tcp().try_write(&rubbish).unwrap(), rubbish.len());
    let mut heard = Vec::new();
    let error = loop {
        timeout(PATIENCE, client.ready()).await.unwrap().unwrap();
        if let Err(error) = client.read(|bytes| heard.extend_from_slice(bytes)) {
            break error;
        }
    };
    assert!(matches!(error, WireError::Tls(_)), "{error:?}");
    assert_eq!(heard, b"last words");
}

#[tokio::test]
async fn a_client_that_goes_away_in_the_handshake_is_told_apart() {
    let tls = tls(&[]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(TcpStream::connect(address).await.unwrap());
    let (tcp, _) = listener.accept().await.unwrap();
    let server = timeout(PATIENCE, TlsSocket::accept(tcp, |_| Arc::clone(&tls.server))).await.unwrap();
    assert!(matches!(server, Err(WireError::ClosedInHandshake)), "{server:?}");
}

#[tokio::test]
async fn a_hello_can_be_read_and_refused_and_the_client_learns_why() {
    let tls = tls(&[b"h2"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = async {
        let hello = Hello::read(listener.accept().await.unwrap().0).await.unwrap();
        assert_eq!(hello.client_hello().server_name(), Some("localhost"));
        hello.refuse(80).await;
    };
    let client = async {
        let tcp = TcpStream::connect(address).await.unwrap();
        TlsSocket::connect(tcp, Arc::clone(&tls.client), "localhost".try_into().unwrap()).await
    };
    let ((), client) = timeout(PATIENCE, async { tokio::join!(server, client) }).await.unwrap();
    let internal_error = rustls::Error::AlertReceived(rustls::AlertDescription::InternalError);
    assert!(matches!(client, Err(WireError::Tls(error)) if error == internal_error));
}
