use std::{path::PathBuf, time::Duration};

use apns_provider::{Channels, Client, Credential, Endpoint};
use apns_provider_core::{BundleId, RetryPolicy};
use clap::Args;

use super::{CredentialArgs, read};

/// Where to, and trusting whom.
#[derive(Args, Debug)]
#[command(next_help_heading = "Server")]
pub(crate) struct AddressArgs {
    /// Where to: production, sandbox, or host:port, as in localhost:2197.
    #[arg(long, env = "APNS_PROVIDER_TO", value_name = "ADDRESS", value_parser = Endpoint::parse)]
    to: Option<Endpoint>,

    /// PEM file with the certificates to trust, and no others; the system's if not given.
    #[arg(long, env = "APNS_PROVIDER_CA", value_name = "FILE")]
    ca: Option<PathBuf>,

    /// Seconds that a push may take, all attempts together.
    #[arg(long, default_value_t = 30, value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(1..))]
    timeout: u16,
}

impl AddressArgs {
    /// The server, which everything but a dry run needs.
    pub(crate) fn endpoint(&self) -> Result<&Endpoint, String> {
        self.to.as_ref().ok_or_else(|| "--to is missing: production, sandbox, or host:port".to_owned())
    }

    /// The server, if one is named.
    pub(crate) fn to(&self) -> Option<&Endpoint> {
        self.to.as_ref()
    }

    pub(crate) fn ca_pem(&self) -> Result<Option<Vec<u8>>, String> {
        self.ca.as_deref().map(|file| read(file, "--ca")).transpose()
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout.into())
    }

    /// What a client needs besides a runtime.
    pub(crate) fn sender(&self, credential: &CredentialArgs) -> Result<Sender, String> {
        Ok(Sender {
            endpoint: self.endpoint()?.clone(),
            credential: credential.credential()?,
            ca_pem: self.ca_pem()?,
            timeout: self.timeout(),
        })
    }
}

/// Who sends, where to and trusting whom, with every file read.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) endpoint: Endpoint,
    credential: Credential,
    ca_pem: Option<Vec<u8>>,
    timeout: Duration,
}

impl Sender {
    /// A client of it. Call it in a tokio runtime.
    pub(crate) fn client(self, retry: RetryPolicy) -> Result<Client, String> {
        let mut builder = Client::builder(self.endpoint)
            .credential(self.credential)
            .retry(retry)
            .timeout(self.timeout)
            .proxy_from_env();
        if let Some(pem) = &self.ca_pem {
            builder = builder.ca_pem(pem);
        }
        builder.build().map_err(|error| error.to_string())
    }

    /// The channels of an app.
    pub(crate) fn channels(self, bundle_id: BundleId) -> Result<Channels, String> {
        let mut builder = Channels::builder(managing(self.endpoint), bundle_id)
            .credential(self.credential)
            .timeout(self.timeout)
            .proxy_from_env();
        if let Some(pem) = &self.ca_pem {
            builder = builder.ca_pem(pem);
        }
        builder.build().map_err(|error| error.to_string())
    }
}

/// `production` and `sandbox` are other hosts for channel management than for pushes.
fn managing(to: Endpoint) -> Endpoint {
    if to == Endpoint::production() {
        Endpoint::channels_production()
    } else if to == Endpoint::sandbox() {
        Endpoint::channels_sandbox()
    } else {
        to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c67_production_and_sandbox_are_the_hosts_of_channel_management() {
        let managing = |to: &str| managing(Endpoint::parse(to).unwrap());
        assert_eq!(managing("production"), Endpoint::channels_production());
        assert_eq!(managing("sandbox"), Endpoint::channels_sandbox());
        assert_eq!(managing("localhost:2195"), Endpoint::parse("localhost:2195").unwrap());
    }
}
