//! Windows of streams and of the connection, both ways (RFC 9113 sections 5.2 and 6.9).

use apns_http2::{
    CommandError, Config, DEFAULT_WINDOW, ErrorCode, Grants, MAX_WINDOW, Settings, StreamId, Violation,
    hpack::Field, limits::OUTPUT_HIGH_WATER,
};
use bytes::Bytes;

use crate::support::{
    Frame, OK, PUSH, Pair, RawPeer, Seen, body_of, codes, data, headers, reset, setting, settings,
    settings_ack, window_update,
};

const MANUAL: fn() -> Config = || Config { grants: Grants::Manual, ..Config::default() };

fn window(size: u32) -> Settings {
    Settings { initial_window_size: Some(size), ..Settings::default() }
}

/// Bytes that show where they belong.
fn body(len: usize) -> Bytes {
    (0..len).map(|n| (n / 251 + n) as u8).collect()
}

/// The lengths of DATA frames, by stream.
fn lengths(frames: &[Frame]) -> Vec<(u32, usize)> {
    let data = frames.iter().filter(|frame| frame.name() == "DATA");
    data.map(|frame| (frame.stream, frame.payload.len())).collect()
}

fn updates(frames: &[Frame]) -> Vec<Frame> {
    frames.iter().filter(|frame| frame.name() == "WINDOW_UPDATE").cloned().collect()
}

#[test]
fn a_body_larger_than_all_windows_arrives_whole_both_ways() {
    let content = body(1_000_000);
    for (ours, theirs) in [(65_535, 65_535), (1, 70_000), (70_000, 1), (16_384, 0x7fff_ffff)] {
        let config = |size| Config { settings: window(size), ..Config::default() };
        let content = content.slice(..if ours == 1 || theirs == 1 { 3_000 } else { content.len() });
        let mut pair = Pair::new(config(ours), config(theirs));
        let stream = pair.exchange();
        pair.client.send_data(stream, content.clone(), true).unwrap();
        pair.server.send_data(stream, content.clone(), true).unwrap();
        let told = pair.drive();
        assert!(body_of(&told.server, stream) == (content.to_vec(), true), "to the server, {ours} {theirs}");
        assert!(body_of(&told.client, stream) == (content.to_vec(), true), "to the client, {ours} {theirs}");
        assert_eq!((pair.client.open_streams(), pair.server.open_streams()), (0, 0));
        pair.assert_windows_agree([]);
    }
}

#[test]
fn nothing_is_sent_beyond_the_window_of_a_stream() {
    let mut pair = Pair::new(Config::default(), MANUAL());
    pair.server.widen_window(StreamId::CONNECTION, 1_000_000).unwrap();
    let stream = pair.exchange();
    pair.client.send_data(stream, body(100_000), true).unwrap();
    let (got, ended) = body_of(&pair.drive().server, stream);
    assert_eq!((got.len(), ended), (65_535, false));
    assert_eq!(pair.client.stream_send_window(stream), Some(0));

    pair.server.release(stream, 30_000);
    assert_eq!(body_of(&pair.drive().server, stream).0.len(), 0, "less than half is not worth a frame");
    pair.server.release(stream, 10_000);
    assert_eq!(body_of(&pair.drive().server, stream).0.len(), 34_465);
    assert_eq!(
        pair.client.send_data(stream, body(1), true),
        Err(CommandError::StreamNotOpen),
        "all of it was sent"
    );
    pair.assert_windows_agree([stream]);
}

#[test]
fn nothing_is_sent_beyond_the_window_of_the_connection() {
    let config = Config { settings: window(1 << 20), ..MANUAL() };
    let mut pair = Pair::new(Config::default(), config);
    let streams = [pair.exchange(), pair.exchange()];
    for stream in streams {
        pair.client.send_data(stream, body(50_000), true).unwrap();
    }
    let told = pair.drive().server;
    let got = streams.map(|stream| body_of(&told, stream).0.len());
    assert_eq!(got, [50_000, 15_535]);
    assert_eq!(pair.client.send_window(), 0);
    pair.server.release(streams[0], 50_000);
    let told = pair.drive().server;
    assert_eq!(body_of(&told, streams[1]), (body(50_000)[15_535..].to_vec(), true));
}

#[test]
fn of_what_small_messages_used_at_most_a_thirty_second_is_missing() {
    let mut pair = Pair::new(Config::default(), Config::default());
    for _ in 0..1000 {
        let stream = pair.exchange();
        pair.client.send_data(stream, body(200), true).unwrap();
        pair.drive();
        let missing = 65_535 - pair.client.send_window();
        assert!(missing < 65_535 / 32, "{missing} bytes that came to be read and were not granted again");
    }
}

#[test]
fn a_stream_that_may_not_send_does_not_hold_up_the_others() {
    let mut peer = RawPeer::of_client(Config::default());
    peer.sends([window_update(0, 1_000_000)]);
    let (first, second) = (peer.opened(), peer.opened());
    peer.subject.send_data(first, body(100_000), true).unwrap();
    peer.subject.send_data(second, body(100), true).unwrap();
    assert_eq!(lengths(&peer.reads()).last(), Some(&(3, 100)));
    peer.sends([window_update(1, 1_000_000)]);
    assert_eq!(lengths(&peer.reads()), [(1, 16_384), (1, 16_384), (1, 100_000 - 65_535 - 32_768)]);
}

#[test]
fn bodies_that_wait_for_the_connection_go_out_in_turns() {
    let mut peer = RawPeer::of_client(Config::default());
    peer.sends([settings(&[(setting::INITIAL_WINDOW_SIZE, 1 << 20)])]);
    let streams = [peer.opened(), peer.opened(), peer.opened()];
    for stream in streams {
        peer.subject.send_data(stream, body(100_000), true).unwrap();
    }
    peer.reads();
    peer.sends([(); 9].map(|()| window_update(1, 1))); // gives no place in the line that a stream has already
    peer.sends([window_update(0, 16_384 * 6)]);
    let sent: Vec<u32> = lengths(&peer.reads()).iter().map(|(stream, _)| *stream).collect();
    assert_eq!(sent, [1, 3, 5, 1, 3, 5]);
}

#[test]
fn a_lowered_initial_window_goes_below_zero_and_comes_back() {
    let mut pair = Pair::new(Config::default(), MANUAL());
    let stream = pair.exchange();
    pair.client.send_data(stream, body(50_000), false).unwrap();
    pair.drive();
    pair.server.settings(window(1000)).unwrap();
    assert_eq!(pair.server.receive_window(stream), Some(15_535), "not before the acknowledgement");
    pair.drive();
    assert_eq!(pair.client.stream_send_window(stream), Some(1000 - 50_000));
    assert_eq!(pair.server.receive_window(stream), Some(1000 - 50_000));

    pair.client.send_data(stream, body(20_000), true).unwrap();
    pair.server.release(stream, 49_000);
    assert_eq!(body_of(&pair.drive().server, stream).0.len(), 0);
    assert_eq!(pair.client.stream_send_window(stream), Some(0));
    pair.server.settings(window(30_000)).unwrap();
    assert_eq!(body_of(&pair.drive().server, stream), (body(20_000).to_vec(), true));
    pair.assert_windows_agree([stream]);
}

#[test]
fn what_is_owed_when_the_initial_window_is_lowered_is_granted_at_once() {
    let mut pair = Pair::new(Config::default(), Config::default());
    let stream = pair.exchange();
    pair.client.send_data(stream, body(30_000), false).unwrap(); // less than half: no update yet
    pair.drive();
    pair.server.settings(window(100)).unwrap();
    pair.drive();
    assert_eq!(pair.client.stream_send_window(stream), Some(100));
    pair.client.send_data(stream, body(1000), true).unwrap();
    let (got, ended) = body_of(&pair.drive().server, stream);
    assert_eq!((got.len(), ended), (1000, true), "no DATA could come to trigger the update");
}

#[test]
fn a_raised_initial_window_lets_waiting_bodies_go() {
    let mut peer = RawPeer::of_client(Config::default());
    peer.sends([settings(&[(setting::INITIAL_WINDOW_SIZE, 0)]), window_update(0, 1_000_000)]);
    let streams = [peer.opened(), peer.opened()];
    for stream in streams {
        peer.subject.send_data(stream, body(1000), true).unwrap();
    }
    assert_eq!(peer.reads(), []);
    peer.sends([settings(&[(setting::INITIAL_WINDOW_SIZE, 600)])]);
    assert_eq!(lengths(&peer.reads()), [(1, 600), (3, 600)]);
    peer.sends([settings(&[(setting::INITIAL_WINDOW_SIZE, 599)])]);
    peer.sends([window_update(3, 401)]);
    assert_eq!(lengths(&peer.reads()), [(3, 400)]);
}

#[test]
fn frames_are_as_long_as_the_peer_allows() {
    let mut peer = RawPeer::of_client(Config::default());
    let stream = peer.opened();
    peer.subject.send_data(stream, body(40_000), false).unwrap();
    assert_eq!(lengths(&peer.reads()), [(1, 16_384), (1, 16_384), (1, 40_000 - 32_768)]);
    peer.sends([
        settings(&[(setting::MAX_FRAME_SIZE, 30_000)]),
        window_update(1, 100_000),
        window_update(0, 100_000),
    ]);
    peer.subject.send_data(stream, body(40_000), true).unwrap();
    assert_eq!(lengths(&peer.reads()), [(1, 30_000), (1, 10_000)]);
}

#[test]
fn a_body_can_end_while_windows_are_shut() {
    let mut peer = RawPeer::of_client(Config::default());
    peer.sends([settings(&[(setting::INITIAL_WINDOW_SIZE, 0)])]);
    let (empty, waiting) = (peer.opened(), peer.opened());
    peer.subject.send_data(empty, Bytes::new(), true).unwrap();
    assert_eq!(peer.reads(), [data(1, b"").end_stream()]);

    peer.subject.send_data(waiting, Bytes::from_static(b"waits"), false).unwrap();
    peer.subject.send_data(waiting, Bytes::new(), true).unwrap();
    assert_eq!(peer.subject.send_data(waiting, body(1), false), Err(CommandError::StreamNotOpen));
    assert_eq!(peer.reads(), [], "the end may not overtake the body");
    peer.sends([window_update(3, 5)]);
    assert_eq!(peer.reads(), [data(3, b"waits").end_stream()]);
}

#[test]
fn trailers_wait_for_the_body_before_them() {
    let mut pair = Pair::new(Config::default(), MANUAL());
    let stream = pair.exchange();
    pair.client.send_data(stream, body(70_000), false).unwrap();
    pair.client.send_headers(stream, &[Field::incremental(b"x-end", b"1")], true).unwrap();
    assert_eq!(pair.client.send_data(stream, body(1), true), Err(CommandError::StreamNotOpen));
    assert_eq!(pair.client.send_headers(stream, &OK, true), Err(CommandError::StreamNotOpen));
    let other = pair.client.open(&PUSH, true).unwrap(); // its block is compressed before the trailers are
    let told = pair.drive().server;
    assert!(!body_of(&told, stream).1);
    assert!(body_of(&told, other).1);
    pair.server.release(stream, 70_000);
    let told = pair.drive().server;
    assert!(matches!(
        &told[..],
        [Seen::Data { end_stream: false, .. }, Seen::Headers { end_stream: true, .. }]
    ));
    assert_eq!(body_of(&told, stream).0.len(), 70_000 - 65_535);
}

#[test]
fn a_queued_body_goes_when_its_stream_does() {
    let mut peer = RawPeer::of_client(Config::default());
    let streams = [peer.opened(), peer.opened(), peer.opened()];
    for stream in streams {
        peer.subject.send_data(stream, body(100_000), true).unwrap();
    }
    peer.reads();
    peer.subject.reset(streams[0], ErrorCode::CANCEL).unwrap();
    peer.sends([reset(3, ErrorCode::CANCEL), window_update(0, 1_000_000)]);
    peer.sends([window_update(1, 1_000_000), window_update(3, 1_000_000), window_update(5, 1_000_000)]);
    let frames = peer.reads();
    assert_eq!(codes(&frames), [(1, ErrorCode::CANCEL)]);
    assert_eq!(lengths(&frames).iter().map(|(_, len)| len).sum::<usize>(), 100_000);
    assert!(lengths(&frames).iter().all(|(stream, _)| *stream == 5));
}

#[test]
fn padding_counts_and_is_given_back_at_once() {
    let mut peer = RawPeer::of_server(MANUAL());
    peer.requests(1);
    let frames = std::iter::repeat_n(data(1, b"x").padded(255), 200);
    peer.sends(frames);
    let held = 200;
    let taken = 200 * 257;
    let frames = updates(&peer.reads());
    for id in [0, 1] {
        let increments = frames.iter().filter(|frame| frame.stream == id);
        let granted: u32 =
            increments.map(|frame| u32::from_be_bytes(frame.payload[..].try_into().unwrap())).sum();
        assert!(granted > 32_767 && granted <= taken - held);
        let left = DEFAULT_WINDOW - taken + granted;
        assert_eq!(peer.subject.receive_window(StreamId::new(id)), Some(left.cast_signed()));
    }
}

#[test]
fn data_for_a_stream_that_we_reset_is_given_back_to_the_connection() {
    for grants in [Grants::Automatic, Grants::Manual] {
        let mut peer = RawPeer::of_server(Config { grants, ..Config::default() });
        peer.requests(1);
        peer.subject.reset(StreamId::FIRST, ErrorCode::CANCEL).unwrap();
        peer.reads();
        let told =
            peer.sends([data(1, &body(16_384)), data(1, &body(16_384)), data(1, &body(16_384)).end_stream()]);
        assert_eq!(told, []);
        assert_eq!(peer.reads(), [window_update(0, 3 * 16_384)], "once for all");
    }
}

#[test]
fn what_a_stream_took_is_released_after_its_end_too() {
    let mut peer = RawPeer::of_server(MANUAL());
    peer.requests(1);
    peer.sends([data(1, &body(16_384)), data(1, &body(16_384)), data(1, &body(16_384)).end_stream()]);
    peer.subject.release(StreamId::FIRST, 16_384);
    peer.answered(1);
    peer.subject.send_data(StreamId::FIRST, Bytes::new(), true).unwrap();
    assert_eq!(peer.subject.open_streams(), 0);
    peer.reads();
    peer.subject.release(StreamId::FIRST, 2 * 16_384);
    assert_eq!(peer.reads(), [window_update(0, 2 * 16_384)], "nothing for the stream");
}

#[test]
fn more_than_was_taken_is_not_given_back() {
    let mut peer = RawPeer::of_server(MANUAL());
    peer.requests(1);
    peer.sends([data(1, &body(16_384)), data(1, &body(16_384))]);
    peer.subject.release(StreamId::FIRST, usize::MAX);
    peer.subject.release(StreamId::FIRST, usize::MAX);
    assert_eq!(peer.reads(), [window_update(0, 32_768), window_update(1, 32_768)]);
}

#[test]
fn a_stream_that_sends_beyond_its_window_is_reset() {
    let config = Config { settings: window(100), ..Config::default() };
    let mut peer = RawPeer::of_server(config);
    peer.requests(1);
    peer.requests(3);
    let told = peer.sends([data(1, &body(101)), data(3, &body(16_384)), data(3, &body(16_384))]);
    assert_eq!(told, [1, 3].map(|stream| Seen::refused(stream, Violation::StreamWindowExceeded)));
    let frames = peer.reads();
    assert_eq!(codes(&frames), [1, 3].map(|stream| (stream, ErrorCode::FLOW_CONTROL_ERROR)));
    assert_eq!(updates(&frames), [window_update(0, 101 + 32_768)], "the connection gets all of it back");
    peer.still_serves(5);
}

#[test]
fn a_connection_that_sends_beyond_its_window_ends() {
    let mut peer = RawPeer::of_server(MANUAL());
    peer.subject.settings(window(MAX_WINDOW)).unwrap();
    peer.sends([settings_ack()]);
    peer.requests(1);
    peer.sends([(); 3].map(|()| data(1, &body(16_384))));
    peer.sends([data(1, &body(16_383))]);
    assert_eq!(peer.subject.receive_window(StreamId::CONNECTION), Some(0));
    peer.sends([data(1, b"")]);
    assert_eq!(peer.breaks_with([data(1, b"x")]), Violation::ConnectionWindowExceeded);
}

#[test]
fn a_window_above_the_highest_is_an_error_of_its_owner() {
    let mut peer = RawPeer::of_server(Config::default());
    peer.requests(1);
    let told = peer.sends([window_update(1, MAX_WINDOW)]);
    assert_eq!(told, [Seen::refused(1, Violation::WindowOverflow)]);
    assert_eq!(codes(&peer.reads()), [(1, ErrorCode::FLOW_CONTROL_ERROR)]);
    assert_eq!(peer.breaks_with([window_update(0, MAX_WINDOW)]), Violation::WindowOverflow);

    let mut peer = RawPeer::of_server(Config::default());
    peer.requests(1);
    peer.sends([window_update(1, MAX_WINDOW - 65_535)]);
    let raise = settings(&[(setting::INITIAL_WINDOW_SIZE, 65_536)]);
    assert_eq!(peer.breaks_with([raise]), Violation::WindowOverflow);
}

#[test]
fn an_update_of_zero_is_an_error_of_its_owner() {
    let mut peer = RawPeer::of_server(Config::default());
    peer.requests(1);
    assert_eq!(peer.sends([window_update(1, 0)]), [Seen::refused(1, Violation::ZeroWindowUpdate)]);
    assert_eq!(peer.sends([window_update(1, 0)]), [], "the stream is closed by now");
    assert_eq!(peer.breaks_with([window_update(0, 0)]), Violation::ZeroWindowUpdate);
}

#[test]
fn windows_can_be_widened_by_hand() {
    let mut pair = Pair::new(Config::default(), Config { connection_window: 1 << 20, ..MANUAL() });
    assert_eq!(pair.client.send_window(), 1 << 20);
    let stream = pair.exchange();
    pair.server.widen_window(stream, 1000).unwrap();
    pair.server.widen_window(StreamId::CONNECTION, 1000).unwrap();
    pair.drive();
    assert_eq!(pair.client.stream_send_window(stream), Some(66_535));
    assert_eq!(pair.client.send_window(), (1 << 20) + 1000);
    let out_of_range = Err(CommandError::OutOfRange { what: "the window" });
    assert_eq!(pair.server.widen_window(stream, 0), out_of_range);
    assert_eq!(pair.server.widen_window(stream, MAX_WINDOW), out_of_range);
    assert_eq!(pair.server.widen_window(StreamId::new(99), 1), Err(CommandError::StreamNotOpen));
    assert_eq!(pair.drive().client, []);
    pair.assert_windows_agree([stream]);
}

#[test]
fn a_connection_window_above_the_highest_still_flows() {
    let config = Config { connection_window: u32::MAX, settings: window(u32::MAX), ..Config::default() };
    let mut pair = Pair::new(Config::default(), config);
    assert_eq!(pair.client.send_window(), MAX_WINDOW as usize);
    let stream = pair.exchange();
    assert_eq!(pair.client.stream_send_window(stream), Some(i32::MAX));
}

#[test]
fn ready_output_stays_below_its_high_water_and_follows_the_reader() {
    let mut peer = RawPeer::of_client(Config::default());
    peer.sends([
        settings(&[(setting::INITIAL_WINDOW_SIZE, MAX_WINDOW)]),
        window_update(0, MAX_WINDOW - 65_535),
    ]);
    let stream = peer.opened();
    peer.subject.send_data(stream, body(2_000_000), true).unwrap();
    let mut got = Vec::new();
    while let Some(ready) = peer.subject.poll_transmit() {
        assert!(ready.len() < OUTPUT_HIGH_WATER + 16_384 + 9);
        got.extend_from_slice(&ready[..ready.len().min(10_000)]);
        let count = ready.len().min(10_000);
        peer.subject.transmitted(count);
    }
    let content: Vec<u8> = Frame::parse_all(&got).into_iter().flat_map(|frame| frame.payload).collect();
    assert!(content == body(2_000_000));
}

#[test]
fn a_window_that_opens_byte_by_byte_is_used_byte_by_byte() {
    let mut peer = RawPeer::of_server(Config::default());
    peer.sends([settings(&[(setting::INITIAL_WINDOW_SIZE, 0)])]);
    peer.sends([headers(1, &crate::support::REQUEST).end_stream()]);
    peer.answered(1);
    peer.subject.send_data(StreamId::FIRST, Bytes::from_static(b"abc"), true).unwrap();
    for expected in [data(1, b"a"), data(1, b"b"), data(1, b"c").end_stream()] {
        peer.sends([window_update(1, 1)]);
        assert_eq!(peer.reads(), [expected]);
    }
    assert_eq!(peer.subject.open_streams(), 0);
}
