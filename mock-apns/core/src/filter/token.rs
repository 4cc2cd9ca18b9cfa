//! A device token, or how it begins.

use std::borrow::Cow;

use super::value::{Takes, Value};
use crate::{DEVICE_TOKEN_BYTES_MAX, DeviceToken};

/// A device token in lower-case hexadecimal; with `*`, all that begin with these digits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct TokenIs(Box<str>);

impl Value for TokenIs {
    type Had<'a> = String;

    fn read(text: &str) -> Option<Self> {
        let is_token = match text.strip_suffix(ANY) {
            Some(start) => {
                start.len() <= 2 * DEVICE_TOKEN_BYTES_MAX && start.bytes().all(|it| it.is_ascii_hexdigit())
            }
            None => DeviceToken::from_hex(text.as_bytes()).is_ok(),
        };
        is_token.then(|| Self(text.to_ascii_lowercase().into()))
    }

    fn takes() -> Takes {
        Takes::Form("a device token in hexadecimal, two digits a byte, or its first digits and *")
    }

    fn text(&self) -> Cow<'_, str> {
        (&*self.0).into()
    }

    fn holds(&self, had: &String) -> bool {
        match self.0.strip_suffix(ANY) {
            Some(start) => had.starts_with(start),
            None => *self.0 == **had,
        }
    }

    fn tell(had: &String) -> String {
        had.clone()
    }
}

/// Stands for any digits that follow.
const ANY: char = '*';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_whole_or_ends_in_a_star() {
        let holds = |asked: &str, had: &str| TokenIs::read(asked).unwrap().holds(&had.to_owned());
        assert!(holds("00FF", "00ff") && !holds("00ff", "00ff11"));
        assert!(holds("00F*", "00ff") && holds("00ff*", "00ff") && holds("*", "00ff"));
        assert!(!holds("0f*", "00ff"));
    }

    #[test]
    fn what_no_token_is_or_begins_with_is_refused() {
        let long = "a".repeat(2 * DEVICE_TOKEN_BYTES_MAX + 1);
        for text in ["", "0", "0g", "0g*", "0*0", "00**", &long, &format!("{long}*")] {
            assert_eq!(TokenIs::read(text), None, "{text}");
        }
        assert!(TokenIs::read(&format!("{}*", &long[1..])).is_some());
    }
}
