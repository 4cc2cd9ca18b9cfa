//! Writes the evidence down as it comes.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use mock_apns::{Environment, Wiretap};
use tokio::sync::Notify;

use super::{
    evidence::{
        Connection, Dates, Dial, Evidence, Hello, KnownKey, Reader, Reported, Said, Sent, Side, Tunnel,
    },
    protocol::Event,
};

/// Writes the evidence of a play down: what comes over roads and connections, and what the adapter says.
#[derive(Debug)]
pub(crate) struct Recorder {
    began: Instant,
    state: Mutex<State>,
    /// Something was written down.
    changed: Notify,
    /// There is no room for more.
    full: Notify,
}

#[derive(Debug, Default)]
struct State {
    evidence: Evidence,
    /// The connections that are open, by the double's numbers for them.
    open: HashMap<u64, Open>,
    /// The newest TCP connection from each address of a road's far end.
    dials: HashMap<SocketAddr, usize>,
    /// The adapter has ended.
    is_over: bool,
    /// Bytes that are still taken of what comes over connections.
    room: Room,
}

/// What a provider may still say, as it is kept.
#[derive(Debug)]
struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Self(KEPT_BYTES_MAX)
    }
}

impl Room {
    /// Takes so many bytes of it. `false` when there are no more.
    fn take(&mut self, bytes: usize) -> bool {
        let left = self.0.checked_sub(bytes);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }
}

#[derive(Debug)]
struct Open {
    number: usize,
    provider: Reader,
    double: Reader,
}

impl Default for Recorder {
    fn default() -> Self {
        let mut state = State::default();
        state.evidence.dates = Dates::from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
        let (changed, full) = (Notify::new(), Notify::new());
        Self { began: Instant::now(), state: Mutex::new(state), changed, full }
    }
}

impl Recorder {
    /// How long the play has been going on.
    pub(crate) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Looks at what there is so far.
    pub(crate) fn look<R>(&self, at: impl FnOnce(&Evidence) -> R) -> R {
        at(&self.lock().evidence)
    }

    /// Returns when something has come since the call before, or at once if it has.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Returns when more than [`KEPT_BYTES_MAX`] have come over connections; what comes after that is not kept.
    pub(crate) async fn full(&self) {
        self.full.notified().await;
    }

    /// All there is; the play is over.
    pub(crate) fn take(&self) -> Evidence {
        std::mem::take(&mut self.lock().evidence)
    }

    /// An adapter has said what it can be told.
    pub(crate) fn introduced(&self, can: &[String]) {
        self.write(|state| state.evidence.can = can.to_vec());
    }

    /// A TCP connection was accepted. Returns its place.
    pub(crate) fn dialled(&self, road: usize) -> usize {
        let at = self.now();
        self.write(|state| {
            self.has_room(&mut state.room, FIRST_BYTES_MAX);
            let dial = Dial { at, road, hello: None, first_bytes: Vec::new(), ended_at: None };
            state.evidence.dials.push(dial);
            state.evidence.dials.len() - 1
        })
    }

    /// A TCP connection goes on to the double from this address.
    pub(crate) fn goes_on_from(&self, dial: usize, address: SocketAddr) {
        self.write(|state| state.dials.insert(address, dial));
    }

    /// The provider has said this on a TCP connection; only its beginning is kept.
    pub(crate) fn first_bytes(&self, dial: usize, bytes: &[u8]) {
        let is_known = |dial: &Dial| dial.hello.is_some() || dial.first_bytes.len() >= FIRST_BYTES_MAX;
        if self.look(|evidence| evidence.dials.get(dial).is_none_or(is_known)) {
            return;
        }
        self.write(|state| {
            if let Some(dial) = state.evidence.dials.get_mut(dial) {
                let room = FIRST_BYTES_MAX - dial.first_bytes.len();
                dial.first_bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
                dial.hello = Hello::parse(&dial.first_bytes);
            }
        });
    }

    /// The provider has ended a TCP connection.
    pub(crate) fn hung_up(&self, dial: usize) {
        let at = self.now();
        self.write(|state| {
            if let Some(dial) = state.evidence.dials.get_mut(dial) {
                dial.ended_at.get_or_insert(at);
            }
        });
    }

    /// A proxy was asked for something.
    pub(crate) fn tunnelled(&self, tunnel: Tunnel) {
        self.write(|state| state.evidence.tunnels.push(tunnel));
    }

    /// The adapter was told to send a push.
    pub(crate) fn told(&self, id: u64, sent: Sent) {
        self.write(|state| state.evidence.sent.insert(id, sent));
    }

    /// The adapter has said something.
    pub(crate) fn reported(&self, event: Event) {
        let at = self.now();
        self.write(|state| state.evidence.reported.push(Reported { at, event }));
    }

    /// The adapter has written to its standard error; the end of it is kept.
    pub(crate) fn wrote(&self, text: &str) {
        self.write(|state| {
            let stderr = &mut state.evidence.stderr;
            stderr.push_str(text);
            if stderr.len() > STDERR_BYTES_MAX {
                let cut = stderr.ceil_char_boundary(stderr.len() - STDERR_BYTES_MAX);
                stderr.drain(..cut);
            }
        });
    }

    /// The script notes something.
    pub(crate) fn mark(&self, what: &'static str) {
        let at = self.now();
        self.write(|state| state.evidence.marks.push((at, what)));
    }

    /// From now on the play's clock is so far ahead of the machine's.
    pub(crate) fn turned(&self, ahead: Duration) {
        let at = self.now();
        self.write(|state| state.evidence.dates.turned(at, ahead));
    }

    /// The double knows this key, and the adapter is given it.
    pub(crate) fn knows(&self, key_id: &str, key: KnownKey) {
        self.write(|state| state.evidence.keys.insert(key_id.to_owned(), key));
    }

    /// The adapter is given this, and it is nobody else's to know.
    pub(crate) fn is_secret(&self, what: &'static str, text: &str) {
        self.write(|state| state.evidence.secrets.push((what, text.to_owned())));
    }

    /// The adapter has taken so many bytes of memory.
    pub(crate) fn took(&self, memory: u64) {
        self.write(|state| state.evidence.memory.push(memory));
    }

    /// The adapter has ended: what the double says from now on, as it ends too, is no part of the play.
    pub(crate) fn over(&self) {
        self.lock().is_over = true;
    }

    /// Something has changed that is written down elsewhere.
    pub(crate) fn nudge(&self) {
        self.changed.notify_one();
    }

    fn write<R>(&self, it: impl FnOnce(&mut State) -> R) -> R {
        let done = it(&mut self.lock());
        self.changed.notify_one();
        done
    }

    fn said(&self, connection: u64, side: Side, bytes: &[u8]) {
        let at = self.now();
        self.write(|state| {
            if state.is_over && side == Side::Double {
                return;
            }
            let Some(open) = state.open.get_mut(&connection) else { return };
            let reader = match side {
                Side::Provider => &mut open.provider,
                Side::Double => &mut open.double,
            };
            let Some(connection) = state.evidence.connections.get_mut(open.number) else { return };
            let said: &mut Vec<Said> = &mut connection.said;
            let room = &mut state.room;
            reader.read(at, bytes, |frame| {
                if self.has_room(room, frame.bytes()) {
                    said.push(frame);
                }
            });
        });
    }

    /// Takes room for something. When there is none, the play is told to end.
    fn has_room(&self, room: &mut Room, bytes: usize) -> bool {
        let is_there = room.take(bytes);
        if !is_there {
            self.full.notify_one();
        }
        is_there
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Whoever panicked is a task of this play; the play is judged by what there is.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wiretap for Recorder {
    fn opened(&self, connection: u64, peer: SocketAddr, environment: Environment) {
        let opened_at = self.now();
        self.write(|state| {
            let dial = state.dials.get(&peer).copied();
            let open = Open {
                number: state.evidence.connections.len(),
                provider: Reader::of(Side::Provider),
                double: Reader::of(Side::Double),
            };
            state.open.insert(connection, open);
            let connection = Connection { opened_at, dial, environment, said: Vec::new(), closed_at: None };
            state.evidence.connections.push(connection);
        });
    }

    fn received(&self, connection: u64, bytes: &[u8]) {
        self.said(connection, Side::Provider, bytes);
    }

    fn sent(&self, connection: u64, bytes: &[u8]) {
        self.said(connection, Side::Double, bytes);
    }

    fn closed(&self, connection: u64) {
        let at = self.now();
        self.write(|state| {
            let Some(open) = state.open.remove(&connection) else { return };
            if let Some(connection) = state.evidence.connections.get_mut(open.number) {
                connection.closed_at = Some(at);
            }
        });
    }
}

/// What is kept of the beginning of a TCP connection: a hello of TLS, which is a few kilobytes with post-quantum keys.
const FIRST_BYTES_MAX: usize = 16_384;
/// What is kept of all that goes over the connections of one play. No provider that was asked so far came near it; one that floods must
/// not take the memory of the machine.
pub(crate) const KEPT_BYTES_MAX: usize = 256 * 1024 * 1024;
/// What is kept of an adapter's standard error.
const STDERR_BYTES_MAX: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_provider_that_never_ends_to_speak_fills_no_memory() {
        let recorder = Recorder::default();
        recorder.opened(1, "127.0.0.1:1".parse().unwrap(), Environment::Sandbox);
        recorder.received(1, crate::wire::PREFACE);
        recorder.write(|state| state.room = Room(1000));
        let ping = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
        for _ in 0..100 {
            recorder.received(1, &ping);
        }
        recorder.full().await;
        let kept: usize =
            recorder.look(|evidence| evidence.said().skip(1).map(|(_, said)| said.bytes()).sum());
        assert!((1..=1000).contains(&kept), "{kept}");
    }

    #[test]
    fn what_the_double_says_as_it_ends_is_no_part_of_the_play() {
        let recorder = Recorder::default();
        let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
        recorder.opened(1, "127.0.0.1:1".parse().unwrap(), Environment::Sandbox);
        recorder.sent(1, &settings);
        recorder.over();
        recorder.sent(1, &settings);
        assert_eq!(recorder.look(|evidence| evidence.said().count()), 1);
    }
}
