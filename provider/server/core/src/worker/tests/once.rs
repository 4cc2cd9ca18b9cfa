//! Sent once at most.

use apns_provider_core::{Ambiguity, NotSent, Outcome};

use super::{world::answered, *};
use crate::{
    notification::Delivery,
    outcome::{Cause, Why},
};

fn begin(count: u16) -> (World, usize) {
    let mut world = world();
    let at = world.add(app(1), Lane::Normal, count);
    world.shards[at].delivery = Delivery::AtMostOnce;
    (world, at)
}

#[test]
fn nothing_is_sent_before_it_is_marked() {
    let (mut world, at) = begin(250);
    world.answer(0, 1);
    assert!(world.sent.is_empty());
    world.answer_all();
    assert_eq!((world.sent.len(), world.shards[at].marked.len()), (250, 250));
    assert!(world.sent.iter().all(|sent| sent.delivery == Delivery::AtMostOnce));
    world.heal();
    assert_eq!(world.endings(at), BTreeMap::from([(Ending::Accepted, 250)]));
    assert!(world.shards[at].marked.is_empty());
}

#[test]
fn of_a_killed_worker_what_was_marked_is_ambiguous_and_the_rest_is_sent() {
    let (mut world, at) = begin(150);
    world.answer(0, 1);
    let start = world.workers[0].asked.iter().position(|asked| matches!(asked, world::Asked::Start { .. }));
    world.answer(0, start.unwrap());
    assert_eq!(world.sent.len(), 100);
    for sent in world.in_engine.clone().iter().take(30) {
        world.end(sent, accepted());
    }
    world.workers[0].asked.retain(|asked| !matches!(asked, world::Asked::Start { .. }));
    world.pass(Duration::from_millis(20));
    world.kill(0);
    world.start_worker();
    world.pass(Duration::from_secs(61));
    world.heal();
    assert_eq!(world.endings(at), BTreeMap::from([(Ending::Accepted, 80), (Ending::Ambiguous, 70)]));
    assert_eq!(world.shards[at].finals[&50].why, Some(Why::Ours(Cause::ServerDied)));
    assert_eq!(world.sent.len(), 150);
}

#[test]
fn a_push_that_nobody_answers_is_reported_and_not_sent_again() {
    let (mut world, at) = begin(2);
    world.answer_all();
    world.end_all(|_| Outcome::Ambiguous(Ambiguity::ConnectionLost));
    world.pass(Duration::from_hours(1));
    assert_eq!((world.endings(at), world.sent.len()), (BTreeMap::from([(Ending::Ambiguous, 2)]), 2));
}

#[test]
fn what_was_certainly_not_processed_is_sent_again() {
    let (mut world, at) = begin(2);
    world.answer_all();
    world.end_all(|sent| match sent.position {
        0 => answered(503, "ServiceUnavailable"),
        _ => Outcome::NotSent(NotSent::StreamRefused),
    });
    world.pass(Duration::from_millis(20));
    assert!(world.shards[at].marked.is_empty(), "the marks are taken away");
    assert_eq!(world.shards[at].waiting[&1].attempts, 0, "that was no attempt");
    world.heal();
    assert_eq!((world.endings(at), world.sent.len()), (BTreeMap::from([(Ending::Accepted, 2)]), 4));
}

#[test]
fn a_drained_worker_takes_away_the_marks_of_what_it_did_not_send() {
    let (mut world, at) = begin(10);
    world.answer(0, 1);
    let by = world.elapsed + Duration::from_secs(30);
    world.tell(0, Input::Drain { by });
    world.answer_all(); // the marks come when nothing is sent any more
    assert!(world.workers[0].is_drained && world.sent.is_empty());
    assert!(world.shards[at].marked.is_empty());
    world.start_worker();
    world.heal();
    assert_eq!((world.endings(at), world.sent.len()), (BTreeMap::from([(Ending::Accepted, 10)]), 10));
}

#[test]
fn marks_that_may_not_be_there_are_taken_back() {
    let (mut world, at) = begin(10);
    world.answer(0, 1);
    world.shards[at].marked = (0..10).collect(); // they are there, and the answer got lost
    world.store_works = false;
    let start = world.workers[0].asked.iter().position(|asked| matches!(asked, world::Asked::Start { .. }));
    world.answer(0, start.unwrap());
    world.store_works = true;
    world.answer_all();
    world.pass(Duration::from_secs(1));
    assert!(world.shards[at].marked.is_empty() && world.sent.is_empty());
    world.heal();
    assert_eq!(world.endings(at), BTreeMap::from([(Ending::Accepted, 10)]));
}
