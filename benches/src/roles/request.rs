use std::time::SystemTime;

use bytes::Bytes;

use super::provider_token;
use crate::child::{Explain as _, Failure, HOST_NAME, Job, TOPIC, payload};

/// What the clients without an engine send: one request, of which the path and the identifier change.
#[derive(Clone, Debug)]
pub struct RequestTemplate {
    /// `:authority`.
    pub authority: String,
    /// `authorization`.
    pub authorization: String,
    /// The payload.
    pub body: Bytes,
    /// `:path`, one for each device.
    pub paths: Vec<String>,
}

/// Names and values of one request's fields, in the order in which they are sent.
pub type Fields<'a> = [(&'a str, &'a str); 9];

impl RequestTemplate {
    /// Requests with this provider token and payloads of that length, to these devices in turn (at least one).
    pub fn new(port: u16, token: &str, payload_bytes: usize, devices: &[String]) -> Self {
        Self {
            authority: format!("{HOST_NAME}:{port}"),
            authorization: format!("bearer {token}"),
            body: payload(payload_bytes).into(),
            paths: devices.iter().map(|token| format!("/3/device/{token}")).collect(),
        }
    }

    /// Requests as a job wants them, with a token signed now.
    pub(super) fn of_job(job: &Job) -> Result<Self, Failure> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).explain("reading the clock")?;
        let token = provider_token(&job.auth_key()?, now.as_secs())?;
        Ok(Self::new(job.address.port(), &token, job.workload.payload_bytes, &job.device_tokens()?))
    }

    /// The path of push `number`.
    pub fn path(&self, number: u64) -> &str {
        &self.paths[number as usize % self.paths.len()]
    }

    /// All fields of push `number`; `apns_id` is what `apns_id` makes of it.
    pub fn fields<'a>(&'a self, number: u64, apns_id: &'a str) -> Fields<'a> {
        [
            (":method", "POST"),
            (":scheme", "https"),
            (":authority", &self.authority),
            (":path", self.path(number)),
            ("authorization", &self.authorization),
            ("apns-topic", TOPIC),
            ("apns-push-type", "alert"),
            ("apns-priority", "10"),
            ("apns-id", apns_id),
        ]
    }
}

/// An identifier that no other push of the run has.
pub(super) fn apns_id(number: u64) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}
