//! Addresses as clients are told them.

use std::net::SocketAddr;

/// What to connect to on this machine for what listens on `address`.
pub(crate) fn url(scheme: &str, address: SocketAddr) -> String {
    let port = address.port();
    match address.ip() {
        // The certificate is for localhost, and that is what "every address" includes.
        ip if ip.is_loopback() || ip.is_unspecified() => format!("{scheme}://localhost:{port}"),
        _ => format!("{scheme}://{address}"),
    }
}
