//! A target that lies: TLS and HTTP/2 in front of a double, whose every answer and frame goes through two functions. With none that
//! changes anything it is honest.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use apns_certs::Purpose;
use apns_http2::hpack::{Decoder, Encoder, Field};
use apns_wire::{Received, TlsSocket, WireError};
use mock_apns::MockApns;
use rustls::{
    ClientConfig, RootCertStore, ServerConfig, crypto::ring as provider, server::WebPkiClientVerifier,
};
use tokio::net::{TcpListener, TcpStream};

/// What a liar does to what the double says.
#[derive(Clone, Copy)]
pub(crate) struct Tongue {
    /// Changes an answer.
    pub(crate) answer: fn(&Heard, &mut Told),
    /// Changes any other frame; `false` swallows it.
    pub(crate) frame: fn(&mut Frame) -> bool,
}

/// A request, as far as it can be read.
#[derive(Default)]
pub(crate) struct Heard {
    fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// An answer.
pub(crate) struct Told {
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: String,
    /// Whether DATA follows, be it empty.
    pub(crate) has_data: bool,
}

/// A frame that is no part of an answer.
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Heard {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.0 == name).map(|field| field.1.as_str())
    }
}

impl Told {
    pub(crate) fn field(&mut self, name: &str) -> Option<&mut String> {
        self.fields.iter_mut().find(|field| field.0 == name).map(|field| &mut field.1)
    }

    pub(crate) fn says(&self, reason: &str) -> bool {
        self.body.contains(&format!("\"{reason}\""))
    }

    pub(crate) fn is_accepted(&self) -> bool {
        self.fields[0].1 == "200"
    }

    pub(crate) fn refuse(&mut self, status: &str, reason: &str) {
        status.clone_into(self.field(":status").unwrap());
        self.body = format!(r#"{{"reason":"{reason}"}}"#);
        self.has_data = true;
    }

    pub(crate) fn accept(&mut self) {
        "200".clone_into(self.field(":status").unwrap());
        self.body.clear();
        self.has_data = false;
    }
}

/// Starts a liar on a free port, in front of the double's sandbox.
pub(crate) async fn start(mock: &MockApns, tongue: Tongue) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, behind) = (listener.local_addr().unwrap(), mock.sandbox());
    let (server, client) = (server_config(mock), client_config(mock));
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let (server, client) = (Arc::clone(&server), Arc::clone(&client));
            tokio::spawn(async move {
                // How a connection ends is what the suite looks at; nobody else does.
                let _ = lie(tcp, behind, server, client, tongue).await;
            });
        }
    });
    address
}

fn server_config(mock: &MockApns) -> Arc<ServerConfig> {
    let crypto = Arc::new(provider::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(mock.certificates().authority().root(Purpose::Provider).clone()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&crypto));
    let identity = mock.certificates().server();
    let config = ServerConfig::builder_with_provider(crypto).with_safe_default_protocol_versions().unwrap();
    let mut config = config
        .with_client_cert_verifier(verifier.allow_unauthenticated().build().unwrap())
        .with_single_cert(identity.chain().to_vec(), identity.private_key().to_der())
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}

fn client_config(mock: &MockApns) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(mock.certificates().authority().root(Purpose::Server).clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(provider::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
    let mut config = config.with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}

async fn lie(
    tcp: TcpStream,
    behind: SocketAddr,
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
    tongue: Tongue,
) -> Result<(), WireError> {
    let mut provider = TlsSocket::accept(tcp, |_| server).await?;
    let mut double =
        TlsSocket::connect(TcpStream::connect(behind).await?, client, "localhost".try_into().unwrap())
            .await?;
    let mut liar = Liar::new(tongue);
    loop {
        tokio::select! {
            ready = provider.ready() => ready?,
            ready = double.ready() => ready?,
        }
        let (mut asked, mut answered) = (Vec::new(), Vec::new());
        let from_provider = provider.read(|bytes| asked.extend_from_slice(bytes));
        liar.hear(&asked);
        double.write(&asked)?;
        // What the double said before it failed counts.
        let from_double = double.read(|bytes| answered.extend_from_slice(bytes));
        provider.write(&liar.tell(&answered))?;
        provider.flush()?;
        if !matches!(from_double, Ok(Received::Open)) {
            return provider.close().await;
        }
        if !matches!(from_provider, Ok(Received::Open)) {
            return double.close().await;
        }
        double.flush()?;
    }
}

/// What a liar knows of a connection.
struct Liar {
    tongue: Tongue,
    encoder: Encoder,
    of_provider: Decoder,
    of_double: Decoder,
    /// What has come of the provider, from the preface on, and is no whole frame yet.
    asked: Vec<u8>,
    answered: Vec<u8>,
    is_greeted: bool,
    /// A field block that goes on: its stream.
    block: Option<(u32, Vec<u8>)>,
    heard: BTreeMap<u32, Heard>,
    telling: BTreeMap<u32, Told>,
}

impl Liar {
    fn new(tongue: Tongue) -> Self {
        Self {
            tongue,
            encoder: Encoder::new(),
            of_provider: Decoder::new(4096),
            of_double: Decoder::new(4096),
            asked: Vec::new(),
            answered: Vec::new(),
            is_greeted: false,
            block: None,
            heard: BTreeMap::new(),
            telling: BTreeMap::new(),
        }
    }

    /// Reads along. What cannot be read is passed on all the same.
    fn hear(&mut self, bytes: &[u8]) {
        self.asked.extend(bytes);
        if !self.is_greeted && self.asked.starts_with(b"PRI ") && self.asked.len() >= PREFACE_BYTES {
            self.asked.drain(..PREFACE_BYTES);
            self.is_greeted = true;
        }
        while let Some(frame) = self.is_greeted.then(|| take_frame(&mut self.asked)).flatten() {
            match frame.kind {
                HEADERS | CONTINUATION => self.hear_block(&frame),
                DATA => {
                    let body = unpadded(frame.flags, &frame.payload).to_vec();
                    self.heard.entry(frame.stream).or_default().body.extend(body);
                }
                SETTINGS => self.hear_settings(&frame.payload),
                _ => {}
            }
        }
    }

    fn hear_block(&mut self, frame: &Frame) {
        let (stream, mut block) = self.block.take().unwrap_or((frame.stream, Vec::new()));
        let piece =
            if frame.kind == HEADERS { unpadded(frame.flags, &frame.payload) } else { &frame.payload };
        let skipped = if frame.kind == HEADERS && frame.flags & PRIORITY != 0 { 5 } else { 0 };
        block.extend(piece.get(skipped..).unwrap_or_default());
        if frame.flags & END_HEADERS == 0 {
            self.block = Some((stream, block));
            return;
        }
        let heard = self.heard.entry(stream).or_default();
        let _ = self.of_provider.decode(&block, |name, value| heard.fields.push((text(name), text(value))));
    }

    /// The double's table is as large as the provider allows.
    fn hear_settings(&mut self, payload: &[u8]) {
        let table = payload.chunks_exact(6).find(|parameter| parameter[..2] == [0, 1]);
        if let Some(table) = table {
            let bytes = u32::from_be_bytes([table[2], table[3], table[4], table[5]]);
            self.of_double = Decoder::new(bytes as usize);
        }
    }

    /// What the provider gets in place of what the double said.
    fn tell(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.answered.extend(bytes);
        let mut out = Vec::new();
        while let Some(mut frame) = take_frame(&mut self.answered) {
            let (stream, ends) = (frame.stream, frame.flags & END_STREAM != 0);
            match frame.kind {
                HEADERS => {
                    let mut fields = Vec::new();
                    let decoded = self
                        .of_double
                        .decode(&frame.payload, |name, value| fields.push((text(name), text(value))));
                    decoded.unwrap();
                    self.telling.insert(stream, Told { fields, body: String::new(), has_data: !ends });
                }
                DATA => self.telling.get_mut(&stream).unwrap().body.push_str(&text(&frame.payload)),
                _ => {
                    if (self.tongue.frame)(&mut frame) {
                        put(&mut out, frame.kind, frame.flags, stream, &frame.payload);
                    }
                    continue;
                }
            }
            if ends {
                self.tell_answer(stream, &mut out);
            }
        }
        out
    }

    fn tell_answer(&mut self, stream: u32, out: &mut Vec<u8>) {
        let mut told = self.telling.remove(&stream).unwrap();
        let heard = self.heard.remove(&stream).unwrap_or_default();
        (self.tongue.answer)(&heard, &mut told);
        let mut block = Vec::new();
        for (name, value) in &told.fields {
            self.encoder.field(Field::never(name.as_bytes(), value.as_bytes()), &mut block);
        }
        let end = if told.has_data { 0 } else { END_STREAM };
        put(out, HEADERS, END_HEADERS | end, stream, &block);
        if told.has_data {
            put(out, DATA, END_STREAM, stream, told.body.as_bytes());
        }
    }
}

fn take_frame(bytes: &mut Vec<u8>) -> Option<Frame> {
    let head: [u8; 9] = *bytes.first_chunk()?;
    let len = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
    if bytes.len() < 9 + len {
        return None;
    }
    let payload = bytes.drain(..9 + len).skip(9).collect();
    let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
    Some(Frame { kind: head[3], flags: head[4], stream, payload })
}

fn put(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    out.extend(&(payload.len() as u32).to_be_bytes()[1..]);
    out.extend([kind, flags]);
    out.extend(stream.to_be_bytes());
    out.extend(payload);
}

fn unpadded(flags: u8, payload: &[u8]) -> &[u8] {
    match payload.split_first() {
        Some((padding, rest)) if flags & PADDED != 0 => {
            &rest[..rest.len().saturating_sub(usize::from(*padding))]
        }
        _ => payload,
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const PREFACE_BYTES: usize = 24;
const DATA: u8 = 0x0;
const HEADERS: u8 = 0x1;
pub(crate) const RST_STREAM: u8 = 0x3;
pub(crate) const SETTINGS: u8 = 0x4;
pub(crate) const PING: u8 = 0x6;
pub(crate) const GOAWAY: u8 = 0x7;
pub(crate) const WINDOW_UPDATE: u8 = 0x8;
const CONTINUATION: u8 = 0x9;
const END_STREAM: u8 = 0x1;
pub(crate) const ACK: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;
