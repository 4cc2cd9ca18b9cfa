use apns_provider_core::{BundleId, UnixTime};
use apns_provider_server::store::RegisteredDevice;
use apns_provider_server_core::{
    audience::TagExpression,
    device::{Device, DeviceRecord, Environment, Kind, Registered, Registration, WhyRemoved},
    ids::{AppId, RegistrationNumber, Tag, UserId},
    worker::Source,
};

use crate::planning::found_by;
use crate::support::{NOW, TestStore, after, on_both, registration, token};

on_both! { TestStore:
    a_device_is_found_as_it_was_registered,
    a_new_token_takes_the_place_of_the_old_one,
    beyond_the_cap_the_oldest_goes,
    many_registrations_at_once_keep_the_cap,
    many_registrations_of_one_token_at_once_are_one_device,
    many_at_once_are_as_if_one_came_after_the_other,
    a_removal_that_was_decided_before_a_registration_does_nothing,
    a_user_is_forgotten,
    devices_come_in_pages,
    a_device_that_was_seen_is_as_if_registered_again,
}

fn of(user: &str, at: u32) -> Registration {
    Registration { user: Some(UserId::parse(user).unwrap()), ..registration(at) }
}

async fn a_device_is_found_as_it_was_registered(store: TestStore) {
    let wanted = Registration {
        kind: Kind::Voip,
        locale: Some("de-CH".to_owned().try_into().unwrap()),
        time_zone: Some("Europe/Zurich".to_owned().try_into().unwrap()),
        tags: [Tag::parse("news").unwrap(), Tag::parse("beta").unwrap()].into(),
        app_version: Some("3.1".to_owned().try_into().unwrap()),
        ..of("ada", 1)
    };
    let done = store.register_device(store.app.id, wanted.clone(), 20, NOW).await.unwrap();
    assert_eq!(done.registered, Registered::Added);
    let found = store.device(store.source(), &token(1)).await.unwrap().unwrap();
    assert_eq!(found, done.device);
    assert_eq!((&found.record.tags, &found.record.locale), (&wanted.tags, &wanted.locale));
    assert_eq!(
        (&found.record.time_zone, &found.record.app_version),
        (&wanted.time_zone, &wanted.app_version)
    );
    let sandbox = Source { environment: Environment::Sandbox, ..store.source() };
    assert_eq!(store.device(sandbox, &token(1)).await.unwrap(), None);
    assert_eq!(store.devices_of_user(store.app.id, &UserId::parse("ada").unwrap()).await.unwrap(), [found]);
}

async fn a_new_token_takes_the_place_of_the_old_one(store: TestStore) {
    let first = store.register_device(store.app.id, of("ada", 1), 20, NOW).await.unwrap();
    let replacing = Registration { previous_token: Some(token(1)), ..of("ada", 2) };
    let second = store.register_device(store.app.id, replacing.clone(), 20, after(1)).await.unwrap();
    assert_eq!(second.registered, Registered::TokenReplaced);
    assert_eq!(second.device.id, first.device.id);
    assert_eq!(store.device(store.source(), &token(1)).await.unwrap(), None);
    // An older copy of the app registers the old token again; then the new one comes.
    store.register_device(store.app.id, of("ada", 1), 20, after(2)).await.unwrap();
    let third = store.register_device(store.app.id, replacing, 20, after(3)).await.unwrap();
    assert_eq!(third.removed.iter().map(|(_, why)| *why).collect::<Vec<_>>(), [WhyRemoved::Replaced]);
    assert_eq!(store.devices(store.app.id, None, 10).await.unwrap(), [third.device]);
}

async fn beyond_the_cap_the_oldest_goes(store: TestStore) {
    for at in 1..=3 {
        store.register_device(store.app.id, of("ada", at), 2, after(at.into())).await.unwrap();
    }
    let left = store.devices_of_user(store.app.id, &UserId::parse("ada").unwrap()).await.unwrap();
    assert_eq!(left.iter().map(|it| it.record.token.clone()).collect::<Vec<_>>(), [token(2), token(3)]);
}

async fn many_registrations_at_once_keep_the_cap(store: TestStore) {
    let other = store.another().await;
    let registrations = (1..=24).map(|at| {
        let store_of = if at % 2 == 0 { &other } else { &store.store };
        store_of.register_device(store.app.id, of("ada", at), 3, NOW)
    });
    for done in futures::future::join_all(registrations).await {
        done.unwrap();
    }
    assert_eq!(store.devices_of_user(store.app.id, &UserId::parse("ada").unwrap()).await.unwrap().len(), 3);
}

async fn many_registrations_of_one_token_at_once_are_one_device(store: TestStore) {
    let other = store.another().await;
    let registrations = (0..24_u32).map(|at| {
        let store_of = if at % 2 == 0 { &other } else { &store.store };
        let registration = match at % 3 {
            0 => of("ada", 1),
            1 => of("bob", 1),
            _ => Registration { previous_token: Some(token(1)), ..of("ada", 2) },
        };
        store_of.register_device(store.app.id, registration, 20, NOW)
    });
    for done in futures::future::join_all(registrations).await {
        done.unwrap();
    }
    let last = Registration { previous_token: Some(token(1)), ..of("ada", 2) };
    store.register_device(store.app.id, last, 20, NOW).await.unwrap();
    let left = store.devices(store.app.id, None, 10).await.unwrap();
    assert_eq!(left.iter().map(|it| it.record.token.clone()).collect::<Vec<_>>(), [token(2)]);
}

/// What somebody sees of registrations: what each was, what went with it, and what is left.
type Seen = (Vec<(Registered, Vec<WhyRemoved>)>, Vec<DeviceRecord>);

async fn seen(store: &TestStore, app: AppId, done: Vec<RegisteredDevice>) -> Seen {
    let done =
        done.into_iter().map(|it| (it.registered, it.removed.into_iter().map(|(_, why)| why).collect()));
    let without_numbers = |device: Device| DeviceRecord {
        number: RegistrationNumber::new(0),
        user_since: RegistrationNumber::new(0),
        ..device.record
    };
    let mut left: Vec<_> =
        store.devices(app, None, 1000).await.unwrap().into_iter().map(without_numbers).collect();
    left.sort_by(|one, other| (&one.token, one.environment).cmp(&(&other.token, other.environment)));
    (done.collect(), left)
}

async fn many_at_once_are_as_if_one_came_after_the_other(store: TestStore) {
    let mut random = 7_u32;
    let mut below = |limit: u32| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 16) % limit
    };
    // So few tokens and users that many have something in common.
    let registrations: Vec<Registration> = (0..400)
        .map(|_| {
            let tags =
                (0..below(3)).map(|_| Tag::parse(["a", "b", "c"][below(3) as usize]).unwrap()).collect();
            Registration {
                user: (below(4) > 0).then(|| UserId::parse(&format!("user-{}", below(12))).unwrap()),
                previous_token: (below(3) == 0).then(|| token(below(60))),
                environment: if below(6) == 0 { Environment::Sandbox } else { Environment::Production },
                tags,
                ..registration(below(60))
            }
        })
        .collect();
    let bundle_id = BundleId::parse("com.example.coffee").unwrap();
    let other = store.put_app(store.tenant.id, &bundle_id, "{}", NOW).await.unwrap().now.id;
    let mut singly = Vec::new();
    for registration in &registrations {
        singly.push(store.register_device(other, registration.clone(), 3, NOW).await.unwrap());
    }
    let together = store.register_devices(store.app.id, registrations, 3, NOW).await.unwrap();
    let (together, singly) = (seen(&store, store.app.id, together).await, seen(&store, other, singly).await);
    assert!(together.1.len() > 20 && together.0.iter().any(|(_, removed)| removed.len() > 1));
    for (at, (together, singly)) in together.0.iter().zip(&singly.0).enumerate() {
        assert_eq!(together, singly, "registration {at}");
    }
    assert!(together == singly, "what is left is the same");
    // The tags that are walked are those that devices have.
    let a = Tag::parse("a").unwrap();
    let is_tagged = |it: &&DeviceRecord| it.environment == Environment::Production && it.tags.contains(&a);
    let tagged = together.1.iter().filter(is_tagged).count();
    let tags = TagExpression { all: [a.clone()].into(), ..TagExpression::default() };
    assert_eq!(found_by(&store, tags).await.len(), tagged);
}

async fn a_removal_that_was_decided_before_a_registration_does_nothing(store: TestStore) {
    let first = store.register_device(store.app.id, of("ada", 1), 20, NOW).await.unwrap().device;
    let second = store.register_device(store.app.id, of("ada", 1), 20, after(9)).await.unwrap().device;
    assert!(second.record.number > first.record.number);
    assert_eq!(store.remove_registration(first.id, first.record.number).await.unwrap(), None);
    let (source, token) = (store.source(), token(1));
    let too_early = store.remove_device_not_registered_after(source, &token, after(8)).await.unwrap();
    assert_eq!(too_early, None);
    let removed = store.remove_device_not_registered_after(source, &token, after(9)).await.unwrap().unwrap();
    assert_eq!((removed.device, removed.user), (first.id, Some(UserId::parse("ada").unwrap())));
    assert_eq!(store.remove_device(source, &token).await.unwrap(), None);
}

async fn a_user_is_forgotten(store: TestStore) {
    store.register(1, "ada", &["news"]).await;
    store.register(2, "ada", &[]).await;
    store.register(3, "bob", &["news"]).await;
    assert_eq!(store.remove_user(store.app.id, &UserId::parse("ada").unwrap()).await.unwrap(), 2);
    assert_eq!(store.devices(store.app.id, None, 10).await.unwrap().len(), 1);
}

async fn devices_come_in_pages(store: TestStore) {
    for at in 1..=5 {
        store.register(at, "", &[]).await;
    }
    let voip = Registration { kind: Kind::Voip, ..registration(6) };
    store.register_device(store.app.id, voip, 20, NOW).await.unwrap();
    let mut after = None;
    let mut seen = Vec::new();
    loop {
        let page = store.devices(store.app.id, after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.record.kind, last.id));
        seen.extend(page.into_iter().map(|it| it.record.token));
    }
    assert_eq!(seen, (1..=6).map(token).collect::<Vec<_>>());
}

async fn a_device_that_was_seen_is_as_if_registered_again(store: TestStore) {
    let device = store.register_device(store.app.id, of("ada", 1), 20, NOW).await.unwrap().device;
    assert!(store.touch_device(store.source(), &token(1), after(7)).await.unwrap());
    assert!(store.touch_device(store.source(), &token(1), UnixTime::from_secs(1)).await.unwrap());
    let now = store.device(store.source(), &token(1)).await.unwrap().unwrap();
    assert_eq!(now.record.registered_at, after(7));
    assert_eq!(now.record.user_since, device.record.user_since);
    assert!(now.record.number > RegistrationNumber::new(device.record.number.get() + 1));
    assert!(!store.touch_device(store.source(), &token(2), NOW).await.unwrap());
}
