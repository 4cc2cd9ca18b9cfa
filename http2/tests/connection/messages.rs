//! Requests, answers, trailers, and messages that are not well-formed (RFC 9113 section 8).

use apns_http2::{
    CommandError, Config, ErrorCode, Section, Settings, StreamId, Violation,
    hpack::{Field, Huffman},
    limits::FIELD_SECTION_BYTES_MAX,
};
use bytes::Bytes;

use crate::support::{
    Frame, OK, PUSH, Pair, REQUEST, RawPeer, Seen, block, codes, continuation, data, headers, priority,
    reset, setting, settings, settings_ack,
};

const TOPIC: (&str, &str) = ("apns-topic", "com.example.app");

fn request_and(extra: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    [&REQUEST, extra].concat()
}

#[test]
fn a_request_and_its_answer_cross_with_their_bodies() {
    for huffman in [Huffman::Never, Huffman::Shorter] {
        let config = Config { huffman, ..Config::default() };
        let mut pair = Pair::new(config, config);
        let stream = pair.client.open(&PUSH, false).unwrap();
        pair.client.send_data(stream, Bytes::from_static(b"{\"aps\":{}}"), true).unwrap();
        let told = pair.drive();
        assert_eq!(
            told.server,
            [
                Seen::headers(1, Section::Request, &request_and(&[TOPIC]), false),
                Seen::data(1, b"{\"aps\":{}}", true),
            ]
        );

        pair.server.send_headers(stream, &[Field::incremental(b":status", b"400")], false).unwrap();
        pair.server.send_data(stream, Bytes::from_static(b"{\"reason\":\"BadTopic\"}"), true).unwrap();
        let told = pair.drive();
        assert_eq!(
            told.client,
            [
                Seen::headers(1, Section::Response, &[(":status", "400")], false),
                Seen::data(1, b"{\"reason\":\"BadTopic\"}", true),
            ]
        );
        assert_eq!((pair.client.open_streams(), pair.server.open_streams()), (0, 0));
    }
}

#[test]
fn interim_answers_come_before_the_final_one() {
    let mut pair = Pair::new(Config::default(), Config::default());
    let stream = pair.client.open(&PUSH, true).unwrap();
    pair.drive();
    for status in [b"100", b"103"] {
        pair.server.send_headers(stream, &[Field::literal(b":status", status)], false).unwrap();
    }
    pair.server.send_headers(stream, &OK, true).unwrap();
    let sections = pair.drive().client.into_iter().map(|seen| match seen {
        Seen::Headers { section, end_stream, .. } => (section, end_stream),
        other => panic!("{other:?}"),
    });
    let interim = (Section::Informational, false);
    assert_eq!(sections.collect::<Vec<_>>(), [interim, interim, (Section::Response, true)]);
}

#[test]
fn an_interim_answer_never_ends_a_stream_and_no_content_precedes_the_final_one() {
    for bad in
        [headers(1, &[(":status", "103")]).end_stream(), headers(1, &[(":status", "101")]), data(1, b"x")]
    {
        let mut peer = RawPeer::of_client(Config::default());
        peer.opened();
        let seen = peer.sends([headers(1, &[(":status", "103")]), bad]);
        assert!(matches!(seen[1], Seen::Reset { code: ErrorCode::PROTOCOL_ERROR, .. }), "{seen:?}");
    }
}

#[test]
fn trailers_end_a_body_both_ways() {
    let mut pair = Pair::new(Config::default(), Config::default());
    let stream = pair.exchange();
    let trailers = [Field::literal(b"x-checksum", b"12")];
    pair.client.send_data(stream, Bytes::from_static(b"there"), false).unwrap();
    pair.client.send_headers(stream, &trailers, true).unwrap();
    pair.server.send_data(stream, Bytes::from_static(b"back"), false).unwrap();
    pair.server.send_headers(stream, &trailers, true).unwrap();
    let told = pair.drive();
    let end = Seen::headers(1, Section::Trailers, &[("x-checksum", "12")], true);
    assert_eq!(told.server, [Seen::data(1, b"there", false), end.clone()]);
    assert_eq!(told.client, [Seen::data(1, b"back", false), end]);
    assert_eq!((pair.client.open_streams(), pair.server.open_streams()), (0, 0));
}

#[test]
fn trailers_that_do_not_end_their_stream_reset_it() {
    let mut peer = RawPeer::of_server(Config::default());
    peer.requests(1);
    let seen = peer.sends([headers(1, &[("x", "y")])]);
    assert_eq!(seen, [Seen::refused(1, Violation::FrameOutOfOrder)]);

    let mut peer = RawPeer::of_client(Config::default());
    peer.opened();
    let seen = peer.sends([headers(1, &[(":status", "200")]), headers(1, &[("x", "y")])]);
    assert_eq!(seen[1], Seen::refused(1, Violation::FrameOutOfOrder));
}

#[test]
fn a_body_that_is_not_as_long_as_announced_resets_its_stream_alone() {
    let five = headers(1, &request_and(&[("content-length", "5")]));
    let bodies: [&[Frame]; 6] = [
        &[five.clone(), data(1, b"123456")],
        &[five.clone(), data(1, b"123"), data(1, b"456").end_stream()],
        &[five.clone(), data(1, b"1234").end_stream()],
        &[five.clone(), data(1, b"").end_stream()],
        &[five.clone().end_stream()],
        &[five.clone(), data(1, b"1234"), headers(1, &[("x", "y")]).end_stream()],
    ];
    for body in bodies {
        let mut peer = RawPeer::of_server(Config::default());
        let seen = peer.sends(body.iter().cloned());
        assert_eq!(seen.last(), Some(&Seen::refused(1, Violation::ContentLengthMismatch)), "{body:?}");
        assert_eq!(codes(&peer.reads()), [(1, ErrorCode::PROTOCOL_ERROR)]);
        peer.still_serves(3);
    }
    let mut peer = RawPeer::of_server(Config::default());
    let seen = peer.sends([five, data(1, b"12").padded(9), data(1, b"345").end_stream()]);
    assert_eq!(seen.last(), Some(&Seen::data(1, b"345", true)), "padding is no content");
}

#[test]
fn an_answer_without_content_may_tell_the_length_it_would_have() {
    let answer = |status| headers(1, &[(":status", status), ("content-length", "5")]);
    let verdict = |method: &[u8], frames: &[Frame]| {
        let mut peer = RawPeer::of_client(Config::default());
        let head = [Field::literal(b":method", method), PUSH[1], PUSH[2]];
        peer.subject.open(&head, true).unwrap();
        match peer.sends(frames.iter().cloned()).pop() {
            Some(Seen::Reset { violation, .. }) => violation,
            _ => None,
        }
    };
    let mismatch = Some(Violation::ContentLengthMismatch);
    for (method, status) in [(&b"HEAD"[..], "200"), (b"GET", "204"), (b"GET", "304")] {
        assert_eq!(verdict(method, &[answer(status).end_stream()]), None);
        assert_eq!(verdict(method, &[answer(status), data(1, b"").end_stream()]), None);
        assert_eq!(verdict(method, &[answer(status), data(1, b"12345").end_stream()]), mismatch);
    }
    assert_eq!(verdict(b"GET", &[answer("200").end_stream()]), mismatch);
    assert_eq!(verdict(b"GET", &[answer("200"), data(1, b"12345").end_stream()]), None);
}

#[test]
fn a_malformed_request_resets_its_stream_and_keeps_the_tables_in_step() {
    let mut peer = RawPeer::of_server(Config::default());
    let malformed: [&[(&str, &str)]; 9] = [
        &[],
        &REQUEST[..2],
        &[("x", "before"), REQUEST[0], REQUEST[1], REQUEST[2]],
        &[REQUEST[0], REQUEST[1], REQUEST[2], (":path", "/twice")],
        &[REQUEST[0], REQUEST[1], REQUEST[2], (":status", "200")],
        &[REQUEST[0], REQUEST[1], REQUEST[2], ("Apns-Topic", "upper case")],
        &[REQUEST[0], REQUEST[1], REQUEST[2], ("connection", "close")],
        &[REQUEST[0], REQUEST[1], REQUEST[2], ("x", "line\r\nbreak")],
        &[REQUEST[0], REQUEST[1], (":path", "")],
    ];
    for (n, fields) in (0..).zip(malformed) {
        let id = 2 * n + 1;
        // A literal that enters the table behind the fault: the table must have it, though nobody is told of it.
        let entry = [b"\x40\x01k".as_slice(), &[1, b'a' + n as u8]].concat();
        let broken = headers(id, fields).with_payload(&[block(fields), entry].concat());
        assert_eq!(peer.sends([broken]), [Seen::refused(id, Violation::MalformedMessage)], "{fields:?}");
        assert_eq!(codes(&peer.reads()), [(id, ErrorCode::PROTOCOL_ERROR)]);
    }
    let newest_three = [block(&REQUEST), vec![0x80 + 62, 0x80 + 63, 0x80 + 64]].concat();
    let seen = peer.sends([headers(99, &[]).with_payload(&newest_three).end_stream()]);
    let fields = request_and(&[("k", "i"), ("k", "h"), ("k", "g")]);
    assert_eq!(seen, [Seen::headers(99, Section::Request, &fields, true)]);
}

#[test]
fn a_malformed_answer_resets_its_stream_alone() {
    for fields in [
        &[][..],
        &[(":status", "20")],
        &[(":path", "/"), (":status", "200")],
        &[(":status", "200"), ("A", "b")],
    ] {
        let mut peer = RawPeer::of_client(Config::default());
        peer.opened();
        let next = peer.opened();
        assert_eq!(peer.sends([headers(1, fields)]), [Seen::refused(1, Violation::MalformedMessage)]);
        assert_eq!(codes(&peer.reads()), [(1, ErrorCode::PROTOCOL_ERROR)]);
        let seen = peer.sends([headers(next.get(), &[(":status", "200")]).end_stream()]);
        assert_eq!(seen.len(), 1);
    }
}

#[test]
fn a_block_may_be_cut_anywhere() {
    let fields = request_and(&[TOPIC]);
    let whole = block(&fields);
    let expected = Seen::headers(1, Section::Request, &fields, true);
    for cut in 0..=whole.len() {
        for cut_again in [cut, whole.len()] {
            let mut peer = RawPeer::of_server(Config::default());
            let seen = peer.sends([
                headers(1, &[]).with_payload(&whole[..cut]).unfinished().end_stream(),
                continuation(1, &whole[cut..cut_again]).unfinished(),
                continuation(1, &whole[cut_again..]),
            ]);
            assert_eq!(seen, std::slice::from_ref(&expected), "cut at {cut}");
        }
    }
}

#[test]
fn padding_and_priority_around_a_block_are_not_part_of_it() {
    let plain = headers(1, &REQUEST).end_stream();
    for frame in [
        plain.clone().padded(0),
        plain.clone().padded(255),
        plain.clone().with_priority(),
        plain.with_priority().padded(7),
    ] {
        let mut peer = RawPeer::of_server(Config::default());
        assert_eq!(peer.sends([frame]), [Seen::headers(1, Section::Request, &REQUEST, true)]);
    }
}

#[test]
fn priority_and_unknown_frames_change_nothing() {
    let mut peer = RawPeer::of_server(Config::default());
    let unknown = Frame { kind: 0xbe, flags: 0xff, stream: 77, payload: vec![1; 100] };
    let told = peer.sends([
        priority(1),
        unknown.clone(),
        headers(1, &REQUEST),
        priority(1),
        priority(2),
        unknown.clone().on_stream(1),
        data(1, b"{}").end_stream(),
        priority(1),
        unknown.on_stream(0),
    ]);
    let expected = [Seen::headers(1, Section::Request, &REQUEST, false), Seen::data(1, b"{}", true)];
    assert_eq!(told, expected);
    assert_eq!(peer.reads(), []);
}

#[test]
fn a_section_larger_than_we_allow_is_refused_once_the_peer_knows() {
    let limit = |bytes| Settings { max_header_list_size: Some(bytes), ..Settings::default() };
    let mut peer = RawPeer::of_server(Config { settings: limit(200), ..Config::default() });
    let long = "x".repeat(100);
    let large = request_and(&[]).into_iter().chain([("apns-topic", &*long)]).collect::<Vec<_>>();
    assert_eq!(peer.sends([headers(1, &large)]), [Seen::refused(1, Violation::FieldSectionTooLarge)]);
    peer.still_serves(3);

    peer.subject.settings(limit(8000)).unwrap();
    let seen = peer.sends([headers(5, &large), settings_ack(), headers(7, &large)]);
    assert_eq!(seen[0], Seen::refused(5, Violation::FieldSectionTooLarge), "not in force before the ACK");
    assert!(matches!(seen[2], Seen::Headers { .. }), "{seen:?}");
}

#[test]
fn a_block_that_grows_a_thousandfold_is_refused_without_any_setting() {
    let mut peer = RawPeer::of_server(Config::default());
    let value = "v".repeat(4000);
    let entry = [b"\x40\x01k\x7f\xa1\x1e", value.as_bytes()].concat(); // enters the table: 4000 = 127 + 3873
    let references = vec![0x80 + 62; 12_000];
    let bomb = headers(1, &[]).with_payload(&[block(&REQUEST), entry, references].concat());
    assert!(12_000 * 4033 > FIELD_SECTION_BYTES_MAX as usize);
    assert_eq!(peer.sends([bomb]), [Seen::refused(1, Violation::FieldSectionTooLarge)]);
    peer.still_serves(3);
}

#[test]
fn a_section_longer_than_a_frame_goes_out_in_several() {
    let mut pair = Pair::new(Config::default(), Config::default());
    let value = vec![b'v'; 40_000];
    let long = [&PUSH[..], &[Field::literal(b"x-long", &value)]].concat();
    let stream = pair.client.open(&long, true).unwrap();
    let frames = Frame::parse_all(pair.client.poll_transmit().unwrap());
    let names: Vec<_> = frames.iter().map(Frame::name).collect();
    assert_eq!(names, ["HEADERS", "CONTINUATION", "CONTINUATION"]);
    assert!(frames[0].is_end_stream() && frames.iter().all(|frame| frame.payload.len() <= 16_384));
    let told = pair.drive();
    let [Seen::Headers { fields, end_stream: true, .. }] = &told.server[..] else { panic!("{told:?}") };
    assert_eq!(fields.last().unwrap().1.as_bytes(), value);
    pair.server.send_headers(stream, &OK, true).unwrap();
    assert_eq!(pair.drive().client.len(), 1);
}

#[test]
fn a_section_larger_than_the_peer_allows_is_not_sent() {
    let mut peer = RawPeer::of_client(Config::default());
    peer.sends([settings(&[(setting::MAX_HEADER_LIST_SIZE, 250)])]);
    let stream = peer.opened();
    let value = [b'x'; 200];
    let large = [Field::literal(b"x", &value), Field::literal(b"y", b"")];
    let too_large = Err(CommandError::FieldSectionTooLarge { size: 1 + 200 + 32 + 1 + 32, limit: 250 });
    assert_eq!(peer.subject.open(&large, false).map(drop), too_large);
    assert_eq!(peer.subject.send_headers(stream, &large, true), too_large);
    peer.subject.send_data(stream, Bytes::from(vec![0; 100_000]), false).unwrap();
    assert_eq!(peer.subject.send_headers(stream, &large, true), too_large, "nor while a body waits");
    assert!(peer.reads().iter().all(|frame| frame.name() == "DATA"));
}

#[test]
fn an_early_answer_and_a_reset_without_error_end_a_request_quietly() {
    let mut pair = Pair::new(Config::default(), Config::default());
    let stream = pair.client.open(&PUSH, false).unwrap();
    pair.client.send_data(stream, Bytes::from(vec![b'x'; 200_000]), true).unwrap();
    pair.carry_to_server(1000);
    pair.server.send_headers(stream, &[Field::literal(b":status", b"413")], true).unwrap();
    assert_eq!(pair.server.open_streams(), 1, "the request has not ended");
    pair.server.reset(stream, ErrorCode::NO_ERROR).unwrap();
    let told = pair.drive();
    assert_eq!(told.server, [], "what was under way is ignored");
    let answer = Seen::headers(1, Section::Response, &[(":status", "413")], true);
    assert_eq!(told.client, [answer, Seen::reset(1, ErrorCode::NO_ERROR)]);
    assert_eq!(pair.client.send_data(stream, Bytes::new(), true), Err(CommandError::StreamNotOpen));
    pair.assert_windows_agree([]);
    pair.exchange();
}

#[test]
fn commands_out_of_order_are_refused_and_write_nothing() {
    let mut pair = Pair::new(Config::default(), Config::default());
    let stream = pair.client.open(&PUSH, true).unwrap();
    pair.drive();
    let nothing = Bytes::new();
    let not_open = Err(CommandError::StreamNotOpen);
    let unknown = StreamId::new(9);
    assert_eq!(pair.server.open(&PUSH, true), Err(CommandError::WrongRole { side: "client" }));
    assert_eq!(pair.server.send_data(stream, nothing.clone(), true), not_open, "content before the head");
    assert_eq!(pair.server.send_headers(unknown, &OK, true), not_open);
    assert_eq!(pair.server.reset(unknown, ErrorCode::CANCEL), not_open);
    assert_eq!(pair.client.send_data(stream, nothing.clone(), true), not_open, "after the end");
    assert_eq!(pair.client.send_headers(stream, &OK, true), not_open, "after the end");
    pair.server.send_headers(stream, &OK, false).unwrap();
    let trailers = pair.server.send_headers(stream, &OK, false);
    assert_eq!(trailers, Err(CommandError::OutOfRange { what: "end_stream of trailers" }));
    pair.drive();
    pair.server.send_data(stream, nothing.clone(), true).unwrap();
    assert_eq!(pair.server.send_data(stream, nothing, true), not_open, "closed");
    assert_eq!(pair.drive().client, [Seen::data(1, b"", true)]);
}

#[test]
fn a_reset_by_the_peer_is_told_once() {
    let mut peer = RawPeer::of_server(Config::default());
    peer.requests(1);
    let again = [reset(1, ErrorCode::CANCEL), reset(1, ErrorCode::CANCEL)];
    assert_eq!(peer.sends(again), [Seen::reset(1, ErrorCode::CANCEL)]);
    assert_eq!(peer.subject.open_streams(), 0);
    assert_eq!(peer.reads(), []);
}
