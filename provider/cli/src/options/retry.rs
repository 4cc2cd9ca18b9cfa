use apns_provider_core::{AmbiguousPushes, RetryPolicy};

/// Sends again what it is of use to send again; what may have been processed only without `--at-most-once`.
pub(crate) fn again(at_most_once: bool) -> RetryPolicy {
    let ambiguous_pushes = if at_most_once { AmbiguousPushes::Report } else { AmbiguousPushes::SendAgain };
    RetryPolicy::default().with_ambiguous_pushes(ambiguous_pushes)
}
