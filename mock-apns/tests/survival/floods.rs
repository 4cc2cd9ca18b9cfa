//! Floods of frames: each ends its connection with ENHANCE_YOUR_CALM, and is named in the metrics.

use apns_http2::{ErrorCode, Violation};
use futures::future::join_all;

use crate::{
    REQUEST,
    frames::{Frame, continuation, data, headers, ping, priority, reset, settings, window_update},
    raw::Raw,
    target::Target,
};

/// Connections of one attacker at once, and how often each is opened again after it was ended.
const CONNECTIONS: usize = 4;
const ROUNDS: usize = 3;
/// Frames of a flood: more than any limit allows at once.
const FLOOD: u32 = 60_000;
/// MiB that a flood may cost: buffers of a few connections, and the journal of what was asked.
const GROWTH_MAX_MIB: u64 = 128;

/// Floods a double, on several connections again and again, with `frames`; each ends for `violation`.
async fn survives(violation: Violation, frames: impl Fn() -> Vec<Frame>) {
    assert_eq!(violation.code(), ErrorCode::ENHANCE_YOUR_CALM);
    let target = Target::start();
    let honest = target.honest().await;
    let bytes: Vec<u8> = frames().iter().flat_map(Frame::bytes).collect();
    let attack = async || {
        for _ in 0..ROUNDS {
            let mut raw = target.raw().await;
            raw.greet(&[]).await;
            raw.send_bytes(&bytes).await;
            raw.read_to_end().await;
        }
    };
    join_all((0..CONNECTIONS).map(|_| attack())).await;
    honest.was_served().await;
    target.is_bounded(GROWTH_MAX_MIB);
    let series = format!(r#"protocol_errors_total{{violation="{}",ended="connection"}}"#, violation.name());
    assert_eq!(target.metric(&series).await, (CONNECTIONS * ROUNDS) as u64, "{series}");
}

fn streams(count: u32) -> impl Iterator<Item = u32> {
    (0..count).map(|n| 2 * n + 1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rapid_reset() {
    survives(Violation::TooManyResets, || {
        let pair = |id| [headers(id, &REQUEST).end_stream(), reset(id, ErrorCode::CANCEL)];
        streams(FLOOD / 4).flat_map(pair).collect()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn continuation_without_end_small_and_empty() {
    for part in [&b""[..], b"\x82"] {
        survives(Violation::HeaderBlockTooLarge, || {
            let more = (0..FLOOD).map(|_| continuation(1, part).unfinished());
            [headers(1, &REQUEST).unfinished()].into_iter().chain(more).collect()
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_huge_header_list() {
    survives(Violation::HeaderBlockTooLarge, || {
        let part = vec![0x82; 16_384];
        let more = (0..1_000).map(|_| continuation(1, &part).unfinished());
        [headers(1, &REQUEST).unfinished()].into_iter().chain(more).collect()
    })
    .await;
}

/// A field of 4 KiB goes into the table, and then 16,000 references to it into each request: 64 MiB of fields from 16 KiB.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hpack_bombs() {
    survives(Violation::TooManyStreamErrors, || {
        let into_table = [&[0x40, 1, b'x', 0x7f, 0xa1, 0x1e][..], &[b'y'; 4_000]].concat();
        let begin = headers(1, &REQUEST);
        let first = [&begin.payload[..], &into_table].concat();
        let bomb = [&headers(1, &REQUEST).payload[..], &[0xbe; 16_000]].concat();
        let bombs = streams(200).skip(1).map(|id| headers(id, &[]).with_payload(&bomb).end_stream());
        // A bomb is refused with its stream; what ends the connection is that it goes on, which smaller ones do faster.
        let small = headers(1, &[("malformed", "")]);
        let many = streams(30_000).skip(200).map(|id| small.clone().on_stream(id));
        [begin.with_payload(&first).end_stream()].into_iter().chain(bombs).chain(many).collect()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_and_pings_with_their_acknowledgements_unread() {
    survives(Violation::TooManySettings, || vec![settings(&[(4, 1), (4, 2)]); FLOOD as usize]).await;
    survives(Violation::TooManyPings, || vec![ping([7; 8]); FLOOD as usize]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_that_carry_nothing() {
    let request = || [headers(1, &REQUEST)].into_iter();
    survives(Violation::TooManyEmptyFrames, || request().chain(vec![data(1, b""); FLOOD as usize]).collect())
        .await;
    survives(Violation::TooManyWindowUpdates, || vec![window_update(0, 1); FLOOD as usize]).await;
    let on_stream = || request().chain(vec![window_update(1, 1); FLOOD as usize]).collect();
    survives(Violation::TooManyWindowUpdates, on_stream).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_that_are_ignored() {
    let unknown = Frame { kind: 99, flags: 0, stream: 0, payload: vec![0; 8] };
    survives(Violation::TooManyIgnoredFrames, || vec![priority(1); 4 * FLOOD as usize]).await;
    survives(Violation::TooManyIgnoredFrames, || vec![unknown.clone(); 4 * FLOOD as usize]).await;
}

/// A flood below every limit is work like any other: answers are not read, until the double stops to read too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_whose_answers_are_never_read() {
    const PEERS: u64 = 8;
    const REQUESTS: u32 = 60_000;
    let answered =
        r#"requests_total{environment="sandbox",status="403",reason="MissingProviderToken",push_type=""}"#;
    let target = Target::start();
    let honest = target.honest().await;
    let mut unread: Vec<Raw> = join_all((0..PEERS).map(|_| target.raw())).await;
    for raw in &mut unread {
        raw.greet(&[]).await;
        raw.send([window_update(0, 0x7fff_0000)]).await; // it is not the window that stops the double
    }
    let requests = streams(REQUESTS).map(|id| headers(id, &REQUEST).end_stream());
    let requests: Vec<u8> = requests.flat_map(|frame| frame.bytes()).collect();
    join_all(unread.iter_mut().map(|raw| raw.send_bytes(&requests))).await;
    target.until("held_bytes", |held| held >= PEERS << 19).await;
    honest.was_served().await;
    target.is_bounded(256);
    assert!(target.metric(answered).await < PEERS * u64::from(REQUESTS), "the double stops to read");
    drop(unread);
    target.until("held_bytes", |held| held < 1 << 20).await; // it is given back
}
