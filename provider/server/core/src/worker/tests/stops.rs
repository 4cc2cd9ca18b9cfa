//! Cancelled and paused.

use super::{world::answered, *};

fn half_sent() -> (World, usize) {
    let mut world = World::new(WorkerConfig { in_engine_max: 10, ..WorkerConfig::default() });
    let at = world.add(app(1), Lane::Urgent, 50);
    world.answer_all();
    assert_eq!(world.in_engine.len(), 7);
    (world, at)
}

#[test]
fn of_a_cancelled_notification_what_is_in_the_engine_ends_and_the_rest_is_cancelled() {
    let (mut world, at) = half_sent();
    world.cancel(at);
    world.end_all(|sent| if sent.position == 0 { answered(503, "ServiceUnavailable") } else { accepted() });
    world.pass(Duration::from_millis(20));
    assert_eq!(world.endings(at), BTreeMap::from([(Ending::Accepted, 6), (Ending::Cancelled, 44)]));
    assert!(world.shards[at].is_done && world.sent.len() == 7);
    assert!(world.shards[at].finals[&0].why.is_some(), "its last answer is told");
}

#[test]
fn what_waits_is_cancelled_too() {
    let mut world = world();
    let at = world.add(app(1), Lane::Normal, 2);
    world.answer_all();
    let sent = world.in_engine.clone();
    world.end(&sent[0], answered(429, "TooManyRequests"));
    world.pass(Duration::from_millis(20));
    assert_eq!(world.shards[at].waiting.len(), 1);
    world.cancel(at);
    world.end(&sent[1], accepted());
    world.pass(Duration::from_millis(20));
    assert_eq!(world.endings(at), BTreeMap::from([(Ending::Accepted, 1), (Ending::Cancelled, 1)]));
    assert!(world.shards[at].is_done && world.shards[at].waiting.is_empty());
}

#[test]
fn a_paused_app_sends_nothing_and_goes_on_where_it_was() {
    let (mut world, at) = half_sent();
    let other = world.add(app(2), Lane::Urgent, 2);
    world.shards[at].is_paused = true;
    world.tell(0, Input::Stop(Stop::PauseApp(app(1).app)));
    world.end_all(|_| accepted());
    world.pass(Duration::from_secs(2));
    assert_eq!((world.sent.len(), world.shards[at].lease), (9, None), "given back, and others go on");
    world.end_all(|_| accepted());
    world.pass(Duration::from_hours(1));
    assert_eq!((world.sent.len(), world.shards[other].is_done, world.shards[at].rounds), (9, true, 0));
    world.heal();
    assert_eq!((world.endings(at)[&Ending::Accepted], world.sent.len()), (50, 52));
}

#[test]
fn a_paused_campaign_is_one_notification() {
    let mut world = world();
    let paused = world.add(app(1), Lane::Campaign, 1000);
    world.answer_all();
    let notification = world.shards[paused].key.notification;
    world.shards[paused].is_paused = true;
    world.tell(0, Input::Stop(Stop::PauseCampaign(notification)));
    world.add(app(1), Lane::Campaign, 10);
    world.wake(Lane::Campaign);
    world.end_all(|_| accepted());
    world.pass(Duration::from_secs(1));
    let of_paused = world.sent.iter().filter(|sent| sent.shard.notification == notification).count();
    assert_eq!((of_paused, world.sent.len()), (1000, 1010), "what was in the engine already went out");
    world.heal();
}
