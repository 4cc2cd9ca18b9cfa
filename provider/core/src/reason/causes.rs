use super::Reason;

impl Reason {
    /// What usually lies behind this reason, each with what to do, the likeliest first; nothing for a reason
    /// that nobody knows.
    ///
    /// The order is that of what operators report (Apple, "Handling notification responses from APNs"; issue
    /// trackers of provider libraries).
    #[expect(clippy::too_many_lines, reason = "a table, whose completeness the compiler checks in this form")]
    pub fn likely_causes(&self) -> &'static [&'static str] {
        // No arm for the rest: a reason that joins the table has to say its causes.
        match self {
            Self::BadCertificate => &[
                "The certificate was revoked in the developer account: make a new one.",
                "It is a certificate for something else, such as signing: use one for push notifications.",
            ],
            Self::BadCertificateEnvironment => &[
                "A development certificate is used with production, or the reverse: use the other host.",
                "The certificate is for one environment only: an \"Apple Push Services\" certificate is for both.",
            ],
            Self::BadChannelId => &[
                "The channel ID was cut or changed on its way, or written in URL-safe base64: it is standard base64 with its padding.",
            ],
            Self::BadCollapseId => {
                &["The collapse ID has more than 64 bytes; it is bytes that count, not characters."]
            }
            Self::BadDeviceToken => &[
                "The device token is of the other environment: builds from Xcode have sandbox tokens, TestFlight, ad hoc and \
                 App Store builds have production tokens.",
                "The device token was cut or changed on its way: it is hexadecimal as the device got it, of even length.",
                "It is no token for this: a simulator's, a web token, or one of another kind, as for VoIP or Live Activities.",
            ],
            Self::BadEnvironmentKeyIdInToken | Self::BadEnvironmentKeyInToken => &[
                "The key is for one environment only, and this is the other: the account's page of keys says which.",
                "The host is not the one that was meant: production is api.push.apple.com, sandbox api.sandbox.push.apple.com.",
            ],
            Self::BadExpirationDate => &[
                "The expiration is in milliseconds, or no number: it is seconds since 1970, or 0.",
                "The broadcast's channel stores no messages: then it is 0.",
            ],
            Self::BadMessageId => &[
                "apns-id is no UUID of the form 8-4-4-4-12, or apns-request-id is not, in broadcasts and requests about channels.",
            ],
            Self::BadPath => &[
                "A proxy or a path prefix of one's own has changed the path, which is /3/device/<token> for pushes.",
                "For broadcasts it is /4/broadcasts/apps/<bundle ID>, about channels /1/apps/<bundle ID>/channels or /all-channels, \
                 with the bundle ID alone.",
            ],
            Self::BadPriority => {
                &["The priority is not 10, 5 or 1.", "A background push was not sent with priority 5."]
            }
            Self::BadRequestParams => &[
                "The body has a key that Apple does not know: to create a channel it has message-storage-policy and push-type.",
            ],
            Self::BadRequestPayload => &["The body was changed on its way: a proxy may have compressed it."],
            Self::BadTopic => &[
                "The topic is not a bundle ID, with the suffix of its push type: look for spaces, quotes and the team ID in it.",
            ],
            Self::CannotCreateChannelConfig => &[
                "Channels are created for each event and never deleted: list them, and delete those whose event is over.",
            ],
            Self::ChannelNotRegistered => &[
                "The channel was created in the other environment: each has channels of its own.",
                "The channel was deleted, or the app's broadcast capability was off for a while, which deletes them all.",
                "The channel is another app's.",
            ],
            Self::DeviceTokenNotForTopic => &[
                "The device token is of another app, or of another build of it with its own bundle ID.",
                "The token is of another kind: VoIP, complication and Live Activity tokens have topics with suffixes.",
                "The bundle ID is not written exactly as in the app: letters' case counts.",
            ],
            Self::DuplicateHeaders => &["A header is sent twice: a proxy or a wrapper may add its own."],
            Self::ExpiredProviderToken => &[
                "This machine's clock is wrong: APNs compares iat with its own.",
                "The same provider token was used for more than an hour: a new one is due before.",
                "iat is in milliseconds: it is seconds since 1970.",
            ],
            Self::ExpiredToken => {
                &["The device token has expired: the app gets a new one when it registers next."]
            }
            Self::FeatureNotEnabled => &[
                "The app's identifier has push notifications enabled but not their broadcast capability: the account's page of identifiers has it.",
            ],
            Self::Forbidden => {
                &["The key or certificate is not for this: the account's page says what it is enabled for."]
            }
            Self::IdleTimeout => {
                &["Nothing was sent on the connection for long: a new one is opened for the next push."]
            }
            Self::InternalServerError => {
                &["APNs failed: send again later; developer.apple.com/system-status says more."]
            }
            Self::InvalidProviderToken => &[
                "The team ID is wrong: it is the ten characters of the account's membership page, not a bundle ID prefix.",
                "The key ID is wrong, or another key's: it is in the file's name, AuthKey_<key ID>.p8.",
                "The key was revoked, or was not made for Apple Push Notifications service (APNs).",
                "The key is another team's than the app's.",
                "The token's form is wrong: `apns-provider token inspect` says how.",
            ],
            Self::InvalidPushType => &[
                "The push type does not fit the topic: all but alert, background and mdm have a suffix of their own.",
                "The push type does not fit the payload: a background push has content-available 1 and nothing to show.",
            ],
            Self::MethodNotAllowed => &[
                "The request is no POST, or about channels neither POST nor GET nor DELETE: a proxy may have changed it.",
            ],
            Self::MissingChannelId => &["A proxy may have dropped apns-channel-id."],
            Self::MissingChannelQueueSize => {
                &["The body's message-storage-policy is missing, or neither 0 nor 1."]
            }
            Self::MissingDeviceToken => &["The path ends behind /3/device/: the token is empty."],
            Self::MissingProviderToken => &[
                "Neither a provider token nor a certificate came: a proxy may drop `authorization`.",
                "The certificate was not presented in TLS: something in between ends TLS.",
            ],
            Self::MissingPushType => &["A proxy may have dropped apns-push-type."],
            Self::MissingTopic => {
                &["The certificate is for several topics, or a key is used: apns-topic is needed then."]
            }
            Self::PayloadEmpty => &["The request has no body."],
            Self::PayloadTooLarge => &[
                "The payload has more than 4096 bytes (VoIP: 5120) in UTF-8: shorten it, or let the app fetch the rest.",
            ],
            Self::ServiceUnavailable | Self::Shutdown => &[
                "This server of APNs is overloaded or leaving: send again on a new connection, with growing pauses.",
            ],
            Self::TooManyProviderTokenUpdates => &[
                "Several processes sign tokens of their own and share a connection or a key: use the same token for 20 minutes \
                 at least.",
                "A new token is signed for each push.",
            ],
            Self::TooManyRequests => {
                &["Too many pushes went to this one device token: pause for it, and send the latest only."]
            }
            Self::TopicDisallowed => &[
                "The bundle ID is not one of the team's: check it, and the team ID.",
                "The key is for certain topics only, and this is none of them: the account's page of keys says which.",
                "The certificate is another app's, or has not this suffix, such as .voip, among its topics.",
                "The app's identifier has no push notification capability.",
            ],
            Self::TopicMismatch => &[
                "The bundle ID is another team's, or mistyped.",
                "The path has a topic with its suffix where the bundle ID alone is meant.",
                "The key is for certain topics only, and this is none of them.",
            ],
            Self::UnrelatedKeyIdInToken => &[
                "Two keys share a connection: the first one used decides which others may be. Use one connection for each.",
            ],
            Self::Unregistered => &[
                "The app was removed from the device, or the device was erased.",
                "The user's device got a new token: the app sends it when it registers next.",
            ],
            Self::Unknown(_) => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_reason_has_causes_in_whole_sentences() {
        for reason in Reason::known() {
            assert!(!reason.likely_causes().is_empty(), "{reason}");
            for cause in reason.likely_causes() {
                assert!(cause.ends_with('.') && !cause.contains("  "), "{reason}: {cause}");
            }
        }
        assert!(Reason::from_wire("BrandNew2027").likely_causes().is_empty());
    }

    /// The four that operators ask about most, and what is mostly behind them.
    #[test]
    fn the_likeliest_cause_comes_first() {
        for (word, beginning) in [
            ("BadDeviceToken", "The device token is of the other environment"),
            ("InvalidProviderToken", "The team ID is wrong"),
            ("BadEnvironmentKeyIdInToken", "The key is for one environment only"),
            ("BadEnvironmentKeyInToken", "The key is for one environment only"),
            ("TopicDisallowed", "The bundle ID is not one of the team's"),
            ("ExpiredProviderToken", "This machine's clock is wrong"),
        ] {
            let causes = Reason::from_wire(word).likely_causes();
            assert!(causes.len() > 1 && causes[0].starts_with(beginning), "{word}: {causes:?}");
        }
    }
}
