use std::net::IpAddr;

use apns_provider_core::NotSent;
use apns_wire::WireError;
use thiserror::Error;

use super::tunnel::TunnelError;
use crate::Endpoint;

/// Addresses that an error tells of at most.
const ADDRESSES_TOLD_MAX: usize = 8;

/// Why there is no connection.
#[derive(Debug, Error)]
pub(super) enum ConnectError {
    #[error("the name {host} cannot be resolved: {why}")]
    Unresolved { host: String, why: String },
    #[error("the name {host} has no address")]
    NoAddress { host: String },
    #[error("no address could be connected to: {}", told(.tried))]
    Unreachable { tried: Vec<(IpAddr, String)> },
    #[error(transparent)]
    Proxy(#[from] TunnelError),
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error("it does not speak HTTP/2: TLS did not agree on h2")]
    NotHttp2,
    #[error("{} was not done in time", .0.words())]
    Late(Step),
}

/// What is done on the way, one after the other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Step {
    Resolve,
    Tcp,
    Proxy,
    Tls,
}

impl ConnectError {
    /// What it means for the pushes that waited for the connection.
    pub(super) fn into_not_sent(self, endpoint: &Endpoint) -> NotSent {
        match self {
            Self::Wire(error) => wire_failure(endpoint, &error),
            error => no_connection(endpoint, &error),
        }
    }
}

impl Step {
    fn words(self) -> &'static str {
        match self {
            Self::Resolve => "resolving the name",
            Self::Tcp => "the TCP connection",
            Self::Proxy => "CONNECT through the proxy",
            Self::Tls => "the TLS handshake",
        }
    }
}

/// What a failure of TLS or of the socket means for the pushes that waited for the connection.
pub(crate) fn wire_failure(endpoint: &Endpoint, error: &WireError) -> NotSent {
    match error {
        WireError::Tls(rustls::Error::InvalidCertificate(why)) => NotSent::CertificateRefused {
            why: format!("the certificate of {endpoint} is not trusted: {why}").into(),
        },
        WireError::Tls(rustls::Error::AlertReceived(alert)) => NotSent::CertificateRefused {
            why: format!("{endpoint} refused us in TLS, most likely for our certificate: alert {alert:?}")
                .into(),
        },
        error => no_connection(endpoint, error),
    }
}

fn no_connection(endpoint: &Endpoint, error: &dyn std::error::Error) -> NotSent {
    NotSent::NoConnection { why: format!("no connection with {endpoint}: {error}").into() }
}

fn told(tried: &[(IpAddr, String)]) -> String {
    let mut words: Vec<String> =
        tried.iter().take(ADDRESSES_TOLD_MAX).map(|(address, why)| format!("{address}: {why}")).collect();
    if let Some(more @ 1..) = tried.len().checked_sub(ADDRESSES_TOLD_MAX) {
        words.push(format!("and {more} more"));
    }
    words.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_told_of_up_to_eight() {
        let tried =
            |count| (0..count).map(|n| (IpAddr::from([192, 0, 2, n]), "refused".to_owned())).collect();
        let two = ConnectError::Unreachable { tried: tried(2) };
        let words = "no address could be connected to: 192.0.2.0: refused; 192.0.2.1: refused";
        assert_eq!(two.to_string(), words);
        let ten = ConnectError::Unreachable { tried: tried(10) }.to_string();
        assert!(ten.ends_with("192.0.2.7: refused; and 2 more"), "{ten}");
    }
}
