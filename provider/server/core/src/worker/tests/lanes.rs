//! Who goes first.

use super::*;

fn small() -> World {
    World::new(WorkerConfig { in_engine_max: 100, unsaved_max: 10_000, ..WorkerConfig::default() })
}

fn sent(world: &World, lane: Lane) -> usize {
    world.sent.iter().filter(|sent| sent.lane == lane).count()
}

#[test]
fn c77_a_campaign_never_takes_the_room_of_a_sign_in_code() {
    let mut world = small();
    world.add(app(1), Lane::Campaign, 1000);
    world.answer_all();
    assert_eq!(sent(&world, Lane::Campaign), 60);
    world.add(app(2), Lane::Urgent, 1);
    world.add(app(2), Lane::Normal, 1);
    world.wake(Lane::Urgent);
    world.wake(Lane::Normal);
    world.answer_all();
    assert_eq!((sent(&world, Lane::Urgent), sent(&world, Lane::Normal)), (1, 1), "nothing had to end first");
}

#[test]
fn what_is_urgent_goes_first_when_there_is_room_again() {
    let mut world = small();
    world.add(app(1), Lane::Campaign, 1000);
    world.answer_all();
    for number in 2..=4 {
        world.add(app(number), Lane::Urgent, 100);
    }
    world.wake(Lane::Urgent);
    world.answer_all();
    let at = world.sent.len();
    world.end_all(|_| accepted());
    let next: Vec<Lane> = world.sent[at..].iter().map(|sent| sent.lane).collect();
    assert!(next[..30].iter().all(|lane| *lane == Lane::Urgent), "{next:?}");
}

#[test]
fn a_flood_of_codes_does_not_stop_a_campaign() {
    let mut world = small();
    for number in 1..=4 {
        world.add(app(number), Lane::Urgent, 1000);
    }
    world.answer_all();
    assert_eq!(sent(&world, Lane::Urgent), 90);
    world.add(app(9), Lane::Campaign, 100);
    world.wake(Lane::Campaign);
    world.answer_all();
    assert_eq!(sent(&world, Lane::Campaign), 10);
}

#[test]
fn a_single_push_does_not_wait_for_a_large_shard_of_its_lane() {
    let config = WorkerConfig { in_engine_max: 100, source_percent: 100, ..WorkerConfig::default() };
    let mut world = World::new(config);
    world.add(app(1), Lane::Normal, 1000);
    world.answer_all();
    world.add(app(2), Lane::Normal, 1);
    world.wake(Lane::Normal);
    world.answer_all();
    let before = world.sent.len();
    world.end_all(|_| accepted());
    let place = world.sent[before..].iter().position(|sent| sent.source == app(2));
    assert!(place.is_some_and(|place| place <= 64), "{place:?}");
}

#[test]
fn an_app_that_is_not_answered_leaves_room_for_the_others() {
    let mut world = small();
    world.add(app(1), Lane::Normal, 1000);
    world.add(app(1), Lane::Campaign, 1000);
    world.add(app(1), Lane::Urgent, 1000);
    world.answer_all();
    assert_eq!(world.in_engine.len(), 75);
    world.add(app(2), Lane::Normal, 10);
    world.wake(Lane::Normal);
    world.answer_all();
    assert_eq!(world.sent.iter().filter(|sent| sent.source == app(2)).count(), 10);
    // When it is answered, it goes on.
    world.end_all(|_| accepted());
    assert!(world.in_engine.iter().filter(|sent| sent.source == app(1)).count() >= 70);
    world.heal();
}

#[test]
fn an_operator_can_slow_it_down_and_make_room() {
    let mut world = world();
    world.config.in_engine_max = 10_000; // what the world looks at
    world.tell(0, Input::Tuned { in_engine_max: 10_000, pace: Some(100) });
    for _ in 0..3 {
        world.add(app(1), Lane::Normal, 1000);
    }
    world.answer_all();
    for _ in 0..10 {
        world.pass(Duration::from_secs(1));
        world.end_all(|_| accepted());
    }
    assert!((1000..=1020).contains(&world.sent.len()), "{} in ten seconds", world.sent.len());
    world.tell(0, Input::Tuned { in_engine_max: 10, pace: None });
    world.end_all(|_| accepted());
    assert!(world.in_engine.len() <= 10, "{}", world.in_engine.len());
    world.heal();
}

#[test]
fn many_single_pushes_are_claimed_together() {
    let mut world = world();
    for _ in 0..200 {
        world.add(app(1), Lane::Normal, 1);
    }
    world.answer_all();
    assert_eq!(world.sent.len(), 200);
    world.end_all(|_| accepted());
    world.pass(Duration::from_millis(20));
    assert!(world.is_done());
}

#[test]
fn no_more_is_claimed_than_there_is_to_send_soon() {
    let mut world = world();
    for _ in 0..40 {
        world.add(app(1), Lane::Campaign, 1000);
    }
    world.answer_all();
    let claimed = world.shards.iter().filter(|row| row.lease.is_some()).count();
    assert!(claimed <= 14, "{claimed}: what is in the engine, and half a second's more");
    world.heal();
    assert_eq!(world.sent.len(), 40_000);
}
