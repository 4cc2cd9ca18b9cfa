//! What follows from the writer's progress.

use super::Log;
use crate::{credentials::Credentials, shared::Shared};

/// Tells devices what was held back until it was kept, and puts a checkpoint in the place of a long log. Returns when nothing more
/// is kept; can be dropped at any time.
pub(crate) async fn run(shared: Shared, credentials: Credentials, log: Log) {
    let mut progress = log.progress();
    let mut checkpointed = 0;
    while progress.changed().await.is_ok() {
        let (kept, is_long) = {
            let progress = progress.borrow_and_update();
            (progress.kept, progress.is_long)
        };
        let mut batch = shared.batch();
        batch.release(kept);
        // The log is long until the last checkpoint is written.
        if is_long && kept >= checkpointed {
            checkpointed = batch.checkpoint(&credentials).unwrap_or(checkpointed);
        }
    }
}
