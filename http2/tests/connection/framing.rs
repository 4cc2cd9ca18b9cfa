//! Answers with padding and in many frames, for a caller that asks for them (RFC 9113 sections 6.1, 6.2 and 6.10).

use std::num::NonZeroU16;

use apns_http2::{
    CommandError, Config, Framing, Grants, Section, Settings, StreamId, Violation,
    hpack::Field,
    limits::{Limits, Rate},
};
use bytes::Bytes;

use crate::support::{
    Frame, OK, Pair, REQUEST, RawPeer, Seen, block, body_of, continuation, data, headers, setting, settings,
    window_update,
};

const FIELDS: [Field<'static>; 2] =
    [Field::literal(b":status", b"503"), Field::literal(b"apns-id", b"0123456789")];
const AS_TEXT: [(&str, &str); 2] = [(":status", "503"), ("apns-id", "0123456789")];

fn padded(padding: u8) -> Framing {
    Framing { padding: Some(padding), ..Framing::default() }
}

fn in_parts_of(block_bytes: u16) -> Framing {
    Framing { block_bytes: NonZeroU16::new(block_bytes), ..Framing::default() }
}

/// A server to which a client by hand has sent a request, on stream 1, which it answers in this form.
fn asked(framing: Framing) -> RawPeer {
    let mut peer = RawPeer::of_server(Config::default());
    peer.sends([headers(1, &REQUEST).end_stream()]);
    peer.subject.set_framing(StreamId::FIRST, framing).unwrap();
    peer
}

#[test]
fn a_field_block_goes_out_in_frames_of_at_most_so_many_bytes() {
    let whole = block(&AS_TEXT);
    for part in 1..=whole.len() + 1 {
        let mut peer = asked(in_parts_of(u16::try_from(part).unwrap()));
        peer.subject.send_headers(StreamId::FIRST, &FIELDS, true).unwrap();
        let mut expected: Vec<Frame> =
            whole.chunks(part).map(|part| continuation(1, part).unfinished()).collect();
        expected[0] = headers(1, &[]).with_payload(&expected[0].payload).end_stream().unfinished();
        expected.last_mut().unwrap().flags |= 4; // END_HEADERS
        assert_eq!(peer.reads(), expected, "in parts of {part}");
    }
}

#[test]
fn headers_and_data_are_padded_and_continuations_are_not() {
    for padding in [0, 1, 255] {
        let mut peer = asked(Framing { padding: Some(padding), ..in_parts_of(8) });
        peer.subject.send_headers(StreamId::FIRST, &FIELDS, false).unwrap();
        peer.subject.send_data(StreamId::FIRST, Bytes::from_static(b"{}"), false).unwrap();
        peer.subject.send_data(StreamId::FIRST, Bytes::new(), true).unwrap();
        let whole = block(&AS_TEXT);
        let mut parts = whole.chunks(8);
        let mut expected =
            vec![headers(1, &[]).with_payload(parts.next().unwrap()).unfinished().padded(padding)];
        expected.extend(parts.map(|part| continuation(1, part).unfinished()));
        expected.last_mut().unwrap().flags |= 4; // END_HEADERS
        expected.push(data(1, b"{}").padded(padding));
        expected.push(data(1, b"").padded(padding).end_stream());
        assert_eq!(peer.reads(), expected, "{padding} bytes");
    }
}

#[test]
fn no_frame_is_longer_for_its_padding_than_the_peer_takes() {
    let mut peer = asked(padded(255));
    peer.sends([window_update(0, 100_000), window_update(1, 100_000)]);
    let long = "v".repeat(20_000);
    let fields = [Field::literal(b":status", b"200"), Field::literal(b"x-long", long.as_bytes())];
    peer.subject.send_headers(StreamId::FIRST, &fields, false).unwrap();
    let frames = peer.reads();
    let whole = block(&[(":status", "200"), ("x-long", &long)]).len();
    let lengths: Vec<_> = frames.iter().map(|frame| (frame.name(), frame.payload.len())).collect();
    assert_eq!(lengths, [("HEADERS", 16_384), ("CONTINUATION", whole - (16_384 - 256))]);

    peer.subject.send_data(StreamId::FIRST, Bytes::from(vec![7; 40_000]), true).unwrap();
    let lengths: Vec<_> = peer.reads().iter().map(|frame| frame.payload.len()).collect();
    assert_eq!(lengths, [16_384, 16_384, 40_000 - 2 * (16_384 - 256) + 256]);
}

#[test]
fn interim_answers_and_trailers_have_the_same_form_even_trailers_that_had_to_wait() {
    let mut peer = asked(Framing { padding: Some(9), ..in_parts_of(4) });
    peer.subject.send_headers(StreamId::FIRST, &[Field::literal(b":status", b"103")], false).unwrap();
    peer.subject.send_headers(StreamId::FIRST, &OK, false).unwrap();
    peer.subject.send_data(StreamId::FIRST, Bytes::from(vec![7; 70_000]), false).unwrap();
    let trailer = [Field::literal(b"x-checksum", b"12")];
    peer.subject.send_headers(StreamId::FIRST, &trailer, true).unwrap();
    let mut sections = peer.reads();
    peer.sends([window_update(0, 70_000), window_update(1, 70_000)]);
    sections.extend(peer.reads());
    sections.retain(|frame| frame.name() != "DATA");

    let interim = block(&[(":status", "103")]);
    let trailers = block(&[("x-checksum", "12")]);
    let mut expected = vec![
        headers(1, &[]).with_payload(&interim[..4]).unfinished().padded(9),
        continuation(1, &interim[4..]),
        headers(1, &[]).with_payload(&[0x88]).padded(9),
        headers(1, &[]).with_payload(&trailers[..4]).unfinished().padded(9).end_stream(),
    ];
    expected.extend(trailers[4..].chunks(4).map(|part| continuation(1, part).unfinished()));
    expected.last_mut().unwrap().flags |= 4; // END_HEADERS
    assert_eq!(sections, expected);
}

#[test]
fn our_client_reads_it_and_both_sides_count_padding_for_both_windows() {
    let config = Config { grants: Grants::Manual, ..Config::default() };
    let mut pair = Pair::new(config, config);
    let stream = pair.exchange();
    pair.server.set_framing(stream, Framing { padding: Some(99), ..in_parts_of(2) }).unwrap();
    for byte in b"{}" {
        pair.server.send_data(stream, Bytes::copy_from_slice(&[*byte]), false).unwrap();
    }
    let windows = (pair.server.send_window(), pair.server.stream_send_window(stream));
    assert_eq!(windows, (65_535 - 2 * 101, Some(65_535 - 2 * 101)));
    let told = pair.drive().client;
    assert_eq!(told, [Seen::data(1, b"{", false), Seen::data(1, b"}", false)]);
    pair.assert_windows_agree([stream]);

    let body = Bytes::from(vec![7; 500_000]);
    pair.server.send_data(stream, body.clone(), false).unwrap();
    pair.server.send_headers(stream, &[Field::literal(b"x-checksum", b"12")], true).unwrap();
    let mut told = pair.drive().client;
    while !body_of(&told, stream).1 {
        pair.client.release(stream, 32_768);
        told.extend(pair.drive().client);
        pair.assert_windows_agree([stream]);
    }
    assert!(body_of(&told, stream).0 == body);
    assert_eq!(told.pop(), Some(Seen::headers(1, Section::Trailers, &[("x-checksum", "12")], true)));
}

#[test]
fn a_window_too_small_for_the_padding_stops_nothing() {
    let small = Settings { initial_window_size: Some(300), ..Settings::default() };
    let mut pair = Pair::new(Config { settings: small, ..Config::default() }, Config::default());
    let streams = [pair.exchange(), pair.exchange()];
    for stream in streams {
        pair.server.set_framing(stream, padded(255)).unwrap();
        pair.server.send_data(stream, Bytes::from(vec![7; 1_000]), false).unwrap();
        pair.server.send_data(stream, Bytes::new(), true).unwrap();
    }
    let told = pair.drive().client;
    for stream in streams {
        assert_eq!(body_of(&told, stream), (vec![7; 1_000], true));
    }

    let mut peer = asked(padded(255));
    peer.sends([settings(&[(setting::INITIAL_WINDOW_SIZE, 0)])]);
    peer.subject.send_headers(StreamId::FIRST, &OK, false).unwrap();
    peer.reads();
    peer.subject.send_data(StreamId::FIRST, Bytes::from_static(b"abc"), false).unwrap();
    peer.sends([window_update(1, 1)]);
    peer.sends([window_update(1, 10)]);
    assert_eq!(peer.reads(), [data(1, b"a"), data(1, b"bc").padded(7)], "as much as there is room for");
    peer.subject.send_data(StreamId::FIRST, Bytes::new(), true).unwrap();
    assert_eq!(peer.reads(), [data(1, b"").end_stream()]);
}

#[test]
fn a_form_is_for_one_stream_and_for_what_is_sent_from_then_on() {
    let mut peer = asked(padded(7));
    peer.sends([headers(3, &REQUEST).end_stream()]);
    peer.subject.send_headers(StreamId::new(3), &OK, true).unwrap();
    peer.subject.send_headers(StreamId::FIRST, &OK, false).unwrap();
    peer.subject.set_framing(StreamId::FIRST, Framing::default()).unwrap();
    peer.subject.send_data(StreamId::FIRST, Bytes::from_static(b"{}"), true).unwrap();
    let ok = headers(1, &[(":status", "200")]);
    assert_eq!(
        peer.reads(),
        [ok.clone().on_stream(3).end_stream(), ok.padded(7), data(1, b"{}").end_stream()]
    );
    for closed in [1, 3, 5] {
        let answer = peer.subject.set_framing(StreamId::new(closed), padded(7));
        assert_eq!(answer, Err(CommandError::StreamNotOpen), "stream {closed}");
    }
}

#[test]
fn windows_may_be_widened_for_padding_and_for_data_apart() {
    let limits = Limits { window_updates: Rate { burst: 0, per_second: 0 }, ..Limits::default() };
    let mut peer = RawPeer::of_server(Config { limits, ..Config::default() });
    peer.sends([headers(1, &REQUEST).end_stream()]);
    peer.subject.set_framing(StreamId::FIRST, padded(255)).unwrap();
    peer.subject.send_headers(StreamId::FIRST, &OK, false).unwrap();
    peer.subject.send_data(StreamId::FIRST, Bytes::from_static(b"{}"), false).unwrap();
    for bytes in [256, 2] {
        peer.sends([window_update(0, bytes), window_update(1, bytes)]);
    }
    assert_eq!(peer.breaks_with([window_update(0, 1)]), Violation::TooManyWindowUpdates);
}
