//! The settings as they are written: each may be left out.

use std::{net::SocketAddr, path::PathBuf};

use clap::{CommandFactory as _, Parser, builder::BoolishValueParser};
use serde::Deserialize;

/// With what the names of all variables begin.
pub(super) const PREFIX: &str = "APNS_SERVER_";

/// Declares [`Options`]: each a flag, a variable and a key of the file, of one name.
macro_rules! options {
    ($($(#[doc = $doc:literal])+ $(#[arg($($arg:tt)+)])? $name:ident: $type:ty = $variable:literal;)*) => {
        /// Run the provider server. It starts with no arguments, on a database in the folder `data`.
        #[derive(Clone, Debug, Default, Deserialize, Parser)]
        #[command(name = "apns-provider serve")]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        pub struct Options {
            /// File with settings, as TOML: the names of the flags without `--`.
            #[arg(long, env = "APNS_SERVER_CONFIG", value_name = "FILE")]
            #[serde(skip)]
            pub config: Option<PathBuf>,

            $($(#[doc = $doc])+ #[arg(long, env = $variable $(, $($arg)+)?)] pub $name: Option<$type>,)*
        }

        impl Options {
            /// These, and what they do not say from others.
            #[must_use]
            pub fn or(self, others: Self) -> Self {
                Self { config: self.config.or(others.config), $($name: self.$name.or(others.$name),)* }
            }
        }
    };
}

options! {
    /// Address to listen on [default: 127.0.0.1:8198]. There is no TLS: put something in front that has, before you let other machines in.
    #[arg(value_name = "ADDRESS")]
    listen: SocketAddr = "APNS_SERVER_LISTEN";
    /// Folder for the database and the key file [default: data]. It is made if it is not there.
    #[arg(value_name = "DIR")]
    data_dir: PathBuf = "APNS_SERVER_DATA_DIR";
    /// Database: the path of a file for SQLite, or postgres://user@host/database [default: apns-provider.db in the data folder].
    #[arg(value_name = "PLACE", hide_env_values = true)]
    database: String = "APNS_SERVER_DATABASE";
    /// What survives a power cut: process, promises or all [default: promises].
    #[arg(value_name = "WHAT")]
    durability: String = "APNS_SERVER_DURABILITY";
    /// Connections to the database [default: 8].
    #[arg(value_name = "COUNT")]
    database_connections: u32 = "APNS_SERVER_DATABASE_CONNECTIONS";
    /// File with the key that credentials are encrypted with [default: secret.key in the data folder]. It is made if it is not there; the
    /// database is of no use without it.
    #[arg(value_name = "FILE")]
    secret_key_file: PathBuf = "APNS_SERVER_SECRET_KEY_FILE";
    /// Where pushes of both environments go instead of Apple: a double, such as https://localhost:2197.
    #[arg(value_name = "URL")]
    apns: String = "APNS_SERVER_APNS";
    /// Where broadcast channels of both environments are managed instead of by Apple [default: where --apns is].
    #[arg(value_name = "URL")]
    apns_channels: String = "APNS_SERVER_APNS_CHANNELS";
    /// File with the CA of --apns and --apns-channels, as PEM.
    #[arg(value_name = "FILE")]
    apns_ca: PathBuf = "APNS_SERVER_APNS_CA";
    /// Recipients without an outcome that an app may have in one lane [default: 10000000].
    #[arg(value_name = "COUNT")]
    queue_per_app: u64 = "APNS_SERVER_QUEUE_PER_APP";
    /// Recipients without an outcome that the apps of a tenant may have in one lane together [default: 50000000].
    #[arg(value_name = "COUNT")]
    queue_per_tenant: u64 = "APNS_SERVER_QUEUE_PER_TENANT";
    /// Requests that are answered at once; more are answered 503 [default: 1000].
    #[arg(value_name = "COUNT")]
    requests_max: usize = "APNS_SERVER_REQUESTS_MAX";
    /// Connections to the API at once; more wait [default: 2000].
    #[arg(value_name = "COUNT")]
    connections_max: usize = "APNS_SERVER_CONNECTIONS_MAX";
    /// Seconds after which what a process was sending that has died is taken over [default: 60]. A push is given up for now in half the time at most.
    #[arg(value_name = "SECONDS")]
    lease_seconds: u64 = "APNS_SERVER_LEASE_SECONDS";
    /// Seconds that requests and pushes under way have to end when the server is told to stop [default: 25].
    #[arg(value_name = "SECONDS")]
    drain_seconds: u64 = "APNS_SERVER_DRAIN_SECONDS";
    /// Let webhooks be called without TLS, and at addresses that are not public: for tests.
    #[arg(num_args = 0..=1, default_missing_value = "true", value_parser = BoolishValueParser::new())]
    allow_private_webhooks: bool = "APNS_SERVER_ALLOW_PRIVATE_WEBHOOKS";
    /// Connections to APNs for each app and environment [default: 4].
    #[arg(value_name = "COUNT")]
    connections: u16 = "APNS_SERVER_CONNECTIONS";
    /// Pushes that are handed to connections and have no answer yet [default: 4000].
    #[arg(value_name = "COUNT")]
    in_engine: u32 = "APNS_SERVER_IN_ENGINE";
    /// Pushes a second of this process at most [default: as many as can be].
    #[arg(value_name = "COUNT")]
    pushes_per_second: u32 = "APNS_SERVER_PUSHES_PER_SECOND";
    /// What is logged to standard error: a level or a filter of the tracing crate [default: info].
    #[arg(value_name = "FILTER")]
    log: String = "APNS_SERVER_LOG";
    /// Export a span for each push by OTLP over HTTP: OTEL_EXPORTER_OTLP_ENDPOINT and the other standard variables say where to and which.
    #[arg(num_args = 0..=1, default_missing_value = "true", value_parser = BoolishValueParser::new())]
    traces: bool = "APNS_SERVER_TRACES";
    /// Log a JSON object a line.
    #[arg(num_args = 0..=1, default_missing_value = "true", value_parser = BoolishValueParser::new())]
    log_json: bool = "APNS_SERVER_LOG_JSON";
}

/// The names of all variables.
pub(super) fn variables() -> Vec<String> {
    let command = Options::command();
    command.get_arguments().filter_map(|argument| argument.get_env()?.to_str().map(str::to_owned)).collect()
}
