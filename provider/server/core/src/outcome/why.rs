//! Why a recipient ended so, or waits: APNs' word, or one of ours.

use std::fmt;

use apns_provider_core::{Ambiguity, NotSent, Reason};

/// Declares [`Cause`]: its word and what it means.
macro_rules! causes {
    ($($variant:ident $word:literal $meaning:literal;)*) => {
        /// Why something happened to a push that APNs did not give a reason for.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Cause {
            $(#[doc = $meaning] $variant,)*
        }

        impl Cause {
            /// Every cause, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its word, in kebab-case, as no reason of APNs is.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// What it means, in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

causes! {
    CertificateRefused "certificate-refused" "One side did not accept the other's certificate.";
    ConnectionLost "connection-lost" "The connection ended after the request and before the answer.";
    CredentialRefused "credential-refused" "APNs refused the app's key or certificate.";
    DeviceGone "device-gone" "The device was removed after the notification was planned.";
    DeviceOfOtherUser "device-of-other-user" "The device was registered by another user after the notification was planned.";
    Draining "draining" "The server was about to stop.";
    FieldsTooLarge "fields-too-large" "The fields of the request are larger than APNs takes.";
    NoAnswer "no-answer" "APNs did not answer in time.";
    NoConnection "no-connection" "APNs could not be reached.";
    NotProcessed "not-processed" "The connection ended, and APNs had not looked at it.";
    OutOfTime "out-of-time" "Its turn did not come in time.";
    ServerDied "server-died" "The server died, or lost its database, after it was sent and before its outcome was stored.";
    ServiceUnavailable "service-unavailable" "APNs answered the pushes before it with nothing but that it is in trouble.";
    StreamReset "stream-reset" "APNs reset the stream of the request.";
    Unbuildable "unbuildable" "What was stored is no notification to this app any more.";
}

/// Why a recipient ended so, or waits. It is stored as its word.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Why {
    /// APNs said so.
    Apns(Reason),
    /// It did not come from APNs.
    Ours(Cause),
}

impl Why {
    /// The word: APNs' as it was, ours in kebab-case. Cut to [`Why::BYTES_MAX`], since a word that nobody knows may be anything.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Apns(reason) => {
                let word = reason.as_str();
                &word[..word.floor_char_boundary(Self::BYTES_MAX)]
            }
            Self::Ours(cause) => cause.as_str(),
        }
    }

    /// The longest word that is kept. APNs' longest known has 27.
    pub const BYTES_MAX: usize = 64;

    /// What the word stands for.
    pub fn parse(word: &str) -> Self {
        let ours = Cause::ALL.iter().find(|cause| cause.as_str() == word);
        ours.map_or_else(|| Self::Apns(Reason::from_wire(word)), |cause| Self::Ours(*cause))
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<Cause> for Why {
    fn from(cause: Cause) -> Self {
        Self::Ours(cause)
    }
}

impl From<&Ambiguity> for Cause {
    fn from(ambiguity: &Ambiguity) -> Self {
        match ambiguity {
            Ambiguity::ConnectionLost => Self::ConnectionLost,
            Ambiguity::StreamReset { .. } => Self::StreamReset,
            _ => Self::NoAnswer,
        }
    }
}

impl From<&NotSent> for Why {
    fn from(not_sent: &NotSent) -> Self {
        Self::Ours(match not_sent {
            NotSent::BeyondGoaway { reason: Some(reason) }
            | NotSent::CredentialRefused { reason: Some(reason) } => return Self::Apns(reason.clone()),
            NotSent::CertificateRefused { .. } => Cause::CertificateRefused,
            NotSent::Closed => Cause::Draining,
            NotSent::CredentialRefused { reason: None } => Cause::CredentialRefused,
            NotSent::FieldsTooLarge { .. } => Cause::FieldsTooLarge,
            NotSent::NoConnection { .. } => Cause::NoConnection,
            NotSent::OutOfTime => Cause::OutOfTime,
            NotSent::ServiceUnavailable => Cause::ServiceUnavailable,
            _ => Cause::NotProcessed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_were_written() {
        for cause in Cause::ALL {
            assert_eq!(Why::parse(cause.as_str()), Why::Ours(*cause));
            assert!(cause.meaning().ends_with('.'), "{cause:?}");
        }
        for reason in Reason::known() {
            assert_eq!(Why::parse(reason.as_str()), Why::Apns(reason));
        }
        let new = Why::parse("BrandNew2027");
        assert_eq!(
            (new.as_str(), &new),
            ("BrandNew2027", &Why::Apns(Reason::Unknown("BrandNew2027".into())))
        );
    }

    #[test]
    fn a_word_that_nobody_knows_is_kept_up_to_a_limit() {
        let why = Why::Apns(Reason::Unknown("é".repeat(100).into()));
        assert_eq!(why.as_str(), "é".repeat(32));
        let why = Why::Apns(Reason::Unknown(format!("x{}", "é".repeat(100)).into()));
        assert_eq!(why.as_str().len(), 63, "no character is cut in two");
    }
}
