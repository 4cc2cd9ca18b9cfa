//! A server that is a process, its data, and whoever asks it.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

use apns_certs::Purpose;
use apns_provider_core::UnixTime;
use apns_provider_server::store::{Store, StoreSettings};
use apns_provider_server_core::{device::RegistrationRequest, ids::TenantName};
use mock_apns::{DeviceId, Filter, MockApns, Settings, TokenKind};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::databases::Database;

/// The app of the double's ready-made team.
pub(crate) const APP: &str = "com.example.app";
/// Longer than anything takes that does happen.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);
const PROGRAM: &str = env!("CARGO_BIN_EXE_apns-provider");

/// Houses that there are at once: each has servers that are processes, and a double, and a machine may have two cores.
static HOUSES: Semaphore = Semaphore::const_new(HOUSES_MAX as usize);
const HOUSES_MAX: u32 = 2;

/// What outlives a server.
pub(crate) struct House {
    _room: SemaphorePermit<'static>,
    pub(crate) mock: MockApns,
    folder: TempDir,
    database: Database,
    key: Option<String>,
    /// Variables that servers are started with.
    pub(crate) variables: Vec<(&'static str, String)>,
}

/// A server that runs. It is killed when it is dropped.
pub(crate) struct Running {
    child: Child,
    pub(crate) url: String,
}

impl House {
    /// With this database.
    pub(crate) async fn on(database: Database) -> Self {
        Self::beside(HOUSES_MAX - 1, database).await
    }

    /// With this database, and while there is no other.
    pub(crate) async fn alone(database: Database) -> Self {
        Self::beside(0, database).await
    }

    async fn beside(others: u32, database: Database) -> Self {
        let room = HOUSES.acquire_many(HOUSES_MAX - others).await.unwrap();
        let mut settings = Settings::default();
        settings.set("journal-entries", "2000000").unwrap();
        let mock = MockApns::builder().seed(8).settings(settings).start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let ca = mock.certificates().authority().root_pem(Purpose::Server);
        std::fs::write(folder.path().join("ca.pem"), ca).unwrap();
        Self { _room: room, mock, folder, database, key: None, variables: Vec::new() }
    }

    /// Starts a server whose pushes go to the double.
    pub(crate) fn serve(&mut self) -> Running {
        let port = self.mock.sandbox().port();
        self.serve_to(port, &[])
    }

    /// Starts a server whose pushes go to this port.
    pub(crate) fn serve_to(&mut self, port: u16, more: &[&str]) -> Running {
        let mut child = Command::new(PROGRAM)
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "warn"])
            .args(["--apns", &format!("https://localhost:{port}"), "--apns-ca"])
            .arg(self.folder.path().join("ca.pem"))
            .arg("--data-dir")
            .arg(self.data())
            .args(["--database", &self.database.place])
            .args(more)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut url, mut is_first_start) = (None, self.key.is_none());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        while url.is_none() || is_first_start {
            let line = lines.next().expect("it says where it is, and the first time the key");
            let line = line.trim();
            if let Some(rest) = line.strip_prefix("API") {
                url = rest.trim().split("/v1").next().map(ToOwned::to_owned);
            }
            if let Some(rest) = line.strip_prefix("first key") {
                self.key = Some(rest.trim().to_owned());
                is_first_start = false;
            }
        }
        Running { child, url: url.expect("it says where it is") }
    }

    /// The operator's.
    pub(crate) fn key(&self) -> &str {
        self.key.as_deref().unwrap()
    }

    /// What `/metrics` tells.
    pub(crate) fn metrics(&self, server: &Running) -> String {
        String::from_utf8(self.admin(server, &["health", "metrics"]).stdout).unwrap()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// `apns-provider admin`, as the operator.
    pub(crate) fn admin(&self, server: &Running, arguments: &[&str]) -> Output {
        admin(&server.url, self.key(), arguments)
    }

    /// What it answers, which is good.
    pub(crate) fn asked(&self, server: &Running, arguments: &[&str]) -> Value {
        let output = self.admin(server, arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }

    /// The app, with the double's key.
    pub(crate) fn set_up_app(&self, server: &Running) {
        let key = &self.mock.ready_made().keys[0];
        let credential = json!({
            "p8": { "key": key.key.to_p8().as_str(), "key-id": key.key_id, "team-id": self.mock.ready_made().team_id }
        });
        self.asked(server, &["apps", "put", APP, "--data", "{}"]);
        self.asked(server, &["credentials", "put", APP, "sandbox", "--data", &credential.to_string()]);
    }

    /// Device tokens that the double knows, each of a device of its own.
    pub(crate) fn tokens(&self, count: usize) -> Vec<String> {
        let app = mock_apns::BundleId::parse(APP).unwrap();
        self.mock.team().at_work(|team| {
            let token = |number: usize| {
                let id = DeviceId::parse(&format!("phone-{number}")).unwrap();
                team.add_device(id.clone()).unwrap();
                team.install(&id, &app, mock_apns::Environment::Sandbox).unwrap();
                team.register(&id, &app, mock_apns::Environment::Sandbox, TokenKind::App).unwrap().to_string()
            };
            (0..count).map(token).collect()
        })
    }

    /// Registers devices past the API, while no server runs.
    pub(crate) async fn register(&self, tokens: &[String]) {
        let store = Store::open(&StoreSettings::new(&self.database.place).unwrap()).await.unwrap();
        let tenant = store.tenant(&TenantName::parse("default").unwrap()).await.unwrap().unwrap().id;
        let bundle_id = apns_provider_core::BundleId::parse(APP).unwrap();
        let app = store.app(tenant, &bundle_id).await.unwrap().unwrap().id;
        let now = UnixTime::from_secs(1_700_000_000);
        let registration = |token: &String| {
            let request: RegistrationRequest =
                serde_json::from_value(json!({ "environment": "sandbox" })).unwrap();
            request.check(token).unwrap()
        };
        for tokens in tokens.chunks(1000) {
            let registrations = tokens.iter().map(registration).collect();
            store.register_devices(app, registrations, 10, now).await.unwrap();
        }
        store.close().await;
    }

    /// What the double has taken, by apns-id: how often.
    pub(crate) fn taken(&self) -> BTreeMap<String, usize> {
        let mut taken = BTreeMap::new();
        for push in self.mock.team().pushes(&Filter::default()) {
            if push.reason.is_none() && push.fault.is_none() {
                *taken.entry(push.apns_id).or_default() += 1;
            }
        }
        taken
    }

    /// What a server has had accepted, by its own count.
    pub(crate) fn accepted_by(&self, server: &Running) -> usize {
        let metrics = self.metrics(server);
        let is_it =
            |line: &&str| line.starts_with("apns_provider_pushes_total{") && line.contains("\"accepted\"");
        let line = metrics.lines().find(is_it);
        line.and_then(|line| line.rsplit(' ').next()).map_or(0, |count| count.parse().unwrap())
    }

    /// Waits until each recipient of a notification has an outcome; what is told of it then.
    pub(crate) async fn finished(&self, server: &Running, id: &str) -> Value {
        self.until(server, id, |told| told["state"] == "finished").await
    }

    /// Waits until this is so of what is told of a notification.
    pub(crate) async fn until(&self, server: &Running, id: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let told = self.asked(server, &["notifications", "get", APP, id, "--json"]);
            if is_so(&told) {
                return told;
            }
            assert!(began.elapsed() < PATIENCE, "it is still so: {told}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Running {
    /// The number of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// As `kill -9` does it.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// As a supervisor does it.
    pub(crate) fn terminate(&self) {
        let status = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(status.success());
    }

    pub(crate) fn wait(mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(10)); // no event: it is another process
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended
        let _ = self.child.wait();
    }
}

pub(crate) fn admin(server: &str, key: &str, arguments: &[&str]) -> Output {
    Command::new(PROGRAM)
        .arg("admin")
        .args(arguments)
        .args(["--server", server])
        .env("APNS_PROVIDER_API_KEY", key)
        .output()
        .unwrap()
}

/// A message to tokens.
pub(crate) fn to_tokens(tokens: &[String]) -> String {
    json!({
        "message": { "payload": { "aps": { "alert": "Hello" } } },
        "audience": { "tokens": tokens, "environment": "sandbox" },
    })
    .to_string()
}
