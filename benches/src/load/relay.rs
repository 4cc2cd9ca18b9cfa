//! A longer way: hands bytes on, each a while after it came, in both directions and as many as come. For where the system has no delay of
//! its own to offer. By threads, whose sleep is exact to a tenth of a millisecond: a runtime's timers are to a whole one, which twice a
//! round trip would be a tenth of what is measured.

use std::{
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use super::LoadError;

/// Takes connections until it is dropped; those that it has end by themselves.
#[derive(Debug)]
pub(super) struct Relay {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
}

/// Bytes of one read.
const CHUNK_BYTES: usize = 64 * 1024;
/// Chunks on the way in one direction: more than any window here lets a client send.
const CHUNKS_MAX: usize = 4096;

impl Relay {
    /// Listens on a port of its own for connections to `target`. Bytes take `one_way` in each direction.
    pub(super) fn start(target: SocketAddr, one_way: Duration) -> Result<Self, LoadError> {
        let failed =
            |error: io::Error| LoadError::NotStarted { role: "relay".to_owned(), why: error.to_string() };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let ended = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&ended);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                // A connection that ends, ends for the one who made it: nobody asks why here.
                let _ = connect(client, target, one_way);
            }
        });
        Ok(Self { address, ended })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address); // it looks up only when somebody comes
    }
}

fn connect(client: TcpStream, target: SocketAddr, one_way: Duration) -> io::Result<()> {
    let server = TcpStream::connect(target)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    hand_on(client.try_clone()?, server.try_clone()?, one_way);
    hand_on(server, client, one_way);
    Ok(())
}

/// A thread that reads and one that writes what the first has read, when its time has come.
fn hand_on(mut from: TcpStream, mut to: TcpStream, one_way: Duration) {
    let (sender, chunks) = mpsc::sync_channel::<(Instant, Vec<u8>)>(CHUNKS_MAX);
    thread::spawn(move || {
        let mut buffer = vec![0; CHUNK_BYTES];
        while let Ok(len @ 1..) = from.read(&mut buffer) {
            if sender.send((Instant::now() + one_way, buffer[..len].to_vec())).is_err() {
                return;
            }
        }
    });
    thread::spawn(move || {
        for (at, chunk) in chunks {
            thread::sleep(at.saturating_duration_since(Instant::now()));
            if to.write_all(&chunk).is_err() {
                return;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_through_it_takes_its_time_both_ways() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let relay = Relay::start(server.local_addr().unwrap(), Duration::from_millis(40)).unwrap();
        let mut client = TcpStream::connect(relay.address()).unwrap();
        let (mut accepted, _) = server.accept().unwrap();
        let began = Instant::now();
        let mut byte = [0];
        client.write_all(b"x").unwrap();
        accepted.read_exact(&mut byte).unwrap();
        accepted.write_all(b"y").unwrap();
        client.read_exact(&mut byte).unwrap();
        assert!(byte == *b"y" && began.elapsed() >= Duration::from_millis(80), "{:?}", began.elapsed());
    }
}
