//! The first words of TLS, which are in the clear.

use tls_parser::{
    TlsExtension, TlsMessage, TlsMessageHandshake, TlsVersion, parse_tls_extensions, parse_tls_plaintext,
};

/// What a provider says hello with (RFC 8446, 4.1.2).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Hello {
    /// The host that it wants (RFC 6066, 3).
    pub(crate) server_name: Option<String>,
    /// The protocols that it offers (RFC 7301).
    pub(crate) alpn: Vec<String>,
    /// The versions that it speaks, as numbers on the wire: 0x0304 is 1.3.
    pub(crate) versions: Vec<u16>,
}

impl Hello {
    /// Reads the record at the beginning of a connection. `None`: it is not whole yet, or no hello.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (_, record) = parse_tls_plaintext(bytes).ok()?;
        let TlsMessage::Handshake(TlsMessageHandshake::ClientHello(said)) = record.msg.first()? else {
            return None;
        };
        let mut hello = Self::default();
        let (_, extensions) = parse_tls_extensions(said.ext?).ok()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        for extension in extensions {
            match extension {
                TlsExtension::SNI(names) => {
                    hello.server_name = names.first().map(|(_, name)| text(name));
                }
                TlsExtension::ALPN(protocols) => hello.alpn = protocols.iter().map(|it| text(it)).collect(),
                TlsExtension::SupportedVersions(versions) => {
                    hello.versions = versions.iter().map(|version| version.0).collect();
                }
                _ => {}
            }
        }
        if hello.versions.is_empty() {
            hello.versions.push(TlsVersion::Tls12.0.min(said.version.0)); // a client of before TLS 1.3
        }
        Some(hello)
    }
}
