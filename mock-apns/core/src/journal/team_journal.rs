//! The journal of one team.

use std::ops::Range;

use rustc_hash::FxHashMap;

use super::{Cause, Compact, Counters, Entry, Log, Status};
use crate::Timestamp;

/// What happened to a team, how many notifications reached each status ever, and where those waited that did.
#[derive(Debug)]
pub(crate) struct TeamJournal {
    log: Log<Compact>,
    counters: Counters,
    /// By the number of the notification: the times that it waited, also those that the log has dropped. They go when
    /// the log drops the end of it. With them and the notification, all of its life but the end is known of any entry
    /// about it, which is why paging needs no look back.
    waits: FxHashMap<u64, Vec<Wait>>,
}

/// A time that a notification began to wait.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Wait {
    pub(crate) cursor: u64,
    pub(crate) at: Timestamp,
    pub(crate) status: Status,
    pub(crate) cause: Option<Cause>,
}

impl TeamJournal {
    pub(crate) fn new() -> Self {
        Self { log: Log::new(), counters: Counters::default(), waits: FxHashMap::default() }
    }

    /// Adds an entry, and drops the oldest beyond `room`.
    pub(crate) fn add(&mut self, room: u32, at: Timestamp, event: Compact) {
        let Self { log, counters, waits } = self;
        if let Compact::Notification { notification, status, cause } = &event {
            counters.count(*status);
            if status.is_wait() {
                let waits = waits.entry(notification.number).or_default();
                let (cursor, status, cause) = (log.cursors().end, *status, *cause);
                if waits.len() < WAITS_MAX {
                    waits.push(Wait { cursor, at, status, cause });
                }
            }
        }
        log.add(room, at, event, |evicted| match evicted {
            Compact::Notification { notification, status, .. } if status.is_final() && !waits.is_empty() => {
                waits.remove(&notification.number);
            }
            _ => {}
        });
    }

    /// Forgets everything but its cursor, which is never used again.
    pub(crate) fn reset(&mut self) {
        let Self { log, counters, waits } = self;
        log.clear();
        *counters = Counters::default();
        waits.clear();
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The cursors of the entries that are still there.
    pub(crate) fn cursors(&self) -> Range<u64> {
        self.log.cursors()
    }

    /// The entries from this cursor on that are still there, each with its cursor.
    pub(crate) fn since(&self, cursor: u64) -> impl DoubleEndedIterator<Item = (u64, &Entry<Compact>)> {
        self.log.since(cursor)
    }

    /// The times that a notification has waited, in order.
    pub(crate) fn waits(&self, number: u64) -> &[Wait] {
        self.waits.get(&number).map_or(&[], Vec::as_slice)
    }
}

/// How many waits of one notification are remembered. One or two are usual; but a device that comes and goes without
/// acknowledging can make one wait anew each time.
pub(super) const WAITS_MAX: usize = 64;
