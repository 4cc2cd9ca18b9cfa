//! The `apns-h2` crate, told what to do by a conformance suite (docs/adapter-protocol.md).
//!
//! Called as its examples call it: one `Client`, a `PayloadLike` for each push, `send`. It tells its caller status, reason and timestamp
//! of an answer, and whether a connection came about. The payload goes out as it is.
//!
//! It cannot be told: a host or port, which are Apple's; whom to trust but by `SSL_CERT_FILE`; a proxy; a clock; another credential
//! without another `Client`; how many connections or attempts; how long a silent connection is waited for; priority 1; push types
//! that its `PushType` has not.

use std::{
    env, fs,
    io::Write as _,
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{self, Command, ExitCode},
    time::Duration,
};

use apns_adapters::{Configure, Credential, Library, Outcome, Push, explain};
use apns_h2::{
    Client, ClientConfig, CollapseId, Endpoint, Error, NotificationOptions, Priority, PushType,
    request::payload::PayloadLike,
};
use serde::Serialize;

struct ApnsH2(Client);

impl Library for ApnsH2 {
    const NAME: &'static str = "apns-h2";
    const CAN: &'static [&'static str] = &["key", "certificate", "deadline", "idle-ping"];
    const NEEDS: &'static [&'static str] = &["apple-hosts"];

    fn configure(order: &Configure) -> Result<Self, String> {
        let mut config = ClientConfig::new(match order.environment.as_deref() {
            Some("sandbox") => Endpoint::Sandbox,
            _ => Endpoint::Production,
        });
        if let Some(deadline) = order.deadline_ms {
            config.request_timeout = Some(Duration::from_millis(deadline));
        }
        if let Some(idle) = order.idle_ping_ms {
            config.http2_keep_alive_interval = Some(Duration::from_millis(idle));
        }
        trusting(&order.ca_pem, || match &order.credential {
            Credential::Key { p8, key_id, team_id } => Client::token(p8.as_bytes(), key_id, team_id, config),
            // Of both it takes what it looks for.
            Credential::Certificate { certificate_pem: pem } => {
                Client::certificate_parts(pem.as_bytes(), pem.as_bytes(), config)
            }
        })
        .map(Self)
        .map_err(|error| explain(&error))
    }

    async fn send(&self, push: &Push) -> Outcome {
        let notification = match Notification::new(push) {
            Ok(notification) => notification,
            Err(why) => return Outcome::Invalid { why },
        };
        match self.0.send(notification).await {
            Ok(response) => Outcome::Accepted { apns_id: response.apns_id },
            Err(error) => outcome(error),
        }
    }
}

fn outcome(error: Error) -> Outcome {
    let why = explain(&error);
    match error {
        Error::ResponseError(response) => Outcome::Rejected {
            status: response.code,
            // `Display` describes; the name is Apple's.
            reason: response.error.as_ref().map(|body| format!("{:?}", body.reason)),
            timestamp: response.error.and_then(|body| body.timestamp),
            apns_id: response.apns_id,
        },
        Error::ClientError(error) if error.is_connect() => Outcome::NotSent { why },
        Error::ClientError(_) | Error::ConnectionError(_) | Error::RequestTimeout(_) => {
            Outcome::Ambiguous { why }
        }
        _ => Outcome::Invalid { why },
    }
}

/// A push with a payload of one's own, as the crate lets users have one.
#[derive(Debug, Serialize)]
struct Notification<'a> {
    payload: &'a str,
    #[serde(skip)]
    device_token: &'a str,
    #[serde(skip)]
    options: NotificationOptions<'a>,
}

impl<'a> Notification<'a> {
    fn new(push: &'a Push) -> Result<Self, String> {
        let push_type = PUSH_TYPES.into_iter().find(|push_type| push_type.to_string() == push.push_type);
        let priority = match push.priority {
            None => None,
            Some(5) => Some(Priority::Normal),
            Some(10) => Some(Priority::High),
            Some(other) => return Err(format!("it has no priority {other}")),
        };
        let collapse_id = push.collapse_id.as_deref().map(CollapseId::new).transpose();
        let options = NotificationOptions {
            apns_id: push.apns_id.as_deref(),
            apns_push_type: Some(push_type.ok_or_else(|| format!("it has no push type {}", push.push_type))?),
            apns_expiration: push.expiration,
            apns_priority: priority,
            apns_topic: Some(&push.topic),
            apns_collapse_id: collapse_id.map_err(|error| explain(&error))?,
        };
        Ok(Self { payload: &push.payload, device_token: &push.device_token, options })
    }
}

impl PayloadLike for Notification<'_> {
    fn to_json_string(&self) -> Result<String, Error> {
        Ok(self.payload.to_owned())
    }

    fn get_device_token(&self) -> &str {
        self.device_token
    }

    fn get_options(&self) -> &NotificationOptions<'_> {
        &self.options
    }
}

/// The crate reads whom to trust where `SSL_CERT_FILE` says, once for each client.
fn trusting(ca_pem: &str, client: impl FnOnce() -> Result<Client, Error>) -> Result<Client, Error> {
    let _ = fs::remove_file(ca_file()); // left by a process that had this id
    fs::File::create_new(ca_file())?.write_all(ca_pem.as_bytes())?;
    let client = client();
    fs::remove_file(ca_file())?;
    client
}

fn ca_file() -> PathBuf {
    env::temp_dir().join(format!("apns-h2-adapter-{}.pem", process::id()))
}

fn main() -> ExitCode {
    if env::var_os("SSL_CERT_FILE").is_some_and(|file| file == ca_file()) {
        return apns_adapters::run::<ApnsH2>();
    }
    // A program cannot safely change its own environment: it starts anew with another, as the same process.
    let error = match env::current_exe() {
        Ok(itself) => Command::new(itself).env("SSL_CERT_FILE", ca_file()).env_remove("SSL_CERT_DIR").exec(),
        Err(error) => error,
    };
    eprintln!("apns-h2-adapter: cannot start itself: {error}");
    ExitCode::FAILURE
}

/// All that the crate has.
const PUSH_TYPES: [PushType; 8] = [
    PushType::Alert,
    PushType::Background,
    PushType::Location,
    PushType::Voip,
    PushType::FileProvider,
    PushType::Mdm,
    PushType::LiveActivity,
    PushType::PushToTalk,
];
