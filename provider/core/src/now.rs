use std::time::Duration;

use crate::UnixTime;

/// The time of two clocks, read together: one that only ever goes forward, for deadlines and pauses, and the calendar, for what APNs
/// and provider tokens say in dates. A machine whose date is corrected neither hurries nor holds up any push.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Now {
    /// Since the client was made; never goes back.
    pub elapsed: Duration,
    /// What the machine takes for the date.
    pub date: UnixTime,
}

impl Now {
    /// What the calendar will say when the steady clock has reached `elapsed`.
    pub fn date_at(self, elapsed: Duration) -> UnixTime {
        let ahead = elapsed.saturating_sub(self.elapsed).as_millis();
        let ahead = u64::try_from(ahead).unwrap_or(u64::MAX);
        UnixTime::from_millis(self.date.as_millis().saturating_add(ahead))
    }
}
