//! Reading along on providers' connections, byte by byte and in the clear: for who judges a provider by what it really said.

use std::{fmt, net::SocketAddr, sync::Arc};

use mock_apns_core::Environment;

/// Is told what goes over providers' connections, inside TLS, in the order in which it goes. What a fault keeps from going out is not
/// told. It is called in the middle of the double's work: it has to return at once.
///
/// The [connection log](crate::Builder::trace_frames) is for people; this is for programs that want every byte.
pub trait Wiretap: fmt::Debug + Send + Sync + 'static {
    /// A connection's TLS handshake is done. Its number is `connection` in the journal.
    fn opened(&self, connection: u64, peer: SocketAddr, environment: Environment);
    /// The provider has said this.
    fn received(&self, connection: u64, bytes: &[u8]);
    /// The provider is told this.
    fn sent(&self, connection: u64, bytes: &[u8]);
    /// The double has no more to do with the connection.
    fn closed(&self, connection: u64);
}

/// A wiretap on one connection.
#[derive(Clone, Debug)]
pub(crate) struct Tapped {
    wiretap: Arc<dyn Wiretap>,
    connection: u64,
}

impl Tapped {
    pub(crate) fn new(
        wiretap: Arc<dyn Wiretap>,
        connection: u64,
        peer: SocketAddr,
        environment: Environment,
    ) -> Self {
        wiretap.opened(connection, peer, environment);
        Self { wiretap, connection }
    }

    pub(crate) fn received(&self, bytes: &[u8]) {
        self.wiretap.received(self.connection, bytes);
    }

    pub(crate) fn sent(&self, bytes: &[u8]) {
        self.wiretap.sent(self.connection, bytes);
    }
}

impl Drop for Tapped {
    fn drop(&mut self) {
        self.wiretap.closed(self.connection);
    }
}
