//! What a filter asked for and an entry has not.

use std::fmt;

use super::FilterKey;

/// A term that does not hold for an entry. Written out: `type: asked alert, has background`.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// What the term is about.
    pub key: FilterKey,
    /// Whether it asks for anything but the values.
    pub negated: bool,
    /// The values asked for, joined by "or", quoted where a filter needs quotes.
    pub asked: String,
    /// What the entry has instead, shortened if it is long; `None`: such an entry has nothing of the kind.
    pub has: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, negated, asked, has } = self;
        let not = if *negated { "not " } else { "" };
        write!(f, "{key}: asked {not}{asked}, has {}", has.as_deref().unwrap_or("nothing of the kind"))
    }
}
