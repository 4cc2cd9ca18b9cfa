use std::{
    cell::RefCell,
    io::{self, BufRead, ErrorKind, Write},
    sync::Arc,
};

use rustls::{
    ClientConfig, ClientConnection, Connection, ServerConfig,
    pki_types::ServerName,
    server::{ClientHello, ServerConnection},
};
use tokio::{
    io::{AsyncWriteExt, Interest},
    net::TcpStream,
};

use crate::{Hello, WireError};

/// Encrypted bytes that wait for the peer above which a caller should stop producing more.
pub const UNSENT_HIGH_WATER: usize = 1024 * 1024;
/// Bytes of one read from the socket: four TLS records.
const READ_LEN: usize = 64 * 1024;

thread_local! {
    // Reading never waits, so one buffer serves all connections of a thread; an idle connection owns none.
    static READ_BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_LEN]);
}

/// A TCP connection with TLS on it, after its handshake.
#[derive(Debug)]
pub struct TlsSocket {
    tcp: TcpStream,
    tls: Connection,
    /// What came together with the handshake's last bytes and was not decrypted yet.
    early: Vec<u8>,
    /// Bytes written and not yet sent; rustls does not count them.
    unsent: usize,
    /// Encrypted bytes that the socket has taken.
    sent: u64,
}

/// How a read ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Received {
    /// The peer may send more.
    Open,
    /// The peer has closed its side; what it sent before was given to the sink.
    End,
}

impl TlsSocket {
    /// The server's side of a handshake. `choose` sees the client's hello (ALPN, server name) and gives the
    /// configuration.
    ///
    /// The caller bounds the time with a timeout of its own; dropping the future closes the socket.
    pub async fn accept(
        tcp: TcpStream,
        choose: impl FnOnce(&ClientHello<'_>) -> Arc<ServerConfig>,
    ) -> Result<Self, WireError> {
        let hello = Hello::read(tcp).await?;
        let config = choose(&hello.client_hello());
        hello.accept(config).await
    }

    /// A server's connection that has read a hello, and `early` behind it.
    pub(crate) fn server(tcp: TcpStream, connection: ServerConnection, early: Vec<u8>) -> Self {
        let mut socket = Self { tcp, tls: Connection::Server(connection), early, unsent: 0, sent: 0 };
        socket.tls.set_buffer_limit(None);
        socket
    }

    /// The client's side of a handshake with `server_name`.
    pub async fn connect(
        tcp: TcpStream,
        config: Arc<ClientConfig>,
        server_name: ServerName<'static>,
    ) -> Result<Self, WireError> {
        tcp.set_nodelay(true)?;
        let tls = Connection::Client(ClientConnection::new(config, server_name)?);
        let mut socket = Self { tcp, tls, early: Vec::new(), unsent: 0, sent: 0 };
        socket.tls.set_buffer_limit(None);
        socket.handshake().await?;
        Ok(socket)
    }

    pub(crate) async fn handshake(&mut self) -> Result<(), WireError> {
        self.decrypt_early()?;
        while self.tls.is_handshaking() {
            self.flush()?;
            if !self.tls.is_handshaking() {
                break;
            }
            self.ready().await?;
            if self.read_handshake()? == Received::End && self.tls.is_handshaking() {
                return Err(WireError::ClosedInHandshake);
            }
        }
        self.flush()?;
        self.early.shrink_to_fit(); // empty as a rule, and many connections are idle for long
        Ok(())
    }

    /// What TLS agreed on: ALPN, version, the peer's certificates.
    pub fn tls(&self) -> &Connection {
        &self.tls
    }

    /// The socket below.
    pub fn tcp(&self) -> &TcpStream {
        &self.tcp
    }

    pub(crate) fn tcp_mut(&mut self) -> &mut TcpStream {
        &mut self.tcp
    }

    /// Waits until the peer has sent something, or, while bytes are unsent, until it takes more. Can be
    /// dropped at any time.
    pub async fn ready(&self) -> io::Result<()> {
        let interest =
            if self.tls.wants_write() { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
        self.tcp.ready(interest).await.map(drop)
    }

    /// Waits until the peer takes more bytes; for a caller that must not read more before it does. Can be
    /// dropped at any time.
    pub async fn writable(&self) -> io::Result<()> {
        self.tcp.writable().await
    }

    /// Gives what has come to `sink`, decrypted, in pieces, up to 64 KiB, also what came right before an error. Never waits. After a TLS
    /// error the alert for the peer has been sent as far as the socket took it.
    pub fn read(&mut self, mut sink: impl FnMut(&[u8])) -> Result<Received, WireError> {
        if !self.early.is_empty() {
            let early = std::mem::take(&mut self.early);
            if self.decrypt(&early, &mut sink)? == Received::End {
                return Ok(Received::End);
            }
        }
        drain(&mut self.tls, &mut sink)?; // what came with the end of the handshake
        READ_BUFFER.with_borrow_mut(|buffer| {
            // One read a turn: what it asks for is answered before more is taken, and stays in the processor's
            // cache. More in a turn was measured to gain nothing.
            match self.tcp.try_read(buffer) {
                Ok(0) => Ok(Received::End),
                Ok(len) => self.decrypt(&buffer[..len], &mut sink),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                    Ok(Received::Open)
                }
                Err(error) => Err(error.into()),
            }
        })
    }

    /// Encrypts `bytes` for the next [`flush`](Self::flush). Frames that are given together share TLS
    /// records.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        self.unsent += bytes.len();
        Ok(self.tls.writer().write_all(bytes)?)
    }

    /// Sends what the socket takes now; true when nothing is left. Never waits.
    pub fn flush(&mut self) -> Result<bool, WireError> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut TryWrite(&self.tcp)) {
                Ok(0) => return Err(io::Error::from(ErrorKind::WriteZero).into()),
                Ok(len) => self.sent += len as u64,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.unsent = 0;
        Ok(true)
    }

    /// Whether so much waits for the peer that a caller should produce no more until it reads.
    pub fn is_congested(&self) -> bool {
        self.unsent >= UNSENT_HIGH_WATER
    }

    /// Bytes that were written and that the socket has not taken yet; not less than there are.
    pub fn unsent(&self) -> usize {
        self.unsent
    }

    /// Encrypted bytes that the socket has taken until now.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Tells the peer that nothing more comes (TLS close_notify), for the next [`flush`](Self::flush).
    pub fn send_close_notify(&mut self) {
        self.tls.send_close_notify();
    }

    /// Sends all that is left, says goodbye in TLS, then closes this side of the socket. The caller bounds the time.
    pub async fn close(&mut self) -> Result<(), WireError> {
        self.send_close_notify();
        self.shut_down().await
    }

    /// Sends all that is left, then closes this side of the socket without a word: to TLS, a cut. The caller bounds the time.
    pub async fn shut_down(&mut self) -> Result<(), WireError> {
        while !self.flush()? {
            self.tcp.writable().await?;
        }
        self.tcp.shutdown().await?;
        Ok(())
    }

    /// Reads during the handshake: what follows it stays encrypted in `early` for the first
    /// [`read`](Self::read).
    fn read_handshake(&mut self) -> Result<Received, WireError> {
        let received = receive(&self.tcp, &mut self.early)?;
        self.decrypt_early()?;
        Ok(received)
    }

    fn decrypt_early(&mut self) -> Result<(), WireError> {
        while self.tls.is_handshaking() && !self.early.is_empty() {
            let mut bytes = self.early.as_slice();
            let taken = self.tls.read_tls(&mut bytes)?;
            self.early.drain(..taken);
            self.process()?;
        }
        Ok(())
    }

    fn decrypt(&mut self, mut bytes: &[u8], sink: &mut impl FnMut(&[u8])) -> Result<Received, WireError> {
        while !bytes.is_empty() {
            self.tls.read_tls(&mut bytes)?;
            let closed = self.process();
            drain(&mut self.tls, sink)?; // what came before an error counts
            if closed? {
                return Ok(Received::End);
            }
        }
        Ok(Received::Open)
    }

    /// Lets TLS look at its new bytes; true once the peer has sent close_notify.
    fn process(&mut self) -> Result<bool, WireError> {
        match self.tls.process_new_packets() {
            Ok(state) => Ok(state.peer_has_closed()),
            Err(error) => {
                // The alert says to the peer what was wrong; if it cannot be sent, the error here still
                // tells.
                let _ = self.flush();
                Err(error.into())
            }
        }
    }
}

/// Gives the plaintext that TLS holds to `sink`.
fn drain(tls: &mut Connection, sink: &mut impl FnMut(&[u8])) -> Result<(), WireError> {
    let mut reader = tls.reader();
    loop {
        match reader.fill_buf() {
            Ok([]) => return Ok(()),
            Ok(chunk) => {
                let len = chunk.len();
                sink(chunk);
                reader.consume(len);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            // The peer closed without close_notify; for HTTP/2, which has lengths, this is an end like any
            // other.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Appends what has come to `bytes`, encrypted as it is. Never waits.
pub(crate) fn receive(tcp: &TcpStream, bytes: &mut Vec<u8>) -> io::Result<Received> {
    READ_BUFFER.with_borrow_mut(|buffer| match tcp.try_read(buffer) {
        Ok(0) => Ok(Received::End),
        Ok(len) => {
            bytes.extend_from_slice(&buffer[..len]);
            Ok(Received::Open)
        }
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Received::Open),
        Err(error) => Err(error),
    })
}

/// A socket as rustls wants to write to it: without waiting, many records in one system call.
struct TryWrite<'a>(&'a TcpStream);

impl Write for TryWrite<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, buffers: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(buffers)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
