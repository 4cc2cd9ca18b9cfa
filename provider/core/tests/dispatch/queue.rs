//! What waits, in which order, and for how long.

use std::time::Duration;

use apns_provider_core::{
    Acceptance, Ambiguity, AmbiguousPushes, NotSent, Outcome, Priority, RetryPolicy, Room,
};

use crate::world::{PATIENCE, World, accepted, expiring, hello, policy, refused, secs, with_priority};

#[test]
fn c77_what_is_urgent_goes_ahead_of_all_that_waits_whatever_its_priority() {
    let mut world = World::new(policy(), RetryPolicy::never());
    let id = world.ready();
    world.connections.get_mut(&id).unwrap().room = Room { streams: 0, window: 65_535 };
    world.take(id);
    for _ in 0..90 {
        world.submit(with_priority(Priority::Immediate), "cc");
    }
    let urgent = [
        world.submit_urgent(with_priority(Priority::PowerFirst), "aa"),
        world.submit_urgent(with_priority(Priority::Immediate), "bb"),
    ];
    let before = world.attempts.len();
    world.connections.get_mut(&id).unwrap().room = Room { streams: 10, window: 65_535 };
    world.take(id);
    let order: Vec<u32> = world.attempts[before..].iter().map(|attempt| attempt.2).collect();
    assert_eq!(order[..2], urgent);
    assert_eq!(order.len(), 10, "and the others after them");
}

#[test]
fn pushes_go_by_priority_and_none_starves() {
    let mut world = World::new(policy(), RetryPolicy::never());
    let id = world.ready();
    world.connections.get_mut(&id).unwrap().room = Room { streams: 0, window: 65_535 };
    world.take(id);
    let slow: Vec<u32> = (0..10).map(|_| world.submit(with_priority(Priority::PowerFirst), "aa")).collect();
    let calm: Vec<u32> =
        (0..10).map(|_| world.submit(with_priority(Priority::PowerConsiderate), "bb")).collect();
    for _ in 0..90 {
        world.submit(with_priority(Priority::Immediate), "cc");
    }
    let before = world.attempts.len();
    world.connections.get_mut(&id).unwrap().room = Room { streams: 1000, window: 65_535 };
    world.take(id);
    let order: Vec<u32> = world.attempts[before..].iter().map(|attempt| attempt.2).collect();
    assert!(order[..8].iter().all(|ticket| !slow.contains(ticket) && !calm.contains(ticket)), "{order:?}");
    assert_eq!(order[8], calm[0], "one of nine is of the lane below");
    assert!(order[..90].iter().filter(|ticket| calm.contains(ticket) || slow.contains(ticket)).count() >= 9);
}

#[test]
fn c42_what_waits_for_too_long_is_told_so() {
    let mut world = World::new(policy(), RetryPolicy::never());
    let id = world.ready();
    world.connections.get_mut(&id).unwrap().room = Room { streams: 0, window: 65_535 };
    world.take(id);
    let ticket = world.submit(hello(), "aa");
    world.pass(PATIENCE.saturating_sub(Duration::from_millis(1)), false);
    assert!(!world.outcomes.contains_key(&ticket));
    world.pass(Duration::from_millis(1), false);
    assert_eq!(world.outcomes[&ticket], Outcome::NotSent(NotSent::OutOfTime));
}

#[test]
fn c52_what_expires_in_the_queue_is_never_sent() {
    let mut world = World::new(policy(), RetryPolicy::default());
    let expires = world.submit(expiring(5), "aa");
    let stays = world.submit(hello(), "bb");
    world.pass(secs(6), false);
    assert_eq!(world.outcomes[&expires], Outcome::Expired);
    world.open_all();
    let id = world.ids(|_| true)[0];
    world.end_all(id, accepted);
    assert_eq!(world.attempts.len(), 1);
    assert!(matches!(world.outcomes[&stays], Outcome::Accepted(_)));
}

#[test]
fn a_date_that_is_set_forward_gives_no_retries() {
    let mut world = World::new(policy(), RetryPolicy::default());
    let id = world.ready();
    let too_many = refused(429, "TooManyRequests");
    let first = world.submit_many(100);
    world.end_round(&too_many);
    let given_up = (first..first + 100).filter(|ticket| world.outcomes.contains_key(ticket)).count();
    assert!(given_up > 70, "the reserve and a tenth are spent");
    world.date_ahead = secs(3_600);
    let next = world.submit_many(1);
    world.end(id, &too_many);
    assert!(world.outcomes.contains_key(&next), "no second has passed");
}

#[test]
fn c52_a_retry_that_expires_keeps_what_the_last_attempt_said() {
    let mut world = World::new(policy(), RetryPolicy::default());
    let id = world.ready();
    let ticket = world.submit(expiring(3), "aa");
    world.end(id, refused(503, "ServiceUnavailable"));
    world.connections.get_mut(&id).unwrap().room = Room { streams: 0, window: 65_535 };
    world.take(id);
    world.pass(secs(10), false);
    assert!(matches!(&world.outcomes[&ticket], Outcome::Rejected(rejection) if rejection.status == 503));
}

#[test]
fn c46_what_was_ambiguous_once_stays_so() {
    let lost = Outcome::Ambiguous(Ambiguity::ConnectionLost);
    let mut world = World::new(policy(), RetryPolicy::default());
    let id = world.ready();
    let accepted_later = world.submit(hello(), "aa");
    world.lose(id);
    world.pass(secs(2), true);
    let id = world.ids(|_| true)[0];
    world.end(id, accepted);
    let Outcome::Accepted(Acceptance { ambiguous_before, .. }) = world.outcomes[&accepted_later] else {
        panic!()
    };
    assert!(ambiguous_before);

    // One that cannot be sent again may have gone through all the same.
    let never_again = world.submit(hello(), "aa");
    world.lose(id);
    for _ in 0..100 {
        world.pass(secs(1), false);
        world.refuse_all();
    }
    assert_eq!(world.outcomes[&never_again], lost);
}

#[test]
fn c46_at_most_once_is_on_the_wire_once() {
    let policy_once = RetryPolicy::default().with_ambiguous_pushes(AmbiguousPushes::Report);
    let mut world = World::new(policy(), policy_once);
    let id = world.ready();
    let ticket = world.submit(hello(), "aa");
    world.lose(id);
    world.pass(secs(60), true);
    assert_eq!(world.outcomes[&ticket], Outcome::Ambiguous(Ambiguity::ConnectionLost));
    assert_eq!(world.attempts.iter().filter(|attempt| attempt.2 == ticket).count(), 1);
}
