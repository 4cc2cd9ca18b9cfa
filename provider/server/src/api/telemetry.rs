//! What the API counts. Labels are bounded: operations are those of the table, and never a path as it was asked for.

use std::time::Duration;

use http::{Method, StatusCode};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

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
    describe_counter!(REQUESTS, "Requests to the API that were answered.");
    describe_histogram!(REQUEST_SECONDS, "Time from a request's head to its answer, in seconds.");
    describe_gauge!(QUEUED, "Recipients without an outcome, by lane, of all tenants.");
    crate::webhooks::describe();
    Ok(Some(handle))
}

pub(super) fn answered(method: &Method, operation: &str, status: StatusCode, after: Duration) {
    let method = match *method {
        Method::GET => "GET",
        Method::PUT => "PUT",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        _ => "other",
    };
    let labels = [("method", method.to_owned()), ("operation", operation.to_owned())];
    histogram!(REQUEST_SECONDS, &labels).record(after);
    let [method, operation] = labels;
    counter!(REQUESTS, &[method, operation, ("status", status.as_str().to_owned())]).increment(1);
}

pub(super) fn queued(lane: &'static str, depth: u64) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    gauge!(QUEUED, "lane" => lane).set(depth as f64);
}

const REQUESTS: &str = "apns_server_api_requests_total";
const REQUEST_SECONDS: &str = "apns_server_api_request_seconds";
const QUEUED: &str = "apns_server_queued";

/// From what a cache answers to what nobody waits for.
const SECONDS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
