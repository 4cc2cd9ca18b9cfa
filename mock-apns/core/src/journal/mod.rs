//! The journal of a team: everything that happened, in order, as far back as there is room. A journal of the service has
//! what was turned away and concerns no team.
//!
//! ```text
//!   Request ──▶ ReceivedRequest ──┬──▶ Notification ──▶ an entry for each status that it reaches ──┐
//!                                 └──▶ RefusedPush ───▶ an entry ──────────────────────────────────┤
//!   devices, clocks, connections ─────────────────────▶ an entry ──────────────────────────────────┤
//!                                                                                                  ▼
//!   Record: an entry as it is read  ◀─────────────────────────────────────────────── Log, with cursors
//!   Push, Pushes: what came and what became of it, found by a Filter, a page at a time
//!   NearMiss: what came and was not found, and what differed
//! ```

mod authorization;
mod form;
mod log;
mod near_miss;
mod push;
mod pushes;
mod received;
mod record;
mod refused;
mod status;
mod team_journal;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use authorization::without_secret;
pub(crate) use form::{EventForm, KeptNotification, Notifications, RequestForm};
pub(crate) use log::{COUNT_MAX, Entry, Log};
pub use near_miss::{NEAR_MISS_ENTRIES_MAX, NearMiss};
pub use push::{Push, Verdict};
pub use pushes::Pushes;
pub(crate) use pushes::{finds_push, first_behind};
pub use received::ReceivedRequest;
pub use record::{Destination, Event, Record};
pub use refused::RefusedPush;
pub use status::{Counters, Status};
pub(crate) use team_journal::{JournalForm, TeamJournal, Wait};

use crate::{
    BundleId, Clock, ConnectionId, DeviceState, Environment, NewTokens, Notification, Reason, Throttling,
    TokenKind,
    device::DeviceIndex,
    fault::{FaultName, Firing},
};

/// What happened to a device.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
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
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
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

/// An event as it is kept: a push brings two of them about, and looks up no names for them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Compact {
    TurnedAway(TurnedAway),
    Notification { notification: Arc<Notification>, status: Status, cause: Option<Cause> },
    Device { device: DeviceIndex, change: Box<DeviceChange> },
    Clock(Clock),
    Scenario(FaultName),
    Reset,
}

/// What needs no team to be told of: what was turned away, or went wrong by a fault.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TurnedAway {
    Push(Box<RefusedPush>),
    Connection { connection: ConnectionId, reason: Reason },
    Fault(Box<Firing>),
    Throttled { connection: ConnectionId, how: Throttling },
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two of them are written for each push.
    #[test]
    fn an_entry_is_small() {
        assert!(size_of::<Entry<Compact>>() <= 56, "{}", size_of::<Entry<Compact>>());
    }
}
