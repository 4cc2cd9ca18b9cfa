//! The way from a provider to the double: an address of this machine whose connections go on to the double, or do not.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpSocket, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::{AbortHandle, JoinSet},
};

use super::recorder::Recorder;

/// An address at which connections are accepted and led to the double.
#[derive(Debug)]
pub(crate) struct Road {
    number: usize,
    address: SocketAddr,
    to: SocketAddr,
    recorder: Arc<Recorder>,
    /// Whether bytes are carried.
    carries: watch::Sender<bool>,
    accepting: Mutex<Option<AbortHandle>>,
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
            carries: watch::Sender::new(true),
            accepting: Mutex::default(),
        };
        road.accept(listener);
        Ok(road)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn ip(&self) -> IpAddr {
        self.address.ip()
    }

    /// From now on nothing is carried in either direction, on connections that are there and on those to come, and nobody is told: as behind a
    /// firewall that has forgotten them. `false`: it is as before again.
    pub(crate) fn swallow(&self, swallows: bool) {
        self.carries.send_replace(!swallows);
    }

    /// From now on connecting is refused; connections that are there stay.
    pub(crate) fn refuse(&self) {
        if let Some(accepting) = self.accepting().take() {
            accepting.abort();
        }
    }

    /// Accepts again what was [refused](Self::refuse).
    ///
    /// # Errors
    /// The address cannot be listened at any more.
    pub(crate) async fn admit(&self) -> io::Result<()> {
        self.refuse();
        // The task that held the listener ends when the runtime next comes to it.
        let mut tried = 0;
        let listener = loop {
            let socket = match self.address {
                SocketAddr::V4(_) => TcpSocket::new_v4()?,
                SocketAddr::V6(_) => TcpSocket::new_v6()?,
            };
            socket.set_reuseaddr(true)?;
            match socket.bind(self.address).and_then(|()| socket.listen(BACKLOG)) {
                Ok(listener) => break listener,
                Err(error) if tried == ADMISSIONS_MAX => return Err(error),
                Err(_) => tokio::task::yield_now().await,
            }
            tried += 1;
        };
        self.accept(listener);
        Ok(())
    }

    fn accept(&self, listener: TcpListener) {
        let (number, to) = (self.number, self.to);
        let (recorder, carries) = (Arc::clone(&self.recorder), self.carries.clone());
        let accepting = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let dial = recorder.dialled(number);
                tokio::spawn(carry(near, to, dial, Arc::clone(&recorder), carries.subscribe()));
            }
        });
        *self.accepting() = Some(accepting.abort_handle());
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

/// Carries the bytes of one connection both ways until both sides have ended it.
async fn carry(
    near: TcpStream,
    to: SocketAddr,
    dial: usize,
    recorder: Arc<Recorder>,
    carries: watch::Receiver<bool>,
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
    let watching = carries.clone();
    ways.spawn(async move {
        let ended = one_way(near_in, far_out, watching, |bytes| recorder.first_bytes(dial, bytes)).await;
        recorder.hung_up(dial);
        ended
    });
    ways.spawn(one_way(far_in, near_out, carries, |_| {}));
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
    mut carries: watch::Receiver<bool>,
    note: impl Fn(&[u8]),
) -> (OwnedReadHalf, OwnedWriteHalf, io::Result<()>) {
    let mut buffer = vec![0; BUFFER_BYTES];
    let carried = async {
        loop {
            let read = from.read(&mut buffer).await?;
            note(&buffer[..read]);
            if carries.wait_for(|carries| *carries).await.is_err() {
                return Ok(()); // the road is gone
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

/// Connections that wait to be accepted.
const BACKLOG: u32 = 128;
/// How often it is tried to listen again.
const ADMISSIONS_MAX: u32 = 10_000;
/// What is carried at once.
const BUFFER_BYTES: usize = 64 * 1024;
