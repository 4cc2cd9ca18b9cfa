//! Scenarios: settings and faults from the beginning on, and what happens at its time.

use std::time::Duration;

use mock_apns_core::{Effect, Reason, Recorded, Scenario, ScenarioError, Service};

use crate::{
    common::{KEY, Push, TOKEN, verify},
    world::{APP, DAY, MINUTE, World},
};

const BUSY: &str = r#"{"answer": {"status": 503}}"#;

fn scenario(rest: &str) -> Scenario {
    let json = format!(r#"{{"name": "day", "about": "A bad day.", {rest}}}"#);
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

fn playing(rest: &str) -> World {
    let mut world = World::new();
    world.team().play(&scenario(rest)).unwrap();
    world
}

/// The name of the fault that fires at a push; `None`: none does.
fn fires(world: &mut World, push: &Push) -> Option<String> {
    world.bench.effects(push).into_iter().find_map(|effect| match effect {
        Effect::Fault { fault, .. } => Some(fault.to_string()),
        _ => None,
    })
}

#[test]
fn settings_and_faults_are_there_at_once() {
    let mut world = playing(&format!(
        r#""settings": {{"background-priority-10": "BadPriority", "journal-entries": 500}},
        "faults": [{{"name": "busy", "times": 1, "action": {BUSY}}}]"#
    ));
    let push = world.alert("Hello");
    assert_eq!(fires(&mut world, &push).as_deref(), Some("busy"));
    let background = world.background().with("apns-priority", "10");
    assert_eq!(world.reason(&background), Some(Reason::BadPriority));
    assert_eq!(world.team().team().settings().get("journal-entries").as_deref(), Some("500"));
}

#[test]
fn a_profile_is_a_setting_and_what_stands_beside_it_wins() {
    let mut world = playing(r#""settings": {"profile": "realistic", "background-pushes-per-hour": 1}"#);
    let team = world.team();
    let settings = team.team().settings();
    assert_eq!(settings.get("background-pushes-per-hour").as_deref(), Some("1"));
    assert_eq!(settings.get("errors-before-disconnect").as_deref(), Some("100"));
}

#[test]
fn each_thing_happens_at_its_time_by_the_teams_clock() {
    let mut world = playing(&format!(
        r#""events": [
            {{"at": "90s", "device": {{"name": "phone", "state": "online"}}}},
            {{"at": "1m", "fault": {{"name": "busy", "ttl": "10s", "action": {BUSY}}}}},
            {{"at": "0s", "device": {{"name": "phone", "state": "offline"}}}}
        ]"#
    ));
    let number = world.send(&world.alert("one"));
    assert_eq!(world.life(number), ["Stored - Device Offline"]);
    let due = world.bench.service.poll_timeout().unwrap();
    assert_eq!(due, world.bench.now.saturating_add(MINUTE), "the service asks to be woken for it");
    world.pass(MINUTE);
    let two = world.alert("two");
    assert_eq!(fires(&mut world, &two).as_deref(), Some("busy"));
    world.pass(Duration::from_secs(10));
    assert_eq!(fires(&mut world, &two), None, "the fault's life has begun with its event");
    let then = world.bench.now.saturating_add(Duration::from_secs(20));
    let fired = world.team().advance_clock(DAY).len();
    assert!(fired > 1, "{fired}");
    let life = world.life_at(number + 1);
    assert_eq!(life.last().copied(), Some((then, "Delivered to Device (From Storage)")), "{life:?}");
}

#[test]
fn tokens_die_keys_are_revoked_apps_go_and_settings_change() {
    let token = World::new().token;
    let mut world = playing(&format!(
        r#""events": [
            {{"at": "1m", "token-expired": {{"token": "{token}"}}}},
            {{"at": "2m", "token-gone": {{"token": "{token}"}}}},
            {{"at": "3m", "revoke-key": {{"key-id": "{KEY}"}}}},
            {{"at": "4m", "settings": {{"background-priority-10": "BadPriority"}}}},
            {{"at": "5m", "uninstall": {{"device": "phone", "app": "{APP}", "environment": "sandbox"}}}}
        ]"#
    ));
    assert_eq!(world.token, token, "device tokens follow from the seed");
    let push = world.alert("Hello");
    assert_eq!(world.reason(&push), None);
    world.pass(MINUTE);
    assert_eq!(world.reason(&push), Some(Reason::ExpiredToken));
    world.pass(MINUTE);
    assert_eq!(world.reason(&push), Some(Reason::Unregistered));
    world.pass(MINUTE);
    let is_revoked = |world: &mut World| world.team().team().keys().any(|key| key.revoked);
    assert!(is_revoked(&mut world));
    world.pass(MINUTE);
    let background = world.background().with("apns-priority", "10");
    assert_eq!(world.reason(&background), Some(Reason::BadPriority));
    world.pass(MINUTE);
    assert!(world.journal().contains("uninstalled"), "{}", world.journal());
}

#[test]
fn a_fault_ends_that_has_begun_before_wherever_the_list_has_it() {
    let mut world = playing(&format!(
        r#""faults": [{{"name": "always", "action": {BUSY}}}],
        "events": [
            {{"at": "3m", "fault-ends": {{"name": "later"}}}},
            {{"at": "1m", "fault-ends": {{"name": "always"}}}},
            {{"at": "2m", "fault": {{"name": "later", "action": {BUSY}}}}}
        ]"#
    ));
    let push = world.alert("Hello");
    let mut names = Vec::new();
    for _ in 0..4 {
        names.push(fires(&mut world, &push));
        world.pass(MINUTE);
    }
    assert_eq!(names, [Some("always".to_owned()), None, Some("later".to_owned()), None]);
}

#[test]
fn nothing_of_it_is_played_if_something_is_wrong() {
    let good =
        format!(r#""settings": {{"journal-entries": 77}}, "faults": [{{"name": "busy", "action": {BUSY}}}]"#);
    let event = |event: &str| {
        format!(
            r#"{good}, "events": [{{"at": "0s", "device": {{"name": "phone", "state": "offline"}}}}, {event}]"#
        )
    };
    for (rest, why) in [
        (
            event(&format!(r#"{{"at": "1m", "token-gone": {{"token": "{TOKEN}ff"}}}}"#)),
            "events[1]: the team has no device token 0011",
        ),
        (
            event(r#"{"at": "1m", "device": {"name": "nobody", "state": "online"}}"#),
            "events[1]: the team has no device nobody",
        ),
        (
            event(
                r#"{"at": "1m", "uninstall": {"device": "phone", "app": "com.example.nothing", "environment": "sandbox"}}"#,
            ),
            "events[1]: the team has no app com.example.nothing",
        ),
        (
            event(r#"{"at": "1m", "revoke-key": {"key-id": "NOSUCHKEY1"}}"#),
            "events[1]: the team has no key NOSUCHKEY1",
        ),
        (
            event(r#"{"at": "1m", "fault-ends": {"name": "none"}}"#),
            "events[1]: the team has no fault none then",
        ),
        (
            event(r#"{"at": "1m", "settings": {"colour": "red"}}"#),
            "events[1]: there is no setting \"colour\"",
        ),
        (event(&format!(r#"{{"at": "1m", "fault": {{"name": "busy", "action": {BUSY}}}}}"#)), "events[1]: "),
        (good.replace("77", "1"), "settings: journal-entries cannot be \"1\""),
        (
            good.replace(r#""journal-entries": 77"#, r#""profile": "slow""#),
            "settings: there is no profile \"slow\"",
        ),
        (good.replace("503", "999"), "faults[0]: "),
    ] {
        let mut world = World::new();
        let before = serde_json::to_string(&world.bench.service.checkpoint()).unwrap();
        let error = world.team().play(&scenario(&rest)).unwrap_err();
        assert!(error.to_string().contains(why), "{rest}: {error}");
        let after = serde_json::to_string(&world.bench.service.checkpoint()).unwrap();
        assert_eq!(after, before, "{rest}");
    }
}

#[test]
fn a_scenario_is_played_twice_only_if_its_faults_are_not_there_any_more() {
    let mut world = playing(&format!(r#""faults": [{{"name": "busy", "ttl": "1m", "action": {BUSY}}}]"#));
    let again = scenario(&format!(r#""faults": [{{"name": "busy", "action": {BUSY}}}]"#));
    assert!(matches!(world.team().play(&again), Err(ScenarioError::Fault { at: 0, .. })));
    world.pass(MINUTE);
    world.team().play(&again).unwrap();
}

#[test]
fn what_has_become_impossible_does_not_happen_and_the_rest_does() {
    let mut world = playing(
        r#""events": [
            {"at": "1m", "device": {"name": "phone", "state": "offline"}},
            {"at": "2m", "settings": {"journal-entries": 500}}
        ]"#,
    );
    world.team().remove_device(&crate::common::device(crate::common::PHONE)).unwrap();
    world.pass(2 * MINUTE);
    assert_eq!(world.team().team().settings().get("journal-entries").as_deref(), Some("500"));
}

#[test]
fn a_reset_ends_it() {
    let mut world = playing(&format!(
        r#""settings": {{"journal-entries": 77}},
        "faults": [{{"name": "busy", "action": {BUSY}}}],
        "events": [{{"at": "1m", "settings": {{"journal-entries": 78}}}}]"#
    ));
    world.team().reset();
    world.pass(2 * MINUTE);
    let team = world.team();
    assert_eq!(team.faults().count(), 0);
    assert_eq!(team.team().settings().get("journal-entries").as_deref(), Some("20000"));
}

#[test]
fn it_goes_on_where_it_was_after_a_snapshot_and_in_a_replay() {
    let mut world = World::new();
    let before = world.bench.service.checkpoint();
    world.bench.service.start_recording();
    let day = scenario(&format!(
        r#""faults": [{{"name": "flaky", "probability": 0.5, "action": {BUSY}}}],
        "events": [
            {{"at": "0s", "device": {{"name": "phone", "state": "offline"}}}},
            {{"at": "1m", "fault-ends": {{"name": "flaky"}}}},
            {{"at": "2m", "device": {{"name": "phone", "state": "online"}}}}
        ]"#
    ));
    world.team().play(&day).unwrap();
    let push = world.alert("Hello");
    for _ in 0..20 {
        world.bench.effects(&push);
        world.pass(Duration::from_secs(4));
    }
    let state = |service: &Service| serde_json::to_string(&service.checkpoint()).unwrap();
    let middle = state(&world.bench.service);
    assert!(
        middle.contains("\"online\"") && !middle.contains("\"flaky\",\"probability\""),
        "it is in the middle"
    );

    let recorded: Vec<Recorded> = std::iter::from_fn(|| world.bench.service.poll_recorded()).collect();
    let mut again = Service::resume(&before, verify).unwrap();
    for call in recorded {
        again.redo(Recorded::from_bytes(&call.to_bytes()).unwrap());
    }
    assert_eq!(state(&again), middle);

    let resumed = Service::resume(&serde_json::from_str(&middle).unwrap(), verify).unwrap();
    world.pass(MINUTE);
    let end = |world: &mut World| (world.shown(), world.journal());
    let there = end(&mut world);
    assert_eq!(there.0, ["Hello"], "of what was stored the last is delivered");
    world.bench.service = resumed;
    assert_eq!(end(&mut world), there);
}

#[test]
fn a_team_has_as_many_events_before_it_as_a_script_has_and_no_more() {
    let mut world = World::new();
    let many = vec![r#"{"at": "1h", "settings": {"future-iat": "accept"}}"#; 10_000].join(",");
    world.team().play(&scenario(&format!(r#""events": [{many}]"#))).unwrap();
    let one = scenario(r#""events": [{"at": "1h", "settings": {"future-iat": "accept"}}]"#);
    assert_eq!(world.team().play(&one), Err(ScenarioError::TooMany));
}
