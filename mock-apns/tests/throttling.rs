//! What Apple does to providers by rule, as a provider sees it on the wire; and the profiles that switch it on.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

#[path = "support/control.rs"]
#[expect(dead_code, reason = "what other tests ask")]
mod control;
#[expect(dead_code, reason = "what other tests do on the wire")]
mod support;

use std::time::Duration;

use apns_certs::ProviderCertificateKind;
use control::Control;
use mock_apns::{MockApns, Profile, Settings};
use serde_json::{Value, json};
use support::{Peer, Seen, authorization};
use tokio::time::timeout;

const ALERT: &str = r#"{"aps":{"alert":"Hello"}}"#;
/// Longer than anything here takes; a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(20);

async fn with(settings: &[(&str, &str)]) -> (MockApns, Control) {
    let mut changed = Settings::default();
    for (name, value) in settings {
        changed.set(name, value).unwrap();
    }
    let mock = MockApns::builder().settings(changed).start().await.unwrap();
    let control = Control::of(&mock);
    (mock, control)
}

fn good_token(mock: &MockApns) -> String {
    mock.ready_made().device_token("sandbox").unwrap().token.clone()
}

/// Sends a push of the ready-made team; `priority` 10 is accepted, 7 an error.
async fn push(mock: &MockApns, peer: &mut Peer, token: &str, priority: &str) {
    let bearer = authorization(mock);
    let fields =
        [("authorization", &*bearer), ("apns-topic", "com.example.app"), ("apns-priority", priority)];
    peer.push(token, &fields, ALERT).await;
}

fn answers(seen: &[Seen]) -> usize {
    seen.iter().filter(|seen| matches!(seen, Seen::Answer(..))).count()
}

async fn answer(mock: &MockApns, peer: &mut Peer, token: &str, priority: &str) {
    let expected = answers(&peer.seen) + 1;
    push(mock, peer, token, priority).await;
    peer.answers(expected).await;
}

fn streams(seen: &[Seen]) -> Vec<u32> {
    let streams = seen.iter().filter_map(|seen| match seen {
        Seen::MaxConcurrentStreams(streams) => Some(*streams),
        _ => None,
    });
    streams.collect()
}

async fn events(control: Control, filter: &str) -> Vec<Value> {
    let page = control.get(&format!("/v1/events?filter={filter}")).await.expect(200);
    page["events"].as_array().unwrap().clone()
}

#[tokio::test]
async fn after_errors_settings_lower_the_streams_and_an_accepted_push_restores_them() {
    let (mock, control) = with(&[("errors-before-fewer-streams", "2")]).await;
    let (mut peer, token) = (Peer::sandbox(&mock).await, good_token(&mock));
    for priority in ["7", "7", "7", "10", "10"] {
        answer(&mock, &mut peer, &token, priority).await;
    }
    let refused = |stream| Seen::Answer(stream, 400, r#"{"reason":"BadPriority"}"#.to_owned());
    let expected = [
        Seen::MaxConcurrentStreams(1),
        Seen::MaxConcurrentStreams(1000), // for the token, which is good
        refused(1),
        refused(3),
        Seen::MaxConcurrentStreams(1),
        refused(5),
        Seen::Answer(7, 200, String::new()),
        Seen::MaxConcurrentStreams(1000),
        Seen::Answer(9, 200, String::new()),
    ];
    assert_eq!(peer.seen, expected);
    let events = events(control, "event:throttled").await;
    assert_eq!((events.len(), &events[0]["how"]), (1, &json!("fewer-streams")));
}

#[tokio::test]
async fn too_many_errors_end_the_connection_by_goaway_or_without_and_it_is_told_why() {
    for (setting, goaways) in [("Shutdown", 2), ("close", 0)] {
        let (mock, control) = with(&[("errors-before-disconnect", "6"), ("error-disconnect", setting)]).await;
        let (mut peer, token) = (Peer::sandbox(&mock).await, good_token(&mock));
        answer(&mock, &mut peer, &token, "10").await;
        answer(&mock, &mut peer, "00ff", "10").await; // BadDeviceToken: five
        push(&mock, &mut peer, &token, "7").await;
        let seen = peer.read_until(|_| false).await;
        let refused = Seen::Answer(5, 400, r#"{"reason":"BadPriority"}"#.to_owned());
        let end = seen.iter().position(|seen| *seen == refused).unwrap();
        let said = [r#"{"reason":"Shutdown"}"#, ""].map(|debug| Seen::GoAway(5, 0, debug.to_owned()));
        let expected: Vec<Seen> = said[..goaways].iter().cloned().chain([Seen::End]).collect();
        assert_eq!(seen[end + 1..], expected);

        let throttled =
            json!({"how": "disconnected", "setting": "errors-before-disconnect", "connection": 0});
        let event = &events(control, "event:throttled").await[0];
        for (key, value) in throttled.as_object().unwrap() {
            assert_eq!(&event[key], value, "{event}");
        }
        let closed = control.get("/v1/connections/0").await.expect(200)["closed"].clone();
        assert_eq!(
            (&closed["because"], &closed["detail"]),
            (&json!("throttled"), &json!("errors-before-disconnect"))
        );
        let metrics = control.get("/metrics").await.text;
        assert!(metrics.contains("mock_apns_throttled_total{how=\"disconnected\"} 1"), "{metrics}");

        let mut again = Peer::sandbox(&mock).await;
        answer(&mock, &mut again, &token, "10").await;
        assert_eq!(again.seen.last(), Some(&Seen::Answer(1, 200, String::new())));
    }
}

/// Opens a connection, has a push accepted on it, and waits until the double has seen that it is closed.
async fn short_connection(mock: &MockApns, control: Control, ordinal: usize) {
    let mut peer = Peer::sandbox(mock).await;
    answer(mock, &mut peer, &good_token(mock), "10").await;
    assert_eq!(peer.seen.last(), Some(&Seen::Answer(1, 200, String::new())));
    drop(peer);
    let closing = async {
        while control.get(&format!("/v1/connections/{ordinal}")).await.expect(200)["closed"].is_null() {}
    };
    timeout(PATIENCE, closing).await.unwrap();
}

#[tokio::test]
async fn who_opens_and_closes_rapidly_is_turned_away_for_a_while_and_its_open_connection_stays() {
    let (mock, control) = with(&[("short-connections-before-block", "3"), ("connection-block", "600")]).await;
    let (mut open, token) = (Peer::sandbox(&mock).await, good_token(&mock));
    answer(&mock, &mut open, &token, "10").await;
    for ordinal in 1..=3 {
        short_connection(&mock, control, ordinal).await;
    }
    let mut by_token = Peer::sandbox(&mock).await;
    push(&mock, &mut by_token, &token, "10").await;
    assert_eq!(by_token.read_until(|_| false).await, [Seen::MaxConcurrentStreams(1), Seen::End]);

    control.patch("/v1/settings", r#"{"connection-block-answer":"TooManyRequests"}"#).await.expect(200);
    let identity = mock.certificates().provider(ProviderCertificateKind::Development).unwrap();
    let mut by_certificate =
        Peer::connect(&mock, mock.sandbox().port(), &[b"h2"], Some(&identity)).await.unwrap();
    let seen = by_certificate.read_until(|_| false).await;
    let goaways = [r#"{"reason":"TooManyRequests"}"#, ""].map(|debug| Seen::GoAway(0, 0, debug.to_owned()));
    assert_eq!(seen, [Seen::MaxConcurrentStreams(1000), goaways[0].clone(), goaways[1].clone(), Seen::End]);

    answer(&mock, &mut open, &token, "10").await;
    assert_eq!(open.seen.last(), Some(&Seen::Answer(3, 200, String::new())));
    let blocked: Vec<_> =
        events(control, "event:throttled").await.iter().map(|it| it["how"].clone()).collect();
    assert_eq!(blocked, ["blocked", "blocked"]);
    assert_eq!(control.get("/v1/connections/4").await.expect(200)["closed"]["because"], "throttled");

    control.post("/v1/clock/advance", r#"{"by":"10m"}"#).await.expect(200);
    let mut later = Peer::sandbox(&mock).await;
    answer(&mock, &mut later, &token, "10").await;
    assert_eq!(later.seen.last(), Some(&Seen::Answer(1, 200, String::new())));
}

#[tokio::test]
async fn fast_shows_none_of_it() {
    let mock = MockApns::builder().profile(Profile::Fast).start().await.unwrap();
    let token = good_token(&mock);
    let mut peer = Peer::sandbox(&mock).await;
    for _ in 0..110 {
        answer(&mock, &mut peer, "00ff", "10").await;
    }
    answer(&mock, &mut peer, &token, "10").await;
    assert_eq!(streams(&peer.seen), [1, 1000]);
    for _ in 0..25 {
        let mut short = Peer::sandbox(&mock).await;
        answer(&mock, &mut short, &token, "10").await;
    }
    assert!(events(Control::of(&mock), "event:throttled").await.is_empty());
}

#[tokio::test]
async fn realistic_ends_a_connection_after_twenty_bad_device_tokens() {
    let mock = MockApns::builder().profile(Profile::Realistic).start().await.unwrap();
    let mut peer = Peer::sandbox(&mock).await;
    for _ in 0..19 {
        answer(&mock, &mut peer, "00ff", "10").await;
    }
    assert_eq!(streams(&peer.seen), [1, 1000, 1]);
    push(&mock, &mut peer, "00ff", "10").await;
    let seen = peer.read_until(|_| false).await;
    assert_eq!(answers(seen), 20);
    assert!(seen.contains(&Seen::GoAway(39, 0, r#"{"reason":"Shutdown"}"#.to_owned())), "{seen:?}");
}

/// A setting as `GET /v1/settings` has it: its value and its default.
fn setting(settings: &Value, name: &str) -> [String; 2] {
    let all = settings["settings"].as_array().unwrap();
    let it = all.iter().find(|it| it["name"] == name).unwrap();
    ["value", "default"].map(|key| it[key].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_profile_is_told_and_a_team_may_have_another() {
    let (fast, realistic) =
        (MockApns::start().await.unwrap(), MockApns::builder().profile(Profile::Realistic));
    let realistic = realistic.start().await.unwrap();
    let (control, other) = (Control::of(&fast), Control::of(&realistic));
    for (control, profile) in [(control, "fast"), (other, "realistic")] {
        assert_eq!(control.get("/v1/info").await.expect(200)["profile"], profile);
        assert_eq!(control.get("/v1/settings").await.expect(200)["profile"], profile);
    }

    let change = r#"{"profile":"realistic","unregistered-delay":7}"#;
    let changed = control.patch("/v1/settings", change).await.expect(200);
    assert_eq!(changed["profile"], "realistic");
    assert_eq!(setting(&changed, "unregistered-delay"), ["7", "300"]);
    assert_eq!(setting(&changed, "errors-before-disconnect"), ["100", "100"]);
    assert_eq!(control.get("/v1/info").await.expect(200)["profile"], "fast"); // of teams that are made now

    let (code, message) = control.patch("/v1/settings", r#"{"profile":"slow"}"#).await.error(400);
    assert_eq!(
        (&*code, &*message),
        ("bad-value", "there is no profile \"slow\"; the profiles are fast, realistic, hostile")
    );
    assert_eq!(control.get("/v1/settings").await.expect(200), changed);

    // Declared elsewhere it is the same, whatever teams there begin with; and so is one that is fast.
    let state = control.get("/v1/state").await.expect(200);
    let declared = json!({"profile": "realistic", "unregistered-delay": "7"});
    assert_eq!(state["teams"][0]["settings"], declared);
    for settings in [declared, json!({"profile": "fast"})] {
        let state = json!({"teams": [{"id": "SHOPTEAM01", "settings": settings}]});
        for control in [control, other] {
            let told = control.put("/v1/state", &state.to_string()).await.expect(200);
            let team = told["teams"].as_array().unwrap().iter().find(|team| team["id"] == "SHOPTEAM01");
            assert_eq!(team.unwrap()["settings"], settings);
        }
    }
    control.post("/v1/reset", "").await;
    assert_eq!(control.get("/v1/settings").await.expect(200)["profile"], "fast");
}
