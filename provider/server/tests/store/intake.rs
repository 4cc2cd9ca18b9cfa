use apns_provider_server::store::{Idempotency, Signal, Submission, Submitted, Variants};
use apns_provider_server_core::{
    audience::Who, idempotency::RequestHash, ids::IdempotencyKey, lanes::Lane, limits::QueueBounds,
    outcome::Ending, problem::Code,
};

use crate::support::{ME, NOW, TestStore, after, message, notification_id, on_both, to_tokens, unplanned};

on_both! { TestStore:
    c69_the_same_key_is_taken_once_and_another_body_is_refused,
    c69_the_same_key_at_once_is_taken_once,
    c69_a_key_is_kept_for_a_day_whether_it_is_swept_or_not,
    c68_what_is_too_much_is_refused_and_a_campaign_does_not_count_for_the_others,
    c68_whoever_finds_a_queue_full_comes_back_when_there_is_room_at_its_pace,
    of_many_at_once_each_has_its_answer,
    whoever_waits_for_work_is_woken,
    one_without_recipients_is_finished_at_once,
    a_later_one_with_the_same_collapse_id_replaces_what_is_not_sent,
    a_later_one_that_starts_later_replaces_nothing_before_its_time,
    a_cancelled_one_replaces_nothing,
}

fn with_key(mut submission: Submission, key: &str, body: u8) -> Submission {
    let key = IdempotencyKey::parse(key).unwrap();
    submission.idempotency = Some(Idempotency { key, request: RequestHash::from_bytes([body; 32]) });
    submission
}

async fn c69_the_same_key_is_taken_once_and_another_body_is_refused(mut store: TestStore) {
    let both = vec![to_tokens(1, &[1], Lane::Normal), to_tokens(2, &[2], Lane::Normal)];
    let first = with_key(store.submission(both), "k", 1);
    assert_eq!(store.submit(first.clone()).await.unwrap(), Submitted::Stored);
    store.reopen().await;
    let again = with_key(store.submission(vec![to_tokens(3, &[1], Lane::Normal)]), "k", 1);
    let known = Submitted::Known(vec![notification_id(1), notification_id(2)]);
    assert_eq!(store.submit(again).await.unwrap(), known);
    let other = with_key(store.submission(vec![to_tokens(4, &[1], Lane::Normal)]), "k", 2);
    assert_eq!(store.submit(other).await.unwrap(), Submitted::KeyReused);
    assert_eq!(store.claim(ME, Lane::Normal, NOW).await.shards.len(), 2);
}

async fn c69_the_same_key_at_once_is_taken_once(store: TestStore) {
    let other = store.another().await;
    let submissions = (0..20).map(|at| {
        let submission = with_key(store.submission(vec![to_tokens(at, &[1], Lane::Normal)]), "k", 1);
        if at % 2 == 0 { store.submit(submission) } else { other.submit(submission) }
    });
    let answers = futures::future::join_all(submissions.map(Box::pin)).await;
    let stored = answers.iter().filter(|it| **it == Ok(Submitted::Stored)).count();
    let known = answers.iter().filter(|it| matches!(it, Ok(Submitted::Known(ids)) if ids.len() == 1)).count();
    assert_eq!((stored, known), (1, 19), "{answers:?}");
    assert_eq!(store.claim(ME, Lane::Normal, NOW).await.shards.len(), 1);
}

async fn c69_a_key_is_kept_for_a_day_whether_it_is_swept_or_not(store: TestStore) {
    let submission = |at: u16, secs, body| {
        let mut submission = with_key(store.submission(vec![to_tokens(at, &[1], Lane::Normal)]), "k", body);
        submission.now = after(secs);
        submission
    };
    let submit = async |at, secs, body| store.submit(submission(at, secs, body)).await.unwrap();
    assert_eq!(submit(1, 0, 1).await, Submitted::Stored);
    assert_eq!(submit(2, 86_399, 1).await, Submitted::Known(vec![notification_id(1)]));
    assert_eq!(submit(3, 86_399, 2).await, Submitted::KeyReused);
    // Two processes use it again at once.
    let other = store.another().await;
    let (here, there) = futures::future::join(
        Box::pin(store.submit(submission(4, 86_400, 2))),
        Box::pin(other.submit(submission(5, 86_401, 2))),
    )
    .await;
    let answers = [here.unwrap(), there.unwrap()];
    let first = if answers[0] == Submitted::Stored { 4 } else { 5 };
    assert!(answers.contains(&Submitted::Known(vec![notification_id(first)])), "{answers:?}");
    assert_eq!(submit(6, 86_402, 2).await, Submitted::Known(vec![notification_id(first)]));
    assert_eq!(store.claim(ME, Lane::Normal, NOW).await.shards.len(), 2);
}

async fn c68_what_is_too_much_is_refused_and_a_campaign_does_not_count_for_the_others(store: TestStore) {
    let submit = |at: u16, tokens: &[u32], lane| {
        let mut submission = store.submission(vec![to_tokens(at, tokens, lane)]);
        submission.bounds = QueueBounds { app: 3, tenant: 4 };
        let store = &store;
        async move { store.submit(submission).await.unwrap() }
    };
    assert_eq!(submit(1, &[1, 2, 3], Lane::Campaign).await, Submitted::Stored);
    assert_eq!(submit(2, &[1, 2], Lane::Normal).await, Submitted::Stored);
    let Submitted::Refused(full) = submit(3, &[1, 2], Lane::Normal).await else { panic!("it was taken") };
    assert_eq!((full.code(), full.retry_after_secs()), (Code::QueueFull, Some(1)));
    assert!(
        full.message().starts_with("the app has 2 recipients queued in this lane, and 3 may be"),
        "{full}"
    );
    assert_eq!(submit(4, &[1], Lane::Normal).await, Submitted::Stored);
    assert_eq!(submit(5, &[1], Lane::Urgent).await, Submitted::Stored);
    // What has ended makes room.
    let claimed = store.claim(ME, Lane::Normal, NOW).await;
    let shard = claimed.shards.iter().find(|it| it.recipients.len() == 2).unwrap().key;
    store.end(ME, shard, &[0, 1], Ending::Accepted).await;
    assert_eq!(submit(6, &[1, 2], Lane::Normal).await, Submitted::Stored);
}

async fn c68_whoever_finds_a_queue_full_comes_back_when_there_is_room_at_its_pace(store: TestStore) {
    let submit = async |at: u16, tokens: u32| {
        let tokens: Vec<u32> = (0..tokens).collect();
        let mut submission = store.submission(vec![to_tokens(at, &tokens, Lane::Normal)]);
        submission.bounds = QueueBounds { app: 1000, tenant: 1_000_000 };
        store.submit(submission).await.unwrap()
    };
    assert_eq!(submit(1, 1000).await, Submitted::Stored);
    let shard = store.claim_one(ME, Lane::Normal, NOW).await.key;
    let first: Vec<u16> = (0..400).collect();
    store.end(ME, shard, &first, Ending::Accepted).await;
    let Submitted::Refused(full) = submit(2, 500).await else { panic!("it was taken") };
    // 400 since the minute before this one began, 80 seconds ago, are 5 in a second; and a hundred are too many.
    assert_eq!(full.retry_after_secs(), Some(20));
}

async fn of_many_at_once_each_has_its_answer(store: TestStore) {
    let submissions = (0..200_u16).map(|at| {
        let key = format!("k{}", at % 100);
        store.submit(with_key(store.submission(vec![to_tokens(at, &[at.into()], Lane::Normal)]), &key, 1))
    });
    let answers = futures::future::join_all(submissions).await;
    let stored = answers.iter().filter(|it| **it == Ok(Submitted::Stored)).count();
    assert_eq!(stored, 100);
    assert_eq!(store.claim(ME, Lane::Normal, NOW).await.shards.len(), 100);
}

async fn whoever_waits_for_work_is_woken(store: TestStore) {
    let other_process = store.another().await;
    let mut here = store.signals();
    let mut there = other_process.signals();
    store.take(&to_tokens(1, &[1], Lane::Urgent)).await;
    while here.next().await != Some(Signal::Work(Lane::Urgent)) {}
    if matches!(store.settings.place, apns_provider_server::store::Place::Postgres { .. }) {
        while there.next().await != Some(Signal::Work(Lane::Urgent)) {}
    }
    store.take(&unplanned(2, Who::All, Lane::Campaign)).await;
    while here.next().await != Some(Signal::Plan) {}
}

async fn one_without_recipients_is_finished_at_once(store: TestStore) {
    let mut nobody = to_tokens(1, &[1], Lane::Normal);
    nobody.shards.clear();
    nobody.progress.planned = 0;
    let id = store.take(&nobody).await;
    let state = store.notification(store.app.id, id).await.unwrap().unwrap();
    assert_eq!(state.finished_at, Some(NOW));
}

async fn a_later_one_with_the_same_collapse_id_replaces_what_is_not_sent(store: TestStore) {
    let collapsing = |at, tokens: &[u32]| {
        let mut it = to_tokens(at, tokens, Lane::Normal);
        it.message = message(Some("score"));
        it
    };
    let first = store.take(&collapsing(1, &[1, 2, 3])).await;
    store.take(&collapsing(2, &[2, 3, 4])).await;
    let other_id = store.take(&to_tokens(3, &[1, 2], Lane::Normal)).await;
    for shard in store.claim(ME, Lane::Normal, NOW).await.shards {
        let replaced: Vec<u16> = shard.replaced.iter().collect();
        let expected: &[u16] = if shard.key.notification == first { &[1, 2] } else { &[] };
        assert_eq!(replaced, expected, "{} and not {other_id}", shard.key);
        assert_eq!(shard.into_claim(&mut Variants::default()).exceptions.len(), expected.len());
    }
}

async fn a_later_one_that_starts_later_replaces_nothing_before_its_time(store: TestStore) {
    let collapsing = |at, starts: u64| {
        let mut it = to_tokens(at, &[1], Lane::Normal);
        it.message = message(Some("score"));
        it.shards[0].not_before = after(starts);
        it
    };
    store.take(&collapsing(1, 0)).await;
    store.take(&collapsing(2, 100)).await;
    let claimed = store.claim(ME, Lane::Normal, NOW).await;
    assert_eq!((claimed.shards.len(), claimed.next_at), (1, Some(after(60))), "a lease ends before");
    assert!(claimed.shards[0].replaced.is_empty());
    // Nobody has sent the first one until the second one is due.
    let claimed = store.claim(ME, Lane::Normal, after(100)).await;
    let replaced: Vec<bool> = claimed.shards.iter().map(|it| !it.replaced.is_empty()).collect();
    assert_eq!(replaced, [true, false]);
}

async fn a_cancelled_one_replaces_nothing(store: TestStore) {
    let collapsing = |at| {
        let mut it = to_tokens(at, &[1], Lane::Normal);
        it.message = message(Some("score"));
        it
    };
    store.take(&collapsing(1)).await;
    let second = store.take(&collapsing(2)).await;
    store.cancel(store.app.id, second, NOW).await.unwrap();
    assert!(store.claim_one(ME, Lane::Normal, NOW).await.replaced.is_empty());
}
