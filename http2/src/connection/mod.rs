//! The state machine of one connection.

mod commands;
mod config;
mod framing;
mod grants;
mod header_block;
mod meters;
mod output;
mod queued;
mod receive;
mod settings;
mod view;

use std::{collections::VecDeque, time::Duration};

pub use config::{Config, Grants, Role};
pub use framing::Framing;

use crate::{
    error::{ConnectionError, Violation},
    event::{Event, FieldVisitor},
    frame::{self, HEAD_LEN, Head, PREFACE},
    hpack,
    limits::BUFFER_BYTES_KEPT,
    settings::{DEFAULT_WINDOW, MAX_WINDOW, Settings, SettingsInForce},
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
    /// Whether the client preface is still to come; it is not for a client.
    preface_due: bool,
}

/// The windows that are not given back, whoever grants them.
#[derive(Clone, Copy, Debug, Default)]
struct Withheld {
    connection: bool,
    streams: bool,
}

/// Everything but the bytes not yet looked at, so that events can lend those while the state changes.
#[derive(Debug)]
struct State {
    role: Role,
    now: Duration,
    grants: Grants,
    withheld: Withheld,
    answer_pings: bool,
    meters: Meters,
    /// Frames that have come.
    frames: u64,

    /// Our settings that the peer has acknowledged; they bind the peer.
    ours: SettingsInForce,
    /// Our settings that wait for their acknowledgement, oldest first.
    pending: VecDeque<Settings>,
    /// The peer's settings; they bind us.
    peers: SettingsInForce,
    peer_settings_seen: bool,

    decoder: hpack::Decoder,
    partial_block: Option<PartialBlock>,
    /// The pieces of a field block that came in several frames.
    block_bytes: Vec<u8>,

    streams: Streams,
    /// The highest stream of the peer seen so far; a server's.
    last_peer_stream: StreamId,
    /// The last two streams of the peer with others between them that it has left out; those can never be opened.
    skipped: (StreamId, StreamId),
    /// The stream that we open next, if identifiers are left; a client's.
    next_stream: Option<StreamId>,
    goaway_sent: Option<StreamId>,
    goaway_received: Option<StreamId>,

    send_window: Window,
    receive_window: ReceiveWindow,
    /// The size that grants restore the connection's receiving window to.
    receive_window_target: u32,
    /// Streams that would send if the connection's window and the output let them, in the order of their turns.
    blocked: VecDeque<StreamId>,
    out: Output,
}

/// What the frame handlers answer: an event, nothing to tell, or the end of the connection.
type Handled<'a> = Result<Option<Event<'a>>, Violation>;

impl Connection {
    /// The side that opens streams. Its preface and first SETTINGS are ready to be sent.
    pub fn client(config: Config) -> Self {
        let mut connection = Self::new(Role::Client, config);
        connection.state.out.buffer().extend_from_slice(PREFACE);
        connection.begin(config);
        connection
    }

    /// The side that answers. Its first SETTINGS are ready to be sent.
    pub fn server(config: Config) -> Self {
        let mut connection = Self::new(Role::Server, config);
        connection.begin(config);
        connection
    }

    fn new(role: Role, config: Config) -> Self {
        let ours = SettingsInForce::default();
        let mut out = Output::default();
        out.encoder.set_huffman(config.huffman);
        Self {
            input: Input { bytes: Vec::new(), consumed: 0, preface_due: role == Role::Server },
            state: State {
                role,
                now: Duration::ZERO,
                grants: config.grants,
                withheld: Withheld::default(),
                answer_pings: true,
                meters: Meters::new(&config.limits),
                frames: 0,
                ours,
                pending: VecDeque::new(),
                peers: SettingsInForce::default(),
                peer_settings_seen: false,
                decoder: hpack::Decoder::new(ours.header_table_size as usize),
                partial_block: None,
                block_bytes: Vec::new(),
                streams: Streams::default(),
                last_peer_stream: StreamId::CONNECTION,
                skipped: (StreamId::CONNECTION, StreamId::CONNECTION),
                next_stream: Some(StreamId::new(config.first_stream.get() | 1)),
                goaway_sent: None,
                goaway_received: None,
                send_window: Window::new(DEFAULT_WINDOW),
                receive_window: ReceiveWindow::new(DEFAULT_WINDOW),
                receive_window_target: config.connection_window.clamp(DEFAULT_WINDOW, MAX_WINDOW),
                blocked: VecDeque::new(),
                out,
            },
            failed: None,
        }
    }

    fn begin(&mut self, config: Config) {
        let state = &mut self.state;
        let first = Settings {
            // RFC 9113 section 8.4: a client that wants no push says so; a server has nothing to say about it.
            enable_push: (state.role == Role::Client).then_some(0),
            ..config.settings.clamped()
        };
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
            input.bytes.shrink_to(bytes.len().max(BUFFER_BYTES_KEPT));
        } else {
            input.bytes.drain(..input.consumed); // less than a frame stays, if events were polled
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
        let Input { bytes, consumed, preface_due } = input;
        match next_event(bytes, consumed, preface_due, state, fields) {
            Ok(event) => Ok(event),
            Err(violation) => {
                let error = ConnectionError { violation };
                *failed = Some(error);
                state.give_up(violation);
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

impl State {
    /// The connection is over: a GOAWAY tells the peer why, and nothing follows it.
    fn give_up(&mut self, violation: Violation) {
        self.blocked.clear();
        let last = self.goaway_sent.map_or(self.last_peer_stream, |sent| sent.min(self.last_peer_stream));
        frame::put_goaway(self.out.buffer(), last, violation.code(), violation.words().as_bytes());
    }
}

/// Handles frames until one of them is something to tell.
fn next_event<'a>(
    bytes: &'a [u8],
    consumed: &mut usize,
    preface_due: &mut bool,
    state: &mut State,
    fields: &mut impl FieldVisitor,
) -> Handled<'a> {
    if *preface_due {
        if !has_preface(bytes)? {
            return Ok(None);
        }
        *consumed = PREFACE.len();
        *preface_due = false;
    }
    loop {
        let Some((head, payload)) = whole_frame(&bytes[*consumed..], state)? else {
            // Once for all that came together: an update for each of many small bodies would cost more than they do.
            state.grant_connection();
            return Ok(None);
        };
        *consumed += HEAD_LEN + head.len;
        if let Some(event) = state.on_frame(head, payload, fields)? {
            return Ok(Some(event));
        }
    }
}

/// The frame that `bytes` begin with, if all of it has come.
fn whole_frame<'a>(bytes: &'a [u8], state: &State) -> Result<Option<(Head, &'a [u8])>, Violation> {
    let Some(head) = Head::parse(bytes) else { return Ok(None) };
    if head.len > state.ours.max_frame_size as usize {
        return Err(Violation::FrameTooLarge);
    }
    Ok(bytes.get(HEAD_LEN..HEAD_LEN + head.len).map(|payload| (head, payload)))
}

/// Whether the whole client preface has come. What it is instead shows at the same byte however the bytes were cut.
fn has_preface(bytes: &[u8]) -> Result<bool, Violation> {
    if bytes.starts_with(PREFACE) {
        return Ok(true);
    }
    if HTTP1_STARTS.iter().any(|start| bytes.starts_with(start)) {
        return Err(Violation::Http1Request);
    }
    let may_become = |start: &[u8]| start.starts_with(bytes);
    if may_become(PREFACE) || HTTP1_STARTS.iter().any(|start| may_become(start)) {
        Ok(false)
    } else {
        Err(Violation::BadPreface)
    }
}

/// How an HTTP/1 request begins, as a client sends it that was not told to speak HTTP/2.
const HTTP1_STARTS: [&[u8]; 7] = [b"GET ", b"POST ", b"HEAD ", b"PUT ", b"DELETE ", b"OPTIONS ", b"PATCH "];
