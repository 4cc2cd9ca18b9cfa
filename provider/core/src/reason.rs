mod causes;

use std::fmt;

use crate::advice::Advice;

/// Makes the enum, its names and its rows out of one table.
macro_rules! reasons {
    ($($name:ident, $status:literal, $advice:ident, $meaning:literal, $todo:literal;)*) => {
        /// Why APNs refused a push, a broadcast or a request about channels, or closed a connection: the word in
        /// `{"reason":"…"}`.
        ///
        /// One variant for each word Apple documents for device pushes ("Handling notification responses from
        /// APNs") or for broadcasts and channels ("Handling error responses from Apple Push Notification
        /// service"), two that are only ever seen on the wire, and [`Unknown`](Self::Unknown) for what Apple says
        /// tomorrow.
        #[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum Reason {
            $(#[doc = $meaning] $name,)*
            /// A word this table does not have, as it was.
            Unknown(Box<str>),
        }

        impl Reason {
            /// Every known reason, in the order of the table.
            pub fn known() -> impl Iterator<Item = Self> {
                [$(Self::$name),*].into_iter()
            }

            /// The reason with this word; words are compared exactly.
            pub fn from_wire(word: &str) -> Self {
                match word {
                    $(stringify!($name) => Self::$name,)*
                    unknown => Self::Unknown(unknown.into()),
                }
            }

            /// The word on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$name => stringify!($name),)*
                    Self::Unknown(word) => word,
                }
            }

            fn row(&self) -> Option<Row> {
                match self {
                    $(Self::$name => Some(Row {
                        status: $status,
                        advice: Advice::$advice,
                        meaning: $meaning,
                        todo: $todo,
                    }),)*
                    Self::Unknown(_) => None,
                }
            }
        }
    };
}

// Word and status: Apple, "Handling notification responses from APNs", and for channels "Handling error responses from
// Apple Push Notification service". Advice: checklist part 2.
reasons! {
    BadCertificate, 403, FixCredentials,
        "The certificate is invalid.", "Renew the certificate; this usually comes as a GOAWAY.";
    BadCertificateEnvironment, 403, FixCredentials,
        "The certificate is for the other environment.",
        "Use the environment's own certificate, or its other host.";
    BadChannelId, 400, Fix,
        "The channel ID is not base64, or too long.",
        "Send the apns-channel-id as creating the channel answered it.";
    BadCollapseId, 400, Fix,
        "The collapse ID has more than 64 bytes.", "Shorten the collapse ID.";
    BadDeviceToken, 400, CheckToken,
        "The device token is malformed, or belongs to the other environment.",
        "Check that sandbox tokens go to the sandbox and production tokens to production, then the token.";
    BadEnvironmentKeyIdInToken, 403, FixCredentials,
        "The key is for the other environment.", "Use a key of this environment.";
    // Not in Apple's table: the word that the service sends for the one above (APNSwift #229 and many logs).
    BadEnvironmentKeyInToken, 403, FixCredentials,
        "The key is for the other environment, in the word seen on the wire.",
        "Use a key of this environment.";
    BadExpirationDate, 400, Fix,
        "The expiration is invalid.", "Send seconds since 1970, or 0.";
    BadMessageId, 400, Fix,
        "The apns-id is invalid, or the apns-request-id.", "Send a UUID in canonical form.";
    BadPath, 404, Fix,
        "The path is invalid.",
        "Send pushes to /3/device/<token>, broadcasts to /4/broadcasts/apps/<bundle ID>, and what is about channels to \
         /1/apps/<bundle ID>/channels or all-channels.";
    BadPriority, 400, Fix,
        "The priority is invalid.", "Send 10, 5 or 1; for background pushes 5.";
    BadRequestParams, 400, Fix,
        "The request has an attribute that is not one.",
        "Send message-storage-policy and push-type, and nothing else.";
    BadRequestPayload, 400, Fix,
        "The request's body is not JSON.", "Send a JSON object.";
    BadTopic, 400, FixApp,
        "The topic is invalid.", "Send the app's bundle ID with the push type's suffix.";
    CannotCreateChannelConfig, 400, FixApp,
        "The app has as many channels as it may have.",
        "Delete channels that are of no use any more: there may be 10,000 for each app and environment.";
    ChannelNotRegistered, 400, FixApp,
        "There is no such channel.", "Create a channel, or send to one of this environment.";
    DeviceTokenNotForTopic, 400, FixApp,
        "The device token belongs to another topic.", "Check which app the token was registered for.";
    DuplicateHeaders, 400, Fix,
        "A header occurs more than once.", "Send each header once.";
    ExpiredProviderToken, 403, RenewProviderToken,
        "The provider token is older than one hour.", "Sign a new one; check the clock if it happens again.";
    ExpiredToken, 410, RemoveToken,
        "The device token has expired.", "Stop sending to it.";
    FeatureNotEnabled, 400, FixApp,
        "The app may not broadcast.",
        "Enable broadcasting for the app's identifier in the developer account.";
    Forbidden, 403, FixCredentials,
        "The action is not allowed.", "Check what the key or certificate may do.";
    IdleTimeout, 400, Reconnect,
        "The connection was idle for too long.", "Send again on a new connection.";
    InternalServerError, 500, RetryLater,
        "The service failed.", "Send again later, with growing pauses.";
    InvalidProviderToken, 403, FixCredentials,
        "The provider token is invalid, or its signature cannot be verified.",
        "Check key, key ID and team ID.";
    InvalidPushType, 400, Fix,
        "The push type is invalid, or does not fit the topic.",
        "Send the push type that goes with topic and payload.";
    MethodNotAllowed, 405, Fix,
        "The method is not one of this path.",
        "Send POST; about channels GET and DELETE as well, where there is something to read or to delete.";
    MissingChannelId, 400, Fix,
        "There is no apns-channel-id.", "Send the channel's ID.";
    // Not in Apple's table: seen in answer to channels without a valid message-storage-policy.
    MissingChannelQueueSize, 400, Fix,
        "There is no message storage policy, in the word seen on the wire.",
        "Send message-storage-policy 0 or 1.";
    MissingDeviceToken, 400, Fix,
        "There is no device token in the path.", "Send to /3/device/<token>.";
    MissingProviderToken, 403, FixCredentials,
        "There is neither a certificate nor a provider token.", "Configure one of them.";
    MissingPushType, 400, Fix,
        "The push type is missing.", "Send apns-push-type: liveactivity.";
    MissingTopic, 400, FixApp,
        "The topic is missing, and the credentials stand for several.", "Send apns-topic.";
    PayloadEmpty, 400, Fix,
        "The payload is empty.", "Send a JSON object.";
    PayloadTooLarge, 413, Fix,
        "The payload is too large.", "Shorten it, or let the app fetch the rest.";
    ServiceUnavailable, 503, RetryLater,
        "The service is unavailable.", "Send again later, with growing pauses.";
    Shutdown, 503, Reconnect,
        "This server is shutting down.", "Send again on a new connection.";
    TooManyProviderTokenUpdates, 429, RestConnection,
        "The provider token changed more than once in 20 minutes.",
        "Keep the current token; make every process sign the same one.";
    TooManyRequests, 429, SlowDownDevice,
        "Too many pushes went to the same device token.", "Pause for this token; send only the latest.";
    TopicDisallowed, 400, FixApp,
        "The credentials do not allow this topic.", "Check which apps the key or certificate is for.";
    TopicMismatch, 403, FixApp,
        "The bundle ID in the path is not one of the credential's.",
        "Check which apps the key or certificate is for.";
    UnrelatedKeyIdInToken, 403, FixCredentials,
        "The key is not related to the key first used on this connection.",
        "Use one connection for each key.";
    Unregistered, 410, RemoveToken,
        "The device token is no longer active for the topic.",
        "Stop sending to it until it is registered again.";
}

impl Reason {
    /// The status it comes with, as documented.
    pub fn documented_status(&self) -> Option<u16> {
        self.row().map(|row| row.status)
    }

    /// What to do next, for known reasons.
    pub fn advice(&self) -> Option<Advice> {
        self.row().map(|row| row.advice)
    }

    /// What it means, in one sentence, for known reasons.
    pub fn meaning(&self) -> Option<&'static str> {
        self.row().map(|row| row.meaning)
    }

    /// What a person does about it, in one sentence, for known reasons.
    pub fn todo(&self) -> Option<&'static str> {
        self.row().map(|row| row.todo)
    }

    /// The word, and what a person does about it, for the end of a message.
    pub(crate) fn with_todo(&self) -> String {
        match self.todo() {
            Some(todo) => format!("{self}. {todo}"),
            None => self.to_string(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

struct Row {
    status: u16,
    advice: Advice,
    meaning: &'static str,
    todo: &'static str,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Apple's tables, grouped by status as the pages have it, and what was seen beside them.
    const DOCUMENTED: [(u16, &str); 11] = [
        (
            400,
            "BadCollapseId BadDeviceToken BadExpirationDate BadMessageId BadPriority BadTopic \
             DeviceTokenNotForTopic DuplicateHeaders IdleTimeout InvalidPushType MissingDeviceToken \
             MissingTopic PayloadEmpty TopicDisallowed",
        ),
        (
            403,
            "BadCertificate BadCertificateEnvironment ExpiredProviderToken Forbidden InvalidProviderToken \
             MissingProviderToken UnrelatedKeyIdInToken BadEnvironmentKeyIdInToken BadEnvironmentKeyInToken",
        ),
        (404, "BadPath"),
        (405, "MethodNotAllowed"),
        (410, "ExpiredToken Unregistered"),
        (413, "PayloadTooLarge"),
        (429, "TooManyProviderTokenUpdates TooManyRequests"),
        (500, "InternalServerError"),
        (503, "ServiceUnavailable Shutdown"),
        (
            400,
            "BadChannelId BadRequestParams BadRequestPayload CannotCreateChannelConfig ChannelNotRegistered \
             FeatureNotEnabled MissingChannelId MissingChannelQueueSize MissingPushType",
        ),
        (403, "TopicMismatch"),
    ];

    #[test]
    fn the_table_is_complete_and_has_nothing_else() {
        let documented: BTreeMap<&str, u16> = DOCUMENTED
            .into_iter()
            .flat_map(|(status, words)| words.split_whitespace().map(move |word| (word, status)))
            .collect();
        let known: Vec<Reason> = Reason::known().collect();
        let ours: BTreeMap<&str, u16> =
            known.iter().map(|reason| (reason.as_str(), reason.documented_status().unwrap())).collect();
        assert_eq!(ours, documented);
    }

    #[test]
    fn every_word_is_read_back() {
        for reason in Reason::known() {
            assert_eq!(Reason::from_wire(reason.as_str()), reason);
            assert!(reason.meaning().unwrap().ends_with('.') && reason.todo().unwrap().ends_with('.'));
        }
    }

    #[test]
    fn an_unknown_word_is_kept_as_it_was() {
        let reason = Reason::from_wire("BrandNew2027 ");
        assert_eq!(reason, Reason::Unknown("BrandNew2027 ".into()));
        assert_eq!(reason.to_string(), "BrandNew2027 ");
        assert_eq!((reason.advice(), reason.documented_status()), (None, None));
    }

    /// Channels are read with GET and deleted with DELETE, their requests have `apns-request-id` and paths of their own.
    #[test]
    fn what_channels_are_refused_for_as_well_is_not_told_as_if_all_were_pushes() {
        for (reason, of_channels) in [
            (Reason::MethodNotAllowed, ["GET", "DELETE"]),
            (Reason::BadPath, ["/1/apps/", "/4/broadcasts/apps/"]),
            (Reason::BadMessageId, ["apns-id", "apns-request-id"]),
        ] {
            let row = [reason.meaning().unwrap(), reason.todo().unwrap()];
            for told in [row.join(" "), reason.likely_causes().join(" ")] {
                assert!(of_channels.iter().all(|word| told.contains(word)), "{told}");
            }
        }
    }

    /// Apple: never retry these as they are. And only the two of 410 speak against the token's life.
    #[test]
    fn what_apple_forbids_to_retry_is_not_retried() {
        let again: Vec<Reason> =
            Reason::known().filter(|reason| reason.advice().unwrap().may_send_again()).collect();
        assert_eq!(
            again,
            [
                Reason::ExpiredProviderToken,
                Reason::IdleTimeout,
                Reason::InternalServerError,
                Reason::ServiceUnavailable,
                Reason::Shutdown,
                Reason::TooManyProviderTokenUpdates,
                Reason::TooManyRequests,
            ]
        );
        let deadly: Vec<Reason> =
            Reason::known().filter(|reason| reason.advice() == Some(Advice::RemoveToken)).collect();
        assert_eq!(deadly, [Reason::ExpiredToken, Reason::Unregistered]);
    }
}
