//! Faults: when they fire, what the provider is told, and what the journal says.

use std::{num::NonZeroU16, time::Duration};

use mock_apns_core::{
    Effect, Environment, Event, Filter, Reason, Recorded, Service, Timestamp, Verdict,
    fault::{Action, Deed, Fault, FaultError, Moment, Reply, ReplyEnd, Wait},
};

use crate::common::{Bench, Jwt, KEY, NOW, OTHER_TEAM, TOKEN, certificate, sandbox, verify};

/// A fault as somebody writes it.
fn fault(json: &str) -> Fault {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

fn always(matching: &str, action: &str) -> Fault {
    fault(&format!(r#"{{"name": "f", "match": {matching}, "action": {action}}}"#))
}

const BUSY: &str = r#"{"answer": {"status": 503}}"#;

fn with(fault: Fault) -> Bench {
    let mut bench = Bench::new();
    bench.team_at().add_fault(fault).unwrap();
    bench
}

/// What is to be done about a push by a fault, if one fires.
fn deed(bench: &mut Bench, push: &crate::common::Push) -> Option<Deed> {
    let effects = bench.effects(push);
    effects.into_iter().find_map(|effect| match effect {
        Effect::Fault { deed, .. } => Some(deed),
        _ => None,
    })
}

fn reply(bench: &mut Bench, push: &crate::common::Push) -> Reply {
    match deed(bench, push) {
        Some(Deed::Reply(reply)) => *reply,
        other => panic!("{other:?}"),
    }
}

fn value<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    reply.head.iter().find(|head| &*head.name == name).map(|head| &*head.value)
}

fn body(reply: &Reply) -> &str {
    std::str::from_utf8(&reply.body).unwrap()
}

/// At which of these many pushes it fires.
fn fires(bench: &mut Bench, pushes: usize) -> Vec<usize> {
    let push = bench.push();
    (1..=pushes).filter(|_| deed(bench, &push).is_some()).collect()
}

#[test]
fn an_answer_is_another_and_nothing_is_delivered() {
    let mut bench = with(always("{}", r#"{"answer": {"status": 503, "retry-after": 5}}"#));
    let push = bench.push();
    let reply = reply(&mut bench, &push);
    let names: Vec<&str> = reply.head.iter().map(|head| &*head.name).collect();
    assert_eq!(names, [":status", "apns-id", "apns-unique-id", "retry-after", "mock-apns-fault"]);
    assert_eq!((value(&reply, ":status"), value(&reply, "retry-after")), (Some("503"), Some("5")));
    assert_eq!(value(&reply, "mock-apns-fault"), Some("f"));
    assert_eq!(body(&reply), r#"{"reason":"ServiceUnavailable"}"#);
    let team = bench.team_at();
    let team = team.team();
    let everything = Filter::default();
    let pushes = team.pushes(&everything, None, 10).pushes;
    let [push] = &pushes[..] else { panic!("{pushes:?}") };
    assert!(matches!(push.verdict(), Verdict::Faulted(firing) if firing.fault().as_str() == "f"));
    assert_eq!(push.reason(), Some(Reason::ServiceUnavailable));
    for filter in
        ["event:fault", "fault:f", "status:503", "reason:ServiceUnavailable", "type:alert", "text:Hello"]
    {
        let filter = Filter::parse(filter).unwrap();
        assert_eq!(team.journal(0).filter(|record| filter.matches(record)).count(), 1, "{filter}");
    }
    assert_eq!(bench.service.totals().fault_firings.iter().map(|(_, count)| count).sum::<u64>(), 1);
}

#[test]
fn a_pure_double_does_not_name_the_fault() {
    let mut bench = with(always("{}", BUSY));
    bench.set(crate::common::TEAM, "pure", "on");
    let push = bench.push();
    assert_eq!(value(&reply(&mut bench, &push), "mock-apns-fault"), None);
}

#[test]
fn a_delayed_answer_takes_effect() {
    let mut bench = with(always("{}", r#"{"answer": {"delay": "2s"}}"#));
    let push = bench.push();
    let reply = reply(&mut bench, &push);
    assert_eq!((value(&reply, ":status"), reply.wait), (Some("200"), Wait::For(Duration::from_secs(2))));
    let team = bench.team_at();
    let events: Vec<_> = team.team().journal(0).map(|record| record.event.name()).collect();
    let told = &events[events.len() - 3..];
    assert_eq!(told, ["notification", "notification", "fault"], "received, delivered, and the fault");
    let everything = Filter::default();
    assert_eq!(team.team().pushes(&everything, None, 10).pushes.len(), 1);
}

#[test]
fn an_answer_in_another_form_is_the_services_own_and_takes_effect() {
    let framed = always("{}", r#"{"answer": {"padding": 255, "field-block-bytes": 40}}"#);
    let mut bench = with(framed.clone());
    for _ in 0..2 {
        let push = bench.push();
        let reply = reply(&mut bench, &push);
        assert_eq!((reply.padding, reply.field_block_bytes.map(NonZeroU16::get)), (Some(255), Some(40)));
        assert_eq!((value(&reply, ":status"), body(&reply), &reply.end), (Some("200"), "", &ReplyEnd::Last));
        let events: Vec<_> = bench.team_at().team().journal(0).map(|record| record.event.name()).collect();
        assert_eq!(events[events.len() - 3..], ["notification", "notification", "fault"]);
        // As a data folder keeps it.
        bench.service = Service::restore(bench.now, &bench.service.snapshot(), verify).unwrap();
        let kept: Vec<_> = bench.team_at().faults().map(|known| known.fault.clone()).collect();
        assert!(kept == std::slice::from_ref(&framed), "{kept:?}");
        bench.connect();
    }
    let mut bench = with(always("{}", BUSY));
    let push = bench.push();
    let reply = reply(&mut bench, &push);
    assert_eq!((reply.padding, reply.field_block_bytes), (None, None));
}

#[test]
fn a_410_has_any_timestamp_or_none() {
    let now = NOW.as_millis();
    for (action, expected) in [
        (
            r#"{"answer": {"status": 410}}"#.to_owned(),
            format!(r#"{{"reason":"Unregistered","timestamp":{now}}}"#),
        ),
        (
            r#"{"answer": {"reason": "ExpiredToken", "timestamp": 12}}"#.to_owned(),
            r#"{"reason":"ExpiredToken","timestamp":12}"#.to_owned(),
        ),
        (
            r#"{"answer": {"status": 410, "no-timestamp": true}}"#.to_owned(),
            r#"{"reason":"Unregistered"}"#.to_owned(),
        ),
        (
            r#"{"answer": {"status": 499, "reason": "Nobody\"s"}}"#.to_owned(),
            r#"{"reason":"Nobody\"s"}"#.to_owned(),
        ),
    ] {
        let mut bench = with(always("{}", &action));
        let push = bench.push();
        assert_eq!(body(&reply(&mut bench, &push)), expected);
    }
}

#[test]
fn a_retry_after_may_be_a_date() {
    let action = r#"{"answer": {"status": 429, "retry-after": {"date-in": "90s"}}}"#;
    let mut bench = with(always("{}", action));
    let push = bench.push();
    let reply = reply(&mut bench, &push);
    let date = httpdate::parse_http_date(value(&reply, "retry-after").unwrap()).unwrap();
    let since_1970 = date.duration_since(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(since_1970.as_secs(), NOW.as_secs() + 90);
}

#[test]
fn it_fires_behind_so_many_at_every_so_many_and_so_often() {
    let rule = |more: &str| fault(&format!(r#"{{"name": "f", {more}, "action": {BUSY}}}"#));
    for (more, expected) in [
        (r#""after": 3"#, &[4, 5, 6, 7, 8, 9, 10][..]),
        (r#""times": 2"#, &[1, 2]),
        (r#""every": 4"#, &[1, 5, 9]),
        (r#""after": 2, "every": 3, "times": 2"#, &[3, 6]),
        (r#""probability": 0"#, &[]),
        (r#""probability": 1"#, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    ] {
        assert_eq!(fires(&mut with(rule(more)), 10), expected, "{more}");
    }
}

#[test]
fn one_seed_gives_the_same_firings_and_another_gives_others() {
    let rule = |seed: u64| {
        fault(&format!(r#"{{"name": "f", "probability": 0.3, "seed": {seed}, "action": {BUSY}}}"#))
    };
    let first = fires(&mut with(rule(1)), 200);
    assert_eq!(first, fires(&mut with(rule(1)), 200));
    assert_ne!(first, fires(&mut with(rule(2)), 200));
    assert!((30..90).contains(&first.len()), "{first:?}");
}

#[test]
fn the_first_that_fires_wins_and_a_team_comes_before_everyone() {
    let mut bench = Bench::new();
    let named = |name: &str, more: &str| fault(&format!(r#"{{"name": "{name}"{more}, "action": {BUSY}}}"#));
    bench.service.add_fault(NOW, named("everyone", "")).unwrap();
    bench.team_at().add_fault(named("never", r#", "probability": 0"#)).unwrap();
    bench.team_at().add_fault(named("once", r#", "times": 1"#)).unwrap();
    let push = bench.push();
    let mut name = || value(&reply(&mut bench, &push), "mock-apns-fault").unwrap().to_owned();
    assert_eq!([name(), name()], ["once", "everyone"]);
}

#[test]
fn it_is_about_what_it_says() {
    let id = "123e4567-e89b-12d3-a456-42665544000f";
    let cases = [
        (r#"{"token": "TOKEN"}"#.replace("TOKEN", TOKEN), true),
        (r#"{"token": "ffff*"}"#.to_owned(), false),
        (r#"{"topic": "com.example.app"}"#.to_owned(), true),
        (r#"{"topic": "com.example.other"}"#.to_owned(), false),
        (r#"{"push-type": "alert"}"#.to_owned(), true),
        (r#"{"push-type": "voip"}"#.to_owned(), false),
        (r#"{"priority": 5}"#.to_owned(), true),
        (r#"{"priority": 10}"#.to_owned(), false),
        (r#"{"collapse-id": "score"}"#.to_owned(), true),
        (r#"{"collapse-id": "other"}"#.to_owned(), false),
        (format!(r#"{{"apns-id": "{id}"}}"#), true),
        (r#"{"apns-id": "00000000-0000-0000-0000-000000000000"}"#.to_owned(), false),
        (format!(r#"{{"key-id": "{KEY}"}}"#), true),
        (r#"{"key-id": "KEY0000009"}"#.to_owned(), false),
        (r#"{"environment": "sandbox"}"#.to_owned(), true),
        (r#"{"environment": "production"}"#.to_owned(), false),
        (r#"{"connection": 1}"#.to_owned(), true),
        (r#"{"connection": 2}"#.to_owned(), false),
        (r#"{"stream": 1}"#.to_owned(), true),
        (r#"{"stream": {"from": 2}}"#.to_owned(), false),
        (r#"{"open-connections": 0}"#.to_owned(), true),
        (r#"{"open-connections": 1}"#.to_owned(), false),
        (r#"{"filter": "status:200 text:hello"}"#.to_owned(), true),
        (r#"{"filter": "reason:BadDeviceToken"}"#.to_owned(), false),
        (r#"{"until": "1m"}"#.to_owned(), true),
        (r#"{"from": "1m"}"#.to_owned(), false),
    ];
    for (matching, expected) in cases {
        let mut bench = with(always(&matching, BUSY));
        let push =
            bench.push().with("apns-priority", "5").with("apns-collapse-id", "score").with("apns-id", id);
        assert_eq!(deed(&mut bench, &push).is_some(), expected, "{matching}");
    }
}

#[test]
fn a_filter_sees_what_would_have_been_refused() {
    let mut bench = with(always(r#"{"filter": "reason:BadPriority"}"#, r#"{"answer": {"status": 200}}"#));
    let push = bench.push();
    assert_eq!(deed(&mut bench, &push), None);
    let reply = reply(&mut bench, &push.with("apns-priority", "7"));
    assert_eq!((value(&reply, ":status"), body(&reply)), (Some("200"), ""));
}

#[test]
fn a_fault_of_one_team_changes_nothing_for_another() {
    let mut bench = with(always("{}", BUSY));
    let theirs = bench.push().signed_by(&Jwt { team: OTHER_TEAM, kid: "OTHERKEY01", ..Jwt::default() });
    assert_eq!(deed(&mut bench, &theirs), None);
    let mine = bench.push();
    bench.connect();
    assert!(deed(&mut bench, &mine).is_some());
}

#[test]
fn time_windows_and_lives_follow_the_teams_clock() {
    let mut bench = with(always(r#"{"from": "60s", "until": "120s"}"#, BUSY));
    let short = fault(&format!(r#"{{"name": "short", "ttl": "30s", "action": {BUSY}}}"#));
    bench.team_at().add_fault(short).unwrap();
    let mut fires_after = |seconds: u64| {
        bench.team_at().advance_clock(Duration::from_secs(seconds));
        let push = bench.push();
        deed(&mut bench, &push).is_some()
    };
    assert_eq!([0, 29, 1, 30, 59, 1].map(&mut fires_after), [true, true, false, true, true, false]);
    assert_eq!(bench.team_at().faults().count(), 1, "the one whose life is over is gone");
}

#[test]
fn a_connection_fault_of_a_team_fires_once_the_connection_has_shown_whose_it_is() {
    let goaway = r#"{"goaway": {"reason": "Shutdown"}}"#;
    let rule = fault(&format!(r#"{{"name": "f", "on": "connection", "action": {goaway}}}"#));
    let mut bench = with(rule.clone());
    let push = bench.push();
    let effects = bench.effects(&push);
    let places = |wanted: fn(&Effect) -> bool| effects.iter().position(wanted);
    let fault_at = places(|it| matches!(it, Effect::Fault { stream: None, .. })).unwrap();
    assert!(fault_at < places(|it| matches!(it, Effect::Respond { .. })).unwrap());
    assert_eq!(deed(&mut bench, &push), None, "once for each connection");

    let mut bench = with(rule);
    bench.connect_with(&certificate("development"));
    let fired =
        std::iter::from_fn(|| bench.service.poll_effect()).any(|it| matches!(it, Effect::Fault { .. }));
    assert!(fired, "a certificate shows it at once");
}

#[test]
fn at_a_time_it_fires_at_each_open_connection_of_the_team() {
    let settings = r#"{"settings": {"max-concurrent-streams": 1}}"#;
    let rule =
        format!(r#"{{"name": "f", "on": "clock", "match": {{"from": "120s"}}, "action": {settings}}}"#);
    let mut bench = with(fault(&rule));
    let push = bench.push();
    bench.effects(&push);
    let first = bench.connection;
    bench.connect(); // of nobody
    bench.connect();
    bench.effects(&push);
    let due = NOW.saturating_add(Duration::from_mins(2));
    assert_eq!(bench.service.poll_timeout(), Some(due));
    bench.service.handle_timeout(due);
    let mut at = Vec::new();
    while let Some(effect) = bench.service.poll_effect() {
        if let Effect::Fault { connection, deed: Deed::Connection(action), .. } = effect {
            assert_eq!(action.name(), "settings");
            at.push(connection);
        }
    }
    assert_eq!(at, [first, bench.connection]);
    bench.service.handle_timeout(due.saturating_add(Duration::from_secs(999)));
    assert_eq!(bench.service.poll_effect(), None, "once");
}

#[test]
fn everyones_faults_at_the_door_are_written_down() {
    let mut service = crate::common::service(mock_apns_core::Settings::default(), 42);
    let rule = |json: &str| fault(json);
    service.add_fault(NOW, rule(r#"{"name": "shut", "every": 2, "action": {"accept": "close"}}"#)).unwrap();
    service
        .add_fault(
            NOW,
            rule(r#"{"name": "tls", "match": {"environment": "production"}, "action": {"tls": "stall"}}"#),
        )
        .unwrap();
    let mut accepted = || service.accepting(NOW, Environment::Sandbox).is_some();
    assert_eq!([accepted(), accepted(), accepted()], [true, false, true]);
    assert!(service.shaking_hands(NOW, Environment::Sandbox).is_none());
    assert!(service.shaking_hands(NOW, Environment::Production).is_some());
    let told: Vec<_> = service.unclaimed(0).map(|record| serde_json::to_string(&record).unwrap()).collect();
    assert_eq!(told.len(), 3);
    assert!(told[0].contains(r#""event":"fault","fault":"shut","on":"accept","action":{"accept":"close"},"after-connections":0}"#), "{}", told[0]);
}

#[test]
fn what_becomes_of_the_push_depends_on_the_action() {
    for (action, is_answered, is_delivered) in [
        (r#""no-answer""#, false, true),
        (r#"{"no-answer": {"takes-effect": false}}"#, false, false),
        (r#""reset-stream""#, false, true),
        (r#"{"reset-stream": {"code": "REFUSED_STREAM"}}"#, false, false),
        (r#"{"goaway": {"reason": "Shutdown"}}"#, true, true),
        (r#"{"goaway": {"last-stream": "before"}}"#, false, false),
        (r#""close""#, false, false),
        (r#"{"close": {"takes-effect": true}}"#, false, true),
        (r#"{"close": {"answered": true}}"#, true, true),
        (r#""stall""#, false, false),
        (r#"{"stall": {"writes": false}}"#, true, true),
        (r#"{"settings": {"max-concurrent-streams": 1}}"#, true, true),
        (r#""ping""#, true, true),
        (r#"{"frame": {"kind": "ping-length"}}"#, true, true),
    ] {
        let mut bench = with(always("{}", action));
        let push = bench.push();
        let effects = bench.effects(&push);
        let responded = effects.iter().any(|it| matches!(it, Effect::Respond { .. }));
        assert_eq!(responded, is_answered, "{action}");
        let team = bench.team_at();
        let delivered = team.team().journal(0).any(|it| matches!(it.event, Event::Notification { .. }));
        assert_eq!(delivered, is_delivered, "{action}");
    }
}

#[test]
fn a_stream_is_reset_where_it_says() {
    let cut = |at: &str| {
        let action = format!(r#"{{"reset-stream": {{"at": "{at}", "code": "CANCEL"}}}}"#);
        let mut bench = with(always("{}", &action));
        let push = bench.push().without("apns-topic");
        reply(&mut bench, &push)
    };
    assert!(matches!(cut("before-headers").end, ReplyEnd::ResetAtOnce(code) if code.number() == 8));
    let after = cut("after-headers");
    assert!(matches!(after.end, ReplyEnd::Reset(_)) && !after.head.is_empty() && after.body.is_empty());
    assert_eq!(body(&cut("mid-body")), r#"{"reason":"M"#);
}

#[test]
fn what_cannot_be_is_refused_with_the_reason() {
    let mut bench = Bench::new();
    for (json, why) in [
        (r#"{"name": "f", "action": {"answer": {"status": 999}}}"#, "from 200 to 599"),
        (r#"{"name": "f", "action": {"answer": {"padding": 256}}}"#, "padding is 256"),
        (r#"{"name": "f", "action": {"answer": {"field-block-bytes": 1}}}"#, "field-block-bytes is 1"),
        (r#"{"name": "f", "times": 0, "action": "no-answer"}"#, "never fire: times is 0"),
        (r#"{"name": "f", "ttl": "0s", "action": "no-answer"}"#, "its ttl is 0"),
        (r#"{"name": "f", "on": "connection", "action": "no-answer"}"#, "it can at request"),
        (r#"{"name": "f", "action": {"accept": "close"}}"#, "add it for everyone"),
        (r#"{"name": "f", "match": {"team": "TEAM000001"}, "action": "no-answer"}"#, "leave it out"),
        (r#"{"name": "f", "match": {"stream": 0}, "action": "no-answer"}"#, "counted from 1"),
        (
            r#"{"name": "f", "match": {"from": "2s", "until": "1s"}, "action": "no-answer"}"#,
            "time window is empty",
        ),
        (r#"{"name": "f", "match": {"until": 5}, "action": "no-answer"}"#, "time window is empty, or over"),
        (
            r#"{"name": "f", "ttl": "1s", "match": {"from": "1s"}, "action": "no-answer"}"#,
            "ttl is over before",
        ),
        (r#"{"name": "f", "on": "clock", "action": "close"}"#, "say from when"),
        (r#"{"name": "f", "on": "connection", "match": {"topic": "a.b"}, "action": "close"}"#, "no request"),
        (
            r#"{"name": "f", "match": {"filter": "event:goaway"}, "action": "no-answer"}"#,
            "its filter asks of event",
        ),
        (
            r#"{"name": "f", "match": {"filter": "status:\"Delivered to Device\""}, "action": "no-answer"}"#,
            "status",
        ),
    ] {
        let error = bench.team_at().add_fault(fault(json)).unwrap_err().to_string();
        assert!(error.contains(why), "{json}: {error}");
    }
    let add = |bench: &mut Bench, json: &str| bench.service.add_fault(NOW, fault(json));
    let unknown = r#"{"name": "f", "match": {"team": "NOSUCHTEAM"}, "action": "no-answer"}"#;
    assert!(matches!(add(&mut bench, unknown), Err(FaultError::NoSuchTeam(_))));
    let door = r#"{"name": "f", "match": {"topic": "a.b"}, "action": {"tls": "stall"}}"#;
    assert!(add(&mut bench, door).unwrap_err().to_string().contains("no request at that moment"));
    for wrong in [
        r#"{"name": "f", "match": {"push-type": "alrt"}, "action": "no-answer"}"#,
        r#"{"name": "f", "match": {"priority": 7}, "action": "no-answer"}"#,
        r#"{"name": "f", "match": {"topik": "a"}, "action": "no-answer"}"#,
        r#"{"name": "f", "probability": 1.5, "action": "no-answer"}"#,
        r#"{"name": "f", "on": "lunch", "action": "no-answer"}"#,
        r#"{"name": "f"}"#,
    ] {
        assert!(serde_json::from_str::<Fault>(wrong).is_err(), "{wrong}");
    }
    bench.team_at().add_fault(always("{}", BUSY)).unwrap();
    let twice = bench.team_at().add_fault(always("{}", BUSY)).unwrap_err();
    assert!(matches!(twice, FaultError::Duplicate(_)));
}

#[test]
fn faults_go_with_a_reset_and_are_removed_by_name() {
    let mut bench = with(always("{}", BUSY));
    let name = always("{}", BUSY).name;
    assert!(bench.team_at().remove_fault(&name) && !bench.team_at().remove_fault(&name));
    bench.team_at().add_fault(always("{}", BUSY)).unwrap();
    bench.service.add_fault(NOW, always("{}", BUSY)).unwrap();
    bench.service.reset(NOW);
    assert_eq!((bench.team_at().faults().count(), bench.service.faults(NOW).count()), (0, 0));
}

/// Everything that a service did and has, as text.
fn state(service: &Service) -> String {
    serde_json::to_string(&service.checkpoint()).unwrap()
}

#[test]
fn faults_go_on_where_they_were_after_a_snapshot_and_in_a_replay() {
    let mut bench = Bench::new();
    let before = bench.service.checkpoint();
    bench.service.start_recording();
    let flaky =
        format!(r#"{{"name": "flaky", "probability": 0.5, "after": 3, "ttl": "1h", "action": {BUSY}}}"#);
    bench.team_at().add_fault(fault(&flaky)).unwrap();
    let clock = r#"{"name": "at", "on": "clock", "match": {"from": "5s"}, "action": "ignore-pings"}"#;
    bench.service.add_fault(NOW, fault(clock)).unwrap();
    bench
        .service
        .add_fault(NOW, fault(r#"{"name": "door", "times": 1, "action": {"accept": "reset"}}"#))
        .unwrap();
    bench.service.accepting(NOW, Environment::Production);
    let push = bench.push();
    for _ in 0..40 {
        bench.effects(&push);
    }
    bench.service.connected(NOW, sandbox());
    bench.service.handle_timeout(Timestamp::from_millis(NOW.as_millis() + 6000));
    let middle = bench.service.checkpoint();
    while bench.service.poll_effect().is_some() {}
    let recorded: Vec<Recorded> = std::iter::from_fn(|| bench.service.poll_recorded()).collect();
    let mut again = Service::resume(&before, verify).unwrap();
    for call in recorded {
        again.redo(Recorded::from_bytes(&call.to_bytes()).unwrap());
    }
    assert_eq!(state(&again), serde_json::to_string(&middle).unwrap());

    let json = serde_json::to_string(&middle).unwrap();
    let mut resumed = Service::resume(&serde_json::from_str(&json).unwrap(), verify).unwrap();
    assert_eq!(state(&resumed), json);
    std::mem::swap(&mut resumed, &mut bench.service);
    let first = fires(&mut bench, 40);
    std::mem::swap(&mut resumed, &mut bench.service);
    assert_eq!(first, fires(&mut bench, 40));
}

#[test]
fn every_action_names_the_moments_at_which_it_can_happen() {
    for json in [r#""no-answer""#, r#""close""#, r#"{"tls": "stall"}"#, r#"{"accept": "close"}"#] {
        let action: Action = serde_json::from_str(json).unwrap();
        assert!(!action.moments().is_empty() && action.moments().iter().all(|it| Moment::ALL.contains(it)));
    }
}
