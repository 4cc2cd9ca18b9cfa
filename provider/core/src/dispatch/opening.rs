//! When a connection is opened, and when one that nobody needs is closed.

use std::time::Duration;

use super::{Connection, ConnectionId, Dispatcher, Effect, Ending, breaker::Pass, connections::Phase};

/// How long a server may leave a connection without window while nothing is under way on it, before another one is used instead.
const STARVED_MAX: Duration = Duration::from_secs(1);

impl<T> Dispatcher<T> {
    /// Opens a connection if one is wanted and it is time; one after the other.
    pub(super) fn open_if_wanted(&mut self, now: Duration) {
        if self.opening_at().is_none_or(|at| at > now) {
            return;
        }
        let id = ConnectionId(self.next_id);
        self.next_id += 1;
        self.last_opening = Some(now);
        self.saturated_since = None;
        self.connections.push(Connection::new(id, now, !self.by_token));
        self.effects.push_back(Effect::Open(id));
    }

    /// When the next connection is to be opened, as things are.
    pub(super) fn opening_at(&self) -> Option<Duration> {
        let now = self.looked_at;
        let wanted = self.connections.iter().filter(|connection| connection.is_wanted(now)).count();
        // Those that rest or drain are not counted, but there is an end to it.
        let max = self.policy.connections_max;
        let is_opening =
            self.connections.iter().any(|one| matches!(one.phase, Phase::Opening { unwanted: false }));
        let is_full = wanted >= max || self.connections.len() >= 2 * max;
        if is_opening || is_full || self.ending != Ending::NotYet && self.queue.is_empty() {
            return None;
        }
        let not_before = self.reconnect.not_before();
        let spaced = self
            .last_opening
            .map_or(Duration::ZERO, |last| last.saturating_add(self.policy.spacing))
            .max(not_before);
        if wanted == 0 {
            let waits = !self.queue.is_empty() && self.credential.pass(now.max(not_before)) != Pass::Nothing;
            return (waits || self.target > 0).then_some(not_before);
        }
        if wanted < self.target.max(self.policy.connections_min) {
            return Some(spaced);
        }
        self.saturated_since.map(|since| spaced.max(since.saturating_add(self.policy.saturated_for)))
    }

    /// Takes note of whether the connections that there are have enough to do (C-14).
    pub(super) fn note_saturation(&mut self, now: Duration) {
        let waits = !self.queue.is_empty();
        let mut usable = self.connections.iter().filter(|connection| connection.is_wanted(now)).peekable();
        let is_saturated = usable.peek().is_some() && usable.all(|one| one.is_saturated(waits));
        self.saturated_since = is_saturated.then(|| self.saturated_since.unwrap_or(now));
    }

    /// Takes note of connections whose servers do not open their windows again.
    pub(super) fn note_starvation(&mut self, now: Duration) {
        let next = self.queue.peek().map(super::Job::body_bytes);
        for connection in &mut self.connections {
            let is_narrow = next.is_some_and(|next| connection.is_too_narrow_for(next));
            let is_starved = is_narrow && connection.under_way == 0;
            connection.starved_since = is_starved.then(|| connection.starved_since.unwrap_or(now));
        }
    }

    /// Closes connections that nobody needs, or that are of no use.
    pub(super) fn retire(&mut self, now: Duration) {
        while let Some(id) = self.next_retired().filter(|(at, _)| *at <= now).map(|(_, id)| id) {
            self.drain(id);
            self.target = 0; // what was wanted before there was anything to send has waited for it long enough
        }
    }

    /// When that is due.
    pub(super) fn retiring_at(&self) -> Option<Duration> {
        self.next_retired().map(|(at, _)| at)
    }

    fn next_retired(&self) -> Option<(Duration, ConnectionId)> {
        let open = || self.connections.iter().filter(|connection| connection.phase == Phase::Open);
        let starved = open().filter_map(|one| Some((one.starved_since? + STARVED_MAX, one.id)));
        let spare = open().count() > self.policy.connections_min;
        let idle = open()
            .filter(|one| spare && one.under_way == 0)
            .map(|one| (one.last_used.saturating_add(self.policy.idle_for).max(one.rest_until), one.id));
        starved.chain(idle).min()
    }
}
