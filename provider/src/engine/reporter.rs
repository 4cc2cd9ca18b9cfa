//! Tells monitoring how things are, while anything happens.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use super::Engine;

/// How often at most: gauges are scraped every few seconds.
const EVERY: Duration = Duration::from_millis(250);

/// Runs until every push is finished and no more is taken.
pub(super) async fn run(engine: Arc<Engine>) {
    loop {
        engine.changed.notified().await;
        let (status, is_done) = {
            let state = engine.state();
            (state.dispatcher.status(), state.dispatcher.is_done())
        };
        engine.telemetry.tell(&status);
        if is_done {
            return;
        }
        sleep(EVERY).await;
    }
}
