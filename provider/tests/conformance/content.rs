//! Checklist G: what is wrong is told before a byte goes out, and what is right arrives as it was meant.

use std::time::Duration;

use apns_provider::{
    BuildError, ClientBuilder,
    core::{
        AlertNotification, ApnsId, BackgroundNotification, BundleId, CollapseId, DeviceToken, DispatchPolicy,
        Expiration, InvalidBundleId, InvalidCollapseId, InvalidDeviceToken, InvalidDispatchPolicy,
        InvalidExpiration, InvalidNotification, LiveActivityStart, LiveActivityUpdate, Notification, Outcome,
        Priority, Push, PushType, Topic, UnixTime, VoipNotification,
    },
};
use serde_json::json;
use tokio::{join, time::timeout};
use tracing::Level;

use crate::{
    frames::headers,
    logs::Logs,
    raw_server::{RawRequest, RawServer},
    world::{World, hello, some_token},
};

/// The one request of a push that is accepted, as it came.
async fn arrives(notification: Notification, device_token: DeviceToken) -> RawRequest {
    let server = RawServer::start().await;
    let client = server.builder().build().unwrap();
    let answers = async {
        let mut peer = server.greeted(&[]).await;
        let request = peer.request().await;
        peer.accepts(request.stream).await;
        request
    };
    let (outcome, request) = join!(client.send(notification, device_token), answers);
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    request
}

fn app() -> BundleId {
    BundleId::parse("com.example.app").unwrap()
}

fn raw(
    push_type: PushType,
    topic: &str,
    payload: impl Into<String>,
) -> Result<Notification, InvalidNotification> {
    Notification::raw(push_type, Topic::parse(topic).unwrap(), payload.into()).build()
}

/// An alert whose payload has so many bytes, and characters that are longer than a byte.
fn of_size(bytes: usize) -> String {
    let (head, tail) = (r#"{"aps":{"alert":""#, r#""}}"#);
    let room = bytes - head.len() - tail.len();
    format!("{head}{}{}{tail}", "é".repeat(room / 2), "x".repeat(room % 2))
}

#[tokio::test]
async fn c64_what_does_not_go_together_is_refused_by_name_and_nobody_is_called() {
    use InvalidNotification::{
        MissingContentAvailable, NotSilent, PriorityNotAllowed, TopicSuffixMissing, TopicSuffixOfOtherType,
    };
    type Is = fn(&InvalidNotification) -> bool;
    let silent = r#"{"aps":{"content-available":1}}"#;
    let loud = r#"{"aps":{"content-available":1,"alert":"Hi"}}"#;
    let urgent = |push_type, topic: &str, payload: &'static str| {
        Notification::raw(push_type, Topic::parse(topic).unwrap(), payload)
            .priority(Priority::Immediate)
            .build()
    };
    let mut cases: Vec<(Result<Notification, InvalidNotification>, Is)> = vec![
        (raw(PushType::Background, "com.example.app", loud), |error| matches!(error, NotSilent { .. })),
        (raw(PushType::Background, "com.example.app", "{}"), |error| {
            matches!(error, MissingContentAvailable)
        }),
        (urgent(PushType::Background, "com.example.app", silent), |error| {
            matches!(error, PriorityNotAllowed { .. })
        }),
        (raw(PushType::Alert, "com.example.app.voip", of_size(50)), |error| {
            matches!(error, TopicSuffixOfOtherType { .. })
        }),
    ];
    for push_type in [
        PushType::Voip,
        PushType::Complication,
        PushType::FileProvider,
        PushType::Location,
        PushType::LiveActivity,
        PushType::PushToTalk,
        PushType::Widgets,
        PushType::Controls,
    ] {
        cases.push((raw(push_type, "com.example.app", r#"{"aps":{}}"#), |error| {
            matches!(error, TopicSuffixMissing { .. })
        }));
    }
    for (built, is_right) in cases {
        let error = built.unwrap_err();
        assert!(is_right(&error), "{error:?}");
    }
    let request = arrives(BackgroundNotification::new(app()).build().unwrap(), some_token()).await;
    assert_eq!(
        (request.field("apns-push-type"), request.field("apns-priority")),
        (Some("background"), Some("5"))
    );
    let voip = VoipNotification::new(app()).custom("caller", "Ada").build().unwrap();
    assert_eq!(arrives(voip, some_token()).await.field("apns-topic"), Some("com.example.app.voip"));
}

#[tokio::test]
async fn c65_sizes_are_counted_in_bytes_to_the_last_one() {
    for (push_type, topic, limit) in
        [(PushType::Alert, "com.example.app", 4096), (PushType::Voip, "com.example.app.voip", 5120)]
    {
        let fits = of_size(limit);
        assert!(fits.len() == limit && fits.chars().count() < limit);
        let request = arrives(raw(push_type, topic, fits.clone()).unwrap(), some_token()).await;
        assert_eq!(request.body, fits.as_bytes());
        let error = raw(push_type, topic, of_size(limit + 1)).unwrap_err();
        assert_eq!(error, InvalidNotification::PayloadTooLarge { push_type, len: limit + 1, limit });
    }
    let collapse_id = "x".repeat(64);
    assert!(matches!(CollapseId::parse(&"é".repeat(33)), Err(InvalidCollapseId::TooLong { len: 66 })));
    let longest = "AB".repeat(100);
    let notification = AlertNotification::new(app())
        .alert("Hi")
        .collapse_id(CollapseId::parse(&collapse_id).unwrap())
        .expiration(Expiration::ONCE)
        .build()
        .unwrap();
    let request = arrives(notification, DeviceToken::from_hex(&longest).unwrap()).await;
    assert_eq!(request.field(":path"), Some(&*format!("/3/device/{}", longest.to_lowercase())));
    assert_eq!(request.field("apns-collapse-id"), Some(&*collapse_id));
    assert_eq!(request.field("apns-expiration"), Some("0"));
}

#[tokio::test]
async fn c65_misuse_is_a_typed_error_and_nobody_is_called() {
    assert_eq!(DeviceToken::from_hex(""), Err(InvalidDeviceToken::Empty));
    assert_eq!(DeviceToken::from_hex("00 fc"), Err(InvalidDeviceToken::NotHex { at: 2 }));
    assert_eq!(DeviceToken::from_hex(&"a".repeat(202)), Err(InvalidDeviceToken::TooLong { len: 202 }));
    assert!(matches!(Topic::parse("com.example app"), Err(InvalidBundleId::Character { .. })));
    assert!(Topic::parse("").is_err());
    assert!(matches!(
        AlertNotification::new(app()).alert("x".repeat(5 * 1024).as_str()).build(),
        Err(InvalidNotification::PayloadTooLarge { .. })
    ));
    assert!(matches!(Expiration::at_secs(1_700_000_000_000), Err(InvalidExpiration::TooFar { .. })));
    assert_eq!(
        DispatchPolicy::default().with_connections(0..=0).unwrap_err(),
        InvalidDispatchPolicy::Connections { min: 0, max: 0 }
    );
    let server = RawServer::start().await;
    let build_error = |builder: ClientBuilder| builder.build().unwrap_err();
    assert_eq!(build_error(server.builder().in_hand_max(0)), BuildError::InHand(0));

    // What is over before it begins costs not even a connection.
    let client = server.builder().build().unwrap();
    let over = Expiration::at_secs(1_600_000_000).unwrap();
    let late = AlertNotification::new(app()).alert("Hi").expiration(over).build().unwrap();
    assert_eq!(client.send(late, some_token()).await, Outcome::Expired);
    assert!(timeout(Duration::from_millis(200), server.accept()).await.is_err(), "somebody was called");
    assert_eq!(client.stats().connections_opened, 0);
}

#[tokio::test]
async fn c66_a_payload_of_ones_own_arrives_to_the_byte_and_a_built_one_compact() {
    let own = "{ \"aps\" : {\"alert\":\"Grüße \u{1f375} \\u00e9\", \"new-in-2027\" : [1.50, 1e2]},\n\t\"zeta\":null, \"alpha\": {} }";
    let request = arrives(raw(PushType::Alert, "com.example.app", own).unwrap(), some_token()).await;
    assert_eq!(request.body, own.as_bytes());
    for no_object in ["\u{feff}{}", "[]", r#"{"aps":[]}"#, r#"{"aps":{}"#, ""] {
        assert!(raw(PushType::Alert, "com.example.app", no_object).is_err(), "{no_object}");
    }

    let now = UnixTime::from_millis(1_700_000_000_999);
    let update = LiveActivityUpdate::new(app(), now).content_state(json!({ "tea": "🍵", "z": 1, "a": 2.5 }));
    let update = update.stale_date(UnixTime::from_secs(1_700_000_060)).build().unwrap();
    let request = arrives(update, some_token()).await;
    let expected = r#"{"aps":{"timestamp":1700000000,"event":"update","content-state":{"tea":"🍵","z":1,"a":2.5},"stale-date":1700000060}}"#;
    let text = String::from_utf8(request.body).unwrap();
    // The order of keys inside a content state is serde_json's to say.
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!((value(&text), text.len()), (value(expected), expected.len()), "{text}");
    let incomplete = LiveActivityStart::new(app(), now).content_state(json!({})).build();
    assert!(matches!(incomplete, Err(InvalidNotification::MissingKey { .. })), "{incomplete:?}");
}

#[tokio::test]
async fn c52_what_expires_while_it_waits_is_never_sent() {
    let server = RawServer::start().await;
    let client = server.builder().build().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let soon = Expiration::at_secs(now + 1).unwrap();
    let soon = AlertNotification::new(app()).alert("Hi").expiration(soon).build().unwrap();
    let mut peer = None;
    let waits = async {
        // TLS is there, SETTINGS are not: nothing may go out.
        peer = Some(server.accept().await);
    };
    let (outcome, ()) = join!(client.send(soon, some_token()), waits);
    assert_eq!(outcome, Outcome::Expired);
    let mut peer = peer.unwrap();
    peer.greet(&[]).await;
    assert!(peer.settled().await.is_empty(), "it was sent");
}

#[tokio::test]
async fn c45_every_attempt_has_the_same_canonical_id_and_one_is_drawn_if_none_is_given() {
    let busy = r#"{"name":"busy","times":3,"action":{"answer":{"status":503}}}"#;
    let world = World::with(&[busy]).await;
    let retry = apns_provider::core::RetryPolicy::new(5, Duration::from_millis(10), Duration::from_secs(9));
    let client = world.builder().retry(retry.unwrap()).build().unwrap();
    let id = ApnsId::parse("07C0F2E2-7CE0-71EC-D0D6-E7089220F778").unwrap();
    let outcome = client.send_push(Push::new(hello(), world.token(), id)).await;
    let Outcome::Accepted(acceptance) = outcome else { panic!("{outcome:?}") };
    assert_eq!(acceptance.apns_id, id);
    let seen = world.seen();
    let ids: Vec<&str> = seen.iter().map(|push| push.header("apns-id").unwrap()).collect();
    assert_eq!(ids, ["07c0f2e2-7ce0-71ec-d0d6-e7089220f778"; 4]);

    world.send_many(&client, 2).await;
    let drawn: Vec<String> =
        world.seen()[4..].iter().map(|push| push.header("apns-id").unwrap().to_owned()).collect();
    assert!(
        drawn[0] != drawn[1] && drawn.iter().all(|id| ApnsId::parse(id).unwrap().as_str() == id),
        "{drawn:?}"
    );
}

#[tokio::test]
async fn c45_an_answer_under_another_id_is_told_and_logged() {
    let logs = Logs::at(Level::WARN);
    let server = RawServer::start().await;
    let client = server.builder().build().unwrap();
    let other = "07c0f2e2-7ce0-71ec-d0d6-e7089220f778";
    let answers = async {
        let mut peer = server.greeted(&[]).await;
        let request = peer.request().await;
        peer.write([headers(request.stream, &[(":status", "200"), ("apns-id", other)]).end_stream()]).await;
    };
    let (outcome, ()) = join!(client.send(hello(), some_token()), answers);
    let Outcome::Accepted(acceptance) = outcome else { panic!("{outcome:?}") };
    assert_eq!(acceptance.apns_id.as_str(), other);
    assert!(logs.text().contains("another apns-id"), "{}", logs.text());
}
