use std::{env, net::IpAddr};

use super::proxy::{InvalidProxy, Proxy};
use crate::{BuildError, Endpoint};

impl Proxy {
    /// The proxy that the environment has for an address, in the way of curl and Go: `https_proxy` or
    /// `HTTPS_PROXY`, else `all_proxy` or `ALL_PROXY`; an empty one counts as none.
    ///
    /// There is none for what `no_proxy` or `NO_PROXY` lists, by commas or spaces: `*` for everything, a host
    /// with all below it (`example.com`, `.example.com` and `*.example.com` are the same), an IP address,
    /// each with a port or for every port. And, as in Go, none for this machine: a double at `localhost` is
    /// reached at once. Ranges of addresses (`10.0.0.0/8`) are not understood.
    pub fn from_env(endpoint: &Endpoint) -> Result<Option<Self>, BuildError> {
        ProxyVariables::read(|name| env::var(name).ok()).proxy_for(endpoint.host(), endpoint.port())
    }
}

/// What the environment says of proxies.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct ProxyVariables {
    /// Of the first variable that has one, and its name.
    proxy: Option<(&'static str, String)>,
    no_proxy: String,
}

impl ProxyVariables {
    /// Picks the variables that count; `value` knows them by name.
    fn read(value: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: &[&'static str]| {
            let set = |name: &'static str| Some((name, value(name)?)).filter(|(_, it)| !it.trim().is_empty());
            names.iter().copied().find_map(set)
        };
        Self { proxy: first(&PROXY), no_proxy: first(&NO_PROXY).unwrap_or_default().1 }
    }

    /// The proxy for `host`, a name or an address without brackets.
    fn proxy_for(&self, host: &str, port: u16) -> Result<Option<Proxy>, BuildError> {
        let Some((variable, text)) = &self.proxy else { return Ok(None) };
        let exempt = |entry| Entry::parse(entry).is_some_and(|entry| entry.covers(host, port));
        if is_this_machine(host) || self.no_proxy.split([',', ' ']).any(exempt) {
            return Ok(None);
        }
        let invalid = |error: InvalidProxy| BuildError::ProxyVariable { variable, error };
        Proxy::parse(text).map(Some).map_err(invalid)
    }
}

fn is_this_machine(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => is_at_or_below(host, "localhost"),
    }
}

/// One of the things that `NO_PROXY` lists.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Entry<'a> {
    host: EntryHost<'a>,
    port: Option<u16>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum EntryHost<'a> {
    Any,
    Address(IpAddr),
    Domain(&'a str),
}

impl<'a> Entry<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let bare = |text: &'a str| text.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(text);
        let (host, port) = match text.rsplit_once(':') {
            // An IPv6 address without brackets has no port behind it.
            _ if text.parse::<IpAddr>().is_ok() => (text, None),
            Some((host, port)) if !port.ends_with(']') => (bare(host), Some(port.parse().ok()?)),
            _ => (bare(text), None),
        };
        let host = match host.parse() {
            Ok(address) => EntryHost::Address(address),
            Err(_) if host == "*" => EntryHost::Any,
            Err(_) => EntryHost::Domain(host.trim_start_matches("*.").trim_start_matches('.')),
        };
        let is_empty = host == EntryHost::Domain("");
        (!is_empty).then_some(Self { host, port })
    }

    fn covers(self, host: &str, port: u16) -> bool {
        let covers_host = match self.host {
            EntryHost::Any => true,
            EntryHost::Address(address) => host.parse() == Ok(address),
            EntryHost::Domain(domain) => host.parse::<IpAddr>().is_err() && is_at_or_below(host, domain),
        };
        covers_host && self.port.is_none_or(|it| it == port)
    }
}

/// Whether a name is the domain, or a name in it: not `myexample.com` for `example.com`.
fn is_at_or_below(host: &str, domain: &str) -> bool {
    let (host, domain) = (host.trim_end_matches('.').as_bytes(), domain.trim_end_matches('.').as_bytes());
    let Some(at) = host.len().checked_sub(domain.len()) else { return false };
    host[at..].eq_ignore_ascii_case(domain) && (at == 0 || host[at - 1] == b'.')
}

/// The variables that name a proxy. In lower case first, as curl has it.
const PROXY: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
const NO_PROXY: [&str; 2] = ["no_proxy", "NO_PROXY"];

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(values: &[(&str, &str)]) -> ProxyVariables {
        ProxyVariables::read(|name| {
            let (_, value) = values.iter().find(|(it, _)| *it == name)?;
            Some((*value).to_owned())
        })
    }

    fn proxy(values: &[(&str, &str)]) -> Option<String> {
        let proxy = variables(values).proxy_for("api.push.apple.com", 443).unwrap();
        proxy.map(|proxy| proxy.to_string())
    }

    #[test]
    fn the_first_variable_that_says_something_counts() {
        assert_eq!(proxy(&[]), None);
        assert_eq!(proxy(&[("HTTP_PROXY", "a:1"), ("http_proxy", "a:1")]), None, "they are for http://");
        assert_eq!(proxy(&[("ALL_PROXY", "a:1")]).as_deref(), Some("http://a:1"));
        assert_eq!(proxy(&[("ALL_PROXY", "a:1"), ("HTTPS_PROXY", "b:1")]).as_deref(), Some("http://b:1"));
        assert_eq!(proxy(&[("HTTPS_PROXY", "b:1"), ("https_proxy", "c:1")]).as_deref(), Some("http://c:1"));
        assert_eq!(proxy(&[("https_proxy", ""), ("ALL_PROXY", "a:1")]).as_deref(), Some("http://a:1"));
    }

    #[test]
    fn a_variable_that_names_no_proxy_is_an_error_that_names_it() {
        let error = variables(&[("ALL_PROXY", "socks5://a:1")]).proxy_for("api.push.apple.com", 443);
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with("ALL_PROXY") && error.contains("socks5"), "{error}");
    }

    #[test]
    fn no_proxy_lists_hosts_domains_addresses_and_ports() {
        let direct = |no_proxy: &str, host: &str, port| {
            let variables = variables(&[("HTTPS_PROXY", "proxy:3128"), ("NO_PROXY", no_proxy)]);
            variables.proxy_for(host, port).unwrap().is_none()
        };
        for (no_proxy, host, port, expected) in [
            ("", "api.push.apple.com", 443, false),
            ("*", "api.push.apple.com", 443, true),
            ("api.push.apple.com", "api.push.apple.com", 443, true),
            ("API.PUSH.APPLE.COM", "api.push.apple.com", 443, true),
            ("apple.com", "api.push.apple.com", 443, true),
            (".apple.com", "api.push.apple.com", 443, true),
            ("*.apple.com", "api.push.apple.com", 443, true),
            ("apple.com", "apple.com", 443, true),
            ("apple.com", "pineapple.com", 443, false),
            ("apple.com", "apple.com.example", 443, false),
            ("apple.com:443", "api.push.apple.com", 443, true),
            ("apple.com:2197", "api.push.apple.com", 443, false),
            ("example.com, apple.com", "api.push.apple.com", 443, true),
            ("example.com apple.com", "api.push.apple.com", 443, true),
            (",, ,", "api.push.apple.com", 443, false),
            ("192.0.2.1", "192.0.2.1", 443, true),
            ("192.0.2.1", "192.0.2.11", 443, false),
            ("2.1", "192.0.2.1", 443, false),
            ("2001:db8::1", "2001:db8::1", 443, true),
            ("2001:db8:0::1", "2001:db8::1", 443, true),
            ("[2001:db8::1]", "2001:db8::1", 443, true),
            ("[2001:db8::1]:443", "2001:db8::1", 443, true),
            ("[2001:db8::1]:444", "2001:db8::1", 443, false),
            ("", "localhost", 2197, true),
            ("", "127.0.0.1", 2197, true),
            ("", "::1", 2197, true),
        ] {
            assert_eq!(direct(no_proxy, host, port), expected, "{no_proxy:?} for {host}:{port}");
        }
    }
}
