//! What all connections of one double share: the service behind its lock, and the way from it to each device.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mock_apns_core::{DeviceConnectionId, DeviceId, Effect, Service, TeamId, Timestamp, ToDevice};
use rustc_hash::FxHashMap;
use tokio::sync::{Notify, mpsc, watch};
use tracing::debug;

use crate::clock;

/// The service; a handle, cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Shared(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    // A std mutex: it is held for one batch of frames or lines and never across an await.
    state: Mutex<State>,
    /// The service wants to be woken sooner than the wake-up task knows.
    sooner: Notify,
}

#[derive(Debug)]
struct State {
    service: Service,
    devices: FxHashMap<DeviceConnectionId, DeviceSender>,
    /// When the wake-up task wakes next.
    wakes_at: Option<Timestamp>,
    /// Teams for whose journals somebody waits.
    watched: FxHashMap<TeamId, watch::Sender<()>>,
}

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
    sooner: &'a Notify,
}

impl Shared {
    pub(crate) fn new(service: Service) -> Self {
        let (devices, watched) = (FxHashMap::default(), FxHashMap::default());
        let state = State { service, devices, wakes_at: None, watched };
        Self(Arc::new(Inner { state: Mutex::new(state), sooner: Notify::new() }))
    }

    /// The service, for one batch of work.
    pub(crate) fn batch(&self) -> Batch<'_> {
        // A panic in another connection's batch is a bug, and not a reason to refuse everyone else.
        let state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        Batch { state, sooner: &self.0.sooner }
    }

    /// Returns when the service may want to be woken sooner than [`Batch::wake_at`] said last.
    pub(crate) async fn sooner(&self) {
        self.0.sooner.notified().await;
    }
}

impl Batch<'_> {
    /// The service. A provider's connection calls [`carry_out`](Self::carry_out) after each call that may
    /// have effects for it.
    pub(crate) fn service(&mut self) -> &mut Service {
        &mut self.state.service
    }

    /// Hands each device's messages to its task, and to `own` what is about the provider's connection that
    /// called.
    pub(crate) fn carry_out(&mut self, mut own: impl FnMut(Effect)) {
        let State { service, devices, .. } = &mut *self.state;
        while let Some(effect) = service.poll_effect() {
            match effect {
                Effect::ToDevice { connection, message } => {
                    if let Some(sender) = devices.get(&connection) {
                        let _ = sender.send(message); // a task that has ended is about to say so
                    }
                }
                Effect::CloseDevice { connection } => drop(devices.remove(&connection)),
                effect => own(effect),
            }
        }
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

    /// Tells those who wait for a team of which something was written down. Nobody polls.
    fn tell_watchers(&mut self) {
        let State { service, watched, .. } = &mut *self.state;
        while let Some(team) = service.poll_changed() {
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
        self.carry_out(|effect| debug!(?effect, "not about a device, and nobody asked"));
        self.tell_watchers();
        let wanted = self.state.service.poll_timeout();
        if let Some(wanted) = wanted
            && self.state.wakes_at.is_none_or(|known| wanted < known)
        {
            self.sooner.notify_one();
        }
    }
}
