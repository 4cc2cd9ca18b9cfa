//! The server is the test's, on the h2 crate: the double has no channels yet.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use h2::RecvStream;
use http::{Request, Response};
use rustls::{ServerConfig, crypto::ring, pki_types::UnixTime};
use tokio::{join, net::TcpListener, time::timeout};
use tokio_rustls::TlsAcceptor;

use crate::desk::{Desk, KEY, run};

/// A command that has not connected by then will not: it gives up after 30 seconds.
const PATIENCE: Duration = Duration::from_secs(40);
const CHANNEL: &str = "dHN0LXNyY2gtY2hubA==";

/// Manages channels for one command after the other.
struct Manager {
    listener: TcpListener,
    tls: TlsAcceptor,
}

impl Manager {
    /// With a certificate for localhost that the desk's people trust.
    async fn start(desk: &Desk) -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let authority = desk.mock.certificates().authority();
        let identity = authority.server(&[], UnixTime::since_unix_epoch(now)).unwrap();
        let mut tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(identity.chain().to_vec(), identity.private_key().to_der())
            .unwrap();
        tls.alpn_protocols = vec![b"h2".to_vec()];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { listener, tls: TlsAcceptor::from(Arc::new(tls)) }
    }

    fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    /// Answers the one request of the next connection so, and gives the request's body.
    async fn answers(&self, status: u16, fields: &[(&str, &str)], body: &str) -> Vec<u8> {
        let accepted = timeout(PATIENCE, self.listener.accept()).await.expect("nobody connects");
        let (tcp, _) = accepted.unwrap();
        let tls = self.tls.accept(tcp).await.unwrap();
        let mut connection = h2::server::handshake(tls).await.unwrap();
        let (request, mut respond) = connection.accept().await.unwrap().unwrap();
        let mut response = Response::builder().status(status);
        response = response.header("apns-request-id", &request.headers()["apns-request-id"]);
        for (name, value) in fields {
            response = response.header(*name, *value);
        }
        let response = response.body(()).unwrap();
        // The body comes while the connection is asked for what is next: nothing, until the client closes it.
        let (asked, _) = join!(
            async {
                let asked = whole(request).await;
                let mut answer = respond.send_response(response, body.is_empty()).unwrap();
                if !body.is_empty() {
                    answer.send_data(Bytes::copy_from_slice(body.as_bytes()), true).unwrap();
                }
                asked
            },
            connection.accept()
        );
        asked
    }
}

async fn whole(request: Request<RecvStream>) -> Vec<u8> {
    let (mut pieces, mut body) = (request.into_body(), Vec::new());
    while let Some(piece) = pieces.data().await {
        body.extend_from_slice(&piece.unwrap());
    }
    body
}

#[tokio::test]
async fn c67_the_command_line_manages_channels() {
    let desk = Desk::new().await;
    let manager = Manager::start(&desk).await;
    let storing = r#"{"message-storage-policy":1,"push-type":"LiveActivity"}"#;
    let list = format!(r#"{{"channels":["{CHANNEL}","YQ=="]}}"#);
    let read = format!("read {CHANNEL} --json");
    let delete = format!("delete {CHANNEL}");
    let created = [("apns-channel-id", CHANNEL)];
    let refused = r#"{"reason":"ChannelNotRegistered"}"#;
    let configuration = format!(r#"{{"channel-id":"{CHANNEL}","message-storage-policy":1}}"#);
    for (arguments, sent, (status, fields, body), (code, said)) in [
        ("create --store", storing, (201, &created[..], ""), (0, CHANNEL)),
        (&read, "", (200, &[], storing), (0, &configuration)),
        ("list", "", (200, &[], &list), (0, &format!("{CHANNEL}\nYQ=="))),
        (&delete, "", (204, &[], ""), (0, &format!("{CHANNEL}: deleted"))),
        (&delete, "", (400, &[], refused), (2, "")),
        ("list", "", (503, &[], ""), (3, "")),
    ] {
        let command = desk.command(&format!("channels {arguments} --to localhost:{} {KEY}", manager.port()));
        let (ran, asked) = join!(run(command), manager.answers(status, fields, body));
        assert_eq!(asked, sent.as_bytes(), "{arguments}");
        assert_eq!((ran.code, ran.stdout.trim_end()), (Some(code), said), "{arguments}: {ran:?}");
    }
}
