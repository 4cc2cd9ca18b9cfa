//! Everything that can go wrong here, named so that a caller can match on it.

/// Why a certificate, key or list was not made or not read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A bundle identifier or topic has a character that Apple does not allow, or none at all.
    #[error("{0:?} is not a topic: use letters, digits, hyphens and periods, as in \"com.example.app\"")]
    InvalidTopic(String),

    /// A team identifier is not ten capital letters and digits.
    #[error("{0:?} is not a team ID: use ten capital letters and digits, as in \"DEF123GHIJ\"")]
    InvalidTeamId(String),

    /// A key identifier is not ten capital letters and digits.
    #[error("{0:?} is not a key ID: use ten capital letters and digits, as in \"ABC123DEFG\"")]
    InvalidKeyId(String),

    /// A device identifier does not fit a certificate's common name.
    #[error("{0:?} is not a device ID: use 1 to 64 printable ASCII characters")]
    InvalidDeviceId(String),

    /// A name for a server certificate is neither a DNS name nor an IP address.
    #[error("{0:?} is neither a DNS name (a leading \"*.\" is allowed) nor an IP address")]
    InvalidHostName(String),

    /// The time given lies so far ahead that a certificate cannot say when it ends (after the year 9999).
    #[error("a certificate cannot be dated {seconds} s after 1970: its end would lie beyond the year 9999")]
    DateOutOfRange {
        /// The start asked for, in seconds since 1970.
        seconds: u64,
    },

    /// A stored authority was expected to hold a part, and it is missing, out of place or not PEM.
    #[error("the stored authority has no readable {expected}: store what `Authority::to_pem` gave, whole")]
    IncompleteAuthority {
        /// The part that was looked for.
        expected: &'static str,
    },

    /// The parts of a stored authority do not belong together.
    #[error("the stored authority does not hold together: {problem}")]
    InconsistentAuthority {
        /// What does not fit what.
        problem: &'static str,
    },

    /// A private key could not be read. APNs keys are PKCS#8 PEM, EC P-256.
    #[error("not a PKCS#8 EC P-256 private key in PEM: {0}")]
    UnreadableKey(rcgen::Error),

    /// A PKCS#12 file could not be written: its password has a character outside the Basic Multilingual
    /// Plane.
    #[error("cannot write PKCS#12: {0}")]
    Pkcs12(String),

    /// The operating system gave no randomness, or the key could not sign.
    #[error("cannot make {what}: {reason}")]
    Crypto {
        /// What was being made.
        what: &'static str,
        /// What the cryptography said.
        reason: rcgen::Error,
    },
}

impl Error {
    /// Names what was being made when the cryptography failed; for `map_err`.
    pub(crate) fn crypto(what: &'static str) -> impl FnOnce(rcgen::Error) -> Self {
        move |reason| Self::Crypto { what, reason }
    }
}
