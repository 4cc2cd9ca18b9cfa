//! Other people's APNs clients, as client children of the load harness of `apns-benches`.
//!
//! Started by it as `apns-bench-peers <job>`, where the job is JSON; see `benches/src/child`.

mod apns_h2_client;
mod apple_apns_client;
#[allow(
    dead_code,
    unused_imports,
    reason = "the module is the harness's; its servers use parts that clients do not"
)]
#[path = "../../src/child/mod.rs"]
mod child;

use std::process::ExitCode;

use child::{Failure, Job, Line, run_client};

fn main() -> ExitCode {
    let job = std::env::args().nth(1).unwrap_or_default();
    let job: Job = match serde_json::from_str(&job) {
        Ok(job) => job,
        Err(error) => {
            Line::Failed { why: Failure::new("reading the job", error).to_string() }.print();
            return ExitCode::FAILURE;
        }
    };
    match job.role.as_str() {
        "apple-apns" => run_client::<apple_apns_client::AppleApns>(job),
        "apns-h2" => run_client::<apns_h2_client::ApnsH2>(job),
        other => Line::Failed { why: format!("no peer is called {other}") }.print(),
    }
    ExitCode::SUCCESS
}

/// Refuses to compare clients that do not send the same: `payload` is what one is about to send.
pub(crate) fn check_length(payload: &str, expected: usize) -> Result<(), Failure> {
    if payload.len() == expected {
        return Ok(());
    }
    let why = format!("it has {} bytes where the workload says {expected}: {payload}", payload.len());
    Err(Failure::new("building the payload", why))
}
