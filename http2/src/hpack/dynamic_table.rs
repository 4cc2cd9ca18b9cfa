//! The dynamic table (RFC 7541 2.3.2, 4).
//!
//! ```text
//! octets   | dead ...... | name value | name value | name value |  <- new ones are appended
//!                          oldest                     newest
//! ```
//!
//! All names and values lie in one buffer, oldest first. Eviction only moves the border of the dead part; when that
//! outgrows the table, the live part moves to the front. So an entry is one slice, an insertion copies its octets at
//! most twice, and a table that has found its size allocates no more.

use std::collections::VecDeque;
use std::fmt;

use super::static_table;

/// The index of the newest entry: the dynamic table follows the static one (RFC 7541 2.3.3).
pub(super) const FIRST_INDEX: usize = static_table::LEN + 1;

/// What an entry counts beside its octets (RFC 7541 4.1).
pub(super) const ENTRY_OVERHEAD: usize = 32;

/// A dynamic table. Positions count from 0, the newest entry. Each entry carries a `Tag` of its owner's choice.
pub(super) struct DynamicTable<Tag> {
    octets: Vec<u8>,
    /// How many octets ever left the front of `octets`, wrapping: turns [`Entry::start`] into an offset.
    departed: usize,
    /// Newest first.
    entries: VecDeque<Entry<Tag>>,
    size: usize,
    size_max: usize,
}

struct Entry<Tag> {
    /// Where the name starts, counted from the first octet the table ever held, wrapping. The value follows the name.
    start: usize,
    name_len: u32,
    value_len: u32,
    tag: Tag,
}

impl<Tag> DynamicTable<Tag> {
    pub(super) const fn new(size_max: usize) -> Self {
        Self { octets: Vec::new(), departed: 0, entries: VecDeque::new(), size: 0, size_max }
    }

    /// A copy of it for another owner.
    pub(super) fn untagged(&self) -> DynamicTable<()> {
        let Self { octets, departed, entries, size, size_max } = self;
        let entry = |entry: &Entry<Tag>| {
            let Entry { start, name_len, value_len, .. } = *entry;
            Entry { start, name_len, value_len, tag: () }
        };
        DynamicTable {
            octets: octets.clone(),
            departed: *departed,
            entries: entries.iter().map(entry).collect(),
            size: *size,
            size_max: *size_max,
        }
    }

    /// The limit that is in force, in octets as RFC 7541 4.1 counts them.
    pub(super) const fn size_max(&self) -> usize {
        self.size_max
    }

    /// Changes the limit and evicts what no longer fits (RFC 7541 4.3).
    pub(super) fn set_size_max(&mut self, size_max: usize) {
        self.size_max = size_max;
        self.evict();
    }

    /// The name and value at `position`.
    #[inline]
    pub(super) fn get(&self, position: usize) -> Option<(&[u8], &[u8])> {
        self.entries.get(position).map(|entry| self.field(entry))
    }

    /// The tag of each entry, by position.
    #[inline]
    pub(super) fn tags(&self) -> impl Iterator<Item = &Tag> {
        self.entries.iter().map(|entry| &entry.tag)
    }

    /// Adds a field in front (RFC 7541 4.4). One that is larger than the table leaves the table empty.
    pub(super) fn insert(&mut self, name: &[u8], value: &[u8], tag: Tag) {
        if self.admits(name.len(), value.len()) {
            self.octets.extend_from_slice(name);
            self.octets.extend_from_slice(value);
            self.push(name.len(), value.len(), tag);
        }
    }

    /// As [`Self::insert`], with the name of the entry at `position`, which must exist.
    ///
    /// That entry may be evicted to make room. Its name is copied first.
    pub(super) fn insert_with_name_at(&mut self, position: usize, value: &[u8], tag: Tag) {
        let Some(source) = self.entries.get(position) else { return };
        let (start, name_len) = (self.offset(source), source.name_len as usize);
        if self.admits(name_len, value.len()) {
            self.octets.extend_from_within(start..start + name_len);
            self.octets.extend_from_slice(value);
            self.push(name_len, value.len(), tag);
        }
    }

    /// Whether an entry can be in the table at all. If not, the table is emptied, as RFC 7541 4.4 has it.
    fn admits(&mut self, name_len: usize, value_len: usize) -> bool {
        let fits = name_len + value_len + ENTRY_OVERHEAD <= self.size_max;
        if !fits {
            self.entries.clear();
            self.octets.clear();
            self.size = 0;
        }
        fits
    }

    /// Makes an entry of the last octets of the buffer. It fits the table, so evicting for it never takes itself.
    fn push(&mut self, name_len: usize, value_len: usize, tag: Tag) {
        let start = self.departed.wrapping_add(self.octets.len() - name_len - value_len);
        self.entries.push_front(Entry { start, name_len: name_len as u32, value_len: value_len as u32, tag });
        self.size += name_len + value_len + ENTRY_OVERHEAD;
        self.evict();
    }

    fn evict(&mut self) {
        while self.size > self.size_max {
            let Some(oldest) = self.entries.pop_back() else { return };
            self.size -= oldest.size();
        }
        let dead = self.entries.back().map_or(self.octets.len(), |oldest| self.offset(oldest));
        if dead > self.size_max {
            self.octets.drain(..dead);
            self.departed = self.departed.wrapping_add(dead);
        }
    }

    #[inline]
    fn field(&self, entry: &Entry<Tag>) -> (&[u8], &[u8]) {
        let start = self.offset(entry);
        let end = start + entry.name_len as usize + entry.value_len as usize;
        self.octets[start..end].split_at(entry.name_len as usize)
    }

    fn offset(&self, entry: &Entry<Tag>) -> usize {
        entry.start.wrapping_sub(self.departed)
    }
}

impl<Tag> Entry<Tag> {
    fn size(&self) -> usize {
        self.name_len as usize + self.value_len as usize + ENTRY_OVERHEAD
    }
}

/// Names no field: a table may hold a provider's token, and debug output ends up in logs.
impl<Tag> fmt::Debug for DynamicTable<Tag> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamicTable")
            .field("entries", &self.entries.len())
            .field("size", &self.size)
            .field("size_max", &self.size_max)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    impl<Tag> DynamicTable<Tag> {
        /// Every field, newest first, and the size.
        pub(in super::super) fn contents(&self) -> (Vec<(String, String)>, usize) {
            let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
            let fields = (0..).map_while(|position| self.get(position));
            (fields.map(|(name, value)| (text(name), text(value))).collect(), self.size)
        }
    }

    #[test]
    fn the_newest_is_at_0_and_the_oldest_leaves_first() {
        let mut table = DynamicTable::new(3 * 34);
        for name in [b"a", b"b", b"c", b"d"] {
            table.insert(name, b"1", ());
        }
        assert_eq!(table.get(0), Some((&b"d"[..], &b"1"[..])));
        assert_eq!(table.get(2), Some((&b"b"[..], &b"1"[..])));
        assert_eq!(table.get(3), None);
    }

    #[test]
    fn an_entry_larger_than_the_table_empties_it() {
        let mut table = DynamicTable::new(64);
        table.insert(b"a", b"1", ());
        table.insert(b"b", &[b'x'; 31], ());
        assert_eq!(table.contents().1, 64, "exactly the table's size fits");
        table.insert(b"c", &[b'x'; 32], ());
        assert_eq!(table.contents(), (vec![], 0));
        table.insert(b"a", b"1", ());
        assert_eq!(table.contents().1, 34, "and it can be filled again");
    }

    #[test]
    fn a_name_outlives_the_entry_it_was_taken_from() {
        let mut table = DynamicTable::new(64);
        for value in 0..100 {
            let value = [b'0' + value % 10; 20];
            if value[0] == b'0' {
                table.insert(b"name", &value, ());
            } else {
                table.insert_with_name_at(0, &value, ());
            }
            assert_eq!(table.get(0), Some((&b"name"[..], &value[..])));
            assert_eq!(table.get(1), None, "each evicts the one before");
        }
    }

    #[test]
    fn a_long_life_does_not_grow_the_buffer() {
        let mut table = DynamicTable::new(256);
        for round in 0..10_000_u32 {
            table.insert(b"name", &round.to_be_bytes(), ());
        }
        assert!(table.octets.capacity() < 1024, "{}", table.octets.capacity());
    }

    #[test]
    fn debug_output_names_no_field() {
        let mut table = DynamicTable::new(256);
        table.insert(b"authorization", b"bearer secret", ());
        assert_eq!(format!("{table:?}"), "DynamicTable { entries: 1, size: 58, size_max: 256, .. }");
    }

    #[derive(Clone, Debug)]
    enum Step {
        Insert(Vec<u8>, Vec<u8>),
        InsertWithNameAt(usize, Vec<u8>),
        SetSizeMax(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        let octets = || proptest::collection::vec(any::<u8>(), 0..60);
        prop_oneof![
            4 => (octets(), octets()).prop_map(|(name, value)| Step::Insert(name, value)),
            4 => (0..6_usize, octets()).prop_map(|(position, value)| Step::InsertWithNameAt(position, value)),
            1 => (0..400_usize).prop_map(Step::SetSizeMax),
        ]
    }

    proptest! {
        /// The table against the RFC's words, taken literally: a list, and a sum over it.
        #[test]
        fn contents_and_size_are_those_of_a_list(steps in proptest::collection::vec(step(), 0..80)) {
            let size_of = |field: &(Vec<u8>, Vec<u8>)| field.0.len() + field.1.len() + 32;
            let mut size_max = 300;
            let mut table = DynamicTable::new(size_max);
            let mut list: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
            for step in steps {
                let added = match step {
                    Step::Insert(name, value) => {
                        table.insert(&name, &value, ());
                        Some((name, value))
                    }
                    Step::InsertWithNameAt(position, value) => {
                        table.insert_with_name_at(position, &value, ());
                        list.get(position).map(|(name, _)| (name.clone(), value))
                    }
                    Step::SetSizeMax(new) => {
                        table.set_size_max(new);
                        size_max = new;
                        None
                    }
                };
                let room = size_max.checked_sub(added.as_ref().map_or(0, size_of));
                while !list.is_empty() && room.is_none_or(|room| list.iter().map(size_of).sum::<usize>() > room) {
                    list.pop();
                }
                if let (Some(added), Some(_)) = (added, room) {
                    list.insert(0, added);
                }
                prop_assert_eq!(table.size, list.iter().map(size_of).sum::<usize>());
                for (position, (name, value)) in list.iter().enumerate() {
                    prop_assert_eq!(table.get(position), Some((&name[..], &value[..])));
                }
                prop_assert_eq!(table.get(list.len()), None);
            }
        }
    }
}
