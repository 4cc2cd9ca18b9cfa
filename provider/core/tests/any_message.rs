//! Whatever texts and numbers a message is built of, what comes out can be sent; and the checks of raw payloads
//! agree with the builders about it.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use apns_provider_core::{
    Alert, AlertNotification, BundleId, ChannelId, FileProviderNotification, InvalidNotification,
    LiveActivityAlert, LiveActivityEnd, LiveActivityStart, LiveActivityUpdate, LocalizableText,
    MdmNotification, Notification, PushToTalkNotification, Sound, Topic, UnixTime, VoipNotification,
};
use proptest::prelude::*;
use serde_json::Value;

type Built = Result<Notification, InvalidNotification>;

/// The values that go into a message.
#[derive(Clone, Debug)]
struct Parts {
    texts: [String; 4],
    number: f64,
    date: UnixTime,
    state: Value,
    key: String,
}

impl Parts {
    fn every_message(&self) -> [Built; 8] {
        let app = || BundleId::parse("com.example.app").unwrap();
        let [a, b, c, d] = &self.texts;
        let alert = Alert::new().title(a).subtitle(b).body(c).loc(d, [a.as_str()]).summary_arg(b, 2);
        let sound = Sound::critical(d, self.number);
        let live_alert =
            || LiveActivityAlert::new(a.as_str(), LocalizableText::localized(b, [c])).sound(sound.clone());
        let start = LiveActivityStart::new(app(), self.date)
            .attributes(a, &self.state)
            .content_state(&self.state)
            .alert(live_alert())
            .input_push_channel(ChannelId::parse("dHN0LXNyY2gtY2hubA==").unwrap());
        let update = LiveActivityUpdate::new(app(), self.date)
            .content_state(&self.state)
            .stale_date(self.date)
            .relevance_score(self.number);
        let topic = Topic::parse("com.apple.mgmt.External.b1a6").unwrap();
        [
            AlertNotification::new(app())
                .alert(alert)
                .sound(sound.clone())
                .relevance_score(self.number)
                .thread_id(a)
                .custom(&self.key, &self.state)
                .build(),
            VoipNotification::new(app()).custom(&self.key, a).build(),
            PushToTalkNotification::new(app()).custom(&self.key, &self.state).build(),
            FileProviderNotification::new(app(), a).domain(b).custom(&self.key, c).build(),
            MdmNotification::new(topic, a).build(),
            start.build(),
            update.custom(&self.key, self.number).build(),
            LiveActivityEnd::new(app(), self.date).dismissal_date(self.date).alert(live_alert()).build(),
        ]
    }
}

fn parts() -> impl Strategy<Value = Parts> {
    let number = prop_oneof![0.0..=1.0, any::<f64>()];
    let date = prop_oneof![0_u64..9_999_999_999, any::<u64>()].prop_map(UnixTime::from_secs);
    let state = prop_oneof![
        any::<Option<bool>>().prop_map(|value| serde_json::json!(value)),
        proptest::collection::btree_map(any::<String>(), any::<String>(), 0..4)
            .prop_map(|map| serde_json::json!(map)),
    ];
    let key = prop_oneof![Just("aps".to_owned()), Just("domain".to_owned()), ".{0,20}"];
    (any::<[String; 4]>(), number, date, state, key).prop_map(|(texts, number, date, state, key)| Parts {
        texts,
        number,
        date,
        state,
        key,
    })
}

proptest! {
    #[test]
    fn what_is_built_can_be_sent(parts in parts()) {
        for notification in parts.every_message().into_iter().flatten() {
            let push_type = notification.push_type();
            let payload: Value = serde_json::from_slice(notification.payload()).unwrap();
            prop_assert!(payload.is_object());
            prop_assert!(payload.get("aps").is_none_or(Value::is_object), "{}", payload);
            prop_assert!(notification.payload().len() <= push_type.payload_bytes_max());
            prop_assert!(push_type.priorities().contains(&notification.priority()));
            let raw = Notification::raw(push_type, notification.topic().clone(), notification.payload().clone());
            prop_assert_eq!(raw.build(), Ok(notification));
        }
    }
}

/// The property above would hold, too, if nothing were ever built.
#[test]
fn good_parts_make_every_message() {
    let texts = ["a", "b", "c", "d"].map(String::from);
    let (number, date, key) = (0.5, UnixTime::from_secs(1_700_000_000), "key".to_owned());
    let parts = Parts { texts, number, date, state: serde_json::json!({}), key };
    for built in parts.every_message() {
        built.unwrap();
    }
}
