//! Ctrl-C and SIGTERM: both mean "stop".

use tokio::signal::unix::{Signal, SignalKind, signal};

/// From when this is made, neither ends the process by itself.
#[derive(Debug)]
pub(super) struct Signals {
    interrupted: Signal,
    terminated: Signal,
}

impl Signals {
    pub(super) fn listen() -> Result<Self, String> {
        Ok(Self {
            interrupted: signal(SignalKind::interrupt())
                .map_err(|error| format!("cannot wait for Ctrl-C: {error}"))?,
            terminated: signal(SignalKind::terminate())
                .map_err(|error| format!("cannot wait for SIGTERM: {error}"))?,
        })
    }

    /// Returns at the first of either. Can be dropped at any time.
    pub(super) async fn stop(&mut self) {
        tokio::select! {
            _ = self.interrupted.recv() => {}
            _ = self.terminated.recv() => {}
        }
    }
}
