//! Broadcasts take their turn among pushes.

use apns_provider_core::{NotSent, Outcome, Priority, RetryPolicy, Room};

use crate::world::{PATIENCE, ROOM, World, accepted, broadcast, policy, refused, secs};

#[test]
fn c67_broadcasts_take_their_turn_by_priority() {
    let mut world = World::new(policy(), RetryPolicy::never());
    let id = world.ready();
    world.connections.get_mut(&id).unwrap().room = Room { streams: 0, ..ROOM };
    world.take(id);
    let calm = world.submit_broadcast(broadcast(Priority::PowerFirst));
    let push = world.submit_many(1);
    let urgent = world.submit_broadcast(broadcast(Priority::Immediate));
    let before = world.attempts.len();
    world.connections.get_mut(&id).unwrap().room = ROOM;
    world.take(id);
    let order: Vec<u32> = world.attempts[before..].iter().map(|attempt| attempt.2).collect();
    assert_eq!(order, [push, urgent, calm]);
}

#[test]
fn c67_a_broadcast_that_is_too_much_is_sent_again_and_holds_nothing_else_back() {
    let mut world = World::new(policy(), RetryPolicy::default());
    let id = world.ready();
    let flooding = world.submit_broadcast(broadcast(Priority::Immediate));
    world.end(id, refused(429, "TooManyRequests"));
    let next = world.submit_broadcast(broadcast(Priority::Immediate));
    world.submit_many(100);
    assert_eq!(world.connections[&id].under_way.len(), 101, "all others go out at once");
    world.end_round(accepted);
    assert!(matches!(world.outcomes[&next], Outcome::Accepted(_)));
    assert!(!world.outcomes.contains_key(&flooding));
    world.pass(secs(2), true);
    world.end_round(accepted);
    assert!(matches!(world.outcomes[&flooding], Outcome::Accepted(_)));
}

#[test]
fn c67_broadcasts_of_an_app_that_is_not_the_credentials_do_not_speak_against_it() {
    let mut world = World::new(policy(), RetryPolicy::default());
    let id = world.ready();
    for _ in 0..50 {
        let ticket = world.submit_broadcast(broadcast(Priority::Immediate));
        world.end(id, refused(403, "TopicMismatch"));
        assert!(matches!(world.outcomes[&ticket], Outcome::Rejected(_)));
    }
    let push = world.submit_many(1);
    world.end(id, accepted);
    assert!(matches!(world.outcomes[&push], Outcome::Accepted(_)));
}

#[test]
fn c67_a_broadcast_that_waits_for_too_long_is_told_so() {
    let mut world = World::new(policy(), RetryPolicy::never());
    let id = world.ready();
    world.connections.get_mut(&id).unwrap().room = Room { streams: 0, ..ROOM };
    world.take(id);
    let ticket = world.submit_broadcast(broadcast(Priority::Immediate));
    world.pass(PATIENCE, false);
    assert_eq!(world.outcomes[&ticket], Outcome::NotSent(NotSent::OutOfTime));
}
