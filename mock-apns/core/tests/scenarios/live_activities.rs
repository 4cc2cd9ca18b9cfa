//! Live Activities.

use mock_apns_core::{DeviceToken, Event, Reason, TokenKind, rendering::LiveActivityEvent};

use crate::{
    common::{Bench, Jwt, PHONE, Push, device},
    world::{SANDBOX, World, app},
};

/// A world that sends with provider tokens: certificates list no topic for Live Activities.
fn world(values: &[(&str, &str)]) -> World {
    let mut world = World::with(values);
    world.bench.connect();
    world
}

fn start(world: &mut World) -> (u32, DeviceToken) {
    world.team().start_activity(&device(PHONE), &app(), SANDBOX).unwrap()
}

fn push(world: &World, token: &DeviceToken, event: &str, timestamp: u64, score: &str) -> Push {
    let bench: &Bench = &world.bench;
    let content =
        format!(r#""event":"{event}","timestamp":{timestamp},"content-state":{{"score":"{score}"}}"#);
    let more = r#","attributes-type":"Match","attributes":{},"alert":{"title":"Match","body":"begins"}"#;
    let more = if event == "start" { more } else { "" };
    bench
        .push()
        .signed_by(&Jwt::default())
        .with(":path", &format!("/3/device/{token}"))
        .with("apns-topic", "com.example.app.push-type.liveactivity")
        .with("apns-push-type", "liveactivity")
        .with_body(format!(r#"{{"aps":{{{content}{more}}}}}"#))
}

fn score(world: &mut World) -> String {
    let screen = world.screen();
    let state = screen.activities().last().unwrap().state.content_state.clone().unwrap();
    state["score"].as_str().unwrap().to_owned()
}

#[test]
fn each_has_a_token_of_160_digits() {
    let mut world = world(&[]);
    let [(one, first), (two, second)] = [start(&mut world), start(&mut world)];
    assert_eq!((one, two), (1, 2));
    assert_ne!(first, second);
    assert_eq!((first.to_string().len(), second.to_string().len()), (160, 160));
}

#[test]
fn the_newest_timestamp_wins_on_the_device() {
    let mut world = world(&[]);
    let (_, token) = start(&mut world);
    for (timestamp, text) in [(200, "1 : 0"), (300, "1 : 1"), (250, "too late")] {
        world.send(&push(&world, &token, "update", timestamp, text));
    }
    assert_eq!(score(&mut world), "1 : 1");
}

#[test]
fn the_newest_timestamp_wins_in_storage() {
    let mut world = world(&[]);
    let (_, token) = start(&mut world);
    world.offline();
    let newer = world.send(&push(&world, &token, "update", 300, "1 : 1"));
    let older = world.send(&push(&world, &token, "update", 200, "too late"));
    world.online();
    assert_eq!(world.life(older), ["Discarded - Overwritten"]);
    assert_eq!(world.because(older), serde_json::json!({ "cause": "older-timestamp", "than": newer }));
    assert_eq!(score(&mut world), "1 : 1");
}

#[test]
fn one_that_has_ended_takes_no_more_and_its_token_is_expired() {
    let mut world = world(&[]);
    let (_, token) = start(&mut world);
    world.send(&push(&world, &token, "end", 200, "2 : 1"));
    let late = push(&world, &token, "update", 300, "3 : 1");
    let lost = world.send(&late);
    assert_eq!(world.because(lost), serde_json::json!({ "cause": "activity-ended" }));
    let answer = world.answer(&late);
    assert_eq!((answer.status, answer.reason), (410, Some(Reason::ExpiredToken)));
    assert_eq!(answer.timestamp, Some(world.bench.now));
    let screen = world.screen();
    assert!(screen.activities().next().unwrap().has_ended());
}

#[test]
fn one_that_its_user_has_ended_is_found_out_by_a_delivery() {
    let mut world = world(&[]);
    let (activity, token) = start(&mut world);
    world.team().end_activity(&device(PHONE), &app(), SANDBOX, activity).unwrap();
    let update = push(&world, &token, "update", 300, "3 : 1");
    assert_eq!(world.reason(&update), None);
    assert_eq!(world.reason(&update), Some(Reason::ExpiredToken));
}

#[test]
fn that_an_ended_one_is_answered_200_for_ever_is_a_setting() {
    let mut world = world(&[("ended-live-activity", "accept")]);
    let (activity, token) = start(&mut world);
    world.team().end_activity(&device(PHONE), &app(), SANDBOX, activity).unwrap();
    let update = push(&world, &token, "update", 300, "3 : 1");
    for _ in 0..3 {
        let lost = world.send(&update);
        assert_eq!(world.life(lost), ["Discarded - Token Unregistered"]);
    }
}

#[test]
fn a_push_to_start_token_starts_one_with_a_token_of_its_own() {
    let mut world = world(&[]);
    let to_start = world.register(TokenKind::LiveActivity);
    assert_eq!(to_start.to_string().len(), 160);
    world.send(&push(&world, &to_start, "start", 100, "0 : 0"));
    world.send(&push(&world, &to_start, "start", 110, "love all"));
    let team = world.team();
    let tokens: Vec<DeviceToken> = team
        .team()
        .journal(0)
        .filter_map(|record| match record.event {
            Event::Device { change, .. } => {
                serde_json::to_value(change).unwrap()["token"].as_str().map(str::to_owned)
            }
            _ => None,
        })
        .map(|token| DeviceToken::from_hex(token.as_bytes()).unwrap())
        .collect();
    let first = tokens[tokens.len() - 2].clone();
    world.send(&push(&world, &first, "update", 200, "1 : 0"));
    let screen = world.screen();
    let states: Vec<_> = screen.activities().map(|it| (it.state.activity.unwrap(), it.state.event)).collect();
    assert_eq!(states, [(1, LiveActivityEvent::Update), (2, LiveActivityEvent::Start)]);
    assert_eq!(screen.activities().next().unwrap().state.content_state.as_ref().unwrap()["score"], "1 : 0");
}

#[test]
fn one_goes_with_its_app() {
    let mut world = world(&[]);
    let (_, token) = start(&mut world);
    world.uninstall();
    let update = push(&world, &token, "update", 300, "3 : 1");
    assert_eq!(world.reason(&update), None);
    assert_eq!(world.reason(&update), Some(Reason::Unregistered));
}
