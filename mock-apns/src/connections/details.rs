//! What TLS agreed on.

use std::fmt::Write as _;

use ring::digest::{SHA256, digest};
use rustls::{CommonState, ProtocolVersion};
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// What TLS agreed on, and what the peer has shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tls {
    /// The version, as the RFCs call it.
    pub(crate) version: Option<&'static str>,
    /// The protocol agreed on by ALPN (RFC 7301).
    pub(crate) alpn: Option<String>,
    /// The server name that the peer asked for (RFC 6066, 3).
    pub(crate) server_name: Option<String>,
    /// The peer's certificate.
    pub(crate) certificate: Option<Box<Certificate>>,
}

/// A certificate, as people tell one from another.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Certificate {
    /// Its subject, such as `CN=phone`; empty if it cannot be read.
    pub(crate) subject: String,
    /// The SHA-256 of its DER.
    sha256: [u8; 32],
}

impl Tls {
    /// What a connection agreed on in its handshake.
    pub(crate) fn of(connection: &rustls::Connection) -> Self {
        let server_name = match connection {
            rustls::Connection::Server(server) => server.server_name().map(str::to_owned),
            rustls::Connection::Client(_) => None,
        };
        let state: &CommonState = connection;
        let leaf = state.peer_certificates().and_then(|chain| chain.first());
        Self {
            version: state.protocol_version().and_then(version),
            alpn: state.alpn_protocol().map(|protocol| String::from_utf8_lossy(protocol).into_owned()),
            server_name,
            certificate: leaf.map(|leaf| Box::new(Certificate::of(leaf))),
        }
    }
}

impl Certificate {
    fn of(der: &[u8]) -> Self {
        let subject = match X509Certificate::from_der(der) {
            Ok((_, certificate)) => certificate.subject().to_string(),
            Err(_) => String::new(),
        };
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest(&SHA256, der).as_ref());
        Self { subject, sha256 }
    }

    /// The SHA-256 in hexadecimal.
    pub(crate) fn sha256_text(&self) -> String {
        self.sha256.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}"); // writing to a string does not fail
            text
        })
    }
}

fn version(version: ProtocolVersion) -> Option<&'static str> {
    match version {
        ProtocolVersion::TLSv1_2 => Some("TLSv1.2"),
        ProtocolVersion::TLSv1_3 => Some("TLSv1.3"),
        _ => None,
    }
}
