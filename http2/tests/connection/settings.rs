//! SETTINGS may change at any time, both ways; a change binds from its acknowledgement on (RFC 9113 section 6.5).

use apns_http2::{
    CommandError, Config, ErrorCode, MIN_MAX_FRAME_SIZE, Settings, StreamId, Violation, hpack::Field,
    limits::SETTINGS_PENDING_MAX,
};

use crate::support::{
    OK, PUSH, Pair, REQUEST, RawPeer, Seen, codes, data, headers, setting, settings, settings_ack,
};

fn max_streams(count: u32) -> Settings {
    Settings { max_concurrent_streams: Some(count), ..Settings::default() }
}

fn table(size: u32) -> Settings {
    Settings { header_table_size: Some(size), ..Settings::default() }
}

#[test]
fn both_sides_tell_their_settings_first() {
    let mut client = RawPeer::silent(apns_http2::Connection::client(Config::default()));
    let opening = client.reads_bytes();
    let frames = opening.strip_prefix(crate::support::PREFACE).unwrap();
    assert_eq!(frames, settings(&[(setting::ENABLE_PUSH, 0)]).bytes());

    let config =
        Config { settings: Settings { enable_push: Some(1), ..max_streams(1) }, ..Config::default() };
    let mut server = RawPeer::silent(apns_http2::Connection::server(config));
    assert_eq!(
        server.reads(),
        [settings(&[(setting::MAX_CONCURRENT_STREAMS, 1)])],
        "a server has no say in push"
    );
}

#[test]
fn the_limit_of_streams_follows_apples_first_token() {
    let mut pair =
        Pair::new(Config::default(), Config { settings: Settings { ..max_streams(1) }, ..Config::default() });
    assert_eq!(pair.client.openable_streams(), 1);
    let first = pair.client.open(&PUSH, true).unwrap();
    assert_eq!(pair.client.open(&PUSH, true), Err(CommandError::TooManyStreams { limit: 1 }));
    assert_eq!(pair.client.openable_streams(), 0);
    pair.drive();

    pair.server.settings(max_streams(1000)).unwrap();
    pair.server.send_headers(first, &OK, true).unwrap();
    let told = pair.drive();
    assert!(told.client.contains(&Seen::Settings(max_streams(1000))));
    assert_eq!(told.server, [Seen::SettingsAcknowledged]);
    assert_eq!(pair.client.openable_streams(), 1000);
    for _ in 0..1000 {
        pair.client.open(&PUSH, true).unwrap();
    }
    assert_eq!(pair.client.openable_streams(), 0);
    let told = pair.drive();
    assert_eq!(told.client, [], "none was refused");
    assert_eq!(pair.server.open_streams(), 1000);
}

#[test]
fn a_limit_may_fall_below_what_is_open() {
    for low in [1, 0] {
        let mut pair = Pair::new(Config::default(), Config { settings: max_streams(3), ..Config::default() });
        let streams = [pair.exchange(), pair.exchange(), pair.exchange()];
        pair.server.settings(max_streams(low)).unwrap();
        pair.drive();
        assert_eq!(pair.client.openable_streams(), 0);
        for stream in streams {
            assert_eq!(pair.client.open(&PUSH, true), Err(CommandError::TooManyStreams { limit: low }));
            pair.client.send_headers(stream, &[], true).unwrap();
            pair.server.send_headers(stream, &[], true).unwrap();
            assert_eq!(pair.drive().client.len(), 1, "those that are open go on");
        }
        assert_eq!(pair.client.openable_streams(), low as usize);
    }
}

#[test]
fn streams_above_the_limit_are_refused_from_the_acknowledgement_on() {
    let mut peer = RawPeer::of_server(Config::default());
    peer.subject.settings(max_streams(1)).unwrap();
    peer.reads();
    let open = |id| headers(id, &REQUEST);
    let told = peer.sends([open(1), open(3), settings_ack(), open(5), data(1, b"").end_stream()]);
    assert_eq!(told.iter().filter(|seen| matches!(seen, Seen::Headers { .. })).count(), 2, "two crossed it");
    assert_eq!(told[3], Seen::refused(5, Violation::TooManyStreams));
    assert_eq!(codes(&peer.reads()), [(5, ErrorCode::REFUSED_STREAM)]);

    assert_eq!(peer.sends([data(5, b"under way"), headers(5, &[("x", "y")]).end_stream()]), [], "ignored");
    for id in [1, 3] {
        peer.subject.send_headers(StreamId::new(id), &OK, true).unwrap();
    }
    peer.subject.reset(StreamId::new(3), ErrorCode::NO_ERROR).unwrap();
    peer.still_serves(7);
}

#[test]
fn settings_are_acknowledged_in_their_order() {
    let mut peer = RawPeer::of_server(Config::default());
    for count in [10, 20, 30] {
        peer.subject.settings(max_streams(count)).unwrap();
    }
    assert_eq!(peer.subject.pending_settings(), 3);
    for count in [10, 20, 30] {
        assert_eq!(peer.sends([settings_ack()]), [Seen::SettingsAcknowledged]);
        assert_eq!(peer.subject.acknowledged_settings().max_concurrent_streams, count);
    }
    assert_eq!(peer.subject.pending_settings(), 0);
    assert_eq!(peer.breaks_with([settings_ack()]), Violation::UnexpectedSettingsAck);
}

#[test]
fn an_acknowledgement_comes_before_what_the_change_allows() {
    let mut peer = RawPeer::of_client(Config::default());
    peer.sends([settings(&[(setting::INITIAL_WINDOW_SIZE, 0)])]);
    let stream = peer.opened();
    peer.subject.send_data(stream, "waits".into(), true).unwrap();
    peer.sends([settings(&[(setting::INITIAL_WINDOW_SIZE, 5)])]);
    assert_eq!(peer.reads(), [settings_ack(), data(1, b"waits").end_stream()]);
}

#[test]
fn too_many_settings_at_once_are_our_own_error() {
    let mut peer = RawPeer::of_server(Config::default());
    for _ in 0..SETTINGS_PENDING_MAX {
        peer.subject.settings(max_streams(1)).unwrap();
    }
    let pending = SETTINGS_PENDING_MAX;
    assert_eq!(peer.subject.settings(max_streams(1)), Err(CommandError::SettingsPending { pending }));
    peer.sends([settings_ack()]);
    peer.subject.settings(max_streams(1)).unwrap();
}

#[test]
fn settings_out_of_range_are_not_sent() {
    let mut peer = RawPeer::of_server(Config::default());
    let none = Settings::default();
    for bad in [
        Settings { initial_window_size: Some(0x8000_0000), ..none },
        Settings { max_frame_size: Some(MIN_MAX_FRAME_SIZE - 1), ..none },
        Settings { max_frame_size: Some(0x0100_0000), ..none },
        Settings { enable_push: Some(1), ..none },
    ] {
        assert_eq!(peer.subject.settings(bad), Err(CommandError::OutOfRange { what: "a setting" }));
    }
    assert_eq!(peer.reads(), []);
}

#[test]
fn the_table_may_vanish_and_come_back() {
    let mut pair = Pair::new(Config::default(), Config::default());
    let fields = [&PUSH[..], &[Field::incremental(b"apns-expiration", b"0")]].concat();
    let ask = |pair: &mut Pair| {
        let stream = pair.client.open(&fields, true).unwrap();
        let told = pair.drive().server;
        assert!(matches!(&told[..], [Seen::Headers { fields: got, .. }] if got.len() == 5), "{told:?}");
        pair.server.send_headers(stream, &OK, true).unwrap();
        assert_eq!(pair.drive().client.len(), 1);
    };
    ask(&mut pair);
    for size in [0, 0, 4096, 100, 65_536, 0, 4096] {
        pair.server.settings(table(size)).unwrap();
        pair.client.settings(table(size)).unwrap();
        pair.drive();
        ask(&mut pair);
        ask(&mut pair);
    }
    for size in [4096, 0, 50, 4096] {
        pair.server.settings(table(size)).unwrap(); // several before the next block
    }
    pair.drive();
    ask(&mut pair);
}

#[test]
fn a_peer_that_goes_on_using_a_table_it_gave_up_ends_the_connection() {
    let mut peer = RawPeer::of_server(Config::default());
    peer.subject.settings(table(0)).unwrap();
    peer.reads();
    peer.still_serves(1);
    peer.sends([settings_ack()]);
    assert_eq!(
        peer.breaks_with([headers(3, &REQUEST)]),
        Violation::Compression,
        "its block must begin with an update"
    );
}

#[test]
fn longer_frames_are_taken_from_the_acknowledgement_on() {
    let grown = Settings { max_frame_size: Some(20_000), ..Settings::default() };
    let long = data(1, &vec![b'x'; 20_000]);
    let mut peer = RawPeer::of_server(Config::default());
    peer.requests(1);
    peer.subject.settings(grown).unwrap();
    peer.reads();
    peer.sends([settings_ack(), long.clone()]);
    assert_eq!(peer.breaks_with([data(1, &vec![b'x'; 20_001])]), Violation::FrameTooLarge);

    let mut peer = RawPeer::of_server(Config::default());
    peer.requests(1);
    peer.subject.settings(grown).unwrap();
    peer.reads();
    assert_eq!(peer.breaks_with([long]), Violation::FrameTooLarge);
}

#[test]
fn values_out_of_range_end_the_connection() {
    for (id, value, violation) in [
        (setting::ENABLE_PUSH, 2, Violation::SettingOutOfRange),
        (setting::INITIAL_WINDOW_SIZE, 0x8000_0000, Violation::InitialWindowOutOfRange),
        (setting::MAX_FRAME_SIZE, 16_383, Violation::SettingOutOfRange),
        (setting::MAX_FRAME_SIZE, 16_777_216, Violation::SettingOutOfRange),
    ] {
        let bad = settings(&[(id, value)]);
        assert_eq!(RawPeer::of_server(Config::default()).breaks_with([bad.clone()]), violation);
        assert_eq!(RawPeer::of_client(Config::default()).breaks_with([bad]), violation);
    }
    let push = settings(&[(setting::ENABLE_PUSH, 1)]);
    RawPeer::of_server(Config::default()).sends([push.clone()]);
    let violation = RawPeer::of_client(Config::default()).breaks_with([push]);
    assert_eq!(violation, Violation::SettingOutOfRange, "a server may not enable push");
}

#[test]
fn unknown_settings_are_acknowledged_and_ignored() {
    let mut peer = RawPeer::of_server(Config::default());
    let told = peer.sends([settings(&[(0xfa, 7), (setting::MAX_CONCURRENT_STREAMS, 5)])]);
    assert_eq!(told, [Seen::Settings(max_streams(5))]);
    assert_eq!(peer.reads(), [settings_ack()]);
    assert_eq!(peer.subject.peer_settings().max_concurrent_streams, 5);
}

#[test]
fn a_client_knows_whether_it_has_heard_the_peer() {
    let mut peer = RawPeer::silent(apns_http2::Connection::client(Config::default()));
    assert!(!peer.subject.has_peer_settings());
    assert!(peer.subject.openable_streams() > 0, "it may open before it has");
    peer.sends([settings(&[])]);
    assert!(peer.subject.has_peer_settings());
}

#[test]
fn the_last_identifiers_are_used_and_then_no_more() {
    let first_stream = StreamId::new(0x7fff_fffa); // even: counts as the odd one above it
    let mut pair = Pair::new(Config { first_stream, ..Config::default() }, Config::default());
    assert_eq!((pair.client.openable_streams(), pair.client.stream_ids_left()), (3, 3));
    for id in [0x7fff_fffb, 0x7fff_fffd, 0x7fff_ffff] {
        let stream = pair.client.open(&PUSH, true).unwrap();
        assert_eq!(stream.get(), id);
        pair.drive();
        pair.server.send_headers(stream, &OK, true).unwrap();
        assert_eq!(pair.drive().client.len(), 1);
    }
    assert_eq!(pair.client.open(&PUSH, true), Err(CommandError::StreamIdsExhausted));
    assert_eq!((pair.client.openable_streams(), pair.client.stream_ids_left()), (0, 0));
}
