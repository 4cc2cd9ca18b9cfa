use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use apns_provider_core::{ClockSkew, Now, ServerClock, UnixTime};

use crate::Clock;

/// The machine's clock, and what answers say of the server's.
#[derive(Debug)]
pub(crate) struct Clocks {
    machine: Arc<dyn Clock>,
    server: Mutex<ServerClock>,
    /// Whether provider tokens follow the server's when the machine's is wrong.
    pub(super) corrects: bool,
}

impl Clocks {
    pub(crate) fn new(machine: Arc<dyn Clock>, corrects: bool) -> Self {
        Self { machine, server: Mutex::default(), corrects }
    }

    /// The machine's date.
    pub(super) fn date(&self) -> UnixTime {
        self.machine.now()
    }

    pub(super) fn note(&self, now: Now, date: UnixTime) {
        self.server().note(now, date);
    }

    pub(super) fn skew(&self, now: Now) -> Option<ClockSkew> {
        self.server().skew(now)
    }

    /// The date that provider tokens go by.
    pub(super) fn for_tokens(&self, now: Now) -> UnixTime {
        if self.corrects { self.server().corrected(now) } else { now.date }
    }

    fn server(&self) -> MutexGuard<'_, ServerClock> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
