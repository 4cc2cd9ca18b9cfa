use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use super::{Explain as _, Failure, Latencies};

/// Calls `send` with 0, 1, … up to `count`, so that `in_flight` calls wait at any moment: what an application does that has many
/// pushes to send and an async client to send them with.
pub(crate) async fn keep_in_flight<F, Fut>(
    count: u64,
    in_flight: usize,
    send: F,
) -> Result<Latencies, Failure>
where
    F: Fn(u64) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let next = Arc::new(AtomicU64::new(0));
    let share = (count as usize).div_ceil(in_flight) * 2;
    let slots: Vec<_> = (0..in_flight)
        .map(|_| tokio::spawn(one_after_another(count, Arc::clone(&next), send.clone(), share)))
        .collect();
    let mut latencies = Latencies::with_capacity(count as usize);
    for slot in slots {
        latencies.append(slot.await.explain("sending")??);
    }
    Ok(latencies)
}

async fn one_after_another<F, Fut>(
    count: u64,
    next: Arc<AtomicU64>,
    send: F,
    expected: usize,
) -> Result<Latencies, Failure>
where
    F: Fn(u64) -> Fut,
    Fut: Future<Output = Result<(), Failure>>,
{
    let mut latencies = Latencies::with_capacity(expected);
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= count {
            return Ok(latencies);
        }
        let start = Instant::now();
        send(number).await?;
        latencies.record(start.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn every_number_is_sent_once_and_no_more_wait_than_asked_for() {
        let (sent, waiting) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicU64::new(0)));
        let (seen, now_waiting) = (Arc::clone(&sent), Arc::clone(&waiting));
        let latencies = keep_in_flight(100, 7, move |number| {
            let (seen, now_waiting) = (Arc::clone(&seen), Arc::clone(&now_waiting));
            async move {
                assert!(now_waiting.fetch_add(1, Ordering::Relaxed) < 7);
                tokio::task::yield_now().await;
                now_waiting.fetch_sub(1, Ordering::Relaxed);
                seen.lock().unwrap().push(number);
                Ok(())
            }
        });
        assert_eq!(latencies.await.unwrap().len(), 100);
        let mut sent = sent.lock().unwrap().clone();
        sent.sort_unstable();
        assert_eq!(sent, (0..100).collect::<Vec<u64>>());
    }

    #[tokio::test]
    async fn a_failed_push_fails_the_run() {
        let send = |number| async move {
            if number == 5 { Err(Failure::new("pushing", "refused")) } else { Ok(()) }
        };
        assert_eq!(keep_in_flight(10, 2, send).await.unwrap_err(), Failure::new("pushing", "refused"));
    }
}
