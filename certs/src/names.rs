//! The names a server certificate speaks for: Apple's, this machine's, and those a caller adds.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustls_pki_types::DnsName;

use crate::Error;

/// One of Apple's host names and what answers there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppleHostName {
    /// The DNS name; one has a wildcard in its first label.
    pub name: &'static str,
    /// What a provider finds behind it.
    pub purpose: &'static str,
}

/// Every host name of Apple's that a provider, old or new, connects to.
///
/// A server certificate carries all of them, so that a provider whose hosts are fixed works unmodified once
/// its DNS points at the double. Sources: Apple "Sending notification requests to APNs", "Communicating with
/// APNs" (archive), "Sending channel management requests to APNs", "Sending broadcast push notification
/// requests to APNs", "Sending web push notifications in web apps and browsers", "Binary Provider API"
/// (archive).
pub const APPLE_HOST_NAMES: &[AppleHostName] = &[
    host("api.push.apple.com", "device pushes, production"),
    host("api.sandbox.push.apple.com", "device pushes, development"),
    host("api.development.push.apple.com", "device pushes, development, under its older name"),
    host("api-broadcast.push.apple.com", "broadcasts, production"),
    host("api-broadcast.sandbox.push.apple.com", "broadcasts, development"),
    host("api-manage-broadcast.push.apple.com", "channel management, production"),
    host("api-manage-broadcast.sandbox.push.apple.com", "channel management, development"),
    host("web.push.apple.com", "web push"),
    host("*.push.apple.com", "web push: a subscription may name any host here"),
    host("gateway.push.apple.com", "legacy binary gateway, production"),
    host("gateway.sandbox.push.apple.com", "legacy binary gateway, development"),
    host("feedback.push.apple.com", "legacy feedback, production"),
    host("feedback.sandbox.push.apple.com", "legacy feedback, development"),
];

/// A name that a server certificate can carry: a DNS name, perhaps with `*` as its first label, or an IP
/// address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(Name);

impl HostName {
    /// Reads a DNS name (`apns.test`, `*.apns.test`) or an IP address (`10.0.0.7`, `fd00::7`).
    ///
    /// Fails with [`Error::InvalidHostName`].
    pub fn new(name: &str) -> Result<Self, Error> {
        if let Ok(address) = name.parse() {
            return Ok(Self(Name::Ip(address)));
        }
        // RFC 6125 section 6.4.3: a wildcard stands alone as the left-most label.
        let without_wildcard = name.strip_prefix("*.").unwrap_or(name);
        DnsName::try_from(without_wildcard).map_err(|_| Error::InvalidHostName(name.to_owned()))?;
        Ok(Self(Name::Dns(name.to_ascii_lowercase())))
    }

    /// This as an entry of the subject alternative name extension (RFC 5280 section 4.2.1.6).
    pub(crate) fn to_san(&self) -> Result<rcgen::SanType, Error> {
        match &self.0 {
            Name::Dns(name) => dns_san(name),
            Name::Ip(address) => Ok(rcgen::SanType::IpAddress(*address)),
        }
    }
}

/// What every server certificate is good for before a caller adds to it: this machine, then Apple's names.
pub(crate) fn default_sans() -> Result<Vec<rcgen::SanType>, Error> {
    let mut sans = vec![
        dns_san("localhost")?,
        rcgen::SanType::IpAddress(Ipv4Addr::LOCALHOST.into()),
        rcgen::SanType::IpAddress(Ipv6Addr::LOCALHOST.into()),
    ];
    for apple in APPLE_HOST_NAMES {
        sans.push(dns_san(apple.name)?);
    }
    Ok(sans)
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    Dns(String),
    Ip(IpAddr),
}

fn dns_san(name: &str) -> Result<rcgen::SanType, Error> {
    let name = name.try_into().map_err(|_| Error::InvalidHostName(name.to_owned()))?;
    Ok(rcgen::SanType::DnsName(name))
}

const fn host(name: &'static str, purpose: &'static str) -> AppleHostName {
    AppleHostName { name, purpose }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_apple_name_is_a_name_and_stands_once() {
        for (index, apple) in APPLE_HOST_NAMES.iter().enumerate() {
            assert!(HostName::new(apple.name).is_ok(), "{}", apple.name);
            assert!(
                APPLE_HOST_NAMES[index + 1..].iter().all(|other| other.name != apple.name),
                "{}",
                apple.name
            );
        }
    }

    #[test]
    fn dns_names_wildcards_and_addresses_are_read() {
        for name in ["localhost", "apns.test", "*.apns.test", "mock_apns", "10.0.0.7", "fd00::7"] {
            assert!(HostName::new(name).is_ok(), "{name}");
        }
        assert_eq!(HostName::new("APNS.test"), HostName::new("apns.test"));
    }

    #[test]
    fn what_is_no_name_is_refused_by_name() {
        for name in
            ["", "*", "a.*.b", "two words", "caffè.test", "https://apns.test", "apns.test:443", "-a", "1.2.3"]
        {
            assert_eq!(HostName::new(name), Err(Error::InvalidHostName(name.to_owned())));
        }
    }
}
