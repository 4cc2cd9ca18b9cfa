//! Closing a connection so that the peer reads what was sent last.

use std::time::Duration;

use apns_wire::{Received, TlsSocket, WireError};
use tokio::time::timeout;

/// How long a connection that is being closed waits for its peer to close too. Closing at once would make the
/// kernel drop what the peer has not read yet, the word that says why above all.
const LINGER: Duration = Duration::from_secs(1);

/// Sends what is left, says goodbye in TLS, closes our side, and reads what comes until the peer has closed too.
pub(crate) async fn close(socket: &mut TlsSocket) {
    end(socket, true).await;
}

/// The same without the goodbye.
pub(crate) async fn cut(socket: &mut TlsSocket) {
    end(socket, false).await;
}

async fn end(socket: &mut TlsSocket, with_goodbye: bool) {
    let close = async {
        if with_goodbye {
            socket.close().await?;
        } else {
            socket.shut_down().await?;
        }
        loop {
            socket.ready().await?;
            if socket.read(|_| {})? == Received::End {
                return Ok::<(), WireError>(());
            }
        }
    };
    // Both a timeout and an error mean that the peer did not care to read on.
    let _ = timeout(LINGER, close).await;
}
