//! How each language writes a comment and a string.

/// The language of a program.
#[derive(Clone, Copy, Debug)]
pub(super) enum Language {
    Go,
    Java,
    JavaScript,
    Python,
    Rust,
    /// POSIX sh.
    Shell,
    Swift,
    Yaml,
}

impl Language {
    /// What begins a comment that ends with its line.
    pub(super) const fn comment(self) -> &'static str {
        match self {
            Self::Go | Self::Java | Self::JavaScript | Self::Rust | Self::Swift => "//",
            Self::Python | Self::Shell | Self::Yaml => "#",
        }
    }

    /// An expression whose value is `text`.
    pub(super) fn string(self, text: &str) -> String {
        match self {
            Self::Shell => shell_word(text),
            Self::Rust | Self::Swift => quoted(text, |code| format!("\\u{{{code:x}}}")),
            Self::Go | Self::Java | Self::JavaScript | Self::Python | Self::Yaml => {
                quoted(text, |code| format!("\\u{code:04x}"))
            }
        }
    }
}

/// A word of a POSIX shell whose value is `text`: between single quotes everything but a single quote is itself.
pub(crate) fn shell_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// `text` as it may stand in a comment: what could end the comment's line is shown as `?`.
pub(super) fn one_line(text: &str) -> String {
    text.replace(
        |character: char| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}'),
        "?",
    )
}

/// A string between double quotes, as all of these languages read it. `by_code` writes a control character.
fn quoted(text: &str, by_code: impl Fn(u32) -> String) -> String {
    let mut string = String::from('"');
    for character in text.chars() {
        match character {
            '"' => string.push_str("\\\""),
            '\\' => string.push_str(r"\\"),
            '\n' => string.push_str(r"\n"),
            '\r' => string.push_str(r"\r"),
            '\t' => string.push_str(r"\t"),
            control if control.is_control() => string.push_str(&by_code(control.into())),
            other => string.push(other),
        }
    }
    string.push('"');
    string
}

#[cfg(test)]
mod tests {
    use super::*;

    const AWKWARD: &str = "a \"b\" it's \\c\n$HOME `id` \u{1}é";

    #[test]
    fn json_reads_the_strings_of_the_c_like_languages() {
        for language in [Language::Go, Language::Java, Language::JavaScript, Language::Python, Language::Yaml]
        {
            let value: String = serde_json::from_str(&language.string(AWKWARD)).unwrap();
            assert_eq!(value, AWKWARD);
        }
    }

    #[test]
    fn rust_and_swift_brace_their_codes() {
        let expected = "\"a \\\"b\\\" it's \\\\c\\n$HOME `id` \\u{1}é\"";
        assert_eq!(Language::Rust.string(AWKWARD), expected);
        assert_eq!(Language::Swift.string(AWKWARD), expected);
    }

    #[test]
    fn a_shell_reads_its_words() {
        let script = format!("printf %s {}", shell_word(AWKWARD));
        let output = std::process::Command::new("sh").arg("-c").arg(script).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), AWKWARD);
    }

    #[test]
    fn a_comment_stays_one_line() {
        assert_eq!(one_line("a\nb\r\u{2028}c"), "a?b??c");
    }
}
