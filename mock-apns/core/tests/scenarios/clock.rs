//! The clock of a team, and everything that follows it.

use std::time::Duration;

use mock_apns_core::{Clock, ClockError, Effect, Event, Opened, Reason, Record, Status, Timestamp};

use crate::{
    common::{Bench, HOUR, Jwt, NOW, OTHER_TEAM, certificate, sandbox},
    world::{DAY, MINUTE, World, team_id},
};

#[test]
fn a_clock_that_was_set_stands_still_whatever_the_machine_shows() {
    let mut world = World::new();
    let at = NOW.saturating_add(DAY);
    world.team().set_clock(at).unwrap();
    world.pass(5 * DAY);
    assert_eq!(world.team().now(), at);
    let push = world.send(&world.alert("Hello"));
    assert_eq!(world.life_at(push), [(at, "Delivered to Device")]);
}

#[test]
fn advancing_tells_what_fired_each_at_its_time() {
    let mut world = World::new();
    world.offline();
    let expires = world.after(MINUTE);
    let push = world.send(&world.alert("Hello").with("apns-expiration", &expires));
    let expired_at = NOW.saturating_add(MINUTE);
    let mut team = world.team();
    team.set_clock(NOW).unwrap();
    let told = |fired: Vec<Record<'_>>| -> Vec<(Timestamp, String)> {
        fired.iter().map(|record| (record.at, serde_json::to_string(record).unwrap())).collect()
    };
    let before = told(team.advance_clock(Duration::from_secs(59)));
    assert!(matches!(&before[..], [(_, clock)] if clock.contains(r#""event":"clock""#)), "{before:?}");
    let after = told(team.advance_clock(DAY));
    assert_eq!(after.len(), 2, "{after:?}");
    assert_eq!(after[0].0, expired_at);
    assert!(after[0].1.contains(Status::DiscardedExpired.as_str()));
    assert!(after[0].1.contains(&format!("\"number\":{push}")));
    assert!(after[1].1.contains(r#""event":"clock","manual":"#), "{}", after[1].1);
}

#[test]
fn a_clock_does_not_go_backwards() {
    let mut world = World::new();
    let mut team = world.team();
    let asked = NOW.saturating_sub(Duration::from_millis(1));
    let error = team.set_clock(asked).unwrap_err();
    assert_eq!(error, ClockError::Backwards { now: NOW, asked });
    assert!(error.to_string().contains("cannot go back"), "{error}");
    assert_eq!(team.now(), NOW);
    assert_eq!(team.team().clock(), Clock::default());
    assert!(team.set_clock(NOW).is_ok());
    assert_eq!(team.now(), NOW);
}

#[test]
fn a_clock_that_is_let_go_follows_the_machine_and_never_goes_back() {
    let mut world = World::new();
    world.team().set_clock(NOW.saturating_add(DAY)).unwrap();
    world.pass(MINUTE);
    world.team().follow_machine();
    world.pass(MINUTE);
    assert_eq!(world.team().now(), NOW.saturating_add(DAY + MINUTE));
    world.pass(2 * DAY);
    assert_eq!(world.team().now(), NOW.saturating_add(3 * DAY + MINUTE));
    // One that was behind catches up.
    let behind = world.team().now();
    world.team().set_clock(behind).unwrap();
    world.pass(5 * DAY);
    world.team().follow_machine();
    assert_eq!(world.team().now(), world.bench.now);
}

#[test]
fn a_clock_that_follows_the_machine_goes_on_following_it_when_it_is_advanced() {
    let mut world = World::new();
    world.team().advance_clock(DAY);
    world.pass(MINUTE);
    assert_eq!(world.team().now(), NOW.saturating_add(DAY + MINUTE));
}

#[test]
fn a_machine_that_is_set_back_does_not_turn_the_teams_time_back() {
    let mut world = World::new();
    world.pass(MINUTE);
    world.send(&world.alert("Hello"));
    world.bench.now = NOW;
    assert_eq!(world.team().now(), NOW.saturating_add(MINUTE));
}

#[test]
fn provider_tokens_age_by_the_teams_clock() {
    let mut bench = Bench::new();
    let push = bench.push();
    assert_eq!(bench.reason(&push), None);
    bench.team_at().set_clock(NOW.saturating_add(HOUR)).unwrap();
    assert_eq!(bench.reason(&push), None);
    bench.team_at().advance_clock(Duration::from_secs(1));
    assert_eq!(bench.reason(&push), Some(Reason::ExpiredProviderToken));
    let later = NOW.as_secs() + 3600;
    let fresh = bench.push().signed_by(&Jwt { iat: &later.to_string(), ..Jwt::default() });
    assert_eq!(bench.reason(&fresh), None);
    // Another team has its own time.
    let theirs = Jwt { team: OTHER_TEAM, kid: "OTHERKEY01", ..Jwt::default() };
    bench.connect();
    let theirs = bench.push().signed_by(&theirs);
    assert_eq!(bench.reason(&theirs), None);
}

#[test]
fn the_window_for_changing_provider_tokens_follows_it() {
    let mut bench = Bench::new();
    bench.team_at().set_clock(NOW).unwrap();
    let with_iat =
        |bench: &Bench, iat: u64| bench.push().signed_by(&Jwt { iat: &iat.to_string(), ..Jwt::default() });
    let iat = NOW.as_secs();
    for (secs_ago, expected) in [(3, None), (2, None), (1, Some(Reason::TooManyProviderTokenUpdates))] {
        let push = with_iat(&bench, iat - secs_ago);
        assert_eq!(bench.reason(&push), expected);
    }
    bench.team_at().advance_clock(20 * MINUTE);
    let push = with_iat(&bench, iat - 1);
    assert_eq!(bench.reason(&push), None);
}

#[test]
fn a_certificates_validity_follows_it() {
    let mut bench = Bench::new();
    let der = certificate("universal");
    let opened = Opened { certificate: Some(&der), ..sandbox() };
    bench.team_at().advance_clock(700 * DAY);
    let connection = bench.service.connected(NOW, opened);
    let sent_away = Effect::GoAway { connection, reason: Reason::BadCertificate };
    assert_eq!(bench.service.poll_effect(), Some(sent_away));
}

#[test]
fn rate_limits_follow_it() {
    let mut world = World::with(&[("device-token-burst", "1"), ("device-token-refill", "60000")]);
    world.team().set_clock(NOW).unwrap();
    let push = world.alert("Hello");
    assert_eq!(world.reason(&push), None);
    world.pass(DAY);
    assert_eq!(world.reason(&push), Some(Reason::TooManyRequests));
    world.team().advance_clock(MINUTE);
    assert_eq!(world.reason(&push), None);
}

#[test]
fn the_time_of_a_410_is_the_teams() {
    let mut world = World::new();
    let at = NOW.saturating_add(DAY);
    world.team().set_clock(at).unwrap();
    let push = world.alert("Hello");
    world.uninstall();
    world.send(&push);
    assert_eq!(world.answer(&push).timestamp, Some(at));
}

#[test]
fn the_shell_is_told_when_something_will_happen_by_itself() {
    let mut world = World::new();
    assert_eq!(world.bench.service.poll_timeout(), None);
    world.offline();
    let expires = world.after(MINUTE);
    let push = world.send(&world.alert("Hello").with("apns-expiration", &expires));
    let due = NOW.saturating_add(MINUTE);
    assert_eq!(world.bench.service.poll_timeout(), Some(due));
    // A call that comes too early does nothing, and one that comes late changes no time.
    world.bench.service.handle_timeout(NOW.saturating_add(MINUTE / 2));
    assert_eq!(world.bench.service.poll_timeout(), Some(due));
    world.bench.service.handle_timeout(NOW.saturating_add(DAY));
    assert_eq!(world.bench.service.poll_timeout(), None);
    let team = world.bench.service.team(team_id()).unwrap();
    let last = team.journal(0).last().unwrap();
    assert_eq!((last.at, last.notification().unwrap().number), (due, push));
    assert!(matches!(last.event, Event::Notification { status: Status::DiscardedExpired, .. }));
}

#[test]
fn a_clock_that_is_ahead_is_woken_earlier_and_one_that_stands_still_never() {
    let mut world = World::new();
    world.offline();
    let expires = world.after(DAY);
    world.send(&world.alert("Hello").with("apns-expiration", &expires));
    world.team().advance_clock(23 * HOUR);
    assert_eq!(world.bench.service.poll_timeout(), Some(NOW.saturating_add(HOUR)));
    let stands = world.team().now();
    world.team().set_clock(stands).unwrap();
    world.bench.service.handle_timeout(NOW.saturating_add(DAY));
    assert_eq!(world.bench.service.poll_timeout(), None);
}
