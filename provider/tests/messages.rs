//! A push of every type: the double takes it and the device does with it what it is for; and one of every type
//! that is wrong in one way, which nobody ever sees.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

use std::collections::BTreeSet;
use std::time::Duration;

use apns_certs::Purpose;
use apns_provider::core::{
    Alert, AlertNotification, BackgroundNotification, BundleId, ChannelId, ComplicationNotification,
    ControlsNotification, DeviceToken, FileProviderNotification, InvalidNotification, LiveActivityAlert,
    LiveActivityEnd, LiveActivityStart, LiveActivityUpdate, LocationNotification, MdmNotification,
    Notification, Outcome, Priority, PushToTalkNotification, PushType, Sound, Topic, UnixTime,
    VoipNotification, WidgetsNotification,
};
use apns_provider::{Client, Credential, Endpoint};
use mock_apns::{App, Device, Environment, MockApns, TokenKind};
use serde_json::{Value, json};
use tokio::time::timeout;

const APP: &str = "com.example.app";
/// The UID of an MDM certificate: to the double the bundle ID of an app like any other.
const MDM: &str = "com.apple.mgmt.External.b1a6e8a5-0000-4000-8000-000000000000";
const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

fn app() -> BundleId {
    BundleId::parse(APP).unwrap()
}

fn mdm() -> Topic {
    Topic::parse(MDM).unwrap()
}

fn start() -> LiveActivityStart {
    LiveActivityStart::new(app(), NOW)
        .attributes("Match", json!({ "home": "A", "away": "B" }))
        .content_state(json!({ "score": 0 }))
        .alert(LiveActivityAlert::new("A : B", "begins"))
}

fn update() -> LiveActivityUpdate {
    LiveActivityUpdate::new(app(), UnixTime::from_secs(NOW.as_secs() + 1))
        .content_state(json!({ "score": 1 }))
}

fn end() -> LiveActivityEnd {
    LiveActivityEnd::new(app(), UnixTime::from_secs(NOW.as_secs() + 2)).dismissal_date(NOW)
}

/// A push of each type with every key it can have, the kind of its device token, and what the device does.
fn every_type() -> Vec<(Notification, TokenKind, &'static str)> {
    let alert = Alert::new()
        .title("Ada")
        .subtitle("about tea")
        .body("at four")
        .launch_image("tea.png")
        .summary_arg("Ada", 2);
    let alert = AlertNotification::new(app())
        .alert(alert)
        .badge(3)
        .sound(Sound::critical("bell.caf", 0.5))
        .thread_id("tea")
        .category("INVITATION")
        .mutable_content()
        .content_available()
        .relevance_score(0.5)
        .custom("id", 7);
    let channel_id = ChannelId::parse("dHN0LXNyY2gtY2hubA==").unwrap();
    let file_provider = FileProviderNotification::new(app(), "root").domain("work");
    [
        (alert.build(), TokenKind::App, "banner"),
        (BackgroundNotification::new(app()).custom("id", 7).build(), TokenKind::App, "wake"),
        (VoipNotification::new(app()).custom("caller", "Ada").build(), TokenKind::Voip, "call"),
        (
            ComplicationNotification::new(app()).custom("degrees", 21).build(),
            TokenKind::Complication,
            "complication-update",
        ),
        (file_provider.build(), TokenKind::FileProvider, "file-provider-signal"),
        (MdmNotification::new(mdm(), "magic").build(), TokenKind::App, "mdm-check-in"),
        (LocationNotification::new(app()).build(), TokenKind::Location, "location-query"),
        (start().input_push_token().build(), TokenKind::LiveActivity, "live-activity"),
        (start().input_push_channel(channel_id).build(), TokenKind::LiveActivity, "live-activity"),
        (
            PushToTalkNotification::new(app()).custom("activeSpeaker", "Ada").build(),
            TokenKind::PushToTalk,
            "push-to-talk",
        ),
        (WidgetsNotification::new(app()).build(), TokenKind::Widgets, "reload"),
        (ControlsNotification::new(app()).build(), TokenKind::Controls, "reload"),
    ]
    .map(|(built, kind, shown)| (built.unwrap(), kind, shown))
    .into()
}

#[tokio::test]
async fn a_push_of_every_type_is_accepted_and_does_on_the_device_what_it_is_for() {
    let desk = Desk::new().await;
    let mut device = desk.mock.device("alices-phone").await.unwrap();
    let mut seen = BTreeSet::new();
    for (notification, kind, shown) in every_type() {
        let push_type = notification.push_type();
        let bundle_id = if push_type == PushType::Mdm { MDM } else { APP };
        let token = device.register(bundle_id, Environment::Sandbox, kind).await.unwrap();
        assert_eq!(notification.topic().as_str(), token.topic);
        desk.send(notification, &token.token).await;
        assert_eq!(next(&mut device).await["type"], shown, "{push_type}");
        seen.insert(push_type);
    }
    assert_eq!(seen, PushType::all().collect());
}

#[tokio::test]
async fn a_live_activity_is_updated_and_ends() {
    let desk = Desk::new().await;
    let mut device = desk.mock.device("alices-phone").await.unwrap();
    let activity = device.start_activity(APP, Environment::Sandbox).await.unwrap();
    let alert = LiveActivityAlert::new("Goal", "1:0").sound(Sound::named("horn.caf"));
    let update = update().alert(alert).stale_date(NOW).relevance_score(100.0).build().unwrap();
    desk.send(update, &activity.token).await;
    let shown = next(&mut device).await;
    assert_eq!((&shown["event"], &shown["content-state"]["score"]), (&json!("update"), &json!(1)));
    desk.send(end().build().unwrap(), &activity.token).await;
    assert_eq!(next(&mut device).await["event"], "end");
}

#[tokio::test]
async fn what_was_shortened_is_read_to_the_ellipsis() {
    let desk = Desk::new().await;
    let mut device = desk.mock.device("alices-phone").await.unwrap();
    let token = device.register(APP, Environment::Sandbox, TokenKind::App).await.unwrap();
    let text = "\"Tea\"\n🫖 ".repeat(1000);
    let (notification, cuts) = AlertNotification::new(app()).alert(text.as_str()).build_shortened().unwrap();
    assert_eq!(cuts.len(), 1, "{cuts:?}");
    desk.send(notification, &token.token).await;
    let shown = next(&mut device).await;
    let body = shown["body"].as_str().unwrap();
    assert!(text.starts_with(body.strip_suffix('…').unwrap()), "{body}");
    assert_eq!(body.len(), cuts[0].bytes_after);
}

#[test]
fn a_push_of_every_type_that_is_wrong_is_refused_before_it_is_sent() {
    let urgent = Priority::Immediate;
    let late = UnixTime::from_secs(1_700_000_000_000);
    let large = || "x".repeat(4096);
    let cases: Vec<(Result<Notification, InvalidNotification>, PushType, &str)> = vec![
        (AlertNotification::new(app()).alert("").build(), PushType::Alert, "aps.alert"),
        (BackgroundNotification::new(app()).priority(urgent).build(), PushType::Background, "apns-priority"),
        (VoipNotification::new(app()).custom("k", "x".repeat(5120)).build(), PushType::Voip, "5120"),
        (ComplicationNotification::new(app()).custom("k", large()).build(), PushType::Complication, "4096"),
        (FileProviderNotification::new(app(), "").build(), PushType::FileProvider, "container-identifier"),
        (MdmNotification::new(Topic::parse(APP).unwrap(), "magic").build(), PushType::Mdm, "apns-topic"),
        (LocationNotification::new(app()).custom("aps", 1).build(), PushType::Location, "custom key `aps`"),
        (start().content_state(7).build(), PushType::LiveActivity, "aps.content-state"),
        (update().stale_date(late).build(), PushType::LiveActivity, "aps.stale-date"),
        (end().relevance_score(f64::NAN).build(), PushType::LiveActivity, "aps.relevance-score"),
        (PushToTalkNotification::new(app()).custom("k", large()).build(), PushType::PushToTalk, "4096"),
        (WidgetsNotification::new(app()).custom("aps", 1).build(), PushType::Widgets, "custom key `aps`"),
        (ControlsNotification::new(app()).custom("aps", 1).build(), PushType::Controls, "custom key `aps`"),
    ];
    let mut seen = BTreeSet::new();
    for (built, push_type, field) in cases {
        let error = built.unwrap_err().to_string();
        assert!(error.contains(field), "{push_type}: {error}");
        seen.insert(push_type);
    }
    assert_eq!(seen, PushType::all().collect());
}

/// The double with an MDM topic among its apps, and a client.
struct Desk {
    mock: MockApns,
    client: Client,
}

impl Desk {
    async fn new() -> Self {
        let mock = MockApns::start().await.unwrap();
        let mdm = App::new(mock_apns::BundleId::parse(MDM).unwrap());
        mock.team().at_work(|team| team.add_app(mdm)).unwrap();
        let ca = mock.certificates().authority().root_pem(Purpose::Server);
        let team = mock.ready_made();
        let p8 = team.keys[0].key.to_p8();
        let client = Client::builder(Endpoint::custom("localhost", mock.sandbox().port()).unwrap())
            .ca_pem(ca.as_bytes())
            .credential(Credential::from_p8(p8.as_bytes(), team.keys[0].key_id, team.team_id).unwrap())
            .build()
            .unwrap();
        Self { mock, client }
    }

    async fn send(&self, notification: Notification, device_token: &str) {
        let push_type = notification.push_type();
        let outcome = self.client.send(notification, DeviceToken::from_hex(device_token).unwrap()).await;
        assert!(matches!(outcome, Outcome::Accepted(_)), "{push_type}: {outcome:?}");
    }
}

/// What the device does with the next notification, with which it finds nothing wrong.
async fn next(device: &mut Device) -> Value {
    let notification = timeout(PATIENCE, device.next()).await.expect("something comes in time").unwrap();
    let rendering: Value = serde_json::from_str(notification.shown.as_str()).unwrap();
    assert_eq!(rendering["warnings"], json!([]), "{rendering}");
    rendering["shown"].clone()
}

/// For what comes in milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);
