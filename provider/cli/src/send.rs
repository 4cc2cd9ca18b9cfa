//! `apns-provider send`: one push.

use std::process::ExitCode;

use apns_provider::{Clock as _, SystemClock};
use apns_provider_core::{ApnsId, DeviceToken, Push, RetryPolicy};
use clap::Args;

use super::{
    exit,
    options::{AddressArgs, CredentialArgs, MessageArgs, again},
    report, runtime,
};

/// What to send, where to and as whom.
#[derive(Args, Debug)]
pub(super) struct SendArgs {
    /// The device token, as hexadecimal digits.
    #[arg(long, env = "APNS_PROVIDER_DEVICE_TOKEN", value_name = "HEX", hide_env_values = true, value_parser = DeviceToken::from_hex)]
    device_token: DeviceToken,

    /// The push's own ID, a UUID; one is drawn if not given.
    #[arg(long, value_name = "UUID", value_parser = ApnsId::parse)]
    apns_id: Option<ApnsId>,

    /// Send it again while that is of use and time is left. Without it there is one attempt, and its outcome
    /// is told.
    #[arg(long)]
    retry: bool,

    /// With --retry: not again what APNs may have processed, though it may be lost then.
    #[arg(long, requires = "retry")]
    at_most_once: bool,

    /// Print the outcome as one line of JSON.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    address: AddressArgs,

    #[command(flatten)]
    credential: CredentialArgs,

    #[command(flatten)]
    message: MessageArgs,
}

pub(super) fn run(args: &SendArgs) -> Result<ExitCode, String> {
    let composed = args.message.compose(SystemClock.now())?;
    let sender = args.address.sender(&args.credential)?;
    report::cuts(&composed.cuts);
    let retry = if args.retry { again(args.at_most_once) } else { RetryPolicy::never() };
    runtime::for_one(async {
        let client = sender.client(retry)?;
        let apns_id = args.apns_id.unwrap_or_else(|| ApnsId::from_random(rand::random()));
        let push = Push::new(composed.notification, args.device_token.clone(), apns_id);
        let outcome = client.send_push(push).await;
        report::outcome(&outcome, &apns_id, args.json);
        Ok(ExitCode::from(exit::code(&outcome)))
    })?
}
