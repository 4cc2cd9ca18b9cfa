//! `mock-apns device`: a device in the terminal.

use std::{fs, io::Write as _, process::ExitCode};

use apns_certs::Authority;

use super::{
    FAILED, args::DeviceArgs, fail, folder::default_ready_file, notification::Banner, ready_file::ReadyFile,
    signals::Signals,
};
use crate::{Acknowledge, Device, DeviceError, DeviceOptions, Named as _, TokenMessage};

pub(super) fn run(args: &DeviceArgs) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(FAILED, format_args!("cannot start: {error}")),
    };
    match runtime.block_on(until_stopped(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => fail(FAILED, message),
    }
}

/// Is a device until Ctrl-C, which takes it offline. Does not come back by itself when the double goes away: a
/// script is to notice.
async fn until_stopped(args: &DeviceArgs) -> Result<(), String> {
    let mut signals = Signals::listen()?;
    let path = args.ready_file.clone().unwrap_or_else(|| default_ready_file(args.port));
    let ready = ReadyFile::read(&path)
        .map_err(|error| format!("{error}. Is mock-apns running? --ready-file or --port says where"))?;
    let options = options(args, &ready)?;
    let mut device = tokio::select! {
        connected = options.connect() => connected.map_err(|error| error.to_string())?,
        () = signals.stop() => return Ok(()),
    };
    let ended = tokio::select! {
        error = show(args, &ready, &mut device) => Err(error.to_string()),
        () = signals.stop() => Ok(()),
    };
    device.disconnect().await;
    ended
}

fn options(args: &DeviceArgs, ready: &ReadyFile) -> Result<DeviceOptions, String> {
    let path = ready.authority.display();
    let pem = fs::read_to_string(&ready.authority).map_err(|error| format!("cannot read {path}: {error}"))?;
    let authority = Authority::from_pem(&pem).map_err(|error| format!("{path}: {error}"))?;
    let address = ready.device_gateway.reachable();
    let mut options = DeviceOptions::issued_by(&authority, address, &args.name)
        .map_err(|error| format!("--name: {error}"))?;
    if let Some(team) = args.team {
        options = options.team(team);
    }
    if args.power_saving {
        options = options.power_saving();
    }
    if args.no_ack {
        options = options.acknowledge(Acknowledge::WhenTold); // and nobody tells
    }
    if args.json {
        options = options.on_line(|line| print(&String::from_utf8_lossy(line)));
    }
    Ok(options)
}

/// Registers and shows what comes, until something goes wrong.
async fn show(args: &DeviceArgs, ready: &ReadyFile, device: &mut Device) -> DeviceError {
    match register_and_show(args, ready, device).await {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

async fn register_and_show(
    args: &DeviceArgs,
    ready: &ReadyFile,
    device: &mut Device,
) -> Result<std::convert::Infallible, DeviceError> {
    let show = |text: &dyn std::fmt::Display| {
        if !args.json {
            print(&text.to_string());
        }
    };
    let connected = device.connected();
    show(&format_args!(
        "{} of team {} is online at {}. Ctrl-C takes it offline.\n",
        connected.device, connected.team, ready.device_gateway.url
    ));
    let ready_made = [ready.bundle_id.clone()];
    let apps = if args.apps.is_empty() { &ready_made[..] } else { &args.apps };
    for app in apps {
        for &kind in &args.kinds {
            let TokenMessage { topic, token, .. } = device.register(app, args.environment, kind).await?;
            show(&format_args!("{}, {}, topic {topic}\n  {token}", args.environment.name(), kind.name()));
        }
    }
    loop {
        let notification = device.next().await?;
        for TokenMessage { topic, token, .. } in device.started_activities() {
            show(&format_args!("\na push has started a Live Activity, topic {topic}\n  {token}"));
        }
        show(&format_args!("\n{}", Banner(&notification)));
    }
}

/// A reader that has gone away wants no more, and the double is not to suffer for it.
fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}
