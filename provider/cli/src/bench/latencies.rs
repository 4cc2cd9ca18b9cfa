use std::time::Duration;

/// How long pushes took, to the microsecond; an hour at most.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Latencies {
    micros: Vec<u32>,
}

impl Latencies {
    pub(super) fn add(&mut self, latency: Duration) {
        self.micros.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
    }

    /// In the order that percentiles are read from.
    pub(super) fn sorted(mut self) -> Self {
        self.micros.sort_unstable();
        self
    }

    /// The least latency that so many of the pushes did not exceed.
    pub(super) fn percentiles(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        PERCENTILES.into_iter().map(|(name, per_mille)| {
            let rank = (self.micros.len() * per_mille).div_ceil(1000).max(1);
            let micros = self.micros.get(rank - 1).copied().unwrap_or_default();
            (name, Duration::from_micros(micros.into()))
        })
    }
}

/// Names, and how many of a thousand.
const PERCENTILES: [(&str, usize); 5] =
    [("p50", 500), ("p90", 900), ("p99", 990), ("p99.9", 999), ("max", 1000)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_read_by_rank() {
        let mut latencies = Latencies::default();
        for millis in (1..=1000).rev() {
            latencies.add(Duration::from_millis(millis));
        }
        let millis: Vec<u128> =
            latencies.sorted().percentiles().map(|(_, latency)| latency.as_millis()).collect();
        assert_eq!(millis, [500, 900, 990, 999, 1000]);
        assert!(Latencies::default().percentiles().all(|(_, latency)| latency.is_zero()));
    }
}
