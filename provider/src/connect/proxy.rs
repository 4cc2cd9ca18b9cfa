use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use rustls::pki_types::ServerName;
use thiserror::Error;
use zeroize::Zeroizing;

/// An HTTP proxy that opens a way to APNs with CONNECT (RFC 9110 section 9.3.6). It sees where to, and no
/// more: TLS, `h2` and the client's certificate are between the client and APNs. `Debug` and `Display` show
/// no secret.
///
/// ```
/// use apns_provider::Proxy;
/// let proxy = Proxy::parse("http://push:s3cret@proxy.example.com:3128")?;
/// assert_eq!(proxy.to_string(), "http://proxy.example.com:3128");
/// # Ok::<(), apns_provider::InvalidProxy>(())
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct Proxy {
    host: String,
    port: u16,
    /// The value of `proxy-authorization`.
    authorization: Option<Zeroizing<String>>,
}

impl Proxy {
    /// Reads `http://host:port` or `http://user:password@host:port`, with or without `http://`. Without a
    /// port it is 80. What a URL does not let through in user and password is percent-encoded, as everywhere.
    pub fn parse(text: &str) -> Result<Self, InvalidProxy> {
        let text = text.trim();
        let rest = match text.split_once("://") {
            None => text,
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some((scheme, _)) => return Err(InvalidProxy::Scheme { scheme: scheme.to_owned() }),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#']) {
            return Err(InvalidProxy::Path);
        }
        let (userinfo, host_and_port) = match authority.rsplit_once('@') {
            Some((userinfo, host_and_port)) => (Some(userinfo), host_and_port),
            None => (None, authority),
        };
        let (host, port) = split_port(host_and_port)?;
        ServerName::try_from(host).map_err(|_| InvalidProxy::Host { host: host.to_owned() })?;
        let authorization = userinfo.map(basic).transpose()?;
        Ok(Self { host: host.to_owned(), port, authorization })
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn authorization(&self) -> Option<&str> {
        self.authorization.as_ref().map(|value| value.as_str())
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, .. } = self;
        if host.contains(':') {
            write!(f, "http://[{host}]:{port}")
        } else {
            write!(f, "http://{host}:{port}")
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("has_authorization", &self.authorization.is_some())
            .finish()
    }
}

/// Not a proxy that can be used. Tells no user and no password.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum InvalidProxy {
    /// Another way to talk to the proxy than HTTP.
    #[error("proxies that speak {scheme}:// are not supported: write http://host:port")]
    Scheme {
        /// What was given.
        scheme: String,
    },
    /// Neither a host name nor an IP address.
    #[error("{host:?} is not the name or the address of a proxy: write http://host:port")]
    Host {
        /// What was given.
        host: String,
    },
    /// Not a port.
    #[error("{port:?} is not a port: write http://host:port")]
    Port {
        /// What was given.
        port: String,
    },
    /// There is more than a host and a port.
    #[error("a proxy has no path: write http://host:port")]
    Path,
    /// User and password cannot be what they are (RFC 7617 section 2).
    #[error(
        "the proxy's user or password is not well encoded: write http://user:password@host:port, every other \
         character than letters and digits as % and two hexadecimal digits"
    )]
    UserInfo,
}

fn split_port(text: &str) -> Result<(&str, u16), InvalidProxy> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => (address, rest.strip_prefix(':')),
        None => text.rsplit_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = match port {
        None => DEFAULT_PORT,
        Some(port) => match port.parse() {
            Ok(port @ 1..) => port,
            _ => return Err(InvalidProxy::Port { port: port.to_owned() }),
        },
    };
    Ok((host, port))
}

/// The Basic scheme (RFC 7617).
fn basic(userinfo: &str) -> Result<Zeroizing<String>, InvalidProxy> {
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let user = percent_decoded(user)?;
    if user.contains(&b':') {
        return Err(InvalidProxy::UserInfo); // the proxy would take what is behind for the password
    }
    let mut both = user;
    both.push(b':');
    both.extend_from_slice(&percent_decoded(password)?);
    Ok(Zeroizing::new(format!("Basic {}", BASE64_STANDARD.encode(&*both))))
}

fn percent_decoded(text: &str) -> Result<Zeroizing<Vec<u8>>, InvalidProxy> {
    let mut decoded = Zeroizing::new(Vec::with_capacity(text.len() + 1));
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let byte = if byte == b'%' {
            let mut digit = || Some((bytes.next()? as char).to_digit(16)? as u8);
            let (Some(high), Some(low)) = (digit(), digit()) else { return Err(InvalidProxy::UserInfo) };
            high << 4 | low
        } else {
            byte
        };
        if byte.is_ascii_control() {
            return Err(InvalidProxy::UserInfo);
        }
        decoded.push(byte);
    }
    Ok(decoded)
}

/// That of `http` URLs (RFC 9110 section 4.2.1).
const DEFAULT_PORT: u16 = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_understood() {
        for (text, expected) in [
            ("http://proxy.example.com:3128", "http://proxy.example.com:3128"),
            ("HTTP://proxy:3128/", "http://proxy:3128"),
            (" proxy ", "http://proxy:80"),
            ("10.0.0.1:8080", "http://10.0.0.1:8080"),
            ("http://[2001:db8::1]:8080", "http://[2001:db8::1]:8080"),
            ("http://[2001:db8::1]", "http://[2001:db8::1]:80"),
            ("http://user:p@ss@proxy:1", "http://proxy:1"),
        ] {
            assert_eq!(Proxy::parse(text).unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn user_and_password_are_decoded_and_encoded_as_the_proxy_wants_them() {
        let authorization = |userinfo: &str| {
            Proxy::parse(&format!("http://{userinfo}@proxy:3128")).unwrap().authorization().map(str::to_owned)
        };
        // RFC 7617 section 2
        assert_eq!(
            authorization("Aladdin:open%20sesame").as_deref(),
            Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
        );
        assert_eq!(
            authorization("a:b%3Ac%40").as_deref(),
            Some(&*format!("Basic {}", BASE64_STANDARD.encode("a:b:c@")))
        );
        assert_eq!(authorization("a").as_deref(), Some(&*format!("Basic {}", BASE64_STANDARD.encode("a:"))));
        assert_eq!(Proxy::parse("http://proxy:3128").unwrap().authorization(), None);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |text: &str| Proxy::parse(text).unwrap_err();
        assert_eq!(error("socks5://proxy:1080"), InvalidProxy::Scheme { scheme: "socks5".to_owned() });
        assert_eq!(error("https://proxy:443"), InvalidProxy::Scheme { scheme: "https".to_owned() });
        assert_eq!(error("http://two words:80"), InvalidProxy::Host { host: "two words".to_owned() });
        assert_eq!(error(""), InvalidProxy::Host { host: String::new() });
        assert_eq!(error("http://proxy:0"), InvalidProxy::Port { port: "0".to_owned() });
        assert_eq!(error("http://proxy:65536"), InvalidProxy::Port { port: "65536".to_owned() });
        assert_eq!(error("http://proxy:80/path"), InvalidProxy::Path);
        for userinfo in ["a%3Ab:c", "a:%", "a:%4", "a:%zz", "a:%0d%0aevil"] {
            assert_eq!(error(&format!("http://{userinfo}@proxy:80")), InvalidProxy::UserInfo, "{userinfo}");
        }
    }

    #[test]
    fn neither_logs_nor_errors_show_the_password() {
        let proxy = Proxy::parse("http://push:s3cret@proxy:3128").unwrap();
        let shown = format!("{proxy:?} {proxy}");
        assert!(
            !shown.contains("s3cret") && !shown.contains(&BASE64_STANDARD.encode("push:s3cret")),
            "{shown}"
        );
        for text in
            ["http://push:s3cret@two words:80", "http://push:s3cret@proxy:x", "http://push:s3cret%@proxy"]
        {
            let error = Proxy::parse(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
        }
    }
}
