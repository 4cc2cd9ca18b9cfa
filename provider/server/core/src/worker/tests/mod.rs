mod any_order;
mod drains;
mod lanes;
mod leases;
mod once;
mod outcomes;
mod stops;
mod world;

use std::{collections::BTreeMap, time::Duration};

use super::*;
use crate::{lanes::Lane, outcome::Ending};
use world::{World, accepted, app};

fn world() -> World {
    World::new(WorkerConfig::default())
}

#[test]
fn a_shard_is_claimed_sent_stored_and_done() {
    let mut world = world();
    let at = world.add(app(1), Lane::Normal, 3);
    world.answer_all();
    assert_eq!(world.sent.len(), 3);
    let ids: Vec<_> = world.sent.iter().map(|sent| sent.apns_id).collect();
    assert_eq!(ids, [0, 1, 2].map(|position| world.shards[at].key.apns_id(position)));
    world.end_all(|_| accepted());
    assert!(
        world.shards[at].finals.is_empty() && world.shards[at].lease.is_some(),
        "outcomes wait for others"
    );
    world.pass(Duration::from_millis(20));
    assert_eq!(world.endings(at), BTreeMap::from([(Ending::Accepted, 3)]));
    assert!(world.shards[at].is_done && world.shards[at].lease.is_none());
    assert_eq!(world.workers[0].worker.status(world.now()), WorkerStatus::default());
}

#[test]
fn what_comes_is_sent_as_soon_as_somebody_tells() {
    let mut world = world();
    world.answer_all(); // nothing is there
    world.add(app(1), Lane::Urgent, 1);
    world.answer_all();
    assert!(world.sent.is_empty());
    world.wake(Lane::Urgent);
    world.answer_all();
    assert_eq!(world.sent.len(), 1);
}

#[test]
fn what_comes_while_the_store_looks_is_not_missed() {
    let mut world = world();
    assert_eq!(world.workers[0].asked.len(), 3, "one question for each lane");
    let claim = world.workers[0].asked.remove(0);
    world.wake(Lane::Urgent); // it was handed in after the store had looked
    world.workers[0].asked.insert(0, claim);
    world.answer(0, 0);
    world.add(app(1), Lane::Urgent, 1);
    world.answer_all();
    assert_eq!(world.sent.len(), 1, "it is asked again at once");
}

#[test]
fn without_being_told_a_lane_is_asked_once_a_second_and_when_something_is_due() {
    let mut world = world();
    let at = world.add(app(1), Lane::Normal, 1);
    world.shards[at].not_before = UnixTime::from_millis(world::BEGIN.as_millis() + 300);
    world.answer_all();
    world.pass(Duration::from_millis(299));
    assert!(world.sent.is_empty());
    world.pass(Duration::from_millis(1));
    assert_eq!(world.sent.len(), 1, "on time");
    world.add(app(1), Lane::Urgent, 1);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.sent.len(), 2, "and what nobody told of a second later at most");
}

#[test]
fn a_store_that_fails_is_asked_with_growing_pauses() {
    let mut world = world();
    world.store_works = false;
    let mut asked = 0;
    for _ in 0..600 {
        for at in (0..world.workers[0].asked.len()).rev() {
            asked += 1;
            world.answer(0, at);
        }
        world.wake(Lane::Urgent);
        world.pass(Duration::from_millis(100));
    }
    assert!((30..=60).contains(&asked), "{asked} questions in a minute, for three lanes");
}

#[test]
fn when_the_store_takes_no_outcomes_sending_stops_and_nothing_is_lost() {
    let config = WorkerConfig { in_engine_max: 100, unsaved_max: 200, ..WorkerConfig::default() };
    let mut world = World::new(config);
    let at = world.add(app(1), Lane::Normal, 1000);
    world.answer_all();
    world.store_works = false;
    for _ in 0..20 {
        world.end_all(|_| accepted());
        for at in (0..world.workers[0].asked.len()).rev() {
            world.answer(0, at);
        }
    }
    assert_eq!(world.sent.len(), 200, "as many as may be without an outcome stored");
    world.heal();
    assert_eq!((world.sent.len(), world.endings(at)[&Ending::Accepted]), (1000, 1000));
}

#[test]
fn a_recipient_that_is_done_is_not_sent_again() {
    let mut world = world();
    let at = world.add(app(1), Lane::Normal, 10);
    for position in [0, 3, 9] {
        world.shards[at].finals.insert(position, FinalOutcome::unanswered(Ending::Accepted, None));
    }
    world.answer_all();
    let positions: Vec<u16> = world.sent.iter().map(|sent| sent.position).collect();
    assert_eq!(positions, [1, 2, 4, 5, 6, 7, 8]);
}

#[test]
fn a_shard_that_was_done_before_it_was_claimed_is_given_back() {
    let mut world = world();
    let at = world.add(app(1), Lane::Normal, 1);
    world.shards[at].finals.insert(0, FinalOutcome::unanswered(Ending::Accepted, None));
    world.answer_all();
    assert!(world.shards[at].is_done && world.sent.is_empty());
}

#[test]
fn an_outcome_that_comes_twice_counts_once() {
    let mut world = world();
    let at = world.add(app(1), Lane::Normal, 2);
    world.answer_all();
    let sent = world.in_engine[0].clone();
    world.end(&sent, accepted());
    world.tell(0, Input::Ended { ticket: sent.ticket, outcome: world::answered(400, "BadTopic") });
    world.pass(Duration::from_secs(1));
    assert_eq!(world.endings(at), BTreeMap::from([(Ending::Accepted, 1)]));
    assert_eq!(world.workers[0].worker.status(world.now()).in_engine, [0, 1, 0]);
}

#[test]
fn an_answer_that_nobody_asked_for_changes_nothing() {
    let mut world = world();
    world.add(app(1), Lane::Normal, 2);
    world.answer_all();
    let before = world.workers[0].worker.status(world.now());
    let stranger = ClaimId { slot: 7, generation: 7 };
    for input in [
        Input::Stored(BatchId(99)),
        Input::StoreFailed(BatchId(99)),
        Input::Started(stranger),
        Input::StartFailed(stranger),
        Input::Renewed { lost: vec![stranger] },
        Input::RenewFailed,
        Input::ClaimFailed { lane: Lane::Normal },
        Input::Mended(app(9)),
    ] {
        world.tell(0, input);
    }
    assert_eq!(world.workers[0].worker.status(world.now()), before);
}
