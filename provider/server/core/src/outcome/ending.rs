//! What can become of a recipient in the end: one table.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares [`Ending`]: the number it is stored by, its name, and what it means. The name is a `tt`: of what comes as a `literal`, utoipa
/// does not see that it is one.
macro_rules! endings {
    ($($variant:ident $number:literal $name:tt $meaning:literal;)*) => {
        /// What became of one recipient of a notification. Each has one in the end, and it never changes.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum Ending {
            $(#[doc = $meaning] #[serde(rename = $name)] $variant,)*
        }

        impl Ending {
            /// Every ending, in the order of the table.
            pub const ALL: [Self; [$($number),*].len()] = [$(Self::$variant),*];

            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The number it is stored by, which does not change.
            pub const fn number(self) -> u8 {
                match self { $(Self::$variant => $number,)* }
            }

            /// The ending with this number.
            pub const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }

            /// What it means, in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

endings! {
    Accepted 1 "accepted" "APNs took it.";
    Rejected 2 "rejected" "APNs refused it, and would again.";
    Expired 3 "expired" "Its time was over before APNs took it.";
    Replaced 4 "replaced" "A later notification with the same collapse ID came before it was sent.";
    Cancelled 5 "cancelled" "The notification was cancelled before it was sent.";
    Undeliverable 6 "undeliverable" "It was tried as often as it may be.";
    Ambiguous 7 "ambiguous" "It was sent and not answered, and is to be sent once at most: nobody knows whether APNs took it.";
    Skipped 8 "skipped" "It was not sent: the device is gone, or somebody else's.";
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ending_is_found_by_its_number() {
        for (at, ending) in Ending::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(ending.number()), at + 1, "counted without a gap: tallies are lists");
            assert_eq!(Ending::from_number(ending.number()), Some(ending));
        }
        assert_eq!(Ending::from_number(0), None);
    }
}
