//! Whether the device token is one, is known, and leads to the topic.

use super::{Checking, Group, Rule, Subject, Verdict, path, provider_token, topic};
use crate::{
    Reason, TokenStatus,
    device_token::{TokenBytes, TokenIdentity},
    team::Team,
};

const RESPONSE_PAGE: &str = "Apple, \"Handling notification responses from APNs\"";

/// What an empty variable in a template makes of the path.
pub(super) const DEVICE_TOKEN_IS_PRESENT: Rule = Rule {
    id: "device-token-is-present",
    group: Group::DeviceToken,
    title: "There is a device token in the path.",
    reason: Reason::MissingDeviceToken,
    source: RESPONSE_PAGE,
    usual_mistake: "The device's row has no token, and an empty text was put into the path.",
    builds_on: &[&path::PATH_IS_KNOWN],
    looks_at: Subject::DeviceTokenDigits,
    check: |checking| Verdict::require(!checking.device_token_digits.is_empty()),
};

/// Either case, any even number of digits up to 200: Apple says not to rely on a length.
pub(super) const DEVICE_TOKEN_IS_HEX: Rule = Rule {
    id: "device-token-is-hex",
    group: Group::DeviceToken,
    title: "The device token is an even number of hexadecimal digits, at most 200.",
    reason: Reason::BadDeviceToken,
    source: "Apple, \"Registering your app with APNs\"",
    usual_mistake: "The token is sent in base64, as an FCM token, or as it was printed: with spaces and brackets.",
    builds_on: &[&DEVICE_TOKEN_IS_PRESENT],
    looks_at: Subject::DeviceTokenDigits,
    check: |checking| {
        checking.device_token = TokenBytes::from_hex(checking.device_token_digits).ok();
        Verdict::require(checking.device_token.is_some())
    },
};

/// A token that no device of the team got is refused like a malformed one.
pub(super) const DEVICE_TOKEN_IS_KNOWN: Rule = Rule {
    id: "device-token-is-known",
    group: Group::DeviceToken,
    title: "The device token was given to an app of the team.",
    reason: Reason::BadDeviceToken,
    source: RESPONSE_PAGE,
    usual_mistake: "The token is made up, or comes from another team's app.",
    builds_on: &[&provider_token::SIGNATURE_IS_GOOD, &DEVICE_TOKEN_IS_HEX],
    looks_at: Subject::DeviceToken,
    check: |checking| {
        let token = checking.device_token.as_ref().map(TokenBytes::as_slice);
        checking.identity = checking.team().zip(token).and_then(|(team, token)| team.identify(token));
        Verdict::require(checking.identity.is_some())
    },
};

/// The most frequent mistake of all: a build from Xcode has a sandbox token.
pub(super) const DEVICE_TOKEN_FITS_ENVIRONMENT: Rule = Rule {
    id: "device-token-fits-environment",
    group: Group::DeviceToken,
    title: "The device token is of the environment that the push goes to.",
    reason: Reason::BadDeviceToken,
    source: RESPONSE_PAGE,
    usual_mistake: "A development build's token is used with api.push.apple.com, or TestFlight's with the sandbox.",
    builds_on: &[&DEVICE_TOKEN_IS_KNOWN],
    looks_at: Subject::DeviceTokenEnvironment,
    check: |checking| {
        Verdict::require(checking.identity.is_some_and(|it| it.environment == checking.environment))
    },
};

/// An app's tokens are of several kinds, and each kind has a topic of its own.
pub(super) const DEVICE_TOKEN_IS_FOR_TOPIC: Rule = Rule {
    id: "device-token-is-for-topic",
    group: Group::DeviceToken,
    title: "The device token is of the topic's app, and of the kind that its suffix names.",
    reason: Reason::DeviceTokenNotForTopic,
    source: RESPONSE_PAGE,
    usual_mistake: "Tokens of two apps, or an app's alert and VoIP tokens, are kept in one column.",
    builds_on: &[&topic::TOPIC_IS_ALLOWED, &DEVICE_TOKEN_IS_KNOWN],
    looks_at: Subject::DeviceTokenAndTopic,
    check: |checking| {
        let owner = checking.topic_owner.map(|owner| (owner.app, owner.kind));
        Verdict::require(checking.identity.is_some_and(|it| owner == Some((it.app, it.kind))))
    },
};

/// The answer tells since when, in milliseconds.
pub(super) const DEVICE_TOKEN_IS_REGISTERED: Rule = Rule {
    id: "device-token-is-registered",
    group: Group::DeviceToken,
    title: "The device token is active for the topic.",
    reason: Reason::Unregistered,
    source: RESPONSE_PAGE,
    usual_mistake: "A token that was answered with 410 before is kept and used again.",
    builds_on: &[&DEVICE_TOKEN_IS_KNOWN],
    looks_at: Subject::DeviceTokenStatus,
    check: |checking| {
        let now = checking.now();
        checking.token_status = token(checking).map(|(team, token)| team.status_of(&token, now));
        Verdict::require(!matches!(checking.token_status, Some(TokenStatus::Unregistered { .. })))
    },
};

/// Seen for Live Activities that have ended. The answer tells since when, in milliseconds.
pub(super) const DEVICE_TOKEN_IS_NOT_EXPIRED: Rule = Rule {
    id: "device-token-is-not-expired",
    group: Group::DeviceToken,
    title: "The device token has not expired.",
    reason: Reason::ExpiredToken,
    source: "Apple, \"Handling notification responses from APNs\"; APNSwift#231",
    usual_mistake: "A Live Activity is updated after its end.",
    builds_on: &[&DEVICE_TOKEN_IS_REGISTERED],
    looks_at: Subject::DeviceTokenStatus,
    check: |checking| Verdict::require(!matches!(checking.token_status, Some(TokenStatus::Expired { .. }))),
};

/// A token bucket, which accepted pushes empty and time fills: no dice. Its size and speed are settings, as Apple
/// publishes neither.
pub(super) const DEVICE_TOKEN_IS_NOT_FLOODED: Rule = Rule {
    id: "device-token-is-not-flooded",
    group: Group::DeviceToken,
    title: "Not more pushes are sent to one device token than the settings device-token-burst and -refill allow.",
    reason: Reason::TooManyRequests,
    source: "Apple, \"Handling notification responses from APNs\", \"Troubleshooting push notifications\"",
    usual_mistake: "One device is told of every single change, or a retry loop has no pause.",
    builds_on: &[&DEVICE_TOKEN_IS_KNOWN],
    looks_at: Subject::DeviceTokenRate,
    check: |checking| {
        let Some((team, token)) = token(checking) else { return Verdict::Pass };
        let (limit, now) = (team.settings().flood_limit(), checking.now());
        if limit.burst == 0 {
            return Verdict::Pass;
        }
        let full_at = team.installation(&token).1.flood(token.kind, token.activity);
        Verdict::require(limit.next_at(full_at, now) <= now)
    },
};

/// The device token, and the team whose it is.
fn token<'a>(checking: &Checking<'a>) -> Option<(&'a Team, TokenIdentity)> {
    checking.team().zip(checking.identity)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::{
        DeviceToken, Environment, Reason, Timestamp, TokenStatus,
        bench::{Bench, TEAM, TOKEN, VOIP_TOKEN},
    };

    fn reason_for(token: &str) -> Option<Reason> {
        let mut bench = Bench::new();
        let push = bench.push().with(":path", &format!("/3/device/{token}"));
        bench.reason(&push)
    }

    #[test]
    fn device_token_is_present() {
        assert_eq!(reason_for(""), Some(Reason::MissingDeviceToken));
    }

    #[test]
    fn device_token_is_hex() {
        assert_eq!(reason_for(&TOKEN.to_uppercase()), None);
        for token in ["abc", "zz", "<00ff>", "00 ff", "?token=00ff", &"a".repeat(202)] {
            assert_eq!(reason_for(token), Some(Reason::BadDeviceToken), "{token}");
        }
    }

    #[test]
    fn device_token_is_known() {
        assert_eq!(reason_for("00ff"), Some(Reason::BadDeviceToken));
        assert_eq!(reason_for(&TOKEN[2..]), Some(Reason::BadDeviceToken));
    }

    #[test]
    fn device_token_fits_environment() {
        let mut bench = Bench::new();
        let production = bench.push().with(":authority", "api.push.apple.com");
        assert_eq!(bench.reason(&production), Some(Reason::BadDeviceToken));
        bench.register(Environment::Production);
        assert_eq!(bench.reason(&production), None);
        let sandbox = bench.push();
        assert_eq!(bench.reason(&sandbox), Some(Reason::BadDeviceToken));
    }

    #[test]
    fn device_token_is_for_topic() {
        let mut bench = Bench::new();
        let other_app = bench.push().with("apns-topic", "com.example.second");
        assert_eq!(bench.reason(&other_app), Some(Reason::DeviceTokenNotForTopic));
        let voip = bench.push().with("apns-topic", "com.example.app.voip").with("apns-push-type", "voip");
        assert_eq!(bench.reason(&voip), Some(Reason::DeviceTokenNotForTopic));
        assert_eq!(bench.reason(&voip.with(":path", &format!("/3/device/{VOIP_TOKEN}"))), None);
    }

    #[test]
    fn a_dead_token_is_told_with_its_timestamp() {
        let since = Timestamp::from_millis(1_508_249_865_488);
        for (status, reason) in [
            (TokenStatus::Unregistered { since }, Reason::Unregistered),
            (TokenStatus::Expired { since }, Reason::ExpiredToken),
        ] {
            let mut bench = Bench::new();
            let token = DeviceToken::from_hex(TOKEN.as_bytes()).unwrap();
            assert!(bench.team_at().set_token_status(&token, status));
            let push = bench.push();
            let answer = bench.answer(&push);
            assert_eq!((answer.reason, answer.timestamp), (Some(reason), Some(since)));
            // Which topic it is dead for comes first.
            let other_app = bench.push().with("apns-topic", "com.example.second");
            assert_eq!(bench.reason(&other_app), Some(Reason::DeviceTokenNotForTopic));
        }
    }
    #[test]
    fn device_token_is_not_flooded() {
        let mut bench = Bench::new();
        bench.set(TEAM, "device-token-burst", "3");
        bench.set(TEAM, "device-token-refill", "500");
        let push = bench.push();
        let answers = |bench: &mut Bench| [(); 5].map(|()| bench.reason(&push));
        let flooded = Some(Reason::TooManyRequests);
        assert_eq!(answers(&mut bench), [None, None, None, flooded, flooded]);
        bench.now = bench.now.saturating_add(Duration::from_secs(1));
        assert_eq!(answers(&mut bench), [None, None, flooded, flooded, flooded]);
        // Another token of the same app is another bucket.
        let voip = bench.push().with(":path", &format!("/3/device/{VOIP_TOKEN}"));
        let voip = voip.with("apns-topic", "com.example.app.voip").with("apns-push-type", "voip");
        assert_eq!(bench.reason(&voip), None);
    }
}
