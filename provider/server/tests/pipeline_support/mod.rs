//! A double, a store in a file, and pipelines between them.

#![allow(dead_code, reason = "each test file uses some of it")]

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use apns_certs::Purpose;
use apns_provider::{Clock as _, Credential, Endpoint, SystemClock, core::DispatchPolicy};
use apns_provider_core::{BundleId, DeviceToken, UnixTime};
use apns_provider_server::{
    pipeline::{Pipeline, PipelineSettings, Queue, SecretError, Secrets, Services},
    store::{
        NewNotification, NotificationState, RecordedOutcome, State, Store, StoreSettings, Submission,
        Submitted,
    },
};
use apns_provider_server_core::{
    audience::Who,
    device::{Environment, RegistrationRequest},
    ids::{AppId, NotificationId, TenantId, TenantName},
    limits::{QueueBounds, Rates},
    message::Composed,
    notification::{Intake, NotificationRequest},
    outcome::Ending,
    plan::Plan,
    problem::Field,
    worker::Source,
};
use mock_apns::{DeviceId, Filter, MockApns, ReceivedPush, Settings, TokenKind};
use serde_json::{Value, json};

use crate::databases::Database;

/// What a test has.
pub(crate) struct Scene {
    pub(crate) mock: MockApns,
    pub(crate) store: Store,
    pub(crate) tenant: TenantId,
    pub(crate) app: AppId,
    pub(crate) store_settings: StoreSettings,
    _database: Database,
}

/// The app of the double's ready-made team.
pub(crate) const APP: &str = "com.example.app";
/// Longer than anything takes that does happen.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);
/// The newest registration that a user may have beside others.
const DEVICES_PER_USER: u16 = 10;

/// A key is stored as it is: its ID is in the first line.
#[derive(Debug)]
struct Plain {
    team: &'static str,
}

impl Secrets for Plain {
    fn open(&self, _source: Source, secret: &[u8]) -> Result<Credential, SecretError> {
        let text = std::str::from_utf8(secret).map_err(|error| SecretError(error.to_string()))?;
        let (key_id, p8) = text.split_once('\n').ok_or_else(|| SecretError("it has one line".into()))?;
        Credential::from_p8(p8.as_bytes(), key_id, self.team).map_err(|error| SecretError(error.to_string()))
    }
}

pub(crate) fn now() -> UnixTime {
    SystemClock.now()
}

impl Scene {
    pub(crate) async fn on(database: Database) -> Self {
        Self::with(double().await, database).await
    }

    pub(crate) async fn with(mock: MockApns, database: Database) -> Self {
        let store_settings = StoreSettings::new(&database.place).unwrap();
        let store = Store::open(&store_settings).await.unwrap();
        let name = TenantName::parse("acme").unwrap();
        let tenant = store.put_tenant(&name, "{}", now()).await.unwrap().now.id;
        let app = store.put_app(tenant, &bundle_id(), "{}", now()).await.unwrap().now.id;
        let scene = Self { mock, store, tenant, app, store_settings, _database: database };
        scene.put_key(0).await;
        scene
    }

    /// Sets something for the app.
    pub(crate) async fn set(&self, settings: Value) {
        self.store.put_app(self.tenant, &bundle_id(), &settings.to_string(), now()).await.unwrap();
    }

    /// Lets the app authenticate with this one of the team's keys.
    pub(crate) async fn put_key(&self, key: usize) {
        let key = &self.mock.ready_made().keys[key];
        let secret = format!("{}\n{}", key.key_id, key.key.to_p8().as_str());
        self.store.put_credential(self.source(), secret.into_bytes(), "{}", now()).await.unwrap();
    }

    pub(crate) fn source(&self) -> Source {
        Source { app: self.app, environment: Environment::Sandbox }
    }

    pub(crate) fn secrets(&self) -> Arc<dyn Secrets> {
        Arc::new(Plain { team: self.mock.ready_made().team_id })
    }

    /// To the double, with pauses that a test can wait for.
    pub(crate) fn settings(&self) -> PipelineSettings {
        self.settings_to(self.mock.sandbox().port())
    }

    pub(crate) fn settings_to(&self, port: u16) -> PipelineSettings {
        let endpoint = Endpoint::custom("localhost", port).unwrap();
        let ca = self.mock.certificates().authority().root_pem(Purpose::Server);
        let services =
            Services { production: endpoint.clone(), sandbox: endpoint, ca_pem: Some(ca.as_bytes().into()) };
        let dispatch = DispatchPolicy::default().with_spacing(Duration::from_millis(20));
        PipelineSettings { services, dispatch, ..PipelineSettings::default() }
    }

    /// So slow that it can be stopped in the middle of a campaign, on any machine.
    pub(crate) fn slow(&self) -> PipelineSettings {
        let mut settings = self.settings();
        settings.tuning.pushes_per_second = Some(1000);
        settings
    }

    pub(crate) fn pipeline(&self) -> Pipeline {
        self.pipeline_on(self.store.clone(), self.settings())
    }

    pub(crate) fn pipeline_on(&self, queue: impl Queue, settings: PipelineSettings) -> Pipeline {
        Pipeline::start(queue, self.secrets(), settings).unwrap()
    }

    /// Device tokens that the double knows, each of a device of its own.
    pub(crate) fn tokens(&self, prefix: &str, count: usize) -> Vec<String> {
        let app = mock_apns::BundleId::parse(APP).unwrap();
        self.mock.team().at_work(|team| {
            let token = |number: usize| {
                let id = DeviceId::parse(&format!("{prefix}-{number}")).unwrap();
                team.add_device(id.clone()).unwrap();
                team.install(&id, &app, mock_apns::Environment::Sandbox).unwrap();
                team.register(&id, &app, mock_apns::Environment::Sandbox, TokenKind::App).unwrap().to_string()
            };
            (0..count).map(token).collect()
        })
    }

    pub(crate) async fn register(&self, token: &str, user: Option<&str>) {
        self.register_at(token, user, now()).await;
    }

    pub(crate) async fn register_at(&self, token: &str, user: Option<&str>, at: UnixTime) {
        let request = json!({ "environment": "sandbox", "user": user });
        let request: RegistrationRequest = serde_json::from_value(request).unwrap();
        let registration = request.check(token).unwrap();
        self.store.register_device(self.app, registration, DEVICES_PER_USER, at).await.unwrap();
    }

    /// Registers many: several at once share a transaction.
    pub(crate) async fn register_all(&self, tokens: &[String]) {
        use futures::{StreamExt as _, stream};
        stream::iter(tokens).for_each_concurrent(256, |token| self.register(token, None)).await;
    }

    /// Hands in a notification as the API does: named recipients are planned at once.
    pub(crate) async fn submit(&self, request: Value) -> NotificationId {
        let request: NotificationRequest = serde_json::from_value(request).unwrap();
        let intake = request.check(now()).unwrap();
        let new = self.new_notification(intake).await;
        let id = new.id;
        let submission = Submission {
            tenant: self.tenant,
            app: self.app,
            idempotency: None,
            bounds: QueueBounds { app: u64::MAX / 4, tenant: u64::MAX / 4 },
            rates: Rates::default(),
            notifications: vec![new],
            replayed: Vec::new(),
            now: now(),
        };
        assert_eq!(self.store.submit(submission).await.unwrap(), Submitted::Stored);
        id
    }

    async fn new_notification(&self, intake: Intake) -> NewNotification {
        let Intake { message, audience, schedule, lane, delivery, campaign, handed_in } = intake;
        let message: Composed = message.compose(Field::new("message"), &bundle_id(), None).unwrap();
        let pace = campaign.as_ref().and_then(|campaign| campaign.pace);
        let plan = Plan { message: &message, audience: &audience, schedule: &schedule, handed_in, pace };
        let (mut progress, mut shards) = (plan.begin(), Vec::new());
        if matches!(audience.who, Who::Tokens(_) | Who::Users(_)) {
            while !progress.is_complete() {
                let found = self.store.find_candidates(self.app, &plan, &progress).await.unwrap();
                shards.extend(plan.step(&mut progress, &found.candidates()));
            }
        }
        let id = NotificationId::new(handed_in, rand::random());
        NewNotification {
            id,
            message,
            audience,
            schedule,
            lane,
            delivery,
            campaign,
            handed_in,
            shards,
            progress,
        }
    }

    pub(crate) async fn state(&self, id: NotificationId) -> NotificationState {
        self.store.notification(self.app, id).await.unwrap().unwrap()
    }

    /// Waits until each recipient has an outcome.
    pub(crate) async fn finished(&self, id: NotificationId) -> NotificationState {
        self.until(id, |state| state.state == State::Finished).await
    }

    pub(crate) async fn until(
        &self,
        id: NotificationId,
        is_so: impl Fn(&NotificationState) -> bool,
    ) -> NotificationState {
        let began = Instant::now();
        loop {
            let state = self.state(id).await;
            if is_so(&state) {
                return state;
            }
            assert!(began.elapsed() < PATIENCE, "it is still so: {state:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Every outcome of a notification, each once.
    pub(crate) async fn outcomes(&self, id: NotificationId) -> Vec<RecordedOutcome> {
        let mut all: Vec<RecordedOutcome> = Vec::new();
        loop {
            let after = all.last().map(|last| (last.shard.number, last.position));
            let page = self.store.outcomes(self.app, id, after, 1000).await.unwrap();
            if page.is_empty() {
                return all;
            }
            all.extend(page);
        }
    }

    pub(crate) async fn endings(&self, id: NotificationId) -> BTreeMap<Ending, usize> {
        let mut endings = BTreeMap::new();
        for outcome in self.outcomes(id).await {
            *endings.entry(outcome.outcome.ending).or_default() += 1;
        }
        endings
    }

    /// What the double has taken, by apns-id: how often.
    pub(crate) fn taken(&self) -> BTreeMap<String, usize> {
        let mut taken = BTreeMap::new();
        for push in self.pushes() {
            if push.reason.is_none() && push.fault.is_none() {
                *taken.entry(push.apns_id).or_default() += 1;
            }
        }
        taken
    }

    /// Waits until the double has the first push of a notification.
    pub(crate) async fn arrived(&self, id: NotificationId) {
        let filter: Filter = format!("id:{}", id.apns_id(0, 0)).parse().unwrap();
        self.mock.team().wait_for(&filter, 1, PATIENCE).await.unwrap();
    }

    pub(crate) fn pushes(&self) -> Vec<ReceivedPush> {
        self.mock.team().pushes(&Filter::default())
    }

    pub(crate) async fn has_device(&self, token: &str) -> bool {
        let token = DeviceToken::from_hex(token).unwrap();
        self.store.device(self.source(), &token).await.unwrap().is_some()
    }
}

/// A double that remembers every push of a campaign.
pub(crate) async fn double() -> MockApns {
    let mut settings = Settings::default();
    settings.set("journal-entries", "2000000").unwrap();
    MockApns::builder().seed(8).settings(settings).start().await.unwrap()
}

pub(crate) fn bundle_id() -> BundleId {
    BundleId::parse(APP).unwrap()
}

/// A notification to users.
pub(crate) fn to_users(users: &[&str]) -> Value {
    json!({ "message": message(), "audience": { "users": users } })
}

/// A notification to tokens.
pub(crate) fn to_tokens(tokens: &[String]) -> Value {
    json!({ "message": message(), "audience": { "tokens": tokens, "environment": "sandbox" } })
}

/// A campaign to every device.
pub(crate) fn to_all() -> Value {
    json!({ "message": message(), "audience": { "all": true }, "campaign": {} })
}

pub(crate) fn message() -> Value {
    json!({ "payload": { "aps": { "alert": "Hello" } } })
}

/// An urgent one, to tokens.
pub(crate) fn urgent(tokens: &[String]) -> Value {
    let mut request = to_tokens(tokens);
    request["lane"] = json!("urgent");
    request
}
