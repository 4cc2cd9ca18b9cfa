//! The command line: every option a flag, and an environment variable of the same name.

use std::{ffi::OsString, net::IpAddr, path::PathBuf, time::Duration};

use clap::{
    Arg, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum,
    builder::BoolishValueParser,
};
use mock_apns_core::{Environment, Named, Profile, SETTINGS, Settings, TeamId, TokenKind};

use crate::client_settings::Client;

/// What begins the name of every environment variable of ours.
const ENV_PREFIX: &str = "MOCK_APNS_";

/// An Apple Push Notification service that you run yourself.
///
/// With no command and no option it starts on loopback, prints what a first push needs, and serves until
/// Ctrl-C. Nothing is ever sent to Apple or to a real device. Every option has an environment variable of its
/// name: --port is MOCK_APNS_PORT.
#[derive(Debug, Parser)]
#[command(name = "mock-apns", version, args_conflicts_with_subcommands = true)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) serve: ServeArgs,
}

/// What else there is to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Tells by its exit code whether a double is ready: 0 if it is, 1 if not.
    Ready(ReadyArgs),
    /// Is a device in this terminal: registers apps, prints their tokens, shows notifications as they arrive.
    Device(DeviceArgs),
    /// Prints what a provider has to be told: variables for `eval "$(mock-apns env)"`, or one client's settings.
    Env(EnvArgs),
    /// Bad days: lists those that are ready, shows one, starts a double on one.
    #[command(subcommand)]
    Scenario(ScenarioCommand),
}

/// What to do with scenarios.
#[derive(Debug, Subcommand)]
pub(super) enum ScenarioCommand {
    /// Prints the name of each, and what happens.
    List,
    /// Prints one as TOML, to begin another with.
    Show {
        /// Its name.
        name: String,
    },
    /// Starts a double on whose ready-made team it is played: `mock-apns --scenario`.
    Run {
        /// A name of `mock-apns scenario list`, or a file in TOML or JSON.
        #[arg(value_name = "NAME|FILE")]
        scenario: OsString,
        /// Options of `mock-apns`, such as --port 0 --seed 42.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTION")]
        options: Vec<OsString>,
    },
}

/// How the double starts.
#[derive(Args, Debug)]
pub(super) struct ServeArgs {
    /// Address to listen on. Anything but loopback lets other machines in.
    #[arg(long, env = "MOCK_APNS_BIND", default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub(super) bind: IpAddr,

    /// Port of the sandbox's provider API; 0 takes a free one and tells which.
    #[arg(long, env = "MOCK_APNS_PORT", default_value_t = 2197)]
    pub(super) port: u16,

    /// Port of production's provider API [default: the port after the sandbox's, or a free one if that is 0].
    #[arg(long, env = "MOCK_APNS_PRODUCTION_PORT", value_name = "PORT")]
    pub(super) production_port: Option<u16>,

    /// Port of the device gateway [default: 5223, or a free one if --port is 0].
    #[arg(long, env = "MOCK_APNS_DEVICE_PORT", value_name = "PORT")]
    pub(super) device_port: Option<u16>,

    /// Port of the control API [default: 8197, or a free one if --port is 0].
    #[arg(long, env = "MOCK_APNS_CONTROL_PORT", value_name = "PORT")]
    pub(super) control_port: Option<u16>,

    /// Bearer token that the control API wants of whoever asks. Set one before you let other machines in.
    #[arg(long, env = "MOCK_APNS_CONTROL_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub(super) control_token: Option<String>,

    /// Host name by which the control API may be asked, beside localhost and addresses; may be repeated. Others are refused,
    /// because a page on the web could make a browser use them.
    #[arg(long = "control-host", env = "MOCK_APNS_CONTROL_HOST", value_name = "NAME", value_delimiter = ',')]
    pub(super) control_hosts: Vec<String>,

    /// File that declares teams, keys, apps, devices, tokens, settings and clocks, as TOML or JSON (docs/state.md). A
    /// mistake in it stops the start.
    #[arg(long, env = "MOCK_APNS_STATE", value_name = "FILE")]
    pub(super) state: Option<PathBuf>,

    /// Scenario that the ready-made team begins with: a name of `mock-apns scenario list`, or a file in TOML or JSON
    /// (docs/scenarios.md). A mistake in it stops the start. With a data folder that has kept something, that goes on instead.
    #[arg(long, env = "MOCK_APNS_SCENARIO", value_name = "NAME|FILE")]
    pub(super) scenario: Option<PathBuf>,

    /// File to write every entry of every journal to as it happens, a line of JSON each. A file that is there is emptied.
    #[arg(long, env = "MOCK_APNS_RECORD", value_name = "FILE")]
    pub(super) record: Option<PathBuf>,

    /// File of --record, or any lines of a journal, whose answers are given again to the same requests (docs/replay.md). A line that
    /// is none stops the start.
    #[arg(long, env = "MOCK_APNS_REPLAY", value_name = "FILE")]
    pub(super) replay: Option<PathBuf>,

    /// Folder in which everything is kept, across restarts and a kill -9 [default: none, all is in memory]. What anyone was
    /// told is on disk. Start it with the same seed and settings each time; docs/data-dir.md has the rest.
    #[arg(long, env = "MOCK_APNS_DATA_DIR", value_name = "DIR")]
    pub(super) data_dir: Option<PathBuf>,

    /// Folder for the CA, keys, certificates and ready.json [default: mock-apns-<port> in the system's
    /// temporary folder].
    #[arg(long, env = "MOCK_APNS_OUT", value_name = "DIR")]
    pub(super) out: Option<PathBuf>,

    /// File to write the addresses and credentials to, as JSON, once the double is ready. Removed when it
    /// stops.
    #[arg(long, env = "MOCK_APNS_READY_FILE", value_name = "FILE")]
    pub(super) ready_file: Option<PathBuf>,

    /// Seed of everything that is chosen at random: the same seed and the same requests give the same
    /// answers, and the ready-made device tokens are the same at every start.
    #[arg(long, env = "MOCK_APNS_SEED", default_value_t = 0, value_name = "NUMBER")]
    pub(super) seed: u64,

    /// What the settings below begin with: fast, as they are listed; realistic, with Apple's limits and penalties in force;
    /// or hostile, where things go wrong by chance besides (docs/profiles.md). A setting that is given wins over it.
    #[arg(long, env = "MOCK_APNS_PROFILE", default_value = "fast", value_parser = Profile::parse, value_name = "NAME")]
    pub(super) profile: Profile,

    /// What is logged to standard error: a level (error, warn, info, debug, trace) or a filter of the tracing
    /// crate.
    #[arg(long, env = "MOCK_APNS_LOG", default_value = "info", value_name = "FILTER")]
    pub(super) log: String,

    /// How it is logged: lines for people, or a JSON object a line.
    #[arg(long, env = "MOCK_APNS_LOG_FORMAT", value_enum, default_value_t)]
    pub(super) log_format: LogFormat,

    /// Log each HTTP/2 frame of every provider's connection, decoded, as nghttp -v does; GET /v1/connections/{id}/frames has
    /// them too, and can switch it on later (docs/frames.md).
    #[arg(long, env = "MOCK_APNS_TRACE_FRAMES", value_parser = BoolishValueParser::new())]
    pub(super) trace_frames: bool,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(super) enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// For programs: timestamp, level, target, message and the fields, all of one object.
    Json,
}

/// What `ready` looks at.
#[derive(Args, Debug)]
pub(super) struct ReadyArgs {
    /// Wait until it is ready instead of answering at once.
    #[arg(long)]
    pub(super) wait: bool,

    /// Seconds to wait at most.
    #[arg(long, env = "MOCK_APNS_READY_TIMEOUT", default_value = "30", value_parser = seconds, value_name = "SECONDS")]
    pub(super) timeout: Duration,

    /// The double's ready file [default: the one in the default folder of --port].
    #[arg(long, env = "MOCK_APNS_READY_FILE", value_name = "FILE")]
    pub(super) ready_file: Option<PathBuf>,

    /// The double's sandbox port, if it was started without --ready-file.
    #[arg(long, env = "MOCK_APNS_PORT", default_value_t = 2197)]
    pub(super) port: u16,
}

/// Which device to be, and what it does.
#[derive(Args, Debug)]
pub(super) struct DeviceArgs {
    /// The device's name: 1 to 64 printable ASCII characters. "phone" is the ready-made one, whose tokens the
    /// double prints. Its newest connection wins.
    #[arg(long, env = "MOCK_APNS_DEVICE_NAME", default_value = "phone")]
    pub(super) name: String,

    /// Bundle ID of an app to register; may be repeated [default: that of the ready-made app].
    #[arg(long = "app", env = "MOCK_APNS_DEVICE_APP", value_name = "BUNDLE-ID", value_delimiter = ',')]
    pub(super) apps: Vec<String>,

    /// Environment of the apps: sandbox or production.
    #[arg(long, env = "MOCK_APNS_DEVICE_ENVIRONMENT", default_value = "sandbox", value_parser = named::<Environment>)]
    pub(super) environment: Environment,

    /// What to register the apps for; may be repeated: app, voip, complication, file-provider, location,
    /// live-activity, push-to-talk, widgets or controls.
    #[arg(long = "kind", env = "MOCK_APNS_DEVICE_KIND", default_value = "app", value_parser = named::<TokenKind>, value_delimiter = ',')]
    pub(super) kinds: Vec<TokenKind>,

    /// The device's team [default: the ready-made one].
    #[arg(long, env = "MOCK_APNS_DEVICE_TEAM", value_parser = TeamId::parse, value_name = "TEAM-ID")]
    pub(super) team: Option<TeamId>,

    /// Save power: less urgent pushes wait.
    #[arg(long, env = "MOCK_APNS_DEVICE_POWER_SAVING")]
    pub(super) power_saving: bool,

    /// Acknowledge nothing, so that all of it is delivered again.
    #[arg(long, env = "MOCK_APNS_DEVICE_NO_ACK")]
    pub(super) no_ack: bool,

    /// Print each line of the gateway as it comes, and nothing else.
    #[arg(long, env = "MOCK_APNS_DEVICE_JSON")]
    pub(super) json: bool,

    /// The double's ready file [default: the one in the default folder of --port].
    #[arg(long, env = "MOCK_APNS_READY_FILE", value_name = "FILE")]
    pub(super) ready_file: Option<PathBuf>,

    /// The double's sandbox port, if it was started without --ready-file.
    #[arg(long, env = "MOCK_APNS_PORT", default_value_t = 2197)]
    pub(super) port: u16,
}

/// What `env` prints.
#[derive(Args, Debug)]
pub(super) struct EnvArgs {
    /// Print a program for this client, or its configuration, that pushes to the double.
    #[arg(long, env = "MOCK_APNS_ENV_CLIENT", value_parser = Client::parse, value_name = "NAME")]
    pub(super) client: Option<&'static Client>,

    /// Print the names of the clients there are.
    #[arg(long)]
    pub(super) list: bool,

    /// The double's ready file [default: the one in the default folder of --port].
    #[arg(long, env = "MOCK_APNS_READY_FILE", value_name = "FILE")]
    pub(super) ready_file: Option<PathBuf>,

    /// The double's sandbox port, if it was started without --ready-file.
    #[arg(long, env = "MOCK_APNS_PORT", default_value_t = 2197)]
    pub(super) port: u16,
}

/// The whole command line, the service's settings among it. `environment` has the names of the variables that
/// are set.
pub(super) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    environment: &[String],
) -> Result<(Cli, Settings), clap::Error> {
    let mut command = command();
    refuse_unknown_variables(&mut command, environment)?;
    let matches = command.clone().try_get_matches_from(arguments)?;
    let settings = settings(&mut command, &matches)?;
    Ok((Cli::from_arg_matches(&matches)?, settings))
}

/// The options above, and one for each row of the core's table of settings.
pub(super) fn command() -> clap::Command {
    SETTINGS.iter().fold(Cli::command(), |command, setting| {
        let help = format!("{} [values: {}] [default: {}]", setting.meaning, setting.values, setting.default);
        command.arg(
            Arg::new(setting.name)
                .long(setting.name)
                .env(variable(setting.name))
                .help(help)
                .value_name("VALUE")
                .help_heading("What nobody knows of Apple's servers (docs/differences-from-apple.md)"),
        )
    })
}

fn settings(command: &mut clap::Command, matches: &ArgMatches) -> Result<Settings, clap::Error> {
    // A subcommand has neither.
    let profile = matches.try_get_one::<Profile>("profile").ok().flatten();
    let mut settings = Settings::of(profile.copied().unwrap_or_default());
    for setting in SETTINGS {
        if let Ok(Some(value)) = matches.try_get_one::<String>(setting.name) {
            settings
                .set(setting.name, value)
                .map_err(|error| command.error(clap::error::ErrorKind::ValueValidation, error))?;
        }
    }
    Ok(settings)
}

/// A misspelt variable would silently do nothing; it stops the start instead.
fn refuse_unknown_variables(command: &mut clap::Command, environment: &[String]) -> Result<(), clap::Error> {
    let known: Vec<String> = command
        .get_arguments()
        .chain(command.get_subcommands().flat_map(clap::Command::get_arguments))
        .filter_map(|argument| argument.get_env()?.to_str().map(str::to_owned))
        .collect();
    let unknown = environment.iter().find(|name| name.starts_with(ENV_PREFIX) && !known.contains(name));
    match unknown {
        None => Ok(()),
        Some(name) => Err(command.error(
            clap::error::ErrorKind::UnknownArgument,
            format!("unknown environment variable {name}; `mock-apns --help` lists those there are"),
        )),
    }
}

/// `error-content-type` → `MOCK_APNS_ERROR_CONTENT_TYPE`.
fn variable(name: &'static str) -> String {
    format!("{ENV_PREFIX}{}", name.to_ascii_uppercase().replace('-', "_"))
}

fn named<T: Named>(text: &str) -> Result<T, String> {
    T::from_name(text).ok_or_else(|| {
        let names: Vec<_> = T::VALUES.iter().map(|value| value.name()).collect();
        format!("not one of {}", names.join(", "))
    })
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.strip_suffix('s').unwrap_or(text);
    number
        .parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "not a number of seconds, like 30 or 0.5".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::error::ErrorKind;

    use super::*;

    fn parse_with(arguments: &[&str], environment: &[&str]) -> Result<(Cli, Settings), clap::Error> {
        let arguments = ["mock-apns"].iter().chain(arguments).map(OsString::from);
        let environment: Vec<_> = environment.iter().map(|name| (*name).to_owned()).collect();
        parse(arguments, &environment)
    }

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn every_option_has_a_variable_of_its_name() {
        for argument in command().get_arguments().filter(|argument| argument.get_long().is_some()) {
            let long = argument.get_long().unwrap();
            if !matches!(long, "help" | "version") {
                let name = argument.get_env().and_then(|name| name.to_str());
                assert_eq!(name, Some(&*variable(Box::leak(long.to_owned().into_boxed_str()))), "--{long}");
            }
        }
    }

    #[test]
    fn no_argument_is_enough() {
        let (cli, _) = parse_with(&[], &[]).unwrap();
        assert_eq!((cli.serve.bind.is_loopback(), cli.serve.port), (true, 2197));
    }

    #[test]
    fn a_setting_wins_over_the_profile_wherever_it_stands() {
        let (_, settings) = parse_with(&[], &[]).unwrap();
        assert_eq!(settings, Settings::default());
        let background = ["--background-pushes-per-hour", "0"];
        for arguments in [
            ["--profile", "realistic"].iter().chain(&background),
            background.iter().chain(&["--profile", "realistic"]),
        ] {
            let (_, settings) = parse_with(&arguments.copied().collect::<Vec<_>>(), &[]).unwrap();
            assert_eq!(settings.get("background-pushes-per-hour").as_deref(), Some("0"));
            assert_eq!(settings.get("errors-before-disconnect").as_deref(), Some("100"));
            assert_eq!(settings.profile(), Profile::Realistic);
        }
    }

    #[test]
    fn every_option_of_a_device_has_a_variable() {
        let command = command();
        let device = command.find_subcommand("device").unwrap();
        for argument in device.get_arguments().filter(|argument| argument.get_long() != Some("help")) {
            let name = argument.get_env().and_then(|name| name.to_str());
            let long = argument.get_long().unwrap();
            let own = variable(Box::leak(format!("device-{long}").into_boxed_str()));
            let common = variable(Box::leak(long.to_owned().into_boxed_str()));
            assert!(name == Some(&*own) || name == Some(&*common), "--{long}: {name:?}");
        }
    }

    #[test]
    fn frames_are_traced_where_that_is_asked_for() {
        let traced = |arguments: &[&str]| parse_with(arguments, &[]).unwrap().0.serve.trace_frames;
        assert_eq!((traced(&[]), traced(&["--trace-frames"])), (false, true));
    }

    #[test]
    fn a_wrong_option_is_named() {
        for (arguments, name) in [
            (&["--prot", "1"][..], "--prot"),
            (&["--port", "70000"], "--port"),
            (&["--bind", "nowhere"], "--bind"),
            (&["--log-format", "xml"], "--log-format"),
            (&["--future-iat", "perhaps"], "future-iat"),
            (
                &["--profile", "slow"],
                "there is no profile \"slow\"; the profiles are fast, realistic, hostile",
            ),
            (&["device", "--kind", "alert"], "--kind"),
            (&["device", "--environment", "staging"], "sandbox, production"),
            (&["device", "--team", "short"], "--team"),
            (&["env", "--client", "pushsharp"], "node-apn, apns2-npm"),
        ] {
            let error = parse_with(arguments, &[]).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn an_unknown_variable_is_named() {
        let error = parse_with(&[], &["MOCK_APNS_PROT"]).unwrap_err();
        assert_eq!((error.kind(), error.exit_code()), (ErrorKind::UnknownArgument, 2));
        assert!(error.to_string().contains("MOCK_APNS_PROT"));
        assert!(parse_with(&[], &["MOCK_APNS_PORT", "PATH"]).is_ok());
    }

    #[test]
    fn seconds_may_have_a_unit() {
        assert_eq!(seconds("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert!(seconds("soon").is_err() && seconds("-1").is_err());
    }
}
