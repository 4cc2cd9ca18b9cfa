//! A double that runs: start, addresses, stop.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    thread,
};

use apns_certs::{AuthKey, HostName};
use mock_apns_core::{BundleId, Environment, Service, Settings, TeamId};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    Certificates, Device, DeviceError, DeviceOptions, MockTeam, ReadyMade, StartError, TeamCreationError,
    clock,
    connection::{self, CONNECTIONS_MAX},
    control::{self, About, Control, Guard},
    credentials::Credentials,
    device_gateway::{self, DEVICES_MAX},
    es256::verify_es256,
    evidence,
    expectation::{ExpectationError, Expectations},
    listener::Listener,
    shared::Shared,
    tls::{ServerTls, gateway_config},
    wake_up,
};

/// A simulated APNs that listens on this machine. Dropping it closes its listeners and connections;
/// [`stop`](Self::stop) lets connections say goodbye first.
#[derive(Debug)]
pub struct MockApns {
    sandbox: SocketAddr,
    production: SocketAddr,
    device_gateway: SocketAddr,
    control: SocketAddr,
    certificates: Certificates,
    ready_made: ReadyMade,
    shared: Shared,
    credentials: Credentials,
    expectations: Expectations,
    stop: watch::Sender<bool>,
    listeners: Vec<JoinHandle<()>>,
    wake_up: JoinHandle<()>,
    api: Control,
}

/// How a double starts. The defaults suit a test: loopback, free ports, seed 0.
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
        Builder {
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
        }
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

    /// Says goodbye on every connection (GOAWAY, `{"reason":"Shutdown"}`; `closed` to devices) and returns when
    /// all are closed, after a few seconds at most.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        for listener in std::mem::take(&mut self.listeners) {
            // A listener that panicked has logged it, and has stopped too.
            let _ = listener.await;
        }
    }
}

impl Drop for MockApns {
    /// Checks what tests expect, and panics with what was not so. A test that fails, for this or any other reason, leaves
    /// the journals behind.
    fn drop(&mut self) {
        for task in self.listeners.iter().chain([&self.wake_up]) {
            task.abort();
        }
        let is_failing = thread::panicking();
        let unmet = self.verify().err().filter(|_| !is_failing);
        if !is_failing && unmet.is_none() {
            return;
        }
        let evidence = match evidence::leave(self.shared.batch().service()) {
            Ok(folder) => format!("what the double has seen is in {}", folder.display()),
            Err(error) => format!("what the double has seen cannot be written down: {error}"),
        };
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

    /// How the service answers where nobody knows how Apple does.
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

    /// Starts. When this returns, all listeners accept: they are bound before anything is spawned.
    pub async fn start(self) -> Result<MockApns, StartError> {
        let certificates = if self.fresh_ca || !self.host_names.is_empty() {
            Certificates::generate(&self.host_names)?
        } else {
            Certificates::of_this_process()?
        };
        let tls = ServerTls::new(&certificates)?;
        let gateway_tls = gateway_config(&certificates)?;
        let mut service = Service::new(self.settings, self.seed, verify_es256);
        let ready_made = ReadyMade::add_to(&mut service, clock::now())?;
        let shared = Shared::new(service);
        let credentials = ready_made.credentials();

        let bind = |port, what| Listener::bind(SocketAddr::new(self.bind, port), what);
        let sandbox = bind(self.sandbox_port, "the sandbox").await?;
        let production = bind(self.production_port, "production").await?;
        let devices = bind(self.device_port, "the device gateway").await?;
        let control = bind(self.control_port, "the control API").await?;

        let (stop, stopped) = watch::channel(false);
        let providers = |environment| {
            let (tls, shared) = (tls.clone(), shared.clone());
            move |tcp, peer, stop| {
                connection::serve(tcp, peer, environment, tls.clone(), shared.clone(), stop)
            }
        };
        let serve_device = {
            let shared = shared.clone();
            move |tcp, peer, stop| {
                device_gateway::serve(tcp, peer, Arc::clone(&gateway_tls), shared.clone(), stop)
            }
        };
        let about = About {
            seed: self.seed,
            team: TeamId::parse(ready_made.team_id).expect("the ready-made identifiers are well-formed"),
            sandbox: sandbox.address(),
            production: production.address(),
            device_gateway: devices.address(),
            control: control.address(),
        };
        let api =
            Control::new(shared.clone(), credentials.clone(), certificates.clone(), about, stopped.clone());
        if let Some(state) = &self.state {
            api.declare(state).map_err(StartError::State)?;
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
                tokio::spawn(sandbox.run(CONNECTIONS_MAX, providers(Environment::Sandbox), stopped.clone())),
                tokio::spawn(production.run(
                    CONNECTIONS_MAX,
                    providers(Environment::Production),
                    stopped.clone(),
                )),
                tokio::spawn(devices.run(DEVICES_MAX, serve_device, stopped)),
                tokio::spawn(control::serve(control.into_tcp(), api.clone(), self.guard)),
            ],
            wake_up: tokio::spawn(wake_up::run(shared)),
            api,
        })
    }
}
