//! Where a play takes place: a double, the way to it, an adapter, and what is written down.

mod clock;
mod credentials;
mod fleet;
mod hosts;
mod proxy;
mod pushes;
mod waiting;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use apns_certs::{HostName, Purpose};
use mock_apns::{Environment, FaultGuard, MockApns, MockTeam, Named as _};

use super::{
    adapter::{Adapter, AdapterCommand, FakeClock, Surroundings, Trouble, can_have_hosts},
    evidence::Evidence,
    item::{Play, Roads, Stop},
    protocol::{Configure, Credential, Event, Instruction, Options, Ready},
    recorder::Recorder,
    road::Road,
};
use hosts::Hosts;
use proxy::Proxy;

pub(crate) use pushes::device_tokens_of;
pub(crate) use waiting::{MOMENT, PATIENCE};

/// The name of the double in plays with several addresses.
pub(crate) const HOST: &str = "apns.test";

/// Where a play takes place.
#[derive(Debug)]
pub(crate) struct Stage {
    /// The double.
    pub(crate) mock: MockApns,
    /// The ways to it.
    pub(crate) roads: Vec<Road>,
    /// The way to its production, in a play of both environments.
    production: Option<Road>,
    /// What `/etc/hosts` is to the adapter, in plays with several addresses.
    hosts: Option<Hosts>,
    proxy: Option<Proxy>,
    recorder: Arc<Recorder>,
    /// The adapter that is spoken to.
    adapter: Option<Adapter>,
    /// Those that are not, in a play with several.
    others: Vec<Adapter>,
    command: AdapterCommand,
    surroundings: Surroundings,
    /// Faults that are there.
    faults: Vec<(String, FaultGuard)>,
    /// The id of the next push.
    next_id: u64,
    /// How far the play's clock is ahead of the machine's.
    ahead: Duration,
    /// How many seconds the adapters' clock is ahead of it.
    adapter_ahead: i64,
    /// What is written down for the adapter; removed with the stage.
    folder: tempfile::TempDir,
}

impl Stage {
    /// Sets the stage for a play, and starts the adapter.
    ///
    /// # Errors
    /// This machine cannot show the play, or the adapter does not start.
    pub(crate) async fn set(
        play: &Play,
        command: &AdapterCommand,
        ready: &Ready,
        recorder: &Arc<Recorder>,
    ) -> Result<Self, Stop> {
        let folder = tempfile::tempdir()?;
        let broken = |error: &dyn std::fmt::Display| Stop::Broken(error.to_string());
        let host = HostName::new(HOST).map_err(|error| broken(&error))?;
        let mock =
            MockApns::builder().wiretap(Arc::clone(recorder) as _).host_names(vec![host]).start().await;
        let mock = mock.map_err(|error| broken(&error))?;
        let wants_apple = ready.needs.iter().any(|need| need == "apple-hosts");
        let mut stage = Self {
            mock,
            roads: Vec::new(),
            production: None,
            hosts: None,
            proxy: None,
            recorder: Arc::clone(recorder),
            adapter: None,
            others: Vec::new(),
            command: command.clone(),
            surroundings: Surroundings::default(),
            faults: Vec::new(),
            next_id: 0,
            ahead: Duration::ZERO,
            adapter_ahead: 0,
            folder,
        };
        stage.build_roads(play.scenery.roads, wants_apple).await?;
        stage.surroundings.variables.push(("NODE_EXTRA_CA_CERTS", stage.ca_file()?.into()));
        if play.needs.contains(&"set-clock") && !ready.can("set-clock") {
            let clock = FakeClock::of(stage.folder.path().join("clock"), play.scenery.time_passes);
            let clock = clock.ok_or_else(|| {
                Stop::NotApplicable("it cannot be told the time, and libfaketime is not installed".to_owned())
            })?;
            clock.set_ahead(0)?;
            stage.surroundings.clock = Some(clock);
        }
        stage.start_adapter().await?;
        Ok(stage)
    }

    async fn build_roads(&mut self, roads: Roads, wants_apple: bool) -> Result<(), Stop> {
        let count = match roads {
            Roads::One if !wants_apple => {
                let near = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                return self.add_road(near).await;
            }
            Roads::One => 1,
            Roads::Named(count) => count,
        };
        if !can_have_hosts() {
            return Err(Stop::NotApplicable("no mount namespace can be made on this machine".to_owned()));
        }
        let mut port = if wants_apple { APPLE_PORT } else { 0 };
        let network = first_network().wrapping_add(NETWORKS.fetch_add(1, Ordering::Relaxed));
        for last in 1..=count {
            self.add_road((address(network, last), port).into()).await?;
            port = self.roads[0].port();
        }
        let names: &[&str] = if wants_apple { &APPLE_HOSTS } else { &[HOST] };
        let hosts = Hosts::write(self.folder.path(), names, &self.addresses())?;
        self.surroundings.hosts = Some(hosts.path().to_owned());
        self.hosts = Some(hosts);
        Ok(())
    }

    async fn add_road(&mut self, address: SocketAddr) -> Result<(), Stop> {
        let road = self.road(address, self.mock.sandbox()).await?;
        self.roads.push(road);
        Ok(())
    }

    async fn road(&self, address: SocketAddr, to: SocketAddr) -> Result<Road, Stop> {
        let road = Road::open(self.roads.len(), address, to, Arc::clone(&self.recorder)).await;
        road.map_err(|error| Stop::NotApplicable(format!("listening at {address}: {error}")))
    }

    /// The port that leads to production, at the first address. A provider that goes to Apple's hosts is told apart by their names.
    async fn production_port(&mut self) -> Result<u16, Stop> {
        if self.roads[0].port() == APPLE_PORT {
            return Ok(APPLE_PORT);
        }
        if self.production.is_none() {
            let near = SocketAddr::from((self.roads[0].ip(), 0));
            self.production = Some(self.road(near, self.mock.production()).await?);
        }
        Ok(self.production.as_ref().map_or(0, Road::port))
    }

    /// The addresses that lead to the double.
    pub(crate) fn addresses(&self) -> Vec<IpAddr> {
        self.roads.iter().map(Road::ip).collect()
    }

    /// From now on the name leads to these addresses.
    ///
    /// # Errors
    /// The play has no name, or the file cannot be written.
    pub(crate) fn lead_to(&mut self, addresses: &[IpAddr]) -> Result<(), Stop> {
        let hosts = self.hosts.as_ref().ok_or_else(|| Stop::Broken("the play has no name".to_owned()))?;
        Ok(hosts.lead_to(addresses)?)
    }

    /// Opens an HTTP proxy that leads to the double, for those who give these credentials if there are any. Returns where it is, as
    /// `host:port`.
    ///
    /// # Errors
    /// It cannot listen.
    pub(crate) async fn open_proxy(&mut self, credentials: Option<&'static str>) -> Result<String, Stop> {
        let proxy = Proxy::open(self.roads[0].address(), credentials, Arc::clone(&self.recorder)).await?;
        let address = proxy.address().to_string();
        self.proxy = Some(proxy);
        Ok(address)
    }

    /// The adapter that is spoken to.
    ///
    /// # Errors
    /// It has ended.
    pub(crate) fn adapter(&self) -> Result<&Adapter, Stop> {
        Ok(self.adapter.as_ref().ok_or(Trouble::Ended)?)
    }

    /// Whether the adapter can be told this.
    pub(crate) fn can(&self, what: &str) -> bool {
        self.adapter.as_ref().is_some_and(|adapter| adapter.ready().can(what))
    }

    /// Tells the adapter something.
    ///
    /// # Errors
    /// It has ended, or does not read.
    pub(crate) async fn tell(&self, instruction: &Instruction) -> Result<(), Stop> {
        Ok(self.adapter()?.tell(instruction).await?)
    }

    /// Has the adapter make a client for the double, with the ready-made key.
    ///
    /// # Errors
    /// It cannot.
    pub(crate) async fn configure(&mut self, options: Options) -> Result<(), Stop> {
        let key = self.key();
        self.configure_as(key, options).await
    }

    /// Has the adapter make a client for the double's sandbox, with this credential.
    ///
    /// # Errors
    /// It cannot.
    pub(crate) async fn configure_as(
        &mut self,
        credential: Credential,
        options: Options,
    ) -> Result<(), Stop> {
        self.configure_for(Environment::Sandbox, credential, options).await
    }

    /// Has the adapter make a client for an environment of the double, with this credential. What the adapter cannot be told is left out.
    ///
    /// # Errors
    /// It cannot.
    pub(crate) async fn configure_for(
        &mut self,
        environment: Environment,
        credential: Credential,
        options: Options,
    ) -> Result<(), Stop> {
        let port = match environment {
            Environment::Sandbox => self.roads[0].port(),
            Environment::Production => self.production_port().await?,
        };
        let can = |what| self.can(what);
        let options = Options {
            deadline_ms: options.deadline_ms.filter(|_| can("deadline")),
            attempts_max: options.attempts_max.filter(|_| can("attempts-max")),
            ambiguous: options.ambiguous.filter(|_| can("ambiguous")),
            connections_max: options.connections_max.filter(|_| can("connections-max")),
            idle_ping_ms: options.idle_ping_ms.filter(|_| can("idle-ping")),
            silence_ms: options.silence_ms.filter(|_| can("keep-alive")),
            idle_connection_ms: options.idle_connection_ms.filter(|_| can("idle-connection")),
            correct_clock: options.correct_clock.filter(|_| can("correct-clock")),
            proxy: options.proxy.filter(|_| can("proxy")),
            first_stream: options.first_stream.filter(|_| can("first-stream")),
        };
        let host = if self.hosts.is_some() { HOST } else { "localhost" };
        let configure = Configure {
            host: host.to_owned(),
            port,
            environment: environment.name(),
            ca_pem: self.ca_pem(),
            credential,
            options,
        };
        let configure = Instruction::Configure(Box::new(configure));
        self.ask("configure", &configure, |event| matches!(event, Event::Configured {})).await
    }

    /// The team whose provider is judged.
    pub(crate) fn team(&self) -> MockTeam {
        self.mock.team()
    }

    /// Gives a setting of the team another value: one of those that docs/profiles.md lists.
    ///
    /// # Errors
    /// There is no such setting, or value.
    pub(crate) fn setting(&self, name: &str, value: &str) -> Result<(), Stop> {
        self.team().at_work(|team| {
            let settings = team.team().settings().changed([(name, value.to_owned())]).map_err(broken)?;
            team.set_settings(settings);
            Ok(())
        })
    }

    /// Lets something go wrong for the team: a fault of docs/faults.md.
    ///
    /// # Errors
    /// It is no fault.
    pub(crate) fn fault(&mut self, fault: &str) -> Result<(), Stop> {
        let guard = self.team().fault(fault.parse().map_err(broken)?).map_err(broken)?;
        self.keep(fault, guard)
    }

    /// Lets something go wrong for everyone: at the door, where nobody is known yet.
    ///
    /// # Errors
    /// It is no fault.
    pub(crate) fn fault_for_everyone(&mut self, fault: &str) -> Result<(), Stop> {
        let guard = self.mock.fault(fault.parse().map_err(broken)?).map_err(broken)?;
        self.keep(fault, guard)
    }

    /// Ends a fault, by its name.
    pub(crate) fn end_fault(&mut self, name: &str) {
        self.faults.retain(|fault| fault.0 != name);
    }

    fn keep(&mut self, fault: &str, guard: FaultGuard) -> Result<(), Stop> {
        let fault: serde_json::Value = serde_json::from_str(fault).map_err(broken)?;
        self.faults.push((fault["name"].as_str().unwrap_or_default().to_owned(), guard));
        Ok(())
    }

    /// Whom to trust.
    pub(crate) fn ca_pem(&self) -> String {
        self.mock.certificates().authority().root_pem(Purpose::Server)
    }

    fn ca_file(&self) -> Result<PathBuf, Stop> {
        let path = self.folder.path().join("ca.pem");
        std::fs::write(&path, self.ca_pem())?;
        Ok(path)
    }

    /// Notes something for the judge.
    pub(crate) fn mark(&self, what: &'static str) {
        self.recorder.mark(what);
    }

    /// Notes how much memory the adapter has taken at most, where the system says it.
    ///
    /// # Errors
    /// The adapter has ended.
    pub(crate) fn note_memory(&self) -> Result<(), Stop> {
        if let Some(memory) = self.adapter()?.memory_max() {
            self.recorder.took(memory);
        }
        Ok(())
    }

    /// Looks at what there is so far.
    pub(crate) fn look<R>(&self, at: impl FnOnce(&Evidence) -> R) -> R {
        self.recorder.look(at)
    }

    /// Ends the play: the adapters first.
    ///
    /// # Errors
    /// An adapter does not end as it should.
    pub(crate) async fn strike(mut self) -> Result<(), Trouble> {
        let mut stopped = Ok(());
        for adapter in self.adapter.take().into_iter().chain(std::mem::take(&mut self.others)) {
            stopped = adapter.stop().await.and(stopped);
        }
        self.recorder.over();
        self.faults.clear();
        stopped
    }

    /// Ends the play at once.
    pub(crate) async fn abandon(mut self) {
        for adapter in self.adapter.iter_mut().chain(&mut self.others) {
            adapter.kill().await;
        }
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn broken(error: impl std::fmt::Display) -> Stop {
    Stop::Broken(error.to_string())
}

/// The address of a road: in a network of this play's own, so that two plays do not meet, nor two suites on this machine.
fn address(network: u32, last: u8) -> Ipv4Addr {
    let [.., second, third] = network.to_be_bytes();
    Ipv4Addr::new(127, second.max(1), third, last)
}

/// Where the networks of this process begin: two suites at once rarely meet.
fn first_network() -> u32 {
    std::process::id().wrapping_mul(NETWORKS_EACH)
}

/// Networks below 127.0.0.0/8 that were given to plays.
static NETWORKS: AtomicU32 = AtomicU32::new(0);
/// More than a run has plays with several addresses.
const NETWORKS_EACH: u32 = 211;
/// The host names of Apple's that a provider may go to.
const APPLE_HOSTS: [&str; 3] =
    ["api.push.apple.com", "api.sandbox.push.apple.com", "api.development.push.apple.com"];
/// The port that goes with them.
const APPLE_PORT: u16 = 443;
