//! A provider that holds every frame in its hands: our HTTP/2 over TLS, and nothing that decides anything.

use std::{sync::Arc, time::Duration};

use apns_certs::{AuthKey, Identity, Purpose};
use apns_http2::{Config, Connection, Event, FieldVisitor, Section, StreamId, hpack::Field};
use apns_wire::{Received, TlsSocket, WireError};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use mock_apns::MockApns;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use rustls::{ClientConfig, RootCertStore, crypto::ring as provider, pki_types::CertificateDer};
use tokio::{net::TcpStream, time::timeout};

/// Longer than anything here takes; a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// What came from the double, in order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Seen {
    /// SETTINGS with this MAX_CONCURRENT_STREAMS.
    MaxConcurrentStreams(u32),
    /// An answer: stream, status, body.
    Answer(u32, u16, String),
    /// GOAWAY: last stream, error code, debug data.
    GoAway(u32, u32, String),
    /// RST_STREAM: stream, error code.
    Reset(u32, u32),
    /// TCP or TLS came to its end.
    End,
}

pub(crate) struct Peer {
    pub(crate) http2: Connection,
    socket: TlsSocket,
    fields: Fields,
    answers: Vec<(StreamId, u16, Vec<u8>)>,
    pub(crate) seen: Vec<Seen>,
    /// The fields of the last answer.
    pub(crate) last_fields: Vec<(String, String)>,
}

#[derive(Default)]
struct Fields(Vec<(String, String)>);

impl FieldVisitor for Fields {
    fn begin(&mut self, _: StreamId) {
        self.0.clear();
    }

    fn field(&mut self, name: &[u8], value: &[u8]) {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        self.0.push((text(name), text(value)));
    }
}

/// TLS that trusts the double and shows `identity`.
pub(crate) fn client_config(mock: &MockApns, identity: Option<&Identity>) -> ClientConfig {
    trusting(mock.certificates().authority().root(Purpose::Server).clone(), identity)
}

/// TLS that trusts `root` and shows `identity`.
pub(crate) fn trusting(root: CertificateDer<'static>, identity: Option<&Identity>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(root).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(provider::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            builder.with_client_auth_cert(identity.chain().to_vec(), identity.private_key().to_der()).unwrap()
        }
    }
}

impl Peer {
    /// A connection to `port`, offering `alpn` and showing `identity`, with the double's SETTINGS not read
    /// yet.
    pub(crate) async fn connect(
        mock: &MockApns,
        port: u16,
        alpn: &[&[u8]],
        identity: Option<&Identity>,
    ) -> Result<Self, WireError> {
        let mut config = client_config(mock, identity);
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        Self::dial(port, config).await
    }

    /// A connection to `port` with this TLS.
    pub(crate) async fn dial(port: u16, config: ClientConfig) -> Result<Self, WireError> {
        let tcp = TcpStream::connect(("127.0.0.1", port)).await?;
        let socket = TlsSocket::connect(tcp, Arc::new(config), "localhost".try_into().unwrap()).await?;
        let http2 = Connection::client(Config::default());
        Ok(Self {
            http2,
            socket,
            fields: Fields::default(),
            answers: Vec::new(),
            seen: Vec::new(),
            last_fields: Vec::new(),
        })
    }

    /// The usual one: to the sandbox, with ALPN and without a certificate.
    pub(crate) async fn sandbox(mock: &MockApns) -> Self {
        Self::connect(mock, mock.sandbox().port(), &[b"h2"], None).await.unwrap()
    }

    /// The agreed protocol.
    pub(crate) fn alpn(&self) -> Option<&[u8]> {
        self.socket.tls().alpn_protocol()
    }

    /// Sends a push with these fields after the usual four.
    pub(crate) async fn push(&mut self, device_token: &str, fields: &[(&str, &str)], body: &str) -> StreamId {
        let path = format!("/3/device/{device_token}");
        let mut all = vec![
            Field::literal(b":method", b"POST"),
            Field::literal(b":scheme", b"https"),
            Field::literal(b":authority", b"localhost"),
            Field::literal(b":path", path.as_bytes()),
        ];
        all.extend(fields.iter().map(|(name, value)| Field::literal(name.as_bytes(), value.as_bytes())));
        let stream = self.http2.open(&all, false).unwrap();
        self.http2.send_data(stream, Bytes::copy_from_slice(body.as_bytes()), true).unwrap();
        self.flush().await.unwrap();
        stream
    }

    /// Sends a push as [`push`](Self::push) does, and waits for its answer: status and body.
    pub(crate) async fn answer(
        &mut self,
        device_token: &str,
        fields: &[(&str, &str)],
        body: &str,
    ) -> (u16, String) {
        let stream = self.push(device_token, fields, body).await.get();
        let of_it = |seen: &Seen| match seen {
            Seen::Answer(answered, status, body) if *answered == stream => Some((*status, body.clone())),
            _ => None,
        };
        let seen = self.read_until(|seen| seen.iter().any(|seen| of_it(seen).is_some())).await;
        seen.iter().find_map(of_it).expect("the double answers before the connection ends")
    }

    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) {
        self.socket.write(bytes).unwrap();
        while !self.socket.flush().unwrap() {
            self.socket.writable().await.unwrap();
        }
    }

    async fn flush(&mut self) -> Result<(), WireError> {
        if let Some(bytes) = self.http2.poll_transmit() {
            let len = bytes.len();
            self.socket.write(bytes)?;
            self.http2.transmitted(len);
        }
        while !self.socket.flush()? {
            self.socket.writable().await?;
        }
        Ok(())
    }

    /// Reads until `enough` says so of what was seen, or the connection ends. What is written first is
    /// written first.
    pub(crate) async fn read_until(&mut self, enough: impl Fn(&[Seen]) -> bool) -> &[Seen] {
        let reading = async {
            while !enough(&self.seen) && self.seen.last() != Some(&Seen::End) {
                if self.flush().await.is_err() || self.socket.ready().await.is_err() {
                    self.seen.push(Seen::End);
                    continue;
                }
                let http2 = &mut self.http2;
                let received = self.socket.read(|bytes| http2.recv(Duration::ZERO, bytes));
                self.take_events();
                if !matches!(received, Ok(Received::Open)) {
                    self.seen.push(Seen::End);
                }
            }
        };
        timeout(PATIENCE, reading).await.expect("the double answers in time");
        &self.seen
    }

    /// Reads until `count` answers have come.
    pub(crate) async fn answers(&mut self, count: usize) -> Vec<(u32, u16, String)> {
        let is_answer = |seen: &&Seen| matches!(seen, Seen::Answer(..));
        let seen = self.read_until(|seen| seen.iter().filter(is_answer).count() >= count).await;
        seen.iter()
            .filter_map(|seen| match seen {
                Seen::Answer(stream, status, body) => Some((*stream, *status, body.clone())),
                _ => None,
            })
            .collect()
    }

    fn take_events(&mut self) {
        loop {
            let (stream, end_stream) = match self.http2.poll_event(&mut self.fields) {
                Ok(Some(Event::Headers { stream, section: Section::Response, end_stream })) => {
                    self.last_fields.clone_from(&self.fields.0);
                    self.answers.push((stream, self.fields.0[0].1.parse().unwrap(), Vec::new()));
                    (stream, end_stream)
                }
                Ok(Some(Event::Headers { stream, end_stream, .. })) => (stream, end_stream),
                Ok(Some(Event::Data { stream, data, end_stream })) => {
                    let answer = self.answers.iter_mut().find(|answer| answer.0 == stream).unwrap();
                    answer.2.extend_from_slice(data);
                    (stream, end_stream)
                }
                Ok(Some(Event::Settings { changes })) => {
                    let streams = changes.max_concurrent_streams;
                    self.seen.extend(streams.map(Seen::MaxConcurrentStreams));
                    continue;
                }
                Ok(Some(Event::GoAway { last_stream, code, debug })) => {
                    let debug = String::from_utf8_lossy(debug).into_owned();
                    self.seen.push(Seen::GoAway(last_stream.get(), code.0, debug));
                    continue;
                }
                Ok(Some(Event::Reset { stream, code, .. })) => {
                    self.seen.push(Seen::Reset(stream.get(), code.0));
                    continue;
                }
                Ok(Some(_)) => continue,
                Ok(None) => return,
                Err(error) => panic!("the double broke HTTP/2: {error}"),
            };
            if end_stream {
                let at = self.answers.iter().position(|answer| answer.0 == stream).unwrap();
                let (stream, status, body) = self.answers.swap_remove(at);
                self.seen.push(Seen::Answer(stream.get(), status, String::from_utf8(body).unwrap()));
            }
        }
    }
}

/// `bearer …` of the ready-made team's key for everything, issued now.
pub(crate) fn authorization(mock: &MockApns) -> String {
    let team = mock.ready_made();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let claims = format!(r#"{{"iss":"{}","iat":{now}}}"#, team.team_id);
    let header = format!(r#"{{"alg":"ES256","kid":"{}"}}"#, team.keys[0].key_id);
    format!("bearer {}", sign(&team.keys[0].key, &header, &claims))
}

/// A JWT of these two parts.
pub(crate) fn sign(key: &AuthKey, header: &str, claims: &str) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let random = SystemRandom::new();
    let pkcs8 = key.private_key.to_der();
    let pair =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.secret_der(), &random).unwrap();
    let signature = pair.sign(&random, signed.as_bytes()).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}
