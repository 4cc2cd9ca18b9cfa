//! The five forms of an instruction in a header block (RFC 7541 6).

/// A form: the bits an instruction's first octet begins with, and how many bits are left in it for an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Representation {
    /// The leading bits, in place; the integer's bits are zero.
    pub(super) pattern: u8,
    /// The width of the integer's prefix, in bits (RFC 7541 5.1).
    pub(super) prefix_bits: u32,
}

impl Representation {
    /// A whole field of a table (6.1).
    pub(super) const INDEXED: Self = Self { pattern: 0b1000_0000, prefix_bits: 7 };
    /// A literal that enters the dynamic table (6.2.1).
    pub(super) const INCREMENTAL: Self = Self { pattern: 0b0100_0000, prefix_bits: 6 };
    /// A dynamic table size update (6.3).
    pub(super) const SIZE_UPDATE: Self = Self { pattern: 0b0010_0000, prefix_bits: 5 };
    /// A literal that must never enter a table (6.2.3).
    pub(super) const NEVER: Self = Self { pattern: 0b0001_0000, prefix_bits: 4 };
    /// A literal that does not enter the dynamic table (6.2.2).
    pub(super) const LITERAL: Self = Self { pattern: 0b0000_0000, prefix_bits: 4 };

    /// The form of the instruction that begins with `first`. The patterns tell themselves apart by their leading zeros.
    pub(super) const fn of(first: u8) -> Self {
        match first.leading_zeros() {
            0 => Self::INDEXED,
            1 => Self::INCREMENTAL,
            2 => Self::SIZE_UPDATE,
            3 => Self::NEVER,
            _ => Self::LITERAL,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_octet_begins_with_the_pattern_of_its_form() {
        for first in 0..=u8::MAX {
            let form = Representation::of(first);
            assert_eq!(first >> form.prefix_bits, form.pattern >> form.prefix_bits, "{first:08b}");
        }
    }
}
