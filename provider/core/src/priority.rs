use std::fmt;

/// How much a push is worth to the battery, `apns-priority` (Apple, "Sending notification requests to APNs").
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Priority {
    /// 1: the device's power comes first; the device is never woken for it.
    PowerFirst,
    /// 5: at a time that suits the device's power; may be grouped or delayed.
    PowerConsiderate,
    /// 10: at once. What APNs assumes when the header is absent.
    Immediate,
}

impl Priority {
    /// The header's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PowerFirst => "1",
            Self::PowerConsiderate => "5",
            Self::Immediate => "10",
        }
    }

    /// The priority with this number, if there is one.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::PowerFirst),
            5 => Some(Self::PowerConsiderate),
            10 => Some(Self::Immediate),
            _ => None,
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_three_numbers_and_no_others() {
        let numbers: Vec<u8> =
            (0..=u8::MAX).filter(|number| Priority::from_number(*number).is_some()).collect();
        assert_eq!(numbers, [1, 5, 10]);
        for number in numbers {
            assert_eq!(Priority::from_number(number).unwrap().as_str(), number.to_string());
        }
    }
}
