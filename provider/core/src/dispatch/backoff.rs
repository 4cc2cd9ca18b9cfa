//! How soon after a connection that was of no use the next one is opened.

use std::time::Duration;

/// Pauses that double from connection to connection, as long as none is of use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
    not_before: Duration,
}

impl Backoff {
    pub(super) fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: 0, not_before: Duration::ZERO }
    }

    /// When a connection may be opened.
    pub(super) fn not_before(&self) -> Duration {
        self.not_before
    }

    /// A connection was not made, or ended before it was of use. A random half of the pause scatters clients that failed together.
    pub(super) fn failed(&mut self, now: Duration, random: u32) {
        let factor = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        let whole = self.first.saturating_mul(factor).min(self.longest);
        self.failures = self.failures.saturating_add(1);
        let random_half = whole / 2;
        let random_half = random_half.mul_f64(f64::from(random) / f64::from(u32::MAX));
        self.not_before = now.saturating_add(whole / 2).saturating_add(random_half);
    }

    /// A connection has been of use.
    pub(super) fn healthy(&mut self) {
        self.failures = 0;
        self.not_before = Duration::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_begin_anew_after_a_healthy_connection() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_mins(1));
        let pauses: Vec<u128> = (0..12)
            .map(|_| {
                backoff.failed(Duration::ZERO, u32::MAX);
                backoff.not_before().as_millis()
            })
            .collect();
        assert_eq!(pauses[..4], [100, 200, 400, 800]);
        assert_eq!(pauses[10..], [60_000, 60_000]);
        backoff.healthy();
        assert_eq!(backoff.not_before(), Duration::ZERO);
        backoff.failed(Duration::ZERO, 0);
        assert_eq!(backoff.not_before(), Duration::from_millis(50), "half of it is certain");
    }
}
