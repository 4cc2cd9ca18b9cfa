use std::time::Duration;

use crate::{
    error::Violation,
    limits::{Limits, RateMeter},
};

/// How often the peer did what costs us something.
#[derive(Debug)]
pub(super) struct Meters {
    resets: RateMeter,
    stream_errors: RateMeter,
    settings: RateMeter,
    pings: RateMeter,
    window_updates: RateMeter,
    empty_frames: RateMeter,
    ignored_frames: RateMeter,
}

impl Meters {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            resets: RateMeter::new(limits.resets),
            stream_errors: RateMeter::new(limits.stream_errors),
            settings: RateMeter::new(limits.settings),
            pings: RateMeter::new(limits.pings),
            window_updates: RateMeter::new(limits.window_updates),
            empty_frames: RateMeter::new(limits.empty_frames),
            ignored_frames: RateMeter::new(limits.ignored_frames),
        }
    }

    /// Counts what `violation` limits; gives it back if it was done once too often.
    pub(super) fn count(&mut self, violation: Violation, now: Duration) -> Result<(), Violation> {
        let meter = match violation {
            Violation::TooManyResets => &mut self.resets,
            Violation::TooManyStreamErrors => &mut self.stream_errors,
            Violation::TooManySettings => &mut self.settings,
            Violation::TooManyPings => &mut self.pings,
            Violation::TooManyWindowUpdates => &mut self.window_updates,
            Violation::TooManyEmptyFrames => &mut self.empty_frames,
            Violation::TooManyIgnoredFrames => &mut self.ignored_frames,
            other => return Err(other), // not something that is counted: not allowed even once
        };
        if meter.allows(now) { Ok(()) } else { Err(violation) }
    }
}
