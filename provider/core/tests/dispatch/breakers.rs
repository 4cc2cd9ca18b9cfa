//! What stops everything: a credential that is refused, a service that is in trouble; and what stops one device only.

use std::time::Duration;

use apns_provider_core::{NotSent, Outcome, Reason, RetryPolicy};

use crate::world::{World, accepted, policy, refused, secs};

fn once() -> World {
    World::new(policy(), RetryPolicy::never())
}

#[test]
fn c28_five_refusals_of_the_credential_hold_all_back_and_one_push_probes() {
    let mut world = once();
    let id = world.ready();
    world.submit_many(5);
    world.end_round(refused(403, "InvalidProviderToken"));
    let held = world.submit_many(100);
    let before = world.attempts.len();
    world.pass(secs(29), true);
    assert_eq!(world.attempts.len(), before);
    let status = world.dispatcher.status();
    assert_eq!(status.credential_refused, Some(Reason::InvalidProviderToken));
    assert_eq!(status.waiting, 100, "the queue is kept");
    let late = world.submit_many(1);
    world.pass(secs(2), true);
    // Those that came first have waited for thirty seconds, and know why in vain.
    let refused_with =
        Outcome::NotSent(NotSent::CredentialRefused { reason: Some(Reason::InvalidProviderToken) });
    assert_eq!(world.outcomes[&(held + 1)], refused_with);
    assert_eq!(world.attempts.len(), before + 1, "one probe");
    world.end(id, accepted);
    assert!(world.outcomes.contains_key(&late) || !world.connections[&id].under_way.is_empty());
    assert_eq!(world.dispatcher.status().credential_refused, None);
}

#[test]
fn c25_what_stays_refused_after_a_new_provider_token_ends_in_the_breaker_and_not_in_a_loop() {
    let mut world = World::new(policy(), RetryPolicy::default());
    world.submit_many(500);
    for _ in 0..200 {
        world.open_all();
        world.end_round(refused(403, "ExpiredProviderToken"));
        world.pass(Duration::from_millis(50), true);
    }
    assert!(world.attempts.len() < 20, "{} attempts in ten seconds", world.attempts.len());
    assert!(world.openings.len() < 20, "{} connections in ten seconds", world.openings.len());
    assert!(world.dispatcher.status().credential_refused.is_some());
}

#[test]
fn c36_a_goaway_that_refuses_the_certificate_opens_the_breaker_at_once() {
    let mut world = once();
    let id = world.ready();
    world.dispatcher.goaway(world.now(), id, Some(&Reason::BadCertificate), false);
    assert_eq!(world.dispatcher.status().credential_refused, Some(Reason::BadCertificate));
}

#[test]
fn c50_a_service_in_trouble_gets_a_hundredth_of_what_is_offered() {
    let mut world = World::new(policy(), RetryPolicy::default());
    let hello = std::sync::Arc::new(crate::world::hello());
    let mut offered_late = 0;
    let mut before = 0;
    for tick in 0..600_u32 {
        for _ in 0..10 {
            world.submit(std::sync::Arc::clone(&hello), &format!("{tick:08x}"));
        }
        world.pass(Duration::from_millis(100), true);
        world.end_round(refused(503, "ServiceUnavailable"));
        if tick == 100 {
            before = world.attempts.len();
        }
        offered_late += usize::from(tick > 100) * 10;
    }
    let late = world.attempts.len() - before;
    assert!(late * 100 <= offered_late, "{late} of {offered_late} after ten seconds");
    assert!(late >= 1, "it is still probed");
    assert!(world.dispatcher.status().service_in_trouble);
}

#[test]
fn one_503_in_twenty_stops_nothing() {
    let mut world = once();
    let id = world.ready();
    for number in 0..1_000 {
        world.submit_many(1);
        if number % 20 == 0 {
            world.end(id, refused(503, "ServiceUnavailable"));
        } else {
            world.end(id, accepted);
        }
    }
    assert_eq!(world.attempts.len(), 1_001);
}

#[test]
fn c49_429_slows_one_device_down_and_no_other() {
    let mut world = World::new(policy(), RetryPolicy::default());
    let id = world.ready();
    let hello = std::sync::Arc::new(crate::world::hello());
    let flooded = world.submit(std::sync::Arc::clone(&hello), "aaaa");
    world.end(id, refused(429, "TooManyRequests"));
    let next = world.submit(std::sync::Arc::clone(&hello), "aaaa");
    world.submit_many(100);
    assert_eq!(world.connections[&id].under_way.len(), 100, "others go out at once");
    world.end_round(accepted);
    assert!(!world.outcomes.contains_key(&next) && !world.outcomes.contains_key(&flooded));
    world.pass(secs(2), true);
    world.end_round(accepted);
    assert!(matches!(world.outcomes[&next], Outcome::Accepted(_)));
    assert!(matches!(world.outcomes[&flooded], Outcome::Accepted(_)));
    let times: Vec<_> = world.attempts.iter().filter(|one| one.2 == next).map(|one| one.0).collect();
    assert!(times[0] >= Duration::from_millis(500), "{times:?}");
}

#[test]
fn a_probe_that_could_not_go_out_is_followed_by_another() {
    let mut world = World::new(policy().with_probes(secs(10), secs(1), secs(60)), RetryPolicy::never());
    let id = world.ready();
    world.submit_many(5);
    world.end_round(refused(403, "InvalidProviderToken"));
    world.submit_many(3);
    world.pass(secs(11), true);
    let probe = world.connections.get_mut(&id).unwrap().under_way.remove(0);
    world.dispatcher.give_back(world.now(), id, probe);
    world.pass(secs(9), true);
    assert!(world.connections[&id].under_way.is_empty(), "not at once");
    world.pass(secs(2), true);
    assert_eq!(world.connections[&id].under_way.len(), 1);
}
