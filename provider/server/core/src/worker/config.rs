//! How much a worker takes on, and how patient it is.

use std::time::Duration;

use apns_provider_core::HygienePolicy;
use thiserror::Error;

use crate::{outcome::RetryRules, shard::SHARD_RECIPIENTS};

/// How much a worker takes on, and how patient it is. The defaults suit one process on two cores.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// Pushes in the engine at once, over all lanes: at 20,000 a second, each a fifth of a second long.
    pub in_engine_max: usize,
    /// Pushes of one app and environment in the engine at once, in percent of all: one that APNs does not answer must not take the
    /// room of the others.
    pub source_percent: usize,
    /// Recipients of each lane that are claimed and not sent yet: what the next half second needs, and what a process that dies
    /// leaves for its lease.
    pub claimed_max: usize,
    /// Shards that are claimed at once: many small ones for single pushes.
    pub shards_max: usize,
    /// Outcomes that the store has not confirmed, and pushes that will have one: beyond that nothing is sent.
    pub unsaved_max: usize,
    /// Outcomes of one batch.
    pub batch_max: usize,
    /// How long an outcome waits for others to be stored with.
    pub batch_delay: Duration,
    /// How long a claimed shard is this process'. When it dies, so long nobody else sends the rest.
    pub lease: Duration,
    /// How long the engine may take for a push. What is handed to it ends within the lease.
    pub engine_timeout: Duration,
    /// How often a lane is asked for work that nobody has told of.
    pub poll: Duration,
    /// How often and with which pauses a push is tried.
    pub rules: RetryRules,
    /// How careful to be with device tokens.
    pub hygiene: HygienePolicy,
}

/// A configuration that could never work.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum InvalidWorkerConfig {
    /// The engine may take longer than the lease allows.
    #[error(
        "a lease of {lease:?} is too short for pushes of up to {engine_timeout:?}: it takes at least {least:?}, so that there is time to \
         renew it"
    )]
    Lease {
        /// The lease.
        lease: Duration,
        /// What the engine may take.
        engine_timeout: Duration,
        /// What the lease has to be.
        least: Duration,
    },
    /// There is no room for a shard.
    #[error("{name} is {value}; it takes {min} to {max}")]
    Limit {
        /// Which limit.
        name: &'static str,
        /// What it is.
        value: usize,
        /// The least that works.
        min: usize,
        /// The most that is sensible.
        max: usize,
    },
    /// A time is no time.
    #[error("{name} is {value:?}; it takes {min:?} to {max:?}")]
    Time {
        /// Which time.
        name: &'static str,
        /// What it is.
        value: Duration,
        /// The least that works.
        min: Duration,
        /// The most that is sensible.
        max: Duration,
    },
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            in_engine_max: 4_000,
            source_percent: 75,
            claimed_max: 10_000,
            shards_max: 1_000,
            unsaved_max: 20_000,
            batch_max: 1_000,
            batch_delay: Duration::from_millis(20),
            lease: Duration::from_mins(1),
            engine_timeout: Duration::from_secs(30),
            poll: Duration::from_secs(1),
            rules: RetryRules::default(),
            hygiene: HygienePolicy::default(),
        }
    }
}

impl WorkerConfig {
    pub(super) fn check(&self) -> Result<(), InvalidWorkerConfig> {
        let limits = [
            ("in_engine_max", self.in_engine_max, 1, 1_000_000),
            ("source_percent", self.source_percent, 1, 100),
            ("claimed_max", self.claimed_max, SHARD_RECIPIENTS, 10_000_000),
            ("shards_max", self.shards_max, 3, 1_000_000), // one for each lane
            ("unsaved_max", self.unsaved_max, self.in_engine_max, 10_000_000),
            ("batch_max", self.batch_max, 1, 100_000),
        ];
        for (name, value, min, max) in limits {
            if !(min..=max).contains(&value) {
                return Err(InvalidWorkerConfig::Limit { name, value, min, max });
            }
        }
        let times = [
            ("batch_delay", self.batch_delay, Duration::ZERO, Duration::from_secs(5)),
            ("lease", self.lease, Duration::from_secs(1), Duration::from_hours(1)),
            ("engine_timeout", self.engine_timeout, Duration::from_millis(100), Duration::from_mins(30)),
            ("poll", self.poll, Duration::from_millis(10), Duration::from_mins(1)),
        ];
        for (name, value, min, max) in times {
            if !(min..=max).contains(&value) {
                return Err(InvalidWorkerConfig::Time { name, value, min, max });
            }
        }
        if self.send_margin() > self.lease.saturating_sub(self.renew_every()) {
            // Three quarters of it have to be enough for the engine and the margin, which is a fifth of it or less.
            let least = ((self.engine_timeout + MARGIN) * 4 / 3).min(self.engine_timeout * 20 / 11);
            return Err(InvalidWorkerConfig::Lease {
                lease: self.lease,
                engine_timeout: self.engine_timeout,
                least,
            });
        }
        Ok(())
    }

    /// How much of a lease has to be left for a push to be sent under it.
    pub(super) fn send_margin(&self) -> Duration {
        self.engine_timeout + margin(self.lease)
    }

    /// How often leases are renewed.
    pub(super) fn renew_every(&self) -> Duration {
        self.lease / 4
    }

    /// How long the engine may say nothing of any push of a shard before they are given up.
    pub(super) fn stalled_after(&self) -> Duration {
        self.engine_timeout * 3
    }

    /// Pushes of one app and environment in the engine at once.
    pub(super) fn source_max(&self) -> usize {
        (self.in_engine_max * self.source_percent / 100).max(1)
    }
}

/// How long the engine may take for a push under leases of this length: with time to store the outcome, and to renew the lease before pushes
/// have to wait for that.
pub fn engine_timeout_within(lease: Duration) -> Duration {
    (lease * 3 / 5).saturating_sub(margin(lease))
}

/// What the engine may be late, and the store with an outcome.
fn margin(lease: Duration) -> Duration {
    MARGIN.min(lease / 5)
}

/// More is of no use: a store that is so late is in trouble.
const MARGIN: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_work() {
        assert_eq!(WorkerConfig::default().check(), Ok(()));
    }

    #[test]
    fn whatever_the_lease_is_the_engine_has_time_within_it_and_the_renewal_too() {
        for secs in [5, 10, 20, 60, 3600] {
            let lease = Duration::from_secs(secs);
            let engine_timeout = engine_timeout_within(lease).min(Duration::from_mins(30));
            let config = WorkerConfig { lease, engine_timeout, ..WorkerConfig::default() };
            assert_eq!(config.check(), Ok(()), "{secs} s");
            assert!(engine_timeout >= lease * 2 / 5, "{secs} s");
            let left = lease.saturating_sub(config.renew_every() + config.send_margin());
            assert!(left >= lease / 8, "{secs} s");
        }
    }

    #[test]
    fn what_could_never_work_is_refused() {
        let refused = |change: fn(&mut WorkerConfig)| {
            let mut config = WorkerConfig::default();
            change(&mut config);
            config.check().unwrap_err().to_string()
        };
        assert!(refused(|it| it.lease = Duration::from_secs(40)).contains("46.6"));
        assert!(refused(|it| it.in_engine_max = 0).starts_with("in_engine_max is 0"));
        assert!(refused(|it| it.unsaved_max = 100).starts_with("unsaved_max is 100; it takes 4000"));
        assert!(refused(|it| it.poll = Duration::ZERO).starts_with("poll is 0ns"));
    }
}
