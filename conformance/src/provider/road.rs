//! The way from a provider to the double: an address of this machine whose connections go on to the double, or do not.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::FutureExt as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, Interest, Ready},
    net::{
        TcpListener, TcpSocket, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::{AbortHandle, JoinSet},
    time::timeout,
};

use super::recorder::Recorder;

/// An address at which connections are accepted and led to the double.
#[derive(Debug)]
pub(crate) struct Road {
    number: usize,
    address: SocketAddr,
    to: SocketAddr,
    recorder: Arc<Recorder>,
    /// The bytes of connections before this dial are not carried.
    swallows: watch::Sender<usize>,
    accepting: Mutex<Option<AbortHandle>>,
    /// In its place, while it is not.
    hole: Mutex<Option<BlackHole>>,
}

impl Road {
    /// Begins to listen.
    ///
    /// # Errors
    /// The address cannot be listened at.
    pub(crate) async fn open(
        number: usize,
        address: SocketAddr,
        to: SocketAddr,
        recorder: Arc<Recorder>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let road = Self {
            number,
            address: listener.local_addr()?,
            to,
            recorder,
            swallows: watch::Sender::new(0),
            accepting: Mutex::default(),
            hole: Mutex::default(),
        };
        road.accept(listener);
        Ok(road)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn ip(&self) -> IpAddr {
        self.address.ip()
    }

    /// From now on nothing is carried in either direction on connections that are there, and nobody is told: as behind a firewall that has
    /// forgotten them. Those to come are as ever.
    pub(crate) fn swallow_those_there(&self) {
        let next = self.recorder.look(|evidence| evidence.dials.len());
        self.swallows.send_replace(next);
    }

    /// From now on connecting is refused; connections that are there stay.
    pub(crate) fn refuse(&self) {
        if let Some(accepting) = self.accepting().take() {
            accepting.abort();
        }
        *self.hole() = None;
    }

    /// From now on connecting is neither accepted nor refused: as behind a firewall. Connections that are there stay.
    ///
    /// # Errors
    /// The address cannot be listened at any more.
    pub(crate) async fn ignore(&self) -> io::Result<()> {
        self.refuse();
        let hole = BlackHole::at(self.address).await?;
        *self.hole() = Some(hole);
        Ok(())
    }

    /// Accepts again what was [refused](Self::refuse).
    ///
    /// # Errors
    /// The address cannot be listened at any more.
    pub(crate) async fn admit(&self) -> io::Result<()> {
        self.refuse();
        self.accept(listen(self.address, BACKLOG).await?);
        Ok(())
    }

    fn accept(&self, listener: TcpListener) {
        let (number, to) = (self.number, self.to);
        let (recorder, swallows) = (Arc::clone(&self.recorder), self.swallows.clone());
        let accepting = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let dial = recorder.dialled(number);
                tokio::spawn(carry(near, to, dial, Arc::clone(&recorder), swallows.subscribe()));
            }
        });
        *self.accepting() = Some(accepting.abort_handle());
    }

    fn hole(&self) -> MutexGuard<'_, Option<BlackHole>> {
        self.hole.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accepting(&self) -> MutexGuard<'_, Option<AbortHandle>> {
        self.accepting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Road {
    fn drop(&mut self) {
        self.refuse();
    }
}

/// An address that takes no connection and refuses none: its queue is full, so that the system passes over every SYN.
#[derive(Debug)]
pub(crate) struct BlackHole {
    _listener: TcpListener,
    _queued: Vec<TcpStream>,
}

impl BlackHole {
    /// Begins to take none.
    ///
    /// # Errors
    /// The address cannot be listened at.
    pub(crate) async fn at(address: SocketAddr) -> io::Result<Self> {
        let listener = listen(address, 1).await?;
        let mut queued = Vec::new();
        for _ in 0..2 {
            // Linux queues one more than it was asked for.
            queued.push(TcpStream::connect(address).await?);
        }
        Ok(Self { _listener: listener, _queued: queued })
    }
}

/// Listens where somebody may have listened until just now: the task that holds a listener ends when the runtime next comes to it.
async fn listen(address: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    let mut tried = 0;
    loop {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        socket.set_reuseaddr(true)?;
        match socket.bind(address).and_then(|()| socket.listen(backlog)) {
            Ok(listener) => return Ok(listener),
            Err(error) if tried == LISTENINGS_MAX => return Err(error),
            Err(_) => tokio::task::yield_now().await,
        }
        tried += 1;
    }
}

/// Carries the bytes of one connection both ways until both sides have ended it.
async fn carry(
    near: TcpStream,
    to: SocketAddr,
    dial: usize,
    recorder: Arc<Recorder>,
    swallows: watch::Receiver<usize>,
) {
    let _ = near.set_nodelay(true); // it is slower without, and right all the same
    let Ok(far) = TcpStream::connect(to).await else {
        let _ = near.set_zero_linger(); // it is refused, as far as can be done once it was accepted
        return;
    };
    let _ = far.set_nodelay(true);
    if let Ok(address) = far.local_addr() {
        recorder.goes_on_from(dial, address);
    }
    let (near_in, near_out) = near.into_split();
    let (far_in, far_out) = far.into_split();
    let mut ways = JoinSet::new();
    let watching = swallows.clone();
    ways.spawn(async move {
        let note = |bytes: &[u8]| match bytes {
            [] => recorder.hung_up(dial), // now, though nobody may be told
            bytes => recorder.first_bytes(dial, bytes),
        };
        let ended = one_way(near_in, far_out, watching, dial, note).await;
        recorder.hung_up(dial);
        ended
    });
    ways.spawn(one_way(far_in, near_out, swallows, dial, |_| {}));
    let mut halves = Vec::new();
    while let Some(Ok((from, onto, ended))) = ways.join_next().await {
        let is_cut = ended.is_err();
        if is_cut {
            // RST goes on as RST. Dropping the halves closes both sockets.
            let _ = from.as_ref().set_zero_linger();
            let _ = onto.as_ref().set_zero_linger();
            ways.shutdown().await;
        }
        halves.push((from, onto));
    }
}

/// Carries one direction until it ends; FIN goes on as FIN.
async fn one_way(
    mut from: OwnedReadHalf,
    mut onto: OwnedWriteHalf,
    mut swallows: watch::Receiver<usize>,
    dial: usize,
    note: impl Fn(&[u8]),
) -> (OwnedReadHalf, OwnedWriteHalf, io::Result<()>) {
    let mut buffer = vec![0; BUFFER_BYTES];
    let carried = async {
        loop {
            let read = from.read(&mut buffer).await?;
            note(&buffer[..read]);
            loop {
                let carries = swallows.wait_for(|first| *first <= dial);
                match timeout(HUNG_UP_CHECK, carries).await {
                    Ok(Ok(_)) => break,
                    Ok(Err(_)) => return Ok(()), // the road is gone
                    Err(_) if is_hung_up(&from) => note(&[]),
                    Err(_) => {}
                }
            }
            if read == 0 {
                return onto.shutdown().await;
            }
            onto.write_all(&buffer[..read]).await?;
        }
    };
    let ended = carried.await;
    (from, onto, ended)
}

/// Whether the peer has ended its side, though nothing is read.
fn is_hung_up(from: &OwnedReadHalf) -> bool {
    let ready = from.ready(Interest::READABLE).now_or_never();
    ready.is_some_and(|ready| ready.is_err() || ready.is_ok_and(Ready::is_read_closed))
}

/// How often it is looked whether a connection that is swallowed was ended.
const HUNG_UP_CHECK: Duration = Duration::from_millis(50);
/// Connections that wait to be accepted.
const BACKLOG: u32 = 128;
/// How often it is tried to listen again.
const LISTENINGS_MAX: u32 = 10_000;
/// What is carried at once.
const BUFFER_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether what it says comes back within this time.
    async fn is_answered(connection: &mut TcpStream, within: Duration) -> bool {
        connection.write_all(b"?").await.unwrap();
        let mut answer = [0];
        timeout(within, connection.read_exact(&mut answer)).await.is_ok_and(|it| it.is_ok())
    }

    #[tokio::test]
    async fn connections_that_are_there_are_swallowed_and_new_ones_are_not() {
        let echo = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = echo.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = echo.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut onto) = connection.split();
                    tokio::io::copy(&mut from, &mut onto).await
                });
            }
        });
        let recorder = Arc::new(Recorder::default());
        let near = "127.0.0.1:0".parse().unwrap();
        let road = Road::open(0, near, to, Arc::clone(&recorder)).await.unwrap();
        let mut old = TcpStream::connect(road.address).await.unwrap();
        assert!(is_answered(&mut old, LONG).await);
        road.swallow_those_there();
        let mut new = TcpStream::connect(road.address).await.unwrap();
        assert!(
            is_answered(&mut new, LONG).await && !is_answered(&mut old, Duration::from_millis(200)).await
        );

        drop(old);
        let ended = async {
            while recorder.look(|evidence| evidence.dials[0].ended_at.is_none()) {
                recorder.changed().await;
            }
        };
        timeout(LONG, ended).await.expect("it is known here, if nowhere else");
    }

    const LONG: Duration = Duration::from_secs(10);
}
