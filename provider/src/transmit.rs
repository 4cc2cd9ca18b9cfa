use apns_http2::Connection as Http2;
use apns_wire::{TlsSocket, WireError};

/// Writes what is due, as far as the socket takes it. Whether all of it went out.
pub(crate) fn transmit(http2: &mut Http2, socket: &mut TlsSocket) -> Result<bool, WireError> {
    while let Some(bytes) = http2.poll_transmit() {
        let len = bytes.len();
        socket.write(bytes)?;
        http2.transmitted(len);
    }
    socket.flush()
}
