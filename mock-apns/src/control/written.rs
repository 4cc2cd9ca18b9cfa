//! The push that was written last: many who wait for the same one are told of it at once, and writing it out is most of their cost.

use std::sync::{Mutex, PoisonError};

use mock_apns_core::{Push, Team, TeamId};
use serde_json::value::RawValue;

use crate::json::raw;

/// The JSON of one push, as it was told last. It is asked while the service is locked, so that nothing changes in between.
#[derive(Debug, Default)]
pub(super) struct LastWritten(Mutex<Option<Written>>);

#[derive(Debug)]
struct Written {
    of: Of,
    text: Box<RawValue>,
}

/// Which push, and at which point of its team's journal: whatever becomes of it, or of its device, is an entry there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Of {
    team: TeamId,
    arrival: u64,
    found: u64,
    next_cursor: u64,
}

impl LastWritten {
    /// The JSON of a push of this team.
    pub(super) fn text(&self, team: &Team, push: &Push<'_>) -> Box<RawValue> {
        let of = Of {
            team: team.id(),
            arrival: push.arrival.cursor,
            found: push.cursor,
            next_cursor: team.next_cursor(),
        };
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some(written) if written.of == of => written.text.clone(),
            _ => last.insert(Written { of, text: raw(push) }).text.clone(),
        }
    }

    /// Forgets it: another service has come, whose cursors may be the same.
    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
