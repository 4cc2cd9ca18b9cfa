//! `apns-provider validate`: what would be sent, and nothing is.

use std::process::ExitCode;

use apns_provider::{Clock as _, Endpoint, SystemClock};
use apns_provider_core::{ApnsId, DeviceToken, Push};
use clap::Args;
use serde_json::{Map, Value, json};

use super::{
    exit,
    options::{AddressArgs, Composed, CredentialArgs, MessageArgs},
    report,
};

/// The options of `send`, of which most need not be given.
#[derive(Args, Debug)]
pub(super) struct ValidateArgs {
    /// The device token, as hexadecimal digits.
    #[arg(long, env = "APNS_PROVIDER_DEVICE_TOKEN", value_name = "HEX", hide_env_values = true, value_parser = DeviceToken::from_hex)]
    device_token: Option<DeviceToken>,

    /// The push's own ID, a UUID.
    #[arg(long, value_name = "UUID", value_parser = ApnsId::parse)]
    apns_id: Option<ApnsId>,

    /// Print what would be sent, or what is wrong, as one line of JSON.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    address: AddressArgs,

    #[command(flatten)]
    credential: CredentialArgs,

    #[command(flatten)]
    message: MessageArgs,
}

pub(super) fn run(args: &ValidateArgs) -> Result<ExitCode, String> {
    match request(args) {
        Ok(request) if args.json => report::print(request.to_json())?,
        Ok(request) => report::print(request.to_text())?,
        Err(error) if args.json => {
            report::print(json!({ "valid": false, "error": error }))?;
            return Ok(ExitCode::from(exit::MISCONFIGURED));
        }
        Err(error) => return Err(error),
    }
    Ok(ExitCode::from(exit::ACCEPTED))
}

/// A request as it would go out.
#[derive(Debug)]
struct Request {
    fields: Vec<(&'static str, String)>,
    composed: Composed,
    /// Whether there would be a provider token beside the fields.
    by_token: bool,
}

fn request(args: &ValidateArgs) -> Result<Request, String> {
    let composed = args.message.compose(SystemClock.now())?;
    args.address.ca_pem()?;
    let credential = args.credential.is_given().then(|| args.credential.credential()).transpose()?;
    let authority = args.address.to().map_or_else(|| Endpoint::production().authority(), Endpoint::authority);
    // Stands for the one that is not given, whose field says so.
    let nobody = || DeviceToken::from_bytes(&[0]).map_err(|error| error.to_string());
    let device_token = args.device_token.clone().map_or_else(nobody, Ok)?;
    let push = Push::new(
        composed.notification.clone(),
        device_token,
        args.apns_id.unwrap_or_else(|| ApnsId::from_random([0; 16])),
    );
    let fields = push.request_fields(&authority, None).map(|field| {
        let value = match field.name {
            ":path" if args.device_token.is_none() => "/3/device/<device token>".to_owned(),
            "apns-id" if args.apns_id.is_none() => "<drawn anew>".to_owned(),
            _ => String::from_utf8_lossy(field.value).into_owned(),
        };
        (field.name, value)
    });
    // A key is good until it is revoked.
    let by_token = credential.is_some_and(|credential| credential.certificate_expires_at().is_none());
    Ok(Request { fields: fields.collect(), composed, by_token })
}

impl Request {
    fn to_text(&self) -> String {
        let notification = &self.composed.notification;
        let (len, limit) = (notification.payload().len(), notification.push_type().payload_bytes_max());
        let mut lines =
            vec![format!("valid: push type {}, {len} of {limit} bytes", notification.push_type())];
        lines.extend(self.fields.iter().map(|(name, value)| format!("  {name:<17} {value}")));
        if self.by_token {
            lines.push(format!("  {:<17} bearer <provider token>", "authorization"));
        }
        lines.extend(self.composed.cuts.iter().map(|cut| format!("  shortened         {cut}")));
        lines.push(String::from_utf8_lossy(notification.payload()).into_owned());
        lines.join("\n")
    }

    fn to_json(&self) -> Value {
        let notification = &self.composed.notification;
        let fields: Map<String, Value> = self
            .fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str())))
            .collect();
        let cuts = self.composed.cuts.iter().map(|cut| {
            json!({ "text": cut.text.to_string(), "bytes-before": cut.bytes_before, "bytes-after": cut.bytes_after })
        });
        json!({
            "valid": true,
            "push-type": notification.push_type().as_str(),
            "headers": fields,
            "payload": String::from_utf8_lossy(notification.payload()),
            "payload-bytes": notification.payload().len(),
            "payload-bytes-max": notification.push_type().payload_bytes_max(),
            "shortened": cuts.collect::<Vec<_>>(),
        })
    }
}
