//! Who is connected, and who was lately: for the control API and for metrics.
//!
//! A connection's task keeps its own numbers and hands them over once a batch, while it holds the service's lock anyway.

mod details;
mod end;
mod frames;
mod logging;
mod name;
mod traffic;

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    ops::Bound,
    sync::Arc,
};

use mock_apns_core::{
    ConnectionId, DeviceConnectionId, DeviceId, Effect, Environment, KeyId, Service, TeamId, Timestamp,
};
use tokio::sync::{Notify, oneshot, watch};

pub(crate) use details::{Certificate, Tls};
pub(crate) use end::{Because, End};
pub(crate) use frames::{Direction, FrameLog, LoggedFrame};
pub(crate) use logging::LogFramesError;
pub(crate) use name::{Kind, Name, NameError};
pub(crate) use traffic::Traffic;

/// Closed connections that are remembered: as many as one page of the control API has at most. Each takes less than a
/// kilobyte.
pub(crate) const CLOSED_KEPT_MAX: usize = 1000;

/// Every connection that is open, and the latest that were closed.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    known: BTreeMap<Name, Entry>,
    /// Those of `known` that are closed, in the order in which they were.
    closed: VecDeque<Name>,
    counts: [ListenerCounts; Listening::ALL.len()],
    /// Whether the frames of providers that connect are logged.
    logs_new: bool,
    /// Open connections whose frames are logged.
    logging: usize,
    /// Bytes that kept frames take.
    frame_bytes: usize,
}

/// How many connections one listener has, and had.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct ListenerCounts {
    /// Ever: those whose handshake was done.
    pub(crate) opened: u64,
    /// Now.
    pub(crate) open: u64,
}

/// What accepts connections.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Listening {
    Sandbox,
    Production,
    Devices,
    /// The control API, whose connections are not among these.
    Control,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Entry {
    id: Id,
    /// What was known of it when its handshake was done.
    pub(crate) about: About,
    /// As of the end of its last batch.
    pub(crate) traffic: Traffic,
    state: State,
    /// Whether its frames are logged, as long as it is open.
    is_logged: bool,
    frames: FrameLog,
}

/// What is known of a connection when its handshake is done.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) peer: SocketAddr,
    pub(crate) listening: Listening,
    pub(crate) tls: Tls,
    pub(crate) opened_at: Timestamp,
    /// The device that its certificate names.
    pub(crate) device: Option<DeviceId>,
}

/// By what the service knows a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Id {
    Provider(ConnectionId),
    Device(DeviceConnectionId),
}

#[derive(Debug)]
enum State {
    Open(Open),
    Closed(Box<Closed>),
}

/// The way to an open connection's task.
#[derive(Debug)]
struct Open {
    /// To be sent to, once, when it is to be closed.
    ask: Option<oneshot::Sender<Because>>,
    /// What it is to do that did not come of its own batch.
    orders: Vec<Effect>,
    nudge: Arc<Notify>,
}

/// The end of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Closed {
    pub(crate) at: Timestamp,
    pub(crate) end: End,
    /// Whose it was.
    parties: Parties,
}

/// Whose a connection is, as far as that is known.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Parties {
    /// The environment of a provider's connection.
    pub(crate) environment: Option<Environment>,
    pub(crate) teams: Vec<TeamId>,
    pub(crate) keys: Vec<KeyId>,
}

/// Tells a connection's task when it is to close.
#[derive(Debug)]
pub(crate) struct Until {
    stop: watch::Receiver<bool>,
    asked: oneshot::Receiver<Because>,
    nudge: Arc<Notify>,
}

/// A connection could not be closed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CloseError {
    /// There is none of this name.
    Unknown,
    /// It is closed already.
    Closed,
}

impl Connections {
    /// A connection is open. What is returned goes off when it is to close.
    pub(crate) fn open(&mut self, id: Id, about: About, stop: watch::Receiver<bool>) -> Until {
        let (ask, asked) = oneshot::channel();
        let counts = &mut self.counts[about.listening as usize];
        counts.opened += 1;
        counts.open += 1;
        let nudge = Arc::new(Notify::new());
        let open = Open { ask: Some(ask), orders: Vec::new(), nudge: Arc::clone(&nudge) };
        let is_logged = self.logs_new && id.has_frames();
        self.logging += usize::from(is_logged);
        let (traffic, state, frames) = (Traffic::default(), State::Open(open), FrameLog::default());
        self.known.insert(id.name(), Entry { id, about, traffic, state, is_logged, frames });
        Until { stop, asked, nudge }
    }

    /// What went over a connection until now.
    pub(crate) fn note(&mut self, id: Id, traffic: Traffic) {
        if let Some(entry) = self.known.get_mut(&id.name()) {
            entry.traffic = traffic;
        }
    }

    /// A connection is closed. To be called before the service is told, which then forgets whose it was.
    pub(crate) fn close(&mut self, id: Id, at: Timestamp, end: End, service: &Service) {
        let Some(entry) = self.known.get_mut(&id.name()) else { return };
        self.counts[entry.about.listening as usize].open -= 1;
        entry.state = State::Closed(Box::new(Closed { at, end, parties: Parties::of(id, service) }));
        self.logging -= usize::from(std::mem::take(&mut entry.is_logged));
        self.closed.push_back(id.name());
        if self.closed.len() > CLOSED_KEPT_MAX {
            let oldest = self.closed.pop_front().and_then(|oldest| self.known.remove(&oldest));
            self.frame_bytes -= oldest.map_or(0, |oldest| oldest.frames.bytes());
        }
    }

    /// Tells a connection to close, which it does as soon as it has said why.
    pub(crate) fn ask_to_close(&mut self, name: Name) -> Result<(), CloseError> {
        match &mut self.known.get_mut(&name).ok_or(CloseError::Unknown)?.state {
            State::Closed(_) => Err(CloseError::Closed),
            State::Open(open) => {
                // Who asks a second time finds it on its way; a task that is gone is about to say so.
                open.ask.take().map(|ask| ask.send(Because::Asked));
                Ok(())
            }
        }
    }

    /// Leaves an effect for a provider's connection that something else than its own batch has brought about.
    pub(crate) fn order(&mut self, connection: ConnectionId, effect: Effect) {
        let entry = self.known.get_mut(&Name::provider(connection));
        if let Some(Entry { state: State::Open(open), .. }) = entry {
            open.orders.push(effect);
            open.nudge.notify_one();
        }
    }

    /// Takes what was left for a connection.
    pub(crate) fn take_orders(&mut self, connection: ConnectionId) -> Vec<Effect> {
        match self.known.get_mut(&Name::provider(connection)) {
            Some(Entry { state: State::Open(open), .. }) => std::mem::take(&mut open.orders),
            _ => Vec::new(),
        }
    }

    /// Tells all to close, and remembers none of them: whatever comes after has their names.
    pub(crate) fn send_all_away(&mut self) {
        for entry in std::mem::take(&mut self.known).into_values() {
            if let State::Open(Open { ask: Some(ask), .. }) = entry.state {
                let _ = ask.send(Because::Shutdown); // a task that is gone is away already
            }
        }
        self.closed.clear();
        (self.logging, self.frame_bytes) = (0, 0);
        for counts in &mut self.counts {
            counts.open = 0;
        }
    }

    /// The connection of this name.
    pub(crate) fn get(&self, name: Name) -> Option<&Entry> {
        self.known.get(&name)
    }

    /// Those behind this name: providers first, then devices, each in the order in which they were opened.
    pub(crate) fn after(&self, name: Option<Name>) -> impl Iterator<Item = (Name, &Entry)> {
        let from = name.map_or(Bound::Unbounded, Bound::Excluded);
        self.known.range((from, Bound::Unbounded)).map(|(name, entry)| (*name, entry))
    }

    /// How many connections a listener has, and had.
    pub(crate) fn counts(&self, listening: Listening) -> ListenerCounts {
        self.counts[listening as usize]
    }

    /// The streams on which something is under way, on all connections.
    pub(crate) fn streams(&self) -> u64 {
        self.known.values().map(|entry| entry.traffic.streams).sum()
    }
}

impl Entry {
    /// The end of it; `None`: it is open.
    pub(crate) fn closed(&self) -> Option<&Closed> {
        match &self.state {
            State::Open(_) => None,
            State::Closed(closed) => Some(closed),
        }
    }

    /// Whether its frames are logged.
    pub(crate) fn is_logged(&self) -> bool {
        self.is_logged
    }

    /// Its frames that are kept.
    pub(crate) fn frames(&self) -> &FrameLog {
        &self.frames
    }

    /// Whose it is, or was.
    pub(crate) fn parties(&self, service: &Service) -> Parties {
        self.closed().map_or_else(|| Parties::of(self.id, service), |closed| closed.parties.clone())
    }
}

impl Parties {
    fn of(id: Id, service: &Service) -> Self {
        match id {
            Id::Provider(id) => service.connected_provider(id).map_or_else(Self::default, |it| Self {
                environment: Some(it.environment),
                teams: it.teams,
                keys: it.keys,
            }),
            Id::Device(id) => {
                Self { teams: service.device_team(id).into_iter().collect(), ..Self::default() }
            }
        }
    }
}

impl Id {
    pub(crate) fn name(self) -> Name {
        match self {
            Self::Provider(id) => Name::provider(id),
            Self::Device(id) => Name::device(id),
        }
    }

    /// Whether HTTP/2 is spoken on it.
    fn has_frames(self) -> bool {
        matches!(self, Self::Provider(_))
    }
}

impl Listening {
    pub(crate) const ALL: &'static [Self] = &[Self::Sandbox, Self::Production, Self::Devices, Self::Control];
    /// Those whose connections are kept count of here.
    pub(crate) const COUNTED: &'static [Self] = &[Self::Sandbox, Self::Production, Self::Devices];

    /// Its name, in metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Production => "production",
            Self::Devices => "devices",
            Self::Control => "control",
        }
    }

    /// What it is to a reader of an error.
    pub(crate) const fn what(self) -> &'static str {
        match self {
            Self::Sandbox => "the sandbox",
            Self::Production => "production",
            Self::Devices => "the device gateway",
            Self::Control => "the control API",
        }
    }
}

impl From<Environment> for Listening {
    fn from(environment: Environment) -> Self {
        match environment {
            Environment::Sandbox => Self::Sandbox,
            Environment::Production => Self::Production,
        }
    }
}

impl Until {
    /// Returns when the connection is to close, and why. Can be dropped at any time, and is not to be called again once
    /// it has returned.
    pub(crate) async fn closing(&mut self) -> Because {
        tokio::select! {
            // A sender that is gone means that the double was dropped.
            _ = self.stop.changed() => Because::Shutdown,
            because = &mut self.asked => because.unwrap_or(Because::Shutdown),
        }
    }

    /// Returns when something was left for the connection. Can be dropped at any time.
    pub(crate) fn nudge(&self) -> Arc<Notify> {
        Arc::clone(&self.nudge)
    }
}

#[cfg(test)]
mod tests {
    use mock_apns_core::{Opened, Settings};

    use super::*;
    use crate::es256::verify_es256;

    pub(super) const AT: Timestamp = Timestamp::from_millis(1);

    fn about() -> About {
        About {
            peer: ([127, 0, 0, 1], 40_000).into(),
            listening: Listening::Sandbox,
            tls: Tls::default(),
            opened_at: AT,
            device: None,
        }
    }

    pub(super) fn connect(connections: &mut Connections, service: &mut Service) -> (Id, Until) {
        let opened = Opened { environment: Environment::Sandbox, server_name: None, certificate: None };
        let id = Id::Provider(service.connected(AT, opened));
        let (_stop, stopped) = watch::channel(false);
        (id, connections.open(id, about(), stopped))
    }

    #[test]
    fn open_ones_are_all_kept_and_of_closed_ones_the_latest() {
        let mut service = Service::new(Settings::default(), 0, verify_es256);
        let mut connections = Connections::default();
        let (stays, _until) = connect(&mut connections, &mut service);
        for _ in 0..CLOSED_KEPT_MAX + 5 {
            let (id, _until) = connect(&mut connections, &mut service);
            connections.close(id, AT, Because::Peer.into(), &service);
        }
        let names: Vec<Name> = connections.after(None).map(|(name, _)| name).collect();
        assert_eq!((names.len(), names[0]), (1 + CLOSED_KEPT_MAX, stays.name()));
        assert_eq!(names[1].to_string(), "6");
        let expected = ListenerCounts { opened: CLOSED_KEPT_MAX as u64 + 6, open: 1 };
        assert_eq!(connections.counts(Listening::Sandbox), expected);
        assert_eq!(connections.counts(Listening::Devices), ListenerCounts::default());
    }

    #[tokio::test]
    async fn all_that_are_sent_away_hear_it_and_are_forgotten() {
        let mut service = Service::new(Settings::default(), 0, verify_es256);
        let mut connections = Connections::default();
        let (closed, _until) = connect(&mut connections, &mut service);
        connections.close(closed, AT, Because::Peer.into(), &service);
        let (id, mut until) = connect(&mut connections, &mut service);
        let (_stop, stopped) = watch::channel(false);
        until.stop = stopped;
        connections.send_all_away();
        assert_eq!(until.closing().await, Because::Shutdown);
        assert_eq!(connections.after(None).count(), 0);
        assert_eq!(connections.counts(Listening::Sandbox), ListenerCounts { opened: 2, open: 0 });
        assert!(connections.get(id.name()).is_none());
    }

    #[tokio::test]
    async fn one_that_is_asked_to_close_hears_it_and_may_be_asked_twice() {
        let mut service = Service::new(Settings::default(), 0, verify_es256);
        let mut connections = Connections::default();
        let (id, mut until) = connect(&mut connections, &mut service);
        let (_stop, stopped) = watch::channel(false);
        until.stop = stopped;
        let name = id.name();
        assert_eq!([(); 2].map(|()| connections.ask_to_close(name)), [Ok(()), Ok(())]);
        assert_eq!(until.closing().await, Because::Asked);
        connections.close(id, AT, Because::Asked.into(), &service);
        assert_eq!(connections.ask_to_close(name), Err(CloseError::Closed));
        assert_eq!(connections.ask_to_close("device-1".parse().unwrap()), Err(CloseError::Unknown));
    }
}
