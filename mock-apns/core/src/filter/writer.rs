//! From terms to text: the shortest that reads as the same, so that what was within the limits stays within them.

use std::fmt;

use super::{Filter, FilterKey, Term, reader::is_bare};

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, term) in self.terms.iter().enumerate() {
            let space = if at == 0 { "" } else { " " };
            write!(f, "{space}{term}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negated {
            f.write_str("-")?;
        }
        let is_text = self.key == FilterKey::Text;
        if !is_text {
            write!(f, "{}:", self.key)?;
        }
        for (at, wanted) in self.values.iter().enumerate() {
            let text = wanted.text();
            let looks_otherwise = is_text && at == 0 && (text.starts_with('-') || text.contains(':'));
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{}", if looks_otherwise { quoted(&text) } else { value(&text) })?;
        }
        Ok(())
    }
}

/// A value as it stands behind a key: in quotes if it needs them.
pub(super) fn value(text: &str) -> String {
    let needs_quotes = text.is_empty() || !text.chars().all(is_bare);
    if needs_quotes { quoted(text) } else { text.to_owned() }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
