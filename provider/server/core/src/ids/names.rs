//! Names that callers choose: each with its alphabet and its longest length.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Declares a name: what it is called in errors, its longest length in bytes, and which characters it may have.
macro_rules! names {
    ($($(#[$doc:meta])* $name:ident $called:literal, $max:literal bytes, $alphabet:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The longest, in bytes.
            pub const BYTES_MAX: usize = $max;

            /// Reads it.
            pub fn parse(text: &str) -> Result<Self, InvalidName> {
                check($called, text, $max, Alphabet::$alphabet)?;
                Ok(Self(text.into()))
            }

            /// As text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.into()
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, InvalidName> {
                check($called, &text, $max, Alphabet::$alphabet)?;
                Ok(Self(text.into()))
            }
        }
    )*};
}

names! {
    /// The version of an app as its device reports it, such as `3.1 (2047)`: kept and shown, never compared.
    AppVersion "app version", 64 bytes, Text;
    /// What a caller names a request by, so that sending it again does nothing again: the header `Idempotency-Key`.
    IdempotencyKey "idempotency key", 255 bytes, Visible;
    /// What people call a thing: an API key, a campaign, a webhook.
    Label "label", 100 bytes, Text;
    /// What a device can be addressed by besides its user, such as `news.sports` or `plan:pro`.
    Tag "tag", 64 bytes, Word;
    /// Who shares nothing with others.
    TenantName "tenant", 64 bytes, Slug;
    /// What a template is called, such as `order-shipped`.
    TemplateName "template name", 64 bytes, Word;
    /// A user as the caller's own system names them: any text. 128 bytes hold a UUID, an e-mail address' hash, most e-mail addresses.
    UserId "user", 128 bytes, Text;
}

/// Which characters a name has.
#[derive(Clone, Copy)]
enum Alphabet {
    /// What can stand in a host name: `a` to `z`, `0` to `9`, and `-` within.
    Slug,
    /// Any text but control characters, and with no spaces around it.
    Text,
    /// What a header value can have without quotes or spaces: `!` to `~`.
    Visible,
    /// ASCII letters, digits and `-`, `_`, `.`, `:`, `/`.
    Word,
}

impl Alphabet {
    fn has(self, character: char) -> bool {
        match self {
            Self::Slug => matches!(character, 'a'..='z' | '0'..='9' | '-'),
            Self::Text => !character.is_control() && !is_invisible(character),
            Self::Visible => character.is_ascii_graphic(),
            Self::Word => {
                character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.' | ':' | '/')
            }
        }
    }

    const fn told(self) -> &'static str {
        match self {
            Self::Slug => "`a` to `z`, `0` to `9`, and `-` within",
            Self::Text => "any text without control characters, and no space at either end",
            Self::Visible => "visible ASCII characters, and no space",
            Self::Word => "ASCII letters and digits, `-`, `_`, `.`, `:` and `/`",
        }
    }
}

/// Why a text is no name of its kind.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum InvalidName {
    /// It has a character that its kind of name has not, or has not there.
    #[error("the {what} has a character at offset {at} that does not belong there; it takes {takes}")]
    Character {
        /// Which kind of name.
        what: &'static str,
        /// Offset of the character, in bytes.
        at: usize,
        /// What it may be made of.
        takes: &'static str,
    },
    /// There is nothing.
    #[error("the {what} is empty; leave it out, or give one")]
    Empty {
        /// Which kind of name.
        what: &'static str,
    },
    /// It is too long.
    #[error("the {what} has {len} bytes, and {max} are allowed")]
    TooLong {
        /// Which kind of name.
        what: &'static str,
        /// How long it is.
        len: usize,
        /// How long it may be.
        max: usize,
    },
}

fn check(what: &'static str, text: &str, max: usize, alphabet: Alphabet) -> Result<(), InvalidName> {
    if text.is_empty() {
        return Err(InvalidName::Empty { what });
    }
    if text.len() > max {
        return Err(InvalidName::TooLong { what, len: text.len(), max });
    }
    let takes = alphabet.told();
    let character = |at| InvalidName::Character { what, at, takes };
    if let Some((at, _)) = text.char_indices().find(|(_, character)| !alphabet.has(*character)) {
        return Err(character(at));
    }
    let may_not_end = |character: char| match alphabet {
        Alphabet::Slug => character == '-',
        Alphabet::Text => character.is_whitespace(),
        Alphabet::Visible | Alphabet::Word => false,
    };
    if text.starts_with(may_not_end) {
        return Err(character(0));
    }
    match text.char_indices().next_back() {
        Some((at, last)) if may_not_end(last) => Err(character(at)),
        _ => Ok(()),
    }
}

/// Characters that make two names look alike: marks of direction, and what has no width.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_its_alphabet() {
        assert_eq!(UserId::parse("Zoë 7 🦊").unwrap().as_str(), "Zoë 7 🦊");
        assert!(Tag::parse("plan:pro/eu").is_ok());
        assert!(TenantName::parse("acme-2").is_ok());
        assert!(IdempotencyKey::parse("8e03978e-40d5-43dd-bc93-6894a57f9324").is_ok());
        for refused in [
            UserId::parse("a\nb").unwrap_err(),
            UserId::parse(" a").unwrap_err(),
            UserId::parse("a\u{202e}b").unwrap_err(),
            Tag::parse("two words").unwrap_err(),
            TenantName::parse("-acme").unwrap_err(),
            TenantName::parse("acme-").unwrap_err(),
            TenantName::parse("Acme").unwrap_err(),
            IdempotencyKey::parse("a b").unwrap_err(),
            IdempotencyKey::parse("é").unwrap_err(),
        ] {
            assert!(matches!(refused, InvalidName::Character { .. }), "{refused}");
        }
    }

    #[test]
    fn lengths_are_counted_in_bytes() {
        assert!(UserId::parse(&"é".repeat(64)).is_ok());
        let refused = UserId::parse(&"é".repeat(65)).unwrap_err();
        assert_eq!(refused.to_string(), "the user has 130 bytes, and 128 are allowed");
        assert_eq!(Tag::parse(""), Err(InvalidName::Empty { what: "tag" }));
    }

    #[test]
    fn a_name_in_json_is_checked_as_well() {
        assert_eq!(serde_json::from_str::<Tag>(r#""news""#).unwrap(), Tag::parse("news").unwrap());
        let refused = serde_json::from_str::<Tag>(r#""a b""#).unwrap_err().to_string();
        assert!(refused.starts_with("the tag has a character at offset 1"), "{refused}");
        assert_eq!(serde_json::to_string(&Tag::parse("news").unwrap()).unwrap(), r#""news""#);
    }
}
