//! From a notification that was handed in to outcomes that are stored: against the double, on both databases. What has a number in the list of
//! what a provider must do is named after it.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

mod databases;
mod pipeline_support;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use apns_provider_core::UnixTime;
use apns_provider_server::store::State;
use apns_provider_server_core::outcome::{Ending, RetryRules};
use databases::on_both;
use pipeline_support::{PATIENCE, Scene, now, to_all, to_tokens, to_users, urgent};
use serde_json::json;

on_both! { Scene:
    c74_a_user_with_three_devices_gets_three_pushes_and_three_outcomes,
    a_campaign_ends_with_one_outcome_for_each_recipient_and_no_push_twice,
    c70_what_was_stored_is_not_sent_again_by_the_process_after_this_one,
    c70_a_process_that_dies_is_taken_over_when_its_leases_run_out,
    c75_what_expires_in_the_queue_is_never_sent,
    c76_a_later_notification_with_the_same_collapse_id_replaces_one_not_yet_sent,
    c76_a_device_gets_no_more_than_its_rate_and_of_those_that_wait_the_latest,
    c77_a_campaign_does_not_delay_what_is_urgent,
    a_410_removes_a_device_unless_it_has_registered_since,
    c73_what_was_handed_in_while_apns_was_away_is_sent_when_it_is_there,
    c79_when_too_many_tokens_are_invalid_it_is_told_and_hardly_any_is_removed,
    c79_what_is_tried_again_and_what_was_removed_is_counted,
    a_campaign_that_is_cancelled_or_paused_is_not_sent_on,
    a_credential_that_is_changed_is_used_at_once,
}

/// Recipients of a campaign.
const MANY: usize = 5_000;
/// So many that it is under way, and so few that it is not over.
const SOME: u64 = 500;
/// Long enough for what is in the engine.
const DRAIN: Duration = Duration::from_secs(10);

async fn c74_a_user_with_three_devices_gets_three_pushes_and_three_outcomes(scene: Scene) {
    let tokens = scene.tokens("phone", 2);
    let dead = scene.mock.ready_made().device_token("sandbox-unregistered").unwrap().token.clone();
    for token in tokens.iter().chain([&dead]) {
        scene.register(token, Some("ada")).await;
    }
    let pipeline = scene.pipeline();
    let id = scene.submit(to_users(&["ada"])).await;
    let state = scene.finished(id).await;
    assert_eq!((state.counts.planned, state.counts.unended), (3, 0));
    assert_eq!(scene.endings(id).await, BTreeMap::from([(Ending::Accepted, 2), (Ending::Rejected, 1)]));
    let sent: BTreeSet<String> = scene.pushes().into_iter().map(|push| push.apns_id).collect();
    let planned: BTreeSet<String> = (0..3).map(|position| id.apns_id(0, position).to_string()).collect();
    assert_eq!(sent, planned, "one push each, under the apns-ids that follow from the notification's");
    assert!(pipeline.stop(DRAIN).await);
}

async fn a_campaign_ends_with_one_outcome_for_each_recipient_and_no_push_twice(scene: Scene) {
    scene.register_all(&scene.tokens("phone", MANY)).await;
    let pipeline = scene.pipeline();
    let id = scene.submit(to_all()).await;
    scene.finished(id).await;
    assert_eq!(scene.endings(id).await, BTreeMap::from([(Ending::Accepted, MANY)]));
    let taken = scene.taken();
    assert_eq!(taken.len(), MANY);
    assert!(taken.values().all(|times| *times == 1));
    assert!(pipeline.stop(DRAIN).await);
}

async fn c70_what_was_stored_is_not_sent_again_by_the_process_after_this_one(scene: Scene) {
    scene.register_all(&scene.tokens("phone", MANY)).await;
    let pipeline = scene.pipeline_on(scene.store.clone(), scene.slow());
    let id = scene.submit(to_all()).await;
    scene.until(id, |state| state.counts.ended() > SOME).await;
    assert!(pipeline.stop(DRAIN).await, "all that the engine had was finished and stored");
    let half = scene.state(id).await;
    assert!(half.counts.ended() < MANY as u64, "it was stopped in the middle: {half:?}");
    assert_eq!(scene.taken().len() as u64, half.counts.ended(), "what was sent is stored");

    let pipeline = scene.pipeline();
    scene.finished(id).await;
    assert_eq!(scene.endings(id).await, BTreeMap::from([(Ending::Accepted, MANY)]));
    let taken = scene.taken();
    assert_eq!((taken.len(), taken.values().max()), (MANY, Some(&1)), "each once");
    assert!(pipeline.stop(DRAIN).await);
}

async fn c70_a_process_that_dies_is_taken_over_when_its_leases_run_out(scene: Scene) {
    scene.register_all(&scene.tokens("phone", MANY)).await;
    let mut settings = scene.slow();
    settings.worker.engine_timeout = Duration::from_millis(500);
    settings.worker.lease = Duration::from_secs(8);
    let pipeline = scene.pipeline_on(scene.store.clone(), settings);
    let id = scene.submit(to_all()).await;
    scene.until(id, |state| state.counts.ended() > SOME).await;
    let stored: BTreeSet<String> = {
        drop(pipeline); // as a killed one: nothing is given back
        tokio::time::sleep(Duration::from_millis(200)).await; // what the store was asked before is done
        let outcomes = scene.outcomes(id).await;
        outcomes.iter().map(|it| it.shard.apns_id(it.position).to_string()).collect()
    };
    assert!(stored.len() < MANY);

    let pipeline = scene.pipeline();
    scene.finished(id).await;
    assert_eq!(scene.endings(id).await, BTreeMap::from([(Ending::Accepted, MANY)]));
    let taken = scene.taken();
    assert_eq!(taken.len(), MANY, "nothing is lost");
    let twice: Vec<&String> = taken.iter().filter(|(_, times)| **times > 1).map(|(id, _)| id).collect();
    assert!(twice.iter().all(|id| !stored.contains(*id)), "nothing is sent again whose outcome was stored");
    eprintln!("{} stored when it died, {} sent twice", stored.len(), twice.len());
    assert!(pipeline.stop(DRAIN).await);
}

async fn c75_what_expires_in_the_queue_is_never_sent(scene: Scene) {
    let tokens = scene.tokens("phone", 2);
    let mut short = to_tokens(&tokens);
    short["message"]["ttl"] = json!(1);
    let expired = scene.submit(short).await;
    let mut long = to_tokens(&tokens);
    long["message"]["ttl"] = json!(3600);
    let (asked, kept) = (now().as_secs(), scene.submit(long).await);
    tokio::time::sleep(Duration::from_millis(2_100)).await; // the server is down so long
    let pipeline = scene.pipeline();
    scene.finished(expired).await;
    scene.finished(kept).await;
    assert_eq!(scene.endings(expired).await, BTreeMap::from([(Ending::Expired, 2)]));
    assert_eq!(scene.endings(kept).await, BTreeMap::from([(Ending::Accepted, 2)]));
    let pushes = scene.pushes();
    assert_eq!(pushes.len(), 2);
    for push in pushes {
        let expiration = push.headers.iter().find(|(name, _)| name == "apns-expiration").unwrap();
        let left = expiration.1.parse::<u64>().unwrap() - asked;
        assert!((3600..=3601).contains(&left), "it is counted from when it was handed in: {left}");
    }
    assert!(pipeline.stop(DRAIN).await);
}

async fn c76_a_later_notification_with_the_same_collapse_id_replaces_one_not_yet_sent(scene: Scene) {
    let tokens = scene.tokens("phone", 3);
    let score = |text: &str, tokens: &[String]| {
        let mut request = to_tokens(tokens);
        request["message"] = json!({ "collapse-id": "score", "payload": { "aps": { "alert": text } } });
        request
    };
    for token in &tokens {
        scene.register(token, None).await;
    }
    let first = scene.submit(score("1:0", &tokens)).await;
    let second = scene.submit(score("2:0", &tokens[..2])).await;
    let pipeline = scene.pipeline();
    scene.finished(first).await;
    scene.finished(second).await;
    assert_eq!(scene.endings(second).await, BTreeMap::from([(Ending::Accepted, 2)]));
    assert_eq!(
        scene.endings(first).await,
        BTreeMap::from([(Ending::Accepted, 1), (Ending::Replaced, 2)]),
        "who did not get the second one gets the first"
    );
    assert_eq!(scene.pushes().len(), 3);
    assert!(pipeline.stop(DRAIN).await);
}

async fn c76_a_device_gets_no_more_than_its_rate_and_of_those_that_wait_the_latest(scene: Scene) {
    let tokens = scene.tokens("phone", 2);
    scene.set(json!({ "background-per-device": { "count": 1, "within-secs": 5 } })).await;
    let sync = |tokens: &[String], change: u32| {
        let mut request = to_tokens(tokens);
        request["message"] = json!({
            "push-type": "background", "collapse-id": "sync",
            "payload": { "aps": { "content-available": 1 }, "change": change },
        });
        request
    };
    let pipeline = scene.pipeline();
    let first = scene.submit(sync(&tokens[..1], 1)).await;
    scene.finished(first).await;
    let second = scene.submit(sync(&tokens, 2)).await;
    scene.until(second, |state| state.counts.ended() == 1).await; // the other device had none yet
    let third = scene.submit(sync(&tokens[..1], 3)).await;
    scene.finished(third).await;
    scene.finished(second).await;
    assert_eq!(scene.endings(first).await, BTreeMap::from([(Ending::Accepted, 1)]));
    let replaced = BTreeMap::from([(Ending::Accepted, 1), (Ending::Replaced, 1)]);
    assert_eq!(scene.endings(second).await, replaced);
    assert_eq!(scene.endings(third).await, BTreeMap::from([(Ending::Accepted, 1)]));
    let outcomes = [scene.outcomes(first).await, scene.outcomes(third).await];
    let apart = outcomes[1][0].at.saturating_since(outcomes[0][0].at);
    assert!(apart >= Duration::from_millis(4_500), "{apart:?}");
    assert_eq!(scene.pushes().len(), 3);
    assert!(pipeline.stop(DRAIN).await);
}

async fn c77_a_campaign_does_not_delay_what_is_urgent(scene: Scene) {
    let phone = scene.tokens("urgent", 1);
    scene.register_all(&scene.tokens("phone", MANY)).await;
    let pipeline = scene.pipeline();
    urgent_latency(&scene, &phone).await; // connects
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.push(urgent_latency(&scene, &phone).await);
    }
    let began = Instant::now();
    let campaign = scene.submit(to_all()).await;
    scene.until(campaign, |state| state.counts.ended() > 1_000).await;
    let mut busy = Vec::new();
    while scene.state(campaign).await.state != State::Finished {
        busy.push(urgent_latency(&scene, &phone).await);
    }
    let took = began.elapsed();
    idle.sort();
    busy.sort();
    let (idle, middle, worst) = (idle[idle.len() / 2], busy[busy.len() / 2], busy[busy.len() - 1]);
    eprintln!("idle {idle:?}; beside a campaign {middle:?}, at worst {worst:?}, of {}", busy.len());
    // It may wait for what is in the engine already, at the campaign's rate, and for nothing else of it.
    let in_engine_max = scene.settings().tuning.in_engine;
    let in_engine = took * in_engine_max / u32::try_from(MANY).unwrap();
    assert!(middle < idle * 5 + in_engine, "{middle:?} beside a campaign of {took:?}, {idle:?} without");
    assert!(pipeline.stop(DRAIN).await);
}

/// From handing it in until APNs has it.
async fn urgent_latency(scene: &Scene, phone: &[String]) -> Duration {
    let began = Instant::now();
    let id = scene.submit(urgent(phone)).await;
    scene.arrived(id).await;
    began.elapsed()
}

async fn a_410_removes_a_device_unless_it_has_registered_since(scene: Scene) {
    let token = |name: &str| scene.mock.ready_made().device_token(name).unwrap().token.clone();
    let dead = token("sandbox-unregistered");
    let hour = 3_600_000;
    scene.register_at(&dead, Some("ada"), UnixTime::from_millis(now().as_millis() + hour)).await;
    let pipeline = scene.pipeline();
    let id = scene.submit(to_users(&["ada"])).await;
    scene.finished(id).await;
    assert_eq!(scene.endings(id).await, BTreeMap::from([(Ending::Rejected, 1)]));
    assert!(scene.has_device(&dead).await, "the 410 is older than its registration");

    let token = scene.tokens("phone", 1).remove(0);
    scene.register(&token, Some("bob")).await;
    tokio::time::sleep(Duration::from_millis(5)).await; // another millisecond
    let (id, app) = (
        mock_apns::DeviceId::parse("phone-0").unwrap(),
        mock_apns::BundleId::parse("com.example.app").unwrap(),
    );
    scene.mock.team().at_work(|team| team.uninstall(&id, &app, mock_apns::Environment::Sandbox)).unwrap();
    for _ in 0..2 {
        let id = scene.submit(to_users(&["bob"])).await; // with the first one APNs finds out
        scene.finished(id).await;
    }
    assert!(!scene.has_device(&token).await, "the 410 is newer than its registration");
    assert_eq!(pipeline.status().counts.removed, 1);
    assert!(pipeline.stop(DRAIN).await);
}

async fn c73_what_was_handed_in_while_apns_was_away_is_sent_when_it_is_there(scene: Scene) {
    let tokens = scene.tokens("phone", 3);
    let hole = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = hole.local_addr().unwrap().port();
    drop(hole); // nobody listens there for now
    let mut settings = scene.settings_to(port);
    settings.worker.engine_timeout = Duration::from_secs(1);
    settings.dispatch =
        settings.dispatch.with_reconnect_pauses(Duration::from_millis(50), Duration::from_millis(200));
    let pipeline = scene.pipeline_on(scene.store.clone(), settings);
    assert!(pipeline.notes().is_empty(), "nothing was tried yet");
    let id = scene.submit(to_tokens(&tokens)).await;
    let began = Instant::now();
    while pipeline.status().counts.troubled == 0 {
        assert!(began.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(scene.state(id).await.counts.unended, 3, "nothing is given up");
    let away = "APNs sandbox cannot be reached: no connection could be made. What is taken is kept, and sent when it can be";
    assert_eq!(pipeline.notes(), [away]);
    let relay = relay(port, scene.mock.sandbox().port()).await;
    scene.finished(id).await;
    assert!(pipeline.notes().is_empty(), "it is there: {:?}", pipeline.notes());
    assert_eq!(scene.endings(id).await, BTreeMap::from([(Ending::Accepted, 3)]));
    assert!(pipeline.stop(DRAIN).await);
    relay.abort();
}

async fn c79_when_too_many_tokens_are_invalid_it_is_told_and_hardly_any_is_removed(scene: Scene) {
    let tokens = scene.tokens("phone", 100);
    scene.register_all(&tokens).await;
    let fault = r#"{"name":"gone","action":{"answer":{"status":410,"reason":"Unregistered"}}}"#;
    let _gone = scene.mock.team().fault(fault.parse().unwrap()).unwrap();
    let pipeline = scene.pipeline();
    assert_eq!(pipeline.status().worker.suspended, 0);
    let id = scene.submit(to_all()).await;
    scene.finished(id).await;
    assert_eq!(scene.endings(id).await, BTreeMap::from([(Ending::Rejected, 100)]));
    let status = pipeline.status();
    assert_eq!((status.worker.suspended, status.counts.too_many_invalid), (1, 1), "{status:?}");
    assert!(status.counts.removed < 10, "{status:?}");
    let notes = pipeline.notes();
    assert!(
        notes.len() == 1 && notes[0].starts_with("no device is removed for an invalid token"),
        "{notes:?}"
    );
    assert!(!notes[0].contains("com.example"), "anybody may read it");
    assert!(pipeline.stop(DRAIN).await);
}

async fn c79_what_is_tried_again_and_what_was_removed_is_counted(scene: Scene) {
    let dead = scene.mock.ready_made().device_token("sandbox-unregistered").unwrap().token.clone();
    scene.register_at(&dead, Some("ada"), UnixTime::from_secs(1)).await;
    let mut settings = scene.settings();
    let (first, longest) = (Duration::from_secs(1), Duration::from_secs(2));
    settings.worker.rules = RetryRules::new(3, first, longest).unwrap();
    settings.worker.engine_timeout = Duration::from_millis(500);
    let fault = r#"{"name":"busy","times":2,"action":{"answer":{"status":503,"retry-after":2}}}"#;
    let _busy = scene.mock.team().fault(fault.parse().unwrap()).unwrap();
    let pipeline = scene.pipeline_on(scene.store.clone(), settings);
    let id = scene.submit(to_tokens(&scene.tokens("phone", 1))).await;
    scene.finished(id).await;
    assert_eq!(scene.endings(id).await, BTreeMap::from([(Ending::Accepted, 1)]));
    let status = pipeline.status();
    assert_eq!((status.counts.retries, status.counts.removed), (2, 0), "{status:?}");
    let id = scene.submit(to_users(&["ada"])).await;
    scene.finished(id).await;
    assert!(!scene.has_device(&dead).await);
    let status = pipeline.status();
    assert_eq!((status.counts.stored, status.counts.removed), (2, 1), "{status:?}");
    assert!(pipeline.stop(DRAIN).await);
}

/// Lets the double be found at another port from now on.
async fn relay(from: u16, to: u16) -> tokio::task::AbortHandle {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", from)).await.unwrap();
    let serve = async move {
        loop {
            let Ok((mut near, _)) = listener.accept().await else { return };
            tokio::spawn(async move {
                let mut far = tokio::net::TcpStream::connect(("127.0.0.1", to)).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            });
        }
    };
    tokio::spawn(serve).abort_handle()
}

async fn a_campaign_that_is_cancelled_or_paused_is_not_sent_on(scene: Scene) {
    scene.register_all(&scene.tokens("phone", MANY)).await;
    let pipeline = scene.pipeline();
    let mut slow = to_all();
    slow["campaign"]["pace"] = json!(1_000);
    let id = scene.submit(slow).await;
    scene.until(id, |state| state.counts.ended() >= 1_000).await;
    assert!(scene.store.pause_campaign(scene.app, id, true).await.unwrap());
    tokio::time::sleep(Duration::from_millis(300)).await; // what the engine has ends
    let paused = scene.state(id).await;
    assert!(paused.counts.ended() < 4_500, "it keeps its pace: {paused:?}");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(scene.state(id).await.counts.ended(), paused.counts.ended(), "nothing is sent meanwhile");

    scene.store.pause_campaign(scene.app, id, false).await.unwrap();
    scene.until(id, |state| state.counts.ended() > paused.counts.ended()).await;
    scene.store.cancel(scene.app, id, now()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let sent = scene.pushes().len();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(scene.pushes().len(), sent, "nothing is sent after it was cancelled");
    assert!(pipeline.stop(DRAIN).await);
}

async fn a_credential_that_is_changed_is_used_at_once(scene: Scene) {
    let tokens = scene.tokens("phone", 1);
    scene.put_key(2).await; // good for production only
    let pipeline = scene.pipeline();
    let id = scene.submit(to_tokens(&tokens)).await;
    let began = Instant::now();
    while pipeline.status().counts.troubled == 0 {
        assert!(began.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    scene.put_key(0).await;
    let began = Instant::now();
    scene.finished(id).await;
    assert_eq!(scene.endings(id).await, BTreeMap::from([(Ending::Accepted, 1)]));
    assert!(began.elapsed() < Duration::from_secs(5), "nobody waited for a pause: {:?}", began.elapsed());
    assert!(pipeline.stop(DRAIN).await);
}
