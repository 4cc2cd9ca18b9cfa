//! `apns-provider serve`: starts the provider server, says where it is, and stops it in order.

mod ready;
mod told;

use std::{
    env,
    io::IsTerminal as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use apns_provider_server::{
    config::{Config, Options},
    server::{Server, StartError},
    telemetry,
};
use apns_provider_server_core::api_key::ApiKeyText;
use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::{exit, report};
use ready::ReadyFile;

/// What the server is told; each option of its own has a variable and a key of the configuration file as well.
#[derive(Args, Debug)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    options: Options,
    /// Write where it is to this file when it is ready, as JSON, with the first key if it has made one; remove the file at the end.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

/// Serves until a signal says to stop.
pub(super) fn run(args: &ServeArgs) -> Result<ExitCode, String> {
    let variables: Vec<String> = env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect();
    let config = Config::of(args.options.clone(), &variables).map_err(|error| error.to_string())?;
    start_log(&config)?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| format!("cannot start: {error}"))?;
    let code = runtime.block_on(serve(&config, args.ready_file.as_deref()))?;
    // A question to a name server that does not answer would be waited for otherwise.
    runtime.shutdown_background();
    Ok(ExitCode::from(code))
}

async fn serve(config: &Config, ready_file: Option<&Path>) -> Result<u8, String> {
    // From here on a signal means to stop, also while it starts.
    let mut signals = Signals::listen()?;
    let metrics = telemetry::install_recorder().map_err(|error| format!("cannot count: {error}"))?;
    let server = tokio::select! {
        started = Server::start(config, metrics) => started.map_err(|error| explained(&error))?,
        () = signals.next() => return Ok(exit::ACCEPTED),
    };
    let (address, first_key) = (server.address(), server.first_key());
    // It comes first: whoever reads what is printed finds the file.
    let ready = ready_file.map(|path| ReadyFile::write(path, address, first_key.map(ApiKeyText::as_str)));
    let ready = ready.transpose();
    // The key is told in any case: it is stored already, and never told again.
    report::print(told::Started { config, address, first_key })?;
    let ready = ready?;
    tokio::select! {
        () = signals.next() => {}
        () = server.failed() => {
            server.stop().await;
            return Err("a part of the server has ended by itself: the log says which; start it again".to_owned());
        }
    }
    drop(ready);
    report::note("stopping; what is under way is finished. Once more ends at once");
    tokio::select! {
        is_finished = server.stop() => {
            if !is_finished {
                report::note("some pushes were under way to the end of the time: they are sent again, with their apns-id");
            }
            Ok(exit::ACCEPTED)
        }
        () = signals.next() => Ok(exit::RETRYABLE),
    }
}

/// What was wrong and what to do.
fn explained(error: &StartError) -> String {
    match error {
        StartError::Listen { error: why, .. } if why.kind() == std::io::ErrorKind::AddrInUse => {
            format!("{error}; something listens there already: choose another --listen")
        }
        _ => error.to_string(),
    }
}

/// Logs to standard error: standard output says where the server is.
fn start_log(config: &Config) -> Result<(), String> {
    let filter = EnvFilter::try_new(&config.log)
        .map_err(|error| format!("log: {:?} is not a filter: {error}", config.log))?;
    let ansi = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(ansi);
    if config.log_json {
        log.json().flatten_event(true).with_current_span(false).with_span_list(false).init();
    } else {
        log.init();
    }
    Ok(())
}

/// Whoever tells a process to stop.
struct Signals {
    interrupted: Signal,
    terminated: Signal,
}

impl Signals {
    fn listen() -> Result<Self, String> {
        let listen = |kind| signal(kind).map_err(|error| format!("cannot listen to signals: {error}"));
        Ok(Self {
            interrupted: listen(SignalKind::interrupt())?,
            terminated: listen(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupted.recv() => {}
            _ = self.terminated.recv() => {}
        }
    }
}
