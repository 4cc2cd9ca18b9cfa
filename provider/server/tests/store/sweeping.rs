use apns_provider_server::store::{Idempotency, Retention, Submitted};
use apns_provider_server_core::{
    audit::{Action, Actor, AuditEntry},
    idempotency::RequestHash,
    ids::IdempotencyKey,
    lanes::Lane,
    outcome::{Ending, FinalOutcome},
};

use crate::support::{ME, NOW, OTHER, TestStore, after, final_entry, message, on_both, to_tokens};

const DAY: u64 = 86_400;

on_both! { TestStore:
    what_is_finished_is_forgotten_after_a_while_in_bounded_steps,
    what_is_not_finished_is_never_forgotten,
    a_key_can_be_used_again_after_its_time,
    whom_a_forgotten_one_replaced_is_forgotten_with_it,
}

async fn what_is_finished_is_forgotten_after_a_while_in_bounded_steps(store: TestStore) {
    let tokens: Vec<u32> = (0..10_000).collect();
    let id = store.take(&to_tokens(1, &tokens, Lane::Campaign)).await;
    let outcome = FinalOutcome::unanswered(Ending::Undeliverable, None);
    for shard in store.claim(ME, Lane::Campaign, NOW).await.shards {
        let entries: Vec<_> = (0..1000).map(|at| final_entry(shard.key, at, &outcome)).collect();
        store.store_entries(ME, &entries).await;
    }
    let entry = AuditEntry::new(NOW, Actor::Server, Action::ServerTuned, "it", serde_json::json!({}));
    store.append_audit(None, entry).await.unwrap();
    let retention = Retention::default();
    let early = store.sweep(&retention, after(7 * DAY - 1)).await.unwrap();
    assert!(store.notification(store.app.id, id).await.unwrap().is_some());
    assert!(!early.is_more);
    let mut steps = 0;
    loop {
        steps += 1;
        let swept = store.sweep(&retention, after(7 * DAY)).await.unwrap();
        assert!(swept.forgotten < 30_000, "{swept:?}");
        if !swept.is_more {
            break;
        }
    }
    assert!(steps > 1);
    assert_eq!(store.notification(store.app.id, id).await.unwrap(), None);
    assert_eq!(store.count_dead_letters(store.app.id).await.unwrap(), 0);
    assert_eq!(store.campaigns(store.app.id, None, 10).await.unwrap(), []);
    assert_eq!(store.recent(None, NOW).await.unwrap(), []);
    assert_eq!(store.audit(None, None, 10).await.unwrap().len(), 1);
    store.sweep(&retention, after(365 * DAY)).await.unwrap();
    assert_eq!(store.audit(None, None, 10).await.unwrap(), []);
}

async fn what_is_not_finished_is_never_forgotten(store: TestStore) {
    let id = store.take(&to_tokens(1, &[1, 2], Lane::Normal)).await;
    let shard = store.claim_one(ME, Lane::Normal, NOW).await.key;
    store.end(ME, shard, &[0], Ending::Accepted).await;
    assert!(!store.sweep(&Retention::default(), after(1000 * DAY)).await.unwrap().is_more);
    assert!(store.notification(store.app.id, id).await.unwrap().is_some());
    assert_eq!(store.claim_one(OTHER, Lane::Normal, after(1000 * DAY)).await.done.len(), 1);
}

async fn a_key_can_be_used_again_after_its_time(store: TestStore) {
    let submit = async |at| {
        let mut submission = store.submission(vec![to_tokens(at, &[1], Lane::Normal)]);
        let key = IdempotencyKey::parse("k").unwrap();
        submission.idempotency = Some(Idempotency { key, request: RequestHash::from_bytes([1; 32]) });
        store.submit(submission).await.unwrap()
    };
    assert_eq!(submit(1).await, Submitted::Stored);
    store.sweep(&Retention::default(), after(DAY - 1)).await.unwrap();
    assert!(matches!(submit(2).await, Submitted::Known(_)));
    store.sweep(&Retention::default(), after(DAY)).await.unwrap();
    assert_eq!(submit(3).await, Submitted::Stored);
}

async fn whom_a_forgotten_one_replaced_is_forgotten_with_it(store: TestStore) {
    let collapsing = |at, tokens: &[u32]| {
        let mut it = to_tokens(at, tokens, Lane::Normal);
        it.message = message(Some("score"));
        it
    };
    let first = store.take(&collapsing(1, &[1])).await;
    let second = store.take(&collapsing(2, &[1])).await;
    for shard in store.claim(ME, Lane::Normal, NOW).await.shards {
        store.end(ME, shard.key, &[0], Ending::Accepted).await;
    }
    while store.sweep(&Retention::default(), after(8 * DAY)).await.unwrap().is_more {}
    for id in [first, second] {
        assert_eq!(store.notification(store.app.id, id).await.unwrap(), None);
    }
}
