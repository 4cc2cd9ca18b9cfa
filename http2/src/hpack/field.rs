//! A field and how it may be compressed.

/// One field to encode: a name, a value, and whether they may stay in the peer's table.
///
/// Octets go out as they are. That names are in lower case and values free of line breaks is HTTP/2's rule (RFC 9113
/// 8.2.1), not HPACK's: a caller that plays a faulty peer may break it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// The field's name.
    pub name: &'a [u8],
    /// The field's value.
    pub value: &'a [u8],
    /// How the field may be indexed.
    pub index: Index,
}

impl<'a> Field<'a> {
    /// A field that will come again with the same value.
    pub const fn incremental(name: &'a [u8], value: &'a [u8]) -> Self {
        Self { name, value, index: Index::Incremental }
    }

    /// A field whose value will not come again.
    pub const fn literal(name: &'a [u8], value: &'a [u8]) -> Self {
        Self { name, value, index: Index::Literal }
    }

    /// A field whose value no hop may put in a table.
    pub const fn never(name: &'a [u8], value: &'a [u8]) -> Self {
        Self { name, value, index: Index::Never }
    }
}

/// Whether a field may be sent as an index, and whether it enters the peer's dynamic table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Index {
    /// Sends the index of the whole field when a table has it; else sends the value and adds the field to the dynamic
    /// table (RFC 7541 6.2.1). A field larger than the whole table is sent as [`Index::Literal`]: to add it would only
    /// empty the table.
    Incremental,

    /// Sends the index of the whole field when a table has it; else sends the value and leaves the table alone
    /// (RFC 7541 6.2.2).
    Literal,

    /// Always sends the value, and marks it for intermediaries to do the same (RFC 7541 6.2.3, 7.1.3). Only the name
    /// may be sent as an index.
    Never,
}
