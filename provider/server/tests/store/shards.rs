use std::collections::BTreeMap;

use apns_provider_server::store::{ClaimRequest, CurrentDevice, LaneState, Variants};
use apns_provider_server_core::{
    audience::Who,
    device::{Environment, Registration},
    ids::UserId,
    lanes::{Lane, Pace},
    notification::{Campaign, Delivery},
    outcome::{Cause, Ending, FinalOutcome, Wait},
    shard::Positions,
    worker::{Entry, Exception, Fate, Rest, Source},
};

use crate::support::{
    LEASE, ME, NOW, OTHER, TestStore, after, final_entry, on_both, planned, registration, to_tokens, token,
    unplanned,
};

on_both! { TestStore:
    c70_a_shard_is_one_owners_until_its_lease_ends,
    c70_what_has_an_outcome_is_not_sent_again_after_a_lease_ended,
    two_processes_never_claim_the_same,
    a_renewed_lease_lasts_and_a_lost_one_is_told,
    a_shard_that_is_given_back_rests_until_it_is_due,
    c79_the_age_of_a_lane_is_that_of_what_is_due_and_nobody_works_on,
    each_app_gets_its_share,
    nothing_of_what_is_paused_or_excepted_is_claimed,
    a_campaign_keeps_its_pace_among_all_processes,
    who_waits_is_told_with_the_shard,
    marks_are_made_before_sending_and_taken_back,
    a_device_that_has_changed_since_is_told,
    as_much_is_claimed_as_was_asked_for,
}

async fn c70_a_shard_is_one_owners_until_its_lease_ends(store: TestStore) {
    store.take(&to_tokens(1, &[1], Lane::Urgent)).await;
    let shard = store.claim_one(ME, Lane::Urgent, NOW).await;
    assert_eq!(shard.bundle_id, store.app.bundle_id);
    let claimed = store.claim(OTHER, Lane::Urgent, after(59)).await;
    assert_eq!((claimed.shards.len(), claimed.next_at), (0, Some(after(60))));
    assert_eq!(store.claim(OTHER, Lane::Normal, after(60)).await.shards.len(), 0, "of another lane");
    assert_eq!(store.claim_one(OTHER, Lane::Urgent, after(60)).await.key, shard.key);
}

async fn c70_what_has_an_outcome_is_not_sent_again_after_a_lease_ended(mut store: TestStore) {
    store.take(&to_tokens(1, &[1, 2, 3], Lane::Normal)).await;
    let shard = store.claim_one(ME, Lane::Normal, NOW).await.key;
    store.end(ME, shard, &[0, 2], Ending::Accepted).await;
    store.reopen().await;
    let again = store.claim_one(OTHER, Lane::Normal, after(60)).await;
    assert_eq!(again.done.iter().collect::<Vec<_>>(), [0, 2]);
    // What the first one still hears counts, once; the second one's does not count again.
    assert_eq!(store.end(ME, shard, &[1], Ending::Accepted).await.stored, 1);
    assert_eq!(store.end(OTHER, shard, &[1, 2], Ending::Rejected).await.stored, 0);
    let state = store.notification(store.app.id, shard.notification).await.unwrap().unwrap();
    assert_eq!((state.counts.of(Ending::Accepted), state.counts.of(Ending::Rejected)), (3, 0));
    assert_eq!(store.claim(OTHER, Lane::Normal, after(600)).await.shards.len(), 0, "it is complete");
}

async fn two_processes_never_claim_the_same(store: TestStore) {
    let other = store.another().await;
    for at in 0..60 {
        store.take(&to_tokens(at, &[at.into()], Lane::Normal)).await;
    }
    let request = |owner| ClaimRequest {
        owner,
        lane: Lane::Normal,
        recipients: 4,
        shards: 4,
        except: Vec::new(),
        lease: LEASE,
        now: NOW,
    };
    let claims = (0..20).map(|at| {
        let (store, owner) = if at % 2 == 0 { (&store.store, ME) } else { (&other, OTHER) };
        store.claim_shards(request(owner))
    });
    let mut keys: Vec<_> = futures::future::try_join_all(claims.map(Box::pin))
        .await
        .unwrap()
        .into_iter()
        .flat_map(|it| it.shards)
        .map(|it| it.key)
        .collect();
    let all = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!((keys.len(), all), (all, all.min(60)));
    assert!(all >= 40, "{all}");
}

async fn a_renewed_lease_lasts_and_a_lost_one_is_told(store: TestStore) {
    store.take(&to_tokens(1, &[1], Lane::Normal)).await;
    store.take(&to_tokens(2, &[2, 3], Lane::Normal)).await;
    let keys: Vec<_> = store.claim(ME, Lane::Normal, NOW).await.shards.into_iter().map(|it| it.key).collect();
    assert!(store.renew_shards(ME, &keys, LEASE, after(50)).await.unwrap().is_empty());
    assert!(store.claim(OTHER, Lane::Normal, after(109)).await.shards.is_empty());
    assert_eq!(store.renew_shards(OTHER, &keys, LEASE, after(109)).await.unwrap(), keys, "none is theirs");
    let taken = store.claim(OTHER, Lane::Normal, after(110)).await.shards.len();
    assert_eq!(taken, 2);
    assert_eq!(store.renew_shards(ME, &keys, LEASE, after(111)).await.unwrap(), keys);
    let mut with_outcome = keys.clone();
    with_outcome.retain(|key| *key != keys[0]);
    store.end(OTHER, keys[0], &[0], Ending::Accepted).await;
    assert_eq!(
        store.renew_shards(OTHER, &keys, LEASE, after(112)).await.unwrap(),
        [keys[0]],
        "it is complete"
    );
}

async fn a_shard_that_is_given_back_rests_until_it_is_due(store: TestStore) {
    store.take(&to_tokens(1, &[1], Lane::Normal)).await;
    let shard = store.claim_one(ME, Lane::Normal, NOW).await.key;
    let rest = Rest::Until { not_before: after(30), rounds: 2 };
    store.release_shards(OTHER, &[(shard, rest)], after(1)).await.unwrap();
    assert!(store.claim(OTHER, Lane::Normal, after(31)).await.shards.is_empty(), "it was not theirs to give");
    store.release_shards(ME, &[(shard, rest)], after(1)).await.unwrap();
    let claimed = store.claim(OTHER, Lane::Normal, after(29)).await;
    assert_eq!((claimed.shards.len(), claimed.next_at), (0, Some(after(30))));
    assert_eq!(store.claim_one(OTHER, Lane::Normal, after(30)).await.rounds, 2);
    // One that says that it is done, and is not, is not lost.
    store.release_shards(OTHER, &[(shard, Rest::Done)], after(31)).await.unwrap();
    assert_eq!(store.claim_one(ME, Lane::Normal, after(31)).await.rounds, 2);
}

async fn c79_the_age_of_a_lane_is_that_of_what_is_due_and_nobody_works_on(store: TestStore) {
    assert!(store.lanes().await.unwrap().is_empty());
    store.take(&to_tokens(1, &[1], Lane::Normal)).await;
    let first = store.claim_one(ME, Lane::Normal, NOW).await.key;
    let normal = |depth, due_at| LaneState { lane: Lane::Normal, depth, due_at: Some(due_at) };
    assert_eq!(
        store.lanes().await.unwrap(),
        [normal(1, after(60))],
        "somebody works on it, until the lease ends"
    );
    store.take(&to_tokens(2, &[2, 3], Lane::Normal)).await;
    assert_eq!(store.lanes().await.unwrap(), [normal(3, NOW)]);
    store.pause_app(store.app.id, true).await.unwrap();
    let paused = LaneState { lane: Lane::Normal, depth: 3, due_at: None };
    assert_eq!(store.lanes().await.unwrap(), [paused], "nobody is late with what is paused");
    store.pause_app(store.app.id, false).await.unwrap();
    store.take(&to_tokens(3, &[4], Lane::Urgent)).await;
    let lanes = store.lanes().await.unwrap();
    assert_eq!(
        lanes.iter().map(|it| (it.lane, it.depth)).collect::<BTreeMap<_, _>>(),
        [(Lane::Urgent, 1), (Lane::Normal, 3)].into()
    );
    store.end(ME, first, &[0], Ending::Accepted).await;
    assert!(store.lanes().await.unwrap().contains(&normal(2, NOW)));
}

async fn each_app_gets_its_share(store: TestStore) {
    let bundle_id = apns_provider_core::BundleId::parse("com.example.coffee").unwrap();
    let second = store.put_app(store.tenant.id, &bundle_id, "{}", NOW).await.unwrap().now;
    for at in 0..30 {
        store.take(&to_tokens(at, &[1], Lane::Normal)).await;
    }
    let mut submission = store.submission(vec![to_tokens(100, &[1], Lane::Normal)]);
    submission.app = second.id;
    store.submit(submission).await.unwrap();
    let request = ClaimRequest {
        owner: ME,
        lane: Lane::Normal,
        recipients: 10,
        shards: 10,
        except: Vec::new(),
        lease: LEASE,
        now: NOW,
    };
    let claimed = store.claim_shards(request).await.unwrap().shards;
    assert_eq!(claimed.len(), 10, "what one does not need the other gets");
    assert_eq!(claimed.iter().filter(|it| it.source.app == second.id).count(), 1);
}

async fn nothing_of_what_is_paused_or_excepted_is_claimed(store: TestStore) {
    let campaign = store.take(&to_tokens(1, &[1], Lane::Campaign)).await;
    let request = ClaimRequest {
        owner: ME,
        lane: Lane::Campaign,
        recipients: 10,
        shards: 10,
        except: vec![store.source()],
        lease: LEASE,
        now: NOW,
    };
    assert!(store.claim_shards(request.clone()).await.unwrap().shards.is_empty());
    store.pause_app(store.app.id, true).await.unwrap();
    assert!(store.claim(ME, Lane::Campaign, NOW).await.shards.is_empty());
    store.pause_app(store.app.id, false).await.unwrap();
    store.pause_campaign(store.app.id, campaign, true).await.unwrap();
    let claimed = store.claim(ME, Lane::Campaign, NOW).await;
    assert_eq!((claimed.shards.len(), claimed.next_at), (0, None));
    store.pause_campaign(store.app.id, campaign, false).await.unwrap();
    let sandbox = Source { environment: Environment::Sandbox, ..store.source() };
    let claimed = store.claim_shards(ClaimRequest { except: vec![sandbox], ..request }).await.unwrap();
    assert_eq!(claimed.shards.len(), 1);
}

async fn a_campaign_keeps_its_pace_among_all_processes(store: TestStore) {
    let mut campaign = unplanned(1, Who::Tokens((0..15).map(token).collect()), Lane::Campaign);
    campaign.campaign = Some(Campaign { label: None, pace: Some(Pace::new(1).unwrap()) });
    let campaign = planned(campaign);
    assert_eq!(campaign.shards.iter().map(|it| it.recipients).collect::<Vec<_>>(), [5, 5, 5]);
    let id = store.take(&campaign).await;
    let other = store.another().await;
    assert_eq!(store.claim(ME, Lane::Campaign, NOW).await.shards.len(), 1);
    let request = ClaimRequest {
        owner: OTHER,
        lane: Lane::Campaign,
        recipients: 100,
        shards: 100,
        except: Vec::new(),
        lease: LEASE,
        now: after(4),
    };
    let claimed = other.claim_shards(request.clone()).await.unwrap();
    assert_eq!((claimed.shards.len(), claimed.next_at), (0, Some(after(5))));
    assert_eq!(
        other.claim_shards(ClaimRequest { now: after(5), ..request.clone() }).await.unwrap().shards.len(),
        1
    );
    store.set_pace(store.app.id, id, None).await.unwrap();
    assert_eq!(other.claim_shards(ClaimRequest { now: after(6), ..request }).await.unwrap().shards.len(), 1);
}

async fn who_waits_is_told_with_the_shard(store: TestStore) {
    store.take(&to_tokens(1, &[1, 2], Lane::Normal)).await;
    let shard = store.claim_one(ME, Lane::Normal, NOW).await.key;
    let wait = |attempts| Wait {
        attempts,
        until: after(20),
        why: Some(Cause::NoAnswer.into()),
        maybe_twice: attempts == 2,
    };
    let entry = |attempts| Entry { shard, position: 1, fate: Fate::Wait(wait(attempts)) };
    store.store_entries(ME, &[entry(1)]).await;
    store.store_entries(ME, &[entry(2)]).await;
    store.store_entries(OTHER, &[entry(7)]).await;
    store
        .release_shards(ME, &[(shard, Rest::Until { not_before: after(20), rounds: 0 })], NOW)
        .await
        .unwrap();
    let waiting = store.claim_one(OTHER, Lane::Normal, after(20)).await.waiting;
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    let it = waiting[0];
    assert_eq!((it.position, it.attempts, it.until, it.maybe_twice), (1, 2, after(20), true));
}

async fn marks_are_made_before_sending_and_taken_back(store: TestStore) {
    let mut once = to_tokens(1, &[1, 2, 3], Lane::Normal);
    once.delivery = Delivery::AtMostOnce;
    store.take(&once).await;
    let shard = store.claim_one(ME, Lane::Normal, NOW).await;
    assert_eq!(shard.delivery, Delivery::AtMostOnce);
    let shard = shard.key;
    let wait = |position| {
        let wait = Wait { attempts: 1, until: after(5), why: None, maybe_twice: false };
        Entry { shard, position, fate: Fate::Wait(wait) }
    };
    store.store_entries(ME, &[wait(0), wait(1)]).await;
    assert!(store.start_recipients(ME, shard, Positions::from_iter([0, 2])).await.unwrap());
    assert!(store.start_recipients(ME, shard, Positions::from_iter([1])).await.unwrap());
    assert!(!store.start_recipients(OTHER, shard, Positions::from_iter([1])).await.unwrap());
    store.store_entries(OTHER, &[wait(0)]).await;
    store.store_entries(ME, &[wait(2)]).await;
    let again = store.claim_one(OTHER, Lane::Normal, after(60)).await;
    assert_eq!(again.started.iter().collect::<Vec<_>>(), [0, 1]);
    assert_eq!(again.waiting.iter().map(|it| it.position).collect::<Vec<_>>(), [2]);
}

async fn a_device_that_has_changed_since_is_told(store: TestStore) {
    for at in 1..=4 {
        store.register(at, "ada", &[]).await;
    }
    store.take(&unplanned(1, Who::Users(vec![UserId::parse("ada").unwrap()]), Lane::Normal)).await;
    store.plan_all(ME, NOW).await;
    let moved = Registration {
        previous_token: Some(token(2)),
        user: Some(UserId::parse("ada").unwrap()),
        ..registration(20)
    };
    store.register_device(store.app.id, moved, 20, after(1)).await.unwrap();
    store.remove_device(store.source(), &token(3)).await.unwrap();
    let sold = Registration { user: Some(UserId::parse("bob").unwrap()), ..registration(4) };
    let sold = store.register_device(store.app.id, sold, 20, after(1)).await.unwrap().device;
    let shard = store.claim_one(ME, Lane::Normal, after(2)).await;
    let claim = shard.clone().into_claim(&mut Variants::default());
    assert_eq!(claim.variants.len(), 1);
    let mut exceptions = claim.exceptions;
    exceptions.sort_by_key(|(position, _)| *position);
    let [(1, Exception::SendTo(new)), (2, Exception::End(removed)), (3, Exception::End(others))] =
        exceptions.as_slice()
    else {
        panic!("{exceptions:?}")
    };
    assert_eq!(*new, token(20));
    assert_eq!(
        (removed, others),
        (&FinalOutcome::skipped(Cause::DeviceGone), &FinalOutcome::skipped(Cause::DeviceOfOtherUser))
    );
    let mut changed = shard.changed;
    changed.sort_by_key(|(position, _)| *position);
    let [(1, Some(moved)), (2, None), (3, Some(other))] = changed.as_slice() else { panic!("{changed:?}") };
    assert_eq!(&moved.token[..4], 20_u32.to_be_bytes());
    assert_eq!(other, &CurrentDevice { token: other.token.clone(), user_since: sold.record.number });
}

async fn as_much_is_claimed_as_was_asked_for(store: TestStore) {
    let tokens: Vec<u32> = (0..3500).collect();
    store.take(&to_tokens(1, &tokens, Lane::Campaign)).await;
    let claim = |recipients, shards| ClaimRequest {
        owner: ME,
        lane: Lane::Campaign,
        recipients,
        shards,
        except: Vec::new(),
        lease: LEASE,
        now: NOW,
    };
    let counts = async |recipients, shards| {
        let claimed = store.claim_shards(claim(recipients, shards)).await.unwrap();
        claimed.shards.iter().map(|it| it.recipients.len()).collect::<Vec<_>>()
    };
    assert_eq!(counts(1, 10).await, [1000], "the last one may go beyond");
    assert_eq!(counts(1001, 1).await, [1000]);
    assert_eq!(counts(10_000, 10).await, [1000, 500]);
    let outcome = FinalOutcome::unanswered(Ending::Accepted, None);
    let id = store.campaigns(store.app.id, None, 1).await.unwrap()[0].id;
    let shard = apns_provider_server_core::worker::ShardKey { notification: id, number: 0 };
    let entries: Vec<_> = (0..1000).map(|position| final_entry(shard, position, &outcome)).collect();
    assert_eq!(store.store_entries(ME, &entries).await.stored, 1000);
}
