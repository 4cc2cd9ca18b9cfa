//! Which connection takes how much.

use std::time::Duration;

use apns_provider_core::{Ambiguity, NotSent, Outcome, Priority, RetryPolicy, Room};

use crate::world::{ROOM, World, accepted, builder, hello, of_bytes, policy, refused, secs};

fn world() -> World {
    World::new(policy(), RetryPolicy::never())
}

/// Two connections, both known to APNs.
fn two() -> (World, [apns_provider_core::ConnectionId; 2]) {
    let mut world = World::new(policy().with_connections(2..=2).unwrap(), RetryPolicy::default());
    let first = world.ready();
    world.pass(secs(2), true);
    let second = *world.ids(|_| true).iter().find(|id| **id != first).unwrap();
    // The second one is known by its first push too: the first takes none meanwhile.
    let room = std::mem::take(&mut world.connections.get_mut(&first).unwrap().room);
    world.take(first);
    world.submit_many(1);
    world.end(second, accepted);
    world.connections.get_mut(&first).unwrap().room = room;
    world.take(first);
    (world, [first, second])
}

#[test]
fn c11_one_push_at_a_time_until_one_was_answered() {
    let mut world = world();
    world.submit_many(10);
    world.open_all();
    let id = world.ids(|_| true)[0];
    assert_eq!(world.connections[&id].under_way.len(), 1);
    world.end(id, refused(403, "InvalidProviderToken"));
    assert_eq!(world.connections[&id].under_way.len(), 1, "it does not know us yet");
    world.end(id, refused(400, "BadDeviceToken"));
    assert_eq!(world.connections[&id].under_way.len(), 8, "now it does");
}

#[test]
fn c12_without_streams_nothing_goes_out_and_nothing_fails() {
    let mut world = world();
    let id = world.ready();
    world.connections.get_mut(&id).unwrap().room = Room { streams: 0, ..ROOM };
    world.take(id);
    let first = world.submit_many(5);
    assert!(world.connections[&id].under_way.is_empty() && !world.outcomes.contains_key(&first));
    world.connections.get_mut(&id).unwrap().room = ROOM;
    world.take(id);
    assert_eq!(world.connections[&id].under_way.len(), 5);
}

#[test]
fn c15_a_body_that_the_window_does_not_take_waits_or_goes_elsewhere() {
    let (mut world, [first, second]) = two();
    world.connections.get_mut(&first).unwrap().room.window = 500;
    world.connections.get_mut(&second).unwrap().room.window = 1_500;
    world.take(first);
    world.take(second);
    for _ in 0..2 {
        world.submit(of_bytes(1_000), "aa");
    }
    assert_eq!(world.connections[&first].under_way.len(), 0);
    assert_eq!(world.connections[&second].under_way.len(), 1, "the other one waits");
}

#[test]
fn the_connection_with_the_most_room_is_chosen() {
    let (mut world, [first, second]) = two();
    world.connections.get_mut(&first).unwrap().room.streams = 3;
    world.take(first);
    world.submit_many(1);
    assert_eq!(world.connections[&second].under_way.len(), 1);
    assert_eq!(world.connections[&first].under_way.len(), 0);
}

#[test]
fn connections_share_what_there_is() {
    let (mut world, [first, second]) = two();
    world.submit_many(1_200);
    let counts = [first, second].map(|id| world.connections[&id].under_way.len());
    assert_eq!(counts.iter().sum::<usize>(), 1_200);
    assert!(counts.iter().all(|count| *count >= 400), "{counts:?}");
}

#[test]
fn c37_a_refused_stream_is_opened_again_on_another_connection() {
    let (mut world, _) = two();
    let ticket = world.submit_many(1);
    let (_, first, _) = *world.attempts.last().unwrap();
    world.end(first, |_| Outcome::NotSent(NotSent::StreamRefused));
    let (_, second, again) = *world.attempts.last().unwrap();
    assert_eq!(again, ticket);
    assert_ne!(first, second);
}

#[test]
fn c12_what_one_connection_does_not_take_another_one_does() {
    let (mut world, [first, second]) = two();
    world.connections.get_mut(&first).unwrap().room.streams = 0;
    world.take(first);
    world.submit_many(50);
    assert_eq!(world.connections[&second].under_way.len(), 50);
}

#[test]
fn a_server_that_never_opens_its_window_again_is_left() {
    let mut world = world();
    let id = world.ready();
    world.connections.get_mut(&id).unwrap().room.window = 100;
    world.take(id);
    world.submit(of_bytes(1_000), "aa");
    world.pass(Duration::from_millis(2_500), true);
    assert!(!world.connections.contains_key(&id), "it was closed");
    let (_, other, _) = *world.attempts.last().unwrap();
    assert_ne!(other, id, "and the push went out on another one");
}

#[test]
fn a_connection_that_comes_again_and_again_leaves_half_to_the_other() {
    let (mut world, [first, _]) = two();
    world.submit_many(1);
    let calm = Outcome::Ambiguous(Ambiguity::StreamReset { code: 0xb });
    let busy = world.ids(|connection| !connection.under_way.is_empty())[0];
    world.end(busy, |_| calm);
    world.submit_many(1_200);
    assert!(world.ids(|connection| !connection.under_way.is_empty()).is_empty(), "all is calm");
    world.now += secs(3);
    let mut jobs = Vec::new();
    for _ in 0..20 {
        let room = Room { streams: ROOM.streams - jobs.len(), ..ROOM };
        world.dispatcher.take(world.now(), first, room, &mut jobs);
    }
    assert!((400..=700).contains(&jobs.len()), "{}", jobs.len());
}

#[test]
fn a_push_is_not_left_to_the_one_connection_that_has_refused_it() {
    let (mut world, [first, second]) = two();
    let ticket = world.submit_many(1);
    let refuses = world.attempts.last().unwrap().1;
    let other = if refuses == first { second } else { first };
    world.connections.get_mut(&other).unwrap().room.streams = 1;
    world.take(other);
    world.end(refuses, |_| Outcome::NotSent(NotSent::StreamRefused));
    assert_eq!(world.attempts.last().map(|attempt| (attempt.1, attempt.2)), Some((other, ticket)));
}

#[test]
fn an_urgent_push_in_front_of_a_large_one_that_has_to_wait_goes_out() {
    let mut world = World::new(policy(), RetryPolicy::default());
    let id = world.ready();
    world.connections.get_mut(&id).unwrap().room.window = 500;
    world.take(id);
    let large = builder().alert("x".repeat(2000).as_str()).priority(Priority::PowerConsiderate);
    let large = world.submit(large.build().unwrap(), "aa");
    let urgent = world.submit(hello(), "bb");
    let went_out = |ticket| world.attempts.iter().any(|one| one.2 == ticket);
    assert_eq!((went_out(large), went_out(urgent)), (false, true));
}

#[test]
fn a_push_that_was_given_back_waits_for_nothing_else_to_happen() {
    let mut world = World::new(policy(), RetryPolicy::default());
    let id = world.ready();
    world.submit_many(1);
    world.give_back(id);
    assert!(world.connections[&id].under_way.is_empty(), "not at once: it would go round in circles");
    world.pass(secs(1), true);
    world.end_round(accepted);
    assert_eq!(world.outcomes.len(), 2);
}
