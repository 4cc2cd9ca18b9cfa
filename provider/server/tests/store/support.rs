//! A store for each test, on both databases.

use std::{ops::Deref, time::Duration};

use apns_provider_core::{BundleId, CollapseId, DeviceToken, PushType, UnixTime};
use apns_provider_server::store::{
    App, ClaimRequest, Claimed, ClaimedShard, NewNotification, Outcomes, Owner, Recorded, Store,
    StoreSettings, Submission, Submitted, Tenant,
};
use apns_provider_server_core::{
    audience::{Audience, Who},
    device::{Environment, Kind, Registration},
    ids::{NotificationId, Tag, TenantName, UserId},
    lanes::Lane,
    limits::{QueueBounds, Rates},
    message::{Composed, Content, Expiry, Message},
    notification::{Campaign, Delivery},
    outcome::{Ending, FinalOutcome},
    plan::Plan,
    problem::Field,
    schedule::Schedule,
    worker::{Entry, Fate, ShardKey, Source},
};

use crate::databases::Database;
pub(crate) use crate::databases::on_both;

pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
pub(crate) const LEASE: Duration = Duration::from_mins(1);
pub(crate) const ME: Owner = Owner(1);
pub(crate) const OTHER: Owner = Owner(2);

/// A store of its own, with an app in it.
pub(crate) struct TestStore {
    pub(crate) store: Store,
    pub(crate) settings: StoreSettings,
    pub(crate) tenant: Tenant,
    pub(crate) app: App,
    _database: Database,
}

impl Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl TestStore {
    pub(crate) async fn on(database: Database) -> Self {
        let settings = StoreSettings { connections: 4, ..StoreSettings::new(&database.place).unwrap() };
        let store = Store::open(&settings).await.unwrap();
        let tenant = store.put_tenant(&TenantName::parse("acme").unwrap(), "{}", NOW).await.unwrap().now;
        let bundle_id = BundleId::parse("com.example.tea").unwrap();
        let app = store.put_app(tenant.id, &bundle_id, "{}", NOW).await.unwrap().now;
        Self { store, settings, tenant, app, _database: database }
    }

    /// The same database, as another process has it.
    pub(crate) async fn another(&self) -> Store {
        Store::open(&self.settings).await.unwrap()
    }

    /// Everything in memory is gone.
    pub(crate) async fn reopen(&mut self) {
        self.store.close().await;
        self.store = Store::open(&self.settings).await.unwrap();
    }

    pub(crate) fn source(&self) -> Source {
        Source { app: self.app.id, environment: Environment::Production }
    }

    pub(crate) async fn register(&self, at: u32, user: &str, tags: &[&str]) {
        let registration = Registration {
            user: (!user.is_empty()).then(|| UserId::parse(user).unwrap()),
            tags: tags.iter().map(|tag| Tag::parse(tag).unwrap()).collect(),
            ..registration(at)
        };
        self.register_device(self.app.id, registration, 20, NOW).await.unwrap();
    }

    pub(crate) fn submission(&self, notifications: Vec<NewNotification>) -> Submission {
        Submission {
            tenant: self.tenant.id,
            app: self.app.id,
            idempotency: None,
            bounds: QueueBounds { app: 1_000_000, tenant: 1_000_000 },
            rates: Rates::default(),
            notifications,
            replayed: Vec::new(),
            now: NOW,
        }
    }

    /// Takes a notification.
    pub(crate) async fn take(&self, notification: &NewNotification) -> NotificationId {
        let submitted = self.submit(self.submission(vec![notification.clone()])).await.unwrap();
        assert_eq!(submitted, Submitted::Stored);
        notification.id
    }

    pub(crate) async fn claim(&self, owner: Owner, lane: Lane, now: UnixTime) -> Claimed {
        let request = ClaimRequest {
            owner,
            lane,
            recipients: 10_000,
            shards: 1000,
            except: Vec::new(),
            lease: LEASE,
            now,
        };
        self.claim_shards(request).await.unwrap()
    }

    /// The only shard there is to claim.
    pub(crate) async fn claim_one(&self, owner: Owner, lane: Lane, now: UnixTime) -> ClaimedShard {
        let mut claimed = self.claim(owner, lane, now).await;
        assert_eq!(claimed.shards.len(), 1, "{claimed:?}");
        claimed.shards.remove(0)
    }

    pub(crate) async fn end(
        &self,
        owner: Owner,
        shard: ShardKey,
        positions: &[u16],
        ending: Ending,
    ) -> Recorded {
        let outcome = FinalOutcome::unanswered(ending, None);
        let entries: Vec<_> =
            positions.iter().map(|position| final_entry(shard, *position, &outcome)).collect();
        self.store_entries(owner, &entries).await
    }

    pub(crate) async fn store_entries(&self, owner: Owner, entries: &[Entry]) -> Recorded {
        let outcomes = Outcomes { owner, entries, dead_tokens: &[], suspects: &[], now: NOW };
        self.record(outcomes).await.unwrap()
    }

    /// Plans what there is to plan.
    pub(crate) async fn plan_all(&self, owner: Owner, now: UnixTime) {
        while let Some(plan) = self.claim_plan(owner, LEASE, now).await.unwrap() {
            let mut progress = plan.progress;
            while !progress.is_complete() {
                let found = self.find_candidates(plan.app, &plan.plan(), &progress).await.unwrap();
                let shards = plan.plan().step(&mut progress, &found.candidates());
                self.store_step(owner, plan.notification, shards, progress, LEASE, now).await.unwrap();
            }
        }
    }
}

/// A schema of its own in the database of this URL.
pub(crate) fn token(at: u32) -> DeviceToken {
    let mut bytes = [0xab; 32];
    bytes[..4].copy_from_slice(&at.to_be_bytes());
    DeviceToken::from_bytes(&bytes).unwrap()
}

pub(crate) fn registration(at: u32) -> Registration {
    Registration {
        token: token(at),
        environment: Environment::Production,
        kind: Kind::Alert,
        user: None,
        locale: None,
        time_zone: None,
        tags: [].into(),
        app_version: None,
        previous_token: None,
    }
}

pub(crate) fn notification_id(at: u16) -> NotificationId {
    let mut random = [0; 10];
    random[8..].copy_from_slice(&at.to_be_bytes());
    NotificationId::new(NOW, random)
}

pub(crate) fn message(collapse_id: Option<&str>) -> Composed {
    let message = Message {
        push_type: PushType::Alert,
        content: Content::Payload(br#"{"aps":{"alert":"Tea is ready"}}"#.as_slice().into()),
        priority: None,
        collapse_id: collapse_id.map(|id| CollapseId::parse(id).unwrap()),
        expiry: Expiry::None,
    };
    message.compose(Field::new("message"), &BundleId::parse("com.example.tea").unwrap(), None).unwrap()
}

/// A notification that is not planned.
pub(crate) fn unplanned(at: u16, who: Who, lane: Lane) -> NewNotification {
    let audience = Audience { who, environment: Some(Environment::Production) };
    let (message, schedule) = (message(None), Schedule::Now);
    let plan =
        Plan { message: &message, audience: &audience, schedule: &schedule, handed_in: NOW, pace: None };
    let progress = plan.begin();
    NewNotification {
        id: notification_id(at),
        message,
        audience,
        schedule,
        lane,
        delivery: Delivery::AtLeastOnce,
        campaign: (lane == Lane::Campaign).then(Campaign::default),
        handed_in: NOW,
        shards: Vec::new(),
        progress,
    }
}

/// A notification for these tokens, which are no devices here.
pub(crate) fn to_tokens(at: u16, tokens: &[u32], lane: Lane) -> NewNotification {
    let tokens = tokens.iter().map(|at| token(*at)).collect();
    planned(unplanned(at, Who::Tokens(tokens), lane))
}

/// With the shards of those who are no devices here.
pub(crate) fn planned(mut notification: NewNotification) -> NewNotification {
    let it = &notification;
    let pace = it.campaign.as_ref().and_then(|campaign| campaign.pace);
    let plan = Plan {
        message: &it.message,
        audience: &it.audience,
        schedule: &it.schedule,
        handed_in: it.handed_in,
        pace,
    };
    let mut progress = plan.begin();
    let mut shards = Vec::new();
    while !progress.is_complete() {
        shards.extend(plan.step(&mut progress, &[]));
    }
    notification.shards = shards;
    notification.progress = progress;
    notification
}

pub(crate) fn final_entry(shard: ShardKey, position: u16, outcome: &FinalOutcome) -> Entry {
    Entry { shard, position, fate: Fate::Final(outcome.clone()) }
}

pub(crate) fn after(secs: u64) -> UnixTime {
    UnixTime::from_secs(NOW.as_secs() + secs)
}
