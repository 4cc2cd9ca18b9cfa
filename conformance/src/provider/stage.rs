//! Where a play takes place: a double, the way to it, an adapter, and what is written down.

mod hosts;
mod pushes;
mod waiting;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use apns_certs::{HostName, ProviderCertificateKind, Purpose};
use mock_apns::{FaultGuard, MockApns, MockTeam};

use super::{
    adapter::{Adapter, AdapterCommand, FakeClock, Surroundings, Trouble, can_have_hosts},
    evidence::Evidence,
    item::{Play, Roads, Stop},
    protocol::{Configure, Credential, Event, Instruction, Options, Ready},
    recorder::Recorder,
    road::Road,
};
use hosts::Hosts;

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
    /// What `/etc/hosts` is to the adapter, in plays with several addresses.
    hosts: Option<Hosts>,
    recorder: Arc<Recorder>,
    adapter: Option<Adapter>,
    command: AdapterCommand,
    surroundings: Surroundings,
    /// Faults that are there.
    faults: Vec<(String, FaultGuard)>,
    /// The id of the next push.
    next_id: u64,
    /// How far the play's clock is ahead of the machine's.
    ahead: Duration,
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
            hosts: None,
            recorder: Arc::clone(recorder),
            adapter: None,
            command: command.clone(),
            surroundings: Surroundings::default(),
            faults: Vec::new(),
            next_id: 0,
            ahead: Duration::ZERO,
            folder,
        };
        stage.build_roads(play.scenery.roads, wants_apple).await?;
        stage.surroundings.variables.push(("NODE_EXTRA_CA_CERTS", stage.ca_file()?.into()));
        if play.needs.contains(&"set-clock") && !ready.can.iter().any(|can| can == "set-clock") {
            let clock = FakeClock::of(stage.folder.path().join("clock"));
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
        let network = NETWORKS.fetch_add(1, Ordering::Relaxed);
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
        let (number, recorder) = (self.roads.len(), Arc::clone(&self.recorder));
        let road = Road::open(number, address, self.mock.sandbox(), recorder).await;
        self.roads
            .push(road.map_err(|error| Stop::NotApplicable(format!("listening at {address}: {error}")))?);
        Ok(())
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

    /// Starts the adapter, in place of one that there may be.
    ///
    /// # Errors
    /// It does not start.
    pub(crate) async fn start_adapter(&mut self) -> Result<(), Stop> {
        self.adapter = None;
        self.adapter = Some(Adapter::start(&self.command, &self.surroundings, &self.recorder).await?);
        Ok(())
    }

    /// The adapter.
    ///
    /// # Errors
    /// It has ended.
    pub(crate) fn adapter(&self) -> Result<&Adapter, Stop> {
        Ok(self.adapter.as_ref().ok_or(Trouble::Ended)?)
    }

    /// Whether the adapter can be told this.
    pub(crate) fn can(&self, what: &str) -> bool {
        self.adapter.as_ref().is_some_and(|adapter| adapter.ready().can.iter().any(|can| can == what))
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

    /// Has the adapter make a client for the double, with this credential. What the adapter cannot be told is left out.
    ///
    /// # Errors
    /// It cannot.
    pub(crate) async fn configure_as(
        &mut self,
        credential: Credential,
        options: Options,
    ) -> Result<(), Stop> {
        let can = |what| self.can(what);
        let options = Options {
            deadline_ms: options.deadline_ms.filter(|_| can("deadline")),
            attempts_max: options.attempts_max.filter(|_| can("attempts-max")),
            ambiguous: options.ambiguous.filter(|_| can("ambiguous")),
            connections_max: options.connections_max.filter(|_| can("connections-max")),
            idle_ping_ms: options.idle_ping_ms.filter(|_| can("keep-alive")),
            silence_ms: options.silence_ms.filter(|_| can("keep-alive")),
            idle_connection_ms: options.idle_connection_ms.filter(|_| can("idle-connection")),
            correct_clock: options.correct_clock.filter(|_| can("correct-clock")),
            proxy: options.proxy.filter(|_| can("proxy")),
        };
        let host = if self.hosts.is_some() { HOST } else { "localhost" };
        let configure = Configure {
            host: host.to_owned(),
            port: self.roads[0].port(),
            environment: "sandbox",
            ca_pem: self.ca_pem(),
            credential,
            options,
        };
        let configure = Instruction::Configure(Box::new(configure));
        self.ask("configure", &configure, |event| matches!(event, Event::Configured {})).await
    }

    /// Sets the clock of the play, the double's and the adapter's, so far ahead of the machine's. It only goes forward.
    ///
    /// # Errors
    /// The adapter cannot be told.
    pub(crate) async fn set_ahead(&mut self, ahead: Duration) -> Result<(), Stop> {
        self.team().advance_clock(ahead.saturating_sub(self.ahead));
        self.ahead = ahead;
        self.set_adapter_ahead(ahead.as_secs().cast_signed()).await
    }

    /// Sets the adapter's clock alone, so many seconds ahead of the machine's, or behind.
    ///
    /// # Errors
    /// The adapter cannot be told.
    pub(crate) async fn set_adapter_ahead(&mut self, seconds: i64) -> Result<(), Stop> {
        if let Some(clock) = &self.surroundings.clock {
            return Ok(clock.set_ahead(seconds)?);
        }
        let now = now().as_secs().saturating_add_signed(seconds);
        let set = Instruction::SetClock { now };
        self.ask("set-clock", &set, |event| matches!(event, Event::ClockSet {})).await
    }

    /// What the date is in the play, since 1970.
    pub(crate) fn date(&self) -> Duration {
        now() + self.ahead
    }

    /// The team whose provider is judged.
    pub(crate) fn team(&self) -> MockTeam {
        self.mock.team()
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

    /// The ready-made key.
    pub(crate) fn key(&self) -> Credential {
        let ready_made = self.mock.ready_made();
        let key = &ready_made.keys[0];
        let (key_id, team_id) = (key.key_id.to_owned(), ready_made.team_id.to_owned());
        Credential::Key { p8: key.key.to_p8(), key_id, team_id }
    }

    /// A certificate of the team that is good for the sandbox.
    ///
    /// # Errors
    /// None can be made.
    pub(crate) fn certificate(&self) -> Result<Credential, Stop> {
        let identity = self.team().certificate(ProviderCertificateKind::Development).map_err(broken)?;
        Ok(Credential::Certificate { certificate_pem: identity.to_pem() })
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

    /// A folder of the play's own.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Notes something for the judge.
    pub(crate) fn mark(&self, what: &'static str) {
        self.recorder.mark(what);
    }

    /// Looks at what there is so far.
    pub(crate) fn look<R>(&self, at: impl FnOnce(&Evidence) -> R) -> R {
        self.recorder.look(at)
    }

    /// Ends the play: the adapter first.
    ///
    /// # Errors
    /// The adapter does not end as it should.
    pub(crate) async fn strike(mut self) -> Result<(), Trouble> {
        let stopped = match self.adapter.take() {
            Some(adapter) => adapter.stop().await,
            None => Ok(()),
        };
        self.faults.clear();
        stopped
    }

    /// Ends the play at once.
    pub(crate) async fn abandon(mut self) {
        if let Some(adapter) = &mut self.adapter {
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

/// The address of a road: in a network of this play's own, so that two plays do not meet.
fn address(network: u32, last: u8) -> Ipv4Addr {
    let [.., second, third] = network.to_be_bytes();
    Ipv4Addr::new(127, second.max(1), third, last)
}

/// Networks below 127.0.0.0/8 that were given to plays.
static NETWORKS: AtomicU32 = AtomicU32::new(0x0100);
/// The host names of Apple's that a provider may go to.
const APPLE_HOSTS: [&str; 3] =
    ["api.push.apple.com", "api.sandbox.push.apple.com", "api.development.push.apple.com"];
/// The port that goes with them.
const APPLE_PORT: u16 = 443;
