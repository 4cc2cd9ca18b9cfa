//! The static table (RFC 7541 appendix A) and its index by name.

use super::hash::hash;

/// How many entries the static table has.
pub(super) const LEN: usize = ENTRIES.len();

/// The entry at `index`, which counts from 1; `None` outside of the table.
#[inline]
pub(super) fn get(index: usize) -> Option<(&'static [u8], &'static [u8])> {
    let (name, value) = ENTRIES.get(index.checked_sub(1)?)?;
    Some((name.as_bytes(), value.as_bytes()))
}

/// The entries that share a name. They are neighbours in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// The hash of the name.
    name_hash: u32,
    /// The index of the first of them.
    first: u8,
    /// How many there are.
    count: u8,
}

impl Named {
    /// The index of the first of them, which stands for the name.
    #[inline]
    pub(super) fn first_index(self) -> usize {
        usize::from(self.first)
    }

    /// The index of the entry with this `value`.
    #[inline]
    pub(super) fn find_value(self, value: &[u8]) -> Option<usize> {
        let start = self.first_index();
        let end = start + usize::from(self.count);
        (start..end).find(|&index| ENTRIES[index - 1].1.as_bytes() == value)
    }
}

/// The entries called `name`, of which `name_hash` is the [`hash`].
#[inline]
pub(super) fn find(name: &[u8], name_hash: u32) -> Option<Named> {
    let mut slot = first_slot(name_hash);
    // Most slots are free, so this ends, and mostly at once.
    while let Some(named) = BY_NAME[slot] {
        if named.name_hash == name_hash && ENTRIES[named.first_index() - 1].0.as_bytes() == name {
            return Some(named);
        }
        slot = (slot + 1) % SLOTS;
    }
    None
}

/// A hash table with linear probing, written at compile time.
static BY_NAME: [Option<Named>; SLOTS] = by_name();

/// Five times the number of names, so that probes are short.
const SLOTS: usize = 256;

/// The top bits of the hash are its best.
const fn first_slot(name_hash: u32) -> usize {
    (name_hash >> (u32::BITS - SLOTS.ilog2())) as usize
}

const fn by_name() -> [Option<Named>; SLOTS] {
    let mut slots = [None; SLOTS];
    let mut start = 0;
    while start < LEN {
        let name = ENTRIES[start].0.as_bytes();
        let mut end = start + 1;
        while end < LEN && equal(ENTRIES[end].0.as_bytes(), name) {
            end += 1;
        }
        let name_hash = hash(name);
        let mut slot = first_slot(name_hash);
        while slots[slot].is_some() {
            slot = (slot + 1) % SLOTS;
        }
        slots[slot] = Some(Named { name_hash, first: start as u8 + 1, count: (end - start) as u8 });
        start = end;
    }
    slots
}

/// `a == b`, which the compiler cannot evaluate for slices yet.
const fn equal(a: &[u8], b: &[u8]) -> bool {
    let mut place = 0;
    while place < a.len() && place < b.len() && a[place] == b[place] {
        place += 1;
    }
    place == a.len() && place == b.len()
}

/// Name and value of each entry; the first has index 1.
static ENTRIES: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_run_from_1_to_61() {
        assert_eq!(get(0), None);
        assert_eq!(get(1), Some((&b":authority"[..], &b""[..])));
        assert_eq!(get(61), Some((&b"www-authenticate"[..], &b""[..])));
        assert_eq!(get(62), None);
    }

    /// The table was compared with the RFC's once; this notices a slip of the finger since.
    #[test]
    fn no_entry_has_changed() {
        let text: Vec<String> = ENTRIES.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let digest =
            text.join(";").bytes().fold(0_u64, |sum, octet| sum.wrapping_mul(31).wrapping_add(octet.into()));
        assert_eq!(digest, 0x4c67_b362_babe_f258);
    }

    #[test]
    fn every_entry_is_found_by_its_name_and_value() {
        for (place, (name, value)) in ENTRIES.iter().enumerate() {
            let named = find(name.as_bytes(), hash(name.as_bytes())).unwrap();
            let first = ENTRIES.iter().position(|entry| entry.0 == *name).unwrap() + 1;
            assert_eq!(named.first_index(), first, "{name}");
            assert_eq!(named.find_value(value.as_bytes()), Some(place + 1), "{name}: {value}");
            assert_eq!(named.find_value(b"another"), None, "{name}");
        }
    }

    #[test]
    fn other_names_are_not_found() {
        for name in [&b""[..], b"apns-id", b"apns-topic", b":metho", b":Method", b"accept-charse7"] {
            assert_eq!(find(name, hash(name)), None);
            // Nor when they begin their search where another name lives.
            assert_eq!(find(name, hash(b":method")), None);
        }
    }
}
