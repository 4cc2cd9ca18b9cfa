//! A provider that decides nothing and hides nothing: it writes the frames it is told to, and tells each frame that comes, and how
//! the connection ends.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    sync::Arc,
    time::{Duration, Instant},
};

use apns_http2::hpack::{Decoder, Encoder, Field};
use mock_apns::MockApns;
use rustls::{ClientConfig, ClientConnection};
use tokio::{net::TcpStream, time::timeout};

use crate::support::{authorization, client_config};

/// Longer than anything here takes; a test that hangs fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A provider's connection.
pub(crate) struct RawProvider {
    tcp: TcpStream,
    tls: ClientConnection,
    encoder: Encoder,
    decoder: Decoder,
    /// What has come of a field block that goes on.
    block: Vec<u8>,
    read: Vec<u8>,
    pub(crate) next_stream: u32,
    authorization: String,
    token: String,
    /// What came, one line a frame, and at last how the connection ended: `close_notify`, `FIN` or `RST`.
    pub(crate) seen: Vec<String>,
    /// When each came.
    pub(crate) times: Vec<Instant>,
}

impl RawProvider {
    /// A connection to the sandbox of the ready-made team, its SETTINGS sent.
    pub(crate) async fn connect(mock: &MockApns) -> Self {
        let mut it = Self::silent(mock).await;
        it.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
        it.send_frame(SETTINGS, 0, 0, &[]).await;
        it
    }

    /// A connection that has said nothing yet.
    pub(crate) async fn silent(mock: &MockApns) -> Self {
        let mut config = client_config(mock, None);
        config.alpn_protocols = vec![b"h2".to_vec()];
        Self::dial(mock, config).await.unwrap()
    }

    /// A connection with this TLS, its handshake done.
    pub(crate) async fn dial(mock: &MockApns, config: ClientConfig) -> Result<Self, rustls::Error> {
        let tcp = TcpStream::connect(mock.sandbox()).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        let tls = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
        let mut it = Self {
            tcp,
            tls,
            encoder: Encoder::new(),
            decoder: Decoder::new(4096),
            block: Vec::new(),
            read: Vec::new(),
            next_stream: 1,
            authorization: authorization(mock),
            token: mock.ready_made().device_token("sandbox").unwrap().token.clone(),
            seen: Vec::new(),
            times: Vec::new(),
        };
        let shaking = async {
            while it.tls.is_handshaking() {
                it.flush().await;
                if it.tls.is_handshaking() {
                    it.receive().await?;
                }
                if it.is_over() {
                    return Err(rustls::Error::General(it.seen.join(", ")));
                }
            }
            Ok(())
        };
        timeout(PATIENCE, shaking).await.expect("the handshake ends")?;
        it.flush().await;
        Ok(it)
    }

    /// What TLS agreed on.
    pub(crate) fn tls(&self) -> &ClientConnection {
        &self.tls
    }

    /// Whether the connection has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.seen.last().is_some_and(|last| ["close_notify", "FIN", "RST"].contains(&last.as_str()))
    }

    /// Sends a good push, and says on which stream.
    pub(crate) async fn push(&mut self) -> u32 {
        self.push_with(&[], br#"{"aps":{"alert":"Hello"}}"#).await
    }

    /// The same with more fields, and this body.
    pub(crate) async fn push_with(&mut self, more: &[(&str, &str)], body: &[u8]) -> u32 {
        let stream = self.open(more).await;
        self.send_frame(DATA, 1, stream, body).await;
        stream
    }

    /// Sends the fields of a good push, without its body.
    pub(crate) async fn open(&mut self, more: &[(&str, &str)]) -> u32 {
        let stream = self.next_stream;
        self.next_stream += 2;
        let path = format!("/3/device/{}", self.token);
        let fields = [
            (":method", "POST"),
            (":scheme", "https"),
            (":path", &path),
            (":authority", "localhost"),
            ("authorization", &self.authorization),
            ("apns-topic", "com.example.app"),
            ("apns-push-type", "alert"),
        ];
        let mut block = Vec::new();
        self.encoder.begin_block(&mut block);
        for (name, value) in fields.iter().chain(more) {
            self.encoder.field(Field::literal(name.as_bytes(), value.as_bytes()), &mut block);
        }
        self.send_frame(HEADERS, 4, stream, &block).await;
        stream
    }

    pub(crate) async fn send_frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        self.send(&frame).await;
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.tls.writer().write_all(bytes).unwrap();
        self.flush().await;
    }

    /// What is said in vain, to a peer that has gone, is of no interest.
    async fn flush(&mut self) {
        while self.tls.wants_write() {
            let mut bytes = Vec::new();
            self.tls.write_tls(&mut bytes).unwrap();
            let mut sent = 0;
            while sent < bytes.len() && self.tcp.writable().await.is_ok() {
                match self.tcp.try_write(&bytes[sent..]) {
                    Ok(count) => sent += count,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(_) => return,
                }
            }
        }
    }

    /// Reads until a frame has come whose line begins like this, or the connection ends, and returns all that has come.
    pub(crate) async fn until(&mut self, beginning: &str) -> Vec<String> {
        let enough = |seen: &[String]| seen.iter().any(|line| line.starts_with(beginning));
        self.until_all(enough).await
    }

    /// Reads until `enough` has come, or the connection ends, and returns all of it.
    pub(crate) async fn until_all(&mut self, enough: impl Fn(&[String]) -> bool) -> Vec<String> {
        let reading = async {
            while !enough(&self.seen) && !self.is_over() {
                self.receive().await.unwrap();
            }
        };
        let is_late = timeout(PATIENCE, reading).await.is_err();
        assert!(!is_late, "not within {PATIENCE:?}: {:#?}", self.seen);
        self.seen.clone()
    }

    /// What comes within this time.
    pub(crate) async fn within(&mut self, time: Duration) -> Vec<String> {
        let reading = async {
            while !self.is_over() {
                self.receive().await.unwrap();
            }
        };
        let _ = timeout(time, reading).await; // that it is over is what is waited for
        self.seen.clone()
    }

    /// All but SETTINGS, their acknowledgements and WINDOW_UPDATE.
    pub(crate) fn told(&self) -> Vec<&str> {
        let noise = ["SETTINGS", "WINDOW_UPDATE"];
        self.seen
            .iter()
            .map(String::as_str)
            .filter(|line| !noise.iter().any(|it| line.starts_with(it)))
            .collect()
    }

    async fn receive(&mut self) -> Result<(), rustls::Error> {
        self.tcp.readable().await.unwrap();
        let mut buffer = vec![0; 64 * 1024];
        match self.tcp.try_read(&mut buffer) {
            Ok(0) => self.end("FIN"),
            Ok(count) => self.decrypt(&buffer[..count])?,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => self.end("RST"),
        }
        self.flush().await;
        Ok(())
    }

    fn decrypt(&mut self, mut bytes: &[u8]) -> Result<(), rustls::Error> {
        while !bytes.is_empty() && !self.is_over() {
            self.tls.read_tls(&mut bytes).unwrap();
            let state = self.tls.process_new_packets()?;
            let mut plain = vec![0; state.plaintext_bytes_to_read()];
            self.tls.reader().read_exact(&mut plain).unwrap();
            self.read.extend(plain);
            self.take_frames();
            if state.peer_has_closed() {
                self.end("close_notify");
            }
        }
        Ok(())
    }

    fn take_frames(&mut self) {
        while let Some(head) = self.read.first_chunk::<9>().copied() {
            let len = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            if self.read.len() < 9 + len {
                return;
            }
            let payload: Vec<u8> = self.read.drain(..9 + len).skip(9).collect();
            let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            let line = self.line(head[3], head[4], stream, &payload);
            self.end(&line);
        }
    }

    fn end(&mut self, line: &str) {
        self.seen.push(line.to_owned());
        self.times.push(Instant::now());
    }

    /// A frame in a line: its type, its stream unless that is 0, its flags in hexadecimal unless there are none, its padding, and
    /// what it says: fields in the last frame of their block, before that how many bytes of it have come.
    fn line(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> String {
        let number = |at: usize| {
            payload.get(at..at + 4).map_or(0, |bytes| u32::from_be_bytes(bytes.try_into().unwrap()))
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (padding, payload) = match kind {
            DATA | HEADERS if flags & PADDED != 0 => unpad(payload).unwrap_or((String::new(), payload)),
            _ => (String::new(), payload),
        };
        let says = match kind {
            HEADERS | CONTINUATION => self.fields(kind, flags, payload),
            SETTINGS => payload.chunks_exact(6).fold(String::new(), |says, it| {
                format!("{says} {}={}", it[1], u32::from_be_bytes([it[2], it[3], it[4], it[5]]))
            }),
            RST_STREAM | WINDOW_UPDATE => format!(" {}", number(0)),
            GOAWAY if payload.len() >= 8 => format!(" {} {} {}", number(0), number(4), text(&payload[8..])),
            _ => format!(" {}", text(payload)),
        };
        let stream = if stream == 0 { String::new() } else { format!(" {stream}") };
        let flags = if flags == 0 { String::new() } else { format!(" 0x{flags:x}") };
        let name =
            NAMES.get(usize::from(kind)).map_or_else(|| format!("0x{kind:x}"), |name| (*name).to_owned());
        format!("{name}{stream}{flags}{padding}{says}").trim_end().to_owned()
    }

    fn fields(&mut self, kind: u8, flags: u8, part: &[u8]) -> String {
        if kind == HEADERS {
            self.block.clear();
        }
        self.block.extend(part);
        if flags & END_HEADERS == 0 {
            return format!(" {} bytes", part.len());
        }
        let mut fields = String::new();
        let decoded = self.decoder.decode(&self.block, |name, value| {
            let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
            // Identifiers are of no interest here, but that they are there.
            let value = if name.starts_with(b"apns-") { "…".to_owned() } else { text(value) };
            fields.extend([" ", text(name).as_str(), "=", value.as_str()]);
        });
        decoded.map_or_else(|error| format!(" {error:?}"), |()| fields)
    }
}

/// How a frame is padded, and its payload without that; `None`, if its payload is shorter than its padding.
fn unpad(payload: &[u8]) -> Option<(String, &[u8])> {
    let (&len, rest) = payload.split_first()?;
    let (payload, padding) = rest.split_at_checked(rest.len().checked_sub(usize::from(len))?)?;
    assert!(padding.iter().all(|byte| *byte == 0), "padding that says something: {padding:?}");
    Some((format!(" +{len}"), payload))
}

pub(crate) const DATA: u8 = 0x0;
pub(crate) const HEADERS: u8 = 0x1;
pub(crate) const RST_STREAM: u8 = 0x3;
pub(crate) const SETTINGS: u8 = 0x4;
pub(crate) const GOAWAY: u8 = 0x7;
pub(crate) const WINDOW_UPDATE: u8 = 0x8;
const CONTINUATION: u8 = 0x9;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const NAMES: [&str; 10] = [
    "DATA",
    "HEADERS",
    "PRIORITY",
    "RST_STREAM",
    "SETTINGS",
    "PUSH_PROMISE",
    "PING",
    "GOAWAY",
    "WINDOW_UPDATE",
    "CONTINUATION",
];
