use apns_provider_core::Reason;
use apns_provider_server::store::{DeadLetterId, Outcomes, State, Submitted};
use apns_provider_server_core::{
    audience::Who,
    ids::UserId,
    lanes::Lane,
    outcome::{Cause, Ending, FinalOutcome, Why},
    worker::TokenFinding,
};

use crate::support::{
    ME, NOW, OTHER, TestStore, after, final_entry, notification_id, on_both, to_tokens, token, unplanned,
};

on_both! { TestStore:
    c74_each_recipient_has_its_own_outcome,
    an_outcome_is_stored_once_whoever_says_it,
    the_same_outcomes_at_once_count_once,
    outcomes_of_a_device_come_latest_first,
    a_dead_token_is_removed_if_its_registration_is_the_same,
    dead_letters_are_kept_until_they_are_sent_again,
    a_dead_letter_is_sent_again_once,
    the_last_hour_is_counted_by_reason,
    what_is_queued_is_told,
}

fn rejected(reason: &str) -> FinalOutcome {
    let why = Some(Why::Apns(Reason::from_wire(reason)));
    FinalOutcome { status: 400, why, ..FinalOutcome::unanswered(Ending::Rejected, None) }
}

fn accepted() -> FinalOutcome {
    FinalOutcome {
        status: 200,
        apns_unique_id: Some("u-1".into()),
        ..FinalOutcome::unanswered(Ending::Accepted, None)
    }
}

async fn c74_each_recipient_has_its_own_outcome(store: TestStore) {
    for at in 1..=3 {
        store.register(at, "ada", &[]).await;
    }
    let id = store.take(&unplanned(1, Who::Users(vec![UserId::parse("ada").unwrap()]), Lane::Normal)).await;
    store.plan_all(ME, NOW).await;
    let shard = store.claim_one(ME, Lane::Normal, NOW).await.key;
    let late = FinalOutcome {
        maybe_twice: true,
        ..FinalOutcome::unanswered(Ending::Undeliverable, Why::Ours(Cause::NoAnswer))
    };
    let entries = [final_entry(shard, 0, &accepted()), final_entry(shard, 1, &rejected("BadDeviceToken"))];
    store.store_entries(ME, &entries).await;
    let state = store.notification(store.app.id, id).await.unwrap().unwrap();
    assert_eq!((state.state, state.counts.unended, state.counts.ended()), (State::Sending, 1, 2));
    store.store_entries(ME, &[final_entry(shard, 2, &late)]).await;
    let state = store.notification(store.app.id, id).await.unwrap().unwrap();
    assert_eq!((state.state, state.finished_at, state.counts.dead_letters), (State::Finished, Some(NOW), 1));
    let first = store.outcomes(store.app.id, id, None, 2).await.unwrap();
    let rest = store.outcomes(store.app.id, id, Some((0, 1)), 10).await.unwrap();
    let all: Vec<_> = first.into_iter().chain(rest).collect();
    assert_eq!(
        all.iter().map(|it| it.outcome.clone()).collect::<Vec<_>>(),
        [accepted(), rejected("BadDeviceToken"), late]
    );
    assert_eq!(
        all.iter().map(|it| it.token.clone()).collect::<Vec<_>>(),
        (1..=3).map(token).collect::<Vec<_>>()
    );
    let other_app = apns_provider_server_core::ids::AppId::new(999);
    assert_eq!(store.outcomes(other_app, id, None, 10).await.unwrap(), []);
    assert_eq!(store.notification(other_app, id).await.unwrap(), None);
}

async fn an_outcome_is_stored_once_whoever_says_it(store: TestStore) {
    let id = store.take(&to_tokens(1, &[1, 2, 3], Lane::Campaign)).await;
    let shard = store.claim_one(ME, Lane::Campaign, NOW).await.key;
    let entries: Vec<_> = (0..2).map(|at| final_entry(shard, at, &rejected("BadTopic"))).collect();
    assert_eq!(store.store_entries(ME, &entries).await.stored, 2);
    // The batch is handed over again, with one more, since nobody knew whether it was stored.
    let entries: Vec<_> = (0..3).map(|at| final_entry(shard, at, &accepted())).collect();
    let recorded = store.store_entries(ME, &entries).await;
    assert_eq!((recorded.stored, recorded.finished), (1, vec![id]));
    let counts = store.notification(store.app.id, id).await.unwrap().unwrap().counts;
    assert_eq!((counts.of(Ending::Rejected), counts.of(Ending::Accepted), counts.dead_letters), (2, 1, 2));
    assert_eq!(store.count_dead_letters(store.app.id).await.unwrap(), 2);
    assert_eq!(store.queues(None).await.unwrap(), []);
}

async fn the_same_outcomes_at_once_count_once(store: TestStore) {
    let tokens: Vec<u32> = (0..500).collect();
    let id = store.take(&to_tokens(1, &tokens, Lane::Normal)).await;
    let other = store.another().await;
    let shard = store.claim_one(ME, Lane::Normal, NOW).await.key;
    let entries: Vec<_> = (0..500).map(|at| final_entry(shard, at, &accepted())).collect();
    let batches = (0..8_u16).map(|at| {
        let store = if at % 2 == 0 { &store.store } else { &other };
        let entries = &entries[usize::from(at) * 50..usize::from(at) * 50 + 150];
        store.record(Outcomes { owner: ME, entries, dead_tokens: &[], suspects: &[], now: NOW })
    });
    let stored = futures::future::try_join_all(batches.map(Box::pin)).await.unwrap();
    assert_eq!(stored.iter().map(|it| it.stored).sum::<u64>(), 500);
    let counts = store.notification(store.app.id, id).await.unwrap().unwrap().counts;
    assert_eq!((counts.of(Ending::Accepted), counts.unended), (500, 0));
}

async fn outcomes_of_a_device_come_latest_first(store: TestStore) {
    store.register(1, "", &[]).await;
    store.register(2, "", &[]).await;
    for (at, hours) in [(1, 0), (2, 1), (3, 30)] {
        store.take(&unplanned(at, Who::Tokens(vec![token(1), token(2)]), Lane::Normal)).await;
        store.plan_all(ME, NOW).await;
        let shard = store.claim_one(ME, Lane::Normal, NOW).await.key;
        let entries: Vec<_> = (0..2).map(|at| final_entry(shard, at, &accepted())).collect();
        let now = after(hours * 3600);
        let batch = Outcomes { owner: ME, entries: &entries, dead_tokens: &[], suspects: &[], now };
        store.record(batch).await.unwrap();
    }
    let device = store.device(store.source(), &token(2)).await.unwrap().unwrap().id;
    let found = async |since, until| {
        let found = store.outcomes_of_device(store.app.id, device, since, until, 10).await.unwrap();
        assert!(found.iter().all(|it| it.device == Some(device) && it.position == 1));
        found.into_iter().map(|it| it.shard.notification).collect::<Vec<_>>()
    };
    assert_eq!(found(NOW, after(40 * 3600)).await, [3, 2, 1].map(notification_id));
    assert_eq!(found(after(1), after(3600)).await, [notification_id(2)]);
}

async fn a_dead_token_is_removed_if_its_registration_is_the_same(store: TestStore) {
    store.register(1, "ada", &["news"]).await;
    store.register(2, "bob", &["news"]).await;
    let finding = async |at| {
        let device = store.device(store.source(), &token(at)).await.unwrap().unwrap();
        TokenFinding { source: store.source(), device: device.id, number: device.record.number }
    };
    let findings = [finding(1).await, finding(2).await];
    store.register(2, "bob", &["news"]).await;
    let batch = Outcomes { owner: ME, entries: &[], dead_tokens: &findings, suspects: &findings, now: NOW };
    let removed = store.record(batch).await.unwrap().removed;
    assert_eq!(removed.iter().map(|it| it.token.clone()).collect::<Vec<_>>(), [token(1)]);
    assert_eq!(removed[0].user, Some(UserId::parse("ada").unwrap()));
    assert!(store.device(store.source(), &token(2)).await.unwrap().is_some());
}

async fn dead_letters_are_kept_until_they_are_sent_again(store: TestStore) {
    for at in 1..=2 {
        store.take(&to_tokens(at, &[1, 2, 3], Lane::Normal)).await;
        let shard = store.claim_one(ME, Lane::Normal, NOW).await.key;
        let entries = [
            final_entry(shard, 0, &rejected("BadTopic")),
            final_entry(shard, 1, &rejected("BadDeviceToken")),
            final_entry(shard, 2, &rejected("PayloadTooLarge")),
        ];
        store.store_entries(ME, &entries).await;
    }
    let first = store.dead_letters(store.app.id, None, 3).await.unwrap();
    let rest = store.dead_letters(store.app.id, Some(first[2].id), 10).await.unwrap();
    let all: Vec<_> =
        first.iter().chain(&rest).map(|it| (it.id.shard.notification, it.id.position)).collect();
    assert_eq!(all, [(1, 0), (1, 2), (2, 0), (2, 2)].map(|(at, position)| (notification_id(at), position)));
    assert_eq!((first[0].token.clone(), first[0].status), (token(1), 400));
    assert_eq!(first[0].why.as_ref().unwrap().as_str(), "BadTopic");
    assert_eq!(store.remove_dead_letters(store.app.id, &[first[0].id, first[0].id]).await.unwrap(), 1);
    assert_eq!(store.count_dead_letters(store.app.id).await.unwrap(), 3);
}

async fn a_dead_letter_is_sent_again_once(store: TestStore) {
    store.take(&to_tokens(1, &[1], Lane::Normal)).await;
    let shard = store.claim_one(ME, Lane::Normal, NOW).await.key;
    store.store_entries(ME, &[final_entry(shard, 0, &rejected("BadTopic"))]).await;
    let letter = DeadLetterId { shard, position: 0 };
    let other = store.another().await;
    let submissions = (2..10).map(|at| {
        let mut submission = store.submission(vec![to_tokens(at, &[1], Lane::Normal)]);
        submission.replayed = vec![letter];
        if at % 2 == 0 { store.submit(submission) } else { other.submit(submission) }
    });
    let answers = futures::future::join_all(submissions.map(Box::pin)).await;
    assert_eq!(answers.iter().filter(|it| **it == Ok(Submitted::Stored)).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|it| **it == Ok(Submitted::AlreadyReplayed(letter))).count(), 7);
    assert_eq!(store.claim(OTHER, Lane::Normal, NOW).await.shards.len(), 1);
}

async fn the_last_hour_is_counted_by_reason(store: TestStore) {
    store.take(&to_tokens(1, &[1, 2, 3, 4], Lane::Normal)).await;
    let shard = store.claim_one(ME, Lane::Normal, NOW).await.key;
    let mut entries: Vec<_> = (0..3).map(|at| final_entry(shard, at, &accepted())).collect();
    entries.push(final_entry(shard, 3, &rejected("BadTopic")));
    for (entries, now) in [(&entries[..2], NOW), (&entries[2..], after(90))] {
        let batch = Outcomes { owner: ME, entries, dead_tokens: &[], suspects: &[], now };
        store.record(batch).await.unwrap();
    }
    let recent = store.recent(Some(store.tenant.id), NOW).await.unwrap();
    let told: Vec<_> = recent.iter().map(|it| (it.ending, it.status, it.count)).collect();
    assert_eq!(told, [(Ending::Accepted, 200, 3), (Ending::Rejected, 400, 1)]);
    assert_eq!(recent[1].why.as_ref().unwrap().as_str(), "BadTopic");
    assert_eq!(store.recent(None, after(60)).await.unwrap().len(), 2);
    assert_eq!(store.recent(None, after(600)).await.unwrap(), []);
    let nobody = apns_provider_server_core::ids::TenantId::new(999);
    assert_eq!(store.recent(Some(nobody), NOW).await.unwrap(), []);
}

async fn what_is_queued_is_told(store: TestStore) {
    store.take(&to_tokens(1, &[1, 2], Lane::Urgent)).await;
    let campaign = store.take(&to_tokens(2, &[1, 2, 3], Lane::Campaign)).await;
    let mut later = to_tokens(3, &[4], Lane::Urgent);
    later.shards[0].not_before = after(500);
    store.take(&later).await;
    store.pause_campaign(store.app.id, campaign, true).await.unwrap();
    let queues = store.queues(Some(store.tenant.id)).await.unwrap();
    let told: Vec<_> =
        queues.iter().map(|it| (it.lane, it.depth, it.due_at, it.is_paused, it.campaign)).collect();
    assert_eq!(told.len(), 2);
    assert!(told.contains(&(Lane::Urgent, 3, Some(NOW), false, None)), "{told:?}");
    assert!(told.contains(&(Lane::Campaign, 3, Some(NOW), true, Some(campaign))), "{told:?}");
}
