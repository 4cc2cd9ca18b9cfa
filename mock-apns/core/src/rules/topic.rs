//! Whether there is a topic, and whether these credentials may push to it.

use super::{Checking, Group, Rule, Subject, Verdict, headers, provider_token};
use crate::{FieldName, Reason, Topic};

const REQUEST_PAGE: &str = "Apple, \"Sending notification requests to APNs\"";
const RESPONSE_PAGE: &str = "Apple, \"Handling notification responses from APNs\"";

/// A certificate with one topic needs no header: that topic is meant.
pub(super) const TOPIC_IS_PRESENT: Rule = Rule {
    id: "topic-is-present",
    group: Group::Topic,
    title: "There is an apns-topic, or a certificate with one topic.",
    reason: Reason::MissingTopic,
    source: RESPONSE_PAGE,
    usual_mistake: "apns-topic was never needed with the old certificate, and is with a token or a universal one.",
    builds_on: &[],
    looks_at: Subject::Topic,
    check: topic_is_present,
};

/// An empty value is a value: malformed, not missing.
pub(super) const TOPIC_IS_WELL_FORMED: Rule = Rule {
    id: "topic-is-well-formed",
    group: Group::Topic,
    title: "apns-topic has the form of a bundle ID.",
    reason: Reason::BadTopic,
    source: RESPONSE_PAGE,
    usual_mistake: "A template's placeholder, a URL or an app's name is sent.",
    builds_on: &[&TOPIC_IS_PRESENT],
    looks_at: Subject::Topic,
    check: topic_is_well_formed,
};

/// A certificate may push to the topics that it lists, a key to those of its team's apps, or of the apps in its scope.
/// That Live Activities and location pushes need a token follows: no certificate lists their topics.
pub(super) const TOPIC_IS_ALLOWED: Rule = Rule {
    id: "topic-is-allowed",
    group: Group::Topic,
    title: "The topic is one that the certificate lists, or of an app in the key's scope.",
    reason: Reason::TopicDisallowed,
    source: "Apple, \"Handling notification responses from APNs\"; Live-Activities-Demo#1, Knuff#76",
    usual_mistake: "The app belongs to another team, or a certificate is used for a push type that it does not list.",
    builds_on: &[&provider_token::SIGNATURE_IS_GOOD, &TOPIC_IS_WELL_FORMED],
    looks_at: Subject::TopicAndScope,
    check: topic_is_allowed,
};

/// Observed since 2019-09-19 for `alert` and `background` on a `.voip` topic; that every other mismatch is refused alike
/// is our reading of the documented pairs.
pub(super) const PUSH_TYPE_FITS_TOPIC: Rule = Rule {
    id: "push-type-fits-topic",
    group: Group::Topic,
    title: "The topic's suffix is the one of apns-push-type.",
    reason: Reason::InvalidPushType,
    source: REQUEST_PAGE,
    usual_mistake: "apns-push-type is left at alert for a VoIP push, or the suffix is left off the topic.",
    builds_on: &[&headers::PUSH_TYPE_IS_KNOWN, &TOPIC_IS_ALLOWED],
    looks_at: Subject::PushTypeAndTopic,
    check: |checking| match (checking.push_type, checking.topic_kind()) {
        (Some(push_type), Some(kind)) => Verdict::require(push_type.token_kind() == kind),
        _ => Verdict::Pass,
    },
};

fn topic_is_present(checking: &mut Checking<'_>) -> Verdict {
    let has_header = checking.input.request.get(FieldName::ApnsTopic).is_some();
    Verdict::require(has_header || default_topic(checking).is_some())
}

fn topic_is_well_formed(checking: &mut Checking<'_>) -> Verdict {
    let value = checking.input.request.get(FieldName::ApnsTopic).or_else(|| default_topic(checking));
    checking.topic = value.and_then(Topic::parse);
    Verdict::require(checking.topic.is_some())
}

fn default_topic<'a>(checking: &Checking<'a>) -> Option<&'a [u8]> {
    checking.certificate()?.default_topic().map(str::as_bytes)
}

fn topic_is_allowed(checking: &mut Checking<'_>) -> Verdict {
    let (Some(topic), Some(team)) = (checking.topic, checking.team()) else { return Verdict::Refuse };
    checking.topic_owner = team.topic_owner(topic);
    let allowed = match (checking.certificate(), checking.key(), checking.topic_owner) {
        (Some(certificate), _, _) => certificate.topics.iter().any(|listed| listed == topic.as_str()),
        (None, Some(key), Some(owner)) => key.scope.allows_bundle_id(&owner.bundle_id),
        _ => false,
    };
    Verdict::require(allowed)
}

#[cfg(test)]
mod tests {
    use crate::{
        PushType, Reason,
        bench::{Bench, Jwt, certificate},
    };

    const DISALLOWED: Option<Reason> = Some(Reason::TopicDisallowed);

    #[test]
    fn topic_is_present() {
        let mut bench = Bench::new();
        let push = bench.push().without("apns-topic");
        assert_eq!(bench.reason(&push), Some(Reason::MissingTopic));
        bench.connect_with(&certificate("universal"));
        assert_eq!(bench.reason(&push), Some(Reason::MissingTopic));
        bench.connect_with(&certificate("development"));
        assert_eq!(bench.reason(&push), None);
    }

    #[test]
    fn topic_is_well_formed() {
        let mut bench = Bench::new();
        for topic in ["", "com.example app", "https://example.com", "com..app", "$(BUNDLE_ID)"] {
            let push = bench.push().with("apns-topic", topic);
            assert_eq!(bench.reason(&push), Some(Reason::BadTopic), "{topic}");
        }
    }

    #[test]
    fn topic_is_allowed_by_a_key() {
        let mut bench = Bench::new();
        for topic in ["com.stranger.app", "com.example", "com.other.app"] {
            let push = bench.push().with("apns-topic", topic);
            assert_eq!(bench.reason(&push), DISALLOWED, "{topic}");
        }
        // The second app is the team's, and not in the scope of the topic-specific key.
        let second = bench.push().with("apns-topic", "com.example.second");
        assert_eq!(bench.reason(&second), Some(Reason::DeviceTokenNotForTopic));
        bench.connect();
        let by_topic_key = second.signed_by(&Jwt { kid: "TOPICKEY01", ..Jwt::default() });
        assert_eq!(bench.reason(&by_topic_key), DISALLOWED);
    }

    #[test]
    fn topic_is_allowed_by_a_certificate() {
        let mut bench = Bench::new();
        bench.connect_with(&certificate("universal"));
        let push = bench.push();
        assert_eq!(bench.reason(&push), None);
        let liveactivity = push.with("apns-topic", "com.example.app.push-type.liveactivity");
        assert_eq!(bench.reason(&liveactivity.with("apns-push-type", "liveactivity")), DISALLOWED);
        bench.connect_with(&certificate("voip"));
        let push = bench.push();
        assert_eq!(bench.reason(&push), DISALLOWED);
    }

    #[test]
    fn push_type_fits_topic() {
        let mut bench = Bench::new();
        for &push_type in PushType::ALL {
            for &other in PushType::ALL {
                let topic = format!("com.example.app{}", other.token_kind().topic_suffix());
                let push = bench.push().with("apns-topic", &topic).with("apns-push-type", push_type.as_str());
                let mismatch = push_type.token_kind() != other.token_kind();
                let reason = bench.reason(&push);
                assert_eq!(reason == Some(Reason::InvalidPushType), mismatch, "{push_type:?} to {topic}");
                let untyped = push.without("apns-push-type");
                assert_ne!(bench.reason(&untyped), Some(Reason::InvalidPushType), "{topic}");
            }
        }
    }
}
