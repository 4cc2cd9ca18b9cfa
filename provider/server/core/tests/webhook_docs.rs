//! docs/provider-webhooks.md says what the code does: every event is in its table and has an example, which is what is sent.

use std::collections::BTreeMap;

use apns_provider_core::{BundleId, Reason, UnixTime};
use apns_provider_server_core::{
    device::Environment,
    ids::NotificationId,
    outcome::{Ending, FinalOutcome, Trouble, Whose, Why},
    webhook::{
        DeviceNews, EventKind, ITEMS_MAX, News, NotificationNews, RETRIES, RecipientNews, SignedHeaders,
        SigningSecret,
    },
    worker::ShardKey,
};
use serde_json::Value;

const PAGE: &str = include_str!("../../../../docs/provider-webhooks.md");
/// 2026-12-01T09:30:00Z.
const NOW: UnixTime = UnixTime::from_secs(1_796_117_400);

/// What has happened in the examples.
fn news() -> Vec<News> {
    let environment = Environment::Production;
    let notification = NotificationId::new(NOW, [0; 10]);
    let why = |word: &str| Why::Apns(Reason::from_wire(word));
    let device = DeviceNews { token: "00fc13ad".into(), environment, user: Some("ada".into()) };
    let recipient = RecipientNews {
        shard: ShardKey { notification, number: 0 },
        position: 7,
        environment,
        token: "00fc13ad".into(),
        outcome: FinalOutcome { status: 400, ..FinalOutcome::unanswered(Ending::Rejected, why("BadTopic")) },
    };
    let ended = vec![(Ending::Accepted, 2), (Ending::Rejected, 1), (Ending::Expired, 0)];
    let finished = NotificationNews { id: notification.to_string(), recipients: 3, dead_letters: 1, ended };
    let trouble = Trouble {
        whose: Whose::Credential,
        why: why("InvalidProviderToken"),
        at_least: std::time::Duration::ZERO,
    };
    vec![
        News::AppTroubled { environment, trouble, until: UnixTime::from_secs(NOW.as_secs() + 60) },
        News::DeadLettersAdded(vec![recipient.clone()]),
        News::DevicesRemoved(vec![device.clone()]),
        News::DevicesSuspect(vec![device]),
        News::NotificationFinished(vec![finished]),
        News::Outcomes(vec![recipient]),
        News::RemovalsSuspended { environment, invalid: 120, results: 200 },
    ]
}

#[test]
fn every_event_is_told_of_and_its_example_is_what_is_sent() {
    let blocks = PAGE.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next());
    let examples: BTreeMap<String, Value> = blocks
        .map(|block| serde_json::from_str::<Value>(block).expect(block))
        .filter_map(|example| Some((example["type"].as_str()?.to_owned(), example)))
        .collect();
    let app = BundleId::parse("com.example.tea").expect("it is one");
    for kind in EventKind::ALL {
        let row = format!("| `{kind}` | {} |", kind.meaning());
        assert!(PAGE.contains(&row), "it lacks the row {row}");
    }
    for news in news() {
        let body = news.events(&app, NOW)[0].to_body();
        let sent: Value = serde_json::from_slice(&body).expect("a body is JSON");
        assert_eq!(examples.get(news.kind().as_str()), Some(&sent), "{sent}");
    }
    assert_eq!(examples["test"]["data"], serde_json::json!({}));
    assert_eq!(examples.len(), EventKind::ALL.len());
}

#[test]
fn the_signature_to_try_it_with_is_right_and_limits_are_those_there_are() {
    let cell = |name: &str| {
        let row = PAGE.lines().find(|line| line.starts_with(&format!("| {name} |"))).expect(name);
        row.split('`').rev().nth(1).expect(row).to_owned()
    };
    let signed = SignedHeaders {
        id: cell("`webhook-id`"),
        timestamp: cell("`webhook-timestamp`"),
        signature: cell("`webhook-signature`"),
    };
    let secret = SigningSecret::parse(&cell("secret")).expect("it is one");
    let now = UnixTime::from_secs(1_700_000_000);
    let known = SignedHeaders::sign(
        std::slice::from_ref(&secret),
        apns_provider_server_core::webhook::EventId::new(now, [0; 10]),
        now,
        cell("body").as_bytes(),
    );
    assert_eq!(signed, known);
    assert!(signed.is_signed_by(&secret, now, cell("body").as_bytes()));
    let limit = format!("| Things in one event | {ITEMS_MAX} |");
    assert!(PAGE.contains(&limit), "it lacks {limit}");
    assert_eq!(
        RETRIES.map(|pause| pause.as_secs()),
        RETRIES_AS_WRITTEN,
        "the page has the schedule in words"
    );
}

const RETRIES_AS_WRITTEN: [u64; 9] = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];
