//! What the shell does on the wire when a rule has fired: all is decided, nothing is left to chance.

use std::{num::NonZeroU16, time::Duration};

use super::{Action, Answering, Body, Cut, Ending, FaultName, H2Code, RetryAfter, strike::Draws};
use crate::{Answer, Timestamp, bytes::is_default};

/// What the shell does.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Deed {
    /// It answers the request so.
    Reply(Box<Reply>),
    /// It does this to the connection. The request at which it happens, if there is one, is answered by an effect of its own, or
    /// not at all.
    Connection(Box<Action>),
}

/// An answer to a request, and how it goes out.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Reply {
    /// When.
    pub wait: Wait,
    /// Statuses of interim answers before it.
    pub interim: Vec<u16>,
    /// Its fields, `:status` first.
    pub head: Vec<Head>,
    /// How long its body comes behind its fields.
    pub body_delay: Duration,
    /// Its body. Where there is none and it [ends](Self::end) in the usual way, the fields end it.
    pub body: Vec<u8>,
    /// Bytes of the body in each DATA frame.
    pub frame_bytes: Option<u32>,
    /// Bytes of padding in each HEADERS and DATA frame, of interim answers and trailers too.
    pub padding: Option<u8>,
    /// Bytes of a field block in each HEADERS and CONTINUATION frame, at most; of interim answers and trailers too.
    pub field_block_bytes: Option<NonZeroU16>,
    /// Bytes of the body in a second.
    pub bytes_per_second: Option<u32>,
    /// How it ends.
    pub end: ReplyEnd,
}

/// A field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Head {
    /// Its name, as it goes out.
    pub name: Box<str>,
    /// Its value.
    pub value: Box<str>,
}

/// When an answer goes out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Wait {
    /// So much later.
    For(Duration),
    /// When the client has reset the stream.
    UntilReset,
    /// When so many wait, this one among them, which then go out last first.
    ForOthers(u32),
    /// Never.
    Forever,
}

impl Default for Wait {
    fn default() -> Self {
        Self::For(Duration::ZERO)
    }
}

/// How an answer ends.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum ReplyEnd {
    /// With END_STREAM on its last frame.
    #[default]
    Last,
    /// With an empty DATA frame.
    EmptyData,
    /// With these fields.
    Trailers(Vec<Head>),
    /// Not at all.
    Never,
    /// With RST_STREAM.
    Reset(H2Code),
    /// With RST_STREAM, and without its fields.
    ResetAtOnce(H2Code),
}

/// The field of an answer that names the rule by which it is what it is.
const FAULT_FIELD: &str = "mock-apns-fault";

impl Reply {
    /// The answer that comes of a rule, in the place of the service's.
    pub(super) fn of(answering: &Answering, own: &Answer, now: Timestamp, draws: Draws) -> Self {
        let status = answering.status().unwrap_or(own.status);
        let body = body(answering, own, status, now);
        let mut head = head(status, own);
        let mut add = |name: &str, value: String| head.push(Head { name: name.into(), value: value.into() });
        match &answering.retry_after {
            None => {}
            Some(RetryAfter::Seconds(seconds)) => add("retry-after", seconds.to_string()),
            Some(RetryAfter::Text(text)) => add("retry-after", text.clone()),
            Some(RetryAfter::Date { date_in }) => add("retry-after", http_date(now.saturating_add(*date_in))),
        }
        if let Some(length) = answering.content_length {
            add("content-length", length.to_string());
        }
        for (name, value) in &answering.headers {
            add(name, value.clone());
        }
        Self {
            wait: match answering.reversed {
                Some(count) => Wait::ForOthers(count),
                None if answering.after_reset => Wait::UntilReset,
                None => Wait::For(draws.delay),
            },
            interim: answering.interim.clone(),
            head,
            body_delay: draws.body_delay,
            body,
            frame_bytes: answering.frame_bytes,
            padding: answering.padding(),
            field_block_bytes: answering.field_block_bytes(),
            bytes_per_second: answering.bytes_per_second,
            end: match answering.ends {
                Ending::Last if is_default(&answering.trailers) => ReplyEnd::Last,
                Ending::Last => ReplyEnd::Trailers(fields(&answering.trailers)),
                Ending::EmptyData => ReplyEnd::EmptyData,
                Ending::Never => ReplyEnd::Never,
            },
        }
    }

    /// None, for ever.
    pub(super) fn never() -> Self {
        Self { wait: Wait::Forever, ..Self::default() }
    }

    /// The service's answer, cut by RST_STREAM.
    pub(super) fn reset(at: Cut, code: H2Code, own: &Answer) -> Self {
        if at == Cut::BeforeHeaders {
            return Self { end: ReplyEnd::ResetAtOnce(code), ..Self::default() };
        }
        let mut body = Vec::new();
        if at == Cut::MidBody {
            own.body(&mut body);
            body.truncate(body.len() / 2);
        }
        Self { head: head(own.status, own), body, end: ReplyEnd::Reset(code), ..Self::default() }
    }

    /// The `:status`; `None`: no fields go out, at least not now.
    pub fn status(&self) -> Option<u16> {
        self.head.first()?.value.parse().ok()
    }

    /// Says in a field of its own which rule has made it so.
    pub(super) fn name(&mut self, fault: &FaultName) {
        if !self.head.is_empty() {
            self.head.push(Head { name: FAULT_FIELD.into(), value: fault.as_str().into() });
        }
    }
}

/// The fields of an answer in Apple's order, in the place of whose status another may stand.
fn head(status: u16, own: &Answer) -> Vec<Head> {
    let mut head = Vec::new();
    own.each_field(status, |name, value| head.push(Head { name: name.into(), value: value.into() }));
    head
}

fn fields(given: &std::collections::BTreeMap<String, String>) -> Vec<Head> {
    given
        .iter()
        .map(|(name, value)| Head { name: name.as_str().into(), value: value.as_str().into() })
        .collect()
}

/// The body: what the rule says, else that of its reason, else that of its status, else the service's own.
fn body(answering: &Answering, own: &Answer, status: u16, now: Timestamp) -> Vec<u8> {
    let written = || {
        let Some(reason) = answering.reason(own) else { return Vec::new() };
        let timestamp = match answering.timestamp {
            Some(timestamp) => Some(timestamp),
            None if answering.no_timestamp || status != 410 => None,
            None => own.timestamp.or(Some(now)),
        };
        let timestamp = timestamp.map(|at| format!(r#","timestamp":{}"#, at.as_millis())).unwrap_or_default();
        let body = format!(r#"{{"reason":{}{timestamp}}}"#, serde_json::Value::from(reason));
        body.into_bytes()
    };
    match &answering.body {
        Some(Body::None) => Vec::new(),
        Some(Body::Text(text)) => text.clone().into_bytes(),
        Some(Body::Base64(bytes)) => bytes.clone(),
        Some(Body::Bytes(bytes)) => {
            let mut body = written();
            body.resize(*bytes as usize, b' ');
            body
        }
        None => written(),
    }
}

/// A date as HTTP writes it (RFC 9110, 5.6.7).
fn http_date(at: Timestamp) -> String {
    let since_1970 = Duration::from_secs(at.as_secs().min(HTTP_DATE_MAX));
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + since_1970)
}

/// The end of the year 9999, beyond which HTTP has no dates.
const HTTP_DATE_MAX: u64 = 253_402_300_799;
