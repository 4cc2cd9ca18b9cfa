//! What deliveries count. Labels are bounded: no webhook is among them.

use metrics::{counter, gauge};

use crate::telemetry::Family;

/// How a delivery ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Result {
    Delivered,
    /// It is tried again.
    Failed,
    GivenUp,
}

pub(super) fn count(result: Result) {
    let result = match result {
        Result::Delivered => "delivered",
        Result::Failed => "failed",
        Result::GivenUp => "given-up",
    };
    counter!(Family::WebhookDeliveries.name(), "result" => result).increment(1);
}

/// What was waiting, and is not delivered any more.
pub(crate) fn count_dropped(count: u64) {
    if count > 0 {
        counter!(Family::WebhookDeliveries.name(), "result" => "dropped").increment(count);
        tracing::warn!(count, "events for webhooks were dropped");
    }
}

pub(crate) fn waiting(count: u64) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    gauge!(Family::WebhookWaiting.name()).set(count as f64);
}
