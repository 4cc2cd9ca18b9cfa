//! `mock-apns ready`: whether a double has started, for scripts and containers without curl.

use std::{
    net::TcpStream,
    path::Path,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use super::{FAILED, args::ReadyArgs, fail, folder::default_ready_file, ready_file::ReadyFile};

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Time for a listener on this machine to take a connection.
const KNOCK_MAX: Duration = Duration::from_secs(1);

pub(super) fn run(args: &ReadyArgs) -> ExitCode {
    let path = args.ready_file.clone().unwrap_or_else(|| default_ready_file(args.port));
    let start = Instant::now();
    loop {
        let not_ready = match check(&path) {
            Ok(()) => return ExitCode::SUCCESS,
            Err(not_ready) => not_ready,
        };
        if !args.wait {
            return fail(FAILED, format_args!("not ready: {not_ready}"));
        }
        if start.elapsed() >= args.timeout {
            return fail(FAILED, format_args!("not ready after {:?}: {not_ready}", args.timeout));
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// Ready means that the double wrote its ready file and that its listeners take connections: a file alone may
/// be left over.
fn check(path: &Path) -> Result<(), String> {
    let ready = ReadyFile::read(path)?;
    for endpoint in [&ready.sandbox, &ready.production, &ready.device_gateway] {
        let address = endpoint.reachable();
        TcpStream::connect_timeout(&address, KNOCK_MAX).map_err(|error| format!("{address}: {error}"))?;
    }
    Ok(())
}
