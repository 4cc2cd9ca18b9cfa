//! What monitoring is told of a server: what C-79 lists, one by one.

use std::time::Duration;

use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    databases::on_both,
    process::{APP, House, to_tokens},
};

/// Faults, each once: what they lead to is counted.
const FAULTS: &[&str] = &[
    r#"{"name":"busy","times":1,"action":{"answer":{"status":503}}}"#,
    r#"{"name":"new","times":1,"action":{"answer":{"status":400,"reason":"BrandNew2027"}}}"#,
    r#"{"name":"over","times":1,"action":{"goaway":{"reason":"Shutdown"}}}"#,
];
/// Recipients of a notification, and of a campaign.
const RECIPIENTS: u8 = 20;

on_both! { House:
    c79_monitoring_is_told_of_pushes_connections_queues_and_tokens,
    c79_the_progress_of_a_campaign_is_told_while_it_goes_on,
}

async fn c79_monitoring_is_told_of_pushes_connections_queues_and_tokens(mut house: House) {
    let server = house.serve();
    house.set_up_app(&server);
    let before = house.metrics(&server);
    assert_eq!(value(&before, r#"apns_server_queued{lane="normal"}"#), Some(0.0));
    let mut tokens = house.tokens(usize::from(RECIPIENTS) + 1);
    let dead = tokens.pop().unwrap();
    let device = json!({ "environment": "sandbox", "user": "ada" }).to_string();
    house.asked(&server, &["devices", "put", APP, &dead, "--data", &device]);
    let team = house.mock.team();
    let gone = json!({
        "name": "gone", "match": { "token": dead }, "action": { "answer": { "status": 410, "reason": "Unregistered" } },
    })
    .to_string();
    let faults = FAULTS.iter().copied().chain([gone.as_str()]);
    let faults: Vec<_> = faults.map(|fault| team.fault(fault.parse().unwrap()).unwrap()).collect();

    let submit = |data: &str| {
        let taken = house.asked(&server, &["notifications", "submit", APP, "--data", data, "--json"]);
        taken["id"].as_str().unwrap().to_owned()
    };
    let id = submit(&to_tokens(&tokens));
    house.finished(&server, &id).await;
    let to_ada = json!({ "message": message(), "audience": { "users": ["ada"] } });
    let id = submit(&to_ada.to_string());
    house.finished(&server, &id).await;
    let later = json!({
        "message": message(),
        "audience": { "tokens": tokens, "environment": "sandbox" },
        "schedule": { "not-before": in_an_hour() },
    });
    submit(&later.to_string());
    drop(faults);

    let told = settled(&house, &server).await;
    let recipients = f64::from(RECIPIENTS);
    for (series, expected) in [
        (r#"apns_provider_pushes_total{outcome="accepted",status="200",reason=""}"#, recipients - 1.0),
        (r#"apns_provider_attempts_total{outcome="rejected",status="503",reason="ServiceUnavailable"}"#, 1.0),
        (r#"apns_provider_attempts_total{outcome="rejected",status="400",reason="other"}"#, 1.0),
        (r#"apns_provider_pushes_total{outcome="rejected",status="410",reason="Unregistered"}"#, 1.0),
        ("apns_provider_push_seconds_count", recipients + 1.0),
        ("apns_provider_pushes_under_way", 0.0),
        (r#"apns_provider_connections{state="open"}"#, 1.0),
        (r#"apns_provider_connections{state="draining"}"#, 0.0),
        (r#"apns_provider_goaways_total{reason="Shutdown"}"#, 1.0),
        (r#"apns_server_queued{lane="normal"}"#, recipients),
        (r#"apns_server_queue_age_seconds{lane="normal"}"#, 0.0),
        (r#"apns_server_claimed{lane="normal"}"#, 0.0),
        (r#"apns_server_in_engine{lane="normal"}"#, 0.0),
        ("apns_server_unsaved", 0.0),
        ("apns_server_clients", 1.0),
        ("apns_server_troubled", 0.0),
        ("apns_server_outcomes_total", recipients + 1.0),
        ("apns_server_campaigns_finished_total", 0.0),
        ("apns_server_devices_removed_total", 1.0),
        ("apns_server_removals_suspended", 0.0),
        ("apns_server_retries_total", 0.0),
    ] {
        assert_eq!(value(&told, series), Some(expected), "{series} in\n{told}");
    }
    for series in [
        r#"apns_provider_push_seconds_bucket{le="60"}"#,
        "apns_provider_retries_total",
        "apns_provider_streams_free",
        "apns_provider_window_bytes",
        r#"apns_provider_token_issued_at_seconds{key_id="MOCKKEY001"}"#,
    ] {
        assert!(value(&told, series).is_some_and(|value| value > 0.0), "{series} in\n{told}");
    }
    for secret in tokens.iter().chain([&dead]).map(String::as_str).chain([APP, "BrandNew2027"]) {
        assert!(!told.contains(secret), "{secret} in\n{told}");
    }
}

/// Gauges of clients are told a few times a second.
async fn settled(house: &House, server: &crate::process::Running) -> String {
    let open = r#"apns_provider_connections{state="open"}"#;
    let draining = r#"apns_provider_connections{state="draining"}"#;
    for _ in 0..100 {
        let told = house.metrics(server);
        let under_way = value(&told, "apns_provider_pushes_under_way");
        if (value(&told, open), value(&told, draining), under_way) == (Some(1.0), Some(0.0), Some(0.0)) {
            return told;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    house.metrics(server)
}

async fn c79_the_progress_of_a_campaign_is_told_while_it_goes_on(mut house: House) {
    let server = house.serve();
    house.set_up_app(&server);
    server.terminate();
    server.wait();
    house.register(&house.tokens(RECIPIENTS.into())).await;
    let server = house.serve();
    let campaign = json!({
        "message": message(),
        "audience": { "all": true },
        "campaign": { "label": "spring" },
    });
    house.asked(&server, &["apps", "pause", APP]);
    let taken =
        house.asked(&server, &["notifications", "submit", APP, "--data", &campaign.to_string(), "--json"]);
    let id = taken["id"].as_str().unwrap();
    let told = house.until(&server, id, |told| told["state"] == "paused" || told["state"] == "sending").await;
    let counts = &told["counts"];
    assert_eq!((&counts["planned"], &counts["unended"]), (&json!(RECIPIENTS), &json!(RECIPIENTS)), "{told}");
    house.asked(&server, &["apps", "resume", APP]);
    let told = house.finished(&server, id).await;
    let counts = &told["counts"];
    assert_eq!((&counts["unended"], &counts["ended"]["accepted"]), (&json!(0), &json!(RECIPIENTS)), "{told}");
    assert_eq!(value(&house.metrics(&server), "apns_server_campaigns_finished_total"), Some(1.0));
    let listed = house.asked(&server, &["campaigns", "list", APP, "--json"]);
    assert_eq!(listed["campaigns"][0]["counts"], *counts, "{listed}");
}

fn in_an_hour() -> String {
    (OffsetDateTime::now_utc() + time::Duration::HOUR).format(&Rfc3339).unwrap()
}

fn message() -> serde_json::Value {
    json!({ "payload": { "aps": { "alert": "Hello" } } })
}

/// What a series is.
fn value(metrics: &str, series: &str) -> Option<f64> {
    let line = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    line.parse().ok()
}
