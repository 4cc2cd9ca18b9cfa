//! Snapshots, as whoever keeps or reads one sees them. That all of the state is in them is checked beside
//! `quality_of_service`.

use mock_apns_core::{DeviceState, Effect, Reason, Service, Snapshot, SnapshotError, Status};
use serde_json::{Value, json};

use crate::{
    common::{Bench, NOW, PHONE, device, verify},
    world::{World, app, team_id},
};

fn snapshot(world: &World) -> Value {
    serde_json::to_value(world.bench.service.snapshot()).unwrap()
}

fn restore(value: &Value) -> Result<Service, String> {
    let snapshot: Snapshot = serde_json::from_value(value.clone()).map_err(|error| error.to_string())?;
    Service::restore(NOW, &snapshot, verify).map_err(|error: SnapshotError| error.to_string())
}

/// An alert waits for the phone; another was delivered, and one was refused.
fn world() -> World {
    let mut world = World::new();
    world.send(&world.alert("one"));
    world.answer(&world.alert("two").with("apns-priority", "7"));
    world.offline();
    world.send(&world.alert("three"));
    world
}

#[test]
fn what_waited_is_delivered_after_a_restart() {
    let mut world = world();
    world.bench.service = restore(&snapshot(&world)).unwrap();
    assert_eq!(world.life(2), ["Stored - Device Offline"]);
    world.online();
    assert_eq!(world.life(2), ["Stored - Device Offline", "Delivered to Device (From Storage)"]);
    assert_eq!(world.shown(), ["three", "one"]);
    assert_eq!(world.team().team().counters().get(Status::Received), 2);
}

#[test]
fn what_waited_expires_after_a_restart() {
    let mut world = world();
    world.bench.service = restore(&snapshot(&world)).unwrap();
    let due = world.bench.service.poll_timeout().unwrap();
    world.bench.service.handle_timeout(due);
    world.bench.now = due;
    assert_eq!(world.life(2), ["Stored - Device Offline", "Discarded - Expired"]);
}

#[test]
fn connections_are_forgotten_and_their_ids_are_never_used_again() {
    let mut bench = Bench::new();
    let phone = bench.service.device_connected(NOW, device(PHONE));
    bench.service.device_line(NOW, phone, br#"{"type":"connect"}"#);
    let (push, former) = (bench.push(), bench.connection);
    bench.service = Service::restore(NOW, &bench.service.snapshot(), verify).unwrap();
    assert_eq!(bench.service.poll_effect(), None);
    assert_eq!(bench.effects(&push), []);
    bench.connect();
    assert!(bench.connection > former);
    assert!(bench.service.device_connected(NOW, device(PHONE)) > phone);
    let team = bench.team_at();
    let phone = team.team().device(&device(PHONE)).unwrap();
    assert!(!phone.is_connected() && phone.state() == DeviceState::Offline);
    assert!(matches!(
        bench.effects(&push)[..],
        [Effect::MaxConcurrentStreams { .. }, Effect::Respond { .. }]
    ));
}

#[test]
fn a_checkpoint_is_resumed_with_everyone_connected() {
    let mut bench = Bench::new();
    let push = bench.push();
    assert_eq!(bench.reason(&push), None);
    let checkpoint = bench.service.checkpoint();
    bench.service = Service::resume(&checkpoint, verify).unwrap();
    assert!(matches!(bench.effects(&push)[..], [Effect::Respond { .. }]));
    bench.service.disconnect_all(NOW);
    assert_eq!(bench.effects(&push), []);
}

#[test]
fn a_snapshot_is_readable_and_has_each_notification_once() {
    let value = snapshot(&world());
    assert_eq!(value["version"], 2);
    assert_eq!(value["settings"]["future-iat"], "ExpiredProviderToken");
    let team = &value["teams"][0];
    assert_eq!(team["id"], "TEAM000001");
    assert_eq!(team["apps"][0]["bundle-id"], "com.example.app");
    let numbers: Vec<u64> =
        team["notifications"].as_array().unwrap().iter().map(|it| it["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2]);
    let request = &team["notifications"][1]["request"];
    assert_eq!(request["payload"], r#"{"aps":{"alert":"three"}}"#);
    assert!(request["fields"].as_array().unwrap().contains(&json!(["apns-topic", "com.example.app"])));
    assert_eq!(team["stored"][0]["notification"], 2);
    let entries = team["journal"]["log"]["entries"].as_array().unwrap();
    let last = &entries.last().unwrap()["event"]["notification"];
    assert_eq!(last, &json!({"number": 2, "status": "Stored - Device Offline"}));
    // Twice in the text: in the notification and, being a payload, in no other place.
    assert_eq!(value.to_string().matches("three").count(), 1);
}

#[test]
fn the_usual_device_is_short() {
    let mut world = World::new();
    world.team().add_device(device("usual")).unwrap();
    world.team().install(&device("usual"), &app(), crate::world::SANDBOX).unwrap();
    let value = snapshot(&world);
    let usual = value["teams"][0]["devices"].as_array().unwrap().last().unwrap();
    assert_eq!(usual, &json!({"name": "usual", "installations": [{"app": 0, "environment": "sandbox"}]}));
}

#[test]
fn a_wrong_snapshot_is_refused_with_what_is_wrong_and_where() {
    type Spoil = fn(&mut Value);
    let good = snapshot(&world());
    let spoilt: [(Spoil, &str); 18] = [
        (|it| it["version"] = 1.into(), "it is of version 1, and this service reads version 2"),
        (|it| it["colour"] = 1.into(), "unknown field `colour`"),
        (
            |it| it["settings"]["future-iat"] = "maybe".into(),
            "future-iat cannot be \"maybe\": it takes one of",
        ),
        (|it| it["teams"][1] = it["teams"][0].clone(), "a team is there twice, at teams[1].id"),
        (|it| twice(&mut it["teams"][0]["keys"]), "a key is there twice, at teams[0].keys and apps"),
        (
            |it| twice(&mut it["teams"][0]["devices"]),
            "a device of this name is there twice, at teams[0].devices[2]",
        ),
        (
            |it| it["teams"][0]["devices"][1]["installations"][0]["app"] = 9.into(),
            "there is no app 9, at teams[0].devices[1]",
        ),
        (
            |it| it["teams"][0]["notifications"][0]["token"]["device"] = 7.into(),
            "there is no device 7, at teams[0].notifications[0]",
        ),
        (
            |it| twice(&mut it["teams"][0]["notifications"]),
            "a notification is there twice, at teams[0].notifications[2]",
        ),
        (
            |it| it["teams"][0]["accepted"] = 1.into(),
            "there is no notification 2, at teams[0].notifications[1]",
        ),
        (
            |it| it["teams"][0]["stored"][0]["notification"] = 5.into(),
            "there is no notification 5, at teams[0].stored[0]",
        ),
        (
            |it| it["teams"][0]["stored"][0]["expiry"][1] = 9.into(),
            "there is no timer 9, at teams[0].stored[0]",
        ),
        (|it| it["teams"][0]["journal"]["log"]["next"] = 1.into(), "a count or a list is beyond"),
        (
            |it| it["gateway"]["peers"] = json!([{"connection": 4, "device": "phone"}]),
            "there is no connection 4, at gateway.peers[0]",
        ),
        (|it| it["opened"] = ((1_u64 << 52) + 1).into(), "a count or a list is beyond"),
        (
            |it| it["teams"][0]["conduct"] = json!({"noticed": ["token_churn", "token_churn"]}),
            "a misconduct is there twice, at teams[0].conduct",
        ),
        (
            |it| {
                let token = it["teams"][0]["notifications"][0]["token"].clone();
                it["teams"][0]["conduct"] = json!({"told-dead": [[token, 1], [token, 2]]});
            },
            "a token is there twice, at teams[0].conduct",
        ),
        (
            |it| {
                let of_another_team = json!({"key": {"team": 1, "key": 0}, "issued-at": 1});
                it["teams"][0]["conduct"] = json!({"tokens": [of_another_team]});
            },
            "a key that is no team's cannot be there, at teams[0].conduct",
        ),
    ];
    assert!(restore(&good).is_ok());
    for (spoil, expected) in spoilt {
        let mut value = good.clone();
        spoil(&mut value);
        let error = restore(&value).expect_err(expected);
        assert!(error.contains(expected), "{error}\nwas expected to say: {expected}");
    }
}

fn twice(list: &mut Value) {
    let list = list.as_array_mut().unwrap();
    list.extend(list.last().cloned());
}

#[test]
fn a_removed_team_and_a_removed_device_keep_their_places() {
    let mut world = world();
    let push = world.alert("Hello");
    world.team().remove_device(&device(PHONE)).unwrap();
    world.team().add_device(device(PHONE)).unwrap();
    world.bench.service = restore(&snapshot(&world)).unwrap();
    world.bench.connect_with(&crate::common::certificate("universal"));
    assert_eq!(world.reason(&push), Some(Reason::BadDeviceToken));
    world.bench.service.remove_team(team_id());
    let value = snapshot(&world);
    assert_eq!(value["teams"][0], Value::Null);
    let service = restore(&value).unwrap();
    assert_eq!(service.team_ids().count(), 1);
}

/// Its secrets are for whoever restores it, and not for whoever prints what it was made of.
#[test]
fn what_is_told_of_a_push_after_a_restart_has_no_secret() {
    let mut bench = Bench::new();
    let push = bench.push();
    let id = bench.answer(&push).apns_id;
    let told = |bench: &mut Bench| {
        serde_json::to_string(&bench.team_at().team().push(id.as_str()).unwrap()).unwrap()
    };
    let before = told(&mut bench);
    bench.service = Service::restore(NOW, &bench.service.snapshot(), verify).unwrap();
    assert_eq!(told(&mut bench), before);
    let signature = push.value("authorization").rsplit_once('.').unwrap().1.to_owned();
    assert!(!before.contains(&signature));
}
