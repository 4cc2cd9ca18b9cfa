//! How urgent a push is.

/// The `apns-priority` of a push. Source: Apple, "Sending notification requests to APNs".
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Priority {
    /// `1`: saving power comes before everything; never wakes the device.
    PowerFirst,
    /// `5`: when it suits the device's power.
    PowerConsiderate,
    /// `10`: at once. What an absent header means.
    #[default]
    Immediate,
}

impl Priority {
    /// The number in the header.
    pub const fn number(self) -> u8 {
        match self {
            Self::PowerFirst => 1,
            Self::PowerConsiderate => 5,
            Self::Immediate => 10,
        }
    }

    /// Reads a header value. Only the three documented spellings exist.
    pub fn parse(value: &[u8]) -> Option<Self> {
        match value {
            b"1" => Some(Self::PowerFirst),
            b"5" => Some(Self::PowerConsiderate),
            b"10" => Some(Self::Immediate),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_priorities_exist() {
        assert_eq!(Priority::parse(b"10"), Some(Priority::Immediate));
        assert_eq!(Priority::parse(b"5"), Some(Priority::PowerConsiderate));
        assert_eq!(Priority::parse(b"1"), Some(Priority::PowerFirst));
        for value in [&b""[..], b"0", b"7", b"010", b"10 ", b"-1", b"high"] {
            assert_eq!(Priority::parse(value), None);
        }
    }

    #[test]
    fn a_push_without_priority_is_immediate() {
        assert_eq!(Priority::default(), Priority::Immediate);
    }
}
