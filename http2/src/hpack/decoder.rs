//! Header blocks to fields (RFC 7541 3, 6).

use std::fmt;

use super::dynamic_table::{DynamicTable, FIRST_INDEX};
use super::memo::Memo;
use super::representation::Representation;
use super::string::{self, StringLiteral};
use super::{HpackError, integer, static_table};

/// Decodes the header blocks of one direction of one connection, in the order they arrive.
///
/// After an error the connection is lost, and so is the decoder: what it makes of later blocks is unspecified, though
/// never a panic.
pub struct Decoder {
    table: DynamicTable<()>,
    /// The largest size the peer's encoder may choose, in octets.
    table_size_max: usize,
    /// The size that the next block must begin by going down to, after the allowance fell below the table's.
    update_due: Option<usize>,
    /// Where a Huffman-coded name is decoded.
    names: Vec<u8>,
    /// Where a Huffman-coded value is decoded, unless the memo has it.
    values: Vec<u8>,
    memo: Memo,
}

impl Decoder {
    /// A decoder whose table has `table_size_max` octets, a size that both ends know from the start. Without other
    /// agreement it is 4096, the initial SETTINGS_HEADER_TABLE_SIZE (RFC 9113 6.5.2).
    pub fn new(table_size_max: usize) -> Self {
        Self {
            table: DynamicTable::new(table_size_max),
            table_size_max,
            update_due: None,
            names: Vec::new(),
            values: Vec::new(),
            memo: Memo::default(),
        }
    }

    /// Changes the size the peer's encoder may choose, in octets. Call it when the peer acknowledges the SETTINGS frame
    /// that said so.
    ///
    /// An encoder may use more from then on, and says so when it does. When it now may use less than it does, its next
    /// block must begin with an update to at most the lowest size set since the last block (RFC 7541 4.2).
    pub fn set_table_size_max(&mut self, table_size_max: usize) {
        self.table_size_max = table_size_max;
        if table_size_max < self.table.size_max() {
            self.update_due = Some(self.update_due.map_or(table_size_max, |due| due.min(table_size_max)));
        }
    }

    /// Another decoder that stands where this one does.
    pub(crate) fn copy(&self) -> Self {
        Self { table: self.table.untagged(), update_due: self.update_due, ..Self::new(self.table_size_max) }
    }

    /// A decoder that stands where an encoder does: with its `table`, for a peer that allows `table_size_max` octets and
    /// awaits an update to `update_due`.
    pub(super) fn beside(table: DynamicTable<()>, table_size_max: usize, update_due: Option<usize>) -> Self {
        Self { table, update_due, ..Self::new(table_size_max) }
    }

    /// Decodes one whole header block and calls `visit(name, value)` for each field in order. The slices are valid
    /// during the call only.
    ///
    /// A short block can stand for many long fields, each a reference to the same entry: the visitor counts what it is
    /// given, and holds it against the limit on the header list (RFC 9113 10.5.1).
    pub fn decode(
        &mut self,
        mut block: &[u8],
        mut visit: impl FnMut(&[u8], &[u8]),
    ) -> Result<(), HpackError> {
        let input = &mut block;
        self.update_table_size(input)?;
        while let Some(&first) = input.first() {
            let form = Representation::of(first);
            match form {
                Representation::INDEXED => {
                    let index = integer::decode(input, form.prefix_bits)?;
                    let (name, value) = entry(&self.table, index)?;
                    visit(name, value);
                }
                Representation::SIZE_UPDATE => return Err(HpackError::TableSizeUpdateMisplaced),
                _ => self.literal(input, form, &mut visit)?,
            }
        }
        for scratch in [&mut self.names, &mut self.values] {
            // Empty first: a buffer never shrinks below what is in it.
            scratch.clear();
            scratch.shrink_to(SCRATCH_KEPT);
        }
        Ok(())
    }

    /// Follows the updates at the beginning of a block, and makes sure that one is there when it is due.
    fn update_table_size(&mut self, input: &mut &[u8]) -> Result<(), HpackError> {
        while let Some(&first) = input.first()
            && Representation::of(first) == Representation::SIZE_UPDATE
        {
            let size = integer::decode(input, Representation::SIZE_UPDATE.prefix_bits)?;
            let size_max = self.update_due.take().unwrap_or(self.table_size_max);
            if size as usize > size_max {
                return Err(HpackError::TableSizeUpdateTooLarge { size, size_max });
            }
            self.table.set_size_max(size as usize);
        }
        match self.update_due {
            Some(size_max) => Err(HpackError::TableSizeUpdateMissing { size_max }),
            None => Ok(()),
        }
    }

    /// Takes a literal from `input`, visits it, and adds it to the table if its form says so.
    fn literal(
        &mut self,
        input: &mut &[u8],
        form: Representation,
        visit: &mut impl FnMut(&[u8], &[u8]),
    ) -> Result<(), HpackError> {
        let indexed = form == Representation::INCREMENTAL;
        let name_index = integer::decode(input, form.prefix_bits)?;

        if let Some(position) = (name_index as usize).checked_sub(FIRST_INDEX) {
            let (name, _) = entry(&self.table, name_index)?;
            let value = read_value(input, &mut self.values, &mut self.memo)?;
            visit(name, value);
            if indexed {
                self.table.insert_with_name_at(position, value, ());
            }
            return Ok(());
        }

        let name = match static_table::get(name_index as usize) {
            Some((name, _)) => name,
            None => read_name(input, &mut self.names)?,
        };
        let value = read_value(input, &mut self.values, &mut self.memo)?;
        visit(name, value);
        if indexed {
            self.table.insert(name, value, ());
        }
        Ok(())
    }
}

/// Shows no field, nor the strings decoded last: debug output ends up in logs, and a provider's token may be among them.
impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("table", &self.table)
            .field("table_size_max", &self.table_size_max)
            .field("update_due", &self.update_due)
            .finish_non_exhaustive()
    }
}

/// The field that `index` refers to, in the address space of both tables (RFC 7541 2.3.3).
#[inline]
fn entry(table: &DynamicTable<()>, index: u32) -> Result<(&[u8], &[u8]), HpackError> {
    let place = index as usize;
    match place.checked_sub(FIRST_INDEX) {
        Some(position) => table.get(position),
        None => static_table::get(place),
    }
    .ok_or(HpackError::InvalidIndex { index })
}

/// Takes a name: a slice of the block, or of `scratch` when it is Huffman-coded.
#[inline]
fn read_name<'s, 'b: 's>(input: &mut &'b [u8], scratch: &'s mut Vec<u8>) -> Result<&'s [u8], HpackError> {
    match string::decode(input)? {
        StringLiteral::Plain(name) => Ok(name),
        StringLiteral::HuffmanCoded(coded) => {
            string::expand(coded, scratch)?;
            Ok(scratch)
        }
    }
}

/// As [`read_name`], for a value, which may be one of those remembered.
#[inline]
fn read_value<'s, 'b: 's>(
    input: &mut &'b [u8],
    scratch: &'s mut Vec<u8>,
    memo: &'s mut Memo,
) -> Result<&'s [u8], HpackError> {
    match string::decode(input)? {
        StringLiteral::Plain(value) => Ok(value),
        StringLiteral::HuffmanCoded(coded) if Memo::remembers(coded.len()) => memo.decode(coded),
        StringLiteral::HuffmanCoded(coded) => {
            string::expand(coded, scratch)?;
            Ok(scratch)
        }
    }
}

/// How much Huffman scratch space outlives a block, in octets. A longer string is rare, and connections are many.
const SCRATCH_KEPT: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    impl Decoder {
        pub(in super::super) fn table(&self) -> (Vec<(String, String)>, usize) {
            self.table.contents()
        }
    }

    fn decode(decoder: &mut Decoder, block: &[u8]) -> Result<Vec<(String, String)>, HpackError> {
        let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
        let mut fields = Vec::new();
        decoder.decode(block, |name, value| fields.push((text(name), text(value))))?;
        Ok(fields)
    }

    fn error_of(block: &[u8]) -> HpackError {
        decode(&mut Decoder::new(4096), block).unwrap_err()
    }

    #[test]
    fn an_index_to_nothing_is_refused() {
        assert_eq!(error_of(&[0x80]), HpackError::InvalidIndex { index: 0 });
        assert_eq!(error_of(&[0xbe]), HpackError::InvalidIndex { index: 62 });
        // The same in the name of each kind of literal.
        for block in [&b"\x7e\x011"[..], b"\x0f\x2f\x011", b"\x1f\x2f\x011"] {
            assert_eq!(error_of(block), HpackError::InvalidIndex { index: 62 });
        }
        assert_eq!(error_of(&[0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]), HpackError::IntegerOverflow);
    }

    #[test]
    fn every_cut_inside_a_field_is_truncated() {
        let block = b"\x40\x0aapns-topic\x0fcom.example.app";
        for len in 1..block.len() {
            assert_eq!(error_of(&block[..len]), HpackError::Truncated, "{len} octets");
        }
        assert_eq!(decode(&mut Decoder::new(4096), &[]), Ok(vec![]));
    }

    #[test]
    fn broken_strings_are_refused_in_names_and_in_values() {
        assert_eq!(error_of(b"\x00\x81\xff\x00"), HpackError::HuffmanPadding);
        assert_eq!(error_of(b"\x04\x84\xff\xff\xff\xff"), HpackError::HuffmanEos);
        let len = string::STRING_LEN_MAX + 1;
        assert_eq!(error_of(b"\x04\x7f\x82\xff\x03"), HpackError::StringTooLong { len });
    }

    #[test]
    fn a_name_comes_from_an_entry_that_its_field_evicts() {
        let mut decoder = Decoder::new(64);
        decode(&mut decoder, b"\x40\x04name\x011").unwrap();
        let value = "x".repeat(28);
        let block = [b"\x7e\x1c", value.as_bytes()].concat();
        let expected = vec![("name".to_owned(), value)];
        assert_eq!(decode(&mut decoder, &block), Ok(expected.clone()));
        assert_eq!(decoder.table(), (expected, 64));
    }

    #[test]
    fn a_field_larger_than_the_table_is_visited_and_empties_it() {
        let mut decoder = Decoder::new(64);
        decode(&mut decoder, b"\x40\x04name\x011").unwrap();
        let value = "x".repeat(29);
        let block = [b"\x7e\x1d", value.as_bytes()].concat();
        assert_eq!(decode(&mut decoder, &block), Ok(vec![("name".to_owned(), value)]));
        assert_eq!(decoder.table(), (vec![], 0));
    }

    #[test]
    fn name_and_value_may_both_be_huffman_coded() {
        let block = b"\x40\x88\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f\x89\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf";
        let expected = vec![("custom-key".to_owned(), "custom-value".to_owned())];
        assert_eq!(decode(&mut Decoder::new(4096), block), Ok(expected));
    }

    #[test]
    fn debug_output_shows_no_value() {
        let mut decoder = Decoder::new(4096);
        decode(&mut decoder, b"\x57\x82\x64\x02").unwrap();
        assert_eq!(decoder.table().0, [("authorization".to_owned(), "302".to_owned())]);
        let shown = format!("{decoder:?}");
        assert!(!shown.contains("authorization") && !shown.contains("51, 48, 50"), "{shown}");
    }

    #[test]
    fn plain_strings_are_slices_of_the_block() {
        let block = b"\x00\x04name\x05value";
        let mut visited = 0;
        Decoder::new(4096)
            .decode(block, |name, value| {
                visited += 1;
                assert_eq!(name.as_ptr(), block[2..].as_ptr());
                assert_eq!(value.as_ptr(), block[7..].as_ptr());
            })
            .unwrap();
        assert_eq!(visited, 1);
    }

    #[test]
    fn a_size_update_stands_at_the_beginning_and_within_the_limit() {
        let mut decoder = Decoder::new(4096);
        assert_eq!(decode(&mut decoder, &[0x20, 0x3f, 0xe1, 0x1f, 0x82]).unwrap().len(), 1);
        assert_eq!(error_of(&[0x82, 0x20]), HpackError::TableSizeUpdateMisplaced);
        assert_eq!(
            error_of(&[0x3f, 0xe2, 0x1f]),
            HpackError::TableSizeUpdateTooLarge { size: 4097, size_max: 4096 }
        );
    }

    #[test]
    fn a_lower_limit_must_be_followed_by_an_update() {
        let missing = HpackError::TableSizeUpdateMissing { size_max: 100 };
        for block in [&[0x82][..], &[]] {
            let mut decoder = Decoder::new(4096);
            decoder.set_table_size_max(100);
            assert_eq!(decode(&mut decoder, block), Err(missing));
        }
        let mut decoder = Decoder::new(4096);
        decoder.set_table_size_max(100);
        decode(&mut decoder, &[0x3f, 0x45, 0x82]).unwrap();
        decode(&mut decoder, &[0x82]).unwrap();
    }

    #[test]
    fn the_lowest_limit_counts_even_if_a_higher_one_followed() {
        let limits = |decoder: &mut Decoder| {
            decoder.set_table_size_max(0);
            decoder.set_table_size_max(4096);
        };
        let mut decoder = Decoder::new(4096);
        limits(&mut decoder);
        assert_eq!(decode(&mut decoder, &[0x82]), Err(HpackError::TableSizeUpdateMissing { size_max: 0 }));

        // The same when both are below the table's size.
        let mut decoder = Decoder::new(4096);
        decoder.set_table_size_max(100);
        decoder.set_table_size_max(200);
        assert_eq!(decode(&mut decoder, &[0x82]), Err(HpackError::TableSizeUpdateMissing { size_max: 100 }));

        let mut decoder = Decoder::new(4096);
        limits(&mut decoder);
        let too_large = HpackError::TableSizeUpdateTooLarge { size: 4096, size_max: 0 };
        assert_eq!(decode(&mut decoder, &[0x3f, 0xe1, 0x1f]), Err(too_large));

        let mut decoder = Decoder::new(4096);
        limits(&mut decoder);
        decode(&mut decoder, &[0x20, 0x3f, 0xe1, 0x1f, 0x82]).unwrap();
    }

    #[test]
    fn a_higher_limit_is_used_when_the_encoder_says_so() {
        let mut decoder = Decoder::new(64);
        decoder.set_table_size_max(4096);
        decode(&mut decoder, b"\x40\x01a\x011\x40\x01b\x011").unwrap();
        assert_eq!(decoder.table().1, 34, "still 64 octets: one entry");
        decode(&mut decoder, b"\x3f\xe1\x1f\x40\x01a\x011").unwrap();
        assert_eq!(decoder.table().1, 68);
    }

    #[test]
    fn a_long_string_does_not_hold_on_to_its_memory() {
        let mut block = vec![0x00];
        for _ in 0..2 {
            string::encode(&vec![b'0'; 30_000], string::Huffman::Shorter, &mut block);
        }
        let mut decoder = Decoder::new(4096);
        assert_eq!(decode(&mut decoder, &block).unwrap()[0].1.len(), 30_000);
        assert!(decoder.names.capacity() + decoder.values.capacity() <= 2 * SCRATCH_KEPT);
    }
}
