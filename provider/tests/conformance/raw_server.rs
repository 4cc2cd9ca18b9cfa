//! A server by hand: its TLS is real, its HTTP/2 is the test's, frame by frame.
//!
//! ```text
//!   let server = RawServer::start().await;                     a CA, a certificate for localhost, a port
//!   let client = server.builder().build().unwrap();            trusts it, tries once
//!   let (outcome, ()) = join!(client.send(…), async {
//!       let mut peer = server.greeted(&[]).await;              TLS and SETTINGS of both sides are done
//!       let push = peer.request().await;                       one whole request
//!       peer.accepts(push.stream).await;                       200; or `write` whatever frames
//!   });
//! ```
//!
//! Nothing is done by itself: no window is opened again, no PING and no SETTINGS but the first is
//! acknowledged.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use apns_http2::hpack::Decoder;
use apns_provider::{Channels, ChannelsBuilder, ClientBuilder, Endpoint, core::BundleId, doctor::Patient};
use apns_wire::{Received, TlsSocket, WireError};
use rustls::{ServerConfig, SupportedProtocolVersion};
use tokio::{net::TcpListener, time::timeout};

use crate::{
    frames::{Frame, PREFACE, headers, kind, ping, settings, settings_ack, window_update},
    server_identity::{ServerIdentity, credential},
    world::{PATIENCE, hello},
};

/// A port with a certificate, behind which the test is.
pub(crate) struct RawServer {
    listener: TcpListener,
    identity: ServerIdentity,
    tls: Arc<ServerConfig>,
}

impl RawServer {
    pub(crate) async fn start() -> Self {
        Self::speaking(rustls::ALL_VERSIONS).await
    }

    /// With these versions of TLS.
    pub(crate) async fn speaking(versions: &[&'static SupportedProtocolVersion]) -> Self {
        let identity = ServerIdentity::generate();
        let tls = identity.tls(versions);
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap(), identity, tls }
    }

    /// A client of this server that tries once.
    pub(crate) fn builder(&self) -> ClientBuilder {
        self.identity.builder(self.port())
    }

    pub(crate) fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    /// What clients have to trust.
    pub(crate) fn ca_pem(&self) -> Vec<u8> {
        self.identity.ca_pem()
    }

    /// What manages the channels of an app here.
    pub(crate) fn channels(&self) -> ChannelsBuilder {
        let endpoint = Endpoint::custom("localhost", self.port()).unwrap();
        Channels::builder(endpoint, BundleId::parse("com.example.app").unwrap())
            .ca_pem(&self.ca_pem())
            .credential(credential())
    }

    /// What the doctor examines here.
    pub(crate) fn patient(&self) -> Patient {
        let endpoint = Endpoint::custom("localhost", self.port()).unwrap();
        Patient::new(endpoint, credential(), hello()).ca_pem(&self.ca_pem())
    }

    /// The next connection after its TLS handshake. Nothing of HTTP/2 was said or read.
    pub(crate) async fn accept(&self) -> RawPeer {
        let (tcp, _) = timeout(PATIENCE, self.listener.accept()).await.expect("nobody connects").unwrap();
        tcp.set_nodelay(true).unwrap();
        let tls = Arc::clone(&self.tls);
        let socket = TlsSocket::accept(tcp, |_| tls).await.unwrap();
        let decoder = Decoder::new(HEADER_TABLE_SIZE);
        let (open, whole) = (BTreeMap::new(), VecDeque::new());
        RawPeer { socket, input: Vec::new(), decoder, open, whole, others: Vec::new() }
    }

    /// The next connection, of a client that does not trust us: how its handshake ends.
    pub(crate) async fn refused(&self) -> WireError {
        let (tcp, _) = timeout(PATIENCE, self.listener.accept()).await.expect("nobody connects").unwrap();
        let tls = Arc::clone(&self.tls);
        let mut socket = match TlsSocket::accept(tcp, |_| tls).await {
            Ok(socket) => socket,
            Err(error) => return error,
        };
        // In TLS 1.3 the server is done before the client has looked at its certificate.
        loop {
            timeout(PATIENCE, socket.ready()).await.expect("the client is silent").unwrap();
            match socket.read(|bytes| panic!("a byte of HTTP: {}", bytes.escape_ascii())) {
                Ok(Received::Open) => {}
                Ok(Received::End) => return WireError::ClosedInHandshake,
                Err(error) => return error,
            }
        }
    }

    /// The next connection after both sides' SETTINGS and their acknowledgements; these are ours.
    pub(crate) async fn greeted(&self, ours: &[(u16, u32)]) -> RawPeer {
        let mut peer = self.accept().await;
        peer.greet(ours).await;
        peer
    }
}

/// One connection of a client.
pub(crate) struct RawPeer {
    pub(crate) socket: TlsSocket,
    input: Vec<u8>,
    decoder: Decoder,
    /// Requests whose end has not come.
    open: BTreeMap<u32, RawRequest>,
    /// Requests that are whole and were not asked for yet.
    whole: VecDeque<RawRequest>,
    /// What came beside requests: SETTINGS, PING, WINDOW_UPDATE, GOAWAY, RST_STREAM.
    pub(crate) others: Vec<Frame>,
}

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawRequest {
    pub(crate) stream: u32,
    /// The field block, compressed.
    pub(crate) block: Vec<u8>,
    pub(crate) fields: Vec<(String, String)>,
    /// The lengths of its DATA frames.
    pub(crate) pieces: Vec<usize>,
    pub(crate) body: Vec<u8>,
}

impl RawRequest {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }
}

impl RawPeer {
    /// Both sides' SETTINGS and their acknowledgements; these are ours.
    pub(crate) async fn greet(&mut self, ours: &[(u16, u32)]) {
        self.write([settings(ours)]).await;
        self.read_preface().await;
        let theirs = self.read().await;
        assert!(theirs.kind == kind::SETTINGS && !theirs.is_ack(), "{theirs:?}");
        self.write([settings_ack()]).await;
        self.until(|frame| frame.kind == kind::SETTINGS && frame.is_ack()).await;
    }

    /// The next frame.
    pub(crate) async fn read(&mut self) -> Frame {
        loop {
            if let Some(frame) = Frame::take(&mut self.input) {
                return frame;
            }
            self.read_more().await;
        }
    }

    pub(crate) async fn write(&mut self, frames: impl IntoIterator<Item = Frame>) {
        let bytes: Vec<u8> = frames.into_iter().flat_map(|frame| frame.bytes()).collect();
        self.socket.write(&bytes).unwrap();
        while !self.socket.flush().unwrap() {
            timeout(PATIENCE, self.socket.writable()).await.expect("the client does not read").unwrap();
        }
    }

    /// The next request, with all of its body, which its window lets through.
    pub(crate) async fn request(&mut self) -> RawRequest {
        loop {
            if let Some(request) = self.whole.pop_front() {
                return request;
            }
            let frame = self.read().await;
            self.take_in(frame);
        }
    }

    /// All requests that were not asked for, whole or not, as far as the client may send them now: it has
    /// acknowledged a PING.
    pub(crate) async fn settled(&mut self) -> Vec<RawRequest> {
        self.write([ping(*b"settled?")]).await;
        self.until(|frame| frame.kind == kind::PING && frame.is_ack()).await;
        self.whole.iter().chain(self.open.values()).cloned().collect()
    }

    /// Answers 200.
    pub(crate) async fn accepts(&mut self, stream: u32) {
        self.write([headers(stream, &[(":status", "200")]).end_stream()]).await;
    }

    /// Opens the connection's window again by what this request took.
    pub(crate) async fn grant(&mut self, request: &RawRequest) {
        self.write([window_update(0, u32::try_from(request.body.len()).unwrap())]).await;
    }

    /// Our HEADER_TABLE_SIZE is now another, and the client has acknowledged it.
    pub(crate) fn set_table_size(&mut self, size: usize) {
        self.decoder.set_table_size_max(size);
    }

    /// Reads until such a frame has come. Requests that come before it are kept.
    pub(crate) async fn until(&mut self, is_it: impl Fn(&Frame) -> bool) -> Frame {
        loop {
            let frame = self.read().await;
            if is_it(&frame) {
                return frame;
            }
            self.take_in(frame);
        }
    }

    fn take_in(&mut self, frame: Frame) {
        let stream = frame.stream;
        match frame.kind {
            kind::HEADERS | kind::CONTINUATION => {
                let request = self.open.entry(stream).or_default();
                request.stream = stream;
                request.block.extend_from_slice(&frame.payload);
                if frame.is_end_headers() {
                    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                    let keep = |name: &[u8], value: &[u8]| request.fields.push((text(name), text(value)));
                    self.decoder.decode(&request.block, keep).unwrap();
                }
            }
            kind::DATA => {
                let request = self.open.get_mut(&stream).expect("DATA comes after HEADERS");
                request.pieces.push(frame.payload.len());
                request.body.extend_from_slice(&frame.payload);
            }
            _ => return self.others.push(frame),
        }
        if frame.is_end_stream() {
            self.whole.extend(self.open.remove(&stream));
        }
    }

    async fn read_preface(&mut self) {
        while self.input.len() < PREFACE.len() {
            self.read_more().await;
        }
        assert_eq!(self.input.drain(..PREFACE.len()).collect::<Vec<_>>(), PREFACE);
    }

    async fn read_more(&mut self) {
        timeout(PATIENCE, self.socket.ready()).await.expect("the client is silent").unwrap();
        let before = self.input.len();
        let input = &mut self.input;
        let received = self.socket.read(|bytes| input.extend_from_slice(bytes)).unwrap();
        // What was there before is no whole frame, and nothing more comes.
        let is_over = received == Received::End && self.input.len() == before;
        assert!(!is_over, "the client has closed the connection, {before} bytes into a frame");
    }
}

/// What both sides begin with (RFC 9113 section 6.5.2).
const HEADER_TABLE_SIZE: usize = 4096;
