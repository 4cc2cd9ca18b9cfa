//! Waiting for what a team's journal will say: woken when it grows, never by polling.

use std::{future, time::Duration};

use mock_apns_core::TeamId;
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::{Instant, sleep_until},
};

use super::{
    Control,
    error::{ApiError, ApiResult, ErrorCode},
};
use crate::listener::Stop;

/// The longest that a request may wait: longer than any test should, and shorter than proxies and clients give up.
pub(super) const WAIT_MAX: Duration = Duration::from_mins(5);
/// Requests that wait at once: a connection and a task each.
pub(super) const WAITS_MAX: usize = 10_000;

/// A wait for a team.
pub(super) struct Wait {
    changes: watch::Receiver<()>,
    stop: Stop,
    /// `None`: it ends when its caller does.
    deadline: Option<Instant>,
    /// A place among those who wait.
    _place: OwnedSemaphorePermit,
}

impl Wait {
    /// Begins to wait for at most `time`. What happens from here on is not missed.
    pub(super) fn begin(control: &Control, team: TeamId, time: Duration) -> ApiResult<Self> {
        if time > WAIT_MAX {
            let message = format!("parameter wait: at most {} seconds", WAIT_MAX.as_secs());
            return Err(ApiError::new(ErrorCode::BadParameter, message));
        }
        Ok(Self { deadline: Some(Instant::now() + time), ..Self::for_ever(control, team)? })
    }

    /// Begins to wait for as long as somebody listens.
    pub(super) fn for_ever(control: &Control, team: TeamId) -> ApiResult<Self> {
        let place = control.waits().try_acquire_owned().map_err(|_| {
            ApiError::new(ErrorCode::TooManyWaits, format!("{WAITS_MAX} requests wait already"))
        })?;
        let mut batch = control.shared().batch();
        if batch.service().team(team).is_none() {
            return Err(ApiError::unknown_team(team));
        }
        let changes = batch.watch(team);
        Ok(Self { changes, stop: control.stop(), deadline: None, _place: place })
    }

    /// Returns when something has happened to the team since this was called last; `false`: there is no more time, or the
    /// double stops.
    pub(super) async fn next(&mut self) -> bool {
        let over = async {
            match self.deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => future::pending().await,
            }
        };
        tokio::select! {
            changed = self.changes.changed() => changed.is_ok(), // else the team is gone
            () = over => false,
            _ = self.stop.changed() => false,
        }
    }

    /// Ends so long from now, whatever was said before.
    pub(super) fn end_in(&mut self, time: Duration) {
        self.deadline = Some(Instant::now() + time);
    }
}
