//! Every range that is not simply public: IANA's registries of special-purpose addresses, IPv4 and IPv6, and multicast.

use std::net::IpAddr;

use super::Cidr;

/// The special range that this address is in, if any, and what it is for.
pub(super) fn special(address: IpAddr) -> Option<(Cidr, &'static str)> {
    let special = SPECIAL.iter().copied().find(|(range, _)| range.contains(address));
    if special.is_some() || address.is_ipv4() || GLOBAL_UNICAST.contains(address) {
        return special;
    }
    // Of IPv6 only this part is given out at all.
    Some((EVERYTHING, "none that was ever given out to anybody"))
}

const EVERYTHING: Cidr = Cidr::v6([0; 8], 0);
const GLOBAL_UNICAST: Cidr = Cidr::v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// Sources: IANA IPv4 and IPv6 Special-Purpose Address Registries; RFC 5771 and RFC 4291 for multicast; RFC 3879 for site-local. Those
/// that are reachable from everywhere, such as AS112, are here too: nobody receives webhooks there.
static SPECIAL: [(Cidr, &str); 35] = [
    (Cidr::v4(0, 0, 0, 0, 8), "this network"),
    (Cidr::v4(10, 0, 0, 0, 8), "private"),
    (Cidr::v4(100, 64, 0, 0, 10), "shared by a provider's customers"),
    (Cidr::v4(127, 0, 0, 0, 8), "the machine itself"),
    (Cidr::v4(169, 254, 0, 0, 16), "link-local, such as a cloud's metadata"),
    (Cidr::v4(172, 16, 0, 0, 12), "private"),
    (Cidr::v4(192, 0, 0, 0, 24), "for protocols"),
    (Cidr::v4(192, 0, 2, 0, 24), "for documentation"),
    (Cidr::v4(192, 31, 196, 0, 24), "for AS112"),
    (Cidr::v4(192, 52, 193, 0, 24), "for multicast tunnels"),
    (Cidr::v4(192, 88, 99, 0, 24), "for 6to4 relays"),
    (Cidr::v4(192, 168, 0, 0, 16), "private"),
    (Cidr::v4(192, 175, 48, 0, 24), "for AS112"),
    (Cidr::v4(198, 18, 0, 0, 15), "for benchmarks"),
    (Cidr::v4(198, 51, 100, 0, 24), "for documentation"),
    (Cidr::v4(203, 0, 113, 0, 24), "for documentation"),
    (Cidr::v4(224, 0, 0, 0, 4), "multicast"),
    (Cidr::v4(240, 0, 0, 0, 4), "reserved, or broadcast"),
    (Cidr::v6([0, 0, 0, 0, 0, 0, 0, 1], 128), "the machine itself"),
    (Cidr::v6([0; 8], 128), "no address"),
    (Cidr::v6([0; 8], 96), "an old way to write IPv4 addresses"),
    (Cidr::v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48), "for local translation to IPv4"),
    (Cidr::v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64), "where everything is discarded"),
    (Cidr::v6([0x100, 0, 0, 1, 0, 0, 0, 0], 64), "a dummy"),
    (Cidr::v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32), "for Teredo tunnels"),
    (Cidr::v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), "for protocols"),
    (Cidr::v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), "for documentation"),
    (Cidr::v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), "for 6to4 tunnels"),
    (Cidr::v6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48), "for AS112"),
    (Cidr::v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), "for documentation"),
    (Cidr::v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16), "for segment routing"),
    (Cidr::v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), "private"),
    (Cidr::v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), "link-local"),
    (Cidr::v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), "site-local"),
    (Cidr::v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), "multicast"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_range_is_written_as_a_range() {
        for (range, what) in &SPECIAL {
            assert_eq!(Cidr::parse(&range.to_string()).as_ref(), Ok(range), "{what}");
        }
    }
}
