//! What a [`Trace`] tells of the bytes of a connection, whoever wrote them and however they are cut.

use std::time::Duration;

use apns_http2::{
    Config, Connection, ErrorCode, Role, Settings, Violation,
    hpack::{Encoder, Field, Huffman},
    limits::HEADER_BLOCK_BYTES_MAX,
    trace::{
        EXCERPT_BYTES_MAX, FIELD_BYTES_SHOWN_MAX, FieldBlock, Fields, Payload, SETTINGS_SHOWN_MAX, Seen,
        Trace, Unreadable,
    },
};
use proptest::{collection::vec, prelude::*, sample::Index};

use crate::{
    properties::{any_frame, greeting, pieces},
    support::{
        Frame, PREFACE, PUSH, Pair, REQUEST, block, continuation, data, goaway, headers, ping, priority,
        push_promise, reset, settings, settings_ack, window_update,
    },
};

/// What a server's trace tells of these frames behind a client's preface.
fn seen(frames: impl IntoIterator<Item = Frame>) -> Vec<Seen> {
    let mut trace = Trace::new(Role::Server);
    trace.received(PREFACE, |_| {});
    let mut all = Vec::new();
    for frame in frames {
        trace.received(&frame.bytes(), |seen| all.push(seen));
    }
    all
}

/// The lines of one frame behind the first, which has only numbers.
fn lines(frame: Frame) -> Vec<String> {
    let seen = seen([frame]);
    assert_eq!(seen.len(), 1, "{seen:?}");
    seen[0].lines().split_off(1)
}

fn fields_of(seen: &Seen) -> &Fields {
    let Seen::Frame(frame) = seen else { panic!("{seen:?}") };
    let (Payload::Headers { block, .. }
    | Payload::Continuation { block }
    | Payload::PushPromise { block, .. }) = &frame.payload
    else {
        panic!("{seen:?}")
    };
    let FieldBlock::Fields(fields) = block else { panic!("{seen:?}") };
    fields
}

fn wrong(seen: &Seen) -> Option<Violation> {
    match seen {
        Seen::Frame(frame) => frame.wrong,
        _ => None,
    }
}

/// A field block in two frames.
fn in_two(stream: u32, block: &[u8]) -> [Frame; 2] {
    let (first, last) = block.split_at(block.len() / 2);
    [headers(stream, &[]).with_payload(first).unfinished(), continuation(stream, last)]
}

#[test]
fn each_type_is_told_by_what_it_means() {
    let raw = |kind, flags, stream, payload: &[u8]| Frame { kind, flags, stream, payload: payload.to_vec() };
    for (frame, expected) in [
        (data(1, b"{}").end_stream(), &["; END_STREAM", "(data(2)=[{}])"][..]),
        (data(1, b"{}").padded(3), &["; PADDED", "(padlen=3, data(2)=[{}])"]),
        (
            headers(1, &REQUEST).with_priority().end_stream(),
            &[
                "; END_STREAM | END_HEADERS | PRIORITY",
                "(dep_stream_id=7, weight=201, exclusive=1)",
                ":method: POST",
                ":scheme: https",
                ":path: /3/device/00fc13adff78",
            ],
        ),
        (priority(3), &["(dep_stream_id=0, weight=16, exclusive=0)"]),
        (reset(1, ErrorCode::CANCEL), &["(error_code=CANCEL(0x08))"]),
        (reset(1, ErrorCode(0xbad)), &["(error_code=UNKNOWN(0xbad))"]),
        (
            settings(&[(3, 1000), (6, 8000), (0x99, 7)]),
            &[
                "(niv=3)",
                "[SETTINGS_MAX_CONCURRENT_STREAMS(0x03):1000]",
                "[SETTINGS_MAX_HEADER_LIST_SIZE(0x06):8000]",
                "[UNKNOWN(0x99):7]",
            ],
        ),
        (settings_ack(), &["; ACK", "(niv=0)"]),
        (ping(*b"\0\0\0\0\0\0\x01\x02"), &["(opaque_data=0000000000000102)"]),
        (
            goaway(5, ErrorCode::NO_ERROR, br#"{"reason":"Shutdown"}"#),
            &[r#"(last_stream_id=5, error_code=NO_ERROR(0x00), opaque_data(21)=[{"reason":"Shutdown"}])"#],
        ),
        (window_update(0, 65_535), &["(window_size_increment=65535)"]),
        (raw(0x2a, 0x41, 9, b"hm\x1b[31m"), &["; 0x01 | 0x40", r"(payload(7)=[hm\u{1b}[31m])"]),
    ] {
        assert_eq!(lines(frame), expected);
    }
    let promise = lines(push_promise(1, 2));
    assert_eq!(promise[..2], ["; END_HEADERS", "(padlen=0, promised_stream_id=2)"]);
    let first = &seen([raw(0x2a, 0x41, 9, b"")])[0].lines()[0];
    assert_eq!(first, "unknown(0x2a) frame <length=0, flags=0x41, stream_id=9>");
}

#[test]
fn what_is_wrong_with_a_frame_is_told_and_the_next_one_follows() {
    let huge = data(1, &vec![b'x'; 20_000]);
    for (frame, violation) in [
        (ping([0; 8]).with_payload(&[0; 7]), Violation::FrameLength),
        (ping([0; 8]).on_stream(1), Violation::FrameOnWrongStream),
        (data(0, b"x"), Violation::FrameOnWrongStream),
        (data(1, b"").padded(0).with_payload(&[9, 0]), Violation::BadPadding),
        (headers(1, &[]).with_priority().with_payload(&[0; 4]), Violation::FrameLength),
        (settings_ack().with_payload(&[0; 6]), Violation::FrameLength),
        (settings(&[(5, 1)]), Violation::SettingOutOfRange),
        (settings(&[(4, 1 << 31)]), Violation::InitialWindowOutOfRange),
        (goaway(0, ErrorCode::NO_ERROR, b"").with_payload(&[0; 7]), Violation::FrameLength),
        (window_update(1, 0), Violation::ZeroWindowUpdate),
        (continuation(1, b""), Violation::HeaderBlockInterrupted),
        (headers(1, &[]).with_payload(&[0xff; 9]), Violation::Compression),
        (huge, Violation::FrameTooLarge),
    ] {
        let seen = seen([frame.clone(), ping(*b"onwards!")]);
        assert_eq!((wrong(&seen[0]), wrong(&seen[1])), (Some(violation), None), "{frame:?}");
        let words = format!("; wrong: {violation} ({})", violation.code());
        assert_eq!(seen[0].lines().last(), Some(&words));
    }
}

#[test]
fn no_byte_of_a_field_block_is_shown_but_as_a_field() {
    let secret = format!("{:?}", b"secret");
    let frames = [
        headers(1, &[]).padded(0).with_payload(b"\xffsecret"),
        headers(1, &[]).with_payload(b"\0\x01asecret"),
        continuation(1, b"secret"),
        headers(3, &[("authorization", "secret")]),
    ];
    for (at, seen) in seen(frames).iter().enumerate() {
        let shown = format!("{seen:?}");
        assert!(!shown.contains("secret") && !shown.contains(&secret[1..20]), "{shown}");
        assert!(!seen.lines().concat().contains("secret"), "{at}: {:?}", seen.lines());
    }
}

#[test]
fn a_block_in_several_frames_is_told_with_the_last_of_them() {
    let all = seen(in_two(1, &block(&REQUEST)));
    assert_eq!(all[0].lines()[1], "(the fields come with the last CONTINUATION)");
    assert_eq!(all[1].lines()[1..3], ["; END_HEADERS", ":method: POST"]);

    // What comes between is told to be wrong, and the block goes on behind it.
    let [first, last] = in_two(1, &block(&REQUEST));
    let all = seen([first, ping([0; 8]), last]);
    assert_eq!(wrong(&all[1]), Some(Violation::HeaderBlockInterrupted));
    assert_eq!(fields_of(&all[2]).list.len(), 3);
}

#[test]
fn after_a_block_that_cannot_be_read_later_ones_are_told_to_be_unreadable() {
    let broken = block(&[(":status", "200")]).into_iter().chain([0xff; 9]).collect::<Vec<_>>();
    let all = seen([headers(1, &[]).with_payload(&broken), headers(3, &REQUEST), data(3, b"still read")]);
    let first = fields_of(&all[0]);
    assert_eq!(first.list, [(b":status".to_vec(), b"200".to_vec())], "what came before the error is told");
    assert!(matches!(first.unreadable, Some(Unreadable::Hpack(_))));
    assert_eq!(*fields_of(&all[1]), Fields { unreadable: Some(Unreadable::TableLost), ..Fields::default() });
    assert_eq!(all[2].lines()[1], "(data(10)=[still read])");

    // A block that is broken off by another has changed the table too.
    let all = seen([headers(1, &REQUEST).unfinished(), headers(3, &REQUEST), headers(5, &REQUEST)]);
    assert_eq!(wrong(&all[1]), Some(Violation::HeaderBlockInterrupted));
    assert_eq!(fields_of(&all[2]).unreadable, Some(Unreadable::TableLost));
}

#[test]
fn a_table_size_counts_from_the_acknowledgement_of_who_is_bound() {
    let mut encoder = Encoder::new();
    let mut next = || {
        let mut block = Vec::new();
        encoder.begin_block(&mut block);
        encoder.field(Field::incremental(b"apns-topic", b"com.example.app"), &mut block);
        encoder.set_table_size_max(0);
        headers(1, &[]).with_payload(&block).bytes()
    };
    let (literal, shrunk) = (next(), next());
    for (acknowledged, update_is_due) in [(true, true), (false, false)] {
        let mut trace = Trace::new(Role::Server);
        trace.received(PREFACE, |_| {});
        trace.sent(&settings(&[(1, 0)]).bytes(), |_| {});
        let ack = if acknowledged { settings_ack().bytes() } else { Vec::new() };
        let mut blocks = Vec::new();
        trace.received(&[&ack[..], &literal].concat(), |seen| blocks.push(seen));
        let refused = fields_of(&blocks[blocks.len() - 1]).unreadable.is_some();
        assert_eq!(refused, update_is_due, "without an update first");

        let mut trace = Trace::new(Role::Server);
        trace.received(PREFACE, |_| {});
        trace.sent(&settings(&[(1, 0)]).bytes(), |_| {});
        let mut blocks = Vec::new();
        trace.received(&[&literal[..], &settings_ack().bytes(), &shrunk].concat(), |seen| blocks.push(seen));
        assert_eq!(fields_of(&blocks[2]).unreadable, None);
        assert_eq!(fields_of(&blocks[2]).list, fields_of(&blocks[0]).list);
    }
}

#[test]
fn an_http_1_request_is_told_and_not_read_as_frames() {
    let request = b"POST /3/device/00ff HTTP/1.1\r\nauthorization: bearer x\r\n\r\n";
    let mut trace = Trace::new(Role::Server);
    let mut all = Vec::new();
    for byte in request {
        trace.received(&[*byte], |seen| all.push(seen));
    }
    assert_eq!(all, [Seen::NotPreface(b"POST /3/device/00ff HTTP".to_vec())]);
    assert!(all[0].lines()[1].contains("does not begin with the HTTP/2 preface"));
    assert_eq!(trace.end_received(), None);
}

#[test]
fn what_is_cut_off_at_the_end_is_told() {
    let frame = data(1, &[b'x'; 1000]).bytes();
    for (len, told) in [
        (0, None),
        (5, Some("; after 5 bytes of a frame's head, or of the 24 of the preface")),
        (9, Some("; it ends after 0 of these 1000 bytes")),
        (900, Some("; it ends after 891 of these 1000 bytes")),
        (1009, None),
    ] {
        let mut trace = Trace::new(Role::Server);
        trace.sent(&frame[..len], |_| {});
        let end = trace.end_sent().map(|seen| seen.lines()[1].clone());
        assert_eq!(end.as_deref(), told, "{len} bytes");
        assert_eq!(trace.end_sent(), None, "told once");
    }
}

#[test]
fn what_is_shown_of_a_frame_is_bounded() {
    let Seen::Frame(frame) = &seen([data(1, &[b'x'; 5000])])[0] else { panic!() };
    let Payload::Data { data, .. } = &frame.payload else { panic!() };
    assert_eq!((data.first.len(), data.len), (EXCERPT_BYTES_MAX, 5000));

    let many = settings(&vec![(3, 1); SETTINGS_SHOWN_MAX + 5]);
    assert_eq!(lines(many).last().unwrap(), "(and 5 more)");

    // A field of 3 KiB goes into the table, and each byte behind it stands for it once more.
    let mut bytes = Vec::new();
    Encoder::new().field(Field::incremental(b"x", &[b'x'; 3000]), &mut bytes);
    bytes.resize(10_000, 0xbe);
    let all = seen([headers(1, &[]).with_payload(&bytes)]);
    let fields = fields_of(&all[0]);
    assert_eq!(fields.list.len(), FIELD_BYTES_SHOWN_MAX / 3033);
    assert!(fields.omitted > 6000 && all[0].bytes() < 2 * FIELD_BYTES_SHOWN_MAX);

    let endless = (0..6).map(|at| match at {
        0 => headers(1, &[]).with_payload(&[0x82; 16_384]).unfinished(),
        5 => continuation(1, &[]),
        _ => Frame { flags: 0, ..continuation(1, &[0x82; 16_384]) },
    });
    let all = seen(endless);
    assert_eq!(fields_of(&all[5]).unreadable, Some(Unreadable::TooLarge));
    const { assert!(5 * 16_384 > HEADER_BLOCK_BYTES_MAX) };
}

proptest! {
    #[test]
    fn any_bytes_are_told_alike_in_any_pieces(
        role in prop_oneof![Just(Role::Client), Just(Role::Server)],
        greeted in any::<bool>(),
        bytes in vec(any::<u8>(), 0..600),
        cuts in vec(any::<Index>(), 0..8),
    ) {
        let bytes = [if greeted { greeting(role) } else { vec![] }, bytes].concat();
        is_told_alike(role, &bytes, &cuts)?;
    }

    #[test]
    fn any_frames_are_told_alike_in_any_pieces(
        role in prop_oneof![Just(Role::Client), Just(Role::Server)],
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
        is_told_alike(role, &bytes, &cuts)?;
    }

    /// Begun anywhere, a trace tells what one tells that has been there from the start.
    #[test]
    fn it_may_begin_anywhere(steps in vec(step(), 0..60), begin in any::<Index>()) {
        let mut world = World::new();
        let begin = begin.index(steps.len() + 1);
        for (at, step) in steps.iter().enumerate() {
            if at == begin {
                world.begin();
            }
            world.take(*step);
        }
        if begin == steps.len() {
            world.begin();
        }
        world.finish();
        let (begun, late) = (world.begun_at, world.late.unwrap());
        prop_assert_eq!(&late.received[..], &world.whole.received[begun..]);
        prop_assert!(world.whole.sent.ends_with(&late.sent));
        prop_assert!(!late.received.is_empty() && !late.sent.is_empty());
        for seen in world.whole.received.iter().chain(&world.whole.sent) {
            prop_assert_eq!(wrong(seen), None, "{:?}", seen.lines());
        }
    }
}

fn is_told_alike(role: Role, bytes: &[u8], cuts: &[Index]) -> Result<(), TestCaseError> {
    let whole = told(role, [bytes]);
    let room: usize = whole.iter().map(Seen::bytes).sum();
    prop_assert!(room <= whole.len() * 4 * FIELD_BYTES_SHOWN_MAX);
    for seen in &whole {
        prop_assert!(!seen.lines().is_empty());
    }
    prop_assert_eq!(&told(role, pieces(bytes, cuts)), &whole);
    prop_assert_eq!(&told(role, bytes.chunks(1)), &whole);
    Ok(())
}

fn told<'a>(role: Role, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Seen> {
    let (mut trace, mut all) = (Trace::new(role), Vec::new());
    for piece in pieces {
        trace.received(piece, |seen| all.push(seen));
    }
    all.extend(trace.end_received());
    all
}

/// A server that is watched, and its client; bytes go to and fro in pieces.
struct World {
    pair: Pair,
    whole: Watcher,
    late: Option<Watcher>,
    /// What the whole trace had told of what was received when the late one began.
    begun_at: usize,
    pushes: u32,
}

struct Watcher {
    trace: Trace,
    received: Vec<Seen>,
    sent: Vec<Seen>,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// The client pushes, with a field that the table may know by now.
    Push(u8),
    /// Every request without an answer is answered.
    Answer,
    /// The client, or the server, lets the other have a table of another size.
    TableSize { of_client: bool, size: u32 },
    /// So many bytes go to the server, or come from it.
    Carry { to_server: bool, bytes: usize },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..6_u8).prop_map(Step::Push),
        2 => Just(Step::Answer),
        1 => (any::<bool>(), 0..300_u32).prop_map(|(of_client, size)| Step::TableSize { of_client, size }),
        6 => (any::<bool>(), 1..200_usize).prop_map(|(to_server, bytes)| Step::Carry { to_server, bytes }),
    ]
}

impl Watcher {
    fn received(&mut self, bytes: &[u8]) {
        self.trace.received(bytes, |seen| self.received.push(seen));
    }

    fn sent(&mut self, bytes: &[u8]) {
        self.trace.sent(bytes, |seen| self.sent.push(seen));
    }
}

impl World {
    fn new() -> Self {
        let config = Config { huffman: Huffman::Shorter, ..Config::default() };
        let pair = Pair { client: Connection::client(config), server: Connection::server(config) };
        let whole = Watcher { trace: Trace::new(Role::Server), received: Vec::new(), sent: Vec::new() };
        Self { pair, whole, late: None, begun_at: 0, pushes: 0 }
    }

    fn begin(&mut self) {
        self.begun_at = self.whole.received.len();
        let mut received = Vec::new();
        let trace = self.pair.server.trace_from_here(|seen| received.push(seen));
        self.late = Some(Watcher { trace, received, sent: Vec::new() });
    }

    fn watchers(&mut self) -> impl Iterator<Item = &mut Watcher> {
        [Some(&mut self.whole), self.late.as_mut()].into_iter().flatten()
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Push(topic) => {
                let topic = format!("com.example.app{topic}");
                let fields = [&PUSH[..3], &[Field::incremental(b"apns-topic", topic.as_bytes())]].concat();
                let stream = self.pair.client.open(&fields, false).unwrap();
                self.pair.client.send_data(stream, "{}".into(), true).unwrap();
                self.pushes += 1;
            }
            Step::Answer => {
                for stream in (1..=self.pair.server.last_peer_stream().get()).step_by(2) {
                    let id = format!("id-of-{}", stream % 8);
                    let fields = [
                        Field::incremental(b":status", b"200"),
                        Field::incremental(b"apns-id", id.as_bytes()),
                    ];
                    // Most are answered already, and some not open yet.
                    let _ = self.pair.server.send_headers(apns_http2::StreamId::new(stream), &fields, true);
                }
            }
            Step::TableSize { of_client, size } => {
                let side = if of_client { &mut self.pair.client } else { &mut self.pair.server };
                side.settings(Settings { header_table_size: Some(size), ..Settings::default() }).unwrap();
            }
            Step::Carry { to_server, bytes } => self.carry(to_server, bytes),
        }
    }

    fn carry(&mut self, to_server: bool, max: usize) {
        let Pair { client, server } = &mut self.pair;
        let (from, to) = if to_server { (client, server) } else { (server, client) };
        let Some(bytes) = from.poll_transmit() else { return };
        let bytes = bytes[..bytes.len().min(max)].to_vec();
        from.transmitted(bytes.len());
        to.recv(Duration::ZERO, &bytes);
        while to.poll_event(&mut ()).unwrap().is_some() {}
        self.watchers().for_each(|it| if to_server { it.received(&bytes) } else { it.sent(&bytes) });
    }

    /// One more push and its answer, and all that waits.
    fn finish(&mut self) {
        for step in [Step::Push(0), Step::Answer] {
            self.take(step);
            for _ in 0..3 {
                self.carry(true, usize::MAX);
                self.carry(false, usize::MAX);
            }
        }
        self.take(Step::Answer);
        self.carry(false, usize::MAX);
    }
}
