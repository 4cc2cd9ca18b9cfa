//! Enums whose every variant says what it means: the shape that [`Warning`](super::Warning) and
//! [`Dropped`](super::Dropped) have in common, and the pages that both quote.

/// Declares an enum from a table of variants, each with its identifier, one sentence and its source.
macro_rules! explained {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $id:literal $meaning:literal $source:expr;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum $name {
            $(#[doc = $meaning] $variant,)*
        }

        impl $name {
            /// Every variant, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its stable name, which is also what it serialises to.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// What is the matter and what to do, in a sentence or two.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }

            /// Where it is documented or was observed.
            pub const fn source(self) -> &'static str {
                match self { $(Self::$variant => $source,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.meaning())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.id())
            }
        }
    };
}

pub(super) use explained;

pub(super) const REQUESTS: &str = "Apple, \"Sending notification requests to APNs\"";
pub(super) const PAYLOADS: &str = "Apple, \"Generating a remote notification\"";
pub(super) const BACKGROUND: &str = "Apple, \"Pushing background updates to your App\"";
pub(super) const PERMISSION: &str = "Apple, \"Asking permission to use notifications\"";
pub(super) const ACTIVITIES: &str =
    "Apple, \"Starting and updating Live Activities with ActivityKit push notifications\"";
pub(super) const MODIFYING: &str = "Apple, \"Modifying content in newly delivered notifications\"";
pub(super) const LEVELS: &str = "Apple, UNNotificationInterruptionLevel";
pub(super) const LOCALIZED: &str = "Apple, NSString.localizedUserNotificationString(forKey:arguments:)";
pub(super) const WIDGETS: &str =
    "Apple, WidgetKit pages on updating widgets and controls with push notifications";
pub(super) const MDM: &str = "Apple, \"Mobile Device Management Protocol Reference\"";
pub(super) const FILE_PROVIDER: &str = "Apple, NSFileProviderManager.h";

#[cfg(test)]
mod tests {
    use crate::rendering::{Dropped, Warning};

    #[test]
    fn every_row_has_a_kebab_case_name_a_sentence_and_a_source() {
        let warnings = Warning::ALL.iter().map(|it| (format!("{it:?}"), it.id(), it.meaning(), it.source()));
        let dropped = Dropped::ALL.iter().map(|it| (format!("{it:?}"), it.id(), it.meaning(), it.source()));
        for (variant, id, meaning, source) in warnings.chain(dropped) {
            assert_eq!(id, kebab_case(&variant));
            assert!(meaning.ends_with('.') && !source.is_empty(), "{variant}");
        }
    }

    #[test]
    fn a_row_serialises_to_its_name() {
        assert_eq!(serde_json::to_string(&Warning::NoPushType).unwrap(), "\"no-push-type\"");
        assert_eq!(serde_json::to_string(&Dropped::NoAps).unwrap(), "\"no-aps\"");
    }

    fn kebab_case(variant: &str) -> String {
        let mut kebab = String::new();
        for letter in variant.chars() {
            if letter.is_uppercase() && !kebab.is_empty() {
                kebab.push('-');
            }
            kebab.extend(letter.to_lowercase());
        }
        kebab
    }
}
