//! Where a server may connect on somebody else's behalf.
//!
//! A webhook's URL is written by a caller, and the server connects from within its own network: to a name that leads to the machine
//! itself, to the cloud's metadata, to the database. So the name is resolved, every address that comes of it is checked here, and the
//! connection is made to the checked address, and not to the name, which might lead elsewhere the second time.

mod cidr;
mod ranges;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use thiserror::Error;

pub use cidr::{Cidr, InvalidCidr};

/// Which addresses may be called: public ones, and what an operator lets through besides.
///
/// ```
/// use apns_provider_server_core::ssrf::Policy;
///
/// let policy = Policy::allowing(&["10.1.0.0/16"])?;
/// assert!(policy.check("93.184.215.14".parse()?).is_ok());
/// assert!(policy.check("10.1.2.3".parse()?).is_ok());
/// assert!(policy.check("169.254.169.254".parse()?).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Policy {
    allowed: Vec<Cidr>,
}

/// An address must not be called.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error(
    "{address} is {what} ({range}); only public addresses may be called, unless the server is configured otherwise"
)]
pub struct Forbidden {
    /// The address; of one that stands for an IPv4 address, that one.
    pub address: IpAddr,
    /// The range it is in.
    pub range: Cidr,
    /// What that range is for.
    pub what: &'static str,
}

impl Policy {
    /// Only public addresses.
    pub fn public_only() -> Self {
        Self::default()
    }

    /// Public addresses, and these ranges.
    pub fn allowing(ranges: &[&str]) -> Result<Self, InvalidCidr> {
        let allowed = ranges.iter().map(|range| Cidr::parse(range)).collect::<Result<_, _>>()?;
        Ok(Self { allowed })
    }

    /// Whether it lets anything through that is not public.
    pub fn allows_some(&self) -> bool {
        !self.allowed.is_empty()
    }

    /// Whether this address may be called.
    pub fn check(&self, address: IpAddr) -> Result<(), Forbidden> {
        let meant = meant(address);
        let is_allowed = |range: &Cidr| range.contains(address) || range.contains(meant);
        if self.allowed.iter().any(is_allowed) {
            return Ok(());
        }
        match ranges::special(meant) {
            Some((range, what)) => Err(Forbidden { address: meant, range, what }),
            None => Ok(()),
        }
    }
}

/// The address that is really called: of one that only wraps an IPv4 address, that one.
fn meant(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let [.., high, low] = v6.segments();
    let [a, b] = high.to_be_bytes();
    let [c, d] = low.to_be_bytes();
    let wrapped = Ipv4Addr::new(a, b, c, d);
    let is_mapped = v6.segments()[..6] == [0, 0, 0, 0, 0, 0xffff];
    // What DNS64 makes of a name that has only IPv4 addresses (RFC 6052): without it, a host with IPv6 alone could call nobody.
    let is_translated = v6.segments()[..6] == TRANSLATED;
    if is_mapped || is_translated { wrapped.into() } else { Ipv6Addr::into(v6) }
}

const TRANSLATED: [u16; 6] = [0x64, 0xff9b, 0, 0, 0, 0];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(), Forbidden> {
        Policy::public_only().check(text.parse().unwrap())
    }

    #[test]
    fn c78_public_addresses_may_be_called() {
        for text in
            ["1.1.1.1", "93.184.215.14", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111", "2a00:1450::1"]
        {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn c78_what_is_within_or_special_may_not() {
        for text in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "200::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "4000::1",
            "5f00::1",
            "64:ff9b:1::1",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_ipv4_address_in_ipv6_clothes_is_that_address() {
        for text in ["::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::10.0.0.1", "64:ff9b::7f00:1"] {
            let forbidden = check(text).unwrap_err();
            assert!(forbidden.address.is_ipv4(), "{text}: {forbidden}");
        }
        assert_eq!(check("::ffff:1.1.1.1"), Ok(()));
        assert_eq!(check("64:ff9b::1.1.1.1"), Ok(()));
        assert!(check("::127.0.0.1").is_err(), "the old form is of no use at all");
    }

    #[test]
    fn an_operator_lets_through_what_is_theirs() {
        let policy = Policy::allowing(&["10.0.0.0/8", "::1"]).unwrap();
        for (text, may) in [
            ("10.2.3.4", true),
            ("::ffff:10.2.3.4", true),
            ("::1", true),
            ("127.0.0.1", false),
            ("fd00::1", false),
        ] {
            assert_eq!(policy.check(text.parse().unwrap()).is_ok(), may, "{text}");
        }
    }

    #[test]
    fn who_is_refused_learns_why() {
        let forbidden = check("169.254.169.254").unwrap_err().to_string();
        assert!(
            forbidden
                .starts_with("169.254.169.254 is link-local, such as a cloud's metadata (169.254.0.0/16)"),
            "{forbidden}"
        );
    }
}
