//! The `apple-apns` crate, told what to do by a conformance suite (docs/adapter-protocol.md).
//!
//! Called as its documentation does: a `ClientBuilder`, one `Client`, a `Request` for each push, `post`. It tells its caller the reason
//! of an answer and from that a status; the status itself only of an answer whose body it cannot read; and whether a connection
//! came about. No timestamp: it keeps one for two reasons that have none.
//!
//! It cannot be told: how long a push may take; a proxy, but for those of the environment (`HTTPS_PROXY`); a clock; another credential
//! without another `Client`; how many connections or attempts; pings; push types that its `PushType` has not; keys of `aps` and
//! of an alert that it has no field for. It writes the payload anew from its fields, `aps` first and always.

use std::process::ExitCode;

use apns_adapters::{Configure, Credential, Library, Outcome, Push, explain};
use apple_apns::{
    Authentication, CertificateAuthority, Client, ClientBuilder, Endpoint, Error, Priority, PushType, Reason,
    Request, payload::Aps,
};
use http::StatusCode;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

struct AppleApns(Client);

impl Library for AppleApns {
    const NAME: &'static str = "apple-apns";
    const CAN: &'static [&'static str] = &["key", "certificate"];
    const NEEDS: &'static [&'static str] = &[];

    fn configure(order: &Configure) -> Result<Self, String> {
        let endpoint = format!("https://{}:{}/3/device/", order.host, order.port);
        let builder = ClientBuilder {
            endpoint: endpoint.parse::<Endpoint>().map_err(|error| explain(&error))?,
            ca: Some(CertificateAuthority::Pem(order.ca_pem.as_bytes())),
            authentication: Some(match &order.credential {
                Credential::Key { p8, key_id, team_id } => {
                    Authentication::Token { key_id, key_pem: p8.as_bytes(), team_id }
                }
                Credential::Certificate { certificate_pem } => {
                    Authentication::Certificate { client_pem: certificate_pem.as_bytes() }
                }
            }),
            ..ClientBuilder::default()
        };
        builder.build().map(Self).map_err(|error| explain(&error))
    }

    async fn send(&self, push: &Push) -> Outcome {
        let request = match request(push) {
            Ok(request) => request,
            Err(why) => return Outcome::Invalid { why },
        };
        match self.0.post(request).await {
            Ok(apns_id) => Outcome::Accepted { apns_id: Some(apns_id.to_string()) },
            Err(error) => outcome(error),
        }
    }
}

fn request(push: &Push) -> Result<Request<Map<String, Value>>, String> {
    let mut payload: Map<String, Value> = parse(&push.payload)?;
    let aps = payload.shift_remove("aps").unwrap_or_else(|| json!({}));
    if let Some(key) =
        aps.as_object().and_then(|aps| aps.keys().find(|key| !APS_KEYS.contains(&key.as_str())))
    {
        return Err(format!("it has no field for aps.{key}"));
    }
    let aps: Aps = parse(&aps.to_string())?;
    let expiration = push.expiration.map(|secs| OffsetDateTime::from_unix_timestamp(secs.cast_signed()));
    Ok(Request {
        device_token: push.device_token.clone(),
        push_type: push.push_type.parse::<PushType>().map_err(|error| explain(&error))?,
        id: push
            .apns_id
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(|error: uuid::Error| explain(&error))?,
        expiration: expiration.transpose().map_err(|error| explain(&error))?,
        priority: match push.priority {
            None | Some(10) => Priority::Immediate,
            Some(5) => Priority::ConsiderPower,
            Some(1) => Priority::PrioritizePower,
            Some(other) => return Err(format!("it has no priority {other}")),
        },
        topic: Some(push.topic.clone()),
        collapse_id: push.collapse_id.clone(),
        alert: aps.alert,
        badge: aps.badge,
        sound: aps.sound,
        thread_id: aps.thread_id,
        category: aps.category,
        content_available: aps.content_available,
        mutable_content: aps.mutable_content,
        target_content_id: aps.target_content_id,
        interruption_level: aps.interruption_level,
        relevance_score: aps.relevance_score,
        user_info: Some(payload),
    })
}

fn parse<'a, T: serde::Deserialize<'a>>(json: &'a str) -> Result<T, String> {
    serde_json::from_str(json).map_err(|error| format!("the payload: {error}"))
}

fn outcome(error: Error) -> Outcome {
    let why = explain(&error);
    let (status, is_connect) = match error {
        Error::Apns(reason) => return rejected(reason),
        Error::Reqwest(error) => (error.status(), error.is_connect()),
        Error::ReqwestMiddleware(error) => (error.status(), error.is_connect()),
        Error::Unknown => (None, false),
        _ => return Outcome::Invalid { why },
    };
    match status {
        Some(status) => {
            Outcome::Rejected { status: status.as_u16(), reason: None, timestamp: None, apns_id: None }
        }
        None if is_connect => Outcome::NotSent { why },
        None => Outcome::Ambiguous { why },
    }
}

fn rejected(reason: Reason) -> Outcome {
    let told = match reason {
        Reason::Unknown => Value::Null, // one of many
        _ => serde_json::to_value(&reason).unwrap_or_default(),
    };
    Outcome::Rejected {
        status: StatusCode::from(reason).as_u16(),
        reason: told["reason"].as_str().map(ToOwned::to_owned),
        timestamp: told["timestamp"].as_u64(),
        apns_id: None,
    }
}

fn main() -> ExitCode {
    apns_adapters::run::<AppleApns>()
}

/// What `Aps` has fields for.
const APS_KEYS: [&str; 10] = [
    "alert",
    "badge",
    "sound",
    "thread-id",
    "category",
    "content-available",
    "mutable-content",
    "target-content-id",
    "interruption-level",
    "relevance-score",
];
