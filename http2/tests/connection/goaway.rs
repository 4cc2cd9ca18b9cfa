//! GOAWAY: the end of a connection, announced, refined, explained (RFC 9113 section 6.8).

use apns_http2::{CommandError, Config, ErrorCode, Grants, StreamId, Violation, hpack::Field};
use bytes::Bytes;

use crate::support::{
    OK, PUSH, Pair, REQUEST, RawPeer, Seen, codes, data, goaway, headers, reset, setting, settings,
    settings_ack, window_update,
};

const SHUTDOWN: &[u8] = br#"{"reason":"Shutdown"}"#;

fn seen(last_stream: StreamId, code: ErrorCode, debug: &[u8]) -> Seen {
    Seen::GoAway { last_stream, code, debug: debug.to_vec() }
}

#[test]
fn debug_data_crosses_both_ways() {
    let mut pair = Pair::new(Config::default(), Config::default());
    pair.server.goaway(StreamId::CONNECTION, ErrorCode::NO_ERROR, SHUTDOWN).unwrap();
    pair.client.goaway(StreamId::CONNECTION, ErrorCode::CANCEL, b"").unwrap();
    let told = pair.drive();
    assert_eq!(told.client, [seen(StreamId::CONNECTION, ErrorCode::NO_ERROR, SHUTDOWN)]);
    assert_eq!(told.server, [seen(StreamId::CONNECTION, ErrorCode::CANCEL, b"")]);
    assert!(pair.client.is_going_away() && pair.server.is_going_away());
}

#[test]
fn a_graceful_shutdown_is_announced_and_then_refined() {
    let mut pair = Pair::new(Config::default(), Config::default());
    let first = pair.exchange();
    pair.server.goaway(StreamId::MAX, ErrorCode::NO_ERROR, b"").unwrap();
    let second = pair.client.open(&PUSH, false).unwrap(); // crosses the announcement
    let told = pair.drive();
    assert_eq!(told.server.len(), 1, "and is still served");
    assert_eq!(told.client, [seen(StreamId::MAX, ErrorCode::NO_ERROR, b"")]);
    assert_eq!(pair.client.open(&PUSH, true), Err(CommandError::GoingAway));
    assert_eq!(pair.client.openable_streams(), 0);

    assert_eq!(pair.server.last_peer_stream(), second);
    pair.server.goaway(second, ErrorCode::NO_ERROR, SHUTDOWN).unwrap();
    for stream in [first, second] {
        if stream == second {
            pair.server.send_headers(stream, &OK, false).unwrap();
        }
        pair.client.send_data(stream, Bytes::from_static(b"{}"), true).unwrap();
        pair.server.send_data(stream, Bytes::from_static(b"{}"), true).unwrap();
    }
    let told = pair.drive();
    assert_eq!(told.client[0], seen(second, ErrorCode::NO_ERROR, SHUTDOWN));
    assert_eq!(
        (pair.client.open_streams(), pair.server.open_streams()),
        (0, 0),
        "what was open has ended well"
    );
}

#[test]
fn streams_above_the_last_are_closed_at_a_client_and_the_others_go_on() {
    let mut peer = RawPeer::of_client(Config::default());
    let [kept, cut, cut_too] = [peer.opened(), peer.opened(), peer.opened()];
    peer.subject.send_data(cut, Bytes::from(vec![0; 100_000]), true).unwrap();
    peer.reads();
    peer.sends([goaway(1, ErrorCode::NO_ERROR, SHUTDOWN)]);
    assert_eq!(peer.subject.open_streams(), 1);
    for stream in [cut, cut_too] {
        assert_eq!(peer.subject.send_data(stream, Bytes::new(), true), Err(CommandError::StreamNotOpen));
    }
    let late = [
        headers(3, &[(":status", "200")]),
        data(3, b"late"),
        reset(5, ErrorCode::CANCEL),
        window_update(5, 1),
    ];
    assert_eq!(peer.sends(late), [], "what was under way for them is ignored");
    peer.sends([window_update(0, 1_000_000)]);
    assert_eq!(peer.reads(), [], "nor does their body go on");
    peer.subject.send_data(kept, Bytes::new(), true).unwrap();
    let answer = peer.sends([headers(1, &[(":status", "200")]).end_stream()]);
    assert_eq!(answer, [Seen::headers(1, apns_http2::Section::Response, &[(":status", "200")], true)]);
}

#[test]
fn a_server_ignores_streams_above_the_last_and_keeps_the_tables_in_step() {
    let mut pair = Pair::new(Config::default(), Config::default());
    let kept = pair.exchange();
    pair.server.goaway(kept, ErrorCode::NO_ERROR, SHUTDOWN).unwrap();
    let cut =
        pair.client.open(&[&PUSH[..], &[Field::incremental(b"x-new", b"entry")]].concat(), false).unwrap();
    pair.client.send_data(cut, Bytes::from(vec![0; 40_000]), true).unwrap();
    pair.client.send_headers(kept, &[Field::incremental(b"x-new", b"entry")], true).unwrap();
    let told = pair.drive();
    assert!(matches!(&told.server[..], [Seen::Headers { stream, .. }] if *stream == kept), "{told:?}");
    assert_eq!(pair.server.last_peer_stream(), kept);
    assert_eq!(pair.server.open_streams(), 1);
    pair.assert_windows_agree([]);
}

#[test]
fn a_server_closes_its_own_streams_above_the_last() {
    let mut peer = RawPeer::of_server(Config::default());
    for id in [1, 3, 5] {
        peer.requests(id);
    }
    peer.subject.goaway(StreamId::FIRST, ErrorCode::INTERNAL_ERROR, b"").unwrap();
    assert_eq!(peer.reads(), [goaway(1, ErrorCode::INTERNAL_ERROR, b"")]);
    assert_eq!(peer.subject.open_streams(), 1);
    let answer = peer.subject.send_headers(StreamId::new(5), &OK, true);
    assert_eq!(answer, Err(CommandError::StreamNotOpen));
    assert_eq!(peer.sends([data(3, b"late").end_stream(), headers(7, &REQUEST), data(7, b"late")]), []);
    assert_eq!(peer.reads(), [], "not even a reset");
}

#[test]
fn a_stream_that_was_never_opened_stays_idle_below_the_last() {
    let mut peer = RawPeer::of_server(Config::default());
    peer.subject.goaway(StreamId::MAX, ErrorCode::NO_ERROR, b"").unwrap();
    peer.reads();
    assert_eq!(peer.breaks_with([data(5, b"x")]), Violation::IdleStream);
}

#[test]
fn the_last_stream_may_fall_twice_in_a_row_and_never_rise() {
    let mut peer = RawPeer::of_client(Config::default());
    for _ in 0..3 {
        peer.opened();
    }
    let again = [goaway(5, ErrorCode::NO_ERROR, b"first"), goaway(3, ErrorCode::CANCEL, b"second")];
    let told = peer.sends(again);
    let expected = [
        seen(StreamId::new(5), ErrorCode::NO_ERROR, b"first"),
        seen(StreamId::new(3), ErrorCode::CANCEL, b"second"),
    ];
    assert_eq!(told, expected);
    assert_eq!(peer.subject.open_streams(), 2);
    assert_eq!(peer.sends([goaway(3, ErrorCode::CANCEL, b"")]).len(), 1, "the same again is allowed");
    assert_eq!(peer.breaks_with([goaway(5, ErrorCode::NO_ERROR, b"")]), Violation::GoAwayIncreased);
}

#[test]
fn we_do_not_raise_the_last_stream_either() {
    let mut peer = RawPeer::of_server(Config::default());
    peer.requests(9);
    peer.subject.goaway(StreamId::new(5), ErrorCode::NO_ERROR, SHUTDOWN).unwrap();
    peer.subject.goaway(StreamId::new(5), ErrorCode::NO_ERROR, SHUTDOWN).unwrap();
    let raised = peer.subject.goaway(StreamId::new(9), ErrorCode::NO_ERROR, b"");
    assert!(matches!(raised, Err(CommandError::OutOfRange { .. })));
    assert_eq!(codes(&peer.reads()).len(), 2);

    let bytes = settings_ack().bytes(); // one too many: the GOAWAY of the error must not raise it either
    peer.subject.recv(peer.now, &bytes);
    assert!(peer.is_broken());
    assert_eq!(peer.reads()[0].payload[..4], 5_u32.to_be_bytes());
}

#[test]
fn debug_data_that_fits_no_frame_is_refused() {
    let mut peer = RawPeer::of_server(Config::default());
    let longest = vec![b'x'; 16_384 - 8];
    peer.subject.goaway(StreamId::MAX, ErrorCode::NO_ERROR, &longest).unwrap();
    let too_long = [&longest[..], b"x"].concat();
    let refused = peer.subject.goaway(StreamId::MAX, ErrorCode::NO_ERROR, &too_long);
    assert_eq!(refused, Err(CommandError::OutOfRange { what: "the length of the debug data" }));
    assert_eq!(peer.reads().len(), 1);
}

#[test]
fn after_an_error_nothing_follows_the_goaway() {
    let mut peer = RawPeer::of_client(Config { grants: Grants::Manual, ..Config::default() });
    let stream = peer.opened();
    peer.sends([headers(1, &[(":status", "200")]), data(1, &vec![0; 16_384]), data(1, &vec![0; 16_384])]);
    peer.sends([settings(&[(setting::INITIAL_WINDOW_SIZE, 1 << 20)]), window_update(0, 1 << 20)]);
    peer.subject.send_data(stream, Bytes::from(vec![0; 400_000]), true).unwrap(); // more than is ready at once
    assert_eq!(peer.breaks_with([settings_ack()]), Violation::UnexpectedSettingsAck);
    let closed = Err(CommandError::Closed);
    assert_eq!(peer.subject.open(&PUSH, true).map(drop), closed);
    assert_eq!(peer.subject.send_data(stream, Bytes::new(), true), closed);
    assert_eq!(peer.subject.send_headers(stream, &[], true), closed);
    assert_eq!(peer.subject.reset(stream, ErrorCode::CANCEL), closed);
    assert_eq!(peer.subject.settings(apns_http2::Settings::default()), closed);
    assert_eq!(peer.subject.ping([0; 8]), closed);
    assert_eq!(peer.subject.goaway(StreamId::MAX, ErrorCode::NO_ERROR, b""), closed);
    assert_eq!(peer.subject.widen_window(StreamId::CONNECTION, 1), closed);
    assert_eq!(peer.subject.openable_streams(), 0);
    peer.subject.release(stream, 32_768);
    peer.subject.recv(peer.now, &window_update(0, 1 << 20).bytes());
    assert!(peer.is_broken());
    assert_eq!(peer.reads(), []);
}
