//! What becomes of pushes.

use std::time::{Duration, Instant};

use crate::{ALERT, bearer, ok, played, refused};

#[tokio::test]
async fn a_key_is_revoked_after_a_minute() {
    let mut world = played("key-revoked").await;
    assert_eq!(world.push().await, ok());
    world.advance("1m").await;
    assert_eq!(world.push().await, refused(403, "InvalidProviderToken"));
}

#[tokio::test]
async fn answers_tell_that_it_is_the_double_that_was_reached() {
    let mut world = played("marked-answers").await;
    assert_eq!(world.push().await, ok());
    let is_marked = world.peer.last_fields.contains(&("server".to_owned(), "mock-apns".to_owned()));
    assert!(is_marked, "{:?}", world.peer.last_fields);
    assert_eq!(world.count("Delivered to Device").await, 1);
}

#[tokio::test]
async fn answers_take_as_long_as_over_the_internet() {
    let mut world = played("round-trip-time").await;
    let begun = Instant::now();
    assert_eq!(world.push().await, ok());
    assert!(begun.elapsed() >= Duration::from_millis(20), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_changed_provider_token_is_too_many_on_another_connection_too() {
    let mut world = played("too-many-token-updates").await;
    assert_eq!(world.push().await, ok());
    let same = world.bearer.clone();
    assert_eq!(world.push_as(same).await, ok());
    let [second, third] = [-60, -120].map(|ahead| bearer(&world.mock, 0, ahead));
    assert_eq!(world.push_as(second).await, ok(), "the first change");
    assert_eq!(world.push_as(third).await, refused(429, "TooManyProviderTokenUpdates"));
}

#[tokio::test]
async fn a_provider_token_expires_early_and_once() {
    let mut world = played("expired-provider-token").await;
    for _ in 0..10 {
        assert_eq!(world.push().await, ok());
    }
    assert_eq!(world.push().await, refused(403, "ExpiredProviderToken"));
    assert_eq!(world.push().await, ok());
}

#[tokio::test]
async fn a_clock_that_is_ahead_is_refused() {
    let mut world = played("strict-clock").await;
    let ahead = bearer(&world.mock, 0, 30);
    assert_eq!(world.push_as(ahead).await, refused(403, "ExpiredProviderToken"));
    let behind = bearer(&world.mock, 0, -30);
    assert_eq!(world.push_as(behind).await, ok());
}

#[tokio::test]
async fn an_uninstalled_apps_410_comes_an_hour_late() {
    let mut world = played("uninstalled-app").await;
    assert_eq!(world.push().await, ok());
    assert_eq!(world.count("Delivered to Device").await, 0, "200 is not delivered");
    assert_eq!(world.push().await, ok());
    world.advance("1h").await;
    let fresh = format!("bearer {}", world.mock.team().provider_token().unwrap());
    let (status, body) = world.push_as(fresh).await;
    assert!(status == 410 && body.starts_with(r#"{"reason":"Unregistered","timestamp":"#), "{status} {body}");
}

#[tokio::test]
async fn a_410_has_a_timestamp_of_long_ago_or_none_or_one_far_ahead() {
    let mut world = played("timestamps-of-410").await;
    for timestamp in [r#","timestamp":1000000000000"#, "", r#","timestamp":4102444800000"#] {
        let body = format!(r#"{{"reason":"Unregistered"{timestamp}}}"#);
        assert_eq!(world.push().await, (410, body));
    }
    assert_eq!(world.push().await, ok());
}

#[tokio::test]
async fn all_tokens_are_of_the_other_environment_for_ten_minutes() {
    let mut world = played("wrong-environment").await;
    assert_eq!(world.push().await, refused(400, "BadDeviceToken"));
    world.advance("10m").await;
    assert_eq!(world.push().await, ok());
}

#[tokio::test]
async fn a_key_of_the_other_environment_is_told_so_in_the_words_of_apples_page() {
    let mut world = played("environment-key-spelling").await;
    assert_eq!(world.mock.ready_made().keys[2].key_id, "MOCKKEYPRO");
    let production = bearer(&world.mock, 2, 0);
    assert_eq!(world.push_as(production).await, refused(403, "BadEnvironmentKeyIdInToken"));
}

#[tokio::test]
async fn a_push_without_its_type_is_refused() {
    let mut world = played("missing-push-type").await;
    assert_eq!(world.push_with(&[], ALERT).await, refused(400, "InvalidPushType"));
    assert_eq!(world.push().await, ok());
}

#[tokio::test]
async fn the_second_background_push_of_an_hour_is_accepted_and_waits() {
    let mut world = played("background-budget").await;
    for _ in 0..2 {
        let background = [("apns-push-type", "background"), ("apns-priority", "5")];
        assert_eq!(world.push_with(&background, r#"{"aps":{"content-available":1}}"#).await, ok());
    }
    assert_eq!(world.count("Delivered to Device").await, 1);
}

#[tokio::test]
async fn of_what_was_pushed_to_a_phone_that_was_offline_the_last_arrives() {
    let mut world = played("offline-for-an-hour").await;
    for text in ["one", "two", "three"] {
        let body = ALERT.replace("Hello", text);
        assert_eq!(world.push_with(&[("apns-push-type", "alert")], &body).await, ok());
    }
    world.advance("1h").await;
    assert_eq!(world.count("Delivered to Device").await, 0);
    assert_eq!(world.count("Delivered to Device (From Storage)").await, 1);
    let screen = world.control.get("/v1/devices/phone/screen").await.expect(200).to_string();
    assert!(screen.contains("three") && !screen.contains("two"), "{screen}");
}

#[tokio::test]
async fn who_floods_a_token_is_slowed_down() {
    let mut world = played("throttled").await;
    // One more is taken each second.
    for _ in 0..200 {
        let answer = world.push().await;
        if answer != ok() {
            assert_eq!(answer, refused(429, "TooManyRequests"));
            return;
        }
    }
    panic!("200 pushes were taken");
}

#[tokio::test]
async fn a_live_activity_is_over_after_three_updates() {
    let mut world = played("live-activity-ends").await;
    let token = world.mock.ready_made().device_token("sandbox-live-activity").unwrap().clone();
    let update = r#"{"aps":{"timestamp":1700000000,"event":"update","content-state":{"score":1}}}"#;
    for expected in [200, 200, 200, 410] {
        let bearer = world.bearer.clone();
        let fields =
            [("authorization", &*bearer), ("apns-topic", &token.topic), ("apns-push-type", "liveactivity")];
        let (status, body) = world.peer.answer(&token.token, &fields, update).await;
        assert_eq!(status, expected, "{body}");
        assert!(status == 200 || body.contains("ExpiredToken"), "{body}");
    }
    assert_eq!(world.push().await, ok(), "the device is not gone");
}

#[tokio::test]
async fn a_push_is_followed_by_its_apns_id_where_there_is_no_other() {
    let mut world = played("no-unique-id").await;
    assert_eq!(world.push().await, ok());
    let fields = &world.peer.last_fields;
    assert!(fields.iter().all(|(name, _)| name != "apns-unique-id"), "{fields:?}");
    let id = &fields.iter().find(|(name, _)| name == "apns-id").unwrap().1;
    let found = world.control.get(&format!("/v1/notifications?filter=id:{id}")).await.expect(200);
    assert_eq!(found["notifications"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_dry_run_checks_all_and_delivers_nothing() {
    let mut world = played("dry-run").await;
    assert_eq!(world.push().await, ok());
    let wrong = [("apns-push-type", "alert"), ("apns-priority", "7")];
    assert_eq!(world.push_with(&wrong, ALERT).await, refused(400, "BadPriority"));
    assert_eq!(world.count("Delivered to Device").await, 0);
}

#[tokio::test]
async fn what_is_documented_as_an_error_is_refused() {
    let mut world = played("strict").await;
    let background = [("apns-push-type", "background"), ("apns-priority", "10")];
    let body = r#"{"aps":{"content-available":1}}"#;
    assert_eq!(world.push_with(&background, body).await, refused(400, "BadPriority"));
    let ahead = bearer(&world.mock, 0, 30);
    assert_eq!(world.push_as(ahead).await, refused(403, "ExpiredProviderToken"));
}
