use std::collections::BTreeSet;

use apns_provider_server::store::{StepStored, Variants};
use apns_provider_server_core::{
    audience::{TagExpression, Who},
    device::{Environment, Kind, Registration},
    ids::{DeviceId, Tag, UserId},
    lanes::Lane,
    outcome::Ending,
    plan::{STEP_DEVICES, Want},
    worker::Exception,
};

use crate::support::{
    LEASE, ME, NOW, OTHER, TestStore, after, message, on_both, registration, to_tokens, token, unplanned,
};

on_both! { TestStore:
    an_audience_becomes_shards_of_those_it_means,
    a_planner_that_dies_is_followed_by_another_and_nobody_is_planned_twice,
    tags_are_walked_in_the_order_of_rows,
    named_users_and_tokens_are_found,
    a_plan_waits_for_its_time,
    a_planned_one_replaces_those_before_it,
    who_is_replaced_and_gone_besides_ends_once,
    an_audience_of_nobody_is_finished,
}

fn tag(name: &str) -> Tag {
    Tag::parse(name).unwrap()
}

async fn an_audience_becomes_shards_of_those_it_means(store: TestStore) {
    for at in 1..=25 {
        store.register(at, "", &[]).await;
    }
    let sandbox = Registration { environment: Environment::Sandbox, ..registration(100) };
    store.register_device(store.app.id, sandbox, 20, NOW).await.unwrap();
    let voip = Registration { kind: Kind::Voip, ..registration(101) };
    store.register_device(store.app.id, voip, 20, NOW).await.unwrap();
    let id = store.take(&unplanned(1, Who::All, Lane::Campaign)).await;
    store.plan_all(ME, NOW).await;
    let state = store.notification(store.app.id, id).await.unwrap().unwrap();
    assert_eq!((state.counts.planned, state.counts.unended, state.finished_at), (25, 25, None));
    let shard = store.claim_one(ME, Lane::Campaign, NOW).await;
    let tokens: BTreeSet<_> = shard.recipients.recipients().map(|it| it.device_token()).collect();
    assert_eq!(tokens, (1..=25).map(token).collect());
    assert_eq!(store.claim_plan(ME, LEASE, after(1000)).await.unwrap().map(|it| it.notification), None);
}

async fn a_planner_that_dies_is_followed_by_another_and_nobody_is_planned_twice(store: TestStore) {
    store.register(1, "", &[]).await;
    let id = store.take(&unplanned(1, Who::All, Lane::Campaign)).await;
    let plan = store.claim_plan(ME, LEASE, NOW).await.unwrap().unwrap();
    assert!(store.claim_plan(OTHER, LEASE, after(59)).await.unwrap().is_none(), "it is leased");
    let taken_over = store.claim_plan(OTHER, LEASE, after(60)).await.unwrap().unwrap();
    assert_eq!((taken_over.notification, taken_over.progress), (id, plan.progress));
    let step = async |owner, now| {
        let mut progress = plan.progress;
        let found = store.find_candidates(plan.app, &plan.plan(), &progress).await.unwrap();
        let shards = plan.plan().step(&mut progress, &found.candidates());
        store.store_step(owner, id, shards, progress, LEASE, now).await.unwrap()
    };
    assert_eq!(step(ME, after(61)).await, StepStored::Lost);
    assert_eq!(step(OTHER, after(62)).await, StepStored::Stored);
    assert_eq!(step(OTHER, after(63)).await, StepStored::Lost, "it is planned");
    assert_eq!(store.claim_one(ME, Lane::Campaign, after(70)).await.recipients.len(), 1);
}

/// The devices that a plan finds by their tags, by the number in their tokens.
pub(crate) async fn found_by(store: &TestStore, tags: TagExpression) -> Vec<u32> {
    let notification = unplanned(1, Who::Tags(tags), Lane::Campaign);
    let plan = apns_provider_server_core::plan::Plan {
        message: &notification.message,
        audience: &notification.audience,
        schedule: &notification.schedule,
        handed_in: NOW,
        pace: None,
    };
    let want = Want::After { after: DeviceId::new(0), limit: STEP_DEVICES };
    assert_eq!(plan.want(&notification.progress), want);
    let found = store.find_candidates(store.app.id, &plan, &notification.progress).await.unwrap();
    let candidates = found.candidates();
    assert!(candidates.is_sorted_by_key(|it| it.device));
    candidates.iter().map(|it| u32::from_be_bytes(it.token[..4].try_into().unwrap())).collect()
}

async fn tags_are_walked_in_the_order_of_rows(store: TestStore) {
    for at in 1..=60 {
        let mut tags = vec![];
        for (name, every) in [("two", 2), ("three", 3), ("five", 5)] {
            if at % every == 0 {
                tags.push(name);
            }
        }
        store.register(at, "", &tags).await;
    }
    let find = |tags| found_by(&store, tags);
    let both = TagExpression { all: [tag("two"), tag("three")].into(), ..Default::default() };
    assert_eq!(find(both).await, (1..=10).map(|at| at * 6).collect::<Vec<_>>());
    let any = TagExpression {
        any: [tag("three"), tag("five")].into(),
        none: [tag("two")].into(),
        ..Default::default()
    };
    let expected: Vec<u32> = (1..=60).filter(|at| (at % 3 == 0 || at % 5 == 0) && at % 2 != 0).collect();
    assert_eq!(find(any).await, expected);
    let none = TagExpression { none: [tag("two"), tag("three")].into(), ..Default::default() };
    assert_eq!(find(none).await, (1..=60).filter(|at| at % 2 != 0 && at % 3 != 0).collect::<Vec<u32>>());
    // A device that has lost its tag is not among them any more.
    store.register(6, "", &["three"]).await;
    let two = TagExpression { all: [tag("two")].into(), ..Default::default() };
    assert_eq!(find(two).await.first_chunk(), Some(&[2, 4, 8]));
}

async fn named_users_and_tokens_are_found(store: TestStore) {
    store.register(1, "ada", &[]).await;
    store.register(2, "ada", &[]).await;
    store.register(3, "bob", &[]).await;
    store.register(4, "eve", &[]).await;
    let user = |name: &str| UserId::parse(name).unwrap();
    store.take(&unplanned(1, Who::Users(vec![user("bob"), user("ada"), user("zoe")]), Lane::Normal)).await;
    store.take(&unplanned(2, Who::Tokens(vec![token(4), token(9)]), Lane::Normal)).await;
    store.plan_all(ME, NOW).await;
    let mut shards = store.claim(ME, Lane::Normal, NOW).await.shards;
    shards.sort_by_key(|it| it.key);
    assert_eq!(shards.iter().map(|it| it.recipients.len()).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(shards.iter().map(|it| it.is_for_users).collect::<Vec<_>>(), [true, false]);
    let known: Vec<bool> = shards[1].recipients.recipients().map(|it| it.device.is_some()).collect();
    assert_eq!(known, [true, false]);
}

async fn a_plan_waits_for_its_time(store: TestStore) {
    let mut later = unplanned(1, Who::All, Lane::Campaign);
    later.schedule = apns_provider_server_core::schedule::Schedule::At(after(3600).as_millis());
    store.take(&later).await;
    assert!(store.claim_plan(ME, LEASE, after(3299)).await.unwrap().is_none());
    assert!(store.claim_plan(ME, LEASE, after(3300)).await.unwrap().is_some());
}

async fn a_planned_one_replaces_those_before_it(store: TestStore) {
    store.register(1, "", &[]).await;
    store.register(2, "", &[]).await;
    let collapsing = |at, who| {
        let mut it = unplanned(at, who, Lane::Campaign);
        it.message = message(Some("score"));
        it
    };
    let first = store.take(&collapsing(1, Who::All)).await;
    store.plan_all(ME, NOW).await;
    store.take(&collapsing(2, Who::Tokens(vec![token(2), token(3)]))).await;
    store.plan_all(ME, NOW).await;
    for shard in store.claim(ME, Lane::Campaign, NOW).await.shards {
        let replaced: Vec<_> =
            shard.replaced.iter().map(|at| shard.recipients.recipient(at).unwrap().device_token()).collect();
        let expected = if shard.key.notification == first { vec![token(2)] } else { vec![] };
        assert_eq!(replaced, expected);
    }
}

async fn who_is_replaced_and_gone_besides_ends_once(store: TestStore) {
    store.register(1, "", &[]).await;
    for at in [1, 2] {
        let mut it = unplanned(at, Who::All, Lane::Campaign);
        it.message = message(Some("score"));
        store.take(&it).await;
        store.plan_all(ME, NOW).await;
    }
    store.remove_device(store.source(), &token(1)).await.unwrap();
    let shards = store.claim(ME, Lane::Campaign, NOW).await.shards;
    assert_eq!(shards.len(), 2);
    let mut endings = Vec::new();
    for shard in shards {
        let exceptions = shard.into_claim(&mut Variants::default()).exceptions;
        let [(0, Exception::End(outcome))] = exceptions.as_slice() else { panic!("{exceptions:?}") };
        endings.push(outcome.ending);
    }
    endings.sort();
    assert_eq!(endings, [Ending::Replaced, Ending::Skipped]);
}

async fn an_audience_of_nobody_is_finished(store: TestStore) {
    let id = store.take(&unplanned(1, Who::All, Lane::Campaign)).await;
    let other = store.take(&to_tokens(2, &[1], Lane::Campaign)).await;
    store.plan_all(ME, after(5)).await;
    let state = async |id| store.notification(store.app.id, id).await.unwrap().unwrap();
    assert_eq!((state(id).await.counts.planned, state(id).await.finished_at), (0, Some(after(5))));
    assert_eq!(state(other).await.finished_at, None);
}
