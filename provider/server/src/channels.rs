//! The broadcast channels of apps. APNs keeps them: it is asked each time, over a connection of its own, and nothing is stored here.

use std::{sync::Arc, time::Duration};

use apns_provider::{BuildError, Channels, Credential, Endpoint};
use apns_provider_core::BundleId;
use apns_provider_server_core::device::Environment;

use crate::config::Config;

/// Where channels are managed.
#[derive(Clone, Debug)]
pub struct ChannelServices {
    /// Those of the production environment.
    pub production: Endpoint,
    /// Those of the sandbox.
    pub sandbox: Endpoint,
    /// Certificates to trust instead of the machine's, as PEM: a simulated service's.
    pub ca_pem: Option<Arc<[u8]>>,
}

impl Default for ChannelServices {
    /// Apple's.
    fn default() -> Self {
        Self {
            production: Endpoint::channels_production(),
            sandbox: Endpoint::channels_sandbox(),
            ca_pem: None,
        }
    }
}

impl ChannelServices {
    /// Those that a server is told to use: never Apple's if its pushes go to a double.
    pub fn of(config: &Config) -> Self {
        config.apns.as_ref().map_or_else(Self::default, |double| Self {
            production: double.channels.clone(),
            sandbox: double.channels.clone(),
            ca_pem: double.ca_pem.as_deref().map(Into::into),
        })
    }

    /// Whoever asks for the channels of an app.
    pub(crate) fn ask(
        &self,
        environment: Environment,
        bundle_id: BundleId,
        credential: Credential,
    ) -> Result<Channels, BuildError> {
        let endpoint = match environment {
            Environment::Production => &self.production,
            Environment::Sandbox => &self.sandbox,
        };
        let mut builder =
            Channels::builder(endpoint.clone(), bundle_id).credential(credential).timeout(PATIENCE);
        if let Some(pem) = &self.ca_pem {
            builder = builder.ca_pem(pem);
        }
        builder.build()
    }
}

/// Less than a request of the API may take.
const PATIENCE: Duration = Duration::from_secs(20);
