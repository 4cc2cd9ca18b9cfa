//! Scenarios with faults for everyone: for all teams, and for what happens before anybody is known.

use std::time::Duration;

use mock_apns_core::{
    ConnectionId, Effect, Environment, Recorded, Scenario, ScenarioError, Service, TeamAt, TeamId,
};
use serde_json::Value;

use crate::{
    common::{Jwt, NOW, OTHER_TEAM, TEAM, sandbox, verify},
    world::{DAY, MINUTE, World, team_id},
};

const SHUT: &str = r#"{"name": "shut", "action": {"accept": "close"}}"#;
const STUCK: &str = r#"{"name": "stuck", "action": {"tls": "stall"}}"#;
const BUSY: &str = r#"{"name": "busy", "action": {"answer": {"status": 503}}}"#;

fn scenario(rest: &str) -> Scenario {
    let json = format!(r#"{{"name": "day", "about": "A bad day.", {rest}}}"#);
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

fn playing(rest: &str) -> World {
    let mut world = World::new();
    world.team().play(&scenario(rest)).unwrap();
    world
}

/// In which what `event` says happens after so long.
fn later(at: &str, event: &str) -> String {
    format!(r#"{{"at": "{at}", {event}}}"#)
}

fn begins(fault: &str) -> String {
    format!(r#""fault-for-everyone": {fault}"#)
}

fn ends(name: &str) -> String {
    format!(r#""fault-for-everyone-ends": {{"name": "{name}"}}"#)
}

fn other_team() -> TeamId {
    TeamId::parse(OTHER_TEAM).unwrap()
}

impl World {
    /// Whether a connection that is accepted now is met by a fault.
    fn is_shut(&mut self) -> bool {
        let now = self.bench.now;
        self.bench.service.accepting(now, Environment::Sandbox).is_some()
    }

    fn other_team(&mut self) -> TeamAt<'_> {
        self.bench.service.team_at(self.bench.now, other_team()).unwrap()
    }

    /// The names of the faults for everyone.
    fn everyones(&self) -> Vec<String> {
        self.bench.service.faults(self.bench.now).map(|known| known.fault.name.to_string()).collect()
    }

    fn whole(&self) -> String {
        state(&self.bench.service)
    }
}

fn state(service: &Service) -> String {
    serde_json::to_string(&service.checkpoint()).unwrap()
}

/// The same done to the service that this was, by what was written down since.
fn replayed(before: &mock_apns_core::Snapshot, world: &mut World) -> String {
    let mut again = Service::resume(before, verify).unwrap();
    while let Some(call) = world.bench.service.poll_recorded() {
        again.redo(Recorded::from_bytes(&call.to_bytes()).unwrap());
    }
    state(&again)
}

/// A push of the other team: by which fault it is met.
fn other_teams_push(world: &mut World) -> Option<String> {
    world.bench.connect();
    let push = world.bench.push();
    let theirs = push.signed_by(&Jwt { team: OTHER_TEAM, kid: "OTHERKEY01", ..Jwt::default() });
    fault_of(world.bench.effects(&theirs))
}

fn fault_of(effects: Vec<Effect>) -> Option<String> {
    effects.into_iter().find_map(|effect| match effect {
        Effect::Fault { fault, .. } => Some(fault.to_string()),
        _ => None,
    })
}

#[test]
fn they_meet_whoever_comes_and_the_pushes_of_all_teams() {
    let mut world = playing(&format!(r#""faults-for-everyone": [{SHUT}, {STUCK}, {BUSY}]"#));
    let service = &mut world.bench.service;
    for environment in [Environment::Sandbox, Environment::Production] {
        assert_eq!(service.accepting(NOW, environment).unwrap().0.as_str(), "shut");
        assert_eq!(service.shaking_hands(NOW, environment).unwrap().0.as_str(), "stuck");
    }
    assert_eq!(other_teams_push(&mut world).as_deref(), Some("busy"));
    assert_eq!(world.team().faults().count(), 0, "the team has none of its own");
    let players: Vec<_> = world.bench.service.faults(NOW).map(|known| known.played_by).collect();
    assert_eq!(players, [Some(team_id()); 3]);
}

#[test]
fn each_begins_and_ends_at_its_time_by_the_teams_clock() {
    let events = [later("1d", &begins(SHUT)), later("2d", &ends("shut"))].join(", ");
    let mut world = playing(&format!(r#""events": [{events}]"#));
    let mut is_shut = vec![world.is_shut()];
    for _ in 0..2 {
        world.team().advance_clock(DAY);
        is_shut.push(world.is_shut());
    }
    assert_eq!(is_shut, [false, true, false]);
}

#[test]
fn what_is_due_has_happened_when_somebody_knocks() {
    let mut world = playing(&format!(r#""events": [{}]"#, later("1m", &begins(SHUT))));
    let before = world.bench.service.checkpoint();
    world.bench.service.start_recording();
    assert!(!world.is_shut());
    world.pass(MINUTE);
    assert!(world.is_shut(), "nobody has looked at the team since, or told the service of the time");
    assert_eq!(replayed(&before, &mut world), world.whole());
}

#[test]
fn times_in_a_fault_are_the_machines_and_begin_when_it_does() {
    let short = SHUT.replace(r#""action""#, r#""ttl": "10s", "action""#);
    let mut world = playing(&format!(r#""events": [{}]"#, later("1m", &begins(&short))));
    let before = world.bench.service.checkpoint();
    world.bench.service.start_recording();
    world.pass(MINUTE + Duration::from_secs(4));
    world.team();
    world.pass(Duration::from_secs(5));
    world.team();
    assert!(world.is_shut());
    assert_eq!(world.bench.service.faults(NOW).next().unwrap().added_at, NOW.saturating_add(MINUTE));
    assert_eq!(replayed(&before, &mut world), world.whole(), "of two looks one is written down");
    world.pass(Duration::from_secs(1));
    assert!(!world.is_shut(), "however late it was noticed");

    let mut ahead = playing(&format!(r#""events": [{}]"#, later("1d", &begins(&short))));
    ahead.team().advance_clock(2 * DAY);
    assert!(ahead.is_shut(), "the team's clock is a day beyond its end, and the machine's is not");
    ahead.pass(Duration::from_secs(10));
    assert!(!ahead.is_shut());
}

#[test]
fn one_whose_time_window_begins_wakes_the_service() {
    let ping = r#"{"name": "ping", "on": "clock", "match": {"from": "1m"}, "action": "ping"}"#;
    let mut world = playing(&format!(r#""faults-for-everyone": [{ping}]"#));
    let due = world.bench.service.poll_timeout().unwrap();
    assert_eq!(due, NOW.saturating_add(MINUTE));
    let strangers = world.bench.service.connected(NOW, sandbox());
    world.bench.service.handle_timeout(due);
    let mut met: Vec<ConnectionId> = Vec::new();
    while let Some(effect) = world.bench.service.poll_effect() {
        if let Effect::Fault { connection, .. } = effect {
            met.push(connection);
        }
    }
    assert!(met.contains(&strangers), "{met:?}");
    assert_eq!(world.bench.service.poll_timeout(), None);

    let mut ahead = playing(&format!(r#""events": [{}]"#, later("1h", &begins(ping))));
    assert_eq!(ahead.bench.service.poll_timeout(), Some(NOW.saturating_add(60 * MINUTE)));
    ahead.team().advance_clock(60 * MINUTE);
    assert_eq!(ahead.bench.service.poll_timeout(), Some(due), "it has begun now, on the machine's clock");
}

#[test]
fn nothing_of_it_is_played_if_something_is_wrong() {
    let of_team = SHUT.replace(r#""action""#, &format!(r#""match": {{"team": "{TEAM}"}}, "action""#));
    let good = format!(r#""settings": {{"journal-entries": 77}}, "faults-for-everyone": [{STUCK}]"#);
    let events = |events: &[String]| format!(r#"{good}, "events": [{}]"#, events.join(", "));
    for (rest, why) in [
        (good.replace(STUCK, &format!("{STUCK}, {STUCK}")), "faults-for-everyone[1]: there is a fault stuck"),
        (good.replace(STUCK, SHUT), "faults-for-everyone[0]: there is a fault shut already"),
        (
            good.replace(r#""action""#, r#""times": 0, "action""#),
            "faults-for-everyone[0]: the fault could never fire",
        ),
        (good.replace(STUCK, &of_team), "faults-for-everyone[0]: it names the team TEAM000001"),
        (good.replace("-for-everyone", ""), "faults[0]: the fault could never fire: nobody knows"),
        (events(&[later("1m", &begins(STUCK))]), "events[0]: there is a fault stuck already"),
        (events(&[later("1m", &begins(&of_team))]), "events[0]: it names the team TEAM000001"),
        (events(&[later("1m", &ends("none"))]), "events[0]: the team has no fault none for everyone then"),
        (events(&[later("1m", &ends("shut"))]), "events[0]: the team has no fault shut for everyone then"),
        (
            events(&[later("2m", &begins(STUCK)), later("1m", &ends("stuck")), later("3m", &ends("busy"))]),
            "events[2]: the team has no fault busy",
        ),
    ] {
        let mut world = World::new();
        world.bench.service.add_fault(NOW, serde_json::from_str(SHUT).unwrap()).unwrap();
        let before = world.whole();
        let error = world.team().play(&scenario(&rest)).unwrap_err();
        assert!(error.to_string().contains(why), "{rest}: {error}");
        assert_eq!(world.whole(), before, "{rest}");
    }
}

#[test]
fn two_teams_cannot_give_everyone_a_fault_of_the_same_name() {
    let mut world = playing(&format!(r#""faults-for-everyone": [{SHUT}]"#));
    let again = world.other_team().play(&scenario(&format!(r#""faults-for-everyone": [{SHUT}]"#)));
    assert!(matches!(again, Err(ScenarioError::FaultForEveryone { at: 0, .. })), "{again:?}");
    let end = format!(r#""events": [{}]"#, later("0s", &ends("shut")));
    let ended = world.other_team().play(&scenario(&end));
    assert!(ended.is_err(), "nor end one of the other's");
    assert!(world.is_shut());
}

#[test]
fn a_reset_of_the_team_takes_away_what_its_scenarios_have_given_and_nothing_else() {
    let mut world = playing(&format!(
        r#""faults-for-everyone": [{SHUT}], "events": [{}]"#,
        later("1m", &begins(r#"{"name": "later", "action": {"tls": "stall"}}"#))
    ));
    world.other_team().play(&scenario(&format!(r#""faults-for-everyone": [{STUCK}]"#))).unwrap();
    world.bench.service.add_fault(NOW, serde_json::from_str(BUSY).unwrap()).unwrap();
    let before = world.bench.service.checkpoint();
    world.bench.service.start_recording();
    world.pass(MINUTE);
    world.team();
    assert_eq!(world.everyones(), ["shut", "stuck", "busy", "later"]);
    world.team().reset();
    assert_eq!(world.everyones(), ["stuck", "busy"]);
    assert_eq!(replayed(&before, &mut world), world.whole());
    world.bench.service.remove_team(other_team());
    assert_eq!(world.everyones(), ["busy"]);
}

#[test]
fn who_removes_the_faults_for_everyone_ends_those_of_scenarios_too() {
    let rest = format!(r#""faults-for-everyone": [{SHUT}], "events": [{}]"#, later("1m", &ends("shut")));
    let mut world = playing(&rest);
    world.bench.service.clear_faults();
    assert!(!world.is_shut());
    world.bench.service.add_fault(NOW, serde_json::from_str(SHUT).unwrap()).unwrap();
    world.pass(MINUTE);
    assert!(world.is_shut(), "one of the same name that somebody else has added is not the scenario's");
}

#[test]
fn it_is_the_same_after_a_snapshot_and_in_a_replay() {
    let mut world = World::new();
    let before = world.bench.service.checkpoint();
    world.bench.service.start_recording();
    let flaky = r#"{"name": "flaky", "probability": 0.5, "action": {"accept": "reset"}}"#;
    let events = [later("1m", &begins(SHUT)), later("2m", &ends("shut"))].join(", ");
    let rest = format!(r#""faults-for-everyone": [{flaky}], "events": [{events}]"#);
    world.team().play(&scenario(&rest)).unwrap();
    let met = |world: &mut World| -> Vec<bool> {
        let times = (0..30).map(|_| {
            world.pass(Duration::from_secs(3));
            world.is_shut()
        });
        times.collect()
    };
    let (first, middle) = (met(&mut world), world.whole());
    assert!(first.contains(&false) && first[20..].iter().all(|it| *it), "{first:?}");
    assert_eq!(replayed(&before, &mut world), middle);

    let resumed = Service::resume(&serde_json::from_str(&middle).unwrap(), verify).unwrap();
    assert_eq!(state(&resumed), middle);
    let now = world.bench.now;
    let there = met(&mut world);
    assert!(there.contains(&false), "{there:?}");
    (world.bench.service, world.bench.now) = (resumed, now);
    assert_eq!(met(&mut world), there);
    world.team().reset();
    assert_eq!(world.everyones(), [""; 0], "whose it is was not forgotten");
}

#[test]
fn a_snapshot_in_which_nobody_can_have_played_it_is_refused() {
    let world = playing(&format!(r#""faults-for-everyone": [{SHUT}]"#));
    let good: Value = serde_json::from_str(&world.whole()).unwrap();
    let refused = |value: Value| {
        let snapshot = serde_json::from_value(value).unwrap();
        Service::resume(&snapshot, verify).unwrap_err().to_string()
    };
    let mut nobodys = good.clone();
    nobodys["faults"][0]["played-by"] = "NOSUCHTEAM".into();
    let error = refused(nobodys);
    assert!(error.ends_with("a fault of a team that there is not cannot be there, at faults"), "{error}");
    let mut a_teams = good.clone();
    let busy: Value = serde_json::from_str(BUSY).unwrap();
    a_teams["teams"][0]["faults"] = good["faults"].clone();
    a_teams["teams"][0]["faults"][0]["rule"] = busy;
    let error = refused(a_teams);
    assert!(error.contains("a fault for everyone cannot be there, at teams[0]"), "{error}");
}

#[test]
fn the_journal_says_that_it_has_begun_before_all_that_it_brings() {
    let mut world = World::new();
    let cursor = world.team().team().next_cursor();
    let offline = later("0s", r#""device": {"name": "phone", "state": "offline"}"#);
    world.team().play(&scenario(&format!(r#""events": [{offline}]"#))).unwrap();
    let journal = world.journal();
    let lines: Vec<_> = journal.lines().skip_while(|line| !line.contains("scenario")).collect();
    let expected = format!(r#"{{"cursor":{cursor},"at":{NOW},"event":"scenario","scenario":"day"}}"#);
    assert_eq!(lines[0], expected);
    assert!(lines[1].contains(r#""state":"offline""#) && lines.len() == 2, "{lines:?}");
    let found = |text: &str, world: &mut World| {
        let filter = mock_apns_core::Filter::parse(text).unwrap();
        world.team().team().journal(0).filter(|record| filter.matches(record)).count()
    };
    assert_eq!(found("event:scenario", &mut world), 1);
    assert_eq!(found(&format!("event:scenario after:{cursor}"), &mut world), 0);

    let restored = Service::restore(NOW, &world.bench.service.snapshot(), verify).unwrap();
    world.bench.service = restored;
    assert_eq!(world.journal(), journal);
}
