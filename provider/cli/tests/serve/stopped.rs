use std::time::{Duration, Instant};

use mock_apns::Filter;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::databases::on_both;
use crate::process::{APP, House, PATIENCE, to_tokens};

on_both! { House:
    c71_sigterm_finishes_what_is_under_way_and_leaves_the_rest_to_the_next_process,
    c73_a_server_starts_while_apns_is_away_and_sends_when_it_is_there,
    c75_what_is_for_later_goes_at_its_time_whatever_happens_to_the_server,
}

/// Pushes that are under way when it is told to stop.
const UNDER_WAY: usize = 50;
/// More than go out before it is told to stop.
const WAITING: usize = 1000;

/// When something is to be sent that is for later: long enough to start a server on a machine that is busy.
const LATER: Duration = Duration::from_secs(6);
/// A second, and one for a machine that is busy: it has to connect.
const LATE_MAX: Duration = Duration::from_secs(2);

async fn c71_sigterm_finishes_what_is_under_way_and_leaves_the_rest_to_the_next_process(mut house: House) {
    let server = house.serve();
    house.set_up_app(&server);
    let tokens = house.tokens(WAITING);
    // So slow that not all are sent when it has to stop.
    let team = house.mock.team();
    let slow = r#"{"name":"slow","action":{"answer":{"delay":"400ms"}}}"#;
    let slow = team.fault(slow.parse().unwrap()).unwrap();
    let settings = team.at_work(|team| {
        team.team().settings().changed([("max-concurrent-streams", UNDER_WAY.to_string())]).unwrap()
    });
    team.at_work(|team| team.set_settings(settings));
    let push = to_tokens(&tokens);
    let id = house.asked(&server, &["notifications", "submit", APP, "--data", &push, "--json"]);
    let id = id["id"].as_str().unwrap().to_owned();
    team.wait_for(&Filter::default(), 1, PATIENCE).await.unwrap();
    server.terminate();
    let status = server.wait();
    assert_eq!(status.code(), Some(0));
    let before = house.taken();
    assert!(!before.is_empty() && before.len() < WAITING, "{} were taken", before.len());
    drop(slow);
    tokio::time::sleep(Duration::from_millis(500)).await; // what was answered late would be there now
    assert_eq!(house.taken(), before, "nothing was under way when it ended");

    let server = house.serve();
    let told = house.finished(&server, &id).await;
    let taken = house.taken();
    assert_eq!(taken.len(), WAITING, "{told}");
    assert!(taken.values().all(|times| *times == 1), "nothing is sent twice");
}

async fn c73_a_server_starts_while_apns_is_away_and_sends_when_it_is_there(mut house: House) {
    let server = house.serve_to(1, &[]);
    house.set_up_app(&server);
    let tokens = house.tokens(5);
    let push = to_tokens(&tokens);
    let is_ready = |server| house.asked(server, &["health", "readyz", "--json"]);
    assert_eq!(
        is_ready(&server),
        json!({ "is-ready": true, "reasons": [], "notes": [] }),
        "nothing was tried"
    );
    let id = house.asked(&server, &["notifications", "submit", APP, "--data", &push, "--json"]);
    let (began, mut told) = (Instant::now(), is_ready(&server));
    while told["notes"] == json!([]) {
        assert!(began.elapsed() < PATIENCE, "it does not say that APNs is away: {told}");
        told = is_ready(&server);
    }
    assert_eq!(
        (&told["is-ready"], &told["reasons"]),
        (&json!(true), &json!([])),
        "it takes what is to be sent"
    );
    let note = told["notes"][0].as_str().unwrap();
    assert!(note.starts_with("APNs sandbox cannot be reached: no connection could be made"), "{note}");
    assert!(!note.contains(APP) && !note.contains("localhost"), "anybody may read it: {note}");
    server.terminate();
    assert_eq!(server.wait().code(), Some(0), "there is nothing to wait for");
    let server = house.serve();
    house.finished(&server, id["id"].as_str().unwrap()).await;
    assert_eq!(house.taken().len(), 5);
    let told = house.asked(&server, &["health", "readyz", "--json"]);
    assert_eq!(told, json!({ "is-ready": true, "reasons": [], "notes": [] }));
}

async fn c75_what_is_for_later_goes_at_its_time_whatever_happens_to_the_server(mut house: House) {
    let server = house.serve();
    house.set_up_app(&server);
    let mut push: Value = serde_json::from_str(&to_tokens(&house.tokens(1))).unwrap();
    let at = OffsetDateTime::now_utc() + LATER;
    push["schedule"] = json!({ "not-before": at.format(&Rfc3339).unwrap() });
    house.asked(&server, &["notifications", "submit", APP, "--data", &push.to_string(), "--json"]);
    server.kill();
    let _server = house.serve();
    assert!(OffsetDateTime::now_utc() < at, "it has started in time");
    house.mock.team().wait_for(&Filter::default(), 1, PATIENCE).await.unwrap();
    let late = OffsetDateTime::now_utc() - at;
    assert!((Duration::ZERO..LATE_MAX).contains(&late.unsigned_abs()) && late.is_positive(), "{late}");
}
