use std::time::Duration;

/// How long pushes took, each from being handed over to having its answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latencies(Vec<u32>);

impl Latencies {
    /// None yet; room for `count`.
    pub(crate) fn with_capacity(count: usize) -> Self {
        Self(Vec::with_capacity(count))
    }

    /// One more, kept in microseconds. Longer than 71 minutes counts as that.
    pub(crate) fn record(&mut self, latency: Duration) {
        self.0.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds all of `other`.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// The latency, in microseconds, that `percent` of the pushes did not exceed (nearest rank); 0 if there are none.
    pub(crate) fn percentile_us(&mut self, percent: usize) -> u32 {
        if self.0.is_empty() {
            return 0;
        }
        let rank = (self.0.len() * percent).div_ceil(100).clamp(1, self.0.len());
        *self.0.select_nth_unstable(rank - 1).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.percentile_us(50), 0);
        for us in (1..=200).rev() {
            latencies.record(Duration::from_micros(us));
        }
        assert_eq!([50, 99, 100, 0].map(|percent| latencies.percentile_us(percent)), [100, 198, 200, 1]);
    }
}
