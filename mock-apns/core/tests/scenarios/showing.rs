//! What a device shows of what was delivered to it, and what its user does not want to see.

use mock_apns_core::{
    App, DeviceState,
    rendering::{Shown, Strings, Warning},
};

use crate::{
    common::{PHONE, bundle_id, device},
    world::{SANDBOX, World},
};

const DISABLED: &str = "Discarded - Disabled";
const DISABLED_FROM_STORAGE: &str = "Discarded - Disabled (From Storage)";

/// What the device made of a delivered notification.
fn rendering(world: &mut World, number: u64) -> mock_apns_core::rendering::Rendering {
    let team = world.team();
    let mut records = team.team().journal(0);
    let found = records.find_map(|record| {
        let notification = record.notification().filter(|notification| notification.number == number)?;
        record.rendering().filter(|_| notification.number == number)
    });
    found.unwrap()
}

#[test]
fn loc_keys_are_resolved_with_the_strings_of_the_app() {
    let mut world = World::new();
    let mut spoken = App::new(bundle_id("com.example.spoken"));
    spoken.strings = Strings::from_iter([("GREETING", "%@ says hello")]);
    let spoken_id = spoken.bundle_id.clone();
    world.bench.team_at().add_app(spoken).unwrap();
    world.team().install(&device(PHONE), &spoken_id, SANDBOX).unwrap();
    let kind = mock_apns_core::TokenKind::App;
    let token = world.team().register(&device(PHONE), &spoken_id, SANDBOX, kind).unwrap();
    world.bench.connect();
    let push = world.bench.push().with(":path", &format!("/3/device/{token}"));
    let push = push.with("apns-topic", "com.example.spoken");
    world.send(&push.with_body(r#"{"aps":{"alert":{"loc-key":"GREETING","loc-args":["Ann"]}}}"#));
    assert_eq!(world.shown(), ["Ann says hello"]);
}

#[test]
fn a_push_that_shows_nothing_is_answered_200_and_warned_of() {
    let mut world = World::new();
    let push = world.alert("Hello").with_body(r#"{"alert":"aps is missing"}"#);
    let number = world.send(&push);
    assert_eq!(world.life(number), ["Delivered to Device"]);
    assert!(world.shown().is_empty());
    let shown = rendering(&mut world, number).shown;
    assert!(matches!(shown, Shown::Nothing { .. }), "{shown:?}");
    let untyped = world.send(&world.alert("Hello").without("apns-push-type"));
    assert_eq!(rendering(&mut world, untyped).warnings, [Warning::NoPushType]);
}

#[test]
fn without_permission_alerts_are_discarded_and_background_pushes_are_not() {
    let mut world = World::new();
    world.permission(false);
    let alert = world.send(&world.alert("Hello"));
    let background = world.send(&world.background());
    assert_eq!(world.life(alert), [DISABLED]);
    assert_eq!(rendering(&mut world, alert).warnings, [Warning::PermissionOff]);
    assert_eq!(world.life(background), ["Delivered to Device"]);
    world.permission(true);
    let alert = world.send(&world.alert("Hello"));
    assert_eq!(world.life(alert), ["Delivered to Device"]);
}

#[test]
fn a_push_without_a_type_is_an_alert_unless_it_only_wakes_the_app() {
    let mut world = World::new();
    world.permission(false);
    let untyped = world.alert("Hello").without("apns-push-type");
    let alert = world.send(&untyped);
    let silent = world.send(&untyped.with_body(r#"{"aps":{"content-available":1}}"#));
    assert_eq!(world.life(alert), [DISABLED]);
    assert_eq!(world.life(silent), ["Delivered to Device"]);
}

#[test]
fn what_the_user_switches_off_while_the_device_is_offline_is_known_when_it_connects() {
    let mut world = World::new();
    world.offline();
    world.permission(false);
    let stored = world.send(&world.alert("Hello"));
    assert_eq!(world.life(stored), ["Stored - Device Offline"]);
    world.online();
    assert_eq!(world.life(stored), ["Stored - Device Offline", DISABLED_FROM_STORAGE]);
    world.offline();
    let known = world.send(&world.alert("Hello"));
    assert_eq!(world.life(known), [DISABLED]);
    // Switched on again unseen, APNs goes on believing what it knows until the device connects.
    world.permission(true);
    let unseen = world.send(&world.alert("Hello"));
    assert_eq!(world.life(unseen), [DISABLED]);
    world.state(DeviceState::PowerSaving);
    let seen = world.send(&world.alert("Hello"));
    assert_eq!(world.life(seen), ["Delivered to Device"]);
}

#[test]
fn an_app_that_is_installed_again_may_show_notifications_again() {
    let mut world = World::new();
    world.permission(false);
    world.uninstall();
    world.token = world.reinstall();
    let alert = world.send(&world.alert("Hello"));
    assert_eq!(world.life(alert), ["Delivered to Device"]);
}
