//! Time passes for the service too: one task for each double calls it when it wants to be called.

use std::{future, time::Duration};

use tokio::time::sleep;

use crate::{clock, shared::Shared};

/// Longest sleep: so soon it is noticed that the machine's clock was set, of which sleeping tells nothing.
const SLEEP_MAX: Duration = Duration::from_mins(1);

/// Wakes the service whenever it wants to be woken. Never returns; can be dropped at any time.
pub(crate) async fn run(shared: Shared) {
    loop {
        let wake_at = shared.batch().wake_at();
        let due = async {
            match wake_at {
                Some(at) => sleep(at.saturating_since(clock::now()).min(SLEEP_MAX)).await,
                None => future::pending().await,
            }
        };
        tokio::select! {
            () = due => shared.batch().service().handle_timeout(clock::now()),
            () = shared.sooner() => {}
        }
    }
}
