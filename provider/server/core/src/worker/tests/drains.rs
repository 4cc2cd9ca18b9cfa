//! A process that is about to stop.

use apns_provider_core::{NotSent, Outcome};

use super::*;

fn begin() -> (World, usize) {
    let mut world = World::new(WorkerConfig { in_engine_max: 100, ..WorkerConfig::default() });
    let at = world.add(app(1), Lane::Normal, 500);
    world.answer_all();
    (world, at)
}

fn drain(world: &mut World, within: Duration) {
    let by = world.elapsed + within;
    world.tell(0, Input::Drain { by });
}

#[test]
fn c71_what_is_in_the_engine_is_finished_and_the_rest_given_back() {
    let (mut world, at) = begin();
    let in_engine = world.in_engine.len();
    drain(&mut world, Duration::from_secs(30));
    world.end_all(|_| accepted());
    assert!(!world.workers[0].is_drained, "it is not stored");
    world.answer_all();
    assert!(world.workers[0].is_drained);
    assert_eq!(
        (world.shards[at].lease, world.shards[at].finals.len(), world.sent.len()),
        (None, in_engine, in_engine)
    );
    world.start_worker();
    world.answer_all();
    assert_eq!(world.sent.len(), 2 * in_engine, "another process goes on at once");
    world.heal();
    assert_eq!(world.endings(at), BTreeMap::from([(Ending::Accepted, 500)]));
    assert_eq!(world.sent.len(), 500, "none was sent twice");
}

#[test]
fn what_the_closed_engine_has_not_sent_is_as_if_it_had_not_been_tried() {
    let (mut world, at) = begin();
    drain(&mut world, Duration::from_secs(30));
    world.end_all(|_| Outcome::NotSent(NotSent::Closed));
    world.answer_all();
    assert!(world.workers[0].is_drained && world.told.is_empty());
    assert!(world.shards[at].finals.is_empty() && world.shards[at].waiting.is_empty());
    assert_eq!(world.shards[at].rounds, 0);
}

#[test]
fn a_shard_that_comes_too_late_is_given_back() {
    let mut world = world();
    let at = world.add(app(1), Lane::Normal, 10);
    drain(&mut world, Duration::from_secs(30));
    assert!(!world.workers[0].is_drained, "the store may have leased something");
    world.answer_all();
    assert!(world.workers[0].is_drained);
    assert_eq!((world.sent.len(), world.shards[at].lease), (0, None));
}

#[test]
fn when_the_time_is_over_it_is_over() {
    let (mut world, _) = begin();
    drain(&mut world, Duration::from_secs(5));
    world.pass(Duration::from_secs(4));
    assert!(!world.workers[0].is_drained);
    world.pass(Duration::from_secs(1));
    assert!(world.workers[0].is_drained);
    assert_eq!(world.workers[0].worker.poll_timeout(), None);
}

#[test]
fn an_idle_process_stops_at_once() {
    let mut world = world();
    world.answer_all();
    drain(&mut world, Duration::from_secs(30));
    assert!(world.workers[0].is_drained);
}
