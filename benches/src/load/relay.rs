//! A longer way: hands bytes on, each a while after it came, in both directions and as many as come. For where the system has no delay of
//! its own to offer.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener as StdListener},
    thread,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    runtime::Builder,
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until},
};

use super::LoadError;

/// Runs on a thread of its own until it is dropped.
#[derive(Debug)]
pub(super) struct Relay {
    address: SocketAddr,
    _end: oneshot::Sender<()>,
}

/// Bytes of one read.
const CHUNK_BYTES: usize = 64 * 1024;
/// Chunks on the way in one direction: more than any window here lets a client send.
const CHUNKS_MAX: usize = 4096;

impl Relay {
    /// Listens on a port of its own for connections to `target`. Bytes take `one_way` in each direction.
    pub(super) fn start(target: SocketAddr, one_way: Duration) -> Result<Self, LoadError> {
        let failed = |error: std::io::Error| LoadError::NotStarted {
            role: "relay".to_owned(),
            why: error.to_string(),
        };
        let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (end, ended) = oneshot::channel::<()>();
        thread::spawn(move || {
            runtime.block_on(async move {
                tokio::select! {
                    _ = ended => {}
                    _ = serve(listener, target, one_way) => {}
                }
            });
        });
        Ok(Self { address, _end: end })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn serve(listener: StdListener, target: SocketAddr, one_way: Duration) -> std::io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (client, _) = listener.accept().await?;
        tokio::spawn(async move {
            // A connection that ends, ends for the one who made it: nobody asks why here.
            let Ok(server) = TcpStream::connect(target).await else { return };
            if client.set_nodelay(true).and_then(|()| server.set_nodelay(true)).is_err() {
                return;
            }
            let ((from_client, to_client), (from_server, to_server)) =
                (client.into_split(), server.into_split());
            tokio::spawn(hand_on(from_client, to_server, one_way));
            hand_on(from_server, to_client, one_way).await;
        });
    }
}

async fn hand_on(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, one_way: Duration) {
    let (sender, mut chunks) = mpsc::channel::<(Instant, Vec<u8>)>(CHUNKS_MAX);
    let reads = async move {
        loop {
            let mut chunk = vec![0; CHUNK_BYTES];
            match from.read(&mut chunk).await {
                Ok(0) | Err(_) => return,
                Ok(len) => chunk.truncate(len),
            }
            if sender.send((Instant::now() + one_way, chunk)).await.is_err() {
                return;
            }
        }
    };
    let writes = async move {
        while let Some((at, chunk)) = chunks.recv().await {
            sleep_until(at).await;
            if to.write_all(&chunk).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(reads, writes);
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::TcpStream,
    };

    use super::*;

    #[test]
    fn what_is_sent_through_it_takes_its_time_both_ways() {
        let server = StdListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let relay = Relay::start(server.local_addr().unwrap(), Duration::from_millis(40)).unwrap();
        let mut client = TcpStream::connect(relay.address()).unwrap();
        let (mut accepted, _) = server.accept().unwrap();
        let began = std::time::Instant::now();
        let mut byte = [0];
        client.write_all(b"x").unwrap();
        accepted.read_exact(&mut byte).unwrap();
        accepted.write_all(b"y").unwrap();
        client.read_exact(&mut byte).unwrap();
        assert!(byte == *b"y" && began.elapsed() >= Duration::from_millis(80), "{:?}", began.elapsed());
    }
}
