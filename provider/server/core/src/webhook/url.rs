//! Where a webhook's deliveries go, as its owner writes it.

use std::{fmt, net::IpAddr};

use http::Uri;
use thiserror::Error;

use crate::ssrf::{Forbidden, Policy};

/// Where a webhook's deliveries go: a scheme, a host, perhaps a port, a path and a query, and nothing else.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Url {
    uri: Uri,
}

/// Why a text is no URL for a webhook.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum InvalidUrl {
    /// It leads to an address that nothing may be sent to.
    #[error("{0}")]
    Forbidden(Forbidden),
    /// It has a user's name or a fragment.
    #[error(
        "it has a user name or a fragment; what a receiver has to know it by belongs into the path or the query"
    )]
    Extra,
    /// It is not encrypted.
    #[error("it is not https; what is told is not for everybody")]
    NotHttps,
    /// It is no URL.
    #[error("it is no URL with a host; write https://example.com/path")]
    NotUrl,
    /// It is too long.
    #[error("it has {len} bytes, and {max} are allowed")]
    TooLong {
        /// How many it has.
        len: usize,
        /// How many it may have.
        max: usize,
    },
}

impl Url {
    /// The longest, in bytes.
    pub const BYTES_MAX: usize = 2048;

    /// Reads it. Without encryption it is taken only if the policy lets something through that is not public: then somebody has said
    /// that receivers are in the same house.
    pub fn parse(text: &str, policy: &Policy) -> Result<Self, InvalidUrl> {
        if text.len() > Self::BYTES_MAX {
            return Err(InvalidUrl::TooLong { len: text.len(), max: Self::BYTES_MAX });
        }
        if text.contains('#') {
            return Err(InvalidUrl::Extra);
        }
        let uri: Uri = text.parse().map_err(|_| InvalidUrl::NotUrl)?;
        let authority = uri.authority().ok_or(InvalidUrl::NotUrl)?;
        if authority.as_str().contains('@') {
            return Err(InvalidUrl::Extra);
        }
        let has_bad_port = authority.as_str().len() > authority.host().len()
            && authority.port_u16().is_none_or(|port| port == 0);
        if authority.host().is_empty() || has_bad_port {
            return Err(InvalidUrl::NotUrl);
        }
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if policy.allows_some() => {}
            Some("http") => return Err(InvalidUrl::NotHttps),
            _ => return Err(InvalidUrl::NotUrl),
        }
        let url = Self { uri };
        if let Some(address) = url.address() {
            policy.check(address).map_err(InvalidUrl::Forbidden)?;
        }
        Ok(url)
    }

    /// The URL as it was written.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The host, without brackets.
    pub fn host(&self) -> &str {
        self.uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        let usual = if self.is_encrypted() { 443 } else { 80 };
        self.uri.port_u16().unwrap_or(usual)
    }

    /// Whether it is https.
    pub fn is_encrypted(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }

    /// The address, if the host is one.
    pub fn address(&self) -> Option<IpAddr> {
        self.host().parse().ok()
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uri.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        Policy::public_only()
    }

    fn refused(text: &str) -> InvalidUrl {
        Url::parse(text, &policy()).unwrap_err()
    }

    #[test]
    fn a_webhook_goes_to_a_public_host_over_https() {
        let url = Url::parse("https://hooks.example.com:8443/apns?key=1", &policy()).unwrap();
        assert_eq!((url.host(), url.port(), url.is_encrypted()), ("hooks.example.com", 8443, true));
        assert_eq!(Url::parse("https://example.com", &policy()).unwrap().port(), 443);
        let v6 = Url::parse("https://[2606:4700::1111]/x", &policy()).unwrap();
        assert_eq!((v6.host(), v6.address().is_some()), ("2606:4700::1111", true));
    }

    #[test]
    fn what_leads_elsewhere_is_refused() {
        assert_eq!(refused("http://example.com/"), InvalidUrl::NotHttps);
        assert_eq!(refused("https://user:secret@example.com/"), InvalidUrl::Extra);
        assert_eq!(refused("https://example.com/#x"), InvalidUrl::Extra);
        for text in [
            "",
            "example.com",
            "/path",
            "ftp://example.com/",
            "https://",
            "https:///x",
            "https://a b/",
            "https://a:0/",
            "https://a:x/",
            "https://a:/",
        ] {
            assert_eq!(refused(text), InvalidUrl::NotUrl, "{text}");
        }
        for text in [
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://169.254.169.254/latest",
            "https://[::ffff:10.0.0.1]/",
        ] {
            assert!(matches!(refused(text), InvalidUrl::Forbidden(_)), "{text}");
        }
        assert!(matches!(refused(&format!("https://a/{}", "x".repeat(3000))), InvalidUrl::TooLong { .. }));
    }

    #[test]
    fn in_the_same_house_it_may_be_plain() {
        let policy = Policy::allowing(&["127.0.0.0/8"]).unwrap();
        assert_eq!(Url::parse("http://127.0.0.1:9000/", &policy).unwrap().port(), 9000);
        assert!(matches!(Url::parse("http://10.0.0.1/", &policy), Err(InvalidUrl::Forbidden(_))));
    }
}
