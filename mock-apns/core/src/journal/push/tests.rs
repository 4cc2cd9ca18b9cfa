//! What a push tells of itself, and how much of it outlives the journal's entries.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::{
    DeviceState, Filter, Pushes, Settings,
    bench::{Bench, NOW, PHONE, TOKEN, certificate, device},
    journal::team_journal::WAITS_MAX,
};

const ID: &str = "123e4567-e89b-12d3-a456-42665544000f";

fn json_of(bench: &mut Bench, id: &str) -> Value {
    serde_json::to_value(bench.team_at().team().push(id).unwrap()).unwrap()
}

#[test]
fn an_accepted_push_tells_all_of_itself() {
    let mut bench = Bench::new();
    bench.answer(&bench.push());
    let push = bench.push().with("apns-id", ID).and("x-trace", "é").and("x-trace", "2");
    let answer = bench.answer(&push.with_body("{\"aps\":\n{\"alert\":\"Hello\"}}"));
    let path = format!("/3/device/{TOKEN}");
    let told = json_of(&mut bench, ID);
    let authorization = told["headers"]["authorization"].clone();
    let (kept, secret) = authorization.as_str().unwrap().rsplit_once('.').unwrap();
    assert!(secret == "…" && bench.push().value("authorization").starts_with(kept));
    let expected = json!({
        "cursor": 6,
        "at": NOW,
        "apns-id": ID,
        "apns-unique-id": answer.apns_unique_id.unwrap().as_str(),
        "verdict": "accepted",
        "answer": { "status": 200 },
        "connection": 0,
        "stream": 3,
        "headers": {
            ":method": "POST", ":path": path, ":scheme": "https", ":authority": "localhost:2197",
            "authorization": authorization, "apns-topic": "com.example.app", "apns-push-type": "alert",
            "apns-id": ID,
        },
        "raw-headers": [
            [":method", "POST"], [":scheme", "https"], [":path", path], [":authority", "localhost:2197"],
            ["authorization", authorization], ["apns-topic", "com.example.app"], ["apns-push-type", "alert"],
            ["apns-id", ID], ["x-trace", "é"], ["x-trace", "2"],
        ],
        "payload": "{\"aps\":\n{\"alert\":\"Hello\"}}",
        "json": { "aps": { "alert": "Hello" } },
        "number": 2,
        "device": "phone",
        "app": "com.example.app",
        "environment": "sandbox",
        "kind": "app",
        "token": TOKEN,
        "topic": "com.example.app",
        "history": [
            { "cursor": 6, "at": NOW, "status": "Received by APNs" },
            { "cursor": 7, "at": NOW, "status": "Delivered to Device" },
        ],
        "status": "Delivered to Device",
        "shown": told["shown"],
        "warnings": [],
    });
    assert_eq!(told, expected);
    assert_eq!(told["shown"]["body"], "Hello");
    let text = serde_json::to_string(&bench.team_at().team().push(ID).unwrap()).unwrap();
    assert!(!text.contains('\n'), "{text}");
}

#[test]
fn a_refused_push_tells_the_rule_and_what_it_said() {
    let mut bench = Bench::new();
    let push = bench.push().with("apns-id", ID).with(":path", "/3/device/ABCD").without("apns-topic");
    bench.answer(&push.without("authorization").with_body(b"{\xff".to_vec()));
    let (team, found) = bench.service.push(ID).unwrap();
    assert_eq!((team, found.status()), (None, None));
    let Verdict::Refused { rule, .. } = found.verdict() else { panic!("{found:?}") };
    let told = serde_json::to_value(&found).unwrap();
    let expected = json!({
        "cursor": 0,
        "at": NOW,
        "apns-id": ID,
        "verdict": "refused",
        "answer": {
            "status": 403, "reason": "MissingProviderToken", "rule": "provider-token-is-present",
            "usual-mistake": rule.usual_mistake,
        },
        "connection": 0,
        "stream": 1,
        "headers": {
            ":method": "POST", ":path": "/3/device/ABCD", ":scheme": "https", ":authority": "localhost:2197",
            "apns-push-type": "alert", "apns-id": ID,
        },
        "raw-headers": told["raw-headers"],
        "payload": "{\u{fffd}",
        "token": "ABCD",
        "history": [{ "cursor": 0, "at": NOW, "status": 403 }],
        "status": 403,
    });
    assert_eq!(told, expected);
}

#[test]
fn every_answers_unique_id_finds_its_push() {
    let mut bench = Bench::with_setting("apns-unique-id", "always");
    for push in [bench.push(), bench.push().with("apns-priority", "7")] {
        let unique_id = bench.answer(&push).apns_unique_id.unwrap();
        let told = json_of(&mut bench, &unique_id.as_str().to_uppercase());
        assert_eq!(told["apns-unique-id"], unique_id.as_str());
    }
}

#[test]
fn of_pushes_with_one_id_the_newest_is_found_even_if_more_has_become_of_an_older_one_since() {
    let mut bench = Bench::new();
    bench.team_at().set_device_state(&device(PHONE), DeviceState::Offline).unwrap();
    bench.answer(&bench.push().with("apns-id", ID));
    bench.answer(&bench.push().with("apns-id", ID).with("apns-priority", "7"));
    bench.team_at().set_device_state(&device(PHONE), DeviceState::Online).unwrap();
    let told = json_of(&mut bench, ID);
    assert_eq!((&told["verdict"], &told["cursor"]), (&json!("refused"), &told["history"][0]["cursor"]));
}

/// A journal of ten entries, and a push that was stored, of which eleven devices' changes have left its end alone.
fn long_stored() -> Bench {
    let mut settings = Settings::default();
    settings.set("journal-entries", "10").unwrap();
    let mut bench = Bench::with_settings(settings);
    bench.connect_with(&certificate("universal"));
    bench.team_at().set_device_state(&device(PHONE), DeviceState::Offline).unwrap();
    bench.answer(&bench.push().with("apns-id", ID));
    for _ in 0..11 {
        bench.team_at().advance_clock(Duration::from_secs(1));
    }
    assert!(bench.team_at().team().push(ID).is_none());
    bench.team_at().set_device_state(&device(PHONE), DeviceState::Online).unwrap();
    bench
}

#[test]
fn a_history_is_whole_when_the_journal_has_dropped_its_beginning() {
    let mut bench = long_stored();
    let told = json_of(&mut bench, ID);
    let statuses: Vec<&str> =
        told["history"].as_array().unwrap().iter().map(|it| it["status"].as_str().unwrap()).collect();
    let whole = ["Received by APNs", "Stored - Device Offline", "Delivered to Device (From Storage)"];
    assert_eq!(statuses, whole);
    assert_eq!((&told["at"], &told["cursor"]), (&json!(NOW), &told["history"][0]["cursor"]));
}

#[test]
fn a_wait_finds_a_push_that_came_long_before_and_a_list_does_not_show_it_again() {
    let mut bench = long_stored();
    let team = bench.team_at();
    let team = team.team();
    let find = |filter: &str| -> Pushes<'_> {
        team.pushes(&Filter::parse(filter).unwrap(), Some(team.oldest_cursor()), 9)
    };
    let [delivered, everything] =
        [find("status:\"Delivered to Device (From Storage)\""), find("")].map(|page| page.pushes.len());
    assert_eq!((delivered, everything), (1, 0));
    assert_eq!(team.evicted(), team.oldest_cursor());
}

#[test]
fn what_a_push_was_waiting_for_is_forgotten_with_its_end() {
    let mut bench = long_stored();
    let number = bench.team_at().team().push(ID).unwrap().arrival.notification().unwrap().number;
    for expected in [1, 0] {
        assert_eq!(bench.team_at().team().journal.waits(number).len(), expected);
        for _ in 0..11 {
            bench.team_at().advance_clock(Duration::from_secs(1));
        }
    }
}

/// A device connects, is sent the push and is gone without a word, a hundred times.
#[test]
fn a_push_that_waits_again_and_again_takes_bounded_memory() {
    let mut bench = Bench::new();
    bench.team_at().set_device_state(&device(PHONE), DeviceState::Offline).unwrap();
    bench.answer(&bench.push().with("apns-id", ID));
    for _ in 0..100 {
        let connection = bench.service.device_connected(NOW, device(PHONE));
        bench.service.device_line(NOW, connection, br#"{"type":"connect"}"#);
        bench.service.device_disconnected(NOW, connection);
    }
    let team = bench.team_at();
    let stored = team.team().delivery_log(ID).filter(|it| it.status().is_some_and(Status::is_wait));
    assert_eq!(stored.count(), 101);
    assert_eq!(team.team().push(ID).unwrap().history().count(), 1 + WAITS_MAX);
}
