//! What happened to a team, for whoever reads it.

use rustc_hash::FxHashMap;

use super::Team;
use crate::{
    Counters, DeviceChange, DeviceId, Event, Filter, NearMiss, Push, Pushes, Record, gateway,
    journal::first_behind, rendering::Screen,
};

impl Team {
    /// How many notifications have reached each status.
    pub fn counters(&self) -> &Counters {
        self.journal.counters()
    }

    /// What happened, from this cursor on: 0 for everything that is still there. Cursors count up by one and are never
    /// used again, so that a first cursor above the one asked for says how many entries are lost.
    pub fn journal(&self, since: u64) -> impl DoubleEndedIterator<Item = Record<'_>> {
        self.journal.since(since).map(|(cursor, entry)| Record::new(self, cursor, entry))
    }

    /// What has become of a push, by its `apns-id` or its `apns-unique-id`, in the order in which it happened.
    pub fn delivery_log(&self, id: &str) -> impl DoubleEndedIterator<Item = Record<'_>> {
        self.journal(0).filter(move |record| record.has_id(id))
    }

    /// The pushes that a filter finds behind the cursor `after`, at most `limit` of them: `None` begins with the oldest that
    /// is still there.
    ///
    /// A push is found when the filter finds any entry about it, and is listed by the first such entry. So without a
    /// filter each push is listed by its arrival; and whoever asks for `status:"Delivered to Device"` finds a push behind
    /// the cursor that came before it and was delivered since.
    pub fn pushes(&self, filter: &Filter, after: Option<u64>, limit: usize) -> Pushes<'_> {
        Pushes::find(&self.journal.cursors(), |since| self.journal(since), filter, after, limit)
    }

    /// The push of this `apns-id` or `apns-unique-id`, in either case; if several have it, the newest.
    pub fn push(&self, id: &str) -> Option<Push<'_>> {
        Push::newest(self.journal(0), id)
    }

    /// The pushes that come nearest to what a filter asks for, and are not found by it: of those behind the cursor `after`,
    /// at most `count`, the nearest first. The newest [`NEAR_MISS_ENTRIES_MAX`](crate::NEAR_MISS_ENTRIES_MAX) entries are
    /// looked at.
    pub fn near_misses(&self, filter: &Filter, after: Option<u64>, count: usize) -> Vec<NearMiss<'_>> {
        NearMiss::nearest(self.journal(first_behind(after)).rev(), filter, count)
    }

    /// What a device shows: of all that was delivered to it, as far back as the journal goes.
    pub fn screen(&self, id: &DeviceId) -> Screen {
        let mut screen = Screen::default();
        // By the number of the notification that started it: a Live Activity.
        let mut started = FxHashMap::default();
        for record in self.journal(0) {
            if let Event::Device {
                change: DeviceChange::ActivityStarted { activity, started_by, .. }, ..
            } = record.event
            {
                started_by.and_then(|number| started.insert(number, *activity));
            }
            let (Some(notification), Some(to)) = (record.notification(), record.destination()) else {
                continue;
            };
            if record.is_delivery() && to.device == id {
                started
                    .get(&notification.number)
                    .into_iter()
                    .for_each(|activity| screen.next_activity_is(*activity));
                screen.arrive(record.at, to.bundle_id, &gateway::arrival(self, notification));
            }
        }
        screen
    }

    /// The cursor of what happens next.
    pub fn next_cursor(&self) -> u64 {
        self.journal.cursors().end
    }

    /// The cursor of the oldest entry that is still there; without one, of what happens next.
    pub fn oldest_cursor(&self) -> u64 {
        self.journal.cursors().start
    }

    /// How many entries have made room for newer ones ever, or were dropped by a [reset](crate::TeamAt::reset).
    pub fn evicted(&self) -> u64 {
        self.oldest_cursor() // cursors count from 0
    }
}
