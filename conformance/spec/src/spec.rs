use crate::{
    CheckRow, HeaderRow, HostRow, Known, LimitRow, ProviderItemRow, PushTypeRow, ReasonRow, RuleRow,
    SettingRow, SpecError, table::read,
};

/// The tables: of each the field, its file without the ending, its kind of row, and what it has.
macro_rules! tables {
    ($($(#[$doc:meta])* $field:ident $file:literal $row:ident;)*) => {
        /// What is known of APNs, and of its providers: all tables, every row well-formed.
        #[derive(Clone, Debug, Eq, PartialEq)]
        pub struct Spec {
            $($field: Vec<$row>,)*
        }

        impl Spec {
            /// Reads the tables that this crate was built with.
            ///
            /// # Errors
            /// [`SpecError`] names the first row that is not well-formed: a column is missing, unknown or out of range, an id
            /// occurs twice or is not of the table's form, or there is no source.
            pub fn load() -> Result<Self, SpecError> {
                Ok(Self {
                    $($field: read(
                        concat!($file, ".toml"),
                        include_str!(concat!("../tables/", $file, ".toml")),
                    )?,)*
                })
            }

            $($(#[$doc])*
            pub fn $field(&self) -> &[$row] {
                &self.$field
            })*

            /// Every row of every table, in the order of the tables' names.
            pub fn rows(&self) -> impl Iterator<Item = Known<'_>> {
                let rows = std::iter::empty();
                $(let rows = rows.chain(self.$field.iter().map(Known::of));)*
                rows
            }
        }
    };
}

tables! {
    /// Every rule about the form of an answer.
    answers "answers" RuleRow;
    /// Every rule about provider certificates.
    certificates "certificates" RuleRow;
    /// Every reason that only broadcasts and channel management give.
    channel_reasons "channel-reasons" ReasonRow;
    /// Every check of a push, in their order.
    checks "checks" CheckRow;
    /// Every rule about TLS, HTTP/2 and HPACK.
    connections "connections" RuleRow;
    /// Every field that APNs looks at.
    headers "headers" HeaderRow;
    /// Every host name that says which environment is meant.
    hosts "hosts" HostRow;
    /// Every number that bounds a push, a provider token or a connection.
    limits "limits" LimitRow;
    /// Everything that a correct provider does, in the order of its numbers.
    provider_items "provider-items" ProviderItemRow;
    /// Every rule about provider tokens.
    provider_tokens "provider-tokens" RuleRow;
    /// Every push type of the device API.
    push_types "push-types" PushTypeRow;
    /// Every reason of the device API.
    reasons "reasons" ReasonRow;
    /// Every parameter of the SETTINGS that APNs sends.
    settings "settings" SettingRow;
    /// Every rule about what becomes of an accepted push.
    storage "storage" RuleRow;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn spec() -> Spec {
        Spec::load().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn an_id_names_one_row_of_all_tables() {
        let (spec, mut ids) = (spec(), BTreeSet::new());
        for row in spec.rows() {
            assert!(ids.insert(row.id), "{} is the id of two rows", row.id);
        }
        assert!(ids.contains("reason-bad-path") && ids.contains("rule-storage-one-slot"));
    }

    #[test]
    fn a_reason_stands_in_one_table() {
        let spec = spec();
        let twice = |row: &&ReasonRow| spec.reasons().iter().any(|other| other.reason == row.reason);
        assert_eq!(spec.channel_reasons().iter().find(twice), None);
    }

    /// A table that speaks of a reason means one that there is.
    #[test]
    fn every_reason_that_is_spoken_of_is_in_the_table_of_reasons() {
        let spec = spec();
        let headers = spec.headers().iter().flat_map(|row| row.absent_reason.iter().chain([&row.reason]));
        for reason in headers.chain(spec.checks().iter().map(|row| &row.reason)) {
            assert!(spec.reasons().iter().any(|row| row.reason == *reason), "{reason}");
        }
    }

    /// Two tables say some numbers, for the sake of those who look for them in either.
    #[test]
    fn the_streams_of_settings_are_those_of_the_limits() {
        let spec = spec();
        let limit = |id: &str| spec.limits().iter().find(|row| row.id == id).unwrap().value;
        let setting = |id: &str| spec.settings().iter().find(|row| row.id == id).unwrap().value;
        assert_eq!(limit("limit-streams"), u64::from(setting("setting-streams-after-token")));
        assert_eq!(limit("limit-streams-before-token"), u64::from(setting("setting-streams-before-token")));
    }
}
