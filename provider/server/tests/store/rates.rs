//! How often there may be pushes of an app, for a user, to a device.

use std::time::Duration;

use apns_provider_core::{BundleId, CollapseId, PushType, UnixTime};
use apns_provider_server::store::{
    ClaimedShard, Idempotency, NewNotification, Retention, Store, Submission, Submitted, Variants,
};
use apns_provider_server_core::{
    audience::Who,
    idempotency::RequestHash,
    ids::{IdempotencyKey, UserId},
    lanes::Lane,
    limits::{Rate, Rates},
    message::{Composed, Content, Expiry, Message},
    outcome::{Ending, Wait},
    problem::{Code, Field, Problem},
    worker::{Entry, Exception, Fate, Rest, ShardKey},
};

use crate::support::{LEASE, ME, NOW, OTHER, TestStore, after, on_both, planned, to_tokens, unplanned};

on_both! { TestStore:
    c76_more_pushes_of_an_app_than_may_be_are_refused_until_there_may_be_more,
    c76_more_notifications_for_a_user_than_may_be_are_refused_and_the_user_is_named,
    c76_what_is_refused_or_repeated_costs_nothing,
    c76_processes_share_the_rates_of_apps_and_of_devices,
    c76_a_push_beyond_a_devices_rate_waits_and_is_told_when_it_may_go,
    c76_the_latest_background_push_goes_in_the_place_of_one_that_waits,
    c76_a_push_that_waits_is_looked_at_when_it_expires,
    c76_who_has_paid_does_not_wait_again,
    c76_what_was_taken_is_forgotten_when_all_may_be_had_again,
}

fn rate(count: u32, secs: u64) -> Rate {
    Rate::new(count, Duration::from_secs(secs)).unwrap()
}

fn refused(submitted: Submitted) -> Problem {
    let Submitted::Refused(problem) = submitted else { panic!("it is {submitted:?}") };
    assert_eq!(problem.code(), Code::RateLimited);
    problem
}

impl TestStore {
    fn limited(&self, new: NewNotification, rates: Rates, now: UnixTime) -> Submission {
        Submission { rates, now, ..self.submission(vec![new]) }
    }

    async fn set(&self, settings: &str) {
        self.put_app(self.tenant.id, &self.app.bundle_id, settings, NOW).await.unwrap();
    }

    /// What is due goes back as it does when all that may be sent is.
    async fn rest(&self, shard: &ClaimedShard) {
        let not_before = shard.waits.iter().map(|(_, until)| *until).min().unwrap();
        let rest = Rest::Until { not_before, rounds: 0 };
        self.release_shards(ME, &[(shard.key, rest)], NOW).await.unwrap();
    }
}

fn for_users(at: u16, users: &[&str]) -> NewNotification {
    let users = users.iter().map(|user| UserId::parse(user).unwrap()).collect();
    planned(unplanned(at, Who::Users(users), Lane::Normal))
}

fn background(collapse_id: &str) -> Composed {
    let message = Message {
        push_type: PushType::Background,
        content: Content::Payload(br#"{"aps":{"content-available":1}}"#.as_slice().into()),
        priority: None,
        collapse_id: Some(CollapseId::parse(collapse_id).unwrap()),
        expiry: Expiry::None,
    };
    message.compose(Field::new("message"), &BundleId::parse("com.example.tea").unwrap(), None).unwrap()
}

async fn c76_more_pushes_of_an_app_than_may_be_are_refused_until_there_may_be_more(mut store: TestStore) {
    let rates = Rates { pushes: Some(rate(3, 60)), ..Rates::default() };
    let submit = async |store: &TestStore, at, tokens: &[u32], secs| {
        let submission = store.limited(to_tokens(at, tokens, Lane::Normal), rates, after(secs));
        store.submit(submission).await.unwrap()
    };
    assert_eq!(submit(&store, 1, &[1, 2], 0).await, Submitted::Stored);
    let problem = refused(submit(&store, 2, &[1, 2], 0).await);
    assert_eq!(problem.message(), "there may be 3 pushes of this app within 60s, and there were");
    assert_eq!(problem.retry_after_secs(), Some(20));
    assert_eq!(submit(&store, 3, &[1], 0).await, Submitted::Stored);
    store.reopen().await;
    assert_eq!(refused(submit(&store, 4, &[1], 0).await).retry_after_secs(), Some(20));
    assert_eq!(submit(&store, 5, &[1], 20).await, Submitted::Stored);
    assert_eq!(store.claim(ME, Lane::Normal, after(20)).await.shards.len(), 3);
}

async fn c76_more_notifications_for_a_user_than_may_be_are_refused_and_the_user_is_named(store: TestStore) {
    let rates = Rates { pushes_per_user: Some(rate(1, 60)), ..Rates::default() };
    let submit = async |at, users: &[&str], secs| {
        store.submit(store.limited(for_users(at, users), rates, after(secs))).await.unwrap()
    };
    assert_eq!(submit(1, &["ada"], 0).await, Submitted::Stored);
    let problem = refused(submit(2, &["bob", "ada"], 15).await);
    assert!(problem.message().ends_with("and there were to ada"), "{problem}");
    assert_eq!(problem.retry_after_secs(), Some(45));
    assert_eq!(submit(3, &["bob"], 15).await, Submitted::Stored, "what was refused has cost nothing");
    assert_eq!(submit(4, &["ada"], 60).await, Submitted::Stored);
}

async fn c76_what_is_refused_or_repeated_costs_nothing(store: TestStore) {
    let rates = Rates { pushes: Some(rate(2, 60)), ..Rates::default() };
    let submit = async |at, key: &str| {
        let mut submission = store.limited(to_tokens(at, &[1], Lane::Normal), rates, NOW);
        let key = IdempotencyKey::parse(key).unwrap();
        submission.idempotency = Some(Idempotency { key, request: RequestHash::from_bytes([1; 32]) });
        store.submit(submission).await.unwrap()
    };
    assert_eq!(submit(1, "a").await, Submitted::Stored);
    for at in 2..10 {
        assert!(matches!(submit(at, "a").await, Submitted::Known(_)));
    }
    assert_eq!(submit(10, "b").await, Submitted::Stored);
    refused(submit(11, "c").await);
    assert!(matches!(submit(12, "a").await, Submitted::Known(_)), "however little may be left");
}

async fn c76_processes_share_the_rates_of_apps_and_of_devices(store: TestStore) {
    let other = store.another().await;
    let rates = Rates { pushes: Some(rate(5, 60)), ..Rates::default() };
    let submissions = (0..20).map(|at| {
        let store_of: &Store = if at % 2 == 0 { &store.store } else { &other };
        store_of.submit(store.limited(to_tokens(at, &[7], Lane::Normal), rates, NOW))
    });
    let answers = futures::future::join_all(submissions.map(Box::pin)).await;
    let stored = answers.into_iter().filter(|it| *it == Ok(Submitted::Stored)).count();
    assert_eq!(stored, 5);

    store.set(r#"{"pushes-per-device":{"count":2,"within-secs":60}}"#).await;
    let request = |owner, shards| apns_provider_server::store::ClaimRequest {
        owner,
        lane: Lane::Normal,
        recipients: shards,
        shards,
        except: Vec::new(),
        lease: LEASE,
        now: NOW,
    };
    let claims = (0..6).map(|at| {
        let (store, owner) = if at % 2 == 0 { (&store.store, ME) } else { (&other, OTHER) };
        store.claim_shards(request(owner, 1))
    });
    let mut claimed: Vec<_> = futures::future::try_join_all(claims.map(Box::pin)).await.unwrap();
    claimed.push(store.claim_shards(request(ME, 10)).await.unwrap()); // those that another one had locked
    let shards: Vec<_> = claimed.into_iter().flat_map(|it| it.shards).collect();
    assert_eq!(shards.len(), 5);
    assert_eq!(shards.iter().filter(|it| it.waits.is_empty()).count(), 2, "{shards:?}");
}

async fn c76_a_push_beyond_a_devices_rate_waits_and_is_told_when_it_may_go(store: TestStore) {
    store.set(r#"{"pushes-per-device":{"count":1,"within-secs":60}}"#).await;
    store.take(&to_tokens(1, &[1, 2], Lane::Normal)).await;
    assert_eq!(store.claim_one(ME, Lane::Normal, NOW).await.waits, []);
    store.take(&to_tokens(2, &[2, 3], Lane::Normal)).await;
    let shard = store.claim_one(ME, Lane::Normal, NOW).await;
    assert_eq!(shard.waits, [(0, after(60))], "2 had one, 3 had none");
    let claim = shard.clone().into_claim(&mut Variants::default());
    assert!(matches!(claim.exceptions[..], [(0, Exception::NotBefore(until))] if until == after(60)));
    store.end(ME, shard.key, &[1], Ending::Accepted).await;
    store.rest(&shard).await;
    assert_eq!(store.claim(ME, Lane::Normal, after(59)).await.next_at, Some(after(60)));
    let again = store.claim(OTHER, Lane::Normal, after(60)).await.shards;
    let again = again.iter().find(|it| it.key == shard.key).unwrap();
    assert_eq!((again.waits.as_slice(), again.done.len()), (&[][..], 1));
}

async fn c76_the_latest_background_push_goes_in_the_place_of_one_that_waits(store: TestStore) {
    store.set(r#"{"background-per-device":{"count":1,"within-secs":1200}}"#).await;
    let sync = |at| NewNotification { message: background("sync"), ..to_tokens(at, &[1], Lane::Normal) };
    store.take(&to_tokens(1, &[1], Lane::Normal)).await; // an alert does not count
    let first = store.take(&sync(2)).await;
    assert_eq!(
        store.claim(ME, Lane::Normal, NOW).await.shards.iter().map(|it| it.waits.len()).sum::<usize>(),
        0
    );
    let key = ShardKey { notification: first, number: 0 };
    store.end(ME, key, &[0], Ending::Accepted).await;
    let mut later = Vec::new();
    for at in 3..6 {
        later.push(store.take(&sync(at)).await);
        let shard = store.claim_one(ME, Lane::Normal, NOW).await;
        assert_eq!(shard.waits, [(0, after(1200))]);
        store.rest(&shard).await;
    }
    let shards = store.claim(ME, Lane::Normal, after(1200)).await.shards;
    for id in &later {
        let shard = shards.iter().find(|it| it.key.notification == *id).unwrap();
        let is_latest = *id == later[2];
        assert_eq!((shard.replaced.is_empty(), shard.waits.len()), (is_latest, 0), "{shard:?}");
    }
}

async fn c76_a_push_that_waits_is_looked_at_when_it_expires(store: TestStore) {
    store.set(r#"{"pushes-per-device":{"count":1,"within-secs":60}}"#).await;
    store.take(&to_tokens(1, &[1], Lane::Normal)).await;
    store.claim_one(ME, Lane::Normal, NOW).await;
    let mut short = to_tokens(2, &[1], Lane::Normal);
    short.shards[0].deadline = Expiry::AfterSecs(30).from_start(NOW, PushType::Alert);
    store.take(&short).await;
    let shard = store.claim_one(ME, Lane::Normal, NOW).await;
    assert_eq!(shard.waits, [(0, after(31))], "second 30 is the last one");
    store.rest(&shard).await;
    // What is over takes nothing: the next one has the device's place.
    let late = store.claim(ME, Lane::Normal, after(60)).await.shards;
    let late = late.iter().find(|it| it.key == shard.key).unwrap();
    assert_eq!((late.waits.as_slice(), late.deadline.has_passed(after(60))), (&[][..], true));
    store.take(&to_tokens(3, &[1], Lane::Urgent)).await;
    assert_eq!(store.claim_one(ME, Lane::Urgent, after(60)).await.waits, []);
}

async fn c76_who_has_paid_does_not_wait_again(mut store: TestStore) {
    store.set(r#"{"pushes-per-device":{"count":1,"within-secs":1200}}"#).await;
    store.take(&to_tokens(1, &[1], Lane::Normal)).await;
    let shard = store.claim_one(ME, Lane::Normal, NOW).await;
    store.reopen().await; // the process has died before it sent
    assert_eq!(store.claim_one(OTHER, Lane::Normal, after(60)).await.waits, []);
    let again = store.claim_one(ME, Lane::Normal, after(120)).await;
    assert_eq!((again.key, again.waits.len()), (shard.key, 0));
    // APNs was asked and wants it later.
    let wait = Wait { attempts: 1, until: after(130), why: None, maybe_twice: false };
    store.store_entries(ME, &[Entry { shard: again.key, position: 0, fate: Fate::Wait(wait) }]).await;
    store
        .release_shards(ME, &[(again.key, Rest::Until { not_before: after(130), rounds: 0 })], NOW)
        .await
        .unwrap();
    store.take(&to_tokens(2, &[1], Lane::Normal)).await;
    let shards = store.claim(ME, Lane::Normal, after(130)).await.shards;
    let waits: Vec<usize> = shards.iter().map(|it| it.waits.len()).collect();
    assert_eq!(waits, if shards[0].key == again.key { [0, 1] } else { [1, 0] });
}

async fn c76_what_was_taken_is_forgotten_when_all_may_be_had_again(store: TestStore) {
    let rates = Rates { pushes: Some(rate(1, 60)), ..Rates::default() };
    let submit = async |at, now| {
        store.submit(store.limited(to_tokens(at, &[1], Lane::Normal), rates, now)).await.unwrap()
    };
    assert_eq!(submit(1, NOW).await, Submitted::Stored);
    store.sweep(&Retention::default(), after(59)).await.unwrap();
    refused(submit(2, after(59)).await);
    assert_eq!(store.sweep(&Retention::default(), after(60)).await.unwrap().forgotten, 1);
    assert_eq!(submit(3, after(60)).await, Submitted::Stored);
}
