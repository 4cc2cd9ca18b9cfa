//! What can be wrong with a header block.

use thiserror::Error;

/// Why a header block cannot be decoded.
///
/// Each is a connection error of type `COMPRESSION_ERROR` (RFC 9113 4.3): the two ends no longer agree about the
/// table, so no later block can be read either. Send GOAWAY and drop the [`Decoder`](super::Decoder).
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum HpackError {
    /// An integer above 2³² − 1, or longer than the octets such an integer needs (RFC 7541 5.1).
    #[error("an integer in the header block exceeds 32 bits")]
    IntegerOverflow,

    /// The block ends inside a field.
    #[error("the header block ends inside a field")]
    Truncated,

    /// A reference to index 0, or past the end of both tables (RFC 7541 2.3.3, 6.1).
    #[error("index {index} refers to no entry of the static or the dynamic table")]
    InvalidIndex {
        /// The index as it was sent.
        index: u32,
    },

    /// A Huffman-coded string contains the end-of-string symbol (RFC 7541 5.2).
    #[error("a Huffman-coded string contains the EOS symbol")]
    HuffmanEos,

    /// A Huffman-coded string ends with more than 7 bits of padding, or with bits that are not all ones
    /// (RFC 7541 5.2).
    #[error("a Huffman-coded string does not end in fewer than 8 one bits")]
    HuffmanPadding,

    /// A dynamic table size update above what this end allows (RFC 7541 6.3), or, as the first one after the
    /// allowance went down, above the lowest it went to (RFC 7541 4.2).
    #[error("a dynamic table size update asks for {size} octets, the limit is {size_max}")]
    TableSizeUpdateTooLarge {
        /// The size asked for, in octets.
        size: u32,
        /// The largest that would have been accepted, in octets.
        size_max: usize,
    },

    /// A dynamic table size update after the first field of a block (RFC 7541 4.2).
    #[error("a dynamic table size update follows a field; it belongs at the beginning of a header block")]
    TableSizeUpdateMisplaced,

    /// The allowance went down below the table's size, and the next block does not begin with an update
    /// (RFC 7541 4.2).
    #[error("the header block must begin with a dynamic table size update to at most {size_max} octets")]
    TableSizeUpdateMissing {
        /// The size the update had to stay within, in octets.
        size_max: usize,
    },

    /// A name or a value above [`STRING_LEN_MAX`](super::STRING_LEN_MAX), as it is sent or as it decodes.
    #[error("a string of {len} octets exceeds the limit of {} octets", super::STRING_LEN_MAX)]
    StringTooLong {
        /// The length of the string, in octets.
        len: usize,
    },
}
