use std::{ops::RangeInclusive, time::Duration};

use thiserror::Error;

/// How many connections there are, and how carefully they are used. Every time in it can be changed, since a test does not wait for
/// minutes; the defaults are for Apple.
///
/// ```
/// use std::time::Duration;
/// use apns_provider_core::DispatchPolicy;
///
/// let policy = DispatchPolicy::default().with_connections(2..=8)?.with_spacing(Duration::from_secs(3));
/// assert!(DispatchPolicy::default().with_connections(0..=0).is_err());
/// # let _ = policy;
/// # Ok::<(), apns_provider_core::InvalidDispatchPolicy>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DispatchPolicy {
    pub(super) connections_min: usize,
    pub(super) connections_max: usize,
    pub(super) spacing: Duration,
    pub(super) saturated_for: Duration,
    pub(super) idle_for: Duration,
    pub(super) reconnect_first: Duration,
    pub(super) reconnect_longest: Duration,
    pub(super) rest: Duration,
    pub(super) probe_first: Duration,
    pub(super) credential_probe_first: Duration,
    pub(super) probe_longest: Duration,
    pub(super) unanswered_max: u32,
}

impl DispatchPolicy {
    /// The most connections that a client may have. Apple gives no number; it asks to spread load over several and not to open and
    /// close them rapidly.
    pub const CONNECTIONS_MAX: usize = 64;

    /// How many connections are kept, once they were needed, and how many are opened at most; 1 to 4 unless set.
    pub fn with_connections(self, count: RangeInclusive<usize>) -> Result<Self, InvalidDispatchPolicy> {
        let (connections_min, connections_max) = count.into_inner();
        if connections_max == 0
            || connections_max > Self::CONNECTIONS_MAX
            || connections_min > connections_max
        {
            return Err(InvalidDispatchPolicy::Connections { min: connections_min, max: connections_max });
        }
        Ok(Self { connections_min, connections_max, ..self })
    }

    /// The least time between two connections that are opened while others are there; a second unless set (C-02).
    #[must_use]
    pub fn with_spacing(self, spacing: Duration) -> Self {
        Self { spacing, ..self }
    }

    /// How long four fifths of all streams or of all window have to be in use before one more connection is opened; a second unless
    /// set (C-14).
    #[must_use]
    pub fn with_saturation(self, saturated_for: Duration) -> Self {
        Self { saturated_for, ..self }
    }

    /// How long nothing has to be sent on a connection beyond the least number before it is closed; ten minutes unless set (C-14).
    #[must_use]
    pub fn with_idle_time(self, idle_for: Duration) -> Self {
        Self { idle_for, ..self }
    }

    /// The pauses after connections that were of no use: from `first`, doubled each time, to `longest`; 100 ms to a minute unless set
    /// (C-41).
    #[must_use]
    pub fn with_reconnect_pauses(self, first: Duration, longest: Duration) -> Self {
        Self { reconnect_first: first, reconnect_longest: longest.max(first), ..self }
    }

    /// How long a connection gets no push after TooManyProviderTokenUpdates; twenty minutes unless set, the time that Apple wants
    /// between two tokens (C-26).
    #[must_use]
    pub fn with_rest(self, rest: Duration) -> Self {
        Self { rest, ..self }
    }

    /// While every push is refused, one is sent each interval to see whether that is over. The first interval while the credential is
    /// refused (30 seconds unless set), the first while the service is in trouble (a second), and the longest of both, to which they
    /// double (a minute; C-28, C-50).
    #[must_use]
    pub fn with_probes(self, credential: Duration, service: Duration, longest: Duration) -> Self {
        Self {
            credential_probe_first: credential,
            probe_first: service,
            probe_longest: longest.max(credential).max(service),
            ..self
        }
    }

    /// After how many pushes without an answer, one after the other, a connection is given up; 32 unless set. So many streams are
    /// reset on it at most (C-43).
    #[must_use]
    pub fn with_unanswered(self, unanswered_max: u32) -> Self {
        Self { unanswered_max: unanswered_max.max(1), ..self }
    }

    /// See [`with_unanswered`](Self::with_unanswered).
    pub fn unanswered_max(&self) -> u32 {
        self.unanswered_max
    }
}

impl Default for DispatchPolicy {
    fn default() -> Self {
        Self {
            connections_min: 1,
            connections_max: 4,
            spacing: Duration::from_secs(1),
            saturated_for: Duration::from_secs(1),
            idle_for: Duration::from_mins(10),
            reconnect_first: Duration::from_millis(100),
            reconnect_longest: Duration::from_mins(1),
            rest: Duration::from_mins(20),
            probe_first: Duration::from_secs(1),
            credential_probe_first: Duration::from_secs(30),
            probe_longest: Duration::from_mins(1),
            unanswered_max: 32,
        }
    }
}

/// Numbers of connections that make no sense.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum InvalidDispatchPolicy {
    /// None, too many, or more kept than allowed.
    #[error(
        "{min} to {max} connections: give from 1 to {} at most, and keep no more than that",
        DispatchPolicy::CONNECTIONS_MAX
    )]
    Connections {
        /// How many are kept.
        min: usize,
        /// How many there may be.
        max: usize,
    },
}
