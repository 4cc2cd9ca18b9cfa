use std::time::Duration;

use thiserror::Error;

use crate::reason::Reason;

/// Something about a token that APNs does not take, or does not have to take.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum TokenFlaw {
    /// `alg` is missing or another one.
    #[error("alg is {found}; APNs takes ES256 only")]
    Algorithm {
        /// Its value as JSON, or "missing".
        found: String,
    },
    /// `iat` lies in the future.
    #[error("iat is {} s ahead of this machine's clock; one of two clocks is wrong", ahead.as_secs())]
    InTheFuture {
        /// How far.
        ahead: Duration,
    },
    /// `iat` is missing or no number of seconds.
    #[error("iat is {found}; it is a whole number of seconds since 1970")]
    IssuedAt {
        /// Its value as JSON, or "missing".
        found: String,
    },
    /// `iat` counts milliseconds.
    #[error("iat is {iat}, as a count of milliseconds would be; divide by 1000")]
    IssuedAtInMilliseconds {
        /// What it is.
        iat: u64,
    },
    /// `iat` is a number with a fraction, or written as if it had one.
    #[error(
        "iat is not written as a whole number; nobody knows whether APNs takes that, and a whole number is what is documented"
    )]
    IssuedAtIsFraction,
    /// `iat` is a number in quotes.
    #[error("iat is a text; APNs has taken that so far, but a number is what is documented")]
    IssuedAtIsText,
    /// `kid` is missing or no key ID.
    #[error("kid is {found}; it is the key's ID, ten letters and digits")]
    KeyId {
        /// Its value as JSON, or "missing".
        found: String,
    },
    /// A part cannot be decoded.
    #[error("the {part} is not base64url")]
    NotBase64Url {
        /// Which one.
        part: &'static str,
    },
    /// A part is no JSON object.
    #[error("the {part} is no JSON object")]
    NotJsonObject {
        /// Which one.
        part: &'static str,
    },
    /// It is no JWT in compact form.
    #[error("it has {parts} part(s) between dots; a JWT has header, claims and signature")]
    NotThreeParts {
        /// How many there are.
        parts: usize,
    },
    /// A part ends in `=`.
    #[error("the {part} is padded with `=`; base64url in a JWT is not (RFC 7515 section 2)")]
    Padded {
        /// Which one.
        part: &'static str,
    },
    /// The signature is in ASN.1.
    #[error("the signature is in DER; ES256 is r and s, 32 bytes each (RFC 7518 section 3.4)")]
    SignatureInDer,
    /// The signature is not one of ES256.
    #[error("the signature has {len} bytes; one of ES256 has 64 (RFC 7518 section 3.4)")]
    SignatureLength {
        /// Its bytes.
        len: usize,
    },
    /// The signature's numbers are none that ES256 can have.
    #[error("the signature's r or s is zero, or too large for P-256")]
    SignatureOutOfRange,
    /// A part is in the other alphabet of base64.
    #[error("the {part} has `+` or `/`; base64url has `-` and `_` instead")]
    StandardBase64 {
        /// Which one.
        part: &'static str,
    },
    /// `iss` is missing or no team ID.
    #[error("iss is {found}; it is the team's ID, ten letters and digits")]
    TeamId {
        /// Its value as JSON, or "missing".
        found: String,
    },
    /// It is longer than all that APNs takes of headers.
    #[error("it has {len} bytes; APNs takes {JWT_BYTES_MAX} bytes of headers at most")]
    TooLong {
        /// Its bytes.
        len: usize,
    },
    /// `iat` is more than an hour ago.
    #[error("iat is {} min ago; APNs takes a token for 60", age.as_secs() / 60)]
    TooOld {
        /// How long ago.
        age: Duration,
    },
}

impl TokenFlaw {
    /// What APNs answers to it; `None` for what it was seen to take, though nothing says that it must, and for what nobody has seen it
    /// answer.
    pub fn answer(&self) -> Option<Reason> {
        match self {
            Self::IssuedAtIsFraction
            | Self::IssuedAtIsText
            | Self::Padded { .. }
            | Self::SignatureInDer
            | Self::StandardBase64 { .. } => None,
            Self::InTheFuture { .. } | Self::IssuedAtInMilliseconds { .. } | Self::TooOld { .. } => {
                Some(Reason::ExpiredProviderToken)
            }
            Self::Algorithm { .. }
            | Self::IssuedAt { .. }
            | Self::KeyId { .. }
            | Self::NotBase64Url { .. }
            | Self::NotJsonObject { .. }
            | Self::NotThreeParts { .. }
            | Self::SignatureLength { .. }
            | Self::SignatureOutOfRange
            | Self::TeamId { .. }
            | Self::TooLong { .. } => Some(Reason::InvalidProviderToken),
        }
    }
}

/// How a token differs from what a key would have signed.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum TokenMismatch {
    /// `kid` names another key.
    #[error("kid is {}, the key's ID is {expected}", found.as_deref().unwrap_or("missing"))]
    KeyId {
        /// What the token says.
        found: Option<String>,
        /// What the key says.
        expected: String,
    },
    /// The signature is not the key's.
    #[error("the signature is not this key's: another key signed it, or it was changed since")]
    Signature,
    /// `iss` names another team.
    #[error("iss is {}, the team's ID is {expected}", found.as_deref().unwrap_or("missing"))]
    TeamId {
        /// What the token says.
        found: Option<String>,
        /// What the key says.
        expected: String,
    },
}

/// SETTINGS_MAX_HEADER_LIST_SIZE of Apple's servers, bytes.
pub(super) const JWT_BYTES_MAX: usize = 8_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_only_undocumented_is_not_called_refused() {
        assert_eq!(TokenFlaw::IssuedAtIsText.answer(), None);
        assert_eq!(TokenFlaw::IssuedAtIsFraction.answer(), None);
        assert_eq!(TokenFlaw::TooOld { age: Duration::MAX }.answer(), Some(Reason::ExpiredProviderToken));
        assert_eq!(TokenFlaw::NotThreeParts { parts: 1 }.answer(), Some(Reason::InvalidProviderToken));
    }
}
