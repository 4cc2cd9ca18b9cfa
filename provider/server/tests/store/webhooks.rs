use std::collections::BTreeMap;

use apns_provider_core::Reason;
use apns_provider_server::store::{
    ClaimedDeliveries, ClaimedDelivery, DeliveryRequest, NewWebhook, Outcomes, Owner, Signal, WAITING_MAX,
    Webhook,
};
use apns_provider_server_core::{
    audience::Who,
    device::Environment,
    ids::{AppId, Label, TenantName},
    lanes::Lane,
    outcome::{Ending, FinalOutcome, Trouble, Whose, Why},
    webhook::{Delivered, EventKind, News},
    worker::TokenFinding,
};
use serde_json::{Value, json};

use crate::support::{
    LEASE, ME, NOW, OTHER, TestStore, after, final_entry, notification_id, on_both, to_tokens, token,
    unplanned,
};

on_both! { TestStore:
    one_batch_is_one_event_for_each_kind_that_somebody_wants,
    only_who_asked_for_it_and_is_enabled_is_told,
    outcomes_that_were_there_before_are_told_once,
    whatever_finishes_a_notification_is_told,
    what_happens_to_an_app_is_told,
    a_delivery_is_one_owners_until_its_lease_is_over,
    a_delivery_comes_back_when_it_is_due_and_goes_when_it_is_done,
    a_slow_webhook_leaves_room_for_others,
    what_waits_for_one_that_is_gone_is_dropped,
    too_much_that_waits_loses_its_oldest,
}

async fn add(store: &TestStore, app: Option<AppId>, events: &[EventKind]) -> Webhook {
    let new = NewWebhook {
        tenant: store.tenant.id,
        app,
        label: Label::parse("shop").unwrap(),
        url: "https://shop.example/apns".into(),
        secret: vec![1],
        events: json!(events).to_string(),
        is_enabled: true,
    };
    store.add_webhook(new, NOW).await.unwrap()
}

fn request(owner: Owner, limit: usize, secs: u64) -> DeliveryRequest {
    let (each, under_way) = (limit, BTreeMap::new());
    DeliveryRequest { owner, limit, each, under_way, lease: LEASE, now: after(secs) }
}

async fn claim(store: &TestStore, owner: Owner, secs: u64) -> ClaimedDeliveries {
    store.claim_deliveries(request(owner, 100, secs)).await.unwrap()
}

/// Everything that is to be delivered: to whom, and what.
async fn told(store: &TestStore) -> Vec<(Webhook, Value)> {
    let claimed = claim(store, ME, 0).await.deliveries;
    claimed.into_iter().map(|it| ((*it.webhook).clone(), serde_json::from_str(&it.body).unwrap())).collect()
}

fn kinds(told: &[(Webhook, Value)]) -> Vec<&str> {
    let mut kinds: Vec<_> = told.iter().map(|(_, body)| body["type"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    kinds
}

fn rejected(reason: &str) -> FinalOutcome {
    let why = Some(Why::Apns(Reason::from_wire(reason)));
    FinalOutcome { status: 400, ..FinalOutcome::unanswered(Ending::Rejected, why) }
}

/// Something that is told: an event for each webhook that wants it.
async fn tell(store: &TestStore) {
    let news = News::RemovalsSuspended { environment: Environment::Production, invalid: 7, results: 9 };
    store.tell_webhooks(store.app.id, news, NOW).await.unwrap();
}

async fn one_batch_is_one_event_for_each_kind_that_somebody_wants(store: TestStore) {
    let webhook = add(&store, None, EventKind::ALL).await;
    store.register(1, "ada", &[]).await;
    store.register(2, "", &[]).await;
    let id = store.take(&unplanned(1, Who::Tokens((1..=3).map(token).collect()), Lane::Normal)).await;
    store.plan_all(ME, NOW).await;
    let shard = store.claim_one(ME, Lane::Normal, NOW).await.key;
    let finding = async |at| {
        let device = store.device(store.source(), &token(at)).await.unwrap().unwrap();
        TokenFinding { source: store.source(), device: device.id, number: device.record.number }
    };
    let (dead, suspect) = (finding(1).await, finding(2).await);
    let mut signals = store.signals();
    let reasons = ["Unregistered", "BadDeviceToken", "BadTopic"];
    let entries: Vec<_> =
        (0..).zip(reasons).map(|(at, reason)| final_entry(shard, at, &rejected(reason))).collect();
    let batch =
        Outcomes { owner: ME, entries: &entries, dead_tokens: &[dead], suspects: &[suspect], now: NOW };
    store.record(batch).await.unwrap();
    while signals.next().await != Some(Signal::Webhooks) {}

    let told = told(&store).await;
    let all =
        ["dead-letters.added", "devices.removed", "devices.suspect", "notification.finished", "outcomes"];
    assert_eq!(kinds(&told), all);
    assert!(told.iter().all(|(whom, body)| *whom == webhook && body["data"]["app"] == "com.example.tea"));
    let data = |kind: &str| told.iter().find(|(_, body)| body["type"] == kind).unwrap().1["data"].clone();
    let removed = json!([{ "token": token(1).as_str(), "environment": "production", "user": "ada" }]);
    assert_eq!(data("devices.removed")["devices"], removed);
    let suspects = json!([{ "token": token(2).as_str(), "environment": "production" }]);
    assert_eq!(data("devices.suspect")["devices"], suspects);
    let finished =
        json!([{ "id": id.to_string(), "recipients": 3, "dead-letters": 1, "ended": { "rejected": 3 } }]);
    assert_eq!(data("notification.finished")["notifications"], finished);
    let letters = data("dead-letters.added")["dead-letters"].as_array().unwrap().clone();
    assert_eq!((letters.len(), &letters[0]["why"]), (1, &json!("BadTopic")));
    let mut tokens: Vec<_> = data("outcomes")["outcomes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["token"].as_str().unwrap().to_owned())
        .collect();
    tokens.sort_unstable();
    assert_eq!(tokens, (1..=3).map(|at| token(at).as_str().to_owned()).collect::<Vec<_>>());
}

async fn only_who_asked_for_it_and_is_enabled_is_told(store: TestStore) {
    let kind = [EventKind::NotificationFinished];
    let of_app = add(&store, Some(store.app.id), &kind).await;
    let of_all = add(&store, None, &kind).await;
    add(&store, None, &[EventKind::DevicesRemoved]).await;
    let bundle_id = apns_provider_core::BundleId::parse("com.example.coffee").unwrap();
    let other_app = store.put_app(store.tenant.id, &bundle_id, "{}", NOW).await.unwrap().now.id;
    add(&store, Some(other_app), &kind).await;
    let disabled = add(&store, None, &kind).await;
    let changed = NewWebhook { is_enabled: false, ..disabled.webhook };
    store.change_webhook(disabled.id, changed).await.unwrap();
    let stranger = store.put_tenant(&TenantName::parse("other").unwrap(), "{}", NOW).await.unwrap().now.id;
    let theirs = NewWebhook { tenant: stranger, ..of_all.webhook.clone() };
    store.add_webhook(theirs, NOW).await.unwrap();

    store.take(&to_tokens(1, &[1], Lane::Normal)).await;
    let shard = store.claim_one(ME, Lane::Normal, NOW).await.key;
    store.end(ME, shard, &[0], Ending::Accepted).await;
    let told = told(&store).await;
    let whom: Vec<_> = told.iter().map(|(webhook, _)| webhook.id).collect();
    assert_eq!(whom, [of_app.id, of_all.id]);
}

async fn outcomes_that_were_there_before_are_told_once(store: TestStore) {
    add(&store, None, &[EventKind::Outcomes]).await;
    store.take(&to_tokens(1, &[1, 2], Lane::Normal)).await;
    let shard = store.claim_one(ME, Lane::Normal, NOW).await.key;
    store.end(ME, shard, &[0], Ending::Accepted).await;
    store.end(ME, shard, &[0, 1], Ending::Expired).await;
    let endings: Vec<_> = told(&store)
        .await
        .iter()
        .flat_map(|(_, body)| body["data"]["outcomes"].as_array().unwrap().clone())
        .map(|outcome| (outcome["token"].clone(), outcome["ending"].clone()))
        .collect();
    let expected =
        [(1, "accepted"), (2, "expired")].map(|(at, ending)| (json!(token(at).as_str()), json!(ending)));
    assert_eq!(endings, expected);
}

async fn whatever_finishes_a_notification_is_told(store: TestStore) {
    add(&store, None, &[EventKind::NotificationFinished]).await;
    // For nobody, as it comes; for nobody, as it turns out; and cancelled before anything was planned.
    store.take(&to_tokens(1, &[], Lane::Normal)).await;
    store.take(&unplanned(2, Who::All, Lane::Campaign)).await;
    store.plan_all(ME, NOW).await;
    store.take(&unplanned(3, Who::All, Lane::Campaign)).await;
    store.cancel(store.app.id, notification_id(3), NOW).await.unwrap();
    let ids: Vec<_> = told(&store)
        .await
        .iter()
        .map(|(_, body)| body["data"]["notifications"][0]["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids, [1, 2, 3].map(|at| notification_id(at).to_string()));
}

async fn what_happens_to_an_app_is_told(store: TestStore) {
    add(&store, None, &[EventKind::AppTroubled]).await;
    let trouble = Trouble {
        whose: Whose::Credential,
        why: Why::Apns(Reason::from_wire("InvalidProviderToken")),
        at_least: std::time::Duration::ZERO,
    };
    let news = News::AppTroubled { environment: Environment::Sandbox, trouble, until: after(60) };
    store.tell_webhooks(store.app.id, news, NOW).await.unwrap();
    tell(&store).await;
    let told = told(&store).await;
    assert_eq!(kinds(&told), ["app.troubled"]);
    let expected = json!({
        "app": "com.example.tea", "environment": "sandbox", "trouble": "credential",
        "why": "InvalidProviderToken", "until": "2023-11-14T22:14:20Z",
    });
    assert_eq!(told[0].1["data"], expected);
}

async fn a_delivery_is_one_owners_until_its_lease_is_over(store: TestStore) {
    add(&store, None, &[EventKind::RemovalsSuspended]).await;
    for _ in 0..20 {
        tell(&store).await;
    }
    // Two processes at once never have the same.
    let other = store.another().await;
    let (mine, theirs) = futures::future::join(
        store.claim_deliveries(request(ME, 10, 0)),
        other.claim_deliveries(request(OTHER, 10, 0)),
    )
    .await;
    let (mine, theirs) = (mine.unwrap(), theirs.unwrap());
    let mut ids: Vec<_> = mine.deliveries.iter().chain(&theirs.deliveries).map(|it| it.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), mine.deliveries.len() + theirs.deliveries.len());
    claim(&store, ME, 0).await;
    let later = claim(&store, OTHER, 0).await;
    assert_eq!((later.deliveries.len(), later.next_at), (0, Some(after(60))));
    assert_eq!(claim(&store, OTHER, 60).await.deliveries.len(), 20);
    // Who had it does not have it any more.
    let first = mine.deliveries.first().unwrap_or_else(|| &theirs.deliveries[0]);
    assert!(!store.end_delivery(ME, first.id, Delivered::Done).await.unwrap());
    assert!(store.end_delivery(OTHER, first.id, Delivered::Done).await.unwrap());
    assert_eq!(store.count_deliveries().await.unwrap(), 19);
}

async fn a_delivery_comes_back_when_it_is_due_and_goes_when_it_is_done(store: TestStore) {
    add(&store, None, &[EventKind::RemovalsSuspended]).await;
    tell(&store).await;
    let one = async |secs| -> ClaimedDelivery {
        let mut claimed = claim(&store, ME, secs).await;
        assert_eq!(claimed.deliveries.len(), 1, "after {secs} s");
        claimed.deliveries.remove(0)
    };
    let first = one(0).await;
    store.release_deliveries(OTHER, &[first.id], NOW).await.unwrap();
    assert_eq!(claim(&store, ME, 0).await.deliveries.len(), 0, "it is not theirs to give back");
    store.release_deliveries(ME, &[first.id], NOW).await.unwrap();
    let again = one(0).await;
    assert_eq!((again.event, again.attempts), (first.event, 0), "it was not tried");
    store.end_delivery(ME, again.id, Delivered::Again { not_before: after(300) }).await.unwrap();
    assert_eq!(claim(&store, ME, 299).await.next_at, Some(after(300)));
    let again = one(300).await;
    assert_eq!((again.event, again.attempts, &again.body), (first.event, 1, &first.body));
    store.end_delivery(ME, again.id, Delivered::GivenUp).await.unwrap();
    assert_eq!(store.count_deliveries().await.unwrap(), 0);
}

async fn a_slow_webhook_leaves_room_for_others(store: TestStore) {
    let slow = add(&store, None, &[EventKind::RemovalsSuspended]).await;
    for _ in 0..5 {
        tell(&store).await;
    }
    let quick = add(&store, None, &[EventKind::RemovalsSuspended]).await;
    tell(&store).await;
    let request = DeliveryRequest { each: 2, under_way: [(slow.id, 1)].into(), ..request(ME, 10, 0) };
    let claimed = store.claim_deliveries(request).await.unwrap();
    let whom: Vec<_> = claimed.deliveries.iter().map(|it| it.webhook.id).collect();
    assert_eq!((whom, claimed.is_more), (vec![slow.id, quick.id], true));
}

async fn what_waits_for_one_that_is_gone_is_dropped(store: TestStore) {
    let [removed, disabled, gone] = [(); 3].map(|()| add(&store, None, &[EventKind::RemovalsSuspended]));
    let (removed, disabled, gone) = (removed.await, disabled.await, gone.await);
    tell(&store).await;
    tell(&store).await;
    assert!(store.remove_webhook(store.tenant.id, removed.id).await.unwrap());
    assert_eq!(store.count_deliveries().await.unwrap(), 4);
    let changed = NewWebhook { is_enabled: false, ..disabled.webhook };
    store.change_webhook(disabled.id, changed).await.unwrap();
    let claimed = claim(&store, ME, 0).await.deliveries;
    assert!(claimed.iter().all(|it| it.webhook.id == gone.id));
    assert_eq!((claimed.len(), store.count_deliveries().await.unwrap()), (2, 2));
    assert!(store.end_delivery(ME, claimed[0].id, Delivered::Disabled).await.unwrap());
    assert_eq!(store.count_deliveries().await.unwrap(), 0);
    assert!(!store.webhook(store.tenant.id, gone.id).await.unwrap().unwrap().webhook.is_enabled);
    tell(&store).await;
    assert_eq!(store.count_deliveries().await.unwrap(), 0, "nobody is told any more");
}

async fn too_much_that_waits_loses_its_oldest(store: TestStore) {
    add(&store, None, &[EventKind::RemovalsSuspended]).await;
    let each: usize = 500;
    let mut first = None;
    for _ in 0..=WAITING_MAX / each {
        let events = (0..each).map(|_| tell(&store));
        futures::future::join_all(events.map(Box::pin)).await;
        if first.is_none() {
            let claimed = store.claim_deliveries(request(ME, each, 0)).await.unwrap();
            first = Some(claimed.deliveries);
        }
    }
    // Of several at once, each drops what it sees.
    tell(&store).await;
    assert_eq!(store.count_deliveries().await.unwrap(), WAITING_MAX as u64);
    for delivery in first.unwrap() {
        assert!(!store.end_delivery(ME, delivery.id, Delivered::Done).await.unwrap(), "it was the oldest");
    }
}
