//! The beginning of a text from outside, for an error message: enough to know it again, and not enough to fill a log.

/// The first [`EXCERPT_CHARACTERS_MAX`] characters of a text, and a sign if there are more.
pub(crate) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(EXCERPT_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// What fits into a line or two of a terminal.
pub(crate) const EXCERPT_CHARACTERS_MAX: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(excerpt("short"), "short");
        let cut = excerpt(&"é".repeat(200));
        assert_eq!(cut.chars().count(), EXCERPT_CHARACTERS_MAX + 1);
        assert!(cut.ends_with('…'));
    }
}
