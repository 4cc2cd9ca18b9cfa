//! The journal of a team: everything that happened, in order, as far back as there is room.

mod record;
mod refused;
mod status;

use std::{collections::VecDeque, sync::Arc};

pub use record::{Destination, Event, Record};
pub use refused::RefusedPush;
pub use status::{Counters, Status};

use crate::{
    BundleId, Clock, DeviceState, Environment, NewTokens, Notification, Timestamp, TokenKind,
    device::DeviceIndex,
};

/// What happened to a device.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DeviceChange {
    /// It was added to the team.
    Added,
    /// It was removed from the team.
    Removed,
    /// It connected to the device gateway.
    Connected,
    /// Its connection to the device gateway ended.
    Disconnected,
    /// It can be reached, or not.
    State {
        /// Which of the three.
        state: DeviceState,
    },
    /// An app was put on it.
    Installed {
        /// Which app.
        app: BundleId,
        /// The environment of the build.
        environment: Environment,
    },
    /// An app was taken off it.
    Uninstalled {
        /// Which app.
        app: BundleId,
        /// The environment of the build.
        environment: Environment,
    },
    /// The user has let an app show notifications, or has not.
    Permission {
        /// Which app.
        app: BundleId,
        /// The environment of the build.
        environment: Environment,
        /// Whether it may.
        allowed: bool,
    },
    /// An app registered, and has this token now.
    Registered {
        /// Which app.
        app: BundleId,
        /// The environment of the build.
        environment: Environment,
        /// What the token is for.
        kind: TokenKind,
        /// The token, in hexadecimal.
        token: String,
    },
    /// An app does not want pushes any more.
    Unregistered {
        /// Which app.
        app: BundleId,
        /// The environment of the build.
        environment: Environment,
        /// What its token is for.
        kind: TokenKind,
    },
    /// A Live Activity began, and has this token.
    ActivityStarted {
        /// Which app.
        app: BundleId,
        /// The environment of the build.
        environment: Environment,
        /// The activity's number among those of the app on the device.
        activity: u32,
        /// The token, in hexadecimal.
        token: String,
        /// The number of the notification that started it; `None`: the app did.
        #[serde(skip_serializing_if = "Option::is_none", rename = "started-by")]
        started_by: Option<u64>,
    },
    /// A Live Activity has ended.
    ActivityEnded {
        /// Which app.
        app: BundleId,
        /// The environment of the build.
        environment: Environment,
        /// The activity's number among those of the app on the device.
        activity: u32,
    },
    /// Its apps get other tokens when they register next.
    NewTokens {
        /// What made it so.
        cause: NewTokens,
    },
}

/// Why something became of a notification.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
#[serde(tag = "cause", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Cause {
    /// A later notification took its place.
    Overwritten {
        /// The number of the later one.
        by: u64,
    },
    /// A later notification with the same `apns-collapse-id` took its place.
    Collapsed {
        /// The number of the later one.
        by: u64,
    },
    /// What is stored for the same Live Activity has a newer `timestamp`.
    OlderTimestamp {
        /// The number of the stored one.
        than: u64,
    },
    /// `apns-expiration` was 0, and the device could not be reached.
    ExpirationZero,
    /// The device has not acknowledged as many as it may leave unacknowledged.
    Unacknowledged,
    /// The device was sent it and did not acknowledge it before its connection ended.
    ConnectionLost,
    /// The app has used up its background pushes for now.
    BackgroundBudget,
    /// The app is not on the device.
    Uninstalled,
    /// The app has another token now.
    NewToken,
    /// The app has unregistered.
    Unregistered,
    /// The Live Activity has ended.
    ActivityEnded,
    /// The device is no more.
    DeviceRemoved,
}

/// An event, when and where.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) at: Timestamp,
    pub(crate) event: Compact,
}

/// An event as it is kept: a push brings two of them about, and looks up no names for them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Compact {
    Refused(Box<RefusedPush>),
    Notification { notification: Arc<Notification>, status: Status, cause: Option<Cause> },
    Device { device: DeviceIndex, change: Box<DeviceChange> },
    Clock(Clock),
}

/// What happened to a team: the newest entries, as many as there is room for, and how many notifications reached each
/// status ever.
#[derive(Debug)]
pub(crate) struct Journal {
    entries: VecDeque<Entry>,
    /// The cursor of the entry that comes next; those of `entries` are the numbers before it.
    next: u64,
    counters: Counters,
}

impl Journal {
    pub(crate) fn new() -> Self {
        Self { entries: VecDeque::new(), next: 0, counters: Counters::default() }
    }

    /// Adds an entry, and drops the oldest beyond `room`.
    pub(crate) fn add(&mut self, room: u32, at: Timestamp, event: Compact) {
        if let Compact::Notification { status, .. } = &event {
            self.counters.count(*status);
        }
        while self.entries.len() >= room as usize {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { at, event });
        self.next += 1;
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    pub(crate) fn next_cursor(&self) -> u64 {
        self.next
    }

    /// The entries from this cursor on that are still there, each with its cursor.
    pub(crate) fn since(&self, cursor: u64) -> impl DoubleEndedIterator<Item = (u64, &Entry)> {
        let oldest = self.next - self.entries.len() as u64;
        let skipped = cursor.saturating_sub(oldest).min(self.entries.len() as u64);
        self.entries
            .range(skipped as usize..)
            .enumerate()
            .map(move |(at, entry)| (oldest + skipped + at as u64, entry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(entries: u64, room: u32) -> Journal {
        let mut journal = Journal::new();
        for number in 0..entries {
            journal.add(room, Timestamp::from_secs(number), Compact::Clock(Clock::default()));
        }
        journal
    }

    fn cursors(journal: &Journal, since: u64) -> Vec<u64> {
        journal.since(since).map(|(cursor, _)| cursor).collect()
    }

    #[test]
    fn cursors_count_on_when_old_entries_are_dropped() {
        let journal = journal(10, 4);
        assert_eq!(cursors(&journal, 0), [6, 7, 8, 9]);
        assert_eq!(cursors(&journal, 8), [8, 9]);
        assert!(cursors(&journal, 10).is_empty());
        assert!(cursors(&journal, u64::MAX).is_empty());
        assert_eq!(journal.next_cursor(), 10);
    }

    /// Two of them are written for each push.
    #[test]
    fn an_entry_is_small() {
        assert!(size_of::<Entry>() <= 56, "{}", size_of::<Entry>());
    }
}
