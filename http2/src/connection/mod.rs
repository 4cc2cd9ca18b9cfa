//! The state machine of one connection.

mod commands;
mod config;
mod header_block;
mod meters;
mod output;
mod queued;
mod receive;
mod settings;

use std::{collections::VecDeque, time::Duration};

pub use config::{Config, Grants, Role};

use crate::{
    error::{ConnectionError, Violation},
    event::{Event, FieldVisitor},
    frame::{self, HEAD_LEN, Head, PREFACE},
    hpack,
    settings::{DEFAULT_WINDOW, Settings, SettingsInForce},
    stream::Streams,
    stream_id::StreamId,
    window::{ReceiveWindow, Window},
};
use header_block::PartialBlock;
use meters::Meters;
use output::Output;

/// One HTTP/2 connection, either side of it.
///
/// The caller's loop is: [`recv`](Self::recv) what the socket gave, [`poll_event`](Self::poll_event) until `None`, commands in
/// between as it likes, then write [`poll_transmit`](Self::poll_transmit) and say so with [`transmitted`](Self::transmitted).
/// Reading all there is, handling all of it and writing once is what makes it fast.
///
/// After an error from `poll_event` the connection is over: a GOAWAY that names the violation is ready to be sent; write it and
/// close.
#[derive(Debug)]
pub struct Connection {
    input: Input,
    state: State,
    failed: Option<ConnectionError>,
}

/// Bytes received and not yet looked at.
#[derive(Debug)]
struct Input {
    bytes: Vec<u8>,
    consumed: usize,
    /// Bytes of the client preface that are still to come; 0 for a client.
    preface_left: usize,
}

/// Everything but the bytes not yet looked at, so that events can lend those while the state changes.
#[derive(Debug)]
struct State {
    role: Role,
    now: Duration,
    grants: Grants,
    answer_pings: bool,
    meters: Meters,

    /// Our settings that the peer has acknowledged; they bind the peer.
    ours: SettingsInForce,
    /// Our settings that wait for their acknowledgement, oldest first.
    pending: VecDeque<Settings>,
    /// The peer's settings; they bind us.
    peers: SettingsInForce,
    peer_settings_seen: bool,

    decoder: hpack::Decoder,
    encoder: hpack::Encoder,
    partial_block: Option<PartialBlock>,
    /// The pieces of a field block that came in several frames.
    block_bytes: Vec<u8>,

    streams: Streams,
    /// The highest stream of the peer seen so far; a server's.
    last_peer_stream: StreamId,
    /// The stream that we open next, if identifiers are left; a client's.
    next_stream: Option<StreamId>,
    goaway_sent: Option<StreamId>,
    goaway_received: Option<StreamId>,

    send_window: Window,
    receive_window: ReceiveWindow,
    /// The size that grants restore the connection's receiving window to.
    receive_window_target: u32,
    /// Streams with a queued body, in the order in which they began to wait.
    blocked: VecDeque<StreamId>,
    out: Output,
}

/// What the frame handlers answer: an event, nothing to tell, or the end of the connection.
type Handled<'a> = Result<Option<Event<'a>>, Violation>;

impl Connection {
    /// The side that opens streams. Its preface and first SETTINGS are ready to be sent.
    pub fn client(config: Config) -> Self {
        let mut connection = Self::new(Role::Client, config, 0);
        connection.state.out.extend(PREFACE);
        connection.begin(config);
        connection
    }

    /// The side that answers. Its first SETTINGS are ready to be sent.
    pub fn server(config: Config) -> Self {
        let mut connection = Self::new(Role::Server, config, PREFACE.len());
        connection.begin(config);
        connection
    }

    fn new(role: Role, config: Config, preface_left: usize) -> Self {
        let ours = SettingsInForce::default();
        let mut encoder = hpack::Encoder::new();
        encoder.set_huffman(config.huffman);
        Self {
            input: Input { bytes: Vec::new(), consumed: 0, preface_left },
            state: State {
                role,
                now: Duration::ZERO,
                grants: config.grants,
                answer_pings: true,
                meters: Meters::new(&config.limits),
                ours,
                pending: VecDeque::new(),
                peers: SettingsInForce::default(),
                peer_settings_seen: false,
                decoder: hpack::Decoder::new(ours.header_table_size as usize),
                encoder,
                partial_block: None,
                block_bytes: Vec::new(),
                streams: Streams::default(),
                last_peer_stream: StreamId::CONNECTION,
                next_stream: Some(config.first_stream),
                goaway_sent: None,
                goaway_received: None,
                send_window: Window::new(DEFAULT_WINDOW),
                receive_window: ReceiveWindow::new(DEFAULT_WINDOW),
                receive_window_target: config.connection_window.max(DEFAULT_WINDOW),
                blocked: VecDeque::new(),
                out: Output::default(),
            },
            failed: None,
        }
    }

    fn begin(&mut self, config: Config) {
        let state = &mut self.state;
        let mut first = config.settings;
        if state.role == Role::Client {
            first.enable_push = Some(0); // RFC 9113 section 8.4: a client that wants no push says so
        }
        frame::put_settings(state.out.buffer(), &first);
        state.pending.push_back(first);
        let extra = state.receive_window_target - DEFAULT_WINDOW;
        if extra > 0 && state.receive_window.widen(extra).is_ok() {
            frame::put_window_update(state.out.buffer(), StreamId::CONNECTION, extra);
        }
    }

    /// Takes bytes that the peer sent. `now` is the time since any fixed moment; only the limits of
    /// [`Limits`](crate::limits::Limits) look at it. Call [`poll_event`](Self::poll_event) until `None` afterwards, so that what is kept
    /// here stays less than one frame.
    pub fn recv(&mut self, now: Duration, bytes: &[u8]) {
        self.state.now = self.state.now.max(now);
        if self.failed.is_some() {
            return;
        }
        let input = &mut self.input;
        if input.consumed == input.bytes.len() {
            input.bytes.clear();
        } else {
            input.bytes.drain(..input.consumed); // less than a frame, if events were polled
        }
        input.consumed = 0;
        input.bytes.extend_from_slice(bytes);
    }

    /// The next thing that the peer did, or `None` until more bytes come. The fields of a section go to `fields` before its
    /// [`Event::Headers`].
    ///
    /// # Errors
    ///
    /// What the peer did that ends the connection; every later call says the same.
    pub fn poll_event<'a>(
        &'a mut self,
        fields: &mut impl FieldVisitor,
    ) -> Result<Option<Event<'a>>, ConnectionError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let Self { input, state, failed } = self;
        let Input { bytes, consumed, preface_left } = input;
        match next_event(bytes, consumed, preface_left, state, fields) {
            Ok(event) => Ok(event),
            Err(violation) => {
                let error = ConnectionError { violation };
                *failed = Some(error);
                let debug = violation.words().as_bytes();
                frame::put_goaway(state.out.buffer(), state.last_peer_stream, violation.code(), debug);
                Err(error)
            }
        }
    }

    /// Bytes to write to the socket: one run of frames, `None` if there are none. Say with [`transmitted`](Self::transmitted) how many
    /// were written; calling again without that gives the same bytes.
    pub fn poll_transmit(&self) -> Option<&[u8]> {
        Some(self.state.out.pending()).filter(|bytes| !bytes.is_empty())
    }

    /// `count` bytes of what [`poll_transmit`](Self::poll_transmit) gave are written. Bodies that waited for room follow.
    pub fn transmitted(&mut self, count: usize) {
        self.state.out.advance(count);
        if !self.state.blocked.is_empty() {
            self.state.send_queued();
        }
    }
}

/// Handles frames until one of them is something to tell.
fn next_event<'a>(
    bytes: &'a [u8],
    consumed: &mut usize,
    preface_left: &mut usize,
    state: &mut State,
    fields: &mut impl FieldVisitor,
) -> Handled<'a> {
    if *preface_left > 0 {
        take_preface(bytes, consumed, preface_left)?;
        if *preface_left > 0 {
            return Ok(None);
        }
    }
    loop {
        let rest = &bytes[*consumed..];
        let Some(head) = Head::parse(rest) else { return Ok(None) };
        if head.len > state.ours.max_frame_size as usize {
            return Err(Violation::FrameTooLarge);
        }
        let Some(payload) = rest.get(HEAD_LEN..HEAD_LEN + head.len) else { return Ok(None) };
        *consumed += HEAD_LEN + head.len;
        if let Some(event) = state.on_frame(head, payload, fields)? {
            return Ok(Some(event));
        }
    }
}

/// Compares what has come of the client preface.
fn take_preface(bytes: &[u8], consumed: &mut usize, preface_left: &mut usize) -> Result<(), Violation> {
    let expected = &PREFACE[PREFACE.len() - *preface_left..];
    let got = &bytes[*consumed..];
    let len = expected.len().min(got.len());
    if got[..len] != expected[..len] {
        let is_start = *preface_left == PREFACE.len();
        return Err(if is_start && looks_like_http1(got) { Violation::Http1Request } else { Violation::BadPreface });
    }
    *consumed += len;
    *preface_left -= len;
    Ok(())
}

/// Whether these are the first bytes of an HTTP/1 request: a method in capitals.
fn looks_like_http1(bytes: &[u8]) -> bool {
    const METHODS: [&[u8]; 7] = [b"GET ", b"POST ", b"HEAD ", b"PUT ", b"DELETE ", b"OPTIONS ", b"PATCH "];
    METHODS.iter().any(|method| {
        let len = method.len().min(bytes.len());
        len > 0 && bytes[..len] == method[..len]
    })
}
