//! HPACK, the compression of header fields (RFC 7541).
//!
//! ```text
//! Field { name, value, index } ──> Encoder ──> header block ──> Decoder ──> visit(name, value)
//!                                  table                        table
//! ```
//!
//! Each direction of a connection has an encoder at one end and a decoder at the other, and each holds the same dynamic
//! table. The encoder is told for each field whether it may enter that table ([`Index`]). The decoder hands out slices
//! of the block or of its table, one field at a time, and builds no list. Neither allocates for a block once its buffers
//! have found their size.
//!
//! ```
//! use apns_http2::hpack::{Decoder, Encoder, Field};
//!
//! let (mut encoder, mut block) = (Encoder::new(), Vec::new());
//! encoder.begin_block(&mut block);
//! encoder.field(Field::incremental(b":method", b"POST"), &mut block);
//! encoder.field(Field::incremental(b"apns-push-type", b"alert"), &mut block);
//! encoder.field(Field::never(b"apns-id", b"eabeae54-14a8-11e5-b60b-1697f925ec7b"), &mut block);
//!
//! let mut names = Vec::new();
//! Decoder::new(4096).decode(&block, |name, _value| names.push(name.to_vec()))?;
//! assert_eq!(names, [&b":method"[..], b"apns-push-type", b"apns-id"]);
//! # Ok::<(), apns_http2::hpack::HpackError>(())
//! ```
//!
//! | module | RFC 7541 | |
//! |---|---|---|
//! | `decoder`, `encoder` | 3, 4.2, 6 | blocks to fields and back |
//! | `field` | 7.1.3 | a field and its index policy |
//! | `representation` | 6 | the five forms of an instruction |
//! | `integer`, `string` | 5.1, 5.2 | what instructions are made of |
//! | `huffman`, `huffman_table` | 5.2, appendix B | the code and its table |
//! | `static_table`, `dynamic_table` | 2.3, 4, appendix A | what indices refer to |
//! | `hash`, `memo` | | what makes it fast: the encoder's lookups, the decoder's repeated values |

mod decoder;
mod dynamic_table;
mod encoder;
mod error;
mod field;
mod hash;
mod huffman;
mod huffman_table;
mod integer;
mod memo;
mod representation;
mod static_table;
mod string;

#[cfg(test)]
mod appendix_c;
#[cfg(test)]
mod round_trip;

pub use decoder::Decoder;
pub use encoder::{ENCODER_TABLE_SIZE_MAX, Encoder};
pub use error::HpackError;
pub use field::{Field, Index};
pub use string::{Huffman, STRING_LEN_MAX};
