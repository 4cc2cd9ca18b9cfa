//! Requests and their answers, put together from frames.

use std::{collections::HashMap, time::Duration};

use super::{
    Connection,
    said::{Headers, Said, Side, What},
};

/// A request of the provider, and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The connection, as its place in [`Evidence::connections`](super::Evidence::connections).
    pub(crate) connection: usize,
    /// The stream.
    pub(crate) stream: u32,
    /// When its fields came.
    pub(crate) at: Duration,
    /// Its fields.
    pub(crate) headers: Headers,
    /// Its body, as far as it came.
    pub(crate) body: Vec<u8>,
    /// When it was whole.
    pub(crate) whole_at: Option<Duration>,
    /// When the provider reset its stream, and with which code.
    pub(crate) cancelled: Option<(Duration, u32)>,
    /// When the double reset its stream, and with which code.
    pub(crate) refused: Option<(Duration, u32)>,
    /// What it was answered.
    pub(crate) answer: Option<Answer>,
}

/// What the double has answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// When its fields went out.
    pub(crate) at: Duration,
    /// Its status.
    pub(crate) status: u16,
    /// The beginning of its body.
    pub(crate) body: Vec<u8>,
    /// When it was whole.
    pub(crate) whole_at: Option<Duration>,
}

impl Request {
    /// The value of a field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.headers.field(name)
    }

    /// The device token of its path.
    pub(crate) fn device_token(&self) -> Option<&str> {
        self.field(":path")?.strip_prefix("/3/device/")
    }

    /// Its provider token.
    pub(crate) fn provider_token(&self) -> Option<&str> {
        let (scheme, token) = self.field("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    }

    /// The status that it was answered with.
    pub(crate) fn status(&self) -> Option<u16> {
        self.answer.as_ref().map(|answer| answer.status)
    }

    /// When its stream was closed, by whichever side.
    pub(crate) fn closed_at(&self) -> Option<Duration> {
        let answered = self.answer.as_ref().and_then(|answer| answer.whole_at).zip(self.whole_at);
        let answered = answered.map(|(answered, whole)| answered.max(whole));
        let reset = self.cancelled.map(|it| it.0).into_iter().chain(self.refused.map(|it| it.0)).min();
        answered.into_iter().chain(reset).min()
    }

    /// One line.
    pub(crate) fn line(&self) -> String {
        let status = self.status().map_or("no answer".to_owned(), |status| status.to_string());
        let at = self.at.as_secs_f64();
        let id = self.field("apns-id").unwrap_or("none");
        format!("[{at:8.3}] connection {} stream {}: apns-id {id}, {status}", self.connection, self.stream)
    }
}

/// The requests on a connection, in the order in which their streams were opened.
pub(super) fn on(number: usize, connection: &Connection) -> Vec<Request> {
    let mut requests: Vec<Request> = Vec::new();
    let mut of_stream = HashMap::new();
    for said in &connection.said {
        let Some(stream) = said.what.stream() else { continue };
        match of_stream.get(&stream) {
            None => {
                if let (Side::Provider, What::Headers(headers)) = (said.side, &said.what) {
                    of_stream.insert(stream, requests.len());
                    requests.push(request(number, said.at, headers));
                }
            }
            Some(&at) => go_on(&mut requests[at], said),
        }
    }
    requests
}

fn request(connection: usize, at: Duration, headers: &Headers) -> Request {
    Request {
        connection,
        stream: headers.stream,
        at,
        headers: headers.clone(),
        body: Vec::new(),
        whole_at: headers.end.then_some(at),
        cancelled: None,
        refused: None,
        answer: None,
    }
}

fn go_on(request: &mut Request, said: &Said) {
    match (said.side, &said.what) {
        (Side::Provider, What::Data(data)) => {
            request.body.extend_from_slice(&data.bytes);
            request.whole_at = request.whole_at.or(data.end.then_some(said.at));
        }
        (Side::Provider, What::Headers(trailers)) => {
            request.whole_at = request.whole_at.or(trailers.end.then_some(said.at));
        }
        (Side::Provider, What::Reset { code, .. }) => {
            request.cancelled = request.cancelled.or(Some((said.at, *code)));
        }
        (Side::Double, What::Reset { code, .. }) => {
            request.refused = request.refused.or(Some((said.at, *code)));
        }
        (Side::Double, What::Headers(headers)) => answered(request, said.at, headers),
        (Side::Double, What::Data(data)) => {
            if let Some(answer) = &mut request.answer {
                answer.body.extend_from_slice(&data.bytes);
                answer.whole_at = answer.whole_at.or(data.end.then_some(said.at));
            }
        }
        _ => {}
    }
}

fn answered(request: &mut Request, at: Duration, headers: &Headers) {
    let whole_at = headers.end.then_some(at);
    if let Some(answer) = &mut request.answer {
        answer.whole_at = answer.whole_at.or(whole_at); // trailers
        return;
    }
    let status = headers.field(":status").and_then(|status| status.parse().ok()).unwrap_or(0);
    if status >= 200 {
        request.answer = Some(Answer { at, status, body: Vec::new(), whole_at });
    }
}
