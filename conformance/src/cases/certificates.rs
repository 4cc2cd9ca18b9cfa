//! Client certificates: what each is good for, and how bad ones are told.

use crate::{Case, Expected, Request};

const TAG: &str = "certificates";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = topics();
    cases.extend(kinds());
    cases.extend(bad());
    cases.extend(alerts());
    cases
}

fn case(id: &str, title: &str, certificate: &'static str, rows: &[&str]) -> Case {
    Case::new(TAG, format!("certificate-{id}"), title).with_certificate(certificate).rests_on(rows)
}

/// A good push that has no provider token.
fn push() -> Request {
    Request::good().without("authorization")
}

fn topics() -> Vec<Case> {
    let (default, many) = ("rule-certificate-default-topic", "rule-certificate-many-topics");
    let (listed, foreign) = ("rule-certificate-listed-topics", "rule-certificate-foreign-topic");
    let voip = || push().to("voip").with("apns-push-type", "voip").with("apns-topic", "{topic}.voip");
    let activity = push()
        .to("liveactivity")
        .with("apns-push-type", "liveactivity")
        .with("apns-topic", "{topic}.push-type.liveactivity");
    let first = "rule-certificate-before-token";
    vec![
        case("with-topic", "a push with the certificate's topic is accepted", "topic", &[listed])
            .accepted(push()),
        case("default-topic", "the certificate's topic need not be said", "topic", &[default])
            .accepted(push().without("apns-topic")),
        case(
            "other-app",
            "a topic that it does not list is refused",
            "topic",
            &[foreign, "reason-topic-disallowed"],
        )
        .refused(
            push().to("other-topic").with("apns-topic", "{topic:other}"),
            400,
            "TopicDisallowed",
        ),
        case("unlisted-voip", "a certificate of the app alone is not for VoIP", "topic", &[foreign]).refused(
            voip(),
            400,
            "TopicDisallowed",
        ),
        case(
            "live-activity",
            "no certificate is for Live Activities",
            "universal",
            &[foreign, "push-type-liveactivity"],
        )
        .refused(activity, 400, "TopicDisallowed"),
        case(
            "many-topics",
            "of several topics one has to be said",
            "universal",
            &[many, "reason-missing-topic"],
        )
        .refused(push().without("apns-topic"), 400, "MissingTopic"),
        case("listed-topic", "the app's topic is among several", "universal", &[listed]).accepted(push()),
        case("listed-voip", "the VoIP topic is among several", "universal", &[listed]).accepted(voip()),
        case("and-token", "a token beside a certificate is ignored", "topic", &[first])
            .accepted(Request::good()),
        case("and-bad-token", "a bad token beside a certificate is ignored", "topic", &[first])
            .accepted(push().with("authorization", "bearer nonsense")),
        case(
            "bad-device-token",
            "the checks behind the credentials are the same",
            "topic",
            &["reason-bad-device-token"],
        )
        .refused(push().with(":path", "/3/device/00ff"), 400, "BadDeviceToken"),
        case("payload-too-large", "the limits are the same", "topic", &["limit-payload"]).refused(
            push().body(crate::request::payload_of(4097)),
            413,
            "PayloadTooLarge",
        ),
    ]
}

fn kinds() -> Vec<Case> {
    let voip = push().to("voip").with("apns-push-type", "voip").with("apns-topic", "{topic}.voip");
    vec![
        case(
            "universal",
            "a certificate for both environments",
            "universal",
            &["rule-certificate-universal"],
        )
        .accepted(push()),
        case("voip-services", "a VoIP certificate is for VoIP", "voip", &["rule-certificate-listed-topics"])
            .accepted(voip.clone()),
        case(
            "voip-services-default",
            "its default topic is the VoIP one",
            "voip",
            &["rule-certificate-default-topic"],
        )
        .accepted(voip.without("apns-topic")),
        case(
            "voip-services-app",
            "a VoIP certificate is not for alerts",
            "voip",
            &["rule-certificate-foreign-topic"],
        )
        .refused(push(), 400, "TopicDisallowed"),
    ]
}

/// In TLS they are good; so it is HTTP/2 that tells.
fn bad() -> Vec<Case> {
    let environment = "reason-bad-certificate-environment";
    vec![
        case(
            "other-environment",
            "a certificate of the other environment is told by GOAWAY",
            "other-environment",
            &["rule-certificate-environment", environment, "check-certificate-fits-environment"],
        )
        .expect(Expected::GoAway { code: 0, reason: Some("BadCertificateEnvironment") }),
        case(
            "two-goaways",
            "that GOAWAY has last stream 0, and a second one follows",
            "other-environment",
            &["rule-certificate-two-goaways", environment],
        )
        .expect(Expected::TwoGoAways { reason: "BadCertificateEnvironment" }),
        case(
            "no-topics",
            "a certificate without topics is told by GOAWAY",
            "no-topics",
            &["rule-certificate-no-topics", "reason-bad-certificate", "rule-connection-goaway-json"],
        )
        .expect(Expected::GoAway { code: 0, reason: Some("BadCertificate") }),
    ]
}

fn alerts() -> Vec<Case> {
    [
        ("expired", "rule-certificate-expired", "an expired certificate"),
        ("not-yet-valid", "rule-certificate-not-yet-valid", "a certificate that is not yet valid"),
        ("revoked", "rule-certificate-revoked", "a revoked certificate"),
        ("foreign-ca", "rule-certificate-foreign-ca", "a certificate of another authority"),
    ]
    .map(|(name, row, what)| {
        case(name, &format!("{what} is refused in TLS"), name, &[row]).expect(Expected::Alert)
    })
    .to_vec()
}
