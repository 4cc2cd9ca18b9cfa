//! Store and forward.

use mock_apns_core::{DeviceState, Reason, Status};

use crate::{
    common::{Jwt, PHONE, bundle_id, device},
    world::{DAY, MINUTE, SANDBOX, World},
};

const OFFLINE: &str = "Stored - Device Offline";
const POWER: &str = "Stored - Power Considerations";
const DELIVERED: &str = "Delivered to Device";
const FROM_STORAGE: &str = "Delivered to Device (From Storage)";
const EXPIRED: &str = "Discarded - Expired";
const OVERWRITTEN: &str = "Discarded - Overwritten";

#[test]
fn two_pushes_with_one_collapse_id_and_a_day_offline_are_one_notification() {
    let mut world = World::new();
    world.offline();
    let first = world.send(&world.alert("1 : 0").with("apns-collapse-id", "score"));
    let second = world.send(&world.alert("1 : 1").with("apns-collapse-id", "score"));
    world.pass(DAY);
    world.online();
    assert_eq!(world.shown(), ["1 : 1"]);
    assert_eq!(world.life(first), [OFFLINE, OVERWRITTEN]);
    assert_eq!(world.because(first), serde_json::json!({ "cause": "collapsed", "by": second }));
    assert_eq!(world.life(second), [OFFLINE, FROM_STORAGE]);
}

#[test]
fn a_device_that_is_online_gets_it_at_once() {
    let mut world = World::new();
    let push = world.send(&world.alert("Hello"));
    assert_eq!(world.life(push), [DELIVERED]);
    assert_eq!(world.shown(), ["Hello"]);
}

#[test]
fn of_several_for_one_app_the_latest_waits_whatever_its_collapse_id() {
    let mut world = World::new();
    world.offline();
    let numbers: Vec<u64> =
        ["a", "b", "c"].map(|id| world.send(&world.alert(id).with("apns-collapse-id", id))).into();
    world.online();
    assert_eq!(world.shown(), ["c"]);
    assert_eq!(world.life(numbers[0]), [OFFLINE, OVERWRITTEN]);
    assert_eq!(world.because(numbers[1]), serde_json::json!({ "cause": "overwritten", "by": numbers[2] }));
}

#[test]
fn each_app_on_a_device_has_a_place_of_its_own() {
    let mut world = World::new();
    let second = bundle_id("com.example.second");
    world.team().install(&device(PHONE), &second, SANDBOX).unwrap();
    let kind = mock_apns_core::TokenKind::App;
    let token = world.team().register(&device(PHONE), &second, SANDBOX, kind).unwrap();
    world.offline();
    let to_first = world.send(&world.alert("first"));
    let other = world.alert("second").with(":path", &format!("/3/device/{token}"));
    world.bench.connect(); // the certificate is for the first app
    let to_second = world.send(&other.with("apns-topic", "com.example.second").signed_by(&Jwt::default()));
    world.online();
    assert_eq!(world.life(to_first), [OFFLINE, FROM_STORAGE]);
    assert_eq!(world.life(to_second), [OFFLINE, FROM_STORAGE]);
}

#[test]
fn expiration_0_is_one_attempt() {
    let mut world = World::new();
    let once = world.alert("now or never").with("apns-expiration", "0");
    let online = world.send(&once);
    world.offline();
    let offline = world.send(&once);
    assert_eq!(world.life(online), [DELIVERED]);
    assert_eq!(world.life(offline), [EXPIRED]);
    assert_eq!(world.because(offline), serde_json::json!({ "cause": "expiration-zero" }));
}

#[test]
fn a_past_expiration_is_delivered_to_a_device_that_is_online_and_to_no_other() {
    let mut world = World::new();
    let late = world.alert("late").with("apns-expiration", "1000");
    let online = world.send(&late);
    world.offline();
    let offline = world.send(&late);
    assert_eq!(world.life(online), [DELIVERED]);
    assert_eq!(world.life(offline), [EXPIRED]);
}

#[test]
fn a_future_expiration_is_kept_to_the_second() {
    for (waits, expected) in [(9, [OFFLINE, FROM_STORAGE]), (10, [OFFLINE, EXPIRED])] {
        let mut world = World::new();
        world.offline();
        let expires = world.after(10 * MINUTE);
        let push = world.send(&world.alert("Hello").with("apns-expiration", &expires));
        world.pass(waits * MINUTE);
        world.online();
        assert_eq!(world.life(push), expected, "{waits} minutes");
    }
}

#[test]
fn what_expires_in_storage_has_expired_when_it_did_not_when_someone_looked() {
    let mut world = World::new();
    world.offline();
    let expires = world.after(MINUTE);
    let push = world.send(&world.alert("Hello").with("apns-expiration", &expires));
    let expired_at = world.bench.now.saturating_add(MINUTE);
    world.pass(5 * DAY);
    assert_eq!(world.life_at(push)[1], (expired_at, EXPIRED));
}

#[test]
fn nothing_is_kept_for_more_than_thirty_days() {
    for header in [None, Some("9999999999")] {
        for (days, expected) in [(29, [OFFLINE, FROM_STORAGE]), (30, [OFFLINE, EXPIRED])] {
            let mut world = World::new();
            world.offline();
            let push = world.alert("Hello");
            let push = world.send(&match header {
                Some(value) => push.with("apns-expiration", value),
                None => push,
            });
            world.pass(days * DAY);
            world.online();
            assert_eq!(world.life(push), expected, "{header:?}, {days} days");
        }
    }
}

#[test]
fn an_expired_one_has_made_its_predecessor_lost_all_the_same() {
    let mut world = World::new();
    world.offline();
    let first = world.send(&world.alert("for long"));
    let expires = world.after(MINUTE);
    let second = world.send(&world.alert("for short").with("apns-expiration", &expires));
    world.pass(DAY);
    world.online();
    assert_eq!(world.life(first), [OFFLINE, OVERWRITTEN]);
    assert_eq!(world.life(second), [OFFLINE, EXPIRED]);
    assert!(world.shown().is_empty());
}

#[test]
fn one_that_is_not_to_be_stored_displaces_nothing() {
    let mut world = World::new();
    world.offline();
    let stored = world.send(&world.alert("stays"));
    world.send(&world.alert("once").with("apns-expiration", "0"));
    world.online();
    assert_eq!(world.life(stored), [OFFLINE, FROM_STORAGE]);
}

#[test]
fn a_device_that_saves_power_gets_what_is_urgent_and_the_rest_in_a_batch() {
    let mut world = World::new();
    let second = bundle_id("com.example.second");
    world.team().install(&device(PHONE), &second, SANDBOX).unwrap();
    let kind = mock_apns_core::TokenKind::App;
    let token = world.team().register(&device(PHONE), &second, SANDBOX, kind).unwrap();
    world.state(DeviceState::PowerSaving);
    let urgent = world.send(&world.alert("10").with("apns-priority", "10"));
    let unstated = world.send(&world.alert("no priority"));
    let five = world.send(&world.alert("5").with("apns-priority", "5"));
    let other = world.alert("1").with("apns-priority", "1").with(":path", &format!("/3/device/{token}"));
    world.bench.connect(); // the certificate is for the first app
    let one = world.send(&other.with("apns-topic", "com.example.second").signed_by(&Jwt::default()));
    assert_eq!((world.life(urgent), world.life(unstated)), (vec![DELIVERED], vec![DELIVERED]));
    assert_eq!((world.life(five), world.life(one)), (vec![POWER], vec![POWER]));
    world.pass(MINUTE);
    world.online();
    let released_at = world.bench.now;
    assert_eq!(world.life_at(five)[1], (released_at, FROM_STORAGE));
    assert_eq!(world.life_at(one)[1], (released_at, FROM_STORAGE));
}

#[test]
fn what_was_stored_for_a_device_offline_goes_on_waiting_for_its_power() {
    let mut world = World::new();
    world.offline();
    let push = world.send(&world.alert("5").with("apns-priority", "5"));
    world.state(DeviceState::PowerSaving);
    world.offline();
    world.state(DeviceState::PowerSaving);
    world.online();
    assert_eq!(world.life(push), [OFFLINE, POWER, FROM_STORAGE]);
}

#[test]
fn background_pushes_beyond_the_hourly_budget_wait_and_the_newest_is_released() {
    let mut world = World::with(&[("background-pushes-per-hour", "2")]);
    let numbers: Vec<u64> = (0..4).map(|_| world.send(&world.background())).collect();
    assert_eq!(world.life(numbers[0]), [DELIVERED]);
    assert_eq!(world.life(numbers[1]), [DELIVERED]);
    assert_eq!(world.life(numbers[2]), [POWER, OVERWRITTEN]);
    assert_eq!(world.because(numbers[3]), serde_json::json!({ "cause": "background-budget" }));
    let released_at = world.bench.now.saturating_add(30 * MINUTE);
    assert_eq!(world.bench.service.poll_timeout(), Some(released_at));
    world.pass(DAY);
    assert_eq!(world.life_at(numbers[3])[1], (released_at, FROM_STORAGE));
}

#[test]
fn alerts_have_no_budget() {
    let mut world = World::with(&[("background-pushes-per-hour", "1")]);
    for _ in 0..5 {
        let push = world.send(&world.alert("Hello"));
        assert_eq!(world.life(push), [DELIVERED]);
    }
}

#[test]
fn collapse_id_replaces_what_is_shown() {
    let mut world = World::new();
    for (id, text) in [("score", "1 : 0"), ("news", "half-time"), ("score", "1 : 1")] {
        world.send(&world.alert(text).with("apns-collapse-id", id));
    }
    assert_eq!(world.shown(), ["1 : 1", "half-time"]);
}

#[test]
fn every_status_is_counted_each_time_it_is_reached() {
    let mut world = World::new();
    world.send(&world.alert("at once"));
    world.offline();
    world.send(&world.alert("lost"));
    world.send(&world.alert("later"));
    world.online();
    let team = world.team();
    let counted: Vec<(Status, u64)> = Status::ALL
        .iter()
        .map(|status| (*status, team.team().counters().get(*status)))
        .filter(|(_, count)| *count > 0)
        .collect();
    assert_eq!(
        counted,
        [
            (Status::Received, 3),
            (Status::Delivered, 1),
            (Status::DeliveredFromStorage, 1),
            (Status::StoredDeviceOffline, 2),
            (Status::DiscardedOverwritten, 1),
        ]
    );
}

#[test]
fn a_life_is_found_by_apns_id_and_by_apns_unique_id() {
    let mut world = World::new();
    world.offline();
    let given = "123e4567-e89b-12d3-a456-42665544000f";
    let push = world.alert("Hello").with("apns-id", given);
    let unique_id = world.answer(&push).apns_unique_id.unwrap();
    world.send(&world.alert("another"));
    world.online();
    let team = world.team();
    let statuses = |id: &str| -> Vec<&str> {
        team.team().delivery_log(id).map(|record| record.status().unwrap().as_str()).collect()
    };
    let expected = ["Received by APNs", OFFLINE, OVERWRITTEN];
    assert_eq!(statuses(given), expected);
    assert_eq!(statuses(&given.to_uppercase()), expected);
    assert_eq!(statuses(unique_id.as_str()), expected);
    assert!(statuses("00000000-0000-0000-0000-000000000000").is_empty());
}

#[test]
fn a_refused_push_is_in_the_log_with_its_rule() {
    let mut world = World::new();
    let given = "123e4567-e89b-12d3-a456-42665544000f";
    let push = world.alert("Hello").with("apns-id", given).with("apns-priority", "7");
    assert_eq!(world.reason(&push), Some(Reason::BadPriority));
    let team = world.team();
    let record = team.team().delivery_log(given).next().unwrap();
    let json = serde_json::to_value(record).unwrap();
    assert_eq!((&json["apns-priority"], &json["apns-topic"]), (&"7".into(), &"com.example.app".into()));
    assert_eq!(json["payload"], r#"{"aps":{"alert":"Hello"}}"#);
    assert_eq!((&json["reason"], &json["rule"]), (&"BadPriority".into(), &"priority-is-allowed".into()));
}

#[test]
fn the_provider_token_of_a_refused_push_is_not_written_down() {
    let mut world = World::new();
    world.bench.connect();
    let push = world.bench.push().signed_by(&Jwt::default()).with("apns-priority", "7");
    let secret = push.value("authorization");
    assert_eq!(world.reason(&push), Some(Reason::BadPriority));
    let signature = secret.rsplit('.').next().unwrap();
    let journal = world.journal();
    assert!(
        journal.contains("BadPriority") && !journal.contains(signature) && !journal.contains("authorization")
    );
}
