//! What somebody may have meant who wrote something else.

/// The nearest of the known texts, unless it is so far that it would be no help. Case does not make a distance.
pub(super) fn closest(text: &str, known: impl IntoIterator<Item = String>) -> Option<String> {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let distant = known.into_iter().map(|known| (distance(&text, &known.to_lowercase()), known));
    let (distance, nearest) = distant.min_by_key(|(distance, _)| *distance)?;
    (distance <= text.len() / CHARACTERS_PER_EDIT).then_some(nearest)
}

/// How many characters must be put in, taken out or replaced to make one of the other (Levenshtein), a row of the table
/// at a time.
fn distance(from: &[char], to: &str) -> usize {
    let mut row: Vec<usize> = (0..=from.len()).collect();
    for (above, wanted) in to.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], above + 1);
        for (at, character) in from.iter().enumerate() {
            let replaced = diagonal + usize::from(*character != wanted);
            diagonal = row[at + 1];
            row[at + 1] = replaced.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[from.len()]
}

/// One mistake in a word of three characters is a misprint; more of them are another word.
const CHARACTERS_PER_EDIT: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<String> {
        closest(text, ["token", "topic", "type", "text", "Delivered to Device"].map(ToOwned::to_owned))
    }

    #[test]
    fn a_misprint_finds_its_word() {
        for (text, meant) in [
            ("tokn", "token"),
            ("tokens", "token"),
            ("TOPIC", "topic"),
            ("tipe", "type"),
            ("delivered to devise", "Delivered to Device"),
        ] {
            assert_eq!(of(text).as_deref(), Some(meant), "{text}");
        }
    }

    #[test]
    fn another_word_finds_none() {
        for text in ["", "t", "colour", "body"] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
