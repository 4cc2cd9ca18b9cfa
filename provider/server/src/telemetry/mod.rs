//! What monitoring is told. Labels are bounded: no tenant, no app, no token and no path as it was asked for is among them.
//!
//! | what | where |
//! |---|---|
//! | the table of metrics | `families` |
//! | how sending and the queue are, when somebody asks | here |
//! | a span for each push | `traces` |

mod families;
mod traces;

use std::time::Duration;

use apns_provider_core::UnixTime;
use apns_provider_server_core::lanes::Lane;
use metrics::{counter, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

pub(crate) use families::Family;
pub use traces::{NoTraces, Traces};
pub(crate) use traces::{PushSpan, SpanOf};

use crate::{pipeline::PipelineStatus, store::LaneState};

/// Counts for `/metrics`, of the whole process: what `apns_provider` counts is among it. To be called once, before anything is counted;
/// `None` if somebody else has installed a recorder.
pub fn install_recorder() -> Result<Option<PrometheusHandle>, BuildError> {
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?
        .build_recorder();
    let handle = recorder.handle();
    if metrics::set_global_recorder(recorder).is_err() {
        return Ok(None);
    }
    families::describe();
    Ok(Some(handle))
}

/// What waits in each lane.
pub(crate) fn tell_lanes(lanes: &[LaneState], now: UnixTime) {
    for lane in Lane::ALL {
        let state = lanes.iter().find(|state| state.lane == lane);
        let since = state.and_then(|state| state.due_at);
        let age = since.map_or(0, |since| now.as_millis().saturating_sub(since.as_millis()));
        set(Family::Queued, lane, state.map_or(0, |state| state.depth));
        let age = Duration::from_millis(age).as_secs_f64();
        gauge!(Family::QueueAge.name(), "lane" => lane.as_str()).set(age);
    }
}

/// How sending is. It counts by itself, so that nothing is looked up for each push.
pub(crate) fn tell_pipeline(status: &PipelineStatus) {
    let PipelineStatus { worker, counts, .. } = status;
    for (place, lane) in Lane::ALL.into_iter().enumerate() {
        set(Family::Claimed, lane, worker.to_send[place] as u64);
        set(Family::InEngine, lane, worker.in_engine[place] as u64);
    }
    for (family, now) in [
        (Family::Unsaved, worker.unsaved),
        (Family::Shards, worker.shards),
        (Family::Clients, status.clients),
        (Family::Troubled, worker.troubled),
        (Family::RemovalsSuspended, worker.suspended),
    ] {
        gauge!(family.name()).set(float(now as u64));
    }
    for (family, so_far) in [
        (Family::Troubles, counts.troubled),
        (Family::RemovalAlarms, counts.too_many_invalid),
        (Family::Removed, counts.removed),
        (Family::Outcomes, counts.stored),
        (Family::Retries, counts.retries),
        (Family::CampaignsFinished, counts.finished),
        (Family::StoreFailures, counts.store_failures),
    ] {
        counter!(family.name()).absolute(so_far);
    }
}

fn set(family: Family, lane: Lane, value: u64) {
    gauge!(family.name(), "lane" => lane.as_str()).set(float(value));
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
fn float(value: u64) -> f64 {
    value as f64
}

/// From what a cache answers to what nobody waits for.
const SECONDS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
