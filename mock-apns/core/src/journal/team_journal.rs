//! The journal of one team.

use std::{collections::BTreeMap, convert::Infallible, ops::Range};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::{Cause, Compact, Counters, Entry, EventForm, Log, Notifications, Status};
use crate::{
    Timestamp,
    snapshot::{Problem, SnapshotError},
};

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
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wait {
    pub(crate) cursor: u64,
    pub(crate) at: Timestamp,
    pub(crate) status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cause: Option<Cause>,
}

/// A journal as it is written in a snapshot.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JournalForm {
    log: Log<EventForm>,
    counters: Counters,
    waits: BTreeMap<u64, Vec<Wait>>,
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

    /// As it is written in a snapshot. The notifications that it speaks of are added to those that are kept.
    pub(crate) fn to_form(&self, kept: &mut Notifications) -> JournalForm {
        let log = self.log.try_map(|_, event| Ok::<_, Infallible>(EventForm::of(event, kept)));
        let Ok(log) = log;
        let waits = self.waits.iter().map(|(number, waits)| (*number, waits.clone())).collect();
        JournalForm { log, counters: self.counters.clone(), waits }
    }

    /// As it was written, of a team with so many devices.
    pub(crate) fn from_form(
        form: &JournalForm,
        devices: usize,
        kept: &Notifications,
    ) -> Result<Self, SnapshotError> {
        let JournalForm { log, counters, waits } = form;
        let sound_waits = |(_, waits): (&u64, &Vec<Wait>)| {
            waits.len() <= WAITS_MAX && waits.iter().all(|wait| wait.status.is_wait())
        };
        let is_sound = log.is_sound() && counters.is_sound() && waits.iter().all(sound_waits);
        if !is_sound {
            return Err(Problem::TooMany.at("journal"));
        }
        let log = log.try_map(|at, event| {
            event.compact(devices, kept).map_err(|problem| problem.at(&format!("journal.log.entries[{at}]")))
        })?;
        let waits = waits.iter().map(|(number, waits)| (*number, waits.clone())).collect();
        Ok(Self { log, counters: counters.clone(), waits })
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
