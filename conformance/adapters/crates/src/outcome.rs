use std::{error::Error, iter};

use serde::Serialize;

/// What a library tells its caller of a push; members that it does not tell are left out.
#[derive(Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Outcome {
    Accepted {
        #[serde(skip_serializing_if = "Option::is_none")]
        apns_id: Option<String>,
    },
    Rejected {
        status: u16,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// In milliseconds since 1970.
        #[serde(skip_serializing_if = "Option::is_none")]
        timestamp: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        apns_id: Option<String>,
    },
    /// Certainly not processed.
    NotSent { why: String },
    /// Nobody knows.
    Ambiguous { why: String },
    /// Refused before anything was sent.
    Invalid { why: String },
}

/// The error and what is behind it, as far as its message does not tell that already.
pub fn explain(error: &(dyn Error + 'static)) -> String {
    let causes = iter::successors(error.source(), |error| (*error).source());
    causes.map(ToString::to_string).fold(error.to_string(), |told, cause| {
        if told.contains(&cause) { told } else { format!("{told}: {cause}") }
    })
}
