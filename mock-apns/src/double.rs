//! A double that runs: start, addresses, stop.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use apns_certs::HostName;
use mock_apns_core::{Environment, Service, Settings};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    Certificates, ReadyMade, StartError, clock, es256::verify_es256, listener::Listener, shared::Shared,
    tls::ServerTls,
};

/// A simulated APNs that listens on this machine. Dropping it closes its listeners and connections;
/// [`stop`](Self::stop) lets connections say goodbye first.
#[derive(Debug)]
pub struct MockApns {
    sandbox: SocketAddr,
    production: SocketAddr,
    certificates: Certificates,
    ready_made: ReadyMade,
    stop: watch::Sender<bool>,
    listeners: Vec<JoinHandle<()>>,
}

/// How a double starts. The defaults suit a test: loopback, free ports, seed 0.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `start`"]
pub struct Builder {
    bind: IpAddr,
    sandbox_port: u16,
    production_port: u16,
    seed: u64,
    settings: Settings,
    host_names: Vec<HostName>,
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
            seed: 0,
            settings: Settings::default(),
            host_names: Vec::new(),
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

    /// The CA, and certificates of every kind.
    pub fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    /// The team that is there from the start: keys, topics, device tokens.
    pub fn ready_made(&self) -> &ReadyMade {
        &self.ready_made
    }

    /// Says goodbye on every connection (GOAWAY, `{"reason":"Shutdown"}`) and returns when all are closed,
    /// after a few seconds at most.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        for listener in std::mem::take(&mut self.listeners) {
            // A listener that panicked has logged it, and has stopped too.
            let _ = listener.await;
        }
    }
}

impl Drop for MockApns {
    fn drop(&mut self) {
        for listener in &self.listeners {
            listener.abort();
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

    /// Starts. When this returns, both listeners accept: they are bound before anything is spawned.
    pub async fn start(self) -> Result<MockApns, StartError> {
        let certificates = Certificates::generate(&self.host_names)?;
        let tls = ServerTls::new(&certificates)?;
        let mut service = Service::new(self.settings, self.seed, verify_es256);
        let ready_made = ReadyMade::add_to(&mut service, clock::now())?;
        let shared = Shared::new(service);

        let bind = |port, environment| {
            Listener::bind(SocketAddr::new(self.bind, port), environment, tls.clone(), shared.clone())
        };
        let sandbox = bind(self.sandbox_port, Environment::Sandbox).await?;
        let production = bind(self.production_port, Environment::Production).await?;
        let (stop, stopped) = watch::channel(false);
        Ok(MockApns {
            sandbox: sandbox.address(),
            production: production.address(),
            certificates,
            ready_made,
            stop,
            listeners: [sandbox, production]
                .map(|listener| tokio::spawn(listener.run(stopped.clone())))
                .into(),
        })
    }
}
