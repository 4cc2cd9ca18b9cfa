//! What deliveries count. Labels are bounded: no webhook is among them.

use metrics::{counter, describe_counter, describe_gauge, gauge};

/// How a delivery ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Result {
    Delivered,
    /// It is tried again.
    Failed,
    GivenUp,
}

pub(crate) fn describe() {
    describe_counter!(
        DELIVERIES,
        "Deliveries to webhooks by result: delivered, failed (it is tried again), given-up, dropped (too much waited, or nobody wants it)."
    );
    describe_gauge!(WAITING, "Deliveries to webhooks that wait, of all tenants.");
}

pub(super) fn count(result: Result) {
    let result = match result {
        Result::Delivered => "delivered",
        Result::Failed => "failed",
        Result::GivenUp => "given-up",
    };
    counter!(DELIVERIES, "result" => result).increment(1);
}

/// What was waiting, and is not delivered any more.
pub(crate) fn count_dropped(count: u64) {
    if count > 0 {
        counter!(DELIVERIES, "result" => "dropped").increment(count);
        tracing::warn!(count, "events for webhooks were dropped");
    }
}

pub(crate) fn waiting(count: u64) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    gauge!(WAITING).set(count as f64);
}

const DELIVERIES: &str = "apns_server_webhook_deliveries_total";
const WAITING: &str = "apns_server_webhook_waiting";
