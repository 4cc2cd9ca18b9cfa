//! What the dispatcher knows of each connection.

use std::time::Duration;

/// A connection of a client, from the decision to open it until it is closed. Never used again.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ConnectionId(pub(super) u64);

impl ConnectionId {
    /// How many connections the client wanted before this one.
    pub fn number(self) -> u64 {
        self.0
    }
}

/// What more may be sent on a connection right now.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Room {
    /// Streams that the server's SETTINGS allow to open; none before they have come, or while the socket is full.
    pub streams: usize,
    /// Bytes that the connection's window takes.
    pub window: usize,
}

/// Where a connection is in its life.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Phase {
    /// DNS, TCP, TLS. When it is there but was not wanted any more meanwhile, it is drained.
    Opening { unwanted: bool },
    /// Takes pushes.
    Open,
    /// Takes none, and ends when nothing is under way.
    Draining,
}

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) id: ConnectionId,
    pub(super) phase: Phase,
    pub(super) opened_at: Duration,
    pub(super) under_way: usize,
    /// Whether APNs knows who we are: a certificate says so at once, a provider token with the first push that it signs.
    pub(super) authenticated: bool,
    /// Whether it was told that there is something to take, and has not come yet.
    pub(super) woken: bool,
    pub(super) rest_until: Duration,
    pub(super) last_used: Duration,
    pub(super) answers: u64,
    /// Pushes that ended without an answer since the last answer.
    pub(super) unanswered: u32,
    pub(super) server_errors: u32,
    /// Since when nothing is under way and still the next push does not fit: the server does not open its window again.
    pub(super) starved_since: Option<Duration>,
    room: Room,
    window_max: usize,
}

impl Connection {
    pub(super) fn new(id: ConnectionId, now: Duration, authenticated: bool) -> Self {
        Self {
            id,
            phase: Phase::Opening { unwanted: false },
            opened_at: now,
            under_way: 0,
            authenticated,
            woken: false,
            rest_until: Duration::ZERO,
            last_used: now,
            answers: 0,
            unanswered: 0,
            server_errors: 0,
            starved_since: None,
            room: Room::default(),
            window_max: 0,
        }
    }

    /// What more may be sent on it.
    pub(super) fn room(&self) -> Room {
        self.room
    }

    pub(super) fn report(&mut self, room: Room) {
        self.room = room;
        self.window_max = self.window_max.max(room.window);
    }

    /// Whether it takes pushes, or will when it is open.
    pub(super) fn is_wanted(&self, now: Duration) -> bool {
        match self.phase {
            Phase::Opening { unwanted } => !unwanted,
            Phase::Open => self.rest_until <= now,
            Phase::Draining => false,
        }
    }

    /// How many pushes of so many bytes it takes now. Until APNs knows us it takes one at a time (Apple, "Sending notification
    /// requests to APNs"; C-11).
    pub(super) fn fits(&self, body_bytes: usize, now: Duration) -> usize {
        if self.phase != Phase::Open || self.rest_until > now {
            return 0;
        }
        let by_authentication =
            if self.authenticated { usize::MAX } else { 1_usize.saturating_sub(self.under_way) };
        let by_window = self.room.window.checked_div(body_bytes).unwrap_or(usize::MAX);
        self.room.streams.min(by_window).min(by_authentication)
    }

    /// Whether a body of so many bytes does not fit, while streams are to be had.
    pub(super) fn is_too_narrow_for(&self, body_bytes: usize) -> bool {
        self.phase == Phase::Open && self.room.streams > 0 && self.room.window < body_bytes
    }

    /// An answer has come; whether it shows that APNs knows us.
    pub(super) fn answered(&mut self, knows_us: bool) {
        self.answers += 1;
        self.unanswered = 0;
        self.authenticated |= knows_us;
    }

    /// Takes the room of one push.
    pub(super) fn occupy(&mut self, body_bytes: usize, now: Duration) {
        self.room.streams = self.room.streams.saturating_sub(1);
        self.room.window = self.room.window.saturating_sub(body_bytes);
        self.under_way += 1;
        self.last_used = now;
    }

    /// Whether four fifths of what it could have under way are, or it takes nothing of what waits.
    pub(super) fn is_saturated(&self, something_waits: bool) -> bool {
        let can_tell = self.under_way > 0 || something_waits;
        let streams = can_tell && self.under_way * 5 >= (self.under_way + self.room.streams) * 4;
        let window = self.room.window <= self.window_max / 5;
        self.phase == Phase::Open && (streams || window)
    }
}
