//! What a client tells through the `metrics` facade; `docs/provider-metrics.md` has the table. Without a recorder each call comes to
//! nothing.
//!
//! | what | where |
//! |---|---|
//! | the table | `families` |
//! | values of labels | `labels` |
//! | what is counted as it happens, in batches | here, `counters` |
//! | how things are, told four times a second while anything happens | `gauges` |

mod counters;
mod families;
mod gauges;
mod labels;

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use apns_provider_core::{DispatchStatus, Outcome, Reason, UnixTime};
use metrics::{
    Counter, Gauge, Histogram, counter, describe_counter, describe_gauge, describe_histogram, gauge,
    histogram,
};

use counters::Outcomes;
use families::{Family, Kind};
use gauges::Gauges;

/// The metrics of one client.
#[derive(Debug)]
pub(crate) struct Telemetry {
    pushes: Outcomes,
    attempts: Outcomes,
    push_seconds: Histogram,
    ping_seconds: Histogram,
    connections_opened: Counter,
    connections_failed: Counter,
    gauges: Mutex<Gauges>,
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ended {
    /// We wanted it.
    Drained,
    /// APNs said so.
    Goaway,
    /// Nobody said so.
    Lost,
}

impl Telemetry {
    /// Finds the recorder that is there now.
    pub(crate) fn new() -> Self {
        describe();
        Self {
            pushes: Outcomes::new(Family::Pushes),
            attempts: Outcomes::new(Family::Attempts),
            push_seconds: histogram!(Family::PushSeconds.name()),
            ping_seconds: histogram!(Family::PingSeconds.name()),
            connections_opened: counter!(Family::ConnectionsOpened.name()),
            connections_failed: counter!(Family::ConnectionsFailed.name()),
            gauges: Mutex::new(Gauges::new()),
        }
    }

    /// A push is finished, so long after it was handed in.
    pub(crate) fn push_finished(&self, outcome: &Outcome, after: Duration) {
        self.pushes.count(std::iter::once(outcome));
        self.push_seconds.record(after);
    }

    /// Attempts on a connection are over.
    pub(crate) fn attempts_ended<'a>(&self, outcomes: impl Iterator<Item = &'a Outcome>) {
        self.attempts.count(outcomes);
    }

    pub(crate) fn connection_opened(&self) {
        self.connections_opened.increment(1);
    }

    pub(crate) fn connection_failed(&self) {
        self.connections_failed.increment(1);
    }

    pub(crate) fn ping_answered(&self, after: Duration) {
        self.ping_seconds.record(after);
    }

    /// How things are.
    pub(crate) fn tell(&self, status: &DispatchStatus) {
        self.gauges.lock().unwrap_or_else(PoisonError::into_inner).tell(status);
    }
}

/// A connection that was open is no more.
pub(crate) fn connection_ended(why: Ended) {
    let why = match why {
        Ended::Drained => "drained",
        Ended::Goaway => "goaway",
        Ended::Lost => "lost",
    };
    counter!(Family::ConnectionsEnded.name(), "why" => why).increment(1);
}

/// A GOAWAY has come.
pub(crate) fn goaway(reason: Option<&Reason>) {
    counter!(Family::Goaways.name(), "reason" => labels::of_reason(reason).to_owned()).increment(1);
}

/// An RST_STREAM has come.
pub(crate) fn reset(code: u32) {
    counter!(Family::Resets.name(), "code" => labels::of_code(code)).increment(1);
}

/// Tells when the provider token of this key was issued.
pub(crate) fn token_issued_at(key_id: &str) -> Gauge {
    gauge!(Family::TokenIssued.name(), "key_id" => key_id.to_owned())
}

/// The certificate with this serial number is in use.
pub(crate) fn certificate_expires_at(serial: String, at: UnixTime) {
    gauge!(Family::CertificateExpires.name(), "serial" => serial).set(seconds(at));
}

/// Seconds since 1970.
pub(crate) fn seconds(at: UnixTime) -> f64 {
    Duration::from_millis(at.as_millis()).as_secs_f64()
}

/// What each metric tells, for recorders that pass it on.
fn describe() {
    for family in Family::ALL {
        match family.kind() {
            Kind::Counter => describe_counter!(family.name(), family.help()),
            Kind::Gauge => describe_gauge!(family.name(), family.help()),
            Kind::Histogram => describe_histogram!(family.name(), family.help()),
        }
    }
}
