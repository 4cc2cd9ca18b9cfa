//! Every reason of the device API, earned as simply as it can be; those of a bad day by a fault of a double.

use apns_spec::{ReasonRow, Spec};

use crate::{Arrangement, Case, Expected, Iat, Jwt, Request, Step, request::payload_of};

const TAG: &str = "reasons";

/// How a push earns a reason.
type Earning = fn(Request) -> Request;

const EARNED: &[(&str, Earning)] = &[
    ("BadCollapseId", |push| push.with("apns-collapse-id", &"x".repeat(65))),
    ("BadDeviceToken", |push| push.with(":path", "/3/device/00ff")),
    ("BadExpirationDate", |push| push.with("apns-expiration", "never")),
    ("BadMessageId", |push| push.with("apns-id", "1")),
    ("BadPriority", |push| push.with("apns-priority", "3")),
    ("BadTopic", |push| push.with("apns-topic", "my app")),
    ("DeviceTokenNotForTopic", |push| push.to("other-topic")),
    ("DuplicateHeaders", |push| push.and("apns-topic", "{topic}")),
    ("InvalidPushType", |push| push.with("apns-push-type", "push")),
    ("MissingDeviceToken", |push| push.with(":path", "/3/device/")),
    ("MissingTopic", |push| push.without("apns-topic")),
    ("PayloadEmpty", |push| push.body("")),
    ("TopicDisallowed", |push| push.with("apns-topic", "com.stranger.app")),
    ("ExpiredProviderToken", |push| push.signed(Jwt { iat: Iat::Ago(2 * 3600), ..Jwt::default() })),
    ("InvalidProviderToken", |push| push.with("authorization", "bearer nonsense")),
    ("MissingProviderToken", |push| push.without("authorization")),
    ("BadEnvironmentKeyInToken", |push| push.signed(Jwt { key: "other-environment", ..Jwt::default() })),
    ("BadPath", |push| push.with(":path", "/")),
    ("MethodNotAllowed", |push| push.with(":method", "GET")),
    ("ExpiredToken", |push| {
        push.to("expired")
            .with("apns-push-type", "liveactivity")
            .with("apns-topic", "{topic}.push-type.liveactivity")
    }),
    ("Unregistered", |push| push.to("unregistered")),
    ("PayloadTooLarge", |push| push.body(payload_of(5000))),
];

/// Reasons that no push earns by itself: a double is asked for a fault that meets this push alone.
const ARRANGED: &[&str] =
    &["Forbidden", "TooManyRequests", "InternalServerError", "ServiceUnavailable", "Shutdown"];

pub(super) fn cases(spec: &Spec) -> Vec<Case> {
    spec.reasons().iter().filter_map(of_row).collect()
}

fn of_row(row: &ReasonRow) -> Option<Case> {
    let (reason, status) = (row.reason.as_str(), row.status);
    let case =
        Case::new(TAG, row.id.clone(), format!("{reason} is answered with {status}")).rests_on(&[&row.id]);
    if reason == "IdleTimeout" {
        return Some(idle_timeout(case));
    }
    if let Some((_, earn)) = EARNED.iter().find(|(earned, _)| *earned == reason) {
        return Some(case.refused(earn(Request::good()), status, reason));
    }
    let number = ARRANGED.iter().position(|arranged| *arranged == reason)?;
    let apns_id = format!("00000000-0000-4000-8000-{number:012}");
    let fault = format!(
        r#"{{"name":"conformance-{}","match":{{"apns-id":"{apns_id}"}},"action":{{"answer":{{"status":{status},"reason":"{reason}"}}}}}}"#,
        row.id
    );
    let case = arrange(case, format!("conformance-{}", row.id), fault);
    Some(case.refused(Request::good().with("apns-id", &apns_id), status, reason))
}

/// It comes in a GOAWAY, when a connection has been idle for a time that nobody knows.
fn idle_timeout(case: Case) -> Case {
    const APNS_ID: &str = "00000000-0000-4000-8000-000000000099";
    let fault = format!(
        r#"{{"name":"conformance-idle","match":{{"apns-id":"{APNS_ID}"}},"action":{{"goaway":{{"reason":"IdleTimeout"}}}}}}"#
    );
    arrange(case, "conformance-idle".to_owned(), fault)
        .rests_on(&["rule-connection-goaway-json"])
        .step(Step::Send(Request::good().with("apns-id", APNS_ID)))
        .expect(Expected::GoAway { code: 0, reason: Some("IdleTimeout") })
}

fn arrange(mut case: Case, name: String, fault: String) -> Case {
    case.arranged.push(Arrangement { name, fault });
    case.tagged("control")
}
