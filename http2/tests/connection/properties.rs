//! What holds for any bytes and for any use.

use std::{collections::BTreeMap, num::NonZeroU16, time::Duration};

use apns_http2::{
    Config, Connection, ConnectionError, ErrorCode, Framing, Grants, Role, Section, Settings, StreamId,
    hpack::Field,
};
use bytes::Bytes;
use proptest::{collection::vec, prelude::*, sample::Index};

use crate::support::{
    Frame, OK, PREFACE, PUSH, Pair, REQUEST, Seen, continuation, data, goaway, headers, ping, ping_ack,
    priority, push_promise, reset, seen_of, settings, settings_ack, window_update,
};

proptest! {
    #[test]
    fn any_bytes_in_any_pieces_are_the_same_and_never_panic(
        role in role(),
        greeted in any::<bool>(),
        bytes in vec(any::<u8>(), 0..600),
        cuts in vec(any::<Index>(), 0..8),
    ) {
        let bytes = [if greeted { greeting(role) } else { vec![] }, bytes].concat();
        is_the_same_in_pieces(role, &bytes, &cuts)?;
    }

    #[test]
    fn any_frames_in_any_pieces_are_the_same_and_never_panic(
        role in role(),
        frames in vec(any_frame(), 0..40),
        mutations in vec((any::<Index>(), any::<u8>()), 0..4),
        cuts in vec(any::<Index>(), 0..12),
    ) {
        let mut bytes = greeting(role);
        let start = bytes.len();
        bytes.extend(frames.iter().flat_map(Frame::bytes));
        for (at, byte) in mutations {
            if bytes.len() > start {
                let at = start + at.index(bytes.len() - start);
                bytes[at] = byte;
            }
        }
        is_the_same_in_pieces(role, &bytes, &cuts)?;
    }

    #[test]
    fn all_that_is_sent_arrives_in_order_and_whole(
        grants in prop_oneof![Just(Grants::Automatic), Just(Grants::Manual)],
        steps in vec(step(), 0..120),
    ) {
        let mut world = World::new(grants);
        for step in steps {
            world.take(step);
        }
        world.finish();
    }
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Client), Just(Role::Server)]
}

/// What the peer of a connection of `role` sends first.
pub(crate) fn greeting(role: Role) -> Vec<u8> {
    let preface = if role == Role::Server { PREFACE } else { b"" };
    [preface, &settings(&[]).bytes(), &settings_ack().bytes()].concat()
}

/// A frame that could be right: on the first streams, mostly of the right length.
pub(crate) fn any_frame() -> impl Strategy<Value = Frame> {
    let id = || (0..8_u32).prop_map(|id| if id > 5 { 1 } else { id });
    let code = || (0..4_u32).prop_map(ErrorCode);
    let answer = [(":status", "200"), ("content-length", "3")];
    let content = || vec(any::<u8>(), 0..40);
    let one = prop_oneof![
        4 => (id(), content()).prop_map(|(id, content)| data(id, &content)),
        3 => id().prop_map(|id| headers(id, &REQUEST)),
        3 => id().prop_map(move |id| headers(id, &answer)),
        1 => (id(), content()).prop_map(|(id, block)| headers(id, &[]).with_payload(&block)),
        1 => id().prop_map(|id| headers(id, &REQUEST).unfinished()),
        1 => (id(), content()).prop_map(|(id, part)| continuation(id, &part)),
        1 => id().prop_map(priority),
        2 => (id(), code()).prop_map(|(id, code)| reset(id, code)),
        2 => vec((0..8_u16, any::<u32>().prop_map(|value| value >> (value % 32))), 0..3)
            .prop_map(|changes| settings(&changes)),
        1 => Just(settings_ack()),
        1 => Just(push_promise(1, 2)),
        1 => any::<[u8; 8]>().prop_map(ping),
        1 => any::<[u8; 8]>().prop_map(ping_ack),
        1 => (id(), code(), content()).prop_map(|(id, code, debug)| goaway(id, code, &debug)),
        2 => (id(), any::<u32>().prop_map(|n| n >> (n % 32))).prop_map(|(id, n)| window_update(id, n)),
        1 => (any::<u8>(), any::<u8>(), id(), content())
            .prop_map(|(kind, flags, stream, payload)| Frame { kind, flags, stream, payload }),
    ];
    (one, any::<u8>()).prop_map(|(frame, shape)| match shape % 8 {
        0 => frame.end_stream(),
        1 => frame.padded(shape / 8),
        _ => frame,
    })
}

type Outcome = (Vec<Seen>, Option<ConnectionError>, Vec<u8>);

fn is_the_same_in_pieces(role: Role, bytes: &[u8], cuts: &[Index]) -> Result<(), TestCaseError> {
    let whole = outcome(role, [bytes], true);
    let pieces = pieces(bytes, cuts);
    prop_assert_eq!(&outcome(role, pieces.iter().copied(), true), &whole);
    prop_assert_eq!(&outcome(role, pieces, false), &whole);
    prop_assert_eq!(&outcome(role, bytes.chunks(1), true), &whole);
    Ok(())
}

/// The bytes, cut at these places.
pub(crate) fn pieces<'a>(bytes: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.sort_unstable();
    let mut rest = bytes;
    let mut taken = 0;
    let mut pieces = Vec::new();
    for cut in cuts {
        let (piece, after) = rest.split_at(cut - taken);
        pieces.push(piece);
        (rest, taken) = (after, cut);
    }
    pieces.push(rest);
    pieces
}

/// What a connection tells and writes when these pieces come, asked after each or after the last. A client has two streams open, with
/// a body under way on both.
fn outcome<'a>(role: Role, pieces: impl IntoIterator<Item = &'a [u8]>, asked_each_time: bool) -> Outcome {
    let mut connection = match role {
        Role::Client => Connection::client(Config::default()),
        Role::Server => Connection::server(Config::default()),
    };
    if role == Role::Client {
        for _ in 0..2 {
            let stream = connection.open(&PUSH, false).unwrap();
            connection.send_data(stream, Bytes::from(vec![7; 70_000]), true).unwrap();
        }
    }
    let mut all = Vec::new();
    for piece in pieces {
        connection.recv(Duration::ZERO, piece);
        if asked_each_time {
            all.extend(seen_of(&mut connection).0);
        }
    }
    let (rest, end) = seen_of(&mut connection);
    all.extend(rest);
    let written = connection.poll_transmit().unwrap_or_default().to_vec();
    (all, end.err(), written)
}

/// One thing that happens in a [`World`]. Numbers are taken modulo what there is.
#[derive(Clone, Copy, Debug)]
enum Step {
    Open { fields: u8, ends: bool },
    Answer { stream: usize },
    Send { side: Role, stream: usize, len: usize, ends: bool },
    Trailers { side: Role, stream: usize },
    Reset { side: Role, stream: usize },
    Frame { side: Role, stream: usize, framing: Framing },
    Settings { side: Role, changes: Settings },
    Release { side: Role, stream: usize, bytes: usize },
    Carry { from: Role, bytes: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let n = || 0..8_usize;
    let len = prop_oneof![0..100_usize, 0..20_000_usize, 0..90_000_usize];
    let bytes = || prop_oneof![0..50_usize, 0..100_000_usize];
    let window =
        prop_oneof![1 => Just(0), 1 => 50..1000_u32, 3 => 1000..60_000_u32, 1 => 60_000..200_000_u32];
    let changes = (
        proptest::option::of(window),
        proptest::option::of(16_384..70_000_u32),
        proptest::option::of(prop_oneof![Just(0), 0..200_u32, 0..8_192_u32]),
    );
    let changes = changes.prop_map(|(initial_window_size, max_frame_size, header_table_size)| Settings {
        initial_window_size,
        max_frame_size,
        header_table_size,
        ..Settings::default()
    });
    prop_oneof![
        3 => (any::<u8>(), any::<bool>()).prop_map(|(fields, ends)| Step::Open { fields, ends }),
        3 => n().prop_map(|stream| Step::Answer { stream }),
        6 => (role(), n(), len, any::<bool>()).prop_map(|(side, stream, len, ends)| Step::Send { side, stream, len, ends }),
        1 => (role(), n()).prop_map(|(side, stream)| Step::Trailers { side, stream }),
        1 => (role(), n()).prop_map(|(side, stream)| Step::Reset { side, stream }),
        1 => (role(), n(), framing()).prop_map(|(side, stream, framing)| Step::Frame { side, stream, framing }),
        2 => (role(), changes).prop_map(|(side, changes)| Step::Settings { side, changes }),
        3 => (role(), n(), bytes()).prop_map(|(side, stream, bytes)| Step::Release { side, stream, bytes }),
        8 => (role(), bytes()).prop_map(|(from, bytes)| Step::Carry { from, bytes }),
    ]
}

/// With one byte of block in a frame, trailers would have more CONTINUATION frames than a peer bears.
fn framing() -> impl Strategy<Value = Framing> {
    (proptest::option::of(any::<u8>()), proptest::option::of(2..40_u16)).prop_map(|(padding, block_bytes)| {
        Framing { padding, block_bytes: block_bytes.and_then(NonZeroU16::new) }
    })
}

/// What one side has done on a stream, or was told of it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Message {
    heads: Vec<Vec<(String, String)>>,
    content: Vec<u8>,
    ended: bool,
}

/// Two connections, and a record of all that was sent and of all that came.
struct World {
    pair: Pair,
    streams: Vec<StreamId>,
    reset: Vec<StreamId>,
    sent: BTreeMap<(StreamId, bool), Message>,
    came: BTreeMap<(StreamId, bool), Message>,
}

impl World {
    fn new(grants: Grants) -> Self {
        let config = Config { grants, ..Config::default() };
        Self {
            pair: Pair::new(config, config),
            streams: vec![],
            reset: vec![],
            sent: BTreeMap::new(),
            came: BTreeMap::new(),
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Open { fields, ends } => self.open(fields, ends),
            Step::Answer { stream } => self.headers(Role::Server, stream, &OK, false),
            Step::Trailers { side, stream } => {
                self.headers(side, stream, &[Field::incremental(b"x-trailer", b"end")], true);
            }
            Step::Send { side, stream, len, ends } => self.send(side, stream, len, ends),
            Step::Reset { side, stream } => {
                let Some(stream) = self.pick(stream) else { return };
                if self.side(side).reset(stream, ErrorCode::CANCEL).is_ok() {
                    self.reset.push(stream);
                }
            }
            Step::Frame { side, stream, framing } => {
                if let Some(stream) = self.pick(stream) {
                    let _ = self.side(side).set_framing(stream, framing); // many are closed
                }
            }
            Step::Settings { side, changes } => {
                let _ = self.side(side).settings(changes); // as many as may be pending
            }
            Step::Release { side, stream, bytes } => {
                if let Some(stream) = self.pick(stream) {
                    self.side(side).release(stream, bytes);
                }
            }
            Step::Carry { from, bytes } => self.carry(from, bytes),
        }
    }

    /// Lifts every limit and lets everything arrive, then compares.
    fn finish(&mut self) {
        for side in [Role::Client, Role::Server] {
            self.side(side).set_grants(Grants::Automatic);
        }
        loop {
            for stream in self.streams.clone() {
                for side in [Role::Client, Role::Server] {
                    self.side(side).release(stream, usize::MAX);
                }
            }
            let waits =
                self.pair.client.poll_transmit().is_some() || self.pair.server.poll_transmit().is_some();
            if !waits {
                if !self.widen_what_is_shut() {
                    break;
                }
                continue;
            }
            self.carry(Role::Client, usize::MAX);
            self.carry(Role::Server, usize::MAX);
        }
        self.pair.assert_windows_agree(self.streams.iter().copied());
        for (key, sent) in &self.sent {
            if self.reset.contains(&key.0) {
                continue; // the rest of it was given up
            }
            let came = self.came.get(key).cloned().unwrap_or_default();
            assert_eq!(came.content.len(), sent.content.len(), "{key:?}");
            assert_eq!(&came, sent, "{key:?}");
        }
    }

    /// SETTINGS may have left the windows of new streams at 0.
    fn widen_what_is_shut(&mut self) -> bool {
        let mut widened = false;
        for side in [Role::Client, Role::Server] {
            if self.side(side).acknowledged_settings().initial_window_size == 0 {
                let wide = Settings { initial_window_size: Some(100_000), ..Settings::default() };
                self.side(side).settings(wide).unwrap();
                widened = true;
            }
        }
        widened
    }

    fn side(&mut self, side: Role) -> &mut Connection {
        match side {
            Role::Client => &mut self.pair.client,
            Role::Server => &mut self.pair.server,
        }
    }

    fn pick(&self, n: usize) -> Option<StreamId> {
        let recent = self.streams.len().saturating_sub(8);
        let streams = &self.streams[recent..];
        if streams.is_empty() { None } else { Some(streams[n % streams.len()]) }
    }

    fn open(&mut self, variety: u8, ends: bool) {
        let value = "v".repeat(usize::from(variety) * 3);
        let fields = [&PUSH[..], &[Field::incremental(b"x-some", value.as_bytes())]].concat();
        let stream = self.pair.client.open(&fields, ends).unwrap();
        self.streams.push(stream);
        self.sent(stream, Role::Client).begin(&fields, ends);
    }

    fn headers(&mut self, side: Role, stream: usize, fields: &[Field<'_>], ends: bool) {
        let Some(stream) = self.pick(stream) else { return };
        if side == Role::Server && self.sent(stream, side).heads.is_empty() == ends {
            return; // an answer comes first and once, trailers after it
        }
        if self.side(side).send_headers(stream, fields, ends).is_ok() {
            self.sent(stream, side).begin(fields, ends);
        }
    }

    fn send(&mut self, side: Role, stream: usize, len: usize, ends: bool) {
        let Some(stream) = self.pick(stream) else { return };
        let so_far = self.sent(stream, side).content.len();
        let content: Vec<u8> = (so_far..so_far + len).map(|n| (n / 249 + n) as u8).collect();
        if self.side(side).send_data(stream, Bytes::from(content.clone()), ends).is_ok() {
            let sent = self.sent(stream, side);
            sent.content.extend(content);
            sent.ended |= ends;
        }
    }

    fn sent(&mut self, stream: StreamId, side: Role) -> &mut Message {
        self.sent.entry((stream, side == Role::Client)).or_default()
    }

    fn carry(&mut self, from: Role, bytes: usize) {
        let seen = match from {
            Role::Client => self.pair.carry_to_server(bytes),
            Role::Server => self.pair.carry_to_client(bytes),
        };
        for seen in seen {
            let came = &mut self.came;
            let at = |stream| (stream, from == Role::Client);
            match seen {
                Seen::Headers { stream, section, fields, end_stream } => {
                    assert_ne!(section, Section::Informational);
                    let came = came.entry(at(stream)).or_default();
                    came.heads.push(fields);
                    came.ended |= end_stream;
                }
                Seen::Data { stream, data, end_stream } => {
                    let came = came.entry(at(stream)).or_default();
                    came.content.extend(data);
                    came.ended |= end_stream;
                }
                Seen::Reset { stream, violation, .. } => {
                    assert_eq!(violation, None, "two honest sides find no fault with each other");
                    assert!(self.reset.contains(&stream));
                }
                Seen::Settings(_) | Seen::SettingsAcknowledged => {}
                other => panic!("nobody sends {other:?} here"),
            }
        }
    }
}

impl Message {
    fn begin(&mut self, fields: &[Field<'_>], ends: bool) {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        self.heads.push(fields.iter().map(|field| (text(field.name), text(field.value))).collect());
        self.ended |= ends;
    }
}
