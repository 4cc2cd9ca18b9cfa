//! Every reason that the device API gives for refusing a push: one table, and what follows from it.

use std::io::Write as _;

use crate::Timestamp;

/// Declares [`Reason`] and everything derived from it, so that a reason is written down once.
macro_rules! reasons {
    ($($variant:ident = $status:literal, $meaning:literal, $source:expr;)*) => {
        /// Why a push was refused: the `reason` key of an answer or of a GOAWAY frame. The variant's name is the
        /// string on the wire.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum Reason {
            $(#[doc = $meaning] $variant,)*
        }

        impl Reason {
            /// Every reason, in alphabetical order within its status.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The string on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant),)* }
            }

            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// What it means, in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }

            /// Where it is documented or was observed.
            pub const fn source(self) -> &'static str {
                match self { $(Self::$variant => $source,)* }
            }
        }
    };
}

const RESPONSES: &str = "Apple, \"Handling notification responses from APNs\"";
const SCOPED_KEY_LOGS: &str = "Observed on the wire since 2025 (APNSwift#229 and many logs); Apple's page spells it \
     BadEnvironmentKeyIdInToken";

reasons! {
    BadCollapseId = 400, "The collapse identifier is longer than 64 bytes.", RESPONSES;
    BadDeviceToken = 400, "The device token is malformed, unknown, or of the other environment.", RESPONSES;
    BadExpirationDate = 400, "The apns-expiration value is not a point in time.", RESPONSES;
    BadMessageId = 400, "The apns-id value is not a UUID.", RESPONSES;
    BadPriority = 400, "The apns-priority value is not allowed.", RESPONSES;
    BadTopic = 400, "The apns-topic value is malformed.", RESPONSES;
    DeviceTokenNotForTopic = 400, "The device token belongs to another topic.", RESPONSES;
    DuplicateHeaders = 400, "A header is repeated.", RESPONSES;
    IdleTimeout = 400, "The connection was idle for too long; seen in GOAWAY frames only.", RESPONSES;
    InvalidPushType = 400, "The apns-push-type value is unknown, or does not go with the topic.", RESPONSES;
    MissingDeviceToken = 400, "The path names no device token.", RESPONSES;
    MissingTopic = 400, "The apns-topic header is needed and absent.", RESPONSES;
    PayloadEmpty = 400, "The payload is empty.", RESPONSES;
    TopicDisallowed = 400, "These credentials may not push to this topic.", RESPONSES;
    BadCertificate = 403, "The certificate is invalid.", RESPONSES;
    BadCertificateEnvironment = 403, "The certificate is for the other environment.", RESPONSES;
    BadEnvironmentKeyIdInToken = 403, "The token's key is for the other environment, as documented.", RESPONSES;
    BadEnvironmentKeyInToken = 403, "The token's key is for the other environment, as observed.", SCOPED_KEY_LOGS;
    ExpiredProviderToken = 403, "The provider token was issued more than an hour ago.", RESPONSES;
    Forbidden = 403, "The action is not allowed.", RESPONSES;
    InvalidProviderToken = 403, "The provider token is invalid or its signature cannot be verified.", RESPONSES;
    MissingProviderToken = 403, "There is neither a client certificate nor a provider token.", RESPONSES;
    UnrelatedKeyIdInToken = 403, "The token's key is not related to the connection's first key.", RESPONSES;
    BadPath = 404, "The path is not one that APNs knows.", RESPONSES;
    MethodNotAllowed = 405, "The method is not POST.", RESPONSES;
    ExpiredToken = 410, "The device token has expired.", RESPONSES;
    Unregistered = 410, "The device token is no longer active for the topic.", RESPONSES;
    PayloadTooLarge = 413, "The payload is larger than the push type allows.", RESPONSES;
    TooManyProviderTokenUpdates = 429, "The provider token changes too often.", RESPONSES;
    TooManyRequests = 429, "Too many requests were made for one device token.", RESPONSES;
    InternalServerError = 500, "Something went wrong within APNs.", RESPONSES;
    ServiceUnavailable = 503, "The service is unavailable.", RESPONSES;
    Shutdown = 503, "The server is shutting down.", RESPONSES;
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Reason {
    /// The reason that a wire string names.
    pub fn from_wire(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == text)
    }

    /// Appends the body of an answer, or the debug data of a GOAWAY frame, to `out`: compact JSON, as observed. Apple's
    /// `timestamp` counts milliseconds, and goes with status 410 only.
    pub fn body(self, timestamp: Option<Timestamp>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"reason\":\"");
        out.extend_from_slice(self.as_str().as_bytes());
        out.push(b'"');
        if let Some(timestamp) = timestamp {
            write!(out, ",\"timestamp\":{}", timestamp.as_millis()).expect("a Vec takes every write");
        }
        out.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The documented list, written down a second time from Apple's page, with the one observed string beside it.
    const DOCUMENTED: &[(u16, &str)] = &[
        (400, "BadCollapseId BadDeviceToken BadExpirationDate BadMessageId BadPriority BadTopic"),
        (400, "DeviceTokenNotForTopic DuplicateHeaders IdleTimeout InvalidPushType MissingDeviceToken"),
        (400, "MissingTopic PayloadEmpty TopicDisallowed"),
        (403, "BadCertificate BadCertificateEnvironment ExpiredProviderToken Forbidden InvalidProviderToken"),
        (
            403,
            "MissingProviderToken UnrelatedKeyIdInToken BadEnvironmentKeyIdInToken BadEnvironmentKeyInToken",
        ),
        (404, "BadPath"),
        (405, "MethodNotAllowed"),
        (410, "ExpiredToken Unregistered"),
        (413, "PayloadTooLarge"),
        (429, "TooManyProviderTokenUpdates TooManyRequests"),
        (500, "InternalServerError"),
        (503, "ServiceUnavailable Shutdown"),
    ];

    #[test]
    fn the_table_is_apples_list_no_more_and_no_less() {
        let mut documented: Vec<(u16, &str)> = DOCUMENTED
            .iter()
            .flat_map(|(status, names)| names.split(' ').map(move |name| (*status, name)))
            .collect();
        documented.sort_unstable();
        let mut table: Vec<(u16, &str)> = Reason::ALL.iter().map(|it| (it.status(), it.as_str())).collect();
        table.sort_unstable();
        assert_eq!(table, documented);
    }

    #[test]
    fn a_wire_string_finds_its_reason_exactly() {
        for &reason in Reason::ALL {
            assert_eq!(Reason::from_wire(reason.as_str()), Some(reason));
        }
        assert_eq!(Reason::from_wire("baddevicetoken"), None);
    }

    #[test]
    fn a_body_is_compact_json_with_milliseconds() {
        let mut body = Vec::new();
        Reason::BadTopic.body(None, &mut body);
        assert_eq!(body, br#"{"reason":"BadTopic"}"#);
        body.clear();
        Reason::Unregistered.body(Some(Timestamp::from_millis(1_508_249_865_488)), &mut body);
        assert_eq!(body, br#"{"reason":"Unregistered","timestamp":1508249865488}"#);
    }

    #[test]
    fn every_reason_says_what_it_means_and_where_it_comes_from() {
        for reason in Reason::ALL {
            assert!(reason.meaning().ends_with('.') && !reason.source().is_empty(), "{reason:?}");
        }
    }
}
