use serde::Deserialize;

use crate::{
    Certainty, Flaw,
    table::{Row, columns},
};

/// A row of `provider-items.toml`: something that a correct provider does.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ProviderItemRow {
    /// `item-` and the item in lower case.
    pub id: String,
    /// `C-` and two digits.
    pub item: String,
    /// What it is called.
    pub title: String,
    /// Whether a provider is wrong without it.
    pub level: ItemLevel,
    /// What it is about.
    pub group: ItemGroup,
    /// What is seen on the wire, or reported, when a provider passes: sentences, in one line.
    pub passes: String,
    /// How well it is known that providers need it.
    pub certainty: Certainty,
    /// Who says so.
    pub source: String,
    /// What else is worth knowing.
    pub note: Option<String>,
}

/// How much depends on an item.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "kebab-case")]
pub enum ItemLevel {
    /// A provider without it is wrong.
    Must,
    /// A provider without it is worse.
    Should,
}

/// What an item is about, in the order of the items.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "kebab-case")]
pub enum ItemGroup {
    /// How connections are opened: DNS, TCP, proxy, TLS, preface.
    Connection,
    /// Streams, flow control, HPACK and frames.
    Streams,
    /// Provider tokens and certificates.
    Authentication,
    /// GOAWAY, resets, silence, and whatever else ends a stream or a connection.
    Endings,
    /// What is tried again, when, and what never is.
    Retry,
    /// What answers mean, and what becomes of device tokens.
    Answers,
    /// The fields and the payload of a request.
    Content,
}

impl ItemLevel {
    /// As the table says it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
        }
    }
}

impl ItemGroup {
    /// As the table says it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Streams => "streams",
            Self::Authentication => "authentication",
            Self::Endings => "endings",
            Self::Retry => "retry",
            Self::Answers => "answers",
            Self::Content => "content",
        }
    }
}

impl Row for ProviderItemRow {
    const KIND: &'static str = "item";
    const NAME_COLUMN: &'static str = "item";

    columns!(item);

    fn check(&self) -> Result<(), Flaw> {
        let value =
            |column, expected, value: &str| Err(Flaw::Value { column, expected, value: value.to_owned() });
        if !is_item(&self.item) {
            return value("item", "C- and two digits", &self.item);
        }
        if self.id.strip_prefix("item-") != Some(&self.item.to_ascii_lowercase()) {
            return value("item", "what follows item- in the id", &self.item);
        }
        if self.title.trim().is_empty() || self.title.ends_with('.') {
            return value("title", "a few words without a full stop", &self.title);
        }
        if !self.passes.ends_with('.') || self.passes.contains('\n') {
            return value("passes", "sentences, in one line", &self.passes);
        }
        Ok(())
    }
}

fn is_item(item: &str) -> bool {
    let digits = item.strip_prefix("C-").unwrap_or_default();
    digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn items() -> Vec<ProviderItemRow> {
        crate::Spec::load().unwrap().provider_items().to_vec()
    }

    /// The column that is complained of once a good row was changed.
    fn complaint(change: impl FnOnce(&mut ProviderItemRow)) -> &'static str {
        let mut row = items().swap_remove(0);
        change(&mut row);
        match row.check() {
            Err(Flaw::Value { column, .. }) => column,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_item_is_c_and_two_digits_and_that_of_its_id() {
        for bad in ["", "C-1", "C-001", "C-0a", "c-01", "D-01", "C-02"] {
            assert_eq!(complaint(|row| row.item = bad.into()), "item", "{bad}");
        }
    }

    #[test]
    fn a_title_is_words_and_what_passes_are_sentences_in_one_line() {
        for bad in ["", " ", "Reuse."] {
            assert_eq!(complaint(|row| row.title = bad.into()), "title", "{bad}");
        }
        for bad in ["", "it is seen", "It is\nseen."] {
            assert_eq!(complaint(|row| row.passes = bad.into()), "passes", "{bad}");
        }
    }

    #[test]
    fn items_stand_in_their_order_and_none_is_left_out() {
        let expected: Vec<String> = (1..=67).map(|number| format!("C-{number:02}")).collect();
        assert_eq!(items().into_iter().map(|row| row.item).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn groups_stand_behind_each_other() {
        let groups: Vec<ItemGroup> = items().iter().map(|row| row.group).collect();
        assert!(groups.is_sorted(), "{groups:?}");
        assert_eq!(groups.iter().collect::<BTreeSet<_>>().len(), 7);
    }

    #[test]
    fn no_two_items_have_one_title() {
        let items = items();
        let titles: BTreeSet<&str> = items.iter().map(|row| row.title.as_str()).collect();
        assert_eq!(titles.len(), items.len());
    }
}
