//! How a double starts.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use apns_certs::HostName;
use mock_apns_core::{Environment, Profile, Scenario, Settings, TeamId, Transcript, TranscriptProgress};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::{
    MockApns, StartError,
    beginning::{Asked, Beginning},
    clock,
    connection::{self, CONNECTIONS_MAX, PATIENCE, Serve},
    connections::Listening,
    control::{self, About, CONTROL_CONNECTIONS_MAX, Control, Guard},
    data_dir::{Writer, keeper},
    device_gateway::{self, DEVICES_MAX},
    door::Door,
    expectation::Expectations,
    journal_file::JournalFile,
    listener::Listener,
    scenarios,
    shared::Shared,
    tls::{ServerTls, gateway_config},
    wake_up,
    wiretap::Wiretap,
};

/// How a double starts. The defaults suit a test: loopback, free ports, seed 0, nothing kept.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `start`"]
pub struct Builder {
    bind: IpAddr,
    sandbox_port: u16,
    production_port: u16,
    device_port: u16,
    control_port: u16,
    guard: Guard,
    seed: u64,
    settings: Settings,
    host_names: Vec<HostName>,
    fresh_ca: bool,
    state: Option<String>,
    scenario: Option<Scenario>,
    data_dir: Option<PathBuf>,
    trace_frames: bool,
    record: Option<PathBuf>,
    replay: Option<Transcript>,
    patience: Duration,
    wiretap: Option<Arc<dyn Wiretap>>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            sandbox_port: 0,
            production_port: 0,
            device_port: 0,
            control_port: 0,
            guard: Guard::default(),
            seed: 0,
            settings: Settings::default(),
            host_names: Vec::new(),
            fresh_ca: false,
            state: None,
            scenario: None,
            data_dir: None,
            trace_frames: false,
            record: None,
            replay: None,
            patience: PATIENCE,
            wiretap: None,
        }
    }
}

impl Builder {
    /// The address to listen on. Anything but loopback lets other machines in.
    pub fn bind(mut self, address: IpAddr) -> Self {
        self.bind = address;
        self
    }

    /// The ports of sandbox and production; 0 takes a free one.
    pub fn ports(mut self, sandbox: u16, production: u16) -> Self {
        (self.sandbox_port, self.production_port) = (sandbox, production);
        self
    }

    /// The port of the device gateway; 0 takes a free one.
    pub fn device_port(mut self, port: u16) -> Self {
        self.device_port = port;
        self
    }

    /// The port of the control API; 0 takes a free one.
    pub fn control_port(mut self, port: u16) -> Self {
        self.control_port = port;
        self
    }

    /// The bearer token that the control API wants; without one, whoever reaches it may ask.
    pub fn control_token(mut self, token: impl Into<String>) -> Self {
        self.guard.token = Some(token.into());
        self
    }

    /// Host names by which the control API may be asked, beside localhost and addresses.
    pub fn control_hosts(mut self, host_names: Vec<String>) -> Self {
        self.guard.host_names = host_names;
        self
    }

    /// The seed of everything that is chosen at random.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The settings of a profile, in place of those that were given before. To change some of them, hand
    /// [`settings`](Self::settings) those that begin with [`Settings::of`] it.
    pub fn profile(self, profile: Profile) -> Self {
        self.settings(Settings::of(profile))
    }

    /// How the service answers where nobody knows how Apple does, in place of what was given before.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Host names that the server certificate is good for, beside localhost and Apple's.
    pub fn host_names(mut self, host_names: Vec<HostName>) -> Self {
        self.host_names = host_names;
        self
    }

    /// A CA that no other double has: for tests of a client that trusts another. Without it the doubles of a process share
    /// one, and start in a few milliseconds less.
    pub fn fresh_ca(mut self) -> Self {
        self.fresh_ca = true;
        self
    }

    /// Teams, keys, apps, devices, tokens, settings and clocks that are to be there, as TOML or JSON: what `PUT /v1/state` takes,
    /// and docs/state.md has an example of. A mistake in it stops the start.
    pub fn state(mut self, text: impl Into<String>) -> Self {
        self.state = Some(text.into());
        self
    }

    /// A scenario that the ready-made team begins with, after what was declared: of [the library](crate::scenarios), for one. A mistake in
    /// it stops the start. From a [data folder](Self::data_dir) that has kept something, what was played goes on instead.
    pub fn scenario(mut self, scenario: Scenario) -> Self {
        self.scenario = Some(scenario);
        self
    }

    /// A file in which every entry of every journal is written down as it happens, a line of JSON each: for
    /// [`replay`](Self::replay), and for whoever looks into a run. A file that is there is emptied.
    pub fn record(mut self, path: impl Into<PathBuf>) -> Self {
        self.record = Some(path.into());
        self
    }

    /// The answers of another run, to be given again: see [`MockApns::replay`]. From a [data folder](Self::data_dir) that has kept
    /// one that was begun, that goes on instead.
    pub fn replay(mut self, transcript: Transcript) -> Self {
        self.replay = Some(transcript);
        self
    }

    /// A folder in which everything is kept, across restarts and a kill -9; without one, everything is in memory. The first
    /// start makes it, and its CA and keys; each later one has to say the same seed and settings. One double at a time uses it.
    ///
    /// ```
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use mock_apns::MockApns;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// let mock = MockApns::builder().data_dir(folder).start().await?;
    /// let team = mock.create_team("com.example.app")?.id();
    /// mock.stop().await;
    ///
    /// let mock = MockApns::builder().data_dir(folder).start().await?;
    /// assert!(mock.find_team(team).is_some());
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
    /// ```
    pub fn data_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(folder.into());
        self
    }

    /// Logs each HTTP/2 frame of every provider's connection, decoded: for the control API, and to `mock_apns::frames` of the tracing
    /// crate. docs/frames.md has an example. Without it, the control API can switch the log on.
    pub fn trace_frames(mut self) -> Self {
        self.trace_frames = true;
        self
    }

    /// Reads along on every provider's connection, in the clear.
    pub fn wiretap(mut self, wiretap: Arc<dyn Wiretap>) -> Self {
        self.wiretap = Some(wiretap);
        self
    }

    /// How long a provider may keep the double waiting before its connection is cut off, a minute by default: for the rest of a frame
    /// or of a request, and to read on in an answer. A connection on which nothing is under way may be idle for ever. Longer for
    /// whoever stops a provider in a debugger in the middle of a request.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Starts. When this returns, all listeners accept: they are bound before anything is spawned.
    pub async fn start(self) -> Result<MockApns, StartError> {
        let Beginning { certificates, service, ready_made, credentials, writer, is_new } =
            self.beginning()?;
        self.warn_of_chaos();
        let tls = ServerTls::new(&certificates)?;
        let gateway_tls = gateway_config(&certificates)?;
        let log = writer.as_ref().map(Writer::log).cloned();
        let shared = Shared::new(service, log.clone());
        if let Some(log) = &log {
            credentials.start_recording(log.clone());
        }

        let bind = |port, listening| {
            Listener::bind(SocketAddr::new(self.bind, port), listening, shared.entrance().clone())
        };
        let sandbox = bind(self.sandbox_port, Listening::Sandbox).await?;
        let production = bind(self.production_port, Listening::Production).await?;
        let devices = bind(self.device_port, Listening::Devices).await?;
        let control = bind(self.control_port, Listening::Control).await?;

        let (stop, stopped) = watch::channel(false);
        let providers = |environment| {
            let (tls, shared, wiretap) = (tls.clone(), shared.clone(), self.wiretap.clone());
            let to = Serve { environment, tls, shared, patience: self.patience, wiretap };
            move |accepted, stop| connection::serve(accepted, to.clone(), stop)
        };
        let door = |environment| Some(Door { environment, shared: shared.clone() });
        let serve_device = {
            let shared = shared.clone();
            move |accepted, stop| {
                device_gateway::serve(accepted, Arc::clone(&gateway_tls), shared.clone(), stop)
            }
        };
        let team = TeamId::parse(ready_made.team_id).expect("the ready-made identifiers are well-formed");
        let about = About {
            seed: self.seed,
            team,
            sandbox: sandbox.address(),
            production: production.address(),
            device_gateway: devices.address(),
            control: control.address(),
        };
        let api =
            Control::new(shared.clone(), credentials.clone(), certificates.clone(), about, stopped.clone());
        let serve_control = {
            let router = control::router(api.clone(), self.guard.clone());
            move |accepted, stop| control::serve(accepted, router.clone(), stop)
        };
        self.prepare(&shared, &api, team, is_new)?;
        shared.kept().await?;
        let mut helpers = vec![tokio::spawn(wake_up::run(shared.clone()))];
        if let Some(log) = log {
            helpers.push(tokio::spawn(keeper::run(shared.clone(), credentials.clone(), log)));
        }
        Ok(MockApns {
            sandbox: sandbox.address(),
            production: production.address(),
            device_gateway: devices.address(),
            control: control.address(),
            certificates,
            ready_made,
            shared: shared.clone(),
            credentials,
            expectations: Expectations::default(),
            stop,
            listeners: vec![
                tokio::spawn(sandbox.run(
                    CONNECTIONS_MAX,
                    door(Environment::Sandbox),
                    providers(Environment::Sandbox),
                    stopped.clone(),
                )),
                tokio::spawn(production.run(
                    CONNECTIONS_MAX,
                    door(Environment::Production),
                    providers(Environment::Production),
                    stopped.clone(),
                )),
                tokio::spawn(devices.run(DEVICES_MAX, None, serve_device, stopped.clone())),
                tokio::spawn(control.run(CONTROL_CONNECTIONS_MAX, None, serve_control, stopped)),
            ],
            helpers,
            writer,
            api,
        })
    }

    /// Brings what is there at the beginning to what was asked for. `is_new`: nothing was kept from before.
    fn prepare(&self, shared: &Shared, api: &Control, team: TeamId, is_new: bool) -> Result<(), StartError> {
        // Whoever was connected when the folder was left is not any more.
        shared.batch().service().disconnect_all(clock::now());
        shared.batch().connections().0.log_frames_of_all(self.trace_frames);
        if let Some(state) = &self.state {
            api.declare(state).map_err(StartError::State)?;
        }
        self.go_on_replaying(shared);
        self.play(shared, team, is_new)?;
        // Last, so that a start that fails leaves the file of the run before as it is.
        let Some(path) = &self.record else { return Ok(()) };
        let file =
            JournalFile::create(path).map_err(|source| StartError::Record { path: path.clone(), source })?;
        shared.batch().record_to(file);
        Ok(())
    }

    /// Begins the replay that was asked for, unless a folder has kept one that was begun before.
    fn go_on_replaying(&self, shared: &Shared) {
        let mut batch = shared.batch();
        let service = batch.service();
        if service.transcript_progress().is_none() {
            let Some(transcript) = &self.replay else { return };
            service.set_transcript(Some(transcript.clone()));
        }
        let Some(TranscriptProgress { lines, replayed, missing, .. }) = service.transcript_progress() else {
            return;
        };
        info!(
            lines,
            replayed,
            missing,
            "replaying: requests that are in the transcript are answered as they were there"
        );
        if missing > 0 {
            warn!(missing, "entries are missing in the transcript: later answers may come too early");
        }
    }

    fn play(&self, shared: &Shared, team: TeamId, is_new: bool) -> Result<(), StartError> {
        let Some(scenario) = self.scenario.as_ref().filter(|_| is_new) else { return Ok(()) };
        let mut batch = shared.batch();
        let mut team =
            batch.service().team_at(clock::now(), team).expect("the ready-made team was just added");
        team.play(scenario).map_err(|error| StartError::Scenario { name: scenario.name.to_string(), error })
    }

    fn warn_of_chaos(&self) {
        if scenarios::is_hostile(&self.settings) {
            info!(
                seed = self.seed,
                "hostile: things go wrong by chance, for everyone; the same seed and the same requests play it again"
            );
        }
    }

    fn beginning(&self) -> Result<Beginning, StartError> {
        let Self { seed, settings, host_names, fresh_ca, .. } = self;
        let asked = Asked { seed: *seed, settings, host_names, fresh_ca: *fresh_ca };
        match &self.data_dir {
            Some(path) => Beginning::in_folder(path, asked, clock::now()),
            None => Beginning::anew(asked, clock::now()),
        }
    }
}
