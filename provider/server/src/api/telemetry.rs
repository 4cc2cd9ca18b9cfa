//! What the API counts. Labels are bounded: operations are those of the table, and never a path as it was asked for.

use std::time::Duration;

use http::{Method, StatusCode};
use metrics::{counter, histogram};

use crate::telemetry::Family;

pub(super) fn answered(method: &Method, operation: &str, status: StatusCode, after: Duration) {
    let method = match *method {
        Method::GET => "GET",
        Method::PUT => "PUT",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        _ => "other",
    };
    let labels = [("method", method.to_owned()), ("operation", operation.to_owned())];
    histogram!(Family::RequestSeconds.name(), &labels).record(after);
    let [method, operation] = labels;
    let labels = [method, operation, ("status", status.as_str().to_owned())];
    counter!(Family::Requests.name(), &labels).increment(1);
}
