use crate::limits::{OUTPUT_BYTES_MAX, OUTPUT_HIGH_WATER};

/// Frames that are ready to be written, as one run of bytes.
#[derive(Debug, Default)]
pub(super) struct Output {
    bytes: Vec<u8>,
    written: usize,
}

impl Output {
    pub(super) fn pending(&self) -> &[u8] {
        &self.bytes[self.written..]
    }

    /// Where to append frames.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn advance(&mut self, count: usize) {
        self.written = (self.written + count).min(self.bytes.len());
        if self.written == self.bytes.len() {
            self.bytes.clear();
            self.written = 0;
        }
    }

    /// Whether DATA should wait for the peer to read.
    pub(super) fn is_high(&self) -> bool {
        self.pending().len() >= OUTPUT_HIGH_WATER
    }

    /// Whether the peer goes on asking without reading.
    pub(super) fn is_overfull(&self) -> bool {
        self.pending().len() >= OUTPUT_BYTES_MAX
    }
}
