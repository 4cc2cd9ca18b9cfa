//! A connection that hides nothing: it writes the frames that it is told to, and writes down each that comes.

use std::sync::{Arc, atomic::Ordering};

use apns_http2::hpack::{Decoder, Encoder};
use apns_wire::{Received, TlsSocket};
use tokio::net::TcpStream;

use super::certificate::client_config;
use crate::{
    Greeting, Opening, Seen, Target, Transcript,
    wire::{
        ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, FRAME_BYTES_MAX, Frame, GOAWAY, HEAD_BYTES,
        HEADERS, PADDED, PING, PREFACE, RST_STREAM, SETTINGS, WINDOW_UPDATE, WITH_PRIORITY, frame, number,
        settings, take_frame,
    },
};

/// A connection to a target, its handshake done.
pub(super) struct Link {
    socket: TlsSocket,
    encoder: Encoder,
    decoder: Decoder,
    /// What has come and is no whole frame yet.
    read: Vec<u8>,
    /// The field block that goes on in CONTINUATION: stream, whether it ends, and what there is of it.
    block: Option<(u32, bool, Vec<u8>)>,
    next_stream: u32,
    /// What the target still takes of DATA on the connection.
    window: i64,
    came: Transcript,
    /// Bytes that have come.
    came_bytes: usize,
    /// Nothing of ours gets there any more.
    is_deaf: bool,
}

impl Link {
    /// Connects, shakes hands, and says the greeting; else how that ended.
    pub(super) async fn open(target: &Target, opening: &Opening) -> Result<Self, String> {
        let (config, asked) = client_config(target, opening).map_err(|error| error.to_string())?;
        let tcp = TcpStream::connect(&target.address).await.map_err(|error| error.to_string())?;
        let socket = TlsSocket::connect(tcp, config, target.server_name.clone()).await;
        let socket = socket.map_err(|error| error.to_string())?;
        let announced = match &opening.greeting {
            Greeting::Settings(parameters) => parameters.iter().find(|(id, _)| *id == HEADER_TABLE_SIZE),
            Greeting::Bytes(_) => None,
        };
        let mut link = Self {
            came: Transcript(vec![tls(&socket, &asked)]),
            came_bytes: 0,
            socket,
            encoder: Encoder::new(),
            decoder: Decoder::new(announced.map_or(TABLE_BYTES, |(_, bytes)| *bytes as usize)),
            read: Vec::new(),
            block: None,
            next_stream: 1,
            window: FIRST_WINDOW,
            is_deaf: false,
        };
        match &opening.greeting {
            Greeting::Settings(parameters) => link.send(&[PREFACE, &settings(parameters)].concat()).await,
            Greeting::Bytes(bytes) => link.send(bytes).await,
        }
        Ok(link)
    }

    /// All that came.
    pub(super) fn into_transcript(mut self, is_late: bool) -> Transcript {
        if is_late && !self.came.is_over() {
            self.came.0.push(Seen::TooLate);
        }
        self.came
    }

    pub(super) fn encoder(&mut self) -> &mut Encoder {
        &mut self.encoder
    }

    /// The stream of the next request. Streams are counted on from those that were opened by hand.
    pub(super) fn next_stream(&mut self) -> u32 {
        let stream = self.next_stream;
        self.next_stream += 2;
        stream
    }

    /// Sends frames that were written by hand.
    pub(super) async fn send_bytes(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(Frame { kind, stream, .. }) = take_frame(&mut rest) {
            if kind == HEADERS && stream >= self.next_stream && stream % 2 == 1 {
                self.next_stream = stream.saturating_add(2);
            }
        }
        self.send(bytes).await;
    }

    /// Sends PING, and waits for its answer.
    pub(super) async fn settle(&mut self) {
        const OPAQUE: [u8; 8] = *b"settled?";
        self.send(&frame(PING, 0, 0, &OPAQUE)).await;
        self.until(|came| came.0.contains(&Seen::Ping { ack: true, opaque: OPAQUE })).await;
    }

    /// Waits until the connection's window has room for this much DATA, and takes it.
    pub(super) async fn await_window(&mut self, bytes: usize) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        while self.window < bytes && !self.came.is_over() {
            self.turn().await;
        }
        self.window -= bytes;
    }

    /// Sends bytes, and takes what comes meanwhile: a peer that does not read until it has written is no deadlock.
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        if self.is_deaf || self.came.is_over() {
            return;
        }
        if let Err(error) = self.socket.write(bytes) {
            return self.end(&error.to_string());
        }
        loop {
            match self.socket.flush() {
                Ok(true) => return,
                Ok(false) => self.turn().await,
                Err(_) => {
                    self.is_deaf = true; // what the target has said before is still to be read
                    return;
                }
            }
            if self.came.is_over() {
                return;
            }
        }
    }

    /// Reads until `enough` has come, or nothing can come any more.
    pub(super) async fn until(&mut self, enough: impl Fn(&Transcript) -> bool) {
        while !self.came.is_over() && !enough(&self.came) {
            self.turn().await;
        }
    }

    /// Waits for bytes, takes them, and answers what HTTP/2 wants answered.
    async fn turn(&mut self) {
        if !self.is_deaf && self.socket.ready().await.is_err() {
            return self.end("the socket failed");
        }
        if self.is_deaf && self.socket.tcp().readable().await.is_err() {
            return self.end("the socket failed");
        }
        let before = self.read.len();
        let read = &mut self.read;
        let received = self.socket.read(|bytes| read.extend_from_slice(bytes));
        self.came_bytes += self.read.len() - before;
        if self.came_bytes > CAME_BYTES_MAX {
            return self.came.0.push(Seen::Rubbish(format!("more than {CAME_BYTES_MAX} bytes")));
        }
        let answers = self.take_frames();
        match received {
            Ok(Received::Open) => {}
            Ok(Received::End) => return self.end("closed"),
            Err(error) => return self.end(&error.to_string()),
        }
        if !self.is_deaf && self.socket.write(&answers).and_then(|()| self.socket.flush()).is_err() {
            self.is_deaf = true;
        }
    }

    fn end(&mut self, how: &str) {
        if !self.came.is_over() {
            self.came.0.push(Seen::End(how.to_owned()));
        }
    }

    /// Writes down every whole frame that has come, and returns what is to be said to them.
    fn take_frames(&mut self) -> Vec<u8> {
        let mut answers = Vec::new();
        let read = std::mem::take(&mut self.read);
        let mut rest = read.as_slice();
        while let Some(frame) = take_frame(&mut rest) {
            self.take(frame, &mut answers);
            if matches!(self.came.0.last(), Some(Seen::Rubbish(_))) {
                return answers;
            }
        }
        self.read = rest.to_vec();
        self.doubt();
        answers
    }

    /// A frame that is longer than may be is none, and its end is not waited for.
    fn doubt(&mut self) {
        if self.read.len() >= HEAD_BYTES {
            let len = u32::from_be_bytes([0, self.read[0], self.read[1], self.read[2]]) as usize;
            if len > FRAME_BYTES_MAX {
                self.came.0.push(Seen::Rubbish(format!("a frame of {len} bytes")));
            }
        }
    }

    fn take(&mut self, Frame { kind, flags, stream, payload }: Frame, answers: &mut Vec<u8>) {
        let has = |flag: u8| flags & flag != 0;
        let seen = match kind {
            HEADERS | CONTINUATION => match self.take_block(kind, flags, stream, payload) {
                Some(seen) => seen,
                None => return,
            },
            DATA => {
                let text = String::from_utf8_lossy(unpadded(flags, &payload)).into_owned();
                Seen::Data { stream, text, end: has(END_STREAM) }
            }
            RST_STREAM => Seen::Reset { stream, code: number(&payload) },
            SETTINGS if has(ACK) => Seen::SettingsAck,
            SETTINGS => {
                answers.extend(frame(SETTINGS, ACK, 0, b""));
                Seen::Settings(payload.as_chunks::<6>().0.iter().copied().map(parameter).collect())
            }
            PING => {
                let opaque = payload.first_chunk().copied().unwrap_or_default();
                if !has(ACK) {
                    answers.extend(frame(PING, ACK, 0, &opaque));
                }
                Seen::Ping { ack: has(ACK), opaque }
            }
            GOAWAY => Seen::GoAway {
                last: number(&payload),
                code: number(payload.get(4..).unwrap_or_default()),
                debug: String::from_utf8_lossy(payload.get(8..).unwrap_or_default()).into_owned(),
            },
            WINDOW_UPDATE => {
                let increment = number(&payload);
                if stream == 0 {
                    self.window += i64::from(increment);
                }
                Seen::Window { stream, increment }
            }
            kind => Seen::Other { kind },
        };
        self.came.0.push(seen);
    }

    /// A field block, once all of it is there.
    fn take_block(&mut self, kind: u8, flags: u8, stream: u32, payload: Vec<u8>) -> Option<Seen> {
        let (stream, end, block) = match (kind, self.block.take()) {
            (CONTINUATION, Some((of, end, mut block))) if of == stream => {
                block.extend(payload);
                (stream, end, block)
            }
            (CONTINUATION, _) => return Some(Seen::Rubbish("CONTINUATION of nothing".to_owned())),
            _ => {
                let block = unpadded(flags, &payload);
                let skipped = if flags & WITH_PRIORITY == 0 { 0 } else { 5 };
                (stream, flags & END_STREAM != 0, block.get(skipped..).unwrap_or_default().to_vec())
            }
        };
        if flags & END_HEADERS == 0 {
            self.block = Some((stream, end, block));
            return None;
        }
        let mut fields = Vec::new();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let decoded = self.decoder.decode(&block, |name, value| fields.push((text(name), text(value))));
        Some(match decoded {
            Ok(()) => Seen::Fields { stream, fields, end },
            Err(error) => Seen::Rubbish(error.to_string()),
        })
    }
}

fn tls(socket: &TlsSocket, asked: &Arc<std::sync::atomic::AtomicBool>) -> Seen {
    Seen::Tls {
        alpn: socket.tls().alpn_protocol().map(|protocol| String::from_utf8_lossy(protocol).into_owned()),
        version: socket.tls().protocol_version().map_or(0, u16::from),
        asked_for_certificate: asked.load(Ordering::Relaxed),
    }
}

/// A payload without its padding.
fn unpadded(flags: u8, payload: &[u8]) -> &[u8] {
    if flags & PADDED == 0 {
        return payload;
    }
    let Some((padding, rest)) = payload.split_first() else { return payload };
    &rest[..rest.len().saturating_sub(usize::from(*padding))]
}

fn parameter(bytes: [u8; 6]) -> (u16, u32) {
    (u16::from_be_bytes([bytes[0], bytes[1]]), number(&bytes[2..]))
}

/// The most that is taken of a target in one case: a thousand times what any case asks for, and no burden for a report.
const CAME_BYTES_MAX: usize = 16 * 1024 * 1024;
const HEADER_TABLE_SIZE: u16 = 1;
/// The table of HPACK that a peer may use when nothing else is announced (RFC 9113, 6.5.2).
const TABLE_BYTES: usize = 4096;
/// The window of the connection at the beginning (RFC 9113, 6.9.2).
const FIRST_WINDOW: i64 = 65_535;
