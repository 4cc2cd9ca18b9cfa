//! Teams share nothing, come cheap, and go without a trace.

use mock_apns_core::{
    App, DeviceMessage, Effect, KeyId, KeyScope, ProviderKey, Reason, Service, Settings, Team, TeamId,
    TokenKind,
};

use crate::{
    common::{Bench, Jwt, NOW, OTHER_TEAM, PHONE, TEAM, certificate, device, service, team, verify},
    world::{SANDBOX, World, app, team_id},
};

#[test]
fn what_other_teams_do_changes_nothing_in_a_teams_journal() {
    let journal_of = |disturbed: bool| {
        let mut world = World::new();
        let theirs = Jwt { team: OTHER_TEAM, kid: "OTHERKEY01", ..Jwt::default() };
        let connection = world.bench.connection;
        for text in ["one", "two", "three"] {
            if disturbed {
                world.bench.connect();
                let push = world.bench.push().signed_by(&theirs);
                assert_eq!(world.bench.reason(&push), None);
                world.bench.connection = connection;
            }
            world.send(&world.alert(text));
        }
        world.journal()
    };
    assert_eq!(journal_of(false), journal_of(true));
}

#[test]
fn the_same_seed_gives_the_same_journal_to_the_byte() {
    let journal_of = |seed: u64| {
        let mut world = World::new();
        world.bench.service = service(Settings::default(), seed);
        world.bench.connect();
        world.token = world.team().register(&device(PHONE), &app(), SANDBOX, TokenKind::Voip).unwrap();
        world.offline();
        world.team().start_activity(&device(PHONE), &app(), SANDBOX).unwrap();
        let call = world.push_to(&world.token, ".voip", "voip").signed_by(&Jwt::default());
        world.send(&call);
        world.send(&call);
        world.online();
        world.journal()
    };
    assert!(journal_of(1).lines().count() > 8);
    assert_eq!(journal_of(1), journal_of(1));
    assert_ne!(journal_of(1), journal_of(2));
}

#[test]
fn two_teams_with_the_same_devices_have_other_tokens() {
    let mut world = World::new();
    let other = TeamId::parse(OTHER_TEAM).unwrap();
    let mut team = world.bench.service.team_at(NOW, other).unwrap();
    team.add_device(device("theirs")).unwrap();
    team.install(&device("theirs"), &app(), SANDBOX).unwrap();
    let theirs = team.register(&device("theirs"), &app(), SANDBOX, TokenKind::Voip).unwrap();
    let push = world.push_to(&theirs, ".voip", "voip");
    assert_eq!(world.reason(&push), Some(Reason::BadDeviceToken));
}

#[test]
fn a_teams_settings_are_its_own() {
    let mut bench = Bench::new();
    bench.set(OTHER_TEAM, "background-priority-10", "BadPriority");
    let push = bench.push().with("apns-push-type", "background").with("apns-priority", "10");
    assert_eq!(bench.reason(&push), None);
    let theirs = push.signed_by(&Jwt { team: OTHER_TEAM, kid: "OTHERKEY01", ..Jwt::default() });
    bench.connect();
    assert_eq!(bench.reason(&theirs), Some(Reason::BadPriority));
}

#[test]
fn the_streams_of_a_certificates_connection_are_its_teams() {
    let mut bench = Bench::new();
    bench.set(TEAM, "max-concurrent-streams", "7");
    bench.connect_with(&certificate("universal"));
    assert_eq!(bench.service.initial_max_concurrent_streams(bench.connection), 7);
}

#[test]
fn a_teams_settings_count_for_provider_tokens_that_name_it() {
    let mut bench = Bench::new();
    let iat = format!("\"{}\"", NOW.as_secs());
    let text = bench.push().signed_by(&Jwt { iat: &iat, ..Jwt::default() });
    bench.set(OTHER_TEAM, "string-iat", "InvalidProviderToken");
    assert_eq!(bench.reason(&text), None);
    let theirs =
        bench.push().signed_by(&Jwt { iat: &iat, team: OTHER_TEAM, kid: "OTHERKEY01", ..Jwt::default() });
    bench.connect();
    assert_eq!(bench.reason(&theirs), Some(Reason::InvalidProviderToken));
}

#[test]
fn a_team_that_is_made_again_is_believed_again() {
    let mut bench = Bench::new();
    let push = bench.push();
    assert_eq!(bench.reason(&push), None);
    assert!(bench.service.remove_team(team_id()));
    assert_eq!(bench.reason(&push), Some(Reason::InvalidProviderToken));
    bench.service.add_team(team()).unwrap();
    // Its devices are not there again: credentials come before device tokens.
    assert_eq!(bench.reason(&push), Some(Reason::BadDeviceToken));
}

#[test]
fn a_team_that_is_removed_is_forgotten_and_its_devices_are_sent_away() {
    let mut bench = Bench::new();
    let push = bench.push();
    assert_eq!(bench.reason(&push), None);
    let connection = bench.service.device_connected(NOW, device(PHONE));
    bench.service.device_line(NOW, connection, br#"{"type":"connect"}"#);
    while bench.service.poll_effect().is_some() {}
    assert!(bench.service.remove_team(team_id()));
    let closed = bench.service.poll_effect();
    assert!(
        matches!(&closed, Some(Effect::ToDevice { message, .. }) if matches!(message.message, DeviceMessage::Closed { .. })),
        "{closed:?}"
    );
    assert_eq!(bench.service.poll_effect(), Some(Effect::CloseDevice { connection }));
    assert_eq!(bench.reason(&push), Some(Reason::InvalidProviderToken));
    assert!(!bench.service.remove_team(team_id()));
    let ids: Vec<TeamId> = bench.service.team_ids().collect();
    assert_eq!(ids, [TeamId::parse(OTHER_TEAM).unwrap()]);
}

#[test]
fn a_thousand_teams_are_nothing_unusual() {
    let mut service = Service::new(Settings::default(), 1, verify);
    for number in 0..1_000 {
        let id = TeamId::parse(&format!("TEAM{number:06}")).unwrap();
        let mut team = Team::new(id);
        team.add_app(App::new(app())).unwrap();
        team.add_key(ProviderKey::new(KeyId::parse("SAMEKEY001").unwrap(), [4; 65], KeyScope::Legacy))
            .unwrap();
        service.add_team(team).unwrap();
        service.team_at(NOW, id).unwrap().add_device(device(PHONE)).unwrap();
    }
    assert_eq!(service.team_ids().count(), 1_000);
}

#[test]
fn the_journal_keeps_the_newest_and_says_what_is_lost() {
    let mut world = World::with(&[("journal-entries", "10")]);
    for _ in 0..20 {
        world.send(&world.alert("Hello"));
    }
    let team = world.team();
    let cursors: Vec<u64> = team.team().journal(0).map(|record| record.cursor).collect();
    let next = team.team().next_cursor();
    assert_eq!(cursors, (next - 10..next).collect::<Vec<u64>>());
    assert_eq!(team.team().counters().get(mock_apns_core::Status::Delivered), 20);
}
