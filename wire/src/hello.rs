//! A server's side of TLS up to the client's hello, where it is decided what becomes of the connection.

use std::{fmt, io, sync::Arc, time::Duration};

use rustls::{
    ServerConfig,
    server::{Accepted, Acceptor, ClientHello},
};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, time::timeout};

use crate::{
    TlsSocket, WireError,
    socket::{Received, receive},
};

/// How long, and for how many reads, a refused client is listened to after its alert.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_READS_MAX: usize = 64;

/// A TCP connection whose client has said hello in TLS, and was told nothing yet.
pub struct Hello {
    tcp: TcpStream,
    accepted: Accepted,
    /// What came behind the hello.
    early: Vec<u8>,
}

impl fmt::Debug for Hello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hello").field("tcp", &self.tcp).finish_non_exhaustive()
    }
}

impl Hello {
    /// Reads it. What is no hello is refused with the alert that rustls says.
    ///
    /// The caller bounds the time with a timeout of its own; dropping the future closes the socket.
    pub async fn read(mut tcp: TcpStream) -> Result<Self, WireError> {
        tcp.set_nodelay(true)?;
        match read(&tcp).await {
            Ok((accepted, early)) => Ok(Self { tcp, accepted, early }),
            Err(error) => {
                linger(&mut tcp).await;
                Err(error)
            }
        }
    }

    /// What it says: ALPN, server name.
    pub fn client_hello(&self) -> ClientHello<'_> {
        self.accepted.client_hello()
    }

    /// Goes on with the handshake, by this configuration. The caller bounds the time.
    pub async fn accept(self, config: Arc<ServerConfig>) -> Result<TlsSocket, WireError> {
        let Self { mut tcp, accepted, early } = self;
        let connection = match accepted.into_connection(config) {
            Ok(connection) => connection,
            Err((error, mut alert)) => {
                let error = refuse(&tcp, |bytes| alert.write_all(bytes), error);
                linger(&mut tcp).await;
                return Err(error);
            }
        };
        let mut socket = TlsSocket::server(tcp, connection, early);
        match socket.handshake().await {
            Ok(()) => Ok(socket),
            Err(error) => {
                linger(socket.tcp_mut()).await;
                Err(error)
            }
        }
    }

    /// Refuses the connection with the alert of this number (RFC 8446 section 6), in the clear, as no keys
    /// are there yet, and closes this side.
    pub async fn refuse(mut self, alert: u8) {
        let level = if WARNINGS.contains(&alert) { WARNING } else { FATAL };
        let [major, minor] = LEGACY_RECORD_VERSION;
        let record = [ALERT, major, minor, 0, 2, level, alert];
        let _ = self.tcp.try_write(&record); // the first bytes: if they do not go, nobody is there
        linger(&mut self.tcp).await;
    }

    /// Says nothing, whatever comes. Returns when the client has gone.
    pub async fn ignore(self) {
        let mut ignored = self.early;
        loop {
            ignored.clear();
            if self.tcp.readable().await.is_err()
                || !matches!(receive(&self.tcp, &mut ignored), Ok(Received::Open))
            {
                return;
            }
        }
    }
}

/// The content type of an alert's record (RFC 8446 section 5.1), and the version that every record says.
const ALERT: u8 = 21;
const LEGACY_RECORD_VERSION: [u8; 2] = [3, 3];
/// Levels of alerts, and those that are no errors: close_notify and user_canceled (RFC 8446 section 6.1).
const WARNING: u8 = 1;
const FATAL: u8 = 2;
const WARNINGS: [u8; 2] = [0, 90];

/// Gives what came behind the hello too.
async fn read(tcp: &TcpStream) -> Result<(Accepted, Vec<u8>), WireError> {
    let mut acceptor = Acceptor::default();
    let mut early = Vec::new();
    loop {
        tcp.readable().await?;
        if receive(tcp, &mut early)? == Received::End {
            return Err(WireError::ClosedInHandshake);
        }
        feed(&mut early, |mut bytes| acceptor.read_tls(&mut bytes))?;
        match acceptor.accept() {
            Ok(Some(accepted)) => return Ok((accepted, early)),
            Ok(None) => {}
            Err((error, mut alert)) => return Err(refuse(tcp, |bytes| alert.write_all(bytes), error)),
        }
    }
}

/// Closes after a refused handshake so that the client reads the alert: closing with unread bytes would make
/// the kernel drop it.
async fn linger(tcp: &mut TcpStream) {
    let drain = async {
        tcp.shutdown().await?;
        let mut rest = Vec::new();
        for _ in 0..LINGER_READS_MAX {
            tcp.readable().await?;
            rest.clear();
            if receive(tcp, &mut rest)? == Received::End {
                break;
            }
        }
        Ok::<(), io::Error>(())
    };
    // Whatever goes wrong here, the client did not want the alert.
    let _ = timeout(LINGER, drain).await;
}

/// Lets `take` have the bytes until it wants no more of them.
fn feed(bytes: &mut Vec<u8>, mut take: impl FnMut(&[u8]) -> io::Result<usize>) -> io::Result<()> {
    let mut taken = 0;
    while taken < bytes.len() {
        match take(&bytes[taken..])? {
            0 => break,
            len => taken += len,
        }
    }
    bytes.drain(..taken);
    Ok(())
}

/// Sends a handshake's alert as far as the socket takes it.
fn refuse(
    tcp: &TcpStream,
    fill: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
    error: rustls::Error,
) -> WireError {
    let mut alert = Vec::new();
    if fill(&mut alert).is_ok() {
        let _ = tcp.try_write(&alert); // an alert is one small record; the error here tells the rest
    }
    WireError::Tls(error)
}
