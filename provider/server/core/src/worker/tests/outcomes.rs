//! What becomes of recipients.

use apns_provider_core::{Ambiguity, DeviceToken, NotSent, Outcome, Reason};

use super::{
    world::{Sent, answered},
    *,
};
use crate::{
    device::Environment,
    ids::DeviceId,
    message::Deadline,
    outcome::{Cause, Whose, Why},
    worker::active::{Active, State},
};

fn only(position: u16, outcome: fn() -> Outcome) -> impl Fn(&Sent) -> Outcome {
    move |sent| if sent.position == position { outcome() } else { accepted() }
}

#[test]
fn c49_a_device_that_gets_too_much_waits_and_the_others_do_not() {
    let mut world = world();
    let at = world.add(app(1), Lane::Normal, 3);
    world.answer_all();
    world.end_all(only(1, || answered(429, "TooManyRequests")));
    world.pass(Duration::from_millis(20));
    assert_eq!(world.endings(at), BTreeMap::from([(Ending::Accepted, 2)]));
    let wait = &world.shards[at].waiting[&1];
    assert_eq!(wait.attempts, 1);
    assert_eq!(world.shards[at].not_before, wait.until, "the shard rests until then");
    world.pass(Duration::from_secs(9));
    assert_eq!(world.sent.len(), 3, "at least half of 20 s");
    world.pass(Duration::from_secs(12));
    assert_eq!(world.sent.len(), 4);
    assert_eq!(world.sent[3].apns_id, world.sent[1].apns_id, "under the same ID");
    world.heal();
}

#[test]
fn a_push_is_tried_as_often_as_it_may_be() {
    let mut world = world();
    let at = world.add(app(1), Lane::Normal, 1);
    for _ in 0..6000 {
        world.answer_all();
        world.end_all(|_| answered(503, "ServiceUnavailable"));
        world.pass(Duration::from_secs(5));
    }
    assert!(world.sent.iter().map(|sent| sent.attempt).eq(1..=20), "{:?}", world.sent.len());
    let outcome = &world.shards[at].finals[&0];
    assert_eq!((outcome.ending, outcome.status), (Ending::Undeliverable, 503));
    assert!(outcome.is_dead_letter());
}

#[test]
fn c75_what_expires_in_the_queue_is_never_sent() {
    let mut world = world();
    let at = world.add(app(1), Lane::Normal, 5);
    let worthless_at = Some(UnixTime::from_secs(world::BEGIN.as_secs() + 10));
    world.shards[at].deadline = Deadline { expiration: None, worthless_at };
    world.shards[at].not_before = UnixTime::from_secs(world::BEGIN.as_secs() + 10);
    world.answer_all();
    world.pass(Duration::from_secs(11));
    assert_eq!((world.sent.len(), world.endings(at)), (0, BTreeMap::from([(Ending::Expired, 5)])));
    assert!(world.shards[at].is_done);
}

#[test]
fn a_refused_credential_stops_one_app_and_loses_nothing() {
    let mut world = world();
    let broken = world.add(app(1), Lane::Normal, 500);
    let other = world.add(app(2), Lane::Normal, 500);
    world.answer_all();
    world.end_all(
        |sent| {
            if sent.source == app(1) { answered(403, "InvalidProviderToken") } else { accepted() }
        },
    );
    world.pass(Duration::from_millis(20));
    assert_eq!(world.endings(other), BTreeMap::from([(Ending::Accepted, 500)]));
    assert!(world.shards[broken].finals.is_empty() && world.shards[broken].waiting.is_empty());
    assert_eq!((world.shards[broken].rounds, world.shards[broken].lease), (1, None));
    let [Effect::Troubled { source, trouble, .. }] = world.told.as_slice() else {
        panic!("{:?}", world.told)
    };
    assert_eq!((*source, trouble.whose), (app(1), Whose::Credential));
    assert_eq!(trouble.why, Why::Apns(Reason::InvalidProviderToken));
    // Nobody asks APNs a thousand times an hour: a probe now and then.
    world.told.clear();
    for _ in 0..720 {
        world.answer_all();
        world.end_all(|_| answered(403, "InvalidProviderToken"));
        world.pass(Duration::from_secs(5));
    }
    assert!(world.told.len() <= 15, "{} in an hour", world.told.len());
    // Mended, it goes on at once.
    world.shards[broken].not_before = world.now().date;
    world.tell(0, Input::Mended(app(1)));
    world.answer_all();
    world.end_all(|_| accepted());
    world.pass(Duration::from_millis(20));
    assert_eq!(world.endings(broken), BTreeMap::from([(Ending::Accepted, 500)]));
}

#[test]
fn after_days_of_trouble_what_is_queued_is_undeliverable_and_can_be_replayed() {
    let mut world = world();
    let at = world.add(app(1), Lane::Normal, 2);
    world.shards[at].rounds = 299;
    for _ in 0..200 {
        world.answer_all();
        world.end_all(|_| Outcome::NotSent(NotSent::NoConnection { why: "refused".into() }));
        world.pass(Duration::from_secs(5));
    }
    assert!(world.shards[at].is_done);
    let outcome = &world.shards[at].finals[&1];
    assert_eq!(
        (outcome.ending, outcome.why.as_ref()),
        (Ending::Undeliverable, Some(&Why::Ours(Cause::NoConnection)))
    );
}

#[test]
fn a_shard_that_gets_on_does_not_rest_longer_and_longer() {
    let mut world = world();
    let at = world.add(app(1), Lane::Normal, 40);
    for round in 1..=20 {
        world.answer_all();
        world.end_all(|sent| match sent.position {
            position if position < 2 * round => accepted(),
            _ => Outcome::NotSent(NotSent::OutOfTime),
        });
        world.pass(Duration::from_millis(5_100));
    }
    assert_eq!(
        world.endings(at),
        BTreeMap::from([(Ending::Accepted, 40)]),
        "after 100 s, and not after an hour"
    );
}

#[test]
fn c53_what_one_stall_has_left_unanswered_is_soon_sent_again_when_apns_answers() {
    let mut world = world();
    let stalled = [0; 4].map(|_| world.add(app(1), Lane::Normal, 1000));
    world.answer_all();
    assert_eq!(world.in_engine.len(), 3000, "the room of one app");
    world.end_all(|_| Outcome::Ambiguous(Ambiguity::NoAnswer));
    for _ in 0..60 {
        world.end_all(|_| accepted());
        world.pass(Duration::from_secs(1));
    }
    let ended: usize = stalled.iter().map(|at| world.shards[*at].finals.len()).sum();
    assert_eq!(ended, 4000, "a minute later");
    assert_eq!(world.sent.len(), 7000, "each of the stall once more");
}

#[test]
fn c53_while_apns_fails_the_queue_adds_a_tenth_and_a_few() {
    for worthless_after in [None, Some(12)] {
        let retries = retries_while_apns_fails(worthless_after);
        assert!(
            (50..=180).contains(&retries),
            "{retries} in a minute: 100 of 1,000 pushes, 10, and one a second; {worthless_after:?}"
        );
    }
}

/// Of 1,000 pushes, in a minute or until they are worthless.
fn retries_while_apns_fails(worthless_after: Option<u64>) -> usize {
    let mut world = world();
    let at = world.add(app(1), Lane::Normal, 1000);
    let secs = world::BEGIN.as_secs();
    world.shards[at].deadline.worthless_at = worthless_after.map(|after| UnixTime::from_secs(secs + after));
    for _ in 0..600 {
        world.answer_all();
        world.end_all(|_| answered(503, "ServiceUnavailable"));
        world.pass(Duration::from_millis(100));
    }
    world.sent.len() - 1000
}

#[test]
fn a_single_hiccup_holds_up_one_shard_and_not_the_app() {
    let mut world = world();
    world.add(app(1), Lane::Normal, 1);
    world.add(app(1), Lane::Normal, 1);
    world.answer_all();
    let first = world.in_engine[0].clone();
    world.end(&first, Outcome::NotSent(NotSent::StreamRefused));
    world.add(app(1), Lane::Urgent, 1);
    world.wake(Lane::Urgent);
    world.answer_all();
    assert_eq!(sent_of(&world, Lane::Urgent), 1);
    assert!(world.told.is_empty(), "{:?}", world.told);
}

fn sent_of(world: &World, lane: Lane) -> usize {
    world.sent.iter().filter(|sent| sent.lane == lane).count()
}

#[test]
fn retries_are_a_part_of_the_traffic() {
    let mut world = world();
    for _ in 0..20 {
        world.add(app(1), Lane::Normal, 100);
    }
    for _ in 0..100 {
        world.answer_all();
        world.end_all(|_| answered(503, "InternalServerError"));
        world.pass(Duration::from_millis(100));
    }
    let first = 2_000;
    assert!(world.sent.len() >= first && world.sent.len() <= first + 300, "{}", world.sent.len());
    world.heal();
    assert!((0..20).all(|at| world.endings(at)[&Ending::Accepted] == 100));
}

#[test]
fn what_has_changed_since_the_plan_is_heeded() {
    let mut world = world();
    let at = world.add(app(1), Lane::Normal, 5);
    let gone = || FinalOutcome::skipped(Cause::DeviceGone);
    let later = UnixTime::from_secs(world::BEGIN.as_secs() + 60);
    world.shards[at].exceptions = vec![
        (0, Exception::End(gone())),
        (1, Exception::SendTo(DeviceToken::from_bytes(&[0xcd; 32]).unwrap())),
        (2, Exception::NotBefore(later)),
        (3, Exception::End(FinalOutcome::unanswered(Ending::Replaced, None))),
        (99, Exception::End(gone())),
    ];
    world.answer_all();
    assert_eq!(world.sent.iter().map(|sent| sent.position).collect::<Vec<_>>(), [1, 4]);
    assert_eq!(world.sent[0].token, "cd".repeat(32));
    world.end_all(|_| accepted());
    world.pass(Duration::from_millis(20));
    let endings = [(Ending::Accepted, 2), (Ending::Replaced, 1), (Ending::Skipped, 1)];
    assert_eq!(world.endings(at), BTreeMap::from(endings));
    assert_eq!(world.shards[at].not_before, later);
    world.heal();
}

#[test]
fn c76_who_was_to_wait_is_not_sent_to_however_late_the_store_has_answered() {
    let mut world = world();
    let at = world.add(app(1), Lane::Normal, 2);
    let soon = UnixTime::from_millis(world.now().date.as_millis() + 5);
    world.shards[at].exceptions = vec![(1, Exception::NotBefore(soon))];
    let claim = world.shards[at].claim(world.now().date);
    world.pass(Duration::from_millis(20));
    let active = Active::new(claim, 0, world.now(), Duration::MAX, &mut Vec::new());
    assert_eq!(
        (active.to_send(), active.count(State::Waiting)),
        (1, 1),
        "somebody else may have been faster"
    );
    assert_eq!(active.earliest_wait, Some(soon), "it is looked at again at once");
}

#[test]
fn what_cannot_be_built_any_more_is_undeliverable() {
    let mut world = world();
    let at = world.add(app(1), Lane::Normal, 2);
    world.shards[at].has_message = false;
    world.answer_all();
    world.pass(Duration::from_millis(20));
    assert_eq!(world.endings(at), BTreeMap::from([(Ending::Undeliverable, 2)]));
    assert!(world.sent.is_empty() && world.shards[at].is_done);
}

#[test]
fn c59_a_dead_token_is_told_with_its_outcome_and_a_wrong_one_is_looked_at() {
    let mut world = world();
    world.add(app(1), Lane::Normal, 20);
    world.answer_all();
    world.end_all(|sent| match sent.position {
        3 => answered(410, "Unregistered"),
        5 => answered(400, "BadDeviceToken"),
        7 => answered(400, "BadTopic"),
        _ => accepted(),
    });
    world.pass(Duration::from_millis(20));
    assert_eq!((world.dead_tokens, world.suspects), (vec![DeviceId::new(4)], vec![DeviceId::new(6)]));
}

#[test]
fn c61_when_too_many_tokens_are_invalid_none_is_removed_and_somebody_is_told_once() {
    let mut world = world();
    world.add(app(1), Lane::Normal, 500);
    world.answer_all();
    world.end_all(|_| answered(410, "Unregistered"));
    world.pass(Duration::from_millis(20));
    assert!(world.dead_tokens.len() < 10, "{}", world.dead_tokens.len());
    let [Effect::TooManyInvalid { source, suspension }] = world.told.as_slice() else {
        panic!("{:?}", world.told)
    };
    assert_eq!((*source, suspension.invalid >= 2), (app(1), true));
    assert_eq!(source.environment, Environment::Production);
    let suspended = |world: &World| world.workers[0].worker.status(world.now()).suspended;
    assert_eq!(suspended(&world), 1);
    world.pass(Duration::from_mins(12));
    assert_eq!(suspended(&world), 0, "what was a while ago counts no more");
}

#[test]
fn a_batch_says_what_it_adds_to_the_counters() {
    let mut world = world();
    world.store_works = false;
    let at = world.add(app(1), Lane::Normal, 4);
    world.store_works = true;
    for asked in (0..3).rev() {
        world.answer(0, asked);
    }
    world.store_works = false;
    world.end_all(|sent| if sent.position == 0 { answered(400, "BadTopic") } else { accepted() });
    world.pass(Duration::from_millis(20));
    let batch = world.workers[0].asked.iter().find_map(|asked| match asked {
        world::Asked::Store(batch) => Some(batch),
        _ => None,
    });
    let tallies = batch.unwrap().tallies();
    let tally = tallies[&world.shards[at].key.notification];
    assert_eq!((tally.of(Ending::Accepted), tally.of(Ending::Rejected), tally.dead_letters()), (3, 1, 1));
}
