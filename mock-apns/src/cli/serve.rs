//! `mock-apns` with no command: start, print, serve, stop.

use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use mock_apns_core::{Scenario, Settings, Transcript, TranscriptProgress};
use tracing::{debug, info, warn};
use tracing_subscriber::EnvFilter;

use super::{
    FAILED, MISUSED,
    args::{LogFormat, ServeArgs},
    banner, fail,
    folder::Folder,
    ready_file::ReadyFile,
    scenario,
    signals::Signals,
};
use crate::{Builder, MockApns, StartError, clock, provider_token};

/// How often the provider token on disk is made anew. It is good for an hour; a copied curl command should
/// always find a good one.
const PROVIDER_TOKEN_EVERY: Duration = Duration::from_mins(30);

/// Where Apple's devices connect.
const DEVICE_PORT: u16 = 5223;
/// Where the control API listens.
const CONTROL_PORT: u16 = 8197;

pub(super) fn run(args: ServeArgs, settings: Settings) -> ExitCode {
    let filter = match EnvFilter::try_new(&args.log) {
        Ok(filter) => filter,
        Err(error) => return fail(MISUSED, format_args!("--log {:?} is not a filter: {error}", args.log)),
    };
    start_log(filter, args.log_format);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(FAILED, format_args!("cannot start its threads: {error}")),
    };
    let state = match args.state.as_deref().map(read_state).transpose() {
        Ok(state) => state,
        Err(message) => return fail(MISUSED, message),
    };
    let scenario = match args.scenario.as_deref().map(scenario::find).transpose() {
        Ok(scenario) => scenario,
        Err(message) => return fail(MISUSED, message),
    };
    let transcript = match args.replay.as_deref().map(read_transcript).transpose() {
        Ok(transcript) => transcript,
        Err(message) => return fail(MISUSED, message),
    };
    if let Err(message) = check_files(&args) {
        return fail(MISUSED, message);
    }
    match runtime.block_on(serve(args, settings, Beginning { state, scenario, transcript })) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, message }) => fail(code, message),
    }
}

/// Logs to standard error: standard output is the banner's.
fn start_log(filter: EnvFilter, format: LogFormat) {
    let ansi = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(ansi);
    match format {
        LogFormat::Human => log.init(),
        LogFormat::Json => {
            log.json().flatten_event(true).with_current_span(false).with_span_list(false).init();
        }
    }
}

/// Why the double did not start, or ended, and with which code.
struct Failure {
    code: u8,
    message: String,
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self { code: FAILED, message }
    }
}

fn read_state(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("--state {}: {error}", path.display()))
}

fn read_transcript(path: &Path) -> Result<Transcript, String> {
    let named = |error: &dyn std::fmt::Display| format!("--replay {}: {error}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| named(&error))?;
    match Transcript::parse(&text) {
        Ok(transcript) if transcript.is_empty() => {
            Err(named(&"there is no answer in it: is it the file of --record?"))
        }
        Ok(transcript) => Ok(transcript),
        Err(error) => Err(named(&error)),
    }
}

/// What is replayed is not to be emptied for what is recorded.
fn check_files(args: &ServeArgs) -> Result<(), String> {
    let path = |asked: &Option<PathBuf>| asked.as_deref().and_then(|path| path.canonicalize().ok());
    match (path(&args.record), path(&args.replay)) {
        (Some(record), Some(replay)) if record == replay => {
            Err("--record and --replay name the same file: record to another one".to_owned())
        }
        _ => Ok(()),
    }
}

/// What was read from files before anything starts.
struct Beginning {
    state: Option<String>,
    scenario: Option<Scenario>,
    transcript: Option<Transcript>,
}

impl Beginning {
    /// A double as the options ask for it.
    fn builder(self, args: &ServeArgs, settings: Settings) -> Builder {
        let next_port = if args.port == 0 { 0 } else { args.port.saturating_add(1) };
        let port_or_free =
            |asked: Option<u16>, usual| asked.unwrap_or(if args.port == 0 { 0 } else { usual });
        let mut builder = MockApns::builder()
            .bind(args.bind)
            .ports(args.port, args.production_port.unwrap_or(next_port))
            .device_port(port_or_free(args.device_port, DEVICE_PORT))
            .control_port(port_or_free(args.control_port, CONTROL_PORT))
            .control_hosts(args.control_hosts.clone())
            .seed(args.seed)
            .settings(settings);
        if let Some(token) = &args.control_token {
            builder = builder.control_token(token);
        }
        if let Some(state) = self.state {
            builder = builder.state(state);
        }
        if let Some(scenario) = self.scenario {
            builder = builder.scenario(scenario);
        }
        if let Some(transcript) = self.transcript {
            builder = builder.replay(transcript);
        }
        if let Some(path) = &args.record {
            builder = builder.record(path);
        }
        if let Some(folder) = &args.data_dir {
            builder = builder.data_dir(folder);
        }
        if args.trace_frames {
            builder = builder.trace_frames();
        }
        builder
    }
}

/// Says what is open to whom, if anyone but this machine reaches it.
fn warn_of_openness(args: &ServeArgs) {
    if args.bind.is_loopback() {
        return;
    }
    let control = if args.control_token.is_some() {
        "the control API wants the token"
    } else {
        "the control API, private keys among what it tells, is open to them too: set --control-token"
    };
    warn!(
        address = %args.bind,
        "listening beyond loopback: every machine that reaches this address can push here and be a device; {control}"
    );
}

async fn serve(args: ServeArgs, settings: Settings, beginning: Beginning) -> Result<(), Failure> {
    raise_open_files();
    // From here on a signal means "stop", also while starting.
    let mut signals = Signals::listen()?;

    let builder = beginning.builder(&args, settings);
    let mock = builder.start().await.map_err(|error| match (&error, &args.state) {
        (StartError::State(mistake), Some(path)) => {
            Failure { code: MISUSED, message: format!("--state {}: {mistake}", path.display()) }
        }
        (StartError::Scenario { .. }, _) => Failure { code: MISUSED, message: error.to_string() },
        _ => error.to_string().into(),
    })?;
    warn_of_openness(&args);

    let folder = Folder::create(args.out, mock.sandbox().port())?;
    folder.write_credentials(&mock)?;
    write_provider_token(&mock, &folder)?;
    let ready = ReadyFile::new(&mock, &folder, args.seed);
    let ready_files: Vec<PathBuf> = [folder.ready_file()].into_iter().chain(args.ready_file).collect();
    banner::print(&ready);
    for path in &ready_files {
        ready.write(path)?;
    }

    let mut every = tokio::time::interval(PROVIDER_TOKEN_EVERY);
    let ended = loop {
        tokio::select! {
            () = signals.stop() => break Ok(()),
            // Whoever waits for an answer is told that there is none before it ends.
            error = mock.failed() => break Err(error.to_string().into()),
            // The next time may find the disk less full, or a descriptor free.
            _ = every.tick() => if let Err(error) = write_provider_token(&mock, &folder) {
                warn!(error, "the provider token on disk is an old one");
            },
        }
    };
    info!("stopping");
    for path in &ready_files {
        ReadyFile::remove(path);
    }
    if let Some(TranscriptProgress { lines, replayed, unknown_requests, .. }) = mock.replay_progress() {
        info!(lines, replayed, unknown_requests, "replayed");
    }
    mock.stop().await;
    folder.remove_if_temporary();
    ended
}

/// Lets this process have as many descriptors as the system allows it: each connection takes one, and shells start programs with 1024 or
/// 256.
fn raise_open_files() {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(descriptors) => debug!(descriptors, "descriptors that may be open"),
        Err(error) => warn!(%error, "the limit of open descriptors stays what it is"),
    }
}

fn write_provider_token(mock: &MockApns, folder: &Folder) -> Result<(), String> {
    let ready_made = mock.ready_made();
    let key = &ready_made.keys[0].key;
    let token = provider_token::mint(key, ready_made.team_id, clock::now())
        .map_err(|error| format!("cannot sign a provider token: {error}"))?;
    folder.write(Folder::PROVIDER_TOKEN, token.as_bytes(), true)
}
