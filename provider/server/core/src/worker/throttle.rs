//! How fast a process may send, if an operator says so.

use std::time::Duration;

/// So many pushes a second, over all lanes. A little at once is let through, so that it is not a push and a timer in turn.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    /// Between two pushes; nothing if there is no pace.
    interval: Option<Duration>,
    /// When the next push is due.
    next_at: Duration,
    /// Whether something waits for nothing but the pace.
    is_in_the_way: bool,
}

/// What may go at once.
const AT_ONCE: Duration = Duration::from_millis(50);

impl Throttle {
    /// So many a second from now on; 0 is as many as can be.
    pub(super) fn set(&mut self, now: Duration, per_second: Option<u32>) {
        self.interval = per_second.filter(|it| *it > 0).map(|it| Duration::from_secs(1) / it);
        self.next_at = now;
        self.is_in_the_way = false;
    }

    /// What could be sent was sent; whether there is more.
    pub(super) fn after_sending(&mut self, now: Duration, is_more: bool) {
        self.is_in_the_way = is_more && self.room(now) == 0;
    }

    /// How many may go now.
    pub(super) fn room(&self, now: Duration) -> usize {
        let Some(interval) = self.interval.filter(|interval| !interval.is_zero()) else { return usize::MAX };
        let limit = now.saturating_add(AT_ONCE);
        match limit.checked_sub(self.next_at.max(now)) {
            Some(ahead) => usize::try_from(ahead.as_nanos() / interval.as_nanos())
                .unwrap_or(usize::MAX)
                .saturating_add(1),
            None => 0,
        }
    }

    /// One goes now.
    pub(super) fn take(&mut self, now: Duration) {
        if let Some(interval) = self.interval {
            self.next_at = self.next_at.max(now).saturating_add(interval);
        }
    }

    /// When the next one may go, if something waits for that.
    pub(super) fn due(&self) -> Option<Duration> {
        self.is_in_the_way.then(|| self.next_at.saturating_sub(AT_ONCE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many go in so many seconds, when somebody looks every so many milliseconds.
    fn sent(per_second: u32, secs: u64, step: usize) -> usize {
        let mut throttle = Throttle::default();
        throttle.set(Duration::ZERO, Some(per_second));
        let mut sent = 0;
        for millis in (0..secs * 1000).step_by(step) {
            let now = Duration::from_millis(millis);
            let room = throttle.room(now);
            (0..room).for_each(|_| throttle.take(now));
            sent += room;
        }
        sent
    }

    #[test]
    fn a_pace_is_kept_however_often_somebody_looks() {
        for step in [1, 7, 50] {
            for per_second in [1, 10, 1000, 30_000] {
                let (sent, expected) = (sent(per_second, 10, step), per_second as usize * 10);
                assert!(
                    sent >= expected && sent <= expected + expected / 100 + 2,
                    "{sent} of {expected}, {step}"
                );
            }
        }
    }

    #[test]
    fn without_a_pace_all_may_go() {
        let mut throttle = Throttle::default();
        assert_eq!((throttle.room(Duration::ZERO), throttle.due()), (usize::MAX, None));
        throttle.set(Duration::ZERO, Some(1));
        throttle.set(Duration::ZERO, Some(0));
        assert_eq!(throttle.room(Duration::ZERO), usize::MAX);
    }
}
