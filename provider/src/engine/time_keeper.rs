//! Comes to the dispatcher when time alone asks for something.

use std::{future::pending, sync::Arc};

use apns_provider_core::Dispatcher;
use tokio::time::sleep_until;

use super::Engine;

/// Runs until every push is finished and no more is taken.
pub(super) async fn run(engine: Arc<Engine>) {
    loop {
        let next = {
            let mut state = engine.state();
            if state.dispatcher.is_done() {
                return;
            }
            state.timer_at = state.dispatcher.poll_timeout();
            state.timer_at
        };
        let due = async {
            match next {
                Some(at) => sleep_until(engine.instant(at)).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = due => engine.with(Dispatcher::handle_timeout),
            () = engine.sooner.notified() => {}
        }
    }
}
