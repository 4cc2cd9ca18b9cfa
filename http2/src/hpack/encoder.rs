//! Fields to header blocks (RFC 7541 6).

use super::dynamic_table::{DynamicTable, ENTRY_OVERHEAD, FIRST_INDEX};
use super::hash::hash;
use super::representation::Representation;
use super::string::{self, Huffman};
use super::{Decoder, Field, Index, integer, static_table};

/// The largest dynamic table the encoder uses, in octets, whatever the peer allows.
///
/// It is the size every peer grants from the start (RFC 9113 6.5.2), and room for about fifty fields: those of APNs that
/// repeat are a dozen a topic. Lookups go through all entries, so more would cost time for each field.
pub const ENCODER_TABLE_SIZE_MAX: usize = 4096;

/// Encodes the header blocks of one direction of one connection.
///
/// A block is [`begin_block`](Self::begin_block), then [`field`](Self::field) for each field. Blocks must reach the peer
/// whole and in the order they were encoded, since both change the table.
#[derive(Debug)]
pub struct Encoder {
    table: DynamicTable<Hashes>,
    /// The sizes to announce at the next block.
    pending: Option<SizeChange>,
    huffman: Huffman,
}

impl Encoder {
    /// An encoder for a peer whose table has the initial 4096 octets.
    pub const fn new() -> Self {
        Self { table: DynamicTable::new(ENCODER_TABLE_SIZE_MAX), pending: None, huffman: Huffman::Never }
    }

    /// Follows the peer's SETTINGS_HEADER_TABLE_SIZE, in octets. The encoder uses that much, but at most
    /// [`ENCODER_TABLE_SIZE_MAX`], from the next block on.
    pub fn set_table_size_max(&mut self, peer_max: usize) {
        let last = peer_max.min(ENCODER_TABLE_SIZE_MAX);
        let smallest = self.pending.map_or(last, |pending| pending.smallest.min(last));
        self.pending = Some(SizeChange { smallest, last });
    }

    /// Chooses when strings are Huffman-coded, from the next field on. Initially [`Huffman::Never`].
    pub fn set_huffman(&mut self, huffman: Huffman) {
        self.huffman = huffman;
    }

    /// A decoder for all blocks from the next one on, at a peer that allows a table of `table_size_max` octets.
    pub(crate) fn decoder_from_here(&self, table_size_max: usize) -> Decoder {
        let smallest = self.pending.map(|pending| pending.smallest);
        let update_due = smallest.filter(|smallest| *smallest < self.table.size_max());
        Decoder::beside(self.table.untagged(), table_size_max, update_due)
    }

    /// Starts a header block: appends the table size updates that are due to `out`.
    ///
    /// When the size changed several times since the last block, these are the smallest and the last one (RFC 7541 4.2).
    pub fn begin_block(&mut self, out: &mut Vec<u8>) {
        let Some(SizeChange { smallest, last }) = self.pending.take() else { return };
        // Going down to the smallest evicts, so it is announced even when the last is where the table was before.
        if smallest < self.table.size_max() {
            self.resize(smallest, out);
        }
        if last != self.table.size_max() {
            self.resize(last, out);
        }
    }

    /// Appends one field to the block in `out`.
    // Taken apart before the call: the parts travel in registers, and a `Field` would go through memory.
    #[inline]
    pub fn field(&mut self, field: Field<'_>, out: &mut Vec<u8>) {
        match field.index {
            Index::Never => self.never(field.name, field.value, out),
            Index::Literal => self.indexable(field.name, field.value, false, out),
            Index::Incremental => self.indexable(field.name, field.value, true, out),
        }
    }

    fn never(&self, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
        let name_hash = hash(name);
        let name_index = match static_table::find(name, name_hash) {
            Some(named) => named.first_index(),
            None => self.find_name(name, name_hash),
        };
        self.literal(Representation::NEVER, name_index, name, value, out);
    }

    /// A field that is sent as an index if possible, and that enters the table if `insert` and if it fits.
    fn indexable(&mut self, name: &[u8], value: &[u8], insert: bool, out: &mut Vec<u8>) {
        let hashes = Hashes { name: hash(name), value: hash(value) };
        let named = static_table::find(name, hashes.name);
        if let Some(index) = named.and_then(|named| named.find_value(value)) {
            return emit(Representation::INDEXED, index, out);
        }
        if let Some(index) = self.find_field(name, value, hashes) {
            return emit(Representation::INDEXED, index, out);
        }
        // A static name is preferred: its index is shorter.
        let name_index = match named {
            Some(named) => named.first_index(),
            None => self.find_name(name, hashes.name),
        };
        let fits = name.len() + value.len() + ENTRY_OVERHEAD <= self.table.size_max();
        if insert && fits {
            self.literal(Representation::INCREMENTAL, name_index, name, value, out);
            self.table.insert(name, value, hashes);
        } else {
            self.literal(Representation::LITERAL, name_index, name, value, out);
        }
    }

    fn resize(&mut self, size: usize, out: &mut Vec<u8>) {
        self.table.set_size_max(size);
        emit(Representation::SIZE_UPDATE, size, out);
    }

    #[inline]
    fn literal(&self, form: Representation, name_index: usize, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
        emit(form, name_index, out);
        if name_index == NEW_NAME {
            string::encode(name, self.huffman, out);
        }
        string::encode(value, self.huffman, out);
    }

    /// The index of the dynamic entry that is this whole field.
    #[inline]
    fn find_field(&self, name: &[u8], value: &[u8], hashes: Hashes) -> Option<usize> {
        let same = |(position, tag): (usize, &Hashes)| {
            (*tag == hashes && self.table.get(position) == Some((name, value))).then_some(position)
        };
        self.table.tags().enumerate().find_map(same).map(|position| FIRST_INDEX + position)
    }

    /// The index of a dynamic entry with this name, or [`NEW_NAME`].
    #[inline]
    fn find_name(&self, name: &[u8], name_hash: u32) -> usize {
        let same = |(position, tag): (usize, &Hashes)| {
            let same = tag.name == name_hash && self.table.get(position).is_some_and(|entry| entry.0 == name);
            same.then_some(position)
        };
        self.table.tags().enumerate().find_map(same).map_or(NEW_NAME, |position| FIRST_INDEX + position)
    }
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

/// Appends the first octets of an instruction.
#[inline]
fn emit(form: Representation, value: usize, out: &mut Vec<u8>) {
    integer::encode(value, form.prefix_bits, form.pattern, out);
}

/// The index that stands for a name that follows as a string (RFC 7541 6.2).
const NEW_NAME: usize = 0;

/// What the encoder remembers of an entry, to pass over it without reading its octets.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Hashes {
    name: u32,
    value: u32,
}

/// What happened to the table's size since the last block, in octets.
#[derive(Clone, Copy, Debug)]
struct SizeChange {
    smallest: usize,
    last: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Encoder {
        pub(in super::super) fn table(&self) -> (Vec<(String, String)>, usize) {
            self.table.contents()
        }
    }

    fn block(encoder: &mut Encoder, fields: &[Field<'_>]) -> Vec<u8> {
        let mut out = Vec::new();
        encoder.begin_block(&mut out);
        for field in fields {
            encoder.field(*field, &mut out);
        }
        out
    }

    #[test]
    fn never_sends_the_value_even_of_an_entry() {
        let mut encoder = Encoder::new();
        assert_eq!(block(&mut encoder, &[Field::never(b":method", b"POST")]), b"\x12\x04POST");

        block(&mut encoder, &[Field::incremental(b"apns-id", b"1")]);
        assert_eq!(block(&mut encoder, &[Field::never(b"apns-id", b"1")]), b"\x1f\x2f\x011", "62 - 15 = 47");
        assert_eq!(block(&mut encoder, &[Field::never(b"a", b"1")]), b"\x10\x01a\x011");
    }

    #[test]
    fn literal_sends_an_index_when_there_is_one_and_adds_none() {
        let mut encoder = Encoder::new();
        assert_eq!(block(&mut encoder, &[Field::literal(b":method", b"POST")]), [0x83]);
        for _ in 0..2 {
            assert_eq!(block(&mut encoder, &[Field::literal(b"a", b"1")]), b"\x00\x01a\x011");
        }
        block(&mut encoder, &[Field::incremental(b"a", b"1")]);
        assert_eq!(block(&mut encoder, &[Field::literal(b"a", b"1")]), [0xbe]);
        assert_eq!(block(&mut encoder, &[Field::literal(b"a", b"2")]), b"\x0f\x2f\x012");
    }

    #[test]
    fn incremental_sends_the_value_once() {
        let mut encoder = Encoder::new();
        let topic = Field::incremental(b"apns-topic", b"com.example.app");
        assert_eq!(block(&mut encoder, &[topic]), b"\x40\x0aapns-topic\x0fcom.example.app");
        assert_eq!(block(&mut encoder, &[topic]), [0xbe]);
        let other = Field::incremental(b"apns-topic", b"com.example.other");
        assert_eq!(block(&mut encoder, &[other]), b"\x7e\x11com.example.other");
        assert_eq!(block(&mut encoder, &[topic, other]), [0xbf, 0xbe]);
    }

    #[test]
    fn a_field_larger_than_the_table_leaves_it_alone() {
        let mut encoder = Encoder::new();
        let topic = Field::incremental(b"apns-topic", b"com.example.app");
        block(&mut encoder, &[topic, Field::incremental(b"a", &[b'x'; ENCODER_TABLE_SIZE_MAX])]);
        assert_eq!(block(&mut encoder, &[topic]), [0xbe]);
    }

    #[test]
    fn a_change_of_size_is_announced_once() {
        let mut encoder = Encoder::new();
        encoder.set_table_size_max(256);
        assert_eq!(block(&mut encoder, &[]), [0x3f, 0xe1, 0x01]);
        assert_eq!(block(&mut encoder, &[]), []);
    }

    #[test]
    fn the_smallest_size_is_announced_before_the_last() {
        let mut encoder = Encoder::new();
        block(&mut encoder, &[Field::incremental(b"a", b"1")]);
        for size in [100, 0, 4096] {
            encoder.set_table_size_max(size);
        }
        assert_eq!(block(&mut encoder, &[]), [0x20, 0x3f, 0xe1, 0x1f]);
        assert_eq!(encoder.table(), (vec![], 0), "going down to 0 evicted all");
    }

    #[test]
    fn a_size_that_is_not_used_is_not_announced() {
        let mut encoder = Encoder::new();
        encoder.set_table_size_max(65_536);
        assert_eq!(block(&mut encoder, &[]), [], "4096 of them are enough");
        encoder.set_table_size_max(31);
        block(&mut encoder, &[]);
        for size in [64, 128] {
            encoder.set_table_size_max(size);
        }
        assert_eq!(block(&mut encoder, &[]), [0x3f, 0x61], "going up needs no stop on the way");
    }

    #[test]
    fn fields_are_found_in_a_full_table() {
        let mut encoder = Encoder::new();
        let values: Vec<String> = (0..200).map(|n| format!("{n:040}")).collect();
        for value in &values {
            block(&mut encoder, &[Field::incremental(b"name", value.as_bytes())]);
        }
        let (held, _) = encoder.table();
        assert_eq!(held.len(), ENCODER_TABLE_SIZE_MAX / (4 + 40 + 32));
        for (position, (name, value)) in held.iter().enumerate() {
            let field = Field::incremental(name.as_bytes(), value.as_bytes());
            assert_eq!(block(&mut encoder, &[field])[0] & 0x7f, (62 + position).min(127) as u8);
        }
    }
}
