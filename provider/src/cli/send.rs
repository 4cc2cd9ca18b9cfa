//! `apns-provider send`: one push.

use std::{fs, path::PathBuf, process::ExitCode, time::Duration};

use apns_provider_core::{
    Alert, AlertNotification, ApnsId, BackgroundNotification, BundleId, CollapseId, DeviceToken, Expiration,
    Notification, NotificationBuilder, Priority, Push, PushType, RetryPolicy, Sound, Topic,
};
use clap::Args;

use super::{exit, report};
use crate::{Client, Credential, Endpoint};

/// What to send, where to and as whom.
#[derive(Args, Debug)]
pub(super) struct SendArgs {
    /// Where to: production, sandbox, or host:port, as in localhost:2197.
    #[arg(long, env = "APNS_PROVIDER_TO", value_name = "ADDRESS", value_parser = Endpoint::parse)]
    to: Endpoint,

    /// PEM file with the certificates to trust, and no others; the system's if not given.
    #[arg(long, env = "APNS_PROVIDER_CA", value_name = "FILE")]
    ca: Option<PathBuf>,

    #[command(flatten)]
    credential: CredentialArgs,

    /// The device token, as hexadecimal digits.
    #[arg(long, env = "APNS_PROVIDER_DEVICE_TOKEN", value_name = "HEX", hide_env_values = true, value_parser = DeviceToken::from_hex)]
    device_token: DeviceToken,

    /// The app's bundle ID; the push type's suffix is added to make the topic.
    #[arg(long, env = "APNS_PROVIDER_BUNDLE_ID", value_name = "ID", value_parser = BundleId::parse)]
    bundle_id: BundleId,

    #[command(flatten)]
    message: MessageArgs,

    /// How urgent: 10 at once, 5 considering power, 1 power before all else.
    #[arg(long, value_name = "1|5|10", value_parser = priority)]
    priority: Option<Priority>,

    /// Until when APNs may keep it, in seconds since 1970; 0 tries once.
    #[arg(long, value_name = "SECONDS", value_parser = expiration)]
    expiration: Option<Expiration>,

    /// Replaces what was sent under the same ID; 64 bytes at most.
    #[arg(long, value_name = "ID", value_parser = CollapseId::parse)]
    collapse_id: Option<CollapseId>,

    /// The push's own ID, a UUID; one is drawn if not given.
    #[arg(long, value_name = "UUID", value_parser = ApnsId::parse)]
    apns_id: Option<ApnsId>,

    /// Seconds to wait for the answer.
    #[arg(long, default_value_t = 30, value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(1..))]
    timeout: u16,

    /// Print the outcome as one line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
struct CredentialArgs {
    /// The .p8 key that signs provider tokens.
    #[arg(long, env = "APNS_PROVIDER_KEY", value_name = "FILE", requires_all = ["key_id", "team_id"], required_unless_present = "certificate")]
    key: Option<PathBuf>,

    /// The key's ID, ten characters.
    #[arg(long, env = "APNS_PROVIDER_KEY_ID", value_name = "ID")]
    key_id: Option<String>,

    /// The team's ID, ten characters.
    #[arg(long, env = "APNS_PROVIDER_TEAM_ID", value_name = "ID")]
    team_id: Option<String>,

    /// A certificate with its private key, PEM or PKCS#12 (.p12, .pfx), instead of a key.
    #[arg(long, env = "APNS_PROVIDER_CERTIFICATE", value_name = "FILE", conflicts_with = "key")]
    certificate: Option<PathBuf>,

    /// The password of the PKCS#12 file.
    #[arg(
        long,
        env = "APNS_PROVIDER_PASSWORD",
        value_name = "TEXT",
        hide_env_values = true,
        default_value = ""
    )]
    password: String,
}

#[derive(Args, Debug)]
struct MessageArgs {
    /// The text of an alert.
    #[arg(long, value_name = "TEXT")]
    alert: Option<String>,

    /// The title of an alert.
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,

    /// The number on the app's icon; 0 takes it away.
    #[arg(long, value_name = "NUMBER")]
    badge: Option<u32>,

    /// The sound of an alert: a file of the app, or `default`.
    #[arg(long, value_name = "NAME")]
    sound: Option<String>,

    /// A background notification, which wakes the app and shows nothing.
    #[arg(long, conflicts_with_all = ["alert", "title", "badge", "sound", "payload"])]
    background: bool,

    /// A payload as it is: JSON, or @FILE.
    #[arg(long, value_name = "JSON|@FILE", conflicts_with_all = ["alert", "title", "badge", "sound"])]
    payload: Option<String>,

    /// The push type of --payload.
    #[arg(long, value_name = "TYPE", requires = "payload", default_value = "alert", value_parser = push_type)]
    push_type: PushType,
}

pub(super) fn run(args: &SendArgs) -> ExitCode {
    let prepared = args
        .notification()
        .and_then(|notification| Ok((notification, args.credential.read()?, args.ca_pem()?)));
    let (notification, credential, ca_pem) = match prepared {
        Ok(prepared) => prepared,
        Err(message) => return report::misconfigured(&message),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report::misconfigured(&format!("cannot start: {error}")),
    };
    runtime.block_on(async {
        let mut builder = Client::builder(args.to.clone())
            .credential(credential)
            .retry(RetryPolicy::never()) // whoever calls sees what was answered, and decides
            .timeout(Duration::from_secs(args.timeout.into()));
        if let Some(pem) = &ca_pem {
            builder = builder.ca_pem(pem);
        }
        let client = match builder.build() {
            Ok(client) => client,
            Err(error) => return report::misconfigured(&error.to_string()),
        };
        let apns_id = args.apns_id.unwrap_or_else(|| ApnsId::from_random(rand::random()));
        let outcome = client.send_push(Push::new(notification, args.device_token.clone(), apns_id)).await;
        report::outcome(&outcome, &apns_id, args.json);
        ExitCode::from(exit::code(&outcome))
    })
}

impl SendArgs {
    fn notification(&self) -> Result<Notification, String> {
        let message = &self.message;
        let built = if let Some(payload) = &message.payload {
            let payload = match payload.strip_prefix('@') {
                Some(file) => read(&PathBuf::from(file), "--payload")?,
                None => payload.clone().into_bytes(),
            };
            let topic = Topic::of(&self.bundle_id, message.push_type);
            self.delivered(Notification::raw(message.push_type, topic, payload)).build()
        } else if message.background {
            self.delivered(BackgroundNotification::new(self.bundle_id.clone())).build()
        } else {
            self.delivered(message.alert(self.bundle_id.clone())).build()
        };
        built.map_err(|error| error.to_string())
    }

    /// What every push type may ask of its delivery.
    fn delivered<M>(&self, mut builder: NotificationBuilder<M>) -> NotificationBuilder<M> {
        if let Some(priority) = self.priority {
            builder = builder.priority(priority);
        }
        if let Some(expiration) = self.expiration {
            builder = builder.expiration(expiration);
        }
        if let Some(collapse_id) = &self.collapse_id {
            builder = builder.collapse_id(collapse_id.clone());
        }
        builder
    }

    fn ca_pem(&self) -> Result<Option<Vec<u8>>, String> {
        self.ca.as_ref().map(|file| read(file, "--ca")).transpose()
    }
}

impl MessageArgs {
    fn alert(&self, bundle_id: BundleId) -> AlertNotification {
        let mut notification = AlertNotification::new(bundle_id);
        if self.alert.is_some() || self.title.is_some() {
            let mut alert = Alert::new();
            if let Some(title) = &self.title {
                alert = alert.title(title);
            }
            if let Some(body) = &self.alert {
                alert = alert.body(body);
            }
            notification = notification.alert(alert);
        }
        if let Some(badge) = self.badge {
            notification = notification.badge(badge);
        }
        if let Some(sound) = &self.sound {
            notification = notification.sound(Sound::named(sound));
        }
        notification
    }
}

impl CredentialArgs {
    fn read(&self) -> Result<Credential, String> {
        if let Some(file) = &self.certificate {
            let bytes = read(file, "--certificate")?;
            let is_pem = bytes.windows(11).any(|window| window == b"-----BEGIN ");
            let credential = if is_pem {
                Credential::from_pem(&bytes)
            } else {
                Credential::from_pkcs12(&bytes, &self.password)
            };
            return credential.map_err(|error| format!("--certificate {}: {error}", file.display()));
        }
        let (Some(file), Some(key_id), Some(team_id)) = (&self.key, &self.key_id, &self.team_id) else {
            return Err("--key needs --key-id and --team-id".to_owned());
        };
        Credential::from_p8(&read(file, "--key")?, key_id, team_id)
            .map_err(|error| format!("--key {}: {error}", file.display()))
    }
}

fn read(file: &PathBuf, option: &str) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("{option} {}: {error}", file.display()))
}

fn priority(text: &str) -> Result<Priority, String> {
    text.parse().ok().and_then(Priority::from_number).ok_or_else(|| "it is 10, 5 or 1".to_owned())
}

fn push_type(text: &str) -> Result<PushType, String> {
    let all = || PushType::all().map(PushType::as_str).collect::<Vec<_>>().join(", ");
    PushType::from_wire(text).ok_or_else(|| format!("it is one of {}", all()))
}

fn expiration(text: &str) -> Result<Expiration, String> {
    match text.parse() {
        Ok(0) => Ok(Expiration::ONCE),
        Ok(seconds) => Expiration::at_secs(seconds).map_err(|error| error.to_string()),
        Err(_) => Err("it is a number of seconds since 1970, or 0".to_owned()),
    }
}
