//! What stands between a provider and its pushes: each step from DNS to the answer, what its failure means, and what to do.
//!
//! ```text
//!   probe: road (DNS, TCP, proxy), TLS, ALPN, SETTINGS, one push ──▶ Heard or Lost ──▶ judge (pure) ──▶ Steps
//! ```

mod certificate;
mod conversation;
mod judge;
mod probe;
mod road;
mod step;
mod witness;

use std::time::Duration;

use apns_provider_core::{DeviceToken, Notification};

use crate::{Credential, Endpoint};
pub use step::{Step, Subject, Verdict};

/// Where pushes would go, and as whom.
///
/// ```
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use apns_provider::core::{BackgroundNotification, BundleId};
/// use apns_provider::doctor::{Patient, Subject, Verdict};
/// use apns_provider::{Credential, Endpoint};
///
/// let mock = mock_apns::MockApns::start().await?;
/// let team = mock.ready_made();
/// let p8 = team.keys[0].key.to_p8();
/// let credential = Credential::from_p8(p8.as_bytes(), team.keys[0].key_id, "ANOTHERTM1")?;
///
/// let push = BackgroundNotification::new(BundleId::parse(team.bundle_id)?).build()?;
/// let steps = Patient::new(Endpoint::custom("localhost", mock.sandbox().port())?, credential, push)
///     .ca_pem(mock.certificates().authority().root_pem(apns_certs::Purpose::Server).as_bytes())
///     .examine()
///     .await;
///
/// let failed: Vec<_> = steps.iter().filter(|step| step.verdict == Verdict::Failed).collect();
/// assert_eq!(failed.iter().map(|step| step.subject).collect::<Vec<_>>(), [Subject::Credential]);
/// assert!(failed[0].causes.iter().any(|cause| cause.contains("team ID")), "{failed:?}");
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is looked at until it is examined"]
pub struct Patient {
    endpoint: Endpoint,
    credential: Credential,
    notification: Notification,
    device_token: Option<DeviceToken>,
    ca_pem: Option<Vec<u8>>,
    step_max: Duration,
}

impl Patient {
    /// One that is examined by this push: let it be one that shows nothing.
    pub fn new(endpoint: Endpoint, credential: Credential, notification: Notification) -> Self {
        let (device_token, ca_pem, step_max) = (None, None, STEP_MAX);
        Self { endpoint, credential, notification, device_token, ca_pem, step_max }
    }

    /// Whom the push goes to; unless set, a device token that is none, which is enough to have the credential judged.
    pub fn device_token(mut self, device_token: DeviceToken) -> Self {
        self.device_token = Some(device_token);
        self
    }

    /// Trusts the certificates in this PEM text and no others; unless set, those that the system trusts.
    pub fn ca_pem(mut self, pem: &[u8]) -> Self {
        self.ca_pem = Some(pem.to_vec());
        self
    }

    /// Time for each step that waits for somebody; ten seconds unless set, and at most.
    pub fn step_max(mut self, step_max: Duration) -> Self {
        self.step_max = step_max.min(STEP_MAX);
        self
    }

    /// Opens one connection, through the environment's proxy if there is one ([`Proxy::from_env`](crate::Proxy::from_env)),
    /// sends the push, and tells every step in its order. Call it in a tokio runtime.
    pub async fn examine(&self) -> Vec<Step> {
        step::all(probe::examine(self).await)
    }
}

/// Time for each step: DNS, a handshake or an answer that takes longer is not well.
const STEP_MAX: Duration = Duration::from_secs(10);
