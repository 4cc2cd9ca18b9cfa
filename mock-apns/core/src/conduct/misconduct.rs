//! The table of what Apple takes for abuse.

use std::time::Duration;

/// Declares [`Misconduct`]: name, what it is, from when on it counts, and the source.
macro_rules! misconducts {
    ($($variant:ident $name:literal $meaning:literal, $threshold:expr, $source:literal;)*) => {
        /// Something for which Apple would have throttled a provider, or cut it off.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum Misconduct {
            $(#[doc = $meaning] $variant,)*
        }

        impl Misconduct {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name, in metrics and logs.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it is, in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }

            /// From when on a provider is said to do it.
            pub fn threshold(self) -> String {
                match self { $(Self::$variant => $threshold,)* }
            }

            /// Where it is documented.
            pub const fn source(self) -> &'static str {
                match self { $(Self::$variant => $source,)* }
            }
        }
    };
}

misconducts! {
    Repeated410 "repeated_410"
        "It goes on pushing to device tokens that it was told are dead.",
        format!("more than {REPEATED_410S_MAX} such pushes within an hour by the team's clock"),
        "Apple, \"Handling notification responses from APNs\": such pushes are not to be tried again";
    ConnectionChurn "connection_churn"
        "It opens and closes connections rapidly.",
        format!("more than {SHORT_CONNECTIONS_MAX} connections that lasted less than a minute each, closed within a minute"),
        "Apple, \"Sending notification requests to APNs\": keep connections open; rapid opening and closing is taken for a \
         denial-of-service attack";
    TokenChurn "token_churn"
        "It changes its provider token too often.",
        "two changes of one key's token within 20 minutes by the team's clock, on whichever connections".to_owned(),
        "Apple, \"Establishing a token-based connection to APNs\": no more than once every 20 minutes";
}

/// Pushes to device tokens known to be dead that are excused within the window. Apple publishes no number. Those that were
/// under way when the first 410 came are few; ten are more than that, and few enough for a test to see.
pub(super) const REPEATED_410S_MAX: u32 = 10;
/// An hour: a double that runs for weeks forgives a race now and then.
pub(super) const REPEATED_410_WINDOW: Duration = Duration::from_hours(1);
/// Connections shorter than this count as opened and closed rapidly. Apple publishes no number, and says that a
/// connection is to stay open for hours, or all day.
pub(crate) const SHORT_CONNECTION: Duration = Duration::from_mins(1);
/// Short connections within a minute that are excused: a fleet that starts again closes and opens a few at once; one
/// connection for each push comes to more at once.
pub(super) const SHORT_CONNECTIONS_MAX: u32 = 20;
/// Apple's number: between two changes of a provider token there are to be 20 minutes.
pub(super) const TOKEN_CHANGE_MIN: Duration = Duration::from_mins(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_one_says_what_it_is_from_when_on_and_by_whose_word() {
        for what in Misconduct::ALL {
            assert!(
                what.meaning().ends_with('.') && !what.source().is_empty() && !what.threshold().is_empty()
            );
        }
    }
}
