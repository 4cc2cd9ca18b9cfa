//! Device tokens: what makes them others, and what becomes of the old ones.

use mock_apns_core::{
    App, DeviceError, DeviceState, DeviceToken, Environment, NewTokens, PushType, PushTypes, Reason,
    TokenKind, TokenStatus,
};

use crate::{
    common::{PHONE, bundle_id, device},
    world::{DAY, MINUTE, SANDBOX, World, app},
};

const GONE: &str = "Discarded - Token Unregistered";
const GONE_FROM_STORAGE: &str = "Discarded - Token Unregistered (From Storage)";

#[test]
fn the_token_of_an_app_that_is_gone_is_answered_200_until_a_delivery_has_found_out() {
    let mut world = World::new();
    let push = world.alert("Hello");
    world.uninstall();
    world.pass(DAY);
    let first = world.send(&push);
    assert_eq!(world.life(first), [GONE]);
    assert_eq!(world.because(first), serde_json::json!({ "cause": "uninstalled" }));
    let found_out = world.bench.now;
    world.pass(DAY);
    let answer = world.answer(&push);
    assert_eq!((answer.status, answer.reason), (410, Some(Reason::Unregistered)));
    assert_eq!(answer.timestamp, Some(found_out));
}

#[test]
fn of_a_device_that_is_offline_nothing_is_found_out() {
    let mut world = World::new();
    let push = world.alert("Hello");
    world.uninstall();
    world.offline();
    let first = world.send(&push);
    let second = world.send(&push);
    world.pass(MINUTE);
    assert_eq!(world.reason(&push), None);
    world.online();
    assert_eq!(world.life(first), ["Stored - Device Offline", "Discarded - Overwritten"]);
    assert_eq!(world.life(second), ["Stored - Device Offline", "Discarded - Overwritten"]);
    assert_eq!(world.answer(&push).timestamp, Some(world.bench.now));
    let token = world.token.clone();
    let team = world.team();
    let status = team.team().token_status(&token, team.now());
    assert_eq!(status, Some(TokenStatus::Unregistered { since: team.now() }));
    assert!(
        team.team()
            .journal(0)
            .any(|record| record.status().is_some_and(|it| it.as_str() == GONE_FROM_STORAGE))
    );
}

#[test]
fn the_delay_until_410_is_a_setting() {
    let mut world = World::with(&[("unregistered-delay", "3600")]);
    let push = world.alert("Hello");
    world.uninstall();
    world.send(&push);
    let effective = world.bench.now.saturating_add(60 * MINUTE);
    world.pass(59 * MINUTE);
    let late = world.send(&push);
    assert_eq!(world.life(late), [GONE]);
    world.pass(MINUTE);
    assert_eq!(world.answer(&push).timestamp, Some(effective));
}

#[test]
fn an_app_that_is_installed_again_has_another_token() {
    let mut world = World::new();
    let old = world.alert("to the old token");
    world.uninstall();
    let token = world.reinstall();
    assert_ne!(token, world.token);
    let lost = world.send(&old);
    assert_eq!(world.life(lost), [GONE]);
    assert_eq!(world.because(lost), serde_json::json!({ "cause": "new-token" }));
    assert_eq!(world.reason(&old), Some(Reason::Unregistered));
    world.token = token;
    let reached = world.send(&world.alert("to the new one"));
    assert_eq!(world.life(reached), ["Delivered to Device"]);
}

#[test]
fn restoring_reinstalling_the_system_and_other_events_make_new_tokens() {
    for cause in [NewTokens::Restore, NewTokens::OsReinstall, NewTokens::System] {
        let mut world = World::new();
        let old = world.alert("Hello");
        world.new_tokens(cause);
        // Until the app is started it has no token, and is reached through none.
        let lost = world.send(&old);
        assert_eq!(world.life(lost), [GONE], "{cause:?}");
        let token = world.register(TokenKind::App);
        assert_ne!(token, world.token, "{cause:?}");
        assert_eq!(world.reason(&old), Some(Reason::Unregistered), "{cause:?}");
        world.token = token;
        let reached = world.send(&world.alert("Hello"));
        assert_eq!(world.life(reached), ["Delivered to Device"], "{cause:?}");
    }
}

#[test]
fn registering_again_gives_the_same_token_and_makes_an_older_410_history() {
    let mut world = World::new();
    let push = world.alert("Hello");
    assert_eq!(world.register(TokenKind::App), world.token);
    world.team().unregister(&device(PHONE), &app(), SANDBOX, TokenKind::App).unwrap();
    let lost = world.send(&push);
    assert_eq!(world.because(lost), serde_json::json!({ "cause": "unregistered" }));
    assert_eq!(world.reason(&push), Some(Reason::Unregistered));
    world.pass(MINUTE);
    assert_eq!(world.register(TokenKind::App), world.token);
    let reached = world.send(&push);
    assert_eq!(world.life(reached), ["Delivered to Device"]);
}

#[test]
fn each_kind_and_each_environment_has_a_token_of_its_own() {
    let mut world = World::new();
    world.team().install(&device(PHONE), &app(), Environment::Production).unwrap();
    let mut tokens = Vec::new();
    for environment in [SANDBOX, Environment::Production] {
        for &kind in TokenKind::ALL {
            tokens.push(world.team().register(&device(PHONE), &app(), environment, kind).unwrap());
        }
    }
    let count = tokens.len();
    tokens.sort();
    tokens.dedup();
    assert_eq!((tokens.len(), count), (2 * TokenKind::ALL.len(), 2 * TokenKind::ALL.len()));
}

#[test]
fn tokens_are_as_long_as_apples_and_of_varied_length_when_set_so() {
    let mut world = World::new();
    let lengths = |world: &mut World, kind| world.register(kind).as_bytes().len();
    assert_eq!(lengths(&mut world, TokenKind::App), 32);
    assert_eq!(lengths(&mut world, TokenKind::LiveActivity), 80);
    let mut varied = World::with(&[("device-token-length", "varied")]);
    let seen: std::collections::BTreeSet<usize> =
        TokenKind::ALL.iter().map(|kind| lengths(&mut varied, *kind)).collect();
    assert!(seen.len() > 4 && seen.iter().all(|len| (32..=100).contains(len)), "{seen:?}");
    let token = varied.token.clone();
    assert_eq!(varied.reason(&varied.push_to(&token, "", "alert")), None);
}

#[test]
fn a_voip_token_is_not_the_apps_and_dies_by_itself() {
    let mut world = World::new();
    let voip = world.register(TokenKind::Voip);
    let call = world.push_to(&voip, ".voip", "voip");
    world.team().unregister(&device(PHONE), &app(), SANDBOX, TokenKind::Voip).unwrap();
    world.send(&call);
    assert_eq!(world.reason(&call), Some(Reason::Unregistered));
    assert_eq!(world.reason(&world.alert("Hello")), None);
}

#[test]
fn the_tokens_of_a_device_that_is_removed_are_bad() {
    let mut world = World::new();
    world.offline();
    let push = world.send(&world.alert("Hello"));
    world.team().remove_device(&device(PHONE)).unwrap();
    assert_eq!(world.because(push), serde_json::json!({ "cause": "device-removed" }));
    assert_eq!(world.reason(&world.alert("Hello")), Some(Reason::BadDeviceToken));
    // A new device of the same name is another device.
    world.team().add_device(device(PHONE)).unwrap();
    world.team().install(&device(PHONE), &app(), SANDBOX).unwrap();
    assert_ne!(world.register(TokenKind::App), world.token);
}

#[test]
fn a_token_that_is_written_down_is_as_good_as_a_minted_one() {
    let mut world = World::new();
    let written = DeviceToken::from_hex("ab".repeat(32).as_bytes()).unwrap();
    let phone = device(PHONE);
    world.team().register_as(&phone, &app(), SANDBOX, TokenKind::App, written.clone()).unwrap();
    world.token = written.clone();
    assert_eq!(world.register(TokenKind::App), written);
    let push = world.send(&world.alert("Hello"));
    assert_eq!(world.life(push), ["Delivered to Device"]);
    let taken = world.team().register_as(&phone, &app(), SANDBOX, TokenKind::Voip, written.clone());
    assert_eq!(taken, Err(DeviceError::TokenInUse(written.clone())));
    world.uninstall();
    assert_ne!(world.reinstall(), written);
}

#[test]
fn what_cannot_be_done_says_what_is_wrong_and_changes_nothing() {
    let mut world = World::new();
    let before = world.journal();
    let (phone, nobody) = (device(PHONE), device("nobody"));
    let (unknown, environment) = (bundle_id("com.unknown"), SANDBOX);
    let mut team = world.team();
    assert_eq!(
        team.set_device_state(&nobody, DeviceState::Online),
        Err(DeviceError::UnknownDevice(nobody.clone()))
    );
    assert_eq!(team.install(&phone, &unknown, environment), Err(DeviceError::UnknownApp(unknown.clone())));
    assert_eq!(team.add_device(phone.clone()), Err(DeviceError::DuplicateDevice(phone.clone())));
    let production = Environment::Production;
    let not_installed =
        |environment| DeviceError::NotInstalled { device: phone.clone(), bundle_id: app(), environment };
    assert_eq!(team.uninstall(&phone, &app(), production), Err(not_installed(production)));
    let ended = team.end_activity(&phone, &app(), environment, 9).unwrap_err();
    assert!(ended.to_string().contains("has no Live Activity 9"), "{ended}");
    let unregistered = team.unregister(&phone, &app(), environment, TokenKind::Voip).unwrap_err();
    assert!(unregistered.to_string().contains("not registered for voip"), "{unregistered}");
    assert_eq!(world.journal(), before);
    world.uninstall();
    assert_eq!(world.team().uninstall(&phone, &app(), environment), Err(not_installed(environment)));
    let register = world.team().register(&phone, &app(), environment, TokenKind::App);
    assert_eq!(register, Err(not_installed(environment)));
}

#[test]
fn an_app_gets_tokens_for_what_it_was_built_to_receive() {
    let mut world = World::new();
    let mut plain = App::new(bundle_id("com.example.plain"));
    plain.push_types = PushTypes::of(&[PushType::Alert]);
    let plain_id = plain.bundle_id.clone();
    world.bench.team_at().add_app(plain).unwrap();
    world.team().install(&device(PHONE), &plain_id, SANDBOX).unwrap();
    assert!(world.team().register(&device(PHONE), &plain_id, SANDBOX, TokenKind::App).is_ok());
    let error = world.team().register(&device(PHONE), &plain_id, SANDBOX, TokenKind::Voip).unwrap_err();
    assert_eq!(error, DeviceError::KindNotReceived { bundle_id: plain_id, kind: TokenKind::Voip });
    assert!(error.to_string().contains("com.example.plain gets no voip tokens"), "{error}");
}
