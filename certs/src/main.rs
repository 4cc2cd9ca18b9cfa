//! `apns-certs`: lists and writes what the library makes.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use apns_certs::catalogue::{Entry, File, Recipe};
use apns_certs::{Authority, DeviceId, HostName, KeyId, TeamId, Topic};
use clap::{Args, Parser, Subcommand};
use rustls_pki_types::UnixTime;

/// Certificates and keys for testing against an Apple Push Notification service of your own.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Lists all names, with a line on each.
    List,
    /// Writes some of them, or all, to a folder.
    Write(WriteArgs),
}

#[derive(Args)]
struct WriteArgs {
    /// What to write; all when none is named. `apns-certs list` shows the names.
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// The folder; made if missing. It keeps the authority (authority.pem), so that what is added later fits.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The app.
    #[arg(long, default_value = "com.example.app", value_parser = Topic::new)]
    bundle_id: Topic,
    /// The developer team.
    #[arg(long, default_value = "DEF123GHIJ", value_parser = TeamId::new)]
    team_id: TeamId,
    /// The authentication key.
    #[arg(long, default_value = "ABC123DEFG", value_parser = KeyId::new)]
    key_id: KeyId,
    /// The simulated device.
    #[arg(long, default_value = "device-1", value_parser = DeviceId::new)]
    device_id: DeviceId,
    /// A host name or IP address for server certificates, beside localhost and Apple's; may be repeated.
    #[arg(long = "host", value_name = "NAME", value_parser = HostName::new)]
    host_names: Vec<HostName>,
    /// The password of .p12 files.
    #[arg(long, default_value = "mock-apns")]
    password: String,
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::List => list(),
        Command::Write(args) => write(args),
    }
}

fn list() -> ExitCode {
    match io::stdout().write_all(listing().as_bytes()) {
        // A reader that has seen enough, as `head` has, is no failure.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            report(&format!("standard output: {error}"))
        }
        _ => ExitCode::SUCCESS,
    }
}

fn write(args: WriteArgs) -> ExitCode {
    let mut entries = Vec::new();
    for name in &args.names {
        let Some(entry) = Entry::from_name(name) else {
            eprint!("apns-certs: there is no {name:?}; the names are\n\n{}", listing());
            return ExitCode::from(EXIT_USAGE);
        };
        entries.push(entry);
    }
    if entries.is_empty() {
        entries = Entry::all();
    }
    match write_entries(&entries, args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => report(&failure.to_string()),
    }
}

fn report(problem: &str) -> ExitCode {
    eprintln!("apns-certs: {problem}");
    ExitCode::FAILURE
}

fn write_entries(entries: &[Entry], args: WriteArgs) -> Result<(), Failure> {
    let now = UnixTime::now();
    fs::create_dir_all(&args.out).map_err(|error| Failure::Io { path: args.out.clone(), error })?;
    let recipe = Recipe {
        authority: kept_authority(&args.out, now)?,
        now,
        bundle_id: args.bundle_id,
        team_id: args.team_id,
        key_id: args.key_id,
        host_names: args.host_names,
        device_id: args.device_id,
        password: args.password,
    };
    let mut written = 0;
    for entry in entries {
        for file in entry.files(&recipe)? {
            write_file(&args.out, &file)?;
            written += 1;
        }
    }
    eprintln!("apns-certs: wrote {written} files to {}", args.out.display());
    Ok(())
}

/// The folder's authority: the one it holds, or a new one, then kept there.
fn kept_authority(folder: &Path, now: UnixTime) -> Result<Authority, Failure> {
    let path = folder.join(AUTHORITY_FILE);
    match fs::read_to_string(&path) {
        Ok(pem) => Authority::from_pem(&pem).map_err(|error| Failure::Authority { path, error }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let authority = Authority::generate(now)?;
            let contents = authority.to_pem().into_bytes();
            write_file(folder, &File { name: AUTHORITY_FILE.to_owned(), contents, secret: true })?;
            Ok(authority)
        }
        Err(error) => Err(Failure::Io { path, error }),
    }
}

/// Replaces the file rather than filling it, so that an old one's permissions do not survive.
fn write_file(folder: &Path, file: &File) -> Result<(), Failure> {
    let path = folder.join(&file.name);
    let replace = || match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => create(&path, file.secret)?.write_all(&file.contents),
    };
    replace().map_err(|error| Failure::Io { path: path.clone(), error })
}

fn create(path: &Path, secret: bool) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if secret { MODE_SECRET } else { MODE_PUBLIC });
    #[cfg(not(unix))]
    let _ = secret;
    options.open(path)
}

fn listing() -> String {
    let rows: Vec<_> = Entry::all().into_iter().map(|entry| (entry.name(), entry.about())).collect();
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let lines: Vec<_> = rows.iter().map(|(name, about)| format!("{name:width$}  {about}")).collect();
    lines.join("\n") + "\n"
}

/// Why nothing, or not all, was written.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{}: {error}", .path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error("{}: {error}", .path.display())]
    Authority { path: PathBuf, error: apns_certs::Error },
    #[error(transparent)]
    Certs(#[from] apns_certs::Error),
}

/// Where a folder keeps its authority.
const AUTHORITY_FILE: &str = "authority.pem";

/// What a shell expects of a wrong argument; clap's own too.
const EXIT_USAGE: u8 = 2;

#[cfg(unix)]
const MODE_SECRET: u32 = 0o600;
#[cfg(unix)]
const MODE_PUBLIC: u32 = 0o644;
