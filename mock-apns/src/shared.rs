//! What all connections of one double share: the service behind its lock, and the way from it to each device.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc::Receiver},
};

use mock_apns_core::{
    ConnectionId, DeviceConnectionId, DeviceId, Effect, Service, TeamId, Timestamp, ToDevice,
};
use rustc_hash::FxHashMap;
use tokio::sync::{Notify, mpsc, watch};
use tracing::{debug, warn};

use crate::{
    clock,
    connections::Connections,
    credentials::Credentials,
    data_dir::{DataDirError, Entry, Log},
    entrance::Entrance,
    journal_file::JournalFile,
    ledger::{HELD_BYTES_MAX, Ledger},
    metrics::{Metrics, Numbers},
    snapshot::DoubleSnapshot,
};

/// The service; a handle, cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Shared(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    // A std mutex: it is held for one batch of frames or lines and never across an await.
    state: Mutex<State>,
    /// The service wants to be woken sooner than the wake-up task knows.
    sooner: Notify,
    /// Where what is done is written down, if it is to be kept.
    log: Option<Log>,
    /// Who is on the way in.
    entrance: Entrance,
    /// What the connections of providers hold in memory.
    ledger: Ledger,
}

#[derive(Debug)]
struct State {
    service: Service,
    era: Era,
    devices: FxHashMap<DeviceConnectionId, DeviceSender>,
    /// What devices are to be told once what it follows from is kept: up to that number of the log.
    held: VecDeque<(u64, Effect)>,
    connections: Connections,
    metrics: Metrics,
    /// When the wake-up task wakes next.
    wakes_at: Option<Timestamp>,
    /// Teams for whose journals somebody waits.
    watched: FxHashMap<TeamId, watch::Sender<()>>,
    /// Where journals are written down as they grow, if they are.
    journal_file: Option<JournalFile>,
}

/// Counts the services that a double has had: a restored one takes the place of the one before, whose connections it does not
/// know. They may have IDs that it gives to others.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Era(u32);

/// The way to one device's connection task; dropping it tells the task to close once all before is sent.
///
/// Unbounded, because what goes in is bounded: each line of a device has one reply, and lines are read only
/// while replies go out; of notifications the service sends only so many that are not acknowledged.
type DeviceSender = mpsc::UnboundedSender<Box<ToDevice>>;

/// What a device's connection task has to send.
pub(crate) type DeviceReceiver = mpsc::UnboundedReceiver<Box<ToDevice>>;

/// The service, locked for one batch of work. What it decides about devices is handed on to their tasks, at the
/// latest when the batch ends, so that nobody finds what another has caused.
pub(crate) struct Batch<'a> {
    state: MutexGuard<'a, State>,
    inner: &'a Inner,
}

impl Shared {
    /// What is done to the service from now on is put into the log, if there is one.
    pub(crate) fn new(mut service: Service, log: Option<Log>) -> Self {
        if log.is_some() {
            service.start_recording();
        }
        let state = State {
            service,
            era: Era::default(),
            devices: FxHashMap::default(),
            held: VecDeque::new(),
            connections: Connections::default(),
            metrics: Metrics::default(),
            wakes_at: None,
            watched: FxHashMap::default(),
            journal_file: None,
        };
        Self(Arc::new(Inner {
            state: Mutex::new(state),
            sooner: Notify::new(),
            log,
            entrance: Entrance::default(),
            ledger: Ledger::new(HELD_BYTES_MAX),
        }))
    }

    /// The way in, of all listeners.
    pub(crate) fn entrance(&self) -> &Entrance {
        &self.0.entrance
    }

    /// What the connections of providers hold in memory.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }

    /// The service, for one batch of work.
    pub(crate) fn batch(&self) -> Batch<'_> {
        // A panic in another connection's batch is a bug, and not a reason to refuse everyone else.
        let state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        Batch { state, inner: &self.0 }
    }

    /// The same for a connection of this era. `None`: the era is over, and with it the connection.
    pub(crate) fn batch_in(&self, era: Era) -> Option<Batch<'_>> {
        Some(self.batch()).filter(|batch| batch.state.era == era)
    }

    /// Returns when the service may want to be woken sooner than [`Batch::wake_at`] said last.
    pub(crate) async fn sooner(&self) {
        self.0.sooner.notified().await;
    }

    /// Returns when all that was done so far is kept, if it is to be: to be awaited before anyone is told what came of it.
    pub(crate) async fn kept(&self) -> Result<(), DataDirError> {
        match &self.0.log {
            Some(log) => log.kept().await.map(drop),
            None => Ok(()),
        }
    }

    /// The same, and what devices are to be told of it is on its way to their tasks.
    pub(crate) async fn settled(&self) -> Result<(), DataDirError> {
        let Some(log) = &self.0.log else { return Ok(()) };
        let number = log.kept().await?;
        self.batch().release(number);
        Ok(())
    }
}

impl Batch<'_> {
    /// The service. A provider's connection calls [`carry_out`](Self::carry_out) after each call that may
    /// have effects for it.
    pub(crate) fn service(&mut self) -> &mut Service {
        &mut self.state.service
    }

    /// The era that it is.
    pub(crate) fn era(&self) -> Era {
        self.state.era
    }

    /// Hands to each device's task and to each other provider's what is about them.
    pub(crate) fn carry_out(&mut self) {
        self.carry_out_for(None, |effect| debug!(?effect, "not about a device, and nobody asked"));
    }

    /// The same, and gives to `own` what is about the provider's connection that called.
    pub(crate) fn carry_out_for(&mut self, caller: Option<ConnectionId>, mut own: impl FnMut(Effect)) {
        let put = self.write_down();
        while let Some(effect) = self.state.service.poll_effect() {
            match effect {
                effect @ (Effect::ToDevice { .. } | Effect::CloseDevice { .. }) => match put {
                    Some(number) => self.state.held.push_back((number, effect)),
                    None => tell_device(&mut self.state.devices, effect),
                },
                Effect::WouldThrottle { team, what } => {
                    let (cause, why) = (what.as_str(), what.meaning());
                    warn!(%team, cause, why, "Apple would have throttled this provider");
                }
                effect @ Effect::Fault { connection, .. } if Some(connection) != caller => {
                    self.state.connections.order(connection, effect);
                }
                Effect::Throttled { connection, team, how } => {
                    let team = team.as_ref().map(TeamId::as_str);
                    let (setting, why) = (how.setting(), how.meaning());
                    warn!(%connection, team, how = how.as_str(), setting, why, "provider throttled, as a setting asks");
                    own(effect);
                }
                effect => own(effect),
            }
        }
    }

    /// Puts what was done into the log. The number of it there; `None`: nothing is kept.
    fn write_down(&mut self) -> Option<u64> {
        let log = self.inner.log.as_ref()?;
        let mut last = None;
        while let Some(recorded) = self.state.service.poll_recorded() {
            last = Some(log.append(Entry::Service(recorded)));
        }
        Some(last.unwrap_or_else(|| log.put_last()))
    }

    /// Puts the whole state into the log, in the place of all before. The number of it there; `None`: nothing is kept.
    pub(crate) fn checkpoint(&mut self, credentials: &Credentials) -> Option<u64> {
        self.write_down()?; // what is in the checkpoint is not to follow it
        let (service, credentials) = (self.state.service.checkpoint(), credentials.to_form());
        self.inner.log.as_ref().map(|log| log.checkpoint(DoubleSnapshot { credentials, service }))
    }

    /// Tells devices what was held back until so much of the log is kept.
    pub(crate) fn release(&mut self, kept: u64) {
        let State { devices, held, .. } = &mut *self.state;
        while let Some((_, effect)) = held.pop_front_if(|(number, _)| *number <= kept) {
            tell_device(devices, effect);
        }
    }

    /// Puts another service in the place of this one, and sends everyone away who is connected.
    pub(crate) fn replace(&mut self, mut service: Service) {
        self.carry_out();
        if self.inner.log.is_some() {
            service.start_recording();
        }
        let State { era: Era(era), devices, connections, watched, held, .. } = &mut *self.state;
        *era = era.wrapping_add(1);
        connections.send_all_away();
        devices.clear();
        held.clear();
        // In whatever order they hear of it, they find the same.
        watched.retain(|_, team| team.send(()).is_ok());
        self.state.service = service;
        let State { service, journal_file, .. } = &mut *self.state;
        if let Some(file) = journal_file {
            file.replaced(service);
        }
    }

    /// Who is connected, with what knows whose each connection is.
    pub(crate) fn connections(&mut self) -> (&mut Connections, &Service) {
        let State { connections, service, .. } = &mut *self.state;
        (connections, service)
    }

    /// Who is connected, to leave something for one.
    pub(crate) fn connections_mut(&mut self) -> &mut Connections {
        &mut self.state.connections
    }

    /// What only the shell counts.
    pub(crate) fn metrics(&mut self) -> &mut Metrics {
        &mut self.state.metrics
    }

    /// Everything that was counted, at this moment.
    pub(crate) fn numbers(&self) -> Numbers {
        let State { service, connections, metrics, .. } = &*self.state;
        Numbers::new(service, connections, metrics, &self.inner.entrance, &self.inner.ledger)
    }

    /// A device's connection is open; what it is to be told comes from the receiver.
    pub(crate) fn device_connected(&mut self, device: DeviceId) -> (DeviceConnectionId, DeviceReceiver) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let id = self.state.service.device_connected(clock::now(), device);
        self.state.devices.insert(id, sender);
        (id, receiver)
    }

    /// A device's connection is closed.
    pub(crate) fn device_disconnected(&mut self, connection: DeviceConnectionId) {
        self.state.service.device_disconnected(clock::now(), connection);
        self.state.devices.remove(&connection);
    }

    /// Changes whenever something happens to the team after this batch.
    pub(crate) fn watch(&mut self, team: TeamId) -> watch::Receiver<()> {
        self.state.watched.entry(team).or_insert_with(|| watch::Sender::new(())).subscribe()
    }

    /// From now on every entry of a journal is written down in this file, those among them that are there.
    pub(crate) fn record_to(&mut self, mut file: JournalFile) {
        let service = &self.state.service;
        for id in service.team_ids() {
            file.team_changed(service, id);
        }
        file.unclaimed_changed(service);
        self.state.journal_file = Some(file);
    }

    /// Hears when all that was to be written into the journal's file is.
    pub(crate) fn journal_written(&self) -> Option<Receiver<()>> {
        self.state.journal_file.as_ref().map(JournalFile::flush)
    }

    /// Tells those who wait for a team of which something was written down. Nobody polls.
    fn tell_watchers(&mut self) {
        let State { service, watched, journal_file, .. } = &mut *self.state;
        if let Some(file) = journal_file {
            file.forget_removed(service);
            if service.poll_unclaimed() {
                file.unclaimed_changed(service);
            }
        }
        while let Some(team) = service.poll_changed() {
            if let Some(file) = journal_file {
                file.team_changed(service, team);
            }
            if watched.get(&team).is_some_and(|sender| sender.send(()).is_err()) {
                watched.remove(&team); // nobody waits any more
            }
        }
    }

    /// When the service wants to be woken next; for the wake-up task, which will be.
    pub(crate) fn wake_at(&mut self) -> Option<Timestamp> {
        self.state.wakes_at = self.state.service.poll_timeout();
        self.state.wakes_at
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return; // a service that broke is not asked for more
        }
        self.carry_out();
        self.tell_watchers();
        let wanted = self.state.service.poll_timeout();
        if let Some(wanted) = wanted
            && self.state.wakes_at.is_none_or(|known| wanted < known)
        {
            self.inner.sooner.notify_one();
        }
    }
}

/// Hands what is about a device to its task.
fn tell_device(devices: &mut FxHashMap<DeviceConnectionId, DeviceSender>, effect: Effect) {
    match effect {
        Effect::ToDevice { connection, message } => {
            if let Some(sender) = devices.get(&connection) {
                let _ = sender.send(message); // a task that has ended is about to say so
            }
        }
        Effect::CloseDevice { connection } => drop(devices.remove(&connection)),
        effect => debug!(?effect, "not about a device"),
    }
}
