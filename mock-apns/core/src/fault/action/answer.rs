//! An answer that is another than the service's own.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{super::span, Delay};
use crate::{
    Answer, Reason, Timestamp,
    bytes::{is_default, standard_base64},
};

/// Another answer. What is left out is as the service would have answered; it goes out in the form of Apple's answers.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Answering {
    /// The `:status`, from 200 to 599. Left out with a `reason` that Apple documents: that of the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The reason in the body, of Apple's list or any other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The `timestamp` in the body, in milliseconds. Left out: now with status 410, none with any other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// Whether a 410 has no timestamp.
    #[serde(skip_serializing_if = "is_default")]
    pub no_timestamp: bool,
    /// The field `retry-after`, which Apple was never seen to send.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<RetryAfter>,
    /// The body, in the place of that of the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// More fields, in the order of their names, as they are: names in upper case break the protocol.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// A `content-length`, right or wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_length: Option<u64>,
    /// Interim answers before it: statuses from 100 to 199.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub interim: Vec<u16>,
    /// How it ends.
    #[serde(skip_serializing_if = "is_default")]
    pub ends: Ending,
    /// Trailers, which then end it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub trailers: BTreeMap<String, String>,
    /// Bytes of the body in each DATA frame; left out, as many as fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame_bytes: Option<u32>,
    /// Bytes of padding in each HEADERS and DATA frame, from 0 to 255; left out, the frames are not padded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub padding: Option<u32>,
    /// Bytes of a field block in each HEADERS and CONTINUATION frame, at most; left out, as many as fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field_block_bytes: Option<u32>,
    /// How fast the body goes out; left out, as fast as it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_per_second: Option<u32>,
    /// How long it takes until the answer begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<Delay>,
    /// How long it takes from its fields to its body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_delay: Option<Delay>,
    /// Whether it waits until the client has reset the stream, and comes all the same.
    #[serde(skip_serializing_if = "is_default")]
    pub after_reset: bool,
    /// It waits until so many answers of this rule wait on the connection, which then go out last first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reversed: Option<u32>,
    /// Whether the service does what it would have done without the rule: delivers, above all. Left out: if neither the status nor
    /// the reason is another, or the status is 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub takes_effect: Option<bool>,
}

/// When to try again, as the field `retry-after` says it (RFC 9110, 10.2.3).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "a retry-after is a number of seconds, {\"date-in\": \"90s\"} for a date so far ahead, or any text as it is"
)]
pub enum RetryAfter {
    /// So many seconds.
    Seconds(u32),
    /// A date.
    Date {
        /// How far ahead.
        #[serde(rename = "date-in", with = "span")]
        date_in: Duration,
    },
    /// Whatever this is.
    Text(String),
}

/// A body.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Body {
    /// None: the fields end the stream.
    None,
    /// This text.
    Text(String),
    /// These bytes, which are no text.
    Base64(#[serde(with = "standard_base64")] Vec<u8>),
    /// A reason, and spaces behind it up to so many bytes.
    Bytes(u32),
}

/// How an answer ends.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// As Apple's: END_STREAM on the last frame that there is for it.
    #[default]
    Last,
    /// With an empty DATA frame.
    EmptyData,
    /// Not at all: END_STREAM never comes.
    Never,
}

/// The longest body: enough to overrun what any client keeps of an answer.
const BODY_BYTES_MAX: u32 = 64 * 1024 * 1024;
/// More interim answers than that would be a flood, which no gateway in between was seen to make.
const INTERIM_MAX: usize = 100;
/// Fields of a rule, and bytes of them: they have to fit a HEADERS frame.
const FIELDS_MAX: usize = 100;
const FIELD_BYTES_MAX: usize = 8000;
/// Answers that wait to go out in reverse: as many as APNs lets a client have under way.
const REVERSED_MAX: u32 = 1000;

impl Answering {
    /// The reason that it names, if it is one of Apple's.
    pub(in super::super) fn known_reason(&self) -> Option<Reason> {
        self.reason.as_deref().and_then(Reason::from_wire)
    }

    /// Its status, where it says one, or its reason does.
    pub(in super::super) fn status(&self) -> Option<u16> {
        self.status.or_else(|| self.known_reason().map(Reason::status))
    }

    /// The reason that goes with its status, where it says none and APNs has one of that status alone.
    pub(in super::super) fn only_reason(&self) -> Option<Reason> {
        let mut of_status = Reason::ALL.iter().filter(|reason| Some(reason.status()) == self.status);
        match (self.status, of_status.next(), of_status.next()) {
            (Some(503), ..) => Some(Reason::ServiceUnavailable),
            (Some(429), ..) => Some(Reason::TooManyRequests),
            (Some(410), ..) => Some(Reason::Unregistered),
            (_, only, None) => only.copied(),
            _ => None,
        }
    }

    /// The reason in its body, if that is one: its own, else that of another status than the service's, else the service's.
    pub(in super::super) fn reason<'a>(&'a self, own: &'a Answer) -> Option<&'a str> {
        match &self.reason {
            Some(reason) => Some(reason),
            None if self.status.is_some_and(|status| status != own.status) => {
                self.only_reason().map(Reason::as_str)
            }
            None => own.reason.map(Reason::as_str),
        }
    }

    /// Whether it is a 410 whose timestamp is not said, so that the time of the answer stands in it.
    pub(in super::super) fn makes_up_timestamp(&self) -> bool {
        self.timestamp.is_none() && !self.no_timestamp && self.status() == Some(410)
    }

    pub(super) fn takes_effect(&self) -> bool {
        let is_own = self.status().is_none() && self.reason.is_none();
        self.takes_effect.unwrap_or_else(|| is_own || self.status() == Some(200))
    }

    pub(super) fn check(&self) -> Result<(), String> {
        self.check_status()?;
        self.check_fields()?;
        self.check_framing()?;
        let body_bytes = match self.body {
            Some(Body::Bytes(bytes)) => bytes as usize,
            Some(Body::Text(ref text)) => text.len(),
            Some(Body::Base64(ref bytes)) => bytes.len(),
            Some(Body::None) | None => 0,
        };
        if body_bytes > BODY_BYTES_MAX as usize {
            return Err(format!("a body of {body_bytes} bytes; it may have {BODY_BYTES_MAX}"));
        }
        for (is_zero, name) in [
            (self.frame_bytes == Some(0), "frame-bytes"),
            (self.bytes_per_second == Some(0), "bytes-per-second"),
            (self.reversed == Some(0), "reversed"),
        ] {
            if is_zero {
                return Err(format!("{name} is 0: it takes a number from 1 on"));
            }
        }
        if self.reversed.is_some_and(|count| count > REVERSED_MAX) {
            return Err(format!(
                "reversed is more than {REVERSED_MAX}, which is as many as APNs lets be under way"
            ));
        }
        if self.reversed.is_some() && (self.after_reset || self.delay.is_some()) {
            return Err("reversed, after-reset and delay each say when it goes out: choose one".to_owned());
        }
        if !self.trailers.is_empty() && self.ends != Ending::Last {
            return Err("trailers end an answer: leave out ends".to_owned());
        }
        for delay in [self.delay, self.body_delay].into_iter().flatten() {
            delay.check()?;
        }
        Ok(())
    }

    fn check_status(&self) -> Result<(), String> {
        if let Some(status) = self.status
            && !(200..=599).contains(&status)
        {
            return Err(format!(
                "status {status}: an answer has one from 200 to 599, and interim ones go before it"
            ));
        }
        if let Some(wrong) = self.interim.iter().find(|status| !(100..=199).contains(*status)) {
            return Err(format!("interim status {wrong}: it takes one from 100 to 199"));
        }
        if self.interim.len() > INTERIM_MAX {
            return Err(format!("more than {INTERIM_MAX} interim answers"));
        }
        if self.reason.is_some() && self.body.as_ref().is_some_and(|body| !matches!(body, Body::Bytes(_))) {
            return Err("a reason is a body: give one of the two".to_owned());
        }
        if let (Some(reason), None) = (&self.reason, self.status()) {
            return Err(format!("APNs has no reason {reason:?}, so say with which status it goes"));
        }
        let has_body = self.reason.is_some() || self.body.is_some() || self.only_reason().is_some();
        if let Some(status) = self.status
            && status >= 300
            && !has_body
        {
            return Err(format!(
                "status {status} goes with several reasons of APNs, or none: say the reason, or a body"
            ));
        }
        if self.no_timestamp && self.timestamp.is_some() {
            return Err("a timestamp, and no-timestamp: give one of the two".to_owned());
        }
        Ok(())
    }

    fn check_fields(&self) -> Result<(), String> {
        for (fields, what) in [(&self.headers, "headers"), (&self.trailers, "trailers")] {
            let bytes: usize = fields.iter().map(|(name, value)| name.len() + value.len()).sum();
            if fields.len() > FIELDS_MAX || bytes > FIELD_BYTES_MAX {
                return Err(format!(
                    "{what} are more than {FIELDS_MAX}, or longer than {FIELD_BYTES_MAX} bytes"
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str) -> Result<(), String> {
        serde_json::from_str::<Answering>(json).map_err(|error| error.to_string())?.check()
    }

    #[test]
    fn what_can_be_answered_is_taken() {
        for json in [
            "{}",
            r#"{"status": 503}"#,
            r#"{"reason": "BadDeviceToken"}"#,
            r#"{"status": 418, "reason": "Teapot"}"#,
            r#"{"status": 502, "body": {"text": "<html>"}}"#,
            r#"{"status": 400, "body": "none"}"#,
            r#"{"status": 400, "body": {"base64": "/wA="}}"#,
            r#"{"status": 410, "timestamp": 0, "retry-after": {"date-in": "90s"}}"#,
            r#"{"status": 500, "body": {"bytes": 10485760}, "frame-bytes": 1}"#,
            r#"{"delay": {"from": "1s", "to": "2s"}, "interim": [100, 103]}"#,
        ] {
            assert_eq!(check(json), Ok(()), "{json}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_the_reason() {
        for (json, why) in [
            (r#"{"status": 999}"#, "from 200 to 599"),
            (r#"{"status": 100}"#, "interim ones go before it"),
            (r#"{"status": 400}"#, "several reasons"),
            (r#"{"status": 502}"#, "say the reason, or a body"),
            (r#"{"reason": "Teapot"}"#, "no reason \"Teapot\""),
            (r#"{"status": 503, "reason": "Shutdown", "body": "none"}"#, "one of the two"),
            (r#"{"interim": [200]}"#, "from 100 to 199"),
            (r#"{"body": {"bytes": 99999999}}"#, "it may have 67108864"),
            (r#"{"status": 503, "body": {"base64": "?"}}"#, "Invalid"),
            (r#"{"frame-bytes": 0}"#, "frame-bytes is 0"),
            (r#"{"reversed": 2, "delay": "1s"}"#, "choose one"),
            (r#"{"trailers": {"a": "b"}, "ends": "never"}"#, "trailers end"),
            (r#"{"delay": {"from": "2s", "to": "1s"}}"#, "more than its to"),
            (r#"{"status": 410, "timestamp": 5, "no-timestamp": true}"#, "one of the two"),
        ] {
            let error = check(json).unwrap_err();
            assert!(error.contains(why), "{json}: {error}");
        }
    }

    #[test]
    fn an_answer_takes_effect_unless_it_says_that_the_push_was_refused() {
        for (json, expected) in [
            ("{}", true),
            (r#"{"delay": "1s"}"#, true),
            (r#"{"status": 200}"#, true),
            (r#"{"status": 503}"#, false),
            (r#"{"reason": "Unregistered"}"#, false),
            (r#"{"status": 503, "takes-effect": true}"#, true),
        ] {
            let answering: Answering = serde_json::from_str(json).unwrap();
            assert_eq!(answering.takes_effect(), expected, "{json}");
        }
    }
}
