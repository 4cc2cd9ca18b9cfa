//! A shell without sockets: connections of which a test says what they have room for and how their pushes end.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use apns_provider_core::{
    AlertNotification, Ambiguity, Answer, ApnsId, Broadcast, BundleId, ChannelId, ConnectionId, DeviceToken,
    DispatchPolicy, Dispatcher, Effect, Expiration, Job, LiveActivityEnd, NotSent, Notification,
    NotificationBuilder, Now, Outcome, Outgoing, Priority, Push, Reason, RetryPolicy, Room, UnixTime,
    message::AlertMessage,
};

/// When every test begins, as a date.
pub(crate) const BEGIN_SECS: u64 = 1_700_000_000;
/// What a server at ease has room for.
pub(crate) const ROOM: Room = Room { streams: 1000, window: 65_535 };

pub(crate) struct World {
    pub(crate) dispatcher: Dispatcher<u32>,
    pub(crate) now: Duration,
    /// How far somebody has set the date forward.
    pub(crate) date_ahead: Duration,
    pub(crate) connections: BTreeMap<ConnectionId, Connection>,
    /// Each connection's number and the time at which it was asked for.
    pub(crate) openings: Vec<Duration>,
    /// How each push ended, by its ticket.
    pub(crate) outcomes: BTreeMap<u32, Outcome>,
    /// When each attempt went out: the time and the push's ticket.
    pub(crate) attempts: Vec<(Duration, ConnectionId, u32)>,
    /// Each push that may have arrived, and how many attempts had gone out then.
    pub(crate) ambiguous: BTreeMap<u32, usize>,
    next_ticket: u32,
}

#[derive(Default)]
pub(crate) struct Connection {
    pub(crate) is_open: bool,
    pub(crate) is_draining: bool,
    pub(crate) room: Room,
    #[expect(clippy::vec_box, reason = "as the dispatcher gives them")]
    pub(crate) under_way: Vec<Box<Job<u32>>>,
}

impl World {
    pub(crate) fn new(policy: DispatchPolicy, retry: RetryPolicy) -> Self {
        Self::with(policy, retry, true)
    }

    /// One whose credential is a certificate, or not.
    pub(crate) fn with(policy: DispatchPolicy, retry: RetryPolicy, by_token: bool) -> Self {
        let now = Now { elapsed: Duration::ZERO, date: UnixTime::from_secs(BEGIN_SECS) };
        Self {
            dispatcher: Dispatcher::new(policy, retry, by_token, now, 7),
            now: Duration::ZERO,
            date_ahead: Duration::ZERO,
            connections: BTreeMap::new(),
            openings: Vec::new(),
            outcomes: BTreeMap::new(),
            attempts: Vec::new(),
            ambiguous: BTreeMap::new(),
            next_ticket: 0,
        }
    }

    pub(crate) fn now(&self) -> Now {
        let millis = BEGIN_SECS * 1000 + u64::try_from((self.now + self.date_ahead).as_millis()).unwrap();
        Now { elapsed: self.now, date: UnixTime::from_millis(millis) }
    }

    /// Hands in a push; its ticket.
    pub(crate) fn submit(&mut self, notification: impl Into<Arc<Notification>>, device: &str) -> u32 {
        let device_token = DeviceToken::from_hex(device).unwrap();
        self.submit_as(|id| Push::new(notification, device_token, id).into())
    }

    /// Hands in a push that goes ahead of others; its ticket.
    pub(crate) fn submit_urgent(&mut self, notification: impl Into<Arc<Notification>>, device: &str) -> u32 {
        let device_token = DeviceToken::from_hex(device).unwrap();
        self.submit_as(|id| Push::new(notification, device_token, id).urgent().into())
    }

    /// Hands in a broadcast; its ticket.
    pub(crate) fn submit_broadcast(&mut self, broadcast: Broadcast) -> u32 {
        let broadcast = Arc::new(broadcast);
        self.submit_as(|request_id| Outgoing::Broadcast { broadcast, request_id })
    }

    fn submit_as(&mut self, outgoing: impl FnOnce(ApnsId) -> Outgoing) -> u32 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let mut id = [0; 16];
        id[..4].copy_from_slice(&ticket.to_be_bytes());
        let outgoing = outgoing(ApnsId::from_random(id));
        self.dispatcher.submit(self.now(), outgoing, self.now + PATIENCE, ticket);
        self.settle();
        ticket
    }

    /// So many pushes to as many devices; the first one's ticket.
    pub(crate) fn submit_many(&mut self, count: u32) -> u32 {
        let hello = Arc::new(hello());
        let first = self.next_ticket;
        for ticket in first..first + count {
            self.submit(Arc::clone(&hello), &format!("{ticket:08x}"));
        }
        first
    }

    /// Does what is to be done, but for opening connections and answering pushes.
    pub(crate) fn settle(&mut self) {
        let mut effects = 0;
        while let Some(effect) = self.dispatcher.poll_effect() {
            effects += 1;
            assert!(effects < 1_000_000, "it goes round in circles");
            match effect {
                Effect::Open(id) => {
                    self.openings.push(self.now);
                    self.connections.insert(id, Connection { room: ROOM, ..Connection::default() });
                }
                Effect::Wake(id) => self.take(id),
                Effect::Drain(id) => {
                    self.connections.get_mut(&id).unwrap().is_draining = true;
                    self.close_if_drained(id);
                }
                Effect::Finish(finished) => {
                    let (ticket, outcome) = finished.into_parts();
                    let before = self.outcomes.insert(ticket, outcome);
                    assert_eq!(before, None, "push {ticket} was finished twice");
                }
            }
        }
    }

    pub(crate) fn take(&mut self, id: ConnectionId) {
        let now = self.now();
        let Some(connection) = self.connections.get_mut(&id).filter(|one| one.is_open) else { return };
        let before = connection.under_way.len();
        let mut room = connection.room;
        room.streams = room.streams.saturating_sub(before);
        room.window = room
            .window
            .saturating_sub(connection.under_way.iter().map(|job| body_bytes(job.outgoing())).sum());
        let mut jobs = Vec::new();
        self.dispatcher.take(now, id, room, &mut jobs);
        for job in &jobs {
            self.attempts.push((self.now, id, ticket_of(job)));
        }
        connection.under_way.extend(jobs);
        assert!(
            connection.under_way.len() <= connection.room.streams.max(before),
            "more streams than there may be"
        );
    }

    /// The connection is there.
    pub(crate) fn open(&mut self, id: ConnectionId) {
        self.connections.get_mut(&id).unwrap().is_open = true;
        self.dispatcher.opened(self.now(), id);
        self.settle();
        self.take(id);
        self.settle();
    }

    /// Whatever is being opened is there.
    pub(crate) fn open_all(&mut self) {
        for id in self.ids(|connection| !connection.is_open) {
            self.open(id);
        }
    }

    /// Whatever is being opened fails.
    pub(crate) fn refuse_all(&mut self) {
        for id in self.ids(|connection| !connection.is_open) {
            self.connections.remove(&id);
            let why = NotSent::NoConnection { why: "refused".into() };
            self.dispatcher.open_failed(self.now(), id, &why);
            self.settle();
        }
    }

    pub(crate) fn ids(&self, is: impl Fn(&Connection) -> bool) -> Vec<ConnectionId> {
        self.connections.iter().filter(|(_, one)| is(one)).map(|(id, _)| *id).collect()
    }

    /// The oldest push under way here ends so.
    pub(crate) fn end(&mut self, id: ConnectionId, outcome: impl FnOnce(&Outgoing) -> Outcome) {
        let job = self.connections.get_mut(&id).unwrap().under_way.remove(0);
        let outcome = outcome(job.outgoing());
        self.ended(id, job, outcome);
        self.take(id); // in the same turn, before others have theirs
        self.settle();
        self.close_if_drained(id);
    }

    fn ended(&mut self, id: ConnectionId, job: Box<Job<u32>>, outcome: Outcome) {
        if matches!(outcome, Outcome::Ambiguous(_)) {
            self.ambiguous.insert(ticket_of(&job), self.attempts.len());
        }
        self.dispatcher.ended(self.now(), id, job, outcome);
    }

    /// All that is under way here ends so, and what comes after it, until nothing does.
    pub(crate) fn end_all(&mut self, id: ConnectionId, outcome: impl Fn(&Outgoing) -> Outcome) {
        while self.connections.get(&id).is_some_and(|connection| !connection.under_way.is_empty()) {
            self.end(id, &outcome);
        }
    }

    /// What is under way now ends so, on every connection.
    pub(crate) fn end_round(&mut self, outcome: impl Fn(&Outgoing) -> Outcome) {
        for id in self.ids(|connection| !connection.under_way.is_empty()) {
            for _ in 0..self.connections[&id].under_way.len() {
                self.end(id, &outcome);
            }
        }
    }

    /// The server says GOAWAY: so many of those under way it still answers.
    pub(crate) fn goaway(&mut self, id: ConnectionId, answers: usize) {
        self.goaway_because(id, answers, None, false);
    }

    /// It says why.
    pub(crate) fn goaway_because(
        &mut self,
        id: ConnectionId,
        answers: usize,
        reason: Option<&Reason>,
        wants_calm: bool,
    ) {
        self.dispatcher.goaway(self.now(), id, reason, wants_calm);
        let connection = self.connections.get_mut(&id).unwrap();
        connection.is_draining = true;
        let beyond = connection.under_way.split_off(answers);
        for job in beyond {
            let outcome = Outcome::NotSent(NotSent::BeyondGoaway { reason: reason.cloned() });
            self.dispatcher.ended(self.now(), id, job, outcome);
        }
        self.take(id);
        self.settle();
        self.close_if_drained(id);
    }

    /// The connection is lost.
    pub(crate) fn lose(&mut self, id: ConnectionId) {
        self.lose_because(id, None);
    }

    /// It has answered nothing, and this is why.
    pub(crate) fn lose_because(&mut self, id: ConnectionId, why: Option<&NotSent>) {
        let connection = self.connections.remove(&id).unwrap();
        for job in connection.under_way {
            self.ended(id, job, Outcome::Ambiguous(Ambiguity::ConnectionLost));
        }
        self.dispatcher.closed(self.now(), id, why);
        self.settle();
    }

    /// The last push that was taken here could not go out.
    pub(crate) fn give_back(&mut self, id: ConnectionId) {
        if let Some(job) = self.connections.get_mut(&id).unwrap().under_way.pop() {
            self.attempts.retain(|(_, _, ticket)| *ticket != ticket_of(&job));
            self.dispatcher.give_back(self.now(), id, job);
            self.settle();
        }
    }

    /// Lets time pass, event by event; connections open as soon as they are wanted, if `opens`.
    pub(crate) fn pass(&mut self, by: Duration, opens: bool) {
        let until = self.now + by;
        for _ in 0..100_000 {
            if opens {
                self.open_all();
            }
            match self.dispatcher.poll_timeout() {
                Some(at) if at <= until => {
                    self.now = self.now.max(at);
                    self.dispatcher.handle_timeout(self.now());
                    self.settle();
                }
                _ => {
                    self.now = until;
                    return;
                }
            }
        }
        panic!("time stands still at {:?}: {:?}", self.now, self.dispatcher.poll_timeout());
    }

    /// A connection that is open and ready, with its first push answered.
    pub(crate) fn ready(&mut self) -> ConnectionId {
        let first = self.submit_many(1);
        self.open_all();
        let id = self.ids(|connection| connection.is_open)[0];
        self.end(id, accepted);
        assert!(matches!(self.outcomes[&first], Outcome::Accepted(_)));
        id
    }

    fn close_if_drained(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get(&id) else { return };
        if !connection.is_draining || !connection.under_way.is_empty() {
            return;
        }
        if connection.is_open {
            self.connections.remove(&id);
            self.dispatcher.closed(self.now(), id, None);
            self.settle();
        }
    }
}

/// How long callers wait.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn policy() -> DispatchPolicy {
    DispatchPolicy::default()
}

pub(crate) fn builder() -> NotificationBuilder<AlertMessage> {
    AlertNotification::new(BundleId::parse("com.example.app").unwrap()).alert("Hello")
}

pub(crate) fn hello() -> Notification {
    builder().build().unwrap()
}

pub(crate) fn with_priority(priority: Priority) -> Notification {
    builder().priority(priority).build().unwrap()
}

/// Expires so many seconds after the test began.
pub(crate) fn expiring(secs: u64) -> Notification {
    builder().expiration(Expiration::at_secs(BEGIN_SECS + secs).unwrap()).build().unwrap()
}

/// A body of about so many bytes.
pub(crate) fn of_bytes(bytes: usize) -> Notification {
    AlertNotification::new(BundleId::parse("com.example.app").unwrap())
        .alert("x".repeat(bytes).as_str())
        .build()
        .unwrap()
}

pub(crate) fn broadcast(priority: Priority) -> Broadcast {
    let app = BundleId::parse("com.example.app").unwrap();
    let end = LiveActivityEnd::new(app, UnixTime::from_secs(BEGIN_SECS)).priority(priority);
    end.broadcast(ChannelId::parse("dHN0LXNyY2gtY2hubA==").unwrap()).unwrap()
}

pub(crate) fn accepted(push: &Outgoing) -> Outcome {
    Outcome::from_answer(Answer::new(200), *push.id())
}

/// An answer with this status and reason.
pub(crate) fn refused(status: u16, reason: &'static str) -> impl Fn(&Outgoing) -> Outcome {
    move |push| {
        let mut answer = Answer::new(status);
        answer.read_body(format!(r#"{{"reason":"{reason}"}}"#).as_bytes());
        Outcome::from_answer(answer, *push.id())
    }
}

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn body_bytes(push: &Outgoing) -> usize {
    push.payload().len()
}

fn ticket_of(job: &Job<u32>) -> u32 {
    u32::from_str_radix(&job.outgoing().id().as_str()[..8], 16).unwrap()
}
