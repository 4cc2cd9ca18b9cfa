//! Who begins and does not go on: memory is bounded for all together, and whoever holds most goes first.

use futures::future::join_all;

use crate::{
    REQUEST,
    frames::{Frame, headers, setting},
    raw::Raw,
    target::Target,
};

const CUT_OFF: &str = r#"connections_cut_off_total{cause="memory"}"#;

/// Settings that were never acknowledged bind nobody: ten thousand requests of 256 KiB each, from a hundred bytes each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_grow_and_never_end() {
    let target = Target::start();
    let honest = target.honest().await;
    let mut holders: Vec<Raw> = join_all((0..6).map(|_| target.raw())).await;
    let begin = headers(1, &REQUEST).payload;
    let into_table = [&begin[..], &[0x40, 1, b'x', 0x7f, 0xa1, 0x1e], &[b'y'; 4_000]].concat();
    let again = [&begin[..], &[0xbe; 60]].concat();
    let first = headers(1, &[]).with_payload(&into_table);
    let more = (1..4_000).map(|n| headers(2 * n + 1, &[]).with_payload(&again));
    let frames: Vec<Frame> = [first].into_iter().chain(more).collect();
    join_all(holders.iter_mut().map(async |raw| {
        raw.greet_only().await;
        raw.send(frames.iter().cloned()).await;
        raw.read_to_end().await;
    }))
    .await;
    honest.was_served().await;
    target.is_bounded(768);
    assert!(target.metric(CUT_OFF).await >= 5, "but for one, which may hold all alone");
}

/// Error answers have bodies, which wait for a window that never opens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zero_windows() {
    const HOLDERS: u64 = 100;
    const STREAMS: u64 = 1_000;
    let target = Target::start();
    let honest = target.honest().await;
    let mut holders: Vec<Raw> = join_all((0..HOLDERS).map(|_| target.raw())).await;
    let requests: Vec<Frame> =
        (0..STREAMS as u32).map(|n| headers(2 * n + 1, &REQUEST).end_stream()).collect();
    join_all(holders.iter_mut().map(async |raw| {
        raw.send_bytes(crate::frames::PREFACE).await;
        // What is not acknowledged does not bind: as many streams as the double ever lets a client have.
        raw.send([crate::frames::settings(&[(setting::INITIAL_WINDOW_SIZE, 0)])]).await;
        raw.send(requests.iter().cloned()).await;
    }))
    .await;
    target.until("streams_in_flight", |streams| streams >= HOLDERS * STREAMS).await;
    target.until("held_bytes", |held| held >= HOLDERS * STREAMS * 1_024).await;
    honest.was_served().await;
    target.is_bounded(512);
}
