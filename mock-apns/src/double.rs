//! A double that runs: start, addresses, stop.

use std::{future, net::SocketAddr, thread, time::Duration};

use apns_certs::AuthKey;
use mock_apns_core::{BundleId, TeamId, Transcript, TranscriptProgress};
use tokio::{sync::watch, task::JoinHandle};
use tracing::error;

use crate::{
    Builder, Certificates, DataDirError, Device, DeviceError, DeviceOptions, MockTeam, ReadyMade, StartError,
    TeamCreationError,
    control::Control,
    credentials::Credentials,
    data_dir::Writer,
    evidence,
    expectation::{ExpectationError, Expectations},
    journal_file,
    shared::Shared,
};

/// A simulated APNs that listens on this machine. Dropping it closes its listeners and connections;
/// [`stop`](Self::stop) lets connections say goodbye first.
#[derive(Debug)]
pub struct MockApns {
    pub(crate) sandbox: SocketAddr,
    pub(crate) production: SocketAddr,
    pub(crate) device_gateway: SocketAddr,
    pub(crate) control: SocketAddr,
    pub(crate) certificates: Certificates,
    pub(crate) ready_made: ReadyMade,
    pub(crate) shared: Shared,
    pub(crate) credentials: Credentials,
    pub(crate) expectations: Expectations,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) listeners: Vec<JoinHandle<()>>,
    /// What runs beside the listeners, without an end.
    pub(crate) helpers: Vec<JoinHandle<()>>,
    pub(crate) writer: Option<Writer>,
    pub(crate) api: Control,
}

impl MockApns {
    /// Starts a double on free ports of the loopback address.
    ///
    /// ```
    /// # async fn example() -> Result<(), mock_apns::StartError> {
    /// let mock = mock_apns::MockApns::start().await?;
    /// println!("push to https://localhost:{}", mock.sandbox().port());
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
    /// ```
    pub async fn start() -> Result<Self, StartError> {
        Self::builder().start().await
    }

    /// A double that starts otherwise.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Where the sandbox's provider API listens.
    pub fn sandbox(&self) -> SocketAddr {
        self.sandbox
    }

    /// Where production's provider API listens.
    pub fn production(&self) -> SocketAddr {
        self.production
    }

    /// Where the device gateway listens.
    pub fn device_gateway(&self) -> SocketAddr {
        self.device_gateway
    }

    /// Where the control API listens, by plain HTTP: for processes that a test starts.
    pub fn control(&self) -> SocketAddr {
        self.control
    }

    /// How many requests wait at the control API for something to happen, streams of events among them.
    pub fn waiting(&self) -> usize {
        self.api.waiting()
    }

    /// A device of this name, connected and online, in the ready-made team. The name is 1 to 64 printable
    /// ASCII characters; the newest connection of a device wins.
    ///
    /// ```
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use mock_apns::{Environment, MockApns, TokenKind};
    ///
    /// let mock = MockApns::start().await?;
    /// let mut device = mock.device("alice-phone").await?;
    /// let token = device.register("com.example.app", Environment::Sandbox, TokenKind::App).await?;
    /// // Push to `token.token`; then `device.next().await?` is the notification.
    /// # let _ = token;
    /// device.disconnect().await;
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
    /// ```
    pub async fn device(&self, name: &str) -> Result<Device, DeviceError> {
        self.team().device(name).await
    }

    /// How a device of this name connects to this double; to be changed before it does.
    pub fn device_options(&self, name: &str) -> Result<DeviceOptions, DeviceError> {
        self.team().device_options(name)
    }

    /// The ready-made team.
    pub fn team(&self) -> MockTeam {
        let constants = "the ready-made identifiers are well-formed: every start makes a team of them";
        let app = BundleId::parse(self.ready_made.bundle_id).expect(constants);
        let id = TeamId::parse(self.ready_made.team_id).expect(constants);
        self.handle(id, app, self.ready_made.keys[0].key.clone())
    }

    /// Makes a team with a key and this app, for a test that wants to share nothing with others. It takes well under a
    /// millisecond. Teams are called TEAM000001, TEAM000002 and so on, in the order in which they are made.
    pub fn create_team(&self, bundle_id: &str) -> Result<MockTeam, TeamCreationError> {
        let app = BundleId::parse(bundle_id)?;
        let (id, key) = self.credentials.create_team(&self.shared, None, std::slice::from_ref(&app))?;
        Ok(self.handle(id, app, key))
    }

    /// Removes a team and everything that it has: its credentials are good for nothing any more, its devices are sent
    /// away. `false`: it is not there.
    pub fn remove_team(&self, team: &MockTeam) -> bool {
        self.credentials.forget(team.id());
        self.shared.batch().service().remove_team(team.id())
    }

    /// A team that there is already, for one: made over the control API, declared, or kept in a
    /// [data folder](Builder::data_dir). `None`: it is not there, or has no app, or none of its keys was made here.
    pub fn find_team(&self, id: TeamId) -> Option<MockTeam> {
        let mut batch = self.shared.batch();
        let team = batch.service().team(id)?;
        let app = team.apps().next()?.bundle_id.clone();
        let key = team.keys().find_map(|key| self.credentials.get(id, key.id))?;
        Some(self.handle(id, app, key))
    }

    fn handle(&self, id: TeamId, app: BundleId, key: AuthKey) -> MockTeam {
        let (shared, gateway) = (self.shared.clone(), self.device_gateway);
        let (authority, expectations) = (self.certificates.authority().clone(), self.expectations.clone());
        MockTeam { shared, id, app, key, authority, gateway, expectations }
    }

    /// The CA, and certificates of every kind.
    pub fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    /// The team that is there from the start: keys, topics, device tokens.
    pub fn ready_made(&self) -> &ReadyMade {
        &self.ready_made
    }

    /// Checks what tests [expect](MockTeam::expect) of its teams. What is checked is not checked again when the double is
    /// dropped.
    pub fn verify(&self) -> Result<(), ExpectationError> {
        self.expectations.verify(self.shared.batch().service())
    }

    /// The journals of every team, and of what concerns none, as far as they are still there: a line of JSON for each entry. It is what
    /// [`Transcript::parse`] reads.
    pub fn journal(&self) -> String {
        journal_file::lines(self.shared.batch().service())
    }

    /// From now on a request that is in the transcript is answered as it was there, whoever sends it and with whatever credentials;
    /// `None`: none is any more. It is for everyone; docs/replay.md says which requests are the same.
    ///
    /// ```
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use mock_apns::{MockApns, Transcript};
    ///
    /// # let journal = r#"{"event":"refused","reason":"Unregistered","timestamp":1700000000000,":method":"POST",":path":"/3/device/00ff","payload":"{}"}"#;
    /// // let journal = std::fs::read_to_string("run.jsonl")?;
    /// let mock = MockApns::start().await?;
    /// mock.replay(Some(Transcript::parse(journal)?));
    /// assert_eq!(mock.replay_progress().unwrap().lines, 1);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
    /// ```
    pub fn replay(&self, transcript: Option<Transcript>) {
        self.shared.batch().service().set_transcript(transcript);
    }

    /// How far the transcript is gone through, if there is one.
    pub fn replay_progress(&self) -> Option<TranscriptProgress> {
        self.shared.batch().service().transcript_progress()
    }

    /// Says goodbye on every connection (GOAWAY, `{"reason":"Shutdown"}`; `closed` to devices) and returns when
    /// all are closed, after a few seconds at most.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        for listener in std::mem::take(&mut self.listeners) {
            // A listener that panicked has logged it, and has stopped too.
            let _ = listener.await;
        }
        // The next start has nothing to do again, and another version can read it.
        self.shared.batch().checkpoint(&self.credentials);
        if let Err(error) = self.shared.kept().await {
            error!(%error, "what was done last is not kept");
        }
    }

    /// Returns when nothing more can be kept in the [data folder](Builder::data_dir): from then on nothing is answered. Without a
    /// folder it never returns.
    pub async fn failed(&self) -> DataDirError {
        match &self.writer {
            Some(writer) => writer.log().failed().await,
            None => future::pending().await,
        }
    }
}

/// How long whoever drops a double waits for a slow disk to have its journal.
const JOURNAL_WRITTEN_MAX: Duration = Duration::from_secs(5);

impl Drop for MockApns {
    /// Checks what tests expect, and panics with what was not so. A test that fails, for this or any other reason, leaves
    /// the journals behind.
    fn drop(&mut self) {
        for task in self.listeners.iter().chain(&self.helpers) {
            task.abort();
        }
        if let Some(written) = { self.shared.batch().journal_written() } {
            // A writer that has failed has said so, and hangs up. Also a test that fails wants the whole file.
            let _ = written.recv_timeout(JOURNAL_WRITTEN_MAX);
        }
        let is_failing = thread::panicking();
        let unmet = self.verify().err().filter(|_| !is_failing);
        if !is_failing && unmet.is_none() {
            return;
        }
        let mut batch = self.shared.batch();
        let (connections, service) = batch.connections();
        let evidence = match evidence::leave(service, connections) {
            Ok(folder) => format!("what the double has seen is in {}", folder.display()),
            Err(error) => format!("what the double has seen cannot be written down: {error}"),
        };
        drop(batch);
        match unmet {
            Some(unmet) => panic!("{unmet}\n{evidence}"),
            None => tell(&evidence),
        }
    }
}

#[expect(clippy::print_stderr, reason = "a test that fails has no other way to say where to look")]
fn tell(evidence: &str) {
    eprintln!("mock-apns: {evidence}");
}
