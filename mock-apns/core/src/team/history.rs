//! What happened to a team, for whoever reads it.

use rustc_hash::FxHashMap;

use super::Team;
use crate::{Counters, DeviceChange, DeviceId, Event, Record, gateway, rendering::Screen};

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
        let is_meant = move |own: &str| own.eq_ignore_ascii_case(id);
        self.journal(0).filter(move |record| match record.event {
            Event::Notification { notification, .. } => {
                is_meant(notification.apns_id.as_str())
                    || notification.apns_unique_id.is_some_and(|unique_id| is_meant(unique_id.as_str()))
            }
            Event::Refused(refused) => is_meant(refused.apns_id.as_str()),
            Event::Device { .. } | Event::Clock(_) => false,
        })
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
        self.journal.next_cursor()
    }
}
