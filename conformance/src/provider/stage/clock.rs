//! The clocks of a play: the double's, and the adapter's.

use std::time::Duration;

use super::{Stage, now};
use crate::provider::{
    item::Stop,
    protocol::{Event, Instruction},
};

impl Stage {
    /// Sets the clock of the play, the double's, so far ahead of the machine's, and the adapters' so many seconds ahead of that, or behind.
    /// The double's only goes forward.
    ///
    /// # Errors
    /// An adapter cannot be told.
    pub(crate) async fn set_clocks(&mut self, ahead: Duration, skew: i64) -> Result<(), Stop> {
        self.team().advance_clock(ahead.saturating_sub(self.ahead));
        self.ahead = ahead;
        self.recorder.turned(ahead);
        self.adapter_ahead = ahead.as_secs().cast_signed().saturating_add(skew);
        if let Some(clock) = &self.surroundings.clock {
            return Ok(clock.set_ahead(self.adapter_ahead)?); // one file for all
        }
        for _ in 0..self.adapters() {
            self.tell_time().await?;
            self.turn_to_next();
        }
        Ok(())
    }

    /// Tells one adapter what its clock says. One that has a clock of its own knows.
    pub(super) async fn tell_time(&self) -> Result<(), Stop> {
        if self.surroundings.clock.is_some() {
            return Ok(());
        }
        let now = now().as_secs().saturating_add_signed(self.adapter_ahead);
        let set = Instruction::SetClock { now };
        self.ask("set-clock", &set, |event| matches!(event, Event::ClockSet {})).await
    }

    /// What the date is in the play, since 1970.
    pub(crate) fn date(&self) -> Duration {
        now() + self.ahead
    }

    /// Whether the adapters have a clock made for them, because they cannot be told the time.
    pub(crate) fn has_fake_clock(&self) -> bool {
        self.surroundings.clock.is_some()
    }
}
