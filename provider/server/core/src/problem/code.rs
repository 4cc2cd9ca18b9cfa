//! Every error the API knows: one table.

/// Declares [`Code`]: name, status, what it means, and what usually helps.
macro_rules! codes {
    ($($variant:ident $name:literal $status:literal $meaning:literal, $hint:literal;)*) => {
        /// Why the API did not do what it was asked: of a closed list, whose names do not change.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Code {
            $(#[doc = $meaning] $variant,)*
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The HTTP status of the answer.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// What it says, in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }

            /// What to do, unless something better is known.
            pub const fn hint(self) -> &'static str {
                match self { $(Self::$variant => $hint,)* }
            }
        }
    };
}

// What belongs to somebody else is answered as what never was: there is no `forbidden` for apps, devices or notifications.
codes! {
    BadJson "bad-json" 400 "The body is not JSON.", "Send one JSON object; the message says where it goes wrong.";
    BadField "bad-field" 400 "Fields of the body are unknown, missing or wrong.",
        "`fields` lists them; /v1/openapi.json has the fields that there are.";
    BadParameter "bad-parameter" 400 "A parameter of the path, the query or a header is unknown, missing or wrong.",
        "`fields` lists them; /v1/openapi.json has the parameters that there are.";
    BadCursor "bad-cursor" 400 "A cursor is none that was ever given out.",
        "Use a cursor as it came, or leave it out to begin at the beginning.";
    Unauthorized "unauthorized" 401 "There is no API key, or none that is known.",
        "Send authorization: Bearer <key>; `apns-provider admin keys` makes one.";
    NotAllowed "not-allowed" 403 "The API key's roles do not include this.",
        "The message names the permission; use a key with a role that has it.";
    UnknownPath "unknown-path" 404 "There is nothing at this path.", "See /v1/openapi.json for the paths that there are.";
    UnknownApp "unknown-app" 404 "There is no such app.", "GET /v1/apps lists those there are; PUT /v1/apps/<bundle ID> adds one.";
    UnknownCampaign "unknown-campaign" 404 "There is no such campaign.", "GET …/campaigns lists those there are.";
    UnknownChannel "unknown-channel" 404 "There is no such channel.", "GET …/channels lists those there are.";
    UnknownCredential "unknown-credential" 404 "The app has no credential for this environment.",
        "GET …/credentials lists those there are.";
    UnknownDeadLetter "unknown-dead-letter" 404 "There is no such dead letter.", "GET …/dead-letters lists those there are.";
    UnknownDevice "unknown-device" 404 "There is no such device in this app and environment.",
        "A token is known from its registration until it is removed or APNs finds it dead. Is the environment right?";
    UnknownKey "unknown-key" 404 "There is no such API key.", "GET /v1/keys lists those there are.";
    UnknownNotification "unknown-notification" 404 "There is no such notification.",
        "Notifications are kept for a while after they are finished; then they are forgotten.";
    UnknownTemplate "unknown-template" 404 "There is no such template.", "GET …/templates lists those there are.";
    UnknownTenant "unknown-tenant" 404 "There is no such tenant.",
        "GET /v1/tenants lists those there are, for an operator; a tenant's own key needs to name none.";
    UnknownUser "unknown-user" 404 "No device is registered for this user.", "A user is there while a device is.";
    UnknownWebhook "unknown-webhook" 404 "There is no such webhook.", "GET /v1/webhooks lists those there are.";
    MethodNotAllowed "method-not-allowed" 405 "The path is right and the method is not.",
        "See /v1/openapi.json for the methods that there are.";
    Conflict "conflict" 409 "What is there does not go together with what was asked for.", "The message says what is there.";
    IdempotencyKeyReused "idempotency-key-reused" 409 "The idempotency key was used for a request that was not this one.",
        "Use a new key for each thing to be done, and the same one only to send the same request again.";
    NoCredential "no-credential" 409 "The app has no credential for this environment.",
        "PUT /v1/apps/<bundle ID>/credentials/<environment> with a key or a certificate.";
    BodyTooLarge "body-too-large" 413 "The body is larger than this path takes.", "The message says how large it may be.";
    QueueFull "queue-full" 429 "As much is queued as may be.", "Come back after `retry-after`; nothing of this request was kept.";
    RateLimited "rate-limited" 429 "This was asked for more often than it may be.",
        "Come back after `retry-after`; the message says what is limited.";
    Internal "internal" 500 "Something broke that should not.", "This is a bug of the server: please report it, with its log.";
    ApnsRefused "apns-refused" 502 "APNs did not do what it was asked.",
        "The message has APNs' reason and what to do about it.";
    ApnsUnclear "apns-unclear" 502 "Nobody knows whether APNs did what it was asked.", "Look what there is before you ask again.";
    ApnsUnreachable "apns-unreachable" 503 "APNs could not be asked.", "Come back after `retry-after`; nothing was done.";
    Draining "draining" 503 "The server is about to stop.", "Send again: another process, or this one when it is back, will take it.";
    NotTaking "not-taking" 503 "No notifications are taken for now: the operator has said so.",
        "Come back after `retry-after`; nothing of this request was kept.";
    Overloaded "overloaded" 503 "As many requests are being answered as can be at once.",
        "Come back after `retry-after`; nothing of this request was looked at.";
    StoreBehind "store-behind" 503 "The database does not keep up, or cannot be reached.",
        "Come back after `retry-after`; nothing of this request was kept.";
    StoreFull "store-full" 503 "The disk of the database is full.", "Make room on it; nothing of this request was kept.";
    TimedOut "timed-out" 504 "The answer took too long.",
        "Whether it was done is not known: look, or send it again under the same idempotency key.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_in_kebab_case() {
        let names: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for name in names {
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
        }
    }

    #[test]
    fn each_says_what_is_wrong_and_what_to_do() {
        for code in Code::ALL {
            assert!((400..=599).contains(&code.status()), "{code:?}");
            assert!(code.meaning().ends_with('.') && code.hint().ends_with(['.', '?']), "{code:?}");
        }
    }
}
