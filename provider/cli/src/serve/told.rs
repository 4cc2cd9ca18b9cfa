use std::{
    fmt::{self, Display, Formatter},
    net::SocketAddr,
};

use apns_provider_server::{config::Config, store::Place};
use apns_provider_server_core::api_key::ApiKeyText;

/// What somebody who starts a server reads first.
pub(super) struct Started<'a> {
    pub(super) config: &'a Config,
    pub(super) address: SocketAddr,
    pub(super) first_key: Option<&'a ApiKeyText>,
}

impl Display for Started<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "apns-provider {} serves.\n", env!("CARGO_PKG_VERSION"))?;
        let url = url(self.address);
        writeln!(f, "  page         {url}/")?;
        writeln!(f, "  API          {url}/v1   (described at /v1/openapi.json)")?;
        match &self.config.store.place {
            Place::Sqlite { path } => writeln!(f, "  database     {} (SQLite)", path.display())?,
            // The URL may have a password in it.
            Place::Postgres { .. } => writeln!(f, "  database     PostgreSQL")?,
        }
        match &self.config.apns {
            Some(double) => writeln!(f, "  pushes       go to {}, and never to Apple", double.endpoint)?,
            None => writeln!(f, "  pushes       go to Apple; --apns sends them to a double")?,
        }
        if let Some(key) = self.first_key {
            writeln!(f, "  first key    {}", key.as_str())?;
            writeln!(f, "\nThe key is the operator's. It is told now and never again:\n")?;
            writeln!(f, "  export APNS_PROVIDER_API_KEY={}", key.as_str())?;
            writeln!(f, "  apns-provider admin --server {url} tenants list")?;
        }
        Ok(())
    }
}

/// Where a server is that listens there.
pub(super) fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}
