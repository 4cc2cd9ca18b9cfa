//! Processes that die, hang, or lose their store.

use super::{world::answered, *};

#[test]
fn c70_of_a_killed_worker_only_what_was_not_stored_is_sent_again() {
    let mut world = world();
    let at = world.add(app(1), Lane::Normal, 100);
    world.answer_all();
    for sent in world.in_engine.clone().iter().take(40) {
        world.end(sent, accepted());
    }
    world.pass(Duration::from_millis(20)); // 40 outcomes are stored
    for sent in world.in_engine.clone().iter().take(10) {
        world.end(sent, accepted()); // and 10 are not
    }
    world.kill(0);
    world.start_worker();
    world.pass(Duration::from_secs(59));
    assert_eq!(world.sent.len(), 100, "the lease has not run out");
    world.pass(Duration::from_secs(2));
    assert_eq!(world.sent.len(), 160, "60 that nobody knows of");
    let again = &world.sent[100..];
    assert!(again.iter().all(|sent| sent.position >= 40 && sent.apns_id == world.sent[usize::from(sent.position)].apns_id));
    world.heal();
    assert_eq!(world.endings(at), BTreeMap::from([(Ending::Accepted, 100)]));
}

#[test]
fn a_lease_is_renewed_as_long_as_there_is_work() {
    let mut world = World::new(WorkerConfig { in_engine_max: 1, ..WorkerConfig::default() });
    world.start_worker();
    let at = world.add(app(1), Lane::Normal, 60);
    for _ in 0..60 {
        world.pass(Duration::from_secs(10));
        world.end_all(|_| accepted());
    }
    world.pass(Duration::from_millis(20));
    assert_eq!(world.sent.len(), 60, "ten minutes, and nobody took it over");
    assert!(world.shards[at].is_done);
}

#[test]
fn no_push_is_sent_that_its_lease_may_not_outlast() {
    let mut world = World::new(WorkerConfig { in_engine_max: 1, ..WorkerConfig::default() });
    world.add(app(1), Lane::Normal, 100);
    world.answer_all();
    world.store_works = false;
    world.pass(Duration::from_secs(25));
    world.end_all(|_| accepted());
    assert_eq!(world.sent.len(), 2, "35 s are left");
    world.pass(Duration::from_secs(1));
    world.end_all(|_| accepted());
    assert_eq!(world.sent.len(), 2, "34 s are too few");
    world.store_works = true;
    world.answer_all();
    world.pass(Duration::from_secs(2));
    assert_eq!(world.sent.len(), 3, "renewed");
}

#[test]
fn a_renewal_counts_from_when_it_was_asked_for() {
    let mut world = World::new(WorkerConfig { in_engine_max: 1, ..WorkerConfig::default() });
    world.add(app(1), Lane::Normal, 100);
    world.answer_all();
    world.store_works = false;
    world.pass(Duration::from_secs(30));
    world.store_works = true;
    let asked = world.workers[0].asked.iter().position(|asked| matches!(asked, world::Asked::Renew(_)));
    world.answer(0, asked.unwrap()); // it was asked for 15 s ago
    world.store_works = false;
    world.pass(Duration::from_secs(10));
    world.end_all(|_| accepted());
    assert_eq!(world.sent.len(), 2, "35 s are left");
    world.pass(Duration::from_secs(1));
    world.end_all(|_| accepted());
    assert_eq!(world.sent.len(), 2, "34 s are too few");
}

#[test]
fn when_a_lease_runs_out_what_the_engine_has_is_stored_and_no_more_is_sent() {
    let mut world = world();
    let at = world.add(app(1), Lane::Normal, 5);
    world.answer_all();
    let sent = world.in_engine.clone();
    world.store_works = false;
    world.end(&sent[0], accepted());
    world.end(&sent[1], answered(503, "ServiceUnavailable"));
    world.pass(Duration::from_secs(61)); // the store is away, and the lease runs out
    world.store_works = true;
    world.shards[at].lease = None;
    let other = world.start_worker();
    world.answer(other, 1); // the other one claims it before the first is heard
    assert_eq!(world.sent.len(), 10, "all five go out again: no outcome was stored");
    world.end(&sent[2], accepted());
    world.end(&sent[3], answered(503, "ServiceUnavailable"));
    world.pass(Duration::from_secs(6));
    let first = world.shards[at].finals.clone();
    assert_eq!(first.keys().copied().collect::<Vec<_>>(), [0, 2]);
    assert!(world.shards[at].waiting.is_empty(), "the other one decides what waits");
    for sent in world.in_engine.clone().into_iter().filter(|sent| sent.life == other) {
        world.end(&sent, answered(400, "BadTopic"));
    }
    world.pass(Duration::from_secs(1));
    assert!(world.shards[at].is_done);
    assert_eq!(
        world.endings(at),
        BTreeMap::from([(Ending::Accepted, 2), (Ending::Rejected, 3)]),
        "the first counts"
    );
}

#[test]
fn a_worker_that_claims_its_own_lost_shard_waits_for_what_it_has_in_the_engine() {
    let mut world = world();
    let at = world.add(app(1), Lane::Normal, 3);
    world.answer_all();
    let claims = std::mem::take(&mut world.workers[0].asked); // the store hangs
    world.store_works = false;
    world.pass(Duration::from_secs(61));
    world.store_works = true;
    drop(claims);
    world.shards[at].lease = None;
    world.answer_all();
    world.pass(Duration::from_secs(5));
    assert_eq!(
        (world.sent.len(), world.shards[at].lease),
        (3, None),
        "not sent twice at once, and given back"
    );
    world.heal();
    assert_eq!(world.endings(at), BTreeMap::from([(Ending::Accepted, 3)]));
}

#[test]
fn pushes_that_the_engine_forgets_are_given_up_and_sent_by_somebody() {
    let mut world = world();
    let at = world.add(app(1), Lane::Normal, 2);
    world.answer_all();
    world.forget_in_engine();
    world.pass(Duration::from_secs(89));
    assert_eq!(world.sent.len(), 2);
    world.pass(Duration::from_secs(70)); // given up, and then its lease runs out
    assert_eq!(world.sent.len(), 4);
    world.heal();
    assert_eq!(world.endings(at), BTreeMap::from([(Ending::Accepted, 2)]));
}

#[test]
fn a_calendar_that_is_set_does_not_touch_leases() {
    for off in [-86_400_000, 86_400_000] {
        let mut world = World::new(WorkerConfig { in_engine_max: 1, ..WorkerConfig::default() });
        let at = world.add(app(1), Lane::Normal, 20);
        world.answer_all();
        world.date_is_off_ms = off;
        for _ in 0..20 {
            world.pass(Duration::from_secs(3));
            world.end_all(|_| accepted());
        }
        world.pass(Duration::from_millis(20));
        assert_eq!((world.sent.len(), world.shards[at].is_done), (20, true));
    }
}
