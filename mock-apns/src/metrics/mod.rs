//! What is counted, for Prometheus; `docs/metrics.md` lists it for readers.
//!
//! ```text
//!   connection task ── once a batch ──▶ Metrics, Connections ─┐
//!   each request ──▶ Service: AnswerCounts, Totals ───────────┼─ Numbers, when somebody asks ──▶ text
//!                    Teams: conduct, devices ─────────────────┘   (the lock is held for this)
//! ```
//!
//! A request costs additions to plain numbers under the lock that is held for its batch anyway. Everything else happens
//! when somebody asks: the numbers are copied under the lock, and written after it.

mod families;
mod histogram;
mod numbers;

use std::time::Duration;

use apns_http2::Violation;
use histogram::Histogram;
pub(crate) use numbers::Numbers;

use crate::connection::Offence;

/// What only the shell can count.
#[derive(Debug)]
pub(crate) struct Metrics {
    handling_seconds: Histogram,
    batch_requests: Histogram,
    violations: [[u64; Scope::ALL.len()]; Violation::ALL.len()],
    cut_off: [u64; Offence::ALL.len()],
}

/// What an error of HTTP/2 has ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Scope {
    Connection,
    Stream,
}

impl Scope {
    const ALL: &'static [Self] = &[Self::Connection, Self::Stream];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Stream => "stream",
        }
    }
}

impl Metrics {
    /// A provider broke the protocol.
    pub(crate) fn violated(&mut self, violation: Violation, ended: Scope) {
        self.violations[violation as usize][ended as usize] += 1;
    }

    /// A connection of a provider was cut off.
    pub(crate) fn cut_off(&mut self, offence: Offence) {
        self.cut_off[offence as usize] += 1;
    }

    /// A batch of frames was handled, in this time and with so many requests. One without a request tells nothing.
    pub(crate) fn handled(&mut self, took: Duration, requests: u32) {
        if requests > 0 {
            self.handling_seconds.observe(took.as_secs_f64());
            self.batch_requests.observe(requests.into());
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            handling_seconds: Histogram::new(HANDLING_SECONDS),
            batch_requests: Histogram::new(BATCH_REQUESTS),
            violations: [[0; Scope::ALL.len()]; Violation::ALL.len()],
            cut_off: [0; Offence::ALL.len()],
        }
    }
}

/// From one push alone (some 10 µs) to what a caller would notice.
const HANDLING_SECONDS: &[f64] =
    &[10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 100e-3, 1.0];
/// To as many as a provider may have under way.
const BATCH_REQUESTS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0];
