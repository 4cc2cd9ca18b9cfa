//! `apns-provider doctor`: each step from DNS to the answer, what its failure means, and what to do.
//!
//! ```text
//!   probe: road (DNS, TCP, proxy), TLS, ALPN, SETTINGS, one push ──▶ Heard or Lost ──▶ judge (pure) ──▶ Report
//! ```

mod certificate;
mod conversation;
mod judge;
mod probe;
mod road;
mod step;
mod witness;

use std::{process::ExitCode, time::Duration};

use apns_provider_core::{
    ApnsId, BackgroundNotification, BundleId, DeviceToken, Notification, Push, PushType, Topic,
};
use clap::Args;

use super::{
    options::{AddressArgs, CredentialArgs},
    report, runtime,
};
use probe::{Patient, examine};
use step::Report;

/// Whom to ask, as whom, about which app.
#[derive(Args, Debug)]
pub(super) struct DoctorArgs {
    /// The app's bundle ID.
    #[arg(long, env = "APNS_PROVIDER_BUNDLE_ID", value_name = "ID", value_parser = BundleId::parse)]
    bundle_id: BundleId,

    /// The push type whose topic is to be checked; background if not given.
    #[arg(long, value_name = "TYPE", value_parser = checkable)]
    push_type: Option<PushType>,

    /// A device token, as hexadecimal digits.
    #[arg(long, env = "APNS_PROVIDER_DEVICE_TOKEN", value_name = "HEX", hide_env_values = true, value_parser = DeviceToken::from_hex)]
    device_token: Option<DeviceToken>,

    /// Print the steps as one line of JSON.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    address: AddressArgs,

    #[command(flatten)]
    credential: CredentialArgs,
}

pub(super) fn run(args: &DoctorArgs) -> Result<ExitCode, String> {
    let made_up = || DeviceToken::from_bytes(&[0; 32]).map_err(|error| error.to_string());
    let device_token = args.device_token.clone().map_or_else(made_up, Ok)?;
    let patient = Patient {
        endpoint: args.address.endpoint()?.clone(),
        credential: args.credential.credential()?,
        ca_pem: args.address.ca_pem()?,
        push: Push::new(notification(args)?, device_token, ApnsId::from_random(rand::random())),
        real_device: args.device_token.is_some(),
        step_max: args.address.timeout().min(STEP_MAX),
    };
    let report = Report::new(runtime::for_one(examine(&patient))?);
    report::print(if args.json { report.to_json().to_string() } else { report.to_text() })?;
    Ok(report.exit_code())
}

/// The least conspicuous push of the type.
fn notification(args: &DoctorArgs) -> Result<Notification, String> {
    let app = args.bundle_id.clone();
    let built = match args.push_type.unwrap_or(PushType::Background) {
        PushType::Background => BackgroundNotification::new(app).build(),
        push_type => {
            let payload = match push_type {
                PushType::Controls | PushType::Widgets => r#"{"aps":{"content-changed":true}}"#,
                _ => r#"{"aps":{}}"#,
            };
            Notification::raw(push_type, Topic::of(&app, push_type), payload).build()
        }
    };
    built.map_err(|error| error.to_string())
}

/// A push type of which a push can be made that shows nothing.
fn checkable(text: &str) -> Result<PushType, String> {
    match PushType::from_wire(text) {
        Some(PushType::Alert) => Err("an alert would be seen: background has the same topic".to_owned()),
        Some(PushType::LiveActivity | PushType::Mdm | PushType::FileProvider) | None => {
            Err("it is one of background, complication, controls, location, pushtotalk, voip, widgets"
                .to_owned())
        }
        Some(push_type) => Ok(push_type),
    }
}

/// Time for each step that waits for somebody, unless --timeout says less.
const STEP_MAX: Duration = Duration::from_secs(10);
