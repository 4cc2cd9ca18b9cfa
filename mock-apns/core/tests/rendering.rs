//! Whatever arrives at a device, it does something that can be told, and nothing panics.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use mock_apns_core::{
    BundleId, Priority, PushType, Timestamp, TokenKind,
    rendering::{Arrival, LOCALIZED_TEXT_BYTES_MAX, Rendering, Screen, Shown, Strings, Warning, render},
};
use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

/// The shapes that a control interface and a device gateway rely on.
#[test]
fn what_is_shown_serialises_with_its_type() {
    for (push_type, payload, expected) in [
        (
            PushType::Alert,
            json!({ "aps": { "alert": "Hello" } }),
            json!({ "type": "banner", "body": "Hello" }),
        ),
        (
            PushType::Alert,
            json!({ "aps": { "badge": 1 } }),
            json!({ "type": "badge-or-sound", "badge": 1, "wakes-app": false }),
        ),
        (PushType::Voip, json!({}), json!({ "type": "call" })),
        (PushType::PushToTalk, json!({}), json!({ "type": "push-to-talk" })),
        (PushType::Complication, json!({}), json!({ "type": "complication-update" })),
        (PushType::Location, json!({}), json!({ "type": "location-query" })),
        (
            PushType::FileProvider,
            json!({ "container-identifier": "root" }),
            json!({ "type": "file-provider-signal", "container-identifier": "root" }),
        ),
        (PushType::Mdm, json!({ "mdm": "magic" }), json!({ "type": "mdm-check-in", "push-magic": "magic" })),
        (
            PushType::Widgets,
            json!({ "aps": { "content-changed": true } }),
            json!({ "type": "reload", "what": "widgets" }),
        ),
        (PushType::Alert, json!({ "aps": {} }), json!({ "type": "nothing", "why": "nothing-to-show" })),
    ] {
        let (payload, strings) = (payload.to_string(), Strings::default());
        let rendering = render(&arrival(push_type, payload.as_bytes(), &strings));
        assert_eq!(serde_json::to_value(&rendering).unwrap(), json!({ "shown": expected, "warnings": [] }));
    }
}

#[test]
fn warnings_serialise_by_their_names() {
    let strings = Strings::default();
    let payload = br#"{"aps":{"content-available":1,"alert":"Hello"}}"#;
    let rendering = render(&arrival(PushType::Background, payload, &strings));
    let expected = json!({
        "shown": { "type": "wake" },
        "warnings": ["background-priority", "alert-on-background-push"],
    });
    assert_eq!(serde_json::to_value(&rendering).unwrap(), expected);
}

#[test]
fn strings_are_a_dictionary_of_formats() {
    let strings: Strings = serde_json::from_value(json!({ "GREETING": "%@ says hello" })).unwrap();
    assert_eq!(strings.get("GREETING"), Some("%@ says hello"));
    assert_eq!(serde_json::to_value(&strings).unwrap(), json!({ "GREETING": "%@ says hello" }));
}

proptest! {
    #[test]
    fn any_bytes_are_rendered(headers in headers(), payload in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&headers, &[payload], &Strings::default())?;
    }

    #[test]
    fn any_json_is_rendered(headers in headers(), payload in value()) {
        check(&headers, &[payload.to_string().into_bytes()], &Strings::default())?;
    }

    #[test]
    fn any_payload_that_is_nearly_right_is_rendered(
        headers in headers(),
        payloads in prop::collection::vec(payload(), 1..4),
        formats in prop::collection::btree_map(string(), "(%|%@|%1\\$@|%9*\\$@|%.{0,3}|.{0,3}){0,6}", 0..4),
    ) {
        let payloads: Vec<_> = payloads.iter().map(|payload| payload.to_string().into_bytes()).collect();
        check(&headers, &payloads, &formats.into_iter().collect())?;
    }
}

type Headers = (TokenKind, Option<PushType>, Option<Priority>, Option<Vec<u8>>, bool, Option<u32>);

/// Renders the payloads one by one and on one screen, and looks at what can be said of every rendering.
fn check(headers: &Headers, payloads: &[Vec<u8>], strings: &Strings) -> Result<(), TestCaseError> {
    let (kind, push_type, priority, collapse_id, permission, activity) = headers;
    let mut screen = Screen::default();
    for payload in payloads {
        let arrival = Arrival {
            kind: *kind,
            push_type: *push_type,
            priority: *priority,
            collapse_id: collapse_id.as_deref(),
            payload,
            permission: *permission,
            strings,
            activity: *activity,
        };
        let rendering = render(&arrival);
        prop_assert_eq!(&rendering, &render(&arrival));
        prop_assert_eq!(push_type.is_none(), rendering.warnings.contains(&Warning::NoPushType));
        let visible = matches!(rendering.shown, Shown::Banner(_) | Shown::BadgeOrSound { .. });
        prop_assert!(*permission || !visible);
        look_at(&rendering)?;
        let shown = screen.arrive(Timestamp::from_secs(1), &app(), &arrival);
        look_at(&shown)?;
        prop_assert_eq!(rendering.warnings, shown.warnings);
    }
    prop_assert!(screen.notifications().len() <= payloads.len());
    prop_assert_eq!(
        screen.threads().iter().map(|it| it.notifications.len()).sum::<usize>(),
        screen.notifications().len()
    );
    serde_json::to_string(&screen.notifications().collect::<Vec<_>>()).unwrap();
    serde_json::to_string(&screen.activities().collect::<Vec<_>>()).unwrap();
    Ok(())
}

fn look_at(rendering: &Rendering) -> Result<(), TestCaseError> {
    prop_assert!(!rendering.to_string().is_empty());
    prop_assert!(serde_json::to_value(rendering).unwrap()["shown"]["type"].is_string());
    if let Shown::Banner(banner) = &rendering.shown {
        for text in [&banner.title, &banner.subtitle, &banner.body].into_iter().flatten() {
            prop_assert!(!text.is_empty() && text.len() <= LOCALIZED_TEXT_BYTES_MAX);
        }
    }
    Ok(())
}

fn headers() -> impl Strategy<Value = Headers> {
    let priority = select(vec![Priority::PowerFirst, Priority::PowerConsiderate, Priority::Immediate]);
    // Mostly a push type that goes with the token, so that the payload is looked at.
    let fitting = select(PushType::ALL).prop_map(|it| (it.token_kind(), Some(it)));
    let whatever = (select(TokenKind::ALL), prop::option::of(select(PushType::ALL)));
    (
        prop_oneof![4 => fitting, 1 => whatever],
        prop::option::of(priority),
        prop::option::of(prop::collection::vec(any::<u8>(), 0..70)),
        any::<bool>(),
        prop::option::of(any::<u32>()),
    )
        .prop_map(|((kind, push_type), priority, collapse_id, permission, activity)| {
            (kind, push_type, priority, collapse_id, permission, activity)
        })
}

/// A payload with documented keys, whose values are sometimes right.
fn payload() -> impl Strategy<Value = Value> {
    let aps = dictionary(&[
        "alert",
        "badge",
        "sound",
        "thread-id",
        "category",
        "content-available",
        "mutable-content",
        "interruption-level",
        "relevance-score",
        "event",
        "timestamp",
        "content-state",
        "stale-date",
        "dismissal-date",
        "attributes-type",
        "attributes",
        "input-push-token",
        "content-changed",
    ]);
    (aps, value()).prop_map(|(aps, other)| json!({ "aps": aps, "mdm": other, "container-identifier": other }))
}

fn dictionary(keys: &[&'static str]) -> impl Strategy<Value = Value> + use<> {
    let alert = &["title", "body", "loc-key", "loc-args", "title-loc-key", "title-loc-args", "sound", "name"];
    let inner = prop::collection::vec((select(alert.to_vec()), value()), 0..6).prop_map(object);
    prop::collection::vec((select(keys.to_vec()), prop_oneof![value(), inner]), 0..18).prop_map(object)
}

fn object(pairs: Vec<(&'static str, Value)>) -> Value {
    Value::Object(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        select(vec![0, 1, 5, 1_700_000_000]).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        string().prop_map(Value::from),
        select(vec!["start", "update", "end", "passive", "default", "%@ %2$@"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(string(), inner, 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn string() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c]", "\\PC{0,8}", "(%|\\$|@|[0-9]|é){0,8}"]
}

fn arrival<'a>(push_type: PushType, payload: &'a [u8], strings: &'a Strings) -> Arrival<'a> {
    Arrival {
        kind: push_type.token_kind(),
        push_type: Some(push_type),
        priority: None,
        collapse_id: None,
        payload,
        permission: true,
        strings,
        activity: None,
    }
}

fn app() -> BundleId {
    BundleId::parse("com.example.app").unwrap()
}
