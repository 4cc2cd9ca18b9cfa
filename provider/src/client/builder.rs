use std::{sync::Arc, time::Duration};

use apns_http2::StreamId;
use apns_provider_core::{DispatchPolicy, KeepAlivePolicy, Push, Rejection, RetryPolicy};
use tokio::sync::Semaphore;

use super::{Client, Handle};
use crate::{
    BuildError, Clock, Credential, Endpoint, SystemClock,
    connect::Way,
    engine::{Clocks, Engine, Identity, InvalidTokenHook, Setup},
    tls,
};

/// How a client is made.
///
/// # Example
///
/// What may be set, beside the credential.
///
/// ```
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// # use apns_provider::{Client, Credential, Endpoint, core::{AlertNotification, ApnsId, BundleId, DeviceToken, Outcome, Push}};
/// # let mock = mock_apns::MockApns::start().await?;
/// # let team = mock.ready_made();
/// # let ca = mock.certificates().authority().root_pem(apns_certs::Purpose::Server);
/// # let credential = |key: usize| {
/// #     let key = &team.keys[key];
/// #     Credential::from_p8(key.key.to_p8().as_bytes(), key.key_id, team.team_id)
/// # };
/// # let builder =
/// #     Client::builder(Endpoint::custom("localhost", mock.sandbox().port())?).credential(credential(0)?).ca_pem(ca.as_bytes());
/// # let hello = AlertNotification::new(BundleId::parse(team.bundle_id)?).alert("Hello").build()?;
/// # let device_token = DeviceToken::from_hex(&team.device_tokens[0].token)?;
/// use std::time::Duration;
/// use apns_provider::{SystemClock, core::{AmbiguousPushes, DispatchPolicy, KeepAlivePolicy, RetryPolicy}};
///
/// let client = builder
///     .timeout(Duration::from_secs(10))
///     .retry(RetryPolicy::default().with_ambiguous_pushes(AmbiguousPushes::Report)) // at most once
///     .dispatch(DispatchPolicy::default().with_connections(1..=8)?)
///     .keep_alive(KeepAlivePolicy::default().with_idle(Duration::from_mins(2)))
///     .in_hand_max(50_000)
///     .clock(SystemClock)
///     .correct_clock(true)
///     .build()?;
///
/// assert!(matches!(client.send(hello, device_token).await, Outcome::Accepted(_)));
/// assert_eq!(client.clock_skew(), None, "the machine's clock is right, or nobody knows");
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct ClientBuilder {
    pub(crate) endpoint: Endpoint,
    pub(crate) way: Way,
    credential: Option<Credential>,
    ca_pem: Option<Vec<u8>>,
    timeout: Duration,
    retry: RetryPolicy,
    dispatch: DispatchPolicy,
    keep_alive: KeepAlivePolicy,
    first_stream: u32,
    in_hand_max: usize,
    on_invalid_token: Option<InvalidTokenHook>,
    clock: Arc<dyn Clock>,
    corrects_clock: bool,
}

impl ClientBuilder {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            way: Way::default(),
            credential: None,
            ca_pem: None,
            timeout: DEFAULT_TIMEOUT,
            retry: RetryPolicy::default(),
            dispatch: DispatchPolicy::default(),
            keep_alive: KeepAlivePolicy::default(),
            first_stream: StreamId::FIRST.get(),
            in_hand_max: IN_HAND_MAX,
            on_invalid_token: None,
            clock: Arc::new(SystemClock),
            corrects_clock: false,
        }
    }

    /// Who sends.
    pub fn credential(mut self, credential: Credential) -> Self {
        self.credential = Some(credential);
        self
    }

    /// Trusts the certificates in this PEM text and no others: a simulated service's CA, or a company's.
    pub fn ca_pem(mut self, pem: &[u8]) -> Self {
        self.ca_pem = Some(pem.to_vec());
        self
    }

    /// How long a push may take from `send` to its outcome, waiting for its turn included; 30 seconds unless
    /// set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How often a push is tried, with which pauses; unless set, [`RetryPolicy::default`]. All pushes of a client share one
    /// [`RetryBudget`](apns_provider_core::RetryBudget): when most of them fail, most fail at once.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// How many connections there are, and how carefully they are used; unless set, [`DispatchPolicy::default`].
    pub fn dispatch(mut self, policy: DispatchPolicy) -> Self {
        self.dispatch = policy;
        self
    }

    /// When a silent connection is asked whether it is still there; unless set, [`KeepAlivePolicy::default`].
    pub fn keep_alive(mut self, policy: KeepAlivePolicy) -> Self {
        self.keep_alive = policy;
        self
    }

    /// How many pushes may be in hand at once: waiting, under way, or pausing before they are sent again; 10,000 unless set. One more
    /// makes `send` wait: memory is bounded, and the caller feels how fast APNs is.
    pub fn in_hand_max(mut self, pushes: usize) -> Self {
        self.in_hand_max = pushes;
        self
    }

    /// Is called for each push that APNs refuses for its device token, dead or wrong, before its outcome is told. Do not take long:
    /// other pushes wait. A panic is logged and has no other effect. Whether the token is to be removed is [`TokenHygiene`](apns_provider_core::TokenHygiene)'s to say.
    ///
    /// ```
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # use apns_provider::{Client, Credential, Endpoint, core::{AlertNotification, ApnsId, BundleId, DeviceToken, Outcome, Push}};
    /// # let mock = mock_apns::MockApns::start().await?;
    /// # let team = mock.ready_made();
    /// # let ca = mock.certificates().authority().root_pem(apns_certs::Purpose::Server);
    /// # let credential = |key: usize| {
    /// #     let key = &team.keys[key];
    /// #     Credential::from_p8(key.key.to_p8().as_bytes(), key.key_id, team.team_id)
    /// # };
    /// # let builder =
    /// #     Client::builder(Endpoint::custom("localhost", mock.sandbox().port())?).credential(credential(0)?).ca_pem(ca.as_bytes());
    /// # let hello = AlertNotification::new(BundleId::parse(team.bundle_id)?).alert("Hello").build()?;
    /// # let device_token = DeviceToken::from_hex(&team.device_tokens[0].token)?;
    /// # let device_token = DeviceToken::from_hex(&team.device_token("sandbox-unregistered").unwrap().token)?;
    /// use apns_provider::core::Advice;
    ///
    /// let (dead, mut told) = tokio::sync::mpsc::unbounded_channel();
    /// let client = builder
    ///     .on_invalid_token(move |push, rejection| {
    ///         let _ = dead.send((push.device_token().clone(), rejection.advice, rejection.unregistered_since));
    ///     })
    ///     .build()?;
    ///
    /// client.send(hello, device_token.clone()).await;
    /// let (token, advice, since) = told.recv().await.ok_or("nothing was told")?;
    /// assert_eq!((token, advice), (device_token, Advice::RemoveToken));
    /// assert!(since.is_some(), "APNs says since when");
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
    /// ```
    pub fn on_invalid_token(mut self, tell: impl Fn(&Push, &Rejection) + Send + Sync + 'static) -> Self {
        self.on_invalid_token = Some(InvalidTokenHook(Arc::new(tell)));
        self
    }

    /// Asks this what the date is; unless set, the [machine](SystemClock).
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Lets provider tokens go by APNs' clock, as far as its answers are dated, where the machine's is wrong by more than a minute.
    /// Unless set, they go by the machine's whatever answers say, so that a fleet's tokens are the same, and a wrong clock is warned of
    /// when APNs refuses a token, and told by [`Client::clock_skew`].
    ///
    /// The token before the first dated answer goes by the machine's clock in any case. If it was issued in APNs' future and is
    /// refused, an older one follows; never otherwise.
    pub fn correct_clock(mut self, corrects: bool) -> Self {
        self.corrects_clock = corrects;
        self
    }

    /// The first stream of each connection: near the last one, 2³¹ - 1, to rehearse what happens when they run out.
    pub fn first_stream(mut self, stream: u32) -> Self {
        self.first_stream = stream;
        self
    }

    /// Makes the client. It connects when there is something to send. Call it in a tokio runtime: the client
    /// runs its tasks there.
    ///
    /// # Errors
    /// [`BuildError`]: what is missing or cannot be. Nothing was sent anywhere.
    pub fn build(self) -> Result<Client, BuildError> {
        let credential = self.credential.ok_or(BuildError::NoCredential)?;
        if self.in_hand_max == 0 || self.in_hand_max > Semaphore::MAX_PERMITS {
            return Err(BuildError::InHand(self.in_hand_max));
        }
        let first_stream = StreamId::new(self.first_stream);
        let identity = identity(&credential, self.ca_pem.as_deref(), &*self.clock)?;
        let setup = Setup {
            connector: self.way.connector(self.endpoint)?,
            dispatch: self.dispatch,
            retry: self.retry,
            keep_alive: self.keep_alive,
            http2: apns_http2::Config { first_stream, ..apns_http2::Config::default() },
            in_hand_max: self.in_hand_max,
            timeout: self.timeout,
            on_invalid_token: self.on_invalid_token,
            clocks: Clocks::new(Arc::clone(&self.clock), self.corrects_clock),
        };
        Ok(Client {
            handle: Arc::new(Handle(Engine::start(setup, identity))),
            ca_pem: self.ca_pem.map(Into::into),
            clock: self.clock,
            in_hand_max: self.in_hand_max,
        })
    }
}

/// As whom to send, whom to trust.
pub(crate) fn identity(
    credential: &Credential,
    ca_pem: Option<&[u8]>,
    clock: &dyn Clock,
) -> Result<Identity, BuildError> {
    let tls = tls::client_config(credential, ca_pem)?;
    credential.warn_of_expiry(clock.now());
    Ok(Identity::new(tls, credential))
}

/// Apple names no time; pushes that were answered at all were answered within seconds.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// As many as ten connections take at once; some kilobytes each.
const IN_HAND_MAX: usize = 10_000;
