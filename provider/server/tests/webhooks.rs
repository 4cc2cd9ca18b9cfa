//! Webhooks are told: over real sockets, to a small receiver, with a clock that is turned.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

mod webhook_receiver;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use apns_provider::Clock;
use apns_provider_core::{BundleId, UnixTime};
use apns_provider_server::{
    config::Config,
    secrets::{Secret, Vault},
    server::Server,
    store::{App, ClaimedDeliveries, DeliveryRequest, NewWebhook, Owner, Store, StoreSettings, Webhook},
    webhooks::{Deliveries, DeliverySettings},
};
use apns_provider_server_core::{
    device::Environment,
    ids::{Label, TenantName},
    ssrf::Policy,
    tuning::Tuning,
    webhook::{EventKind, News, SigningSecret},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{sync::watch, time::Instant};
use webhook_receiver::{Call, PATIENCE, Receiver, Reply};

/// What a test has.
struct Scene {
    store: Store,
    vault: Arc<Vault>,
    app: App,
    secret: SigningSecret,
    clock: Arc<Turned>,
    tuning: watch::Sender<Tuning>,
    policy: Policy,
    _folder: TempDir,
}

/// A clock that stands until it is turned.
#[derive(Debug)]
struct Turned(AtomicU64);

impl Clock for Turned {
    fn now(&self) -> UnixTime {
        UnixTime::from_millis(self.0.load(Ordering::Relaxed))
    }
}

impl Turned {
    fn turn(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::Relaxed);
    }
}

impl Scene {
    /// With receivers on this machine.
    async fn new() -> Self {
        Self::with(Policy::allowing(&["127.0.0.0/8", "::1"]).unwrap()).await
    }

    async fn with(policy: Policy) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("apns.db");
        let store = Store::open(&StoreSettings::new(path.to_str().unwrap()).unwrap()).await.unwrap();
        let vault = Arc::new(Vault::open(&folder.path().join("secret.key")).unwrap());
        let clock = Arc::new(Turned(AtomicU64::new(1_700_000_000_000)));
        let tenant = store.put_tenant(&TenantName::parse("acme").unwrap(), "{}", clock.now()).await.unwrap();
        let bundle_id = BundleId::parse("com.example.tea").unwrap();
        let app = store.put_app(tenant.now.id, &bundle_id, "{}", clock.now()).await.unwrap().now;
        let secret = SigningSecret::from_random([7; 32]);
        let tuning = watch::Sender::new(Tuning::default());
        Self { store, vault, app, secret, clock, tuning, policy, _folder: folder }
    }

    async fn add(&self, url: &str) -> Webhook {
        let secret = self.secret.to_text();
        let new = NewWebhook {
            tenant: self.app.tenant,
            app: None,
            label: Label::parse("shop").unwrap(),
            url: url.to_owned(),
            secret: self.vault.seal(Secret::Webhook(self.app.tenant), secret.as_bytes()).unwrap(),
            events: json!([EventKind::RemovalsSuspended]).to_string(),
            is_enabled: true,
        };
        self.store.add_webhook(new, self.clock.now()).await.unwrap()
    }

    async fn tell(&self) {
        let news = News::RemovalsSuspended { environment: Environment::Sandbox, invalid: 7, results: 9 };
        self.store.tell_webhooks(self.app.id, news, self.clock.now()).await.unwrap();
    }

    fn start(&self, owner: i64) -> Deliveries {
        let settings = DeliverySettings {
            owner: Owner(owner),
            clock: Arc::clone(&self.clock) as _,
            ..DeliverySettings::new(self.policy.clone())
        };
        let (store, vault) = (self.store.clone(), Arc::clone(&self.vault));
        Deliveries::start(store, vault, self.tuning.subscribe(), settings).unwrap()
    }

    /// Delivers once what is due: what is under way is waited for.
    async fn deliver(&self) {
        stop(&self.start(ME)).await;
    }

    async fn waiting(&self) -> u64 {
        self.store.count_deliveries().await.unwrap()
    }

    async fn claim(&self) -> ClaimedDeliveries {
        let request = DeliveryRequest {
            owner: Owner(99),
            limit: 10,
            each: 10,
            under_way: [].into(),
            lease: Duration::ZERO,
            now: self.clock.now(),
        };
        self.store.claim_deliveries(request).await.unwrap()
    }

    fn is_signed(&self, call: &Call) -> bool {
        call.signed.is_signed_by(&self.secret, self.clock.now(), &call.body)
    }
}

const ME: i64 = 1;
const OTHER: i64 = 2;

async fn stop(deliveries: &Deliveries) {
    deliveries.stop(Instant::now() + PATIENCE).await;
}

#[tokio::test]
async fn an_event_arrives_signed_as_soon_as_it_is_told() {
    let (scene, mut receiver) = (Scene::new().await, Receiver::start().await);
    scene.add(&receiver.url("/hooks/apns?key=1")).await;
    let deliveries = scene.start(ME);
    scene.tell().await;
    let call = receiver.call().await;
    assert_eq!(
        (call.line.as_str(), call.content_type.as_str()),
        ("POST /hooks/apns?key=1", "application/json")
    );
    assert!(scene.is_signed(&call), "{call:?}");
    let body: Value = serde_json::from_slice(&call.body).unwrap();
    let data = json!({ "app": "com.example.tea", "environment": "sandbox", "invalid": 7, "results": 9 });
    let expected = json!({ "type": "removals.suspended", "timestamp": "2023-11-14T22:13:20Z", "data": data });
    assert_eq!(body, expected);
    stop(&deliveries).await;
    assert_eq!(scene.waiting().await, 0, "it is told once");
}

#[tokio::test]
async fn what_failed_is_told_again_when_it_is_time_under_the_same_id() {
    let (scene, mut receiver) = (Scene::new().await, Receiver::start().await);
    scene.add(&receiver.url("/")).await;
    scene.tell().await;
    receiver.answer([Reply::status(500), Reply::status(429).with("retry-after", "60")]);
    scene.deliver().await;
    let first = receiver.call().await;
    let next_at = scene.claim().await.next_at.unwrap();
    let pause = next_at.saturating_since(scene.clock.now());
    assert!((5_000..=5_500).contains(&pause.as_millis()), "{pause:?}");
    scene.clock.turn(pause);
    scene.deliver().await;
    let second = receiver.call().await;
    assert_eq!((&second.signed.id, &second.body), (&first.signed.id, &first.body));
    assert!(second.signed.timestamp > first.signed.timestamp && scene.is_signed(&second));
    let pause = scene.claim().await.next_at.unwrap().saturating_since(scene.clock.now());
    assert!((300_000..=330_000).contains(&pause.as_millis()), "{pause:?}");
    scene.clock.turn(pause);
    scene.deliver().await;
    receiver.call().await;
    assert_eq!(scene.waiting().await, 0);
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_tried_again_later() {
    let scene = Scene::new().await;
    let url = Receiver::start().await.url("/");
    scene.add(&url).await;
    scene.tell().await;
    scene.deliver().await;
    assert!(scene.claim().await.next_at.is_some());
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_told_nothing_more() {
    let (scene, mut receiver) = (Scene::new().await, Receiver::start().await);
    let webhook = scene.add(&receiver.url("/")).await;
    scene.tell().await;
    receiver.answer([Reply::status(410)]);
    scene.deliver().await;
    receiver.call().await;
    let webhook = scene.store.webhook(scene.app.tenant, webhook.id).await.unwrap().unwrap();
    assert!(!webhook.webhook.is_enabled);
    let audit = scene.store.audit(Some(scene.app.tenant), None, 1).await.unwrap();
    let expected = (format!("webhook {}", webhook.id.get()), r#"{"who":"server"}"#.to_owned());
    assert_eq!((audit[0].subject.clone(), audit[0].actor.clone()), expected);
    scene.tell().await;
    assert_eq!(scene.waiting().await, 0);
}

#[tokio::test]
async fn c78_a_redirect_is_not_followed() {
    let (scene, mut receiver) = (Scene::new().await, Receiver::start().await);
    let elsewhere = Receiver::start().await;
    scene.add(&receiver.url("/")).await;
    scene.tell().await;
    receiver.answer([Reply::status(307).with("location", &elsewhere.url("/"))]);
    scene.deliver().await;
    receiver.call().await;
    assert_eq!((receiver.connections(), elsewhere.connections()), (1, 0));
    assert!(scene.claim().await.next_at.is_some(), "it was not told");
}

#[tokio::test]
async fn c78_nothing_that_leads_to_this_machine_is_ever_connected_to() {
    let (scene, receiver) = (Scene::with(Policy::public_only()).await, Receiver::start().await);
    let port = receiver.port();
    // Those that are addresses are refused when a webhook is stored. They may have been stored under another policy.
    let hosts = [
        "https://localhost",
        "https://127.0.0.1",
        "https://[::ffff:127.0.0.1]",
        "https://2130706433",
        "https://0x7f.1",
        "https://127.1",
        "http://localhost",
    ];
    for host in hosts {
        scene.add(&format!("{host}:{port}/")).await;
    }
    scene.tell().await;
    assert_eq!(scene.waiting().await, hosts.len() as u64);
    scene.deliver().await;
    assert_eq!(scene.waiting().await, 0, "they are given up");
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn an_event_survives_a_sender_that_is_killed_in_the_middle() {
    let (scene, mut receiver) = (Scene::new().await, Receiver::start().await);
    scene.add(&receiver.url("/")).await;
    scene.tell().await;
    receiver.answer([Reply::never()]);
    let deliveries = scene.start(ME);
    let first = receiver.call().await;
    drop(deliveries);
    assert_eq!(scene.waiting().await, 1);
    let other = scene.start(OTHER);
    stop(&other).await;
    assert_eq!(receiver.connections(), 1, "the lease is not over");
    scene.clock.turn(Duration::from_mins(1));
    let other = scene.start(OTHER);
    let second = receiver.call().await;
    assert_eq!(second.signed.id, first.signed.id);
    stop(&other).await;
    assert_eq!(scene.waiting().await, 0);
}

#[tokio::test]
async fn what_a_stopped_sender_has_not_finished_is_free_at_once() {
    let (scene, mut receiver) = (Scene::new().await, Receiver::start().await);
    scene.add(&receiver.url("/")).await;
    scene.tell().await;
    receiver.answer([Reply::never()]);
    let deliveries = scene.start(ME);
    receiver.call().await;
    deliveries.stop(Instant::now()).await;
    let claimed = scene.claim().await;
    assert_eq!((claimed.deliveries.len(), claimed.deliveries[0].attempts), (1, 0));
}

#[tokio::test]
async fn no_more_than_was_tuned_are_told_at_once_and_it_is_heeded_at_once() {
    let (scene, mut receiver) = (Scene::new().await, Receiver::start().await);
    scene.add(&receiver.url("/a")).await;
    scene.add(&receiver.url("/b")).await;
    let places = |webhook_deliveries| Tuning { webhook_deliveries, ..Tuning::default() };
    scene.tuning.send_replace(places(1));
    for _ in 0..3 {
        scene.tell().await;
    }
    let deliveries = scene.start(ME);
    for _ in 0..6 {
        receiver.call().await;
    }
    assert_eq!(receiver.most_at_once(), 1);
    scene.tuning.send_replace(places(8));
    receiver.answer([Reply::never(), Reply::never()]);
    scene.tell().await;
    receiver.call().await;
    receiver.call().await;
    assert_eq!(receiver.most_at_once(), 2);
    deliveries.stop(Instant::now()).await;
}

#[tokio::test]
async fn deliveries_are_counted_by_what_came_of_them() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let (_recording, metrics) = (metrics::set_default_local_recorder(&recorder), recorder.handle());
    let (scene, mut receiver) = (Scene::new().await, Receiver::start().await);
    let webhook = scene.add(&receiver.url("/")).await;
    scene.tell().await;
    receiver.answer([Reply::status(500)]);
    scene.deliver().await;
    receiver.call().await;
    scene.tell().await;
    scene.deliver().await;
    receiver.call().await;
    scene.store.remove_webhook(scene.app.tenant, webhook.id).await.unwrap();
    let text = metrics.render();
    for result in ["failed", "delivered", "dropped"] {
        let line = format!("apns_server_webhook_deliveries_total{{result=\"{result}\"}} 1");
        assert!(text.contains(&line), "{line}: {text}");
    }
}

#[tokio::test]
async fn a_whole_server_tells_what_its_api_was_asked_to_tell() {
    let (folder, mut receiver) = (tempfile::tempdir().unwrap(), Receiver::start().await);
    let data_dir = folder.path().join("data");
    let arguments = ["serve", "--data-dir", data_dir.to_str().unwrap(), "--listen", "127.0.0.1:0"];
    let config =
        Config::read(arguments.iter().chain(&["--allow-private-webhooks", "true"]).map(Into::into), &[]);
    let server = Server::start(&config.unwrap(), None).await.unwrap();
    let tls = apns_provider::web_tls();
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap();
    let (address, key) = (server.address(), server.first_key().unwrap().as_str().to_owned());
    let ask = async |method: http::Method, path: &str, body: Value| -> Value {
        let request = client.request(method, format!("http://{address}{path}")).bearer_auth(&key);
        let request = request.header("content-type", "application/json").body(body.to_string());
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    };
    ask(http::Method::PUT, "/v1/apps/com.example.tea", json!({})).await;
    let key = apns_certs::AuthKey::generate(apns_certs::KeyId::new("KEY0000001").unwrap()).unwrap();
    let p8 = json!({ "key": key.to_p8(), "key-id": "KEY0000001", "team-id": "TEAM000001" });
    ask(http::Method::PUT, "/v1/apps/com.example.tea/credentials/sandbox", json!({ "p8": p8 })).await;
    let webhook = json!({ "label": "shop", "url": receiver.url("/"), "events": ["notification.finished"] });
    let added = ask(http::Method::POST, "/v1/webhooks", webhook).await;
    let notification = json!({ "message": { "payload": { "aps": { "alert": "Tea" } } }, "audience": { "users": ["nobody"] } });
    let taken = ask(http::Method::POST, "/v1/apps/com.example.tea/notifications", notification).await;
    let call = receiver.call().await;
    let secret = SigningSecret::parse(added["secret"].as_str().unwrap()).unwrap();
    let at = UnixTime::from_secs(call.signed.timestamp.parse().unwrap());
    assert!(call.signed.is_signed_by(&secret, at, &call.body));
    let body: Value = serde_json::from_slice(&call.body).unwrap();
    assert_eq!(body["data"]["notifications"][0]["id"], taken["id"]);
    let test = format!("/v1/webhooks/{}/test", added["id"].as_str().unwrap());
    let tested = ask(http::Method::POST, &test, json!({})).await;
    let call = receiver.call().await;
    let body: Value = serde_json::from_slice(&call.body).unwrap();
    assert_eq!((json!(call.signed.id), &body["type"]), (tested["id"].clone(), &json!("test")));
    assert!(server.stop().await);
}
