//! Every frame where it does not belong, and the code that RFC 9113 gives for it (sections 3.4, 4, 5.1 and 6).

use apns_http2::{Config, Connection, ErrorCode, StreamId, Violation};
use bytes::Bytes;

use crate::support::{
    Frame, OK, PREFACE, PUSH, REQUEST, RawPeer, Seen, block, codes, continuation, data, goaway, headers,
    ping, priority, push_promise, reset, settings, settings_ack, window_update,
};

fn server() -> RawPeer {
    RawPeer::of_server(Config::default())
}

fn client() -> RawPeer {
    RawPeer::of_client(Config::default())
}

fn greeting(bytes: &[u8]) -> RawPeer {
    let mut peer = RawPeer::silent(Connection::server(Config::default()));
    peer.sends_bytes(bytes);
    peer
}

#[test]
fn the_preface_may_come_in_any_pieces() {
    let opening = [PREFACE, &settings(&[]).bytes()].concat();
    for cut in 0..=opening.len() {
        let mut peer = greeting(&opening[..cut]);
        peer.sends_bytes(&opening[cut..]);
        peer.still_serves(1);
    }
}

#[test]
fn what_is_not_the_preface_is_told_at_the_same_byte_however_it_is_cut() {
    let openings: [(&[u8], Violation); 8] = [
        (b"GET / HTTP/1.1\r\n", Violation::Http1Request),
        (b"POST /3/device/00 HTTP/1.1\r\n", Violation::Http1Request),
        (b"PUT / HTTP/1.1\r\n", Violation::Http1Request),
        (b"PATCH / HTTP/1.1\r\n", Violation::Http1Request),
        (b"GETS", Violation::BadPreface),
        (b"PRI * HTTP/2.1", Violation::BadPreface),
        (b"\x16\x03\x01", Violation::BadPreface),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r", Violation::BadPreface),
    ];
    for (opening, violation) in openings {
        for cut in 0..opening.len() {
            let mut peer = RawPeer::silent(Connection::server(Config::default()));
            peer.subject.recv(peer.now, &opening[..cut]);
            let _ = peer.subject.poll_event(&mut ());
            peer.subject.recv(peer.now, &opening[cut..]);
            let error = peer.subject.poll_event(&mut ()).unwrap_err();
            assert_eq!(error.violation, violation, "{opening:?} cut at {cut}");
        }
        let mut peer = RawPeer::silent(Connection::server(Config::default()));
        assert_eq!(peer.breaks_with_bytes(opening), violation);
    }
}

#[test]
fn the_first_frame_is_settings_on_both_sides() {
    for first in [
        ping([0; 8]),
        settings_ack(),
        headers(1, &REQUEST),
        window_update(0, 1),
        goaway(0, ErrorCode::NO_ERROR, b""),
    ] {
        assert_eq!(greeting(PREFACE).breaks_with([first.clone()]), Violation::FirstFrameNotSettings);
        let mut peer = RawPeer::silent(Connection::client(Config::default()));
        peer.reads_bytes();
        assert_eq!(peer.breaks_with([first]), Violation::FirstFrameNotSettings);
    }
}

#[test]
fn frames_on_a_stream_that_was_never_opened_end_the_connection() {
    for on_idle in [data(5, b"x"), reset(5, ErrorCode::CANCEL), window_update(5, 1)] {
        assert_eq!(server().breaks_with([on_idle.clone()]), Violation::IdleStream);
        assert_eq!(client().breaks_with([on_idle.clone()]), Violation::IdleStream);
        let even = on_idle.on_stream(2);
        assert_eq!(server().breaks_with([even.clone()]), Violation::IdleStream);
        assert_eq!(client().breaks_with([even]), Violation::IdleStream);
    }
    assert_eq!(client().breaks_with([headers(1, &[(":status", "200")])]), Violation::IdleStream);
    let mut peer = server();
    assert_eq!(peer.sends([priority(5)]), [], "PRIORITY may come at any time");
    peer.still_serves(5);
}

#[test]
fn frames_belong_to_a_stream_or_to_the_connection() {
    let on_connection = [data(0, b""), headers(0, &REQUEST), priority(0), reset(0, ErrorCode::CANCEL)]
        .map(|frame| (frame, 0));
    let on_stream = [settings(&[]), settings_ack(), ping([0; 8]), goaway(0, ErrorCode::NO_ERROR, b"")]
        .map(|frame| (frame, 1));
    for (frame, stream) in on_connection.into_iter().chain(on_stream) {
        let misplaced = frame.on_stream(stream);
        let mut peer = server();
        peer.requests(1);
        assert_eq!(peer.breaks_with([misplaced.clone()]), Violation::FrameOnWrongStream, "{misplaced:?}");
        let mut peer = client();
        peer.opened();
        assert_eq!(peer.breaks_with([misplaced.clone()]), Violation::FrameOnWrongStream, "{misplaced:?}");
    }
}

#[test]
fn frames_of_fixed_length_have_it() {
    let wrong: [(Frame, &[usize]); 7] = [
        (priority(1), &[0, 4, 6]),
        (reset(1, ErrorCode::CANCEL), &[0, 3, 5]),
        (settings(&[]), &[1, 5, 7]),
        (settings_ack(), &[1, 6]),
        (ping([0; 8]), &[0, 7, 9]),
        (goaway(0, ErrorCode::NO_ERROR, b""), &[0, 7]),
        (window_update(1, 1), &[0, 3, 5]),
    ];
    for (frame, lengths) in wrong {
        for len in lengths {
            let mut peer = server();
            peer.requests(1);
            let broken = frame.clone().with_payload(&vec![0; *len]);
            assert_eq!(peer.breaks_with([broken]), Violation::FrameLength, "{} of {len}", frame.name());
            assert_eq!(Violation::FrameLength.code(), ErrorCode::FRAME_SIZE_ERROR);
        }
    }
    let priority_cut_off = headers(1, &[]).with_priority().with_payload(&[0; 4]);
    assert_eq!(server().breaks_with([priority_cut_off]), Violation::FrameLength);
}

#[test]
fn padding_is_shorter_than_its_frame() {
    for kind in [data(1, b""), headers(1, &[])] {
        for (payload, violation) in [
            (&[][..], Violation::FrameLength),
            (&[1], Violation::BadPadding),
            (&[3, 0, 0], Violation::BadPadding),
            (&[255, 0, 0], Violation::BadPadding),
        ] {
            let mut peer = server();
            if kind.name() == "DATA" {
                peer.requests(1);
            }
            assert_eq!(
                peer.breaks_with([kind.clone().padded(0).with_payload(payload)]),
                violation,
                "{payload:?}"
            );
        }
    }
    let mut peer = server();
    peer.requests(1);
    let all_padding = data(1, b"").padded(0).with_payload(&[2, 0, 0]).end_stream();
    assert_eq!(peer.sends([all_padding]), [Seen::data(1, b"", true)], "nothing but padding is allowed");
}

#[test]
fn nothing_comes_between_the_parts_of_a_block() {
    let part = headers(1, &REQUEST).unfinished();
    for between in [
        data(1, b"x"),
        headers(1, &REQUEST),
        headers(3, &REQUEST),
        priority(1),
        reset(1, ErrorCode::CANCEL),
        settings(&[]),
        ping([0; 8]),
        goaway(0, ErrorCode::NO_ERROR, b""),
        window_update(0, 1),
        continuation(3, b""),
        Frame { kind: 99, flags: 0, stream: 1, payload: vec![] },
    ] {
        assert_eq!(server().breaks_with([part.clone(), between]), Violation::HeaderBlockInterrupted);
    }
    assert_eq!(server().breaks_with([continuation(1, b"")]), Violation::HeaderBlockInterrupted);
    let after_the_end = [headers(1, &REQUEST), continuation(1, b"")];
    assert_eq!(server().breaks_with(after_the_end), Violation::HeaderBlockInterrupted);
}

#[test]
fn push_is_refused_on_both_sides() {
    let mut peer = client();
    peer.opened();
    assert_eq!(peer.breaks_with([push_promise(1, 2)]), Violation::PushPromise);
    assert_eq!(server().breaks_with([push_promise(1, 2)]), Violation::PushPromise);
}

#[test]
fn streams_of_a_client_are_odd_and_rise() {
    assert_eq!(server().breaks_with([headers(2, &REQUEST)]), Violation::BadStreamId);
    let mut peer = server();
    peer.requests(1);
    peer.requests(7);
    assert_eq!(peer.breaks_with([headers(5, &REQUEST)]), Violation::BadStreamId, "it was passed over");
}

#[test]
fn a_half_closed_stream_takes_updates_and_no_message() {
    let end = |peer: &mut RawPeer| peer.sends([headers(1, &REQUEST).end_stream()]);
    for (late, violation) in [
        (data(1, b"x"), Violation::StreamClosed),
        (data(1, b"").end_stream(), Violation::StreamClosed),
        (headers(1, &[("x", "y")]).end_stream(), Violation::StreamClosed),
        (headers(1, &REQUEST), Violation::StreamClosed),
    ] {
        let mut peer = server();
        end(&mut peer);
        assert_eq!(peer.sends([late]), [Seen::refused(1, violation)]);
        assert_eq!(codes(&peer.reads()), [(1, ErrorCode::STREAM_CLOSED)]);
        peer.still_serves(3);
    }
    let mut peer = server();
    end(&mut peer);
    assert_eq!(peer.sends([window_update(1, 1), priority(1), reset(1, ErrorCode::CANCEL)]).len(), 1);
}

#[test]
fn a_closed_stream_takes_nothing_but_leftovers() {
    let closed = || {
        let mut peer = server();
        peer.sends([headers(1, &REQUEST).end_stream()]);
        peer.subject.send_headers(StreamId::FIRST, &OK, true).unwrap();
        peer.reads();
        peer
    };
    let mut peer = closed();
    assert_eq!(
        peer.sends([window_update(1, 1), window_update(1, 0), priority(1), reset(1, ErrorCode::CANCEL)]),
        []
    );
    assert_eq!(peer.reads(), []);
    assert_eq!(peer.sends([data(1, b"x")]), [Seen::refused(1, Violation::StreamClosed)]);
    assert_eq!(peer.sends([data(1, b"x")]), [], "told once");
    assert_eq!(codes(&peer.reads()), [(1, ErrorCode::STREAM_CLOSED)]);
    assert_eq!(closed().breaks_with([headers(1, &REQUEST)]), Violation::StreamClosed);

    let mut peer = client();
    peer.subject.open(&PUSH, true).unwrap();
    let answer = || headers(1, &[(":status", "200")]).end_stream();
    peer.sends([answer()]);
    assert_eq!(peer.subject.open_streams(), 0);
    assert_eq!(peer.breaks_with([answer()]), Violation::StreamClosed);
}

#[test]
fn a_stream_reset_by_its_peer_is_closed_for_good() {
    let reset_by_peer = || {
        let mut peer = server();
        peer.requests(1);
        peer.sends([reset(1, ErrorCode::CANCEL)]);
        peer
    };
    assert_eq!(reset_by_peer().sends([data(1, b"x")]), [Seen::refused(1, Violation::StreamClosed)]);
    assert_eq!(
        reset_by_peer().breaks_with([headers(1, &[("x", "y")]).end_stream()]),
        Violation::StreamClosed
    );
}

#[test]
fn a_stream_reset_by_us_takes_leftovers_in_silence() {
    let mut peer = server();
    peer.requests(1);
    peer.subject.reset(StreamId::FIRST, ErrorCode::CANCEL).unwrap();
    peer.reads();
    let entry = [block(&[("x", "y")]), b"\x40\x01k\x01v".to_vec()].concat();
    let leftovers = [
        data(1, b"x"),
        window_update(1, 1),
        headers(1, &[]).with_payload(&entry).end_stream(),
        reset(1, ErrorCode::CANCEL),
    ];
    assert_eq!(peer.sends(leftovers), []);
    assert_eq!(peer.reads(), []);
    let with_entry = [block(&REQUEST), vec![0x80 + 62]].concat();
    let told = peer.sends([headers(3, &[]).with_payload(&with_entry)]);
    assert!(
        matches!(&told[..], [Seen::Headers { fields, .. }] if fields[3].0 == "k"),
        "the table has the entry"
    );
}

#[test]
fn content_before_the_head_of_an_answer_resets_the_stream() {
    let mut peer = client();
    let stream = peer.opened();
    assert_eq!(peer.sends([data(1, b"x")]), [Seen::refused(1, Violation::FrameOutOfOrder)]);
    let sent = peer.subject.send_data(stream, Bytes::new(), true);
    assert!(sent.is_err());
}

#[test]
fn a_block_that_cannot_be_decompressed_ends_the_connection() {
    for broken in [&[0x80][..], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff], &[0x40, 0x7f], &[0x3f, 0xff, 0x7f]] {
        let mut peer = server();
        assert_eq!(peer.breaks_with([headers(1, &[]).with_payload(broken)]), Violation::Compression);
        assert_eq!(Violation::Compression.code(), ErrorCode::COMPRESSION_ERROR);
    }
    let mut peer = server();
    peer.requests(1);
    peer.subject.reset(StreamId::FIRST, ErrorCode::CANCEL).unwrap();
    peer.reads();
    let on_reset_stream = headers(1, &[]).with_payload(&[0x80]);
    assert_eq!(peer.breaks_with([on_reset_stream]), Violation::Compression, "on a stream that is gone, too");
}

#[test]
fn a_frame_above_the_size_limit_ends_the_connection_at_its_head() {
    for kind in 0..=10 {
        let head = [0, 0x40, 0x01, kind, 0, 0, 0, 0, 1]; // 16385 bytes of which none has come
        assert_eq!(server().breaks_with_bytes(&head), Violation::FrameTooLarge);
    }
}

#[test]
fn the_same_error_is_told_again_and_nothing_more_is_written() {
    let mut peer = server();
    assert_eq!(peer.breaks_with([settings_ack()]), Violation::UnexpectedSettingsAck);
    peer.subject.recv(peer.now, &headers(1, &REQUEST).bytes());
    for _ in 0..2 {
        let error = peer.subject.poll_event(&mut ()).unwrap_err();
        assert_eq!(error.violation, Violation::UnexpectedSettingsAck);
    }
    assert_eq!(peer.reads(), []);
}
