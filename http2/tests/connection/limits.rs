//! What a hostile peer may not do, and what an honest one may (RFC 9113 section 10.5).

use std::time::Duration;

use apns_http2::{
    CommandError, Config, ErrorCode, Settings, StreamId, Violation,
    hpack::Field,
    limits::{
        CONTINUATIONS_MAX, HEADER_BLOCK_BYTES_MAX, Limits, OUTPUT_BYTES_MAX, OUTPUT_BYTES_TO_OPEN_MAX,
        RESET_STREAMS_REMEMBERED, Rate, STREAMS_MAX,
    },
};
use bytes::Bytes;

use crate::support::{
    Frame, OK, PUSH, Pair, REQUEST, RawPeer, Seen, continuation, data, headers, ping, ping_ack, priority,
    reset, setting, settings, window_update,
};

const NEVER: Rate = Rate { burst: 0, per_second: 0 };

/// Limits under which what `allow` names may happen three times, and once a second again; all else that is metered never.
fn three(allow: fn(&mut Limits) -> &mut Rate) -> Config {
    let mut limits = Limits {
        resets: NEVER,
        stream_errors: NEVER,
        settings: Rate { burst: 1, per_second: 0 }, // the greeting
        pings: NEVER,
        window_updates: NEVER,
        empty_frames: NEVER,
        ignored_frames: NEVER,
    };
    *allow(&mut limits) = Rate { burst: 3, per_second: 1 };
    Config { limits, ..Config::default() }
}

/// `frame(n)` may come three times at once, and again after a second, and then no more.
#[track_caller]
fn is_metered(config: Config, violation: Violation, already: u32, frame: impl Fn(u32) -> Frame) {
    let mut peer = RawPeer::of_server(config);
    let mut n = 0;
    let mut next = || {
        n += 1;
        frame(n - 1)
    };
    for _ in already..3 {
        peer.sends([next()]);
    }
    peer.now = Duration::from_secs(1);
    peer.sends([next()]);
    peer.now = Duration::from_millis(1999);
    assert_eq!(peer.breaks_with([next()]), violation);
    assert_eq!(violation.code(), ErrorCode::ENHANCE_YOUR_CALM);
}

#[test]
fn every_meter_ends_a_flood_and_names_it() {
    is_metered(three(|limits| &mut limits.pings), Violation::TooManyPings, 0, |_| ping([7; 8]));
    is_metered(three(|limits| &mut limits.window_updates), Violation::TooManyWindowUpdates, 0, |_| {
        window_update(0, 1)
    });
    is_metered(three(|limits| &mut limits.settings), Violation::TooManySettings, 1, |_| settings(&[]));
    is_metered(three(|limits| &mut limits.ignored_frames), Violation::TooManyIgnoredFrames, 0, |_| {
        priority(1)
    });
    is_metered(three(|limits| &mut limits.ignored_frames), Violation::TooManyIgnoredFrames, 0, |n| Frame {
        kind: 20 + n as u8,
        flags: 0,
        stream: n,
        payload: vec![],
    });
    is_metered(three(|limits| &mut limits.stream_errors), Violation::TooManyStreamErrors, 0, |n| {
        headers(2 * n + 1, &[("malformed", "")])
    });
}

#[test]
fn a_window_may_be_widened_for_whatever_was_sent() {
    let limits = Limits { window_updates: NEVER, ..Limits::default() };
    let mut peer = RawPeer::of_server(Config { limits, ..Config::default() });
    for id in [1, 3] {
        peer.sends([headers(id, &REQUEST).end_stream()]);
        peer.subject.send_headers(StreamId::new(id), &OK, false).unwrap();
        peer.subject.send_data(StreamId::new(id), Bytes::from_static(b"body"), true).unwrap();
        peer.sends([window_update(id, 4), window_update(0, 4)]);
    }
    assert_eq!(peer.breaks_with([window_update(0, 4)]), Violation::TooManyWindowUpdates);
}

#[test]
fn what_is_held_and_waited_for_can_be_seen() {
    let mut peer = RawPeer::of_server(Config::default());
    peer.reads();
    assert_eq!((peer.subject.held_bytes(), peer.subject.is_within_a_frame()), (0, false));
    let frames = peer.subject.frames_received();
    peer.sends_bytes(&headers(1, &REQUEST).unfinished().bytes());
    assert!(peer.subject.is_within_a_frame(), "of a field block");
    peer.sends_bytes(&continuation(1, b"").bytes()[..5]);
    assert!(peer.subject.is_within_a_frame());
    peer.sends_bytes(&continuation(1, b"").bytes()[5..]);
    assert!(!peer.subject.is_within_a_frame());
    assert_eq!(peer.subject.frames_received(), frames + 2);
    assert!(peer.subject.held_bytes() >= 1_000, "a stream is open");

    peer.sends([settings(&[(setting::INITIAL_WINDOW_SIZE, 0)])]);
    peer.subject.send_headers(StreamId::new(1), &OK, false).unwrap();
    peer.subject.send_data(StreamId::new(1), Bytes::from_static(b"body"), true).unwrap();
    peer.reads();
    assert!(peer.subject.is_sending(), "what waits for window waits");
    peer.subject.shrink_buffers();
    peer.sends([window_update(1, 4), data(1, b"").end_stream()]);
    peer.reads();
    assert!(!peer.subject.is_sending());
    assert_eq!(peer.subject.held_bytes(), 0);
}

#[test]
fn rapid_reset_ends_the_connection() {
    let mut peer = RawPeer::of_server(three(|limits| &mut limits.resets));
    let open_and_reset = |id| [headers(id, &REQUEST).end_stream(), reset(id, ErrorCode::CANCEL)];
    for id in [1, 3, 5] {
        peer.sends(open_and_reset(id));
    }
    assert_eq!(peer.breaks_with(open_and_reset(7)), Violation::TooManyResets);
}

#[test]
fn a_full_connection_may_time_out_at_once() {
    let mut peer = RawPeer::of_server(Config::default());
    for round in 0..2 {
        let ids = (0..1000).map(|n| 2 * (1000 * round + n) + 1);
        peer.sends(ids.clone().map(|id| headers(id, &REQUEST).end_stream()));
        peer.sends(ids.map(|id| reset(id, ErrorCode::CANCEL)));
    }
    assert_eq!(peer.subject.open_streams(), 0);
    peer.still_serves(99_999);
}

#[test]
fn empty_data_ends_the_connection_with_padding_or_without() {
    for empty in [data(1, b""), data(1, b"").padded(200)] {
        let mut peer = RawPeer::of_server(three(|limits| &mut limits.empty_frames));
        peer.requests(1);
        peer.sends([empty.clone(), empty.clone(), empty.clone()]);
        assert_eq!(peer.breaks_with([empty]), Violation::TooManyEmptyFrames);
    }
    let mut peer = RawPeer::of_server(three(|limits| &mut limits.pings));
    peer.requests(1);
    peer.sends([data(1, b"").end_stream()]); // an empty end is none
}

#[test]
fn a_block_of_too_many_continuations_ends_the_connection() {
    let mut peer = RawPeer::of_server(Config::default());
    peer.sends([headers(1, &REQUEST).unfinished()]);
    peer.sends((1..CONTINUATIONS_MAX).map(|_| continuation(1, b"").unfinished()));
    let last = peer.sends([continuation(1, b"")]);
    assert!(matches!(last[..], [Seen::Headers { .. }]), "as many as allowed are allowed");
    peer.sends([headers(3, &REQUEST).unfinished()]);
    peer.sends((0..CONTINUATIONS_MAX).map(|_| continuation(3, b"").unfinished()));
    assert_eq!(peer.breaks_with([continuation(3, b"")]), Violation::HeaderBlockTooLarge);
}

#[test]
fn a_block_of_too_many_bytes_ends_the_connection() {
    let mut peer = RawPeer::of_server(Config::default());
    let part = vec![0x82; 16_384];
    let whole = HEADER_BLOCK_BYTES_MAX / part.len();
    peer.sends([headers(1, &[]).with_payload(&part).unfinished()]);
    peer.sends((1..whole).map(|_| continuation(1, &part).unfinished()));
    assert_eq!(peer.breaks_with([continuation(1, &[0x82]).unfinished()]), Violation::HeaderBlockTooLarge);

    let settings = Settings { max_frame_size: Some(1 << 20), ..Settings::default() };
    let mut peer = RawPeer::of_server(Config { settings, ..Config::default() });
    let one_frame = headers(1, &[]).with_payload(&vec![0x82; HEADER_BLOCK_BYTES_MAX + 1]);
    assert_eq!(peer.breaks_with([one_frame]), Violation::HeaderBlockTooLarge, "in a single frame too");
}

#[test]
fn a_peer_that_never_acknowledges_cannot_open_streams_without_end() {
    let mut peer = RawPeer::silent(apns_http2::Connection::server(Config::default()));
    peer.sends_bytes(crate::support::PREFACE);
    peer.sends([settings(&[])]);
    let ids = (0..STREAMS_MAX).map(|n| 2 * n + 1);
    for id in ids {
        peer.subject.recv(peer.now, &headers(id, &REQUEST).bytes());
        while let Ok(Some(_)) = peer.subject.poll_event(&mut ()) {}
    }
    let one_more = 2 * STREAMS_MAX + 1;
    assert_eq!(
        peer.sends([headers(one_more, &REQUEST)]),
        [Seen::refused(one_more, Violation::TooManyStreams)]
    );
    assert_eq!(peer.subject.open_streams(), STREAMS_MAX as usize);
}

#[test]
fn a_peer_that_asks_and_does_not_read_is_cut_off() {
    let generous = Rate { burst: u32::MAX, per_second: 0 };
    let config = Config { limits: Limits { pings: generous, ..Limits::default() }, ..Config::default() };
    let mut peer = RawPeer::of_server(config);
    let pings: Vec<u8> = std::iter::repeat_n(ping([1; 8]).bytes(), 10_000).flatten().collect();
    while !peer.is_broken() {
        assert!(peer.subject.poll_transmit().map_or(0, <[u8]>::len) < OUTPUT_BYTES_MAX + 100);
        peer.subject.recv(peer.now, &pings);
        while let Ok(Some(_)) = peer.subject.poll_event(&mut ()) {}
    }
    let error = peer.subject.poll_event(&mut ()).unwrap_err();
    assert_eq!(error.violation, Violation::OutputNotRead);
}

#[test]
fn a_peer_that_asks_for_answers_and_does_not_read_is_cut_off() {
    let mut peer = RawPeer::of_server(Config::default());
    let long = [b'x'; 10_000];
    let answer = [OK[0], Field::literal(b"x-long", &long)];
    let mut id = 1;
    while !peer.is_broken() {
        peer.subject.recv(peer.now, &headers(id, &REQUEST).end_stream().bytes());
        while let Ok(Some(_)) = peer.subject.poll_event(&mut ()) {}
        let _ = peer.subject.send_headers(StreamId::new(id), &answer, true);
        assert!(peer.subject.poll_transmit().map_or(0, <[u8]>::len) < OUTPUT_BYTES_MAX + 10_100);
        id += 2;
    }
    assert_eq!(peer.subject.poll_event(&mut ()).unwrap_err().violation, Violation::OutputNotRead);
}

#[test]
fn a_client_that_opens_without_writing_stops_before_it_harms_itself() {
    let mut pair = Pair::new(
        Config::default(),
        Config {
            settings: Settings { max_concurrent_streams: None, ..Settings::default() },
            ..Config::default()
        },
    );
    let refused = loop {
        if let Err(error) = pair.client.open(&PUSH, true) {
            break error;
        }
    };
    let pending = pair.client.poll_transmit().unwrap().len();
    assert!((OUTPUT_BYTES_TO_OPEN_MAX..OUTPUT_BYTES_TO_OPEN_MAX + 1000).contains(&pending));
    assert_eq!(refused, CommandError::OutputFull { pending });
    assert_eq!(pair.client.openable_streams(), 0);
    let written = pair.client.poll_transmit().unwrap().len();
    pair.client.transmitted(written);
    assert!(pair.client.openable_streams() > 0, "and goes on once it has written");
}

#[test]
fn answers_to_many_streams_that_were_given_up_are_no_offence() {
    let mut peer = RawPeer::of_client(Config::default());
    let ids: Vec<StreamId> =
        (0..3 * RESET_STREAMS_REMEMBERED).map(|_| peer.subject.open(&PUSH, true).unwrap()).collect();
    for id in &ids {
        peer.subject.reset(*id, ErrorCode::CANCEL).unwrap();
    }
    let answers = ids.iter().map(|id| headers(id.get(), &[(":status", "200")]).end_stream());
    assert_eq!(peer.sends(answers), [], "all of them were under way");
}

#[test]
fn pings_are_answered_unless_a_fault_wants_silence() {
    let mut peer = RawPeer::of_server(Config::default());
    assert_eq!(peer.sends([ping(*b"12345678")]), [Seen::Ping(*b"12345678")]);
    assert_eq!(peer.reads(), [ping_ack(*b"12345678")]);
    peer.subject.set_answer_pings(false);
    assert_eq!(peer.sends([ping(*b"12345678")]), [Seen::Ping(*b"12345678")]);
    assert_eq!(peer.reads(), []);
    peer.subject.ping(*b"our ping").unwrap();
    assert_eq!(peer.reads(), [ping(*b"our ping")]);
    assert_eq!(peer.sends([ping_ack(*b"our ping")]), [Seen::PingAcknowledged(*b"our ping")]);
}

#[test]
fn raw_frames_go_out_as_they_are() {
    let mut peer = RawPeer::of_server(Config::default());
    let nonsense = Frame { kind: 0x99, flags: 0xff, stream: 0x7fff_ffff, payload: b"nonsense".to_vec() };
    peer.subject.send_raw_frame(0x99, 0xff, StreamId::MAX, b"nonsense").unwrap();
    assert_eq!(peer.reads(), [nonsense]);
    let too_long = peer.subject.send_raw_frame(0, 0, StreamId::FIRST, &vec![0; 1 << 24]);
    assert!(matches!(too_long, Err(CommandError::OutOfRange { .. })));
}

/// A hundred thousand pushes within one second of the connection's time: nothing of it is an attack.
#[test]
fn an_honest_provider_is_never_cut_off() {
    let max = Settings { max_concurrent_streams: Some(1000), ..Settings::default() };
    let mut pair = Pair::new(Config::default(), Config { settings: max, ..Config::default() });
    let body = Bytes::from(vec![b'{'; 200]);
    let mut answered = 0;
    while answered < 100_000 {
        while pair.client.openable_streams() > 0 {
            let stream = pair.client.open(&PUSH, false).unwrap();
            pair.client.send_data(stream, body.clone(), true).unwrap();
        }
        for seen in pair.drive().server {
            if let Seen::Data { stream, end_stream: true, .. } = seen {
                pair.server.send_headers(stream, &OK, true).unwrap();
                answered += 1;
            }
        }
        pair.drive();
    }
    assert_eq!(pair.server.open_streams(), 0);
    pair.assert_windows_agree([]);
}

#[test]
fn a_window_that_opens_byte_by_byte_wakes_no_stream_that_waits_for_its_own() {
    let limits = Limits { window_updates: Rate { burst: u32::MAX, per_second: 0 }, ..Limits::default() };
    let mut peer = RawPeer::of_server(Config { limits, ..Config::default() });
    peer.sends([settings(&[(setting::INITIAL_WINDOW_SIZE, 0)])]);
    for n in 0..1000 {
        peer.sends([headers(2 * n + 1, &REQUEST).end_stream()]);
        peer.answered(2 * n + 1);
        peer.subject.send_data(StreamId::new(2 * n + 1), Bytes::from_static(b"waits"), true).unwrap();
    }
    let updates: Vec<u8> = std::iter::repeat_n(window_update(0, 1).bytes(), 100_000).flatten().collect();
    peer.sends_bytes(&updates);
    assert_eq!(peer.reads(), []);
    assert_eq!(peer.subject.send_window(), 65_535 + 100_000);
    peer.sends([settings(&[(setting::INITIAL_WINDOW_SIZE, 5)])]);
    assert_eq!(peer.reads().len(), 1 + 1000);
}
