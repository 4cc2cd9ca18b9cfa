//! A push as a Rust test looks at it, long after the double has forgotten it.

use std::fmt;

use mock_apns_core::{DeviceId, FieldName, Push, Reason, Status, Verdict, fault::FaultName};

use crate::json;

/// A push that the double has received, accepted or refused.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ReceivedPush {
    /// Where it stands in the team's journal.
    pub cursor: u64,
    /// The `apns-id` of the answer.
    pub apns_id: String,
    /// Why it was refused; `None`: it was accepted.
    pub reason: Option<Reason>,
    /// The rule that refused it, by its id.
    pub rule: Option<&'static str>,
    /// The fault that has fired at it, if the service did nothing with it for that.
    pub fault: Option<FaultName>,
    /// The device that it was for; `None`: it was refused.
    pub device: Option<DeviceId>,
    /// Every header field in the order of arrival; the secret part of `authorization` is cut.
    pub headers: Vec<(String, String)>,
    /// The payload as it came.
    pub payload: Vec<u8>,
    /// What has become of it, in order: empty, if it was refused.
    pub history: Vec<Status>,
    json: String,
}

impl ReceivedPush {
    pub(crate) fn of(push: &Push<'_>) -> Self {
        let (reason, rule) = match push.verdict() {
            Verdict::Accepted => (None, None),
            Verdict::Refused { reason, rule } => (Some(reason), Some(rule.id)),
            Verdict::Faulted(_) => (push.reason(), None),
        };
        let fault = match push.verdict() {
            Verdict::Faulted(firing) => Some(firing.fault().clone()),
            _ => None,
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let fields = push.request().fields();
        Self {
            cursor: push.cursor,
            apns_id: push.apns_id().as_str().to_owned(),
            reason,
            rule,
            fault,
            device: push.arrival.destination().map(|to| to.device.clone()),
            headers: fields.map(|(name, value)| (text(name), text(&value))).collect(),
            payload: push.request().payload().to_vec(),
            history: push.history().filter_map(mock_apns_core::Record::status).collect(),
            json: json::line(push),
        }
    }

    /// The value of a header field: of its first, when it is repeated.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|field| field.0 == name).map(|field| field.1.as_str())
    }

    /// The payload as JSON; null, if it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.payload).unwrap_or_default()
    }

    /// What has become of it last; `None`: it was refused.
    pub fn status(&self) -> Option<Status> {
        self.history.last().copied()
    }

    /// Everything that is known of it, as the control API tells it: a JSON object.
    pub fn as_json(&self) -> &str {
        &self.json
    }
}

impl fmt::Display for ReceivedPush {
    /// One line: what was pushed where, and what came of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let topic = self.header(FieldName::ApnsTopic.as_str()).unwrap_or("no topic");
        let push_type = self.header(FieldName::ApnsPushType.as_str()).unwrap_or("no push type");
        let outcome = match (self.reason, self.status()) {
            (None, None) => self.fault.as_ref().map_or(String::new(), |fault| format!("fault {fault}")),
            (Some(reason), _) => format!("{} {}", reason.status(), reason.as_str()),
            (None, status) => status.map_or("", Status::as_str).to_owned(),
        };
        let payload = String::from_utf8_lossy(&self.payload);
        let shown: String = payload.chars().take(PAYLOAD_SHOWN).collect();
        let more = if shown.len() < payload.len() { "…" } else { "" };
        write!(f, "{push_type} for {topic}: {outcome}; {shown}{more}")
    }
}

/// Characters of a payload that a line shows.
const PAYLOAD_SHOWN: usize = 120;
