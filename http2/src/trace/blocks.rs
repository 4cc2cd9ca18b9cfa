//! Field blocks of one direction (RFC 9113 section 4.3).

use super::{
    FIELD_BYTES_SHOWN_MAX, TABLE_BYTES_MAX,
    payload::Cut,
    seen::{FieldBlock, Fields, Unreadable},
};
use crate::{
    frame::{Head, flag},
    hpack::Decoder,
    limits::HEADER_BLOCK_BYTES_MAX,
    stream_id::StreamId,
};

/// The table of one direction, and the block that is under way.
#[derive(Debug)]
pub(crate) struct Blocks {
    /// `None`: a block could not be read to its end.
    decoder: Option<Decoder>,
    /// Whose block goes on.
    open: Option<StreamId>,
    /// What came of it.
    bytes: Vec<u8>,
    /// It is longer than is kept.
    is_too_large: bool,
}

impl Blocks {
    /// Blocks from where `decoder` stands; `open` has the beginning of one that goes on.
    pub(crate) fn new(decoder: Decoder, open: Option<(StreamId, &[u8])>) -> Self {
        let (open, bytes) = open.unzip();
        let bytes = bytes.map(<[u8]>::to_vec).unwrap_or_default();
        Self { decoder: Some(decoder), open, bytes, is_too_large: false }
    }

    /// SETTINGS_HEADER_TABLE_SIZE of the side that reads.
    pub(super) fn set_table_size_max(&mut self, size: u32) {
        if let Some(decoder) = &mut self.decoder {
            decoder.set_table_size_max((size as usize).min(TABLE_BYTES_MAX));
        }
    }

    /// Whether a block goes on, so that nothing but its CONTINUATION may come.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// HEADERS or PUSH_PROMISE.
    pub(super) fn begin(&mut self, head: Head, fragment: Cut<'_>) -> FieldBlock {
        if self.open.is_some() {
            self.decoder = None; // the rest of that block would have changed the table
        }
        self.open = Some(head.stream);
        self.bytes.clear();
        self.is_too_large = false;
        self.add(head, fragment)
    }

    /// CONTINUATION.
    pub(super) fn go_on(&mut self, head: Head, fragment: Cut<'_>) -> FieldBlock {
        if self.open != Some(head.stream) {
            return unreadable(Unreadable::NotBegun);
        }
        self.add(head, fragment)
    }

    /// HEADERS or PUSH_PROMISE whose fragment cannot be found.
    pub(super) fn lose(&mut self, head: Head) {
        self.decoder = None;
        self.open = (!head.has(flag::END_HEADERS)).then_some(head.stream);
    }

    fn add(&mut self, head: Head, fragment: Cut<'_>) -> FieldBlock {
        if self.decoder.is_some() {
            self.is_too_large |=
                fragment.is_cut() || self.bytes.len() + fragment.len > HEADER_BLOCK_BYTES_MAX;
            if !self.is_too_large {
                self.bytes.extend_from_slice(fragment.first);
            }
        }
        if !head.has(flag::END_HEADERS) {
            return FieldBlock::Unfinished;
        }
        self.open = None;
        let bytes = std::mem::take(&mut self.bytes);
        let Some(decoder) = &mut self.decoder else { return unreadable(Unreadable::TableLost) };
        let mut fields = Fields::default();
        if self.is_too_large {
            fields.unreadable = Some(Unreadable::TooLarge);
        } else {
            decode(decoder, &bytes, &mut fields);
        }
        if fields.unreadable.is_some() {
            self.decoder = None;
        }
        FieldBlock::Fields(fields)
    }
}

fn decode(decoder: &mut Decoder, block: &[u8], fields: &mut Fields) {
    let mut room = FIELD_BYTES_SHOWN_MAX;
    let end = decoder.decode(block, |name, value| {
        // Once one is left out, all behind it are: what is shown is what came first.
        let size = name.len() + value.len() + FIELD_OVERHEAD;
        match room.checked_sub(size).filter(|_| fields.omitted == 0) {
            Some(left) => {
                room = left;
                fields.list.push((name.to_vec(), value.to_vec()));
            }
            None => fields.omitted += 1,
        }
    });
    fields.unreadable = end.err().map(Unreadable::Hpack);
}

fn unreadable(why: Unreadable) -> FieldBlock {
    FieldBlock::Fields(Fields { unreadable: Some(why), ..Fields::default() })
}

/// What a field counts beside its bytes, as SETTINGS_MAX_HEADER_LIST_SIZE counts (RFC 9113 section 6.5.2).
const FIELD_OVERHEAD: usize = 32;
