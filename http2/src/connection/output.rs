use super::framing::{Framing, padding_bytes};
use crate::{
    frame::{self, HEAD_LEN, flag, kind},
    hpack::{self, Field},
    limits::{BUFFER_BYTES_KEPT, OUTPUT_BYTES_MAX, OUTPUT_BYTES_TO_OPEN_MAX, OUTPUT_HIGH_WATER},
    stream_id::StreamId,
};

/// Frames that are ready to be written, as one run of bytes, and the compression that they share.
#[derive(Debug, Default)]
pub(super) struct Output {
    bytes: Vec<u8>,
    written: usize,
    /// WINDOW_UPDATE frames that the peer may send for DATA that it was sent.
    window_updates_due: u64,
    pub(super) encoder: hpack::Encoder,
}

impl Output {
    pub(super) fn pending(&self) -> &[u8] {
        &self.bytes[self.written..]
    }

    /// Where to append frames.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    pub(super) fn advance(&mut self, count: usize) {
        self.written = (self.written + count).min(self.bytes.len());
        if self.written == self.bytes.len() {
            self.bytes.clear();
            self.bytes.shrink_to(BUFFER_BYTES_KEPT);
            self.written = 0;
        } else if self.written > self.bytes.len() / 2 {
            // A peer that always leaves something unread must not make the buffer grow for ever.
            self.bytes.drain(..self.written);
            self.written = 0;
        }
    }

    /// Whether DATA should wait for the peer to read.
    pub(super) fn is_high(&self) -> bool {
        self.pending().len() >= OUTPUT_HIGH_WATER
    }

    /// Whether a client should write before it opens more.
    pub(super) fn is_too_high_to_open(&self) -> bool {
        self.pending().len() >= OUTPUT_BYTES_TO_OPEN_MAX
    }

    /// Whether the peer goes on asking without reading.
    pub(super) fn is_overfull(&self) -> bool {
        self.pending().len() >= OUTPUT_BYTES_MAX
    }

    /// Whether a WINDOW_UPDATE that has come is for DATA that was sent; each frame of it may have two.
    pub(super) fn is_window_update_due(&mut self) -> bool {
        let due = self.window_updates_due.checked_sub(1);
        self.window_updates_due = due.unwrap_or(0);
        due.is_some()
    }

    /// Gives memory back that nothing is in.
    pub(super) fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
    }

    /// Compresses and frames a section, in as many frames of `frame_max` bytes as it takes, or of fewer if `framing` says so.
    pub(super) fn put_headers(
        &mut self,
        id: StreamId,
        fields: &[Field<'_>],
        end_stream: bool,
        frame_max: usize,
        framing: Framing,
    ) {
        let out = &mut self.bytes;
        let start = out.len();
        out.extend_from_slice(&[0; HEAD_LEN]);
        self.encoder.begin_block(out);
        for field in fields {
            self.encoder.field(*field, out);
        }
        let len = out.len() - start - HEAD_LEN;
        let end = if end_stream { flag::END_STREAM } else { 0 };
        if len <= frame_max && framing.is_usual() {
            let head = frame::head(len, kind::HEADERS, end | flag::END_HEADERS, id);
            out[start..start + HEAD_LEN].copy_from_slice(&head);
        } else {
            let block = out.split_off(start + HEAD_LEN);
            out.truncate(start);
            put_block(out, id, end, &block, frame_max, framing);
        }
    }

    pub(super) fn put_data(&mut self, id: StreamId, data: &[u8], padding: Option<u8>, end_stream: bool) {
        self.window_updates_due += 2;
        let flags = if end_stream { flag::END_STREAM } else { 0 };
        match padding {
            None => frame::put(&mut self.bytes, kind::DATA, flags, id, data),
            Some(padding) => {
                self.window_updates_due += 2; // who reads gives padding back at once, and the data later
                frame::put_padded(&mut self.bytes, kind::DATA, flags, id, data, padding);
            }
        }
    }
}

/// HEADERS and as many CONTINUATION frames as it takes. Padding is for HEADERS alone (RFC 9113 section 6.10).
fn put_block(out: &mut Vec<u8>, id: StreamId, end: u8, block: &[u8], frame_max: usize, framing: Framing) {
    let part_max = framing.block_bytes.map_or(frame_max, |most| frame_max.min(most.get().into()));
    // Frames of 16,384 bytes are always taken, and padding is far below.
    let first = block.len().min(part_max).min(frame_max - padding_bytes(framing.padding));
    let (first, rest) = block.split_at(first);
    let flags = if rest.is_empty() { end | flag::END_HEADERS } else { end };
    match framing.padding {
        None => frame::put(out, kind::HEADERS, flags, id, first),
        Some(padding) => frame::put_padded(out, kind::HEADERS, flags, id, first, padding),
    }
    let mut parts = rest.chunks(part_max).peekable();
    while let Some(part) = parts.next() {
        let flags = if parts.peek().is_none() { flag::END_HEADERS } else { 0 };
        frame::put(out, kind::CONTINUATION, flags, id, part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_never_reads_all_does_not_make_the_buffer_grow() {
        let mut out = Output::default();
        out.buffer().extend_from_slice(&[0; 100]);
        for round in 0..100_000_u32 {
            out.buffer().extend_from_slice(&round.to_be_bytes());
            out.advance(4);
        }
        assert_eq!(out.pending().len(), 100);
        assert_eq!(out.pending()[96..], 99_999_u32.to_be_bytes());
        assert!(out.buffer().capacity() < 1000, "{}", out.buffer().capacity());
    }

    #[test]
    fn the_memory_of_a_large_batch_is_given_back() {
        let mut out = Output::default();
        out.buffer().resize(OUTPUT_BYTES_MAX, 0);
        out.advance(OUTPUT_BYTES_MAX);
        assert!(out.buffer().capacity() <= BUFFER_BYTES_KEPT);
    }
}
