//! `apns-provider doctor`: each step from DNS to the answer, what its failure means, and what to do.

mod told;

use std::process::ExitCode;

use apns_provider::doctor::Patient;
use apns_provider_core::{BackgroundNotification, BundleId, DeviceToken, Notification, PushType, Topic};
use clap::Args;

use super::{
    options::{AddressArgs, CredentialArgs},
    report, runtime,
};
use told::{exit_code, to_json, to_text};

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
    let (endpoint, credential) = (args.address.endpoint()?.clone(), args.credential.credential()?);
    let mut patient =
        Patient::new(endpoint, credential, notification(args)?).step_max(args.address.timeout());
    if let Some(device_token) = &args.device_token {
        patient = patient.device_token(device_token.clone());
    }
    if let Some(pem) = args.address.ca_pem()? {
        patient = patient.ca_pem(&pem);
    }
    let steps = runtime::for_one(patient.examine())?;
    report::print(if args.json { to_json(&steps).to_string() } else { to_text(&steps) })?;
    Ok(exit_code(&steps))
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
