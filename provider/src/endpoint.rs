use std::fmt;

use rustls::pki_types::ServerName;
use thiserror::Error;

/// Where pushes go: a host name, which the server's certificate must be for, and a port.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    host: String,
    port: u16,
    server_name: ServerName<'static>,
}

impl Endpoint {
    /// Apple's production service: TestFlight, ad hoc and App Store builds.
    pub fn production() -> Self {
        Self::custom(PRODUCTION_HOST, APPLE_PORT).expect("Apple's host name is a host name: tested")
    }

    /// Apple's sandbox: development builds.
    pub fn sandbox() -> Self {
        Self::custom(SANDBOX_HOST, APPLE_PORT).expect("Apple's host name is a host name: tested")
    }

    /// Apple's production service for [channel management](crate::Channels).
    pub fn channels_production() -> Self {
        Self::custom(CHANNELS_PRODUCTION.0, CHANNELS_PRODUCTION.1)
            .expect("Apple's host name is a host name: tested")
    }

    /// Apple's sandbox for [channel management](crate::Channels).
    pub fn channels_sandbox() -> Self {
        Self::custom(CHANNELS_SANDBOX.0, CHANNELS_SANDBOX.1)
            .expect("Apple's host name is a host name: tested")
    }

    /// Any other server, by host name or IP address.
    pub fn custom(host: &str, port: u16) -> Result<Self, InvalidEndpoint> {
        let invalid = || InvalidEndpoint { text: host.to_owned() };
        if port == 0 {
            return Err(invalid());
        }
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let server_name = ServerName::try_from(bare.to_owned()).map_err(|_| invalid())?;
        Ok(Self { host: bare.to_owned(), port, server_name })
    }

    /// Reads `production`, `sandbox`, `host`, `host:port` or `https://host:port`. Without a port it is 443.
    pub fn parse(text: &str) -> Result<Self, InvalidEndpoint> {
        let invalid = || InvalidEndpoint { text: text.to_owned() };
        match text {
            "production" => return Ok(Self::production()),
            "sandbox" | "development" => return Ok(Self::sandbox()),
            _ => {}
        }
        let authority = text.strip_prefix("https://").unwrap_or(text).trim_end_matches('/');
        let colon = authority.rfind(':').filter(|colon| !authority[*colon..].contains(']'));
        let is_bare_ipv6 = authority.matches(':').count() > 1 && !authority.starts_with('[');
        match colon.filter(|_| !is_bare_ipv6) {
            None => Self::custom(authority, APPLE_PORT),
            Some(colon) => {
                let port = authority[colon + 1..].parse().map_err(|_| invalid())?;
                Self::custom(&authority[..colon], port)
            }
        }
        .map_err(|_| invalid())
    }

    /// The host name or IP address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn server_name(&self) -> ServerName<'static> {
        self.server_name.clone()
    }

    /// What goes into `:authority`: the port only where it is not the usual one.
    pub fn authority(&self) -> String {
        if self.port == APPLE_PORT { self.bracketed_host() } else { self.host_and_port() }
    }

    /// What a proxy is asked for, which is told every port.
    pub(crate) fn host_and_port(&self) -> String {
        format!("{}:{}", self.bracketed_host(), self.port)
    }

    fn bracketed_host(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}", self.authority())
    }
}

/// Not a place that pushes can go to.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("{text:?} is not an address: write production, sandbox, or host:port as in localhost:2197")]
pub struct InvalidEndpoint {
    /// What was given.
    pub text: String,
}

// Source: Apple, "Sending notification requests to APNs".
const PRODUCTION_HOST: &str = "api.push.apple.com";
const SANDBOX_HOST: &str = "api.sandbox.push.apple.com";
const APPLE_PORT: u16 = 443;
// Source: Apple, "Sending channel management requests to APNs".
const CHANNELS_PRODUCTION: (&str, u16) = ("api-manage-broadcast.push.apple.com", 2196);
const CHANNELS_SANDBOX: (&str, u16) = ("api-manage-broadcast.sandbox.push.apple.com", 2195);

#[cfg(test)]
mod tests {
    use super::*;

    fn authority(text: &str) -> Option<String> {
        Endpoint::parse(text).ok().map(|endpoint| endpoint.authority())
    }

    #[test]
    fn names_hosts_ports_and_urls_are_understood() {
        for (text, expected) in [
            ("production", "api.push.apple.com"),
            ("sandbox", "api.sandbox.push.apple.com"),
            ("localhost:2197", "localhost:2197"),
            ("https://localhost:2197/", "localhost:2197"),
            ("https://api.push.apple.com", "api.push.apple.com"),
            ("127.0.0.1:2197", "127.0.0.1:2197"),
            ("[::1]:2197", "[::1]:2197"),
            ("::1", "[::1]"),
        ] {
            assert_eq!(authority(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn c67_channels_are_managed_on_hosts_and_ports_of_their_own() {
        let production = Endpoint::channels_production().to_string();
        assert_eq!(production, "https://api-manage-broadcast.push.apple.com:2196");
        let sandbox = Endpoint::channels_sandbox().to_string();
        assert_eq!(sandbox, "https://api-manage-broadcast.sandbox.push.apple.com:2195");
    }

    #[test]
    fn what_is_no_address_is_named() {
        for text in ["", "localhost:0", "localhost:70000", "localhost:", "two words", "http://localhost:80"] {
            let error = Endpoint::parse(text).unwrap_err();
            assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        }
    }
}
