use apns_provider_server::store::{Cancelled, Retention, Signal, State};
use apns_provider_server_core::{
    audience::Who,
    ids::Label,
    lanes::{Lane, Pace},
    notification::Campaign,
    outcome::Ending,
    worker::Stop,
};

use crate::support::{
    LEASE, ME, NOW, OTHER, TestStore, after, notification_id, on_both, to_tokens, unplanned,
};

on_both! { TestStore:
    campaigns_come_latest_first_with_their_progress,
    what_was_cancelled_ends_so_and_is_not_claimed,
    cancelling_stops_the_plan,
    what_somebody_works_on_is_theirs_to_end,
    a_finished_one_cannot_be_cancelled,
}

async fn campaigns_come_latest_first_with_their_progress(store: TestStore) {
    for at in 1..=3 {
        let mut campaign = to_tokens(at, &[1, 2], Lane::Campaign);
        let label = Label::parse(&format!("number {at}")).unwrap();
        campaign.campaign = Some(Campaign { label: Some(label), pace: Some(Pace::new(500).unwrap()) });
        store.take(&campaign).await;
    }
    store.take(&to_tokens(9, &[1], Lane::Normal)).await;
    let page = store.campaigns(store.app.id, None, 2).await.unwrap();
    assert_eq!(page.iter().map(|it| it.id).collect::<Vec<_>>(), [3, 2].map(notification_id));
    assert_eq!(page[0].campaign.as_ref().unwrap().label.as_ref().unwrap().as_str(), "number 3");
    assert_eq!(page[0].campaign.as_ref().unwrap().pace, Pace::new(500).ok());
    let rest = store.campaigns(store.app.id, Some(page[1].id), 2).await.unwrap();
    assert_eq!(
        rest.iter().map(|it| (it.id, it.counts.planned)).collect::<Vec<_>>(),
        [(notification_id(1), 2)]
    );
    assert!(store.pause_campaign(store.app.id, notification_id(1), true).await.unwrap());
    assert!(!store.pause_campaign(store.app.id, notification_id(9), true).await.unwrap(), "it is none");
    let state = store.notification(store.app.id, notification_id(1)).await.unwrap().unwrap();
    assert_eq!(state.state, State::Paused);
    let (message, audience, _) =
        store.notification_content(store.app.id, notification_id(1)).await.unwrap().unwrap();
    assert_eq!(
        (message, audience),
        (to_tokens(1, &[1, 2], Lane::Campaign).message, to_tokens(1, &[1, 2], Lane::Campaign).audience)
    );
}

async fn what_was_cancelled_ends_so_and_is_not_claimed(store: TestStore) {
    let tokens: Vec<u32> = (0..2500).collect();
    let id = store.take(&to_tokens(1, &tokens, Lane::Campaign)).await;
    let first = store.claim_one_of_many(ME).await;
    store.end(ME, first, &[0, 1], Ending::Accepted).await;
    let mut signals = store.signals();
    assert_eq!(store.cancel(store.app.id, id, after(1)).await.unwrap(), Cancelled::Cancelled);
    while signals.next().await != Some(Signal::Stop(Stop::Cancel(id))) {}
    assert_eq!(store.cancel(store.app.id, id, after(2)).await.unwrap(), Cancelled::TooLate);
    assert!(store.claim(OTHER, Lane::Campaign, after(2)).await.shards.is_empty());
    while store.sweep(&Retention::default(), after(2)).await.unwrap().is_more {}
    let state = store.notification(store.app.id, id).await.unwrap().unwrap();
    assert_eq!((state.state, state.counts.of(Ending::Cancelled)), (State::Cancelling, 1500));
    // The first shard's owner is gone; when its lease ends, the rest of it is cancelled as well.
    assert!(store.claim(OTHER, Lane::Campaign, after(60)).await.shards.is_empty());
    while store.sweep(&Retention::default(), after(61)).await.unwrap().is_more {}
    let state = store.notification(store.app.id, id).await.unwrap().unwrap();
    let counts = state.counts;
    assert_eq!((counts.of(Ending::Cancelled), counts.of(Ending::Accepted)), (2498, 2));
    assert_eq!((state.state, state.finished_at), (State::Finished, Some(after(61))));
    assert_eq!(store.queues(None).await.unwrap(), []);
}

async fn cancelling_stops_the_plan(store: TestStore) {
    store.register(1, "", &[]).await;
    let id = store.take(&unplanned(1, Who::All, Lane::Campaign)).await;
    let plan = store.claim_plan(ME, LEASE, NOW).await.unwrap().unwrap();
    store.cancel(store.app.id, id, after(1)).await.unwrap();
    let mut progress = plan.progress;
    let found = store.find_candidates(plan.app, &plan.plan(), &progress).await.unwrap();
    let shards = plan.plan().step(&mut progress, &found.candidates());
    let stored = store.store_step(ME, id, shards, progress, LEASE, after(1)).await.unwrap();
    assert_eq!(stored, apns_provider_server::store::StepStored::Lost);
    let state = store.notification(store.app.id, id).await.unwrap().unwrap();
    assert_eq!((state.state, state.counts.planned), (State::Finished, 0));
}

async fn what_somebody_works_on_is_theirs_to_end(store: TestStore) {
    let id = store.take(&to_tokens(1, &[1, 2], Lane::Normal)).await;
    let shard = store.claim_one(ME, Lane::Normal, NOW).await.key;
    store.cancel(store.app.id, id, after(1)).await.unwrap();
    let swept = store.sweep(&Retention::default(), after(2)).await.unwrap();
    assert_eq!(swept.cancelled, 0);
    store.end(ME, shard, &[0], Ending::Accepted).await;
    store.end(ME, shard, &[1], Ending::Cancelled).await;
    let state = store.notification(store.app.id, id).await.unwrap().unwrap();
    assert_eq!((state.state, state.counts.of(Ending::Accepted)), (State::Finished, 1));
}

async fn a_finished_one_cannot_be_cancelled(store: TestStore) {
    let id = store.take(&to_tokens(1, &[1], Lane::Normal)).await;
    let shard = store.claim_one(ME, Lane::Normal, NOW).await.key;
    store.end(ME, shard, &[0], Ending::Accepted).await;
    assert_eq!(store.cancel(store.app.id, id, NOW).await.unwrap(), Cancelled::TooLate);
    assert_eq!(store.cancel(store.app.id, notification_id(77), NOW).await.unwrap(), Cancelled::Unknown);
}

impl TestStore {
    /// The first shard of several, and only that.
    async fn claim_one_of_many(
        &self,
        owner: apns_provider_server::store::Owner,
    ) -> apns_provider_server_core::worker::ShardKey {
        let request = apns_provider_server::store::ClaimRequest {
            owner,
            lane: Lane::Campaign,
            recipients: 1,
            shards: 1,
            except: Vec::new(),
            lease: LEASE,
            now: NOW,
        };
        self.claim_shards(request).await.unwrap().shards[0].key
    }
}
