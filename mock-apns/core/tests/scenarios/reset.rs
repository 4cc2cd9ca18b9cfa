//! A reset: what goes and what stays, in the order of the table at `TeamAt::reset`.

use mock_apns_core::{
    App, Clock, DeviceMessage, DeviceState, Effect, Event, KeyId, KeyScope, ProviderKey, Reason, Service,
    Settings, Status, TeamId, TokenKind, TokenStatus,
};

use crate::{
    common::{
        Bench, HOUR, Jwt, KEY, NOW, OTHER_TEAM, PHONE, TEAM, bundle_id, certificate, device, provider_key,
        service,
    },
    world::{APP, DAY, SANDBOX, World, app, team_id},
};

/// What a test does with a new team, as far as identifiers go.
fn run(world: &mut World) -> String {
    if world.team().team().device(&device(PHONE)).is_none() {
        world.team().add_device(device(PHONE)).unwrap();
        world.team().install(&device(PHONE), &app(), SANDBOX).unwrap();
    }
    world.token = world.register(TokenKind::App);
    let [first, second] = [world.alert("one"), world.alert("two")].map(|push| world.send(&push));
    let refused = world.answer(&world.alert("three").with("apns-priority", "7"));
    let team = world.team();
    let told = team.team().journal(0).filter(|record| record.ids().is_some()).map(|mut record| {
        record.cursor = 0;
        serde_json::to_string(&record).unwrap() + "\n"
    });
    format!("{first} {second} {} {}", refused.apns_id.as_str(), told.collect::<String>())
}

/// A team to which nothing has happened but that its phone is there.
fn fresh() -> World {
    let mut world = World::new();
    world.team().reset();
    world
}

#[test]
fn its_id_and_its_place_among_the_teams_stay() {
    let mut world = World::new();
    world.team().reset();
    let ids: Vec<TeamId> = world.bench.service.team_ids().collect();
    assert_eq!(ids, [team_id(), TeamId::parse(OTHER_TEAM).unwrap()]);
    // A device that names no team is one of the first.
    let connection = world.bench.service.device_connected(NOW, device("new"));
    world.bench.service.device_line(NOW, connection, br#"{"type":"connect"}"#);
    assert!(world.team().team().device(&device("new")).unwrap().is_connected());
}

#[test]
fn its_keys_stay_and_a_revoked_one_is_in_force_again() {
    let mut bench = Bench::new();
    let key = KeyId::parse(KEY).unwrap();
    let push = bench.push();
    assert!(bench.team_at().revoke_key(key));
    assert_eq!(bench.reason(&push), Some(Reason::InvalidProviderToken));
    bench.team_at().reset();
    // The credentials are good; the device is gone.
    assert_eq!(bench.reason(&push), Some(Reason::BadDeviceToken));
    assert_eq!(bench.team_at().team().keys().count(), 6);
}

#[test]
fn a_key_that_was_added_as_revoked_stays_so() {
    let mut bench = Bench::new();
    let id = TeamId::parse("TEAM000003").unwrap();
    let mut team = mock_apns_core::Team::new(id);
    let mut key = ProviderKey::new(KeyId::parse(KEY).unwrap(), [4; 65], KeyScope::Legacy);
    key.revoked = true;
    team.add_key(key).unwrap();
    bench.service.add_team(team).unwrap();
    bench.service.team_at(NOW, id).unwrap().reset();
    assert!(bench.service.team(id).unwrap().keys().all(|key| key.revoked));
}

#[test]
fn its_apps_stay() {
    let mut world = fresh();
    let apps: Vec<String> = world.team().team().apps().map(|app| app.bundle_id.to_string()).collect();
    assert_eq!(apps, [APP, "com.example.second"]);
    run(&mut world);
}

#[test]
fn keys_and_apps_that_were_added_since_are_gone_and_can_be_added_again() {
    let mut bench = Bench::new();
    let spare = ["SPAREKEY01", "SPAREKEY02"].map(|id| provider_key(id, KeyScope::Legacy));
    let [of_first, of_second] =
        ["SPAREKEY01", "SPAREKEY02"].map(|kid| bench.push().signed_by(&Jwt { kid, ..Jwt::default() }));
    let late = || App::new(bundle_id("com.example.late"));
    let to_late = of_first.clone().with("apns-topic", "com.example.late");
    for key in spare.clone() {
        bench.team_at().add_key(key).unwrap();
    }
    bench.team_at().add_app(late()).unwrap();
    assert_eq!(bench.reason(&to_late), Some(Reason::DeviceTokenNotForTopic));
    assert_eq!(bench.reason(&of_first), None);
    bench.team_at().reset();
    bench.connect();
    assert_eq!(bench.reason(&of_first), Some(Reason::InvalidProviderToken));
    let to_late = bench.push().with("apns-topic", "com.example.late");
    assert_eq!(bench.reason(&to_late), Some(Reason::TopicDisallowed));
    // The other key gets the place that the first had: a token of the first is not taken for one of its.
    let [first, second] = spare;
    bench.team_at().add_key(second).unwrap();
    bench.team_at().add_app(late()).unwrap();
    bench.connect();
    assert_eq!(bench.reason(&of_first), Some(Reason::InvalidProviderToken));
    assert_eq!(bench.reason(&of_second), Some(Reason::BadDeviceToken));
    bench.team_at().add_key(first).unwrap();
    bench.connect();
    assert_eq!(bench.reason(&of_first), Some(Reason::BadDeviceToken));
}

#[test]
fn devices_are_gone_and_those_that_are_connected_are_sent_away() {
    let mut world = World::new();
    let connections = ["a", "b"].map(|name| {
        let connection = world.bench.service.device_connected(NOW, device(name));
        world.bench.service.device_line(NOW, connection, br#"{"type":"connect"}"#);
        connection
    });
    while world.bench.service.poll_effect().is_some() {}
    world.team().reset();
    for connection in connections {
        let closed = world.bench.service.poll_effect().unwrap();
        let Effect::ToDevice { connection: told, message } = closed else { panic!("{closed:?}") };
        assert!(told == connection && matches!(message.message, DeviceMessage::Closed { .. }));
        assert_eq!(world.bench.service.poll_effect(), Some(Effect::CloseDevice { connection }));
    }
    assert_eq!(world.team().team().devices().count(), 0);
    // What they say or do afterwards concerns nobody, also not who has their place now.
    world.team().add_device(device("new")).unwrap();
    world.bench.service.device_line(NOW, connections[0], br#"{"type":"state","state":"power-saving"}"#);
    world.bench.service.device_line(NOW, connections[1], br#"{"type":"ack","delivery":1}"#);
    for connection in connections {
        world.bench.service.device_disconnected(NOW, connection);
    }
    assert_eq!(world.bench.service.poll_effect(), None);
    assert_eq!(world.team().team().device(&device("new")).unwrap().state(), DeviceState::Online);
}

#[test]
fn device_tokens_lead_nowhere_until_the_same_devices_are_there_again() {
    let mut world = fresh();
    run(&mut world);
    let (token, push) = (world.token.clone(), world.alert("Hello"));
    let given = world.bench.push();
    world.team().reset();
    for push in [&push, &given] {
        assert_eq!(world.reason(push), Some(Reason::BadDeviceToken));
    }
    world.team().add_device(device("another")).unwrap();
    assert_eq!(world.reason(&push), Some(Reason::BadDeviceToken));
    world.team().reset();
    run(&mut world);
    assert_eq!(world.token, token);
    assert_eq!(world.reason(&push), None);
}

#[test]
fn what_apns_has_learned_of_device_tokens_is_forgotten() {
    let mut world = fresh();
    run(&mut world);
    let (token, now) = (world.token.clone(), world.bench.now);
    let gone = TokenStatus::Unregistered { since: NOW };
    assert!(world.team().set_token_status(&token, gone));
    world.team().reset();
    world.team().add_device(device(PHONE)).unwrap();
    world.team().install(&device(PHONE), &app(), SANDBOX).unwrap();
    // Not by registering, which brings a token back to life.
    assert_eq!(world.team().team().token_status(&token, now), Some(TokenStatus::Active));
}

#[test]
fn notifications_that_wait_are_gone_and_nothing_more_becomes_of_them() {
    let mut world = World::new();
    world.offline();
    world.send(&world.alert("Hello"));
    world.team().reset();
    run(&mut world);
    world.offline();
    world.online();
    world.team().advance_clock(31 * DAY);
    let delivered = world.team().team().counters().get(Status::Delivered);
    assert_eq!(delivered, 2, "those of the run");
    let all: u64 = Status::ALL.iter().map(|status| world.team().team().counters().get(*status)).sum();
    assert_eq!(all, 4, "received and delivered");
}

#[test]
fn the_rate_limit_of_a_device_token_begins_anew() {
    let mut world = World::with(&[("device-token-burst", "2"), ("device-token-refill", "86400000")]);
    world.team().reset();
    for _ in 0..2 {
        run(&mut world);
        assert_eq!(world.reason(&world.alert("one more")), Some(Reason::TooManyRequests));
        world.team().reset();
    }
}

#[test]
fn the_budget_of_background_pushes_begins_anew() {
    let mut world = World::with(&[("background-pushes-per-hour", "1")]);
    world.team().reset();
    for _ in 0..2 {
        run(&mut world);
        let lives = [world.background(), world.background()].map(|push| {
            let number = world.send(&push);
            world.life(number)
        });
        assert_eq!(lives, [["Delivered to Device"], ["Stored - Power Considerations"]]);
        world.team().reset();
    }
}

#[test]
fn changes_of_provider_tokens_are_counted_anew_on_a_connection_and_for_a_key() {
    for counted in ["per-connection", "per-key"] {
        let mut bench = Bench::with_setting("provider-token-updates", counted);
        let [first, second, third] = [1, 2, 3].map(|age| {
            let iat = (NOW.as_secs() - age).to_string();
            bench.push().signed_by(&Jwt { iat: &iat, ..Jwt::default() })
        });
        assert_eq!([&first, &second].map(|push| bench.reason(push)), [None, None]);
        assert_eq!(bench.reason(&third), Some(Reason::TooManyProviderTokenUpdates));
        bench.team_at().reset();
        for push in [&first, &second] {
            assert_eq!(bench.reason(push), Some(Reason::BadDeviceToken), "{counted}");
        }
        assert_eq!(bench.reason(&third), Some(Reason::TooManyProviderTokenUpdates));
    }
}

#[test]
fn numbers_and_identifiers_are_the_same_again() {
    let mut world = fresh();
    let first = run(&mut world);
    world.team().reset();
    assert_eq!(run(&mut world), first);
}

#[test]
fn settings_are_the_services() {
    let mut world = World::with(&[("background-priority-10", "BadPriority")]);
    world.bench.set(TEAM, "background-priority-10", "accept");
    world.bench.set(TEAM, "journal-entries", "10");
    world.team().reset();
    let expected = world.bench.service.settings().clone();
    assert_eq!(world.team().team().settings(), &expected);
}

#[test]
fn the_clock_is_the_machines_even_if_it_was_ahead() {
    let mut world = World::new();
    world.team().advance_clock(40 * DAY);
    world.team().reset();
    assert_eq!(world.team().now(), NOW);
    world.team().set_clock(NOW.saturating_add(DAY)).unwrap();
    world.team().reset();
    assert_eq!(world.team().team().clock(), Clock::default());
    world.pass(HOUR);
    assert_eq!(world.team().now(), NOW.saturating_add(HOUR));
}

#[test]
fn the_journal_is_empty_but_for_the_reset_and_its_cursor_counts_on() {
    let mut world = World::new();
    world.send(&world.alert("Hello"));
    let cursor = world.team().team().next_cursor();
    while world.bench.service.poll_changed().is_some() {}
    world.team().reset();
    assert_eq!(world.bench.service.poll_changed(), Some(team_id()));
    assert_eq!(world.journal(), format!("{{\"cursor\":{cursor},\"at\":{NOW},\"event\":\"reset\"}}\n"));
    let filter = mock_apns_core::Filter::parse("event:reset").unwrap();
    let team = world.bench.service.team(team_id()).unwrap();
    let record = team.journal(0).next().unwrap();
    assert!(matches!(record.event, Event::Reset) && filter.matches(&record));
    assert_eq!((team.oldest_cursor(), team.next_cursor()), (cursor, cursor + 1));
    let page = team.pushes(&mock_apns_core::Filter::default(), Some(0), 10);
    assert!(page.pushes.is_empty() && page.evicted == cursor - 1);
    world.team().add_device(device(PHONE)).unwrap();
    assert_eq!(world.shown(), [""; 0]);
}

#[test]
fn a_team_that_has_changed_and_is_reset_is_named_once() {
    let mut world = World::new();
    while world.bench.service.poll_changed().is_some() {}
    world.send(&world.alert("Hello"));
    world.team().reset();
    world.team().reset();
    let changed: Vec<TeamId> = std::iter::from_fn(|| world.bench.service.poll_changed()).collect();
    assert_eq!(changed, [team_id()]);
}

#[test]
fn the_counters_are_zero() {
    let mut world = World::new();
    world.send(&world.alert("Hello"));
    world.team().reset();
    assert!(Status::ALL.iter().all(|status| world.team().team().counters().get(*status) == 0));
}

#[test]
fn connections_of_providers_stay_open_and_their_tokens_are_verified_anew() {
    let mut bench = Bench::new();
    let by_token = bench.connection;
    assert_eq!(bench.reason(&bench.push()), None);
    bench.connect_with(&certificate("universal"));
    assert_eq!(bench.reason(&bench.push()), None);
    bench.team_at().reset();
    let push = bench.push();
    assert_eq!(bench.reason(&push), Some(Reason::BadDeviceToken));
    bench.connection = by_token;
    assert_eq!(bench.reason(&push), Some(Reason::BadDeviceToken));
    // The connection may turn to a team of its own again, as at its beginning.
    let other = push.signed_by(&Jwt { team: OTHER_TEAM, kid: "OTHERKEY01", ..Jwt::default() });
    bench.connect();
    assert_eq!(bench.reason(&bench.push()), Some(Reason::BadDeviceToken));
    assert_eq!(bench.reason(&other), Some(Reason::InvalidProviderToken));
    bench.team_at().reset();
    assert_eq!(bench.reason(&other), None);
}

#[test]
fn other_teams_are_not_concerned() {
    let mut bench = Bench::new();
    let theirs = bench.push().signed_by(&Jwt { team: OTHER_TEAM, kid: "OTHERKEY01", ..Jwt::default() });
    assert_eq!(bench.reason(&theirs), None);
    let lines = |bench: &Bench| -> Vec<String> {
        let team = bench.service.team(TeamId::parse(OTHER_TEAM).unwrap()).unwrap();
        team.journal(0).map(|record| serde_json::to_string(&record).unwrap()).collect()
    };
    let before = lines(&bench);
    bench.team_at().reset();
    assert_eq!(lines(&bench), before);
    assert_eq!(bench.reason(&theirs), None);
}

#[test]
fn a_service_is_reset_with_all_its_teams_and_what_concerns_none() {
    let nobodys = |bench: &mut Bench| {
        let push = bench.push().without("authorization").with(":path", "/3/device/00");
        bench.answer(&push).apns_id
    };
    let journal = |service: &Service, id: &str| -> Vec<&'static str> {
        let team = service.team(TeamId::parse(id).unwrap()).unwrap();
        team.journal(0).map(|record| record.event.name()).collect()
    };
    let mut bench = Bench::new();
    let first = nobodys(&mut bench);
    assert_ne!(nobodys(&mut bench), first);
    bench.service.reset(NOW);
    for id in [TEAM, OTHER_TEAM] {
        assert_eq!(journal(&bench.service, id), ["reset"]);
    }
    assert!(bench.service.unclaimed(0).next().is_none());
    assert_eq!(nobodys(&mut bench), first);
    let cursors: Vec<u64> = bench.service.unclaimed(0).map(|record| record.cursor).collect();
    assert_eq!(cursors, [2]);
    assert_eq!(service(Settings::default(), 42).team_ids().count(), bench.service.team_ids().count());
}
