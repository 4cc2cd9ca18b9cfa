//! Apple's ten-character identifiers: of a team and of a key.

use thiserror::Error;

/// A text is not one of Apple's ten-character identifiers.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("{text:?} is not {what}: ten ASCII letters or digits, such as \"A1B2C3D4E5\"")]
pub struct IdentifierError {
    what: &'static str,
    text: String,
}

/// Declares one kind of identifier. Two types, so that a team ID is never passed for a key ID.
macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name([u8; IDENTIFIER_BYTES]);

        impl $name {
            /// Reads ten ASCII letters or digits.
            pub fn parse(text: &str) -> Result<Self, IdentifierError> {
                ten_letters_or_digits(text)
                    .map(Self)
                    .ok_or_else(|| IdentifierError { what: $what, text: text.to_owned() })
            }

            /// The ten characters.
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.0).expect("ASCII by construction")
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.as_str())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

identifier! {
    /// A developer team's ID: the `iss` claim of its provider tokens, the OU of its certificates.
    /// Source: Apple, "Establishing a token-based connection to APNs".
    TeamId, "a team ID"
}

identifier! {
    /// An authentication key's ID: the `kid` of the provider tokens that it signs.
    /// Source: Apple, "Establishing a token-based connection to APNs".
    KeyId, "a key ID"
}

fn ten_letters_or_digits(text: &str) -> Option<[u8; IDENTIFIER_BYTES]> {
    let bytes: [u8; IDENTIFIER_BYTES] = text.as_bytes().try_into().ok()?;
    bytes.iter().all(u8::is_ascii_alphanumeric).then_some(bytes)
}

/// Apple's pages call both identifiers "10-character".
const IDENTIFIER_BYTES: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_letters_or_digits_and_nothing_else() {
        assert_eq!(TeamId::parse("A1B2C3D4E5").unwrap().as_str(), "A1B2C3D4E5");
        for text in ["", "A1B2C3D4E", "A1B2C3D4E5F", "A1B2C3D4E-", "A1B2C3D4é"] {
            assert!(KeyId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_error_names_the_text_and_says_what_was_expected() {
        let message = KeyId::parse("short").unwrap_err().to_string();
        assert!(message.contains("\"short\" is not a key ID"), "{message}");
    }
}
