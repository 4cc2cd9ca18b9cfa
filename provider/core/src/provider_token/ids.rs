use std::fmt;

use thiserror::Error;

/// The ten characters that name an APNs key, from its file name `AuthKey_<key ID>.p8`: the token's `kid`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyId(Identifier);

impl KeyId {
    /// Reads a key ID.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        Identifier::parse("key ID", text).map(Self)
    }

    /// The key ID as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The ten characters that name a developer team: the token's `iss`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TeamId(Identifier);

impl TeamId {
    /// Reads a team ID.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        Identifier::parse("team ID", text).map(Self)
    }

    /// The team ID as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for TeamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not ten ASCII letters and digits.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error(
    "{what} {text:?} is not 10 letters and digits; copy it from the developer account (Keys, or Membership)"
)]
pub struct InvalidIdentifier {
    /// Which ID it should have been.
    pub what: &'static str,
    /// What was given; an ID is no secret.
    pub text: String,
}

#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
struct Identifier([u8; LEN]);

impl Identifier {
    fn parse(what: &'static str, text: &str) -> Result<Self, InvalidIdentifier> {
        match text.as_bytes().try_into() {
            Ok(bytes) if text.bytes().all(|byte| byte.is_ascii_alphanumeric()) => Ok(Self(bytes)),
            _ => Err(InvalidIdentifier { what, text: text.to_owned() }),
        }
    }

    fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("parsed as letters and digits")
    }
}

/// Apple's IDs have ten characters (Apple, "Establishing a token-based connection to APNs").
const LEN: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_letters_and_digits() {
        assert_eq!(KeyId::parse("ABC123DEFG").unwrap().as_str(), "ABC123DEFG");
        for text in ["", "ABC123DEF", "ABC123DEFGH", "ABC-23DEFG", "ABC123DE\"}", "ÄBC123DEF"] {
            let error = TeamId::parse(text).unwrap_err();
            assert_eq!(error, InvalidIdentifier { what: "team ID", text: text.to_owned() });
        }
    }
}
