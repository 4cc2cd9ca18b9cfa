//! One configuration: what a flag says, else the environment, else a file, else the default.
//!
//! Every setting has one name everywhere: `--queue-per-app`, `APNS_SERVER_QUEUE_PER_APP`, and `queue-per-app = 1000` in the file. What is
//! wrong stops the start, and is told with that name.

mod error;
mod options;

use std::{
    ffi::OsString,
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use apns_provider::Endpoint;
use apns_provider_server_core::{
    limits::{QUEUED_OF_APP_MAX, QUEUED_OF_TENANT_MAX, QueueBounds},
    ssrf::Policy,
    tuning::{Tuning, TuningRequest},
};
use clap::Parser as _;

pub use error::ConfigError;
pub use options::Options;

use crate::{
    api::Limits,
    store::{Durability, Place, StoreSettings},
};

/// Everything that is set before the start.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the API is asked.
    pub listen: SocketAddr,
    /// What is made on the first start, and kept.
    pub data_dir: PathBuf,
    /// Where everything is stored.
    pub store: StoreSettings,
    /// The key that secrets are encrypted with.
    pub secret_key_file: PathBuf,
    /// Where pushes go instead of Apple: to a double.
    pub apns: Option<Double>,
    /// How much may be queued, unless an app or a tenant has a bound of its own.
    pub bounds: QueueBounds,
    /// Requests that are answered at once.
    pub requests_max: usize,
    /// Connections to the API at once, and how long it drains.
    pub limits: Limits,
    /// How long what a process has claimed is its own.
    pub lease: Duration,
    /// Where webhooks may go: to public addresses with TLS, or anywhere.
    pub webhook_policy: Policy,
    /// How the pipeline begins.
    pub tuning: Tuning,
    /// Whether spans of pushes are exported, as the standard variables of OpenTelemetry say.
    pub traces: bool,
    /// What is logged.
    pub log: String,
    /// Whether the log is for programs, a JSON object a line.
    pub log_json: bool,
}

/// Where pushes go instead of Apple.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Double {
    /// Its address, for both environments.
    pub endpoint: Endpoint,
    /// Where channels are managed.
    pub channels: Endpoint,
    /// Who signs its certificate, as PEM, if none of the system's authorities does.
    pub ca_pem: Option<Vec<u8>>,
}

impl Config {
    /// Reads the arguments (the first is the program's name) and the environment that `clap` sees, and the file that they name.
    /// `variables` are the names of the variables that are set: one that is misspelt would silently do nothing.
    pub fn read(
        arguments: impl IntoIterator<Item = OsString>,
        variables: &[String],
    ) -> Result<Self, ConfigError> {
        Self::of(Options::try_parse_from(arguments)?, variables)
    }

    /// What these options say, those of the file that they name, and the defaults. `variables` as for [`Config::read`].
    pub fn of(options: Options, variables: &[String]) -> Result<Self, ConfigError> {
        refuse_unknown_variables(variables)?;
        let file = match &options.config {
            Some(path) => read_file(path)?,
            None => Options::default(),
        };
        Self::checked(options.or(file))
    }

    fn checked(options: Options) -> Result<Self, ConfigError> {
        let apns = double(&options)?;
        let data_dir = options.data_dir.unwrap_or_else(|| "data".into());
        let place = match options.database {
            Some(place) => place.parse::<Place>().map_err(|why| ConfigError::of("database", why))?,
            None => Place::Sqlite { path: data_dir.join("apns-provider.db") },
        };
        let durability = match options.durability {
            Some(text) => text.parse::<Durability>().map_err(|why| ConfigError::of("durability", why))?,
            None => Durability::default(),
        };
        let connections = in_range("database-connections", options.database_connections, 8, 1, 100)?;
        let tuning = tuning(TuningRequest {
            connections: options.connections,
            in_engine: options.in_engine,
            pushes_per_second: options.pushes_per_second.map(Some),
            ..TuningRequest::default()
        })?;
        let limits = Limits::default();
        let lease = in_range("lease-seconds", options.lease_seconds, 60, LEASE_SECONDS_MIN, 3600)?;
        let drain = in_range("drain-seconds", options.drain_seconds, limits.drain.as_secs(), 0, 3600)?;
        Ok(Self {
            listen: options.listen.unwrap_or(LISTEN),
            store: StoreSettings { place, durability, connections },
            secret_key_file: options.secret_key_file.unwrap_or_else(|| data_dir.join("secret.key")),
            data_dir,
            apns,
            bounds: QueueBounds {
                app: in_range("queue-per-app", options.queue_per_app, QUEUED_OF_APP_MAX, 1, QUEUE_MAX)?,
                tenant: in_range(
                    "queue-per-tenant",
                    options.queue_per_tenant,
                    QUEUED_OF_TENANT_MAX,
                    1,
                    QUEUE_MAX,
                )?,
            },
            requests_max: in_range("requests-max", options.requests_max, REQUESTS, 1, 100_000)?,
            limits: Limits {
                connections_max: in_range(
                    "connections-max",
                    options.connections_max,
                    limits.connections_max,
                    1,
                    100_000,
                )?,
                drain: Duration::from_secs(drain),
            },
            webhook_policy: match options.allow_private_webhooks {
                Some(true) => Policy::allowing(&EVERYWHERE).expect("they are ranges"),
                _ => Policy::public_only(),
            },
            lease: Duration::from_secs(lease),
            tuning,
            traces: options.traces.unwrap_or(false),
            log: options.log.unwrap_or_else(|| "info".into()),
            log_json: options.log_json.unwrap_or(false),
        })
    }
}

fn in_range<T: Copy + PartialOrd + std::fmt::Display>(
    name: &'static str,
    value: Option<T>,
    default: T,
    min: T,
    max: T,
) -> Result<T, ConfigError> {
    let value = value.unwrap_or(default);
    if (min..=max).contains(&value) {
        return Ok(value);
    }
    Err(ConfigError::of(name, format_args!("{value} is not {min} to {max}")))
}

/// Its settings have the names that they have in the API.
fn tuning(request: TuningRequest) -> Result<Tuning, ConfigError> {
    request.apply(Tuning::default()).map_err(|problem| match problem.fields() {
        [first, ..] => ConfigError::of(first.field.clone(), &first.message),
        [] => ConfigError::of("tuning", problem),
    })
}

fn double(options: &Options) -> Result<Option<Double>, ConfigError> {
    let Some(apns) = &options.apns else {
        // Pushes to Apple and channels elsewhere would be of no use to each other.
        return match (&options.apns_ca, &options.apns_channels) {
            (None, None) => Ok(None),
            (Some(_), _) => {
                Err(ConfigError::of("apns-ca", "it is who signs the certificate of --apns, which is missing"))
            }
            (None, Some(_)) => Err(ConfigError::of("apns-channels", "it goes with --apns, which is missing")),
        };
    };
    let endpoint = endpoint("apns", apns)?;
    let channels = match &options.apns_channels {
        None => endpoint.clone(),
        Some(channels) => self::endpoint("apns-channels", channels)?,
    };
    let ca_pem = match &options.apns_ca {
        None => None,
        Some(path) => {
            let pem = fs::read(path)
                .map_err(|why| ConfigError::of("apns-ca", format_args!("{}: {why}", path.display())))?;
            if !pem.windows(PEM.len()).any(|window| window == PEM) {
                let why = format!("{} has no certificate in it", path.display());
                return Err(ConfigError::of("apns-ca", why));
            }
            Some(pem)
        }
    };
    Ok(Some(Double { endpoint, channels, ca_pem }))
}

fn endpoint(name: &'static str, text: &str) -> Result<Endpoint, ConfigError> {
    let address = text.strip_prefix("https://").unwrap_or(text);
    let address = address.strip_suffix('/').unwrap_or(address);
    Endpoint::parse(address).map_err(|why| ConfigError::of(name, why))
}

fn read_file(path: &Path) -> Result<Options, ConfigError> {
    let text = fs::read_to_string(path)
        .map_err(|why| ConfigError::of("config", format_args!("{}: {why}", path.display())))?;
    toml::from_str(&text).map_err(|error| {
        ConfigError::of("config", format_args!("{}: {}", path.display(), error.to_string().trim_end()))
    })
}

fn refuse_unknown_variables(variables: &[String]) -> Result<(), ConfigError> {
    let known = options::variables();
    match variables.iter().find(|name| name.starts_with(options::PREFIX) && !known.contains(name)) {
        None => Ok(()),
        Some(name) => Err(ConfigError::of(
            name.clone(),
            "there is no such variable; `apns-provider serve --help` lists those there are",
        )),
    }
}

/// Only this machine, until somebody says otherwise.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8198);
/// More recipients are not waiting but lost.
const QUEUE_MAX: u64 = 1_000_000_000;
/// In less there is no time to renew a lease and to hear of a push.
const LEASE_SECONDS_MIN: u64 = 10;
/// Requests that wait for one disk: more only make each of them slower.
const REQUESTS: usize = 1000;
/// Every address of IPv4, and of IPv6.
const EVERYWHERE: [&str; 2] = ["0.0.0.0/0", "::/0"];
const PEM: &[u8] = b"-----BEGIN CERTIFICATE-----";

#[cfg(test)]
mod tests;
