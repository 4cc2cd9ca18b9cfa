use apns_provider_core::DispatchStatus;
use metrics::{Counter, Gauge, counter, gauge};

use super::families::Family;

/// How things are, as differences to what was told before: the gauges of several clients add up.
#[derive(Debug)]
pub(super) struct Gauges {
    waiting: Level,
    pausing: Level,
    under_way: Level,
    opening: Level,
    open: Level,
    draining: Level,
    streams_free: Level,
    window: Level,
    retries: Counter,
    retries_told: u64,
}

impl Gauges {
    pub(super) fn new() -> Self {
        Self {
            waiting: Level::new(Family::PushesWaiting),
            pausing: Level::new(Family::PushesPausing),
            under_way: Level::new(Family::PushesUnderWay),
            opening: Level::of_connections("opening"),
            open: Level::of_connections("open"),
            draining: Level::of_connections("draining"),
            streams_free: Level::new(Family::StreamsFree),
            window: Level::new(Family::WindowBytes),
            retries: counter!(Family::Retries.name()),
            retries_told: 0,
        }
    }

    pub(super) fn tell(&mut self, status: &DispatchStatus) {
        self.waiting.set(status.waiting);
        self.pausing.set(status.pausing);
        self.under_way.set(status.under_way);
        self.opening.set(status.opening);
        self.open.set(status.open);
        self.draining.set(status.draining);
        self.streams_free.set(status.streams_free);
        self.window.set(status.window);
        let retries = status.retries.saturating_sub(self.retries_told);
        if retries > 0 {
            self.retries.increment(retries);
        }
        self.retries_told = status.retries;
    }
}

#[derive(Debug)]
struct Level {
    gauge: Gauge,
    told: usize,
}

impl Level {
    fn new(family: Family) -> Self {
        Self { gauge: gauge!(family.name()), told: 0 }
    }

    fn of_connections(state: &'static str) -> Self {
        Self { gauge: gauge!(Family::Connections.name(), "state" => state), told: 0 }
    }

    fn set(&mut self, value: usize) {
        if value > self.told {
            self.gauge.increment(count(value - self.told));
        } else if value < self.told {
            self.gauge.decrement(count(self.told - value));
        }
        self.told = value;
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
fn count(count: usize) -> f64 {
    count as f64
}
