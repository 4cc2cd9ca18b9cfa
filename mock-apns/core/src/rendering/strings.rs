//! The app's localised strings, and what becomes of a `loc-key` with its `loc-args`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Warning, aps::Reader};

/// An app's localised strings in the user's language, as in its `Localizable.strings`: formats by their keys, with
/// `%@` or `%1$@` where an argument goes and `%%` for a percent sign.
///
/// Arguments arrive as text, so that `%d`, `%s`, `%lld` and their like are the same as `%@` here.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Strings {
    formats: BTreeMap<String, String>,
}

impl Strings {
    /// Every key with its format, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.formats.iter().map(|(key, format)| (key.as_str(), format.as_str()))
    }

    /// The format of `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.formats.get(key).map(String::as_str)
    }

    /// The text that `key` stands for, with `args` in it.
    ///
    /// A missing key is a format itself: that is what the system's look-up returns, and why apps may use the text in
    /// their own language as the key.
    pub(super) fn localize(&self, key: &str, args: &[Value], reader: &mut Reader<'_>) -> String {
        let known = self.get(key);
        let (text, places) = fill(known.unwrap_or(key), args);
        if known.is_none() {
            reader.warn(Warning::MissingLocalization);
        } else if places != args.len() {
            reader.warn(Warning::LocArgsCount);
        }
        text
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Strings {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self { formats: pairs.into_iter().map(|(key, format)| (key.into(), format.into())).collect() }
    }
}

/// Puts `args` into the places of `format`. Also returns how many arguments the format asks for.
fn fill(format: &str, args: &[Value]) -> (String, usize) {
    let mut text = String::new();
    let (mut next, mut asked) = (0, 0);
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        text.push_str(&rest[..at]);
        let (place, length) = Place::read(&rest[at..]);
        let index = match place {
            Place::Percent => None,
            Place::Next => {
                next += 1;
                Some(next - 1)
            }
            Place::Numbered(index) => Some(index),
        };
        asked = asked.max(index.map_or(0, |index| index.saturating_add(1)));
        match index.map(|index| args.get(index)) {
            None => text.push('%'),
            // Seen as it is written, a place tells a tester which argument is missing.
            Some(None) => text.push_str(&rest[at..at + length]),
            Some(Some(arg)) => push_arg(&mut text, arg),
        }
        rest = &rest[at + length..];
        if text.len() > LOCALIZED_TEXT_BYTES_MAX {
            break;
        }
    }
    text.push_str(rest);
    text.truncate(text.floor_char_boundary(LOCALIZED_TEXT_BYTES_MAX));
    (text, asked)
}

/// What a percent sign in a format stands for.
enum Place {
    /// A percent sign: written twice, or followed by nothing that a format knows.
    Percent,
    /// The next argument.
    Next,
    /// The argument with this index.
    Numbered(usize),
}

impl Place {
    /// Reads the place at the start of `text`, which is a percent sign. Also returns its length in bytes.
    fn read(text: &str) -> (Self, usize) {
        let bytes = text.as_bytes();
        if bytes.get(1) == Some(&b'%') {
            return (Self::Percent, 2);
        }
        let digits = bytes[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let numbered = digits > 0 && bytes.get(1 + digits) == Some(&b'$');
        let start = if numbered { digits + 2 } else { 1 };
        let modifiers = bytes[start..].iter().take_while(|byte| MODIFIERS.contains(byte)).count();
        let end = start + modifiers;
        if !bytes.get(end).is_some_and(|byte| CONVERSIONS.contains(byte)) {
            return (Self::Percent, 1);
        }
        if !numbered {
            return (Self::Next, end + 1);
        }
        // A number that is too large, or zero, names an argument that nobody can give.
        let index = text[1..=digits].parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        (Self::Numbered(index.unwrap_or(usize::MAX)), end + 1)
    }
}

/// Writes an argument as the system describes the object that it was decoded to.
fn push_arg(text: &mut String, arg: &Value) {
    match arg {
        Value::String(arg) => text.push_str(arg),
        Value::Bool(arg) => text.push(if *arg { '1' } else { '0' }),
        Value::Null => text.push_str("<null>"),
        Value::Number(_) | Value::Array(_) | Value::Object(_) => text.push_str(&arg.to_string()),
    }
}

/// Longest localised text in bytes; what is beyond is cut off. A payload is a third of it, but a format may repeat an
/// argument as often as it likes.
pub const LOCALIZED_TEXT_BYTES_MAX: usize = 16 * 1024;

/// What may stand between a percent sign and its conversion: flags, width, precision, length.
const MODIFIERS: &[u8] = b"-+ #0123456789.hlqzjtL";

/// The conversions of a format, of which `@` is the usual one.
const CONVERSIONS: &[u8] = b"@dDiuUxXoOfFeEgGaAcCsSp";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arguments_go_where_the_format_says() {
        for (format, expected) in [
            ("%@ and %@", "Ann and Bob"),
            ("%2$@ and %1$@", "Bob and Ann"),
            ("%1$@, %1$@ and %2$@", "Ann, Ann and Bob"),
            ("%d, %lld", "Ann, Bob"),
            ("%s %5.2f", "Ann Bob"),
            ("100%% %@ & %@", "100% Ann & Bob"),
            ("naïve — %@, %@", "naïve — Ann, Bob"),
        ] {
            assert_eq!(localize(format, &json!(["Ann", "Bob"])), (expected.to_owned(), vec![]), "{format}");
        }
    }

    #[test]
    fn a_percent_sign_that_starts_nothing_is_one() {
        assert_eq!(localize("50% ö, 3%", &json!([])), ("50% ö, 3%".to_owned(), vec![]));
    }

    #[test]
    fn a_missing_key_is_shown_itself_with_the_arguments_in_it() {
        let mut reader = Reader::new(&EMPTY);
        let args = [json!("Ann")];
        assert_eq!(EMPTY.localize("GREETING", &args, &mut reader), "GREETING");
        assert_eq!(EMPTY.localize("%@ waves", &args, &mut reader), "Ann waves");
        assert_eq!(reader.into_warnings(), [Warning::MissingLocalization]);
    }

    #[test]
    fn a_place_without_argument_stays_as_it_is_written() {
        for (format, expected) in [("%@ and %@", "Ann and %@"), ("%3$@", "%3$@"), ("%0$@", "%0$@")] {
            let warnings = vec![Warning::LocArgsCount];
            assert_eq!(localize(format, &json!(["Ann"])), (expected.to_owned(), warnings), "{format}");
        }
        let number = format!("%{}$@", "9".repeat(40));
        assert_eq!(localize(&number, &json!(["Ann"])), (number.clone(), vec![Warning::LocArgsCount]));
    }

    #[test]
    fn an_argument_too_many_is_warned_of() {
        let expected = ("Ann".to_owned(), vec![Warning::LocArgsCount]);
        assert_eq!(localize("%@", &json!(["Ann", "Bob"])), expected);
    }

    #[test]
    fn arguments_that_are_not_text_are_shown_as_they_are_described() {
        let (text, _) = localize("%@ %@ %@ %@ %@", &json!([1, 2.5, true, null, ["a"]]));
        assert_eq!(text, "1 2.5 1 <null> [\"a\"]");
    }

    #[test]
    fn a_text_has_a_longest_length_and_ends_between_characters() {
        let (text, _) = localize(&"%1$@".repeat(10_000), &json!(["é".repeat(2000)]));
        assert_eq!(text.len(), LOCALIZED_TEXT_BYTES_MAX);
        let (text, _) = localize(&format!("x{}", "%1$@".repeat(10_000)), &json!(["é".repeat(2000)]));
        assert_eq!(text.len(), LOCALIZED_TEXT_BYTES_MAX - 1);
    }

    static EMPTY: Strings = Strings { formats: BTreeMap::new() };

    fn localize(format: &str, args: &Value) -> (String, Vec<Warning>) {
        let strings = Strings::from_iter([("KEY", format)]);
        let mut reader = Reader::new(&strings);
        let text = strings.localize("KEY", args.as_array().unwrap(), &mut reader);
        (text, reader.into_warnings())
    }
}
