//! What is done to both, the double and the model, and what each makes of it.

use mock_apns_core::{Cause, DeviceState, NewTokens, Status};

/// Devices there are, and builds of apps on each of them.
pub(crate) const DEVICES: usize = 2;
pub(crate) const BUILDS: usize = 3;

/// A build of an app on a device: what one push can wait for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Place {
    pub(crate) device: usize,
    pub(crate) build: usize,
}

impl Place {
    /// All places, in the order in which the apps are installed. It is another one on each device.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..DEVICES).flat_map(|device| {
            (0..BUILDS)
                .map(move |nth| Self { device, build: if device == 0 { nth } else { BUILDS - 1 - nth } })
        })
    }
}

/// A device token: the nth that a place was given, from 1.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Token {
    pub(crate) place: Place,
    pub(crate) nth: usize,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Push {
    pub(crate) token: Token,
    /// Whether it is an alert; else it is a background push.
    pub(crate) alert: bool,
    pub(crate) priority: Option<u8>,
    /// Unix seconds.
    pub(crate) expiration: Option<u64>,
    pub(crate) collapse_id: Option<&'static str>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    Push(Push),
    State(usize, DeviceState),
    Install(Place),
    Uninstall(Place),
    Register(Place),
    Unregister(Place),
    NewTokens(usize, NewTokens),
    Permission(Place, bool),
    /// So many milliseconds go by.
    Advance(u64),
}

/// What a call returns.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Returned {
    Done,
    NotInstalled,
    NotRegistered,
    Registered(Token),
    /// Status 200.
    Accepted,
    /// Status 410, with the `timestamp`.
    Unregistered {
        timestamp: u64,
    },
}

/// A notification has reached a status.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Line {
    pub(crate) at: u64,
    pub(crate) number: u64,
    pub(crate) status: Status,
    pub(crate) because: Option<Cause>,
}

/// All that a call brings about.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) returned: Returned,
    pub(crate) lines: Vec<Line>,
}
