//! When connections are opened, retired and given up.

use std::time::Duration;

use apns_provider_core::{Ambiguity, NotSent, Outcome, Reason, RetryPolicy};

use crate::world::{World, accepted, policy, refused, secs};

fn world() -> World {
    World::new(policy(), RetryPolicy::default())
}

fn once() -> World {
    World::new(policy(), RetryPolicy::never())
}

#[test]
fn nothing_is_opened_before_there_is_something_to_send() {
    let mut world = world();
    world.pass(secs(3600), true);
    assert!(world.openings.is_empty());
    world.submit_many(100);
    assert_eq!(world.openings, [secs(3600)], "one, at once");
}

#[test]
fn c14_four_fifths_in_use_for_a_second_open_one_more() {
    let mut world = world();
    let id = world.ready();
    world.submit_many(799);
    world.pass(secs(10), true);
    assert_eq!(world.openings.len(), 1, "799 of 1000 are not enough");
    world.submit_many(1);
    let since = world.now;
    world.pass(Duration::from_millis(999), true);
    assert_eq!(world.openings.len(), 1);
    world.pass(secs(1), true);
    assert_eq!(world.openings[1..], [since + secs(1)]);
    world.end_all(id, accepted);
}

#[test]
fn c14_a_full_window_opens_one_more_too() {
    let mut world = world();
    let id = world.ready();
    world.connections.get_mut(&id).unwrap().room.window = 65_535 / 5;
    world.take(id);
    world.submit_many(1);
    world.pass(secs(2), true);
    assert_eq!(world.openings.len(), 2);
}

#[test]
fn c02_eight_connections_are_opened_a_second_apart() {
    let mut world = World::new(policy().with_connections(1..=8).unwrap(), RetryPolicy::default());
    world.dispatcher.prewarm(world.now(), 100);
    world.settle();
    world.pass(secs(20), true);
    let expected: Vec<_> = (0..8).map(secs).collect();
    assert_eq!(world.openings, expected, "eight, the most there may be, and the first at once");
}

#[test]
fn c14_what_is_not_needed_for_ten_minutes_is_closed_and_the_least_number_stays() {
    let mut world = World::new(policy().with_connections(2..=8).unwrap(), RetryPolicy::default());
    world.dispatcher.prewarm(world.now(), 8);
    world.settle();
    world.pass(secs(10), true);
    assert_eq!(world.connections.len(), 8);
    world.pass(secs(580), true);
    assert_eq!(world.connections.len(), 8, "not yet");
    world.pass(secs(3600), true);
    assert_eq!(world.connections.len(), 2);
    assert_eq!(world.openings.len(), 8, "nothing was opened instead");
}

#[test]
fn c41_where_there_is_no_way_pauses_grow_to_a_minute_and_one_attempt_is_made_at_a_time() {
    let mut world = once();
    for _ in 0..600 {
        world.submit_many(1);
        world.pass(secs(1), false);
        world.refuse_all();
    }
    let pauses: Vec<_> = world.openings.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
    assert!(pauses[0] < secs(2) && pauses.len() < 30, "{pauses:?}");
    assert!(
        pauses.last().unwrap() >= &secs(30) && pauses.iter().all(|pause| *pause <= secs(62)),
        "{pauses:?}"
    );
    assert!(matches!(world.outcomes[&0], Outcome::NotSent(NotSent::NoConnection { .. })));
}

#[test]
fn c41_a_healthy_connection_ends_the_pauses() {
    let mut world = world();
    for _ in 0..5 {
        world.submit_many(1);
        world.pass(secs(5), false);
        world.refuse_all();
    }
    world.pass(secs(20), true);
    let id = world.ids(|_| true)[0];
    world.end_all(id, accepted);
    world.pass(secs(11), true);
    let lost_at = world.now;
    world.lose(id);
    world.submit_many(1);
    assert_eq!(world.openings.last(), Some(&lost_at), "at once");
}

#[test]
fn c35_a_server_that_ends_every_connection_after_one_push_is_served_ever_more_slowly() {
    let mut world = world();
    world.submit_many(2_000);
    for _ in 0..600 {
        world.open_all();
        for id in world.ids(|connection| !connection.under_way.is_empty()) {
            world.goaway(id, 1);
            world.end_all(id, accepted);
        }
        world.pass(Duration::from_millis(50), true);
    }
    assert!(world.openings.len() < 12, "{} connections in half a minute", world.openings.len());
    assert!(world.openings.len() > 5, "there is progress");
}

#[test]
fn c34_what_a_goaway_leaves_out_goes_to_a_new_connection_and_the_rest_is_drained() {
    let mut world = world();
    let id = world.ready();
    world.pass(secs(20), true);
    let first = world.submit_many(10);
    world.goaway(id, 4);
    assert_eq!(world.connections[&id].under_way.len(), 4, "still under way");
    world.open_all();
    let other = *world.ids(|connection| !connection.is_draining).last().unwrap();
    world.end_all(other, accepted);
    let sent_again = world.attempts.iter().filter(|(_, on, _)| *on == other).map(|(_, _, ticket)| *ticket);
    assert_eq!(sent_again.collect::<Vec<_>>(), (first + 4..first + 10).collect::<Vec<_>>());
    world.end_all(id, accepted);
    assert_eq!(world.outcomes.len(), 11);
}

#[test]
fn c25_an_expired_provider_token_takes_a_fresh_connection_and_one_attempt_more() {
    let mut world = world();
    let id = world.ready();
    let first = world.submit_many(500);
    for _ in 0..500 {
        world.end(id, refused(403, "ExpiredProviderToken"));
    }
    assert!(!world.connections.contains_key(&id));
    world.pass(secs(1), true);
    let other = world.ids(|_| true)[0];
    world.end_all(other, accepted);
    assert_eq!(world.openings.len(), 2);
    assert_eq!(world.attempts.len(), 1 + 500 + 500);
    assert!((first..first + 500).all(|ticket| matches!(world.outcomes[&ticket], Outcome::Accepted(_))));
}

#[test]
fn c26_after_too_many_provider_token_updates_the_connection_rests_and_another_one_works() {
    let mut world = World::new(policy().with_rest(secs(60)), RetryPolicy::default());
    let id = world.ready();
    let ticket = world.submit_many(1);
    world.end(id, refused(429, "TooManyProviderTokenUpdates"));
    world.pass(secs(5), true);
    let (_, other, again) = *world.attempts.last().unwrap();
    assert!(other != id && again == ticket);
    world.end(other, accepted);
    world.submit_many(100);
    assert!(world.connections[&id].under_way.is_empty(), "it rests");
    world.end_all(other, accepted);
    world.pass(secs(60), true);
    world.connections.get_mut(&other).unwrap().room.streams = 0;
    world.take(other);
    world.submit_many(1);
    assert_eq!(world.connections[&id].under_way.len(), 1, "it is used again");
}

#[test]
fn c26_many_such_answers_at_once_are_one_reason_to_wait() {
    let mut world = World::new(policy(), RetryPolicy::default());
    let id = world.ready();
    world.submit_many(500);
    while !world.connections[&id].under_way.is_empty() {
        world.end(id, refused(429, "TooManyProviderTokenUpdates"));
    }
    world.pass(secs(2), true);
    assert_eq!(world.openings.len(), 2, "the second connection waits for as long as after one");
}

#[test]
fn c43_a_connection_that_answers_nothing_is_given_up() {
    let mut world = World::new(policy().with_unanswered(32), RetryPolicy::never());
    let id = world.ready();
    world.submit_many(40);
    for _ in 0..31 {
        world.end(id, |_| Outcome::Ambiguous(Ambiguity::NoAnswer));
    }
    assert!(!world.connections[&id].is_draining);
    world.end(id, |_| Outcome::Ambiguous(Ambiguity::NoAnswer));
    assert!(world.connections[&id].is_draining);
    world.submit_many(1);
    world.open_all();
    assert_ne!(world.attempts.last().unwrap().1, id);
}

#[test]
fn a_second_server_error_on_one_connection_retires_it() {
    let mut world = once();
    let id = world.ready();
    world.submit_many(3);
    world.end(id, refused(500, "InternalServerError"));
    assert!(!world.connections[&id].is_draining);
    world.end(id, refused(500, "InternalServerError"));
    assert!(world.connections[&id].is_draining);
}

#[test]
fn c37_who_is_asked_to_be_calm_is_on_all_connections() {
    let mut world = world();
    let id = world.ready();
    world.submit_many(1);
    let calm = 0xb;
    world.end(id, |_| Outcome::Ambiguous(Ambiguity::StreamReset { code: calm }));
    let before = world.attempts.len();
    world.submit_many(100);
    world.pass(Duration::from_millis(490), true);
    assert_eq!(world.attempts.len(), before);
    world.pass(secs(2), true);
    assert_eq!(world.attempts.len(), before + 101);
}

#[test]
fn c29_a_new_credential_drains_the_old_connections_and_fails_no_push() {
    let mut world = world();
    let id = world.ready();
    let first = world.submit_many(10);
    world.dispatcher.rotate(world.now(), true);
    world.settle();
    world.submit_many(10);
    world.open_all();
    let other = *world.ids(|connection| !connection.is_draining).last().unwrap();
    assert_ne!(other, id);
    world.end_all(id, accepted);
    world.end_all(other, accepted);
    assert!((first..first + 20).all(|ticket| matches!(world.outcomes[&ticket], Outcome::Accepted(_))));
    assert!(!world.connections.contains_key(&id));
}

#[test]
fn c29_what_the_old_credential_is_refused_for_says_nothing_of_the_new_one() {
    for by_goaway in [false, true] {
        let mut world = once();
        let id = world.ready();
        world.submit_many(10);
        world.dispatcher.rotate(world.now(), true);
        world.settle();
        if by_goaway {
            world.goaway_because(id, 0, Some(&Reason::BadCertificateEnvironment), false);
        } else {
            world.end_all(id, refused(403, "InvalidProviderToken"));
        }
        let ticket = world.submit_many(1);
        world.pass(secs(1), true);
        world.end_round(accepted);
        assert!(matches!(world.outcomes[&ticket], Outcome::Accepted(_)), "{:?}", world.dispatcher.status());
    }
}

#[test]
fn a_connection_that_comes_after_the_credential_has_changed_is_not_used() {
    let mut world = world();
    world.submit_many(1);
    world.dispatcher.rotate(world.now(), true);
    world.settle();
    assert_eq!(world.openings.len(), 2);
    let [old, new] = world.ids(|_| true)[..] else { panic!() };
    world.open(old);
    assert!(!world.connections.contains_key(&old) && world.attempts.is_empty());
    world.open(new);
    assert_eq!(world.attempts.len(), 1);
}

#[test]
fn a_closed_client_finishes_what_it_has_and_takes_no_more() {
    let mut world = world();
    let id = world.ready();
    world.submit_many(10);
    world.dispatcher.close(world.now());
    world.settle();
    let late = world.submit_many(1);
    assert_eq!(world.outcomes[&late], Outcome::NotSent(NotSent::Closed));
    assert!(!world.dispatcher.is_done());
    world.end_all(id, accepted);
    assert!(world.dispatcher.is_done() && world.connections.is_empty());
    assert_eq!(world.outcomes.len(), 12);
}

#[test]
fn what_is_abandoned_is_told_to_be_unsent() {
    let mut world = world();
    world.submit_many(10);
    world.dispatcher.abandon(world.now());
    world.settle();
    assert!(world.outcomes.values().all(|outcome| *outcome == Outcome::NotSent(NotSent::Closed)));
    assert_eq!(world.outcomes.len(), 10);
}

#[test]
fn what_is_under_way_when_all_is_abandoned_is_not_sent_again() {
    let mut world = World::new(policy(), RetryPolicy::default());
    let id = world.ready();
    let first = world.submit_many(3);
    world.dispatcher.abandon(world.now());
    world.settle();
    world.lose(id);
    assert!((first..first + 3).all(|ticket| matches!(world.outcomes[&ticket], Outcome::Ambiguous(_))));
    assert!(world.dispatcher.is_done());
    assert_eq!(world.openings.len(), 1);
}

#[test]
fn c35_a_server_that_answers_shutdown_to_everything_is_not_reconnected_to_in_a_loop() {
    let mut world = world();
    world.submit_many(2_000);
    for _ in 0..600 {
        world.open_all();
        world.end_round(refused(503, "Shutdown"));
        world.pass(Duration::from_millis(50), true);
    }
    assert!(world.openings.len() < 12, "{} connections in half a minute", world.openings.len());
}

#[test]
fn a_connection_that_takes_nothing_calls_for_another_only_if_something_waits() {
    let mut world = world();
    let id = world.ready();
    world.connections.get_mut(&id).unwrap().room.streams = 0;
    world.take(id);
    world.pass(secs(5), true);
    assert_eq!(world.openings.len(), 1);
    world.submit_many(1);
    world.pass(secs(2), true);
    assert_eq!(world.openings.len(), 2);
}

#[test]
fn a_connection_that_is_not_wanted_any_more_may_fail() {
    let mut world = once();
    world.submit_many(1);
    world.dispatcher.rotate(world.now(), true);
    world.settle();
    let old = world.ids(|_| true)[0];
    world.connections.remove(&old);
    world.dispatcher.open_failed(world.now(), old, &NotSent::Closed);
    world.settle();
    world.open_all();
    let new = world.ids(|connection| connection.is_open)[0];
    world.end(new, accepted);
    assert!(matches!(world.outcomes[&0], Outcome::Accepted(_)));
}

#[test]
fn c26_however_many_connections_rest_there_is_an_end_to_new_ones() {
    let mut world = World::new(policy().with_connections(1..=2).unwrap(), RetryPolicy::default());
    for _ in 0..200 {
        world.submit_many(1);
        world.open_all();
        world.end_round(refused(429, "TooManyProviderTokenUpdates"));
        world.pass(secs(5), true);
    }
    assert_eq!(world.openings.len(), 4, "two, and as many that rest");
}
