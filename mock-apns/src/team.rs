//! A team of a running double, for whoever tests with it: its credentials, its devices, its clock.

use std::{ops::RangeBounds, time::Duration};

use apns_certs::{AuthKey, Authority, Identity, ProviderCertificateKind, ProviderCertificateRequest, Topic};
use mock_apns_core::{BundleId, Decision, Expectation, Filter, Tally, TeamAt, TeamId, Times};
use tokio::time::timeout;

use crate::{
    Device, DeviceError, DeviceOptions, NotReceived, ReceivedPush, TeamCreationError, certificates, clock,
    expectation::{Expectations, Expected, Lines},
    json, provider_token,
    shared::Shared,
};

/// A team of a running double. A handle: clones are the same team.
///
/// ```
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use mock_apns::{DeviceId, DeviceState, Environment, MockApns, TokenKind};
///
/// let mock = MockApns::start().await?;
/// let team = mock.create_team("com.example.app")?;       // with a key of its own; nothing is shared with other teams
/// let (phone, app) = (DeviceId::parse("phone")?, team.app().clone());
/// let token = team.at_work(|team| {
///     team.add_device(phone.clone())?;
///     team.install(&phone, &app, Environment::Sandbox)?;
///     team.register(&phone, &app, Environment::Sandbox, TokenKind::App)
/// })?;
/// team.at_work(|team| team.set_device_state(&phone, DeviceState::Offline))?;
/// // Push to `token` with `team.key()`: it is stored.
/// let fired = team.advance_clock(Duration::from_hours(24));   // what was due, a line of JSON each
/// team.at_work(|team| team.set_device_state(&phone, DeviceState::Online))?;
/// let switched = team.records(&"event:device device:phone".parse()?);   // filters: docs/filters.md
/// # assert!(switched.len() >= 5 && fired.len() == 1);
/// # let _ = token;
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct MockTeam {
    pub(crate) shared: Shared,
    pub(crate) id: TeamId,
    pub(crate) app: BundleId,
    pub(crate) key: AuthKey,
    pub(crate) authority: Authority,
    pub(crate) gateway: std::net::SocketAddr,
    pub(crate) expectations: Expectations,
}

impl MockTeam {
    /// The team's ID: the `iss` of its provider tokens.
    pub fn id(&self) -> TeamId {
        self.id
    }

    /// The app that the team began with.
    pub fn app(&self) -> &BundleId {
        &self.app
    }

    /// The key that the team began with, good for all its topics in both environments.
    pub fn key(&self) -> &AuthKey {
        &self.key
    }

    /// A provider token that was issued just now, by the team's clock. Most providers make their own from
    /// [`key`](Self::key), by the machine's clock: mind that when the team's is advanced.
    pub fn provider_token(&self) -> Result<String, TeamCreationError> {
        let now = self.at_work(|team| team.now());
        Ok(provider_token::mint(&self.key, self.id.as_str(), now)?)
    }

    /// A provider certificate of the team, for the app that it began with.
    pub fn certificate(&self, kind: ProviderCertificateKind) -> Result<Identity, TeamCreationError> {
        let bundle_id = Topic::new(self.app.as_str())?;
        let team_id = apns_certs::TeamId::new(self.id.as_str())?;
        let request = ProviderCertificateRequest::new(kind, bundle_id, team_id);
        Ok(self.authority.provider(&request, certificates::now())?)
    }

    /// Does something to the team, or looks at it, while nothing else happens to it. What follows for devices that are
    /// connected is on its way when this returns.
    ///
    /// # Panics
    ///
    /// When the team was [removed](crate::MockApns::remove_team).
    pub fn at_work<R>(&self, work: impl FnOnce(&mut TeamAt<'_>) -> R) -> R {
        let mut batch = self.shared.batch();
        let mut team = batch.service().team_at(clock::now(), self.id).expect("the team was not removed");
        work(&mut team)
    }

    /// Advances the team's clock, and returns what that brought about, each as a line of JSON: what was stored and has
    /// expired, for one. [`at_work`](Self::at_work) has more that can be done to a clock.
    pub fn advance_clock(&self, by: Duration) -> Vec<String> {
        self.at_work(|team| team.advance_clock(by).iter().map(json::line).collect())
    }

    /// What the team's journal has that a filter finds, each entry as a line of JSON, in the order in which it happened.
    pub fn records(&self, filter: &Filter) -> Vec<String> {
        self.at_work(|team| {
            let found = team.team().journal(0).filter(|record| filter.matches(record));
            found.map(|record| json::line(&record)).collect()
        })
    }

    /// Says what is to be received, to be checked when the double is dropped or [verified](crate::MockApns::verify): as many
    /// pushes as `times` that the filter finds. The name is for the message of the test that fails.
    ///
    /// ```should_panic
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let mock = mock_apns::MockApns::start().await.unwrap();
    /// mock.team().expect("one greeting", "type:alert hello".parse().unwrap(), 1..=1);
    /// // The test ends, and fails: `expected one greeting: exactly 1 of [type:alert hello], found 0`.
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// When `times` has no number: `3..=2`.
    #[track_caller]
    pub fn expect(&self, name: impl Into<String>, filter: Filter, times: impl RangeBounds<usize>) {
        let name = name.into();
        let times = Times::of(&times).unwrap_or_else(|error| panic!("expected {name}: {error}"));
        let expectation = Expectation { filter, after: None, times };
        self.expectations.add(Expected { team: self.id, name, expectation });
    }

    /// The pushes that a filter finds, accepted and refused, in the order in which it found them.
    pub fn pushes(&self, filter: &Filter) -> Vec<ReceivedPush> {
        self.at_work(|team| {
            let found = team.team().pushes(filter, None, usize::MAX);
            found.pushes.iter().map(ReceivedPush::of).collect()
        })
    }

    /// Returns as soon as there are at least `min` pushes that a filter finds, those from before among them; or, when the
    /// time is over, what there is, and what came nearest. Nothing is polled.
    ///
    /// ```
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// let mock = mock_apns::MockApns::start().await?;
    /// // A provider pushes …
    /// let none = mock.team().wait_for(&"type:alert".parse()?, 1, Duration::from_millis(20)).await.unwrap_err();
    /// assert_eq!(none.to_string(), "waited for 1 of [type:alert], and there was none");
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
    /// ```
    pub async fn wait_for(
        &self,
        filter: &Filter,
        min: usize,
        time: Duration,
    ) -> Result<Vec<ReceivedPush>, NotReceived> {
        let times = Times::at_least(min);
        let mut tally = Tally::new(Expectation { filter: filter.clone(), after: None, times });
        let mut changes = self.shared.batch().watch(self.id);
        let mut is_open = || self.at_work(|team| tally.decide(team.team())) == Decision::Open;
        let arriving = async { while is_open() && changes.changed().await.is_ok() {} };
        let _ = timeout(time, arriving).await; // what there is tells whether it was enough
        self.at_work(|team| {
            let decision = tally.decide(team.team());
            let found = tally.pushes(team.team(), usize::MAX).pushes;
            let pushes = found.iter().map(ReceivedPush::of).collect();
            match decision {
                Decision::Holds => Ok(pushes),
                Decision::Open | Decision::Fails => Err(NotReceived {
                    filter: filter.clone(),
                    min,
                    pushes,
                    nearly: Lines::near_misses(&tally, team),
                }),
            }
        })
    }

    /// A device of this name, connected to the device gateway and online. The name is 1 to 64 printable ASCII
    /// characters; the newest connection of a device wins.
    pub async fn device(&self, name: &str) -> Result<Device, DeviceError> {
        self.device_options(name)?.connect().await
    }

    /// How a device of this name connects; to be changed before it does.
    pub fn device_options(&self, name: &str) -> Result<DeviceOptions, DeviceError> {
        Ok(DeviceOptions::issued_by(&self.authority, self.gateway, name)?.team(self.id))
    }
}
