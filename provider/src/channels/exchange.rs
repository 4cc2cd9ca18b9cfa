use std::{io, sync::Arc, time::Duration};

use apns_http2::{CommandError, Config, Connection as Http2, ErrorCode, Event, Section, StreamId};
use apns_provider_core::{
    Ambiguity, ChannelAnswer, ChannelError, ChannelRequest, ErrorBody, NotSent, ProviderToken, Reason,
};
use apns_wire::{Received, WireError};
use tokio::{
    task::yield_now,
    time::{Instant, timeout_at},
};
use tracing::debug;

use crate::{
    Endpoint,
    connect::{Connected, Connector, wire_failure},
    connection::{AnswerFields, open},
    engine::Identity,
    transmit::transmit,
};

/// A connection that was idle for longer is not used again: something on the way may have forgotten it, and a request would wait in
/// vain.
const IDLE_MAX: Duration = Duration::from_mins(1);

/// One connection with one request at a time on it. It is large, and futures that hold it are not.
#[derive(Debug)]
pub(super) struct Exchange {
    connected: Connected,
    http2: Http2,
    opened_at: Instant,
    used_at: Instant,
    leaving: Option<Leaving>,
    fields: AnswerFields<ChannelAnswer>,
    stream: Option<StreamId>,
    /// Whether the answer to the request is in its body.
    needs_body: bool,
    /// The answer whose body is still to come.
    partial: Option<ChannelAnswer>,
    /// How the request ended.
    end: Option<Result<ChannelAnswer, ChannelError>>,
}

/// A GOAWAY has come.
#[derive(Debug)]
struct Leaving {
    reason: Option<Reason>,
}

impl Exchange {
    pub(super) async fn open(
        connector: &Connector,
        identity: &Identity,
        deadline: Instant,
    ) -> Result<Box<Self>, ChannelError> {
        let patience = deadline.saturating_duration_since(Instant::now());
        let connected =
            connector.connect(Arc::clone(&identity.tls), patience).await.map_err(ChannelError::NotSent)?;
        let opened_at = Instant::now();
        Ok(Box::new(Self {
            connected,
            http2: Http2::client(Config::default()),
            opened_at,
            used_at: opened_at,
            leaving: None,
            fields: AnswerFields::default(),
            stream: None,
            needs_body: false,
            partial: None,
            end: None,
        }))
    }

    /// Whether another request may go out on it, as far as can be told without waiting.
    pub(super) async fn if_fit(mut self: Box<Self>) -> Option<Box<Self>> {
        yield_now().await; // the runtime takes note of what has come
        let is_recent = self.used_at.elapsed() < IDLE_MAX;
        (is_recent && self.receive().is_ok() && self.leaving.is_none()).then_some(self)
    }

    /// Sends a request and waits for its answer.
    pub(super) async fn ask(
        &mut self,
        request: &ChannelRequest,
        endpoint: &Endpoint,
        token: Option<&ProviderToken>,
        deadline: Instant,
    ) -> Result<ChannelAnswer, ChannelError> {
        (self.stream, self.partial, self.end) = (None, None, None);
        self.needs_body = is_answered_by_body(request);
        let sent = timeout_at(deadline, self.send(request, endpoint, token)).await;
        sent.unwrap_or(Err(NotSent::OutOfTime)).map_err(ChannelError::NotSent)?;
        let answer = timeout_at(deadline, self.answer()).await;
        self.used_at = Instant::now();
        answer.unwrap_or_else(|_| self.end_of_partial(ChannelError::Ambiguous(Ambiguity::NoAnswer)))
    }

    /// No request goes out before the server's SETTINGS (C-10).
    async fn send(
        &mut self,
        request: &ChannelRequest,
        endpoint: &Endpoint,
        token: Option<&ProviderToken>,
    ) -> Result<(), NotSent> {
        while !self.http2.has_peer_settings() || self.http2.openable_streams() == 0 {
            self.turn().await.map_err(|error| wire_failure(endpoint, &error))?;
            if let Some(Leaving { reason }) = self.leaving.take() {
                return Err(NotSent::BeyondGoaway { reason });
            }
        }
        let authority = endpoint.authority();
        let opened = open(&mut self.http2, request.fields(&authority, token), request.body());
        self.stream = Some(opened.map_err(|error| match error {
            CommandError::FieldSectionTooLarge { size, limit } => {
                NotSent::FieldsTooLarge { bytes: size, limit }
            }
            _ => NotSent::Unwritten,
        })?);
        Ok(())
    }

    async fn answer(&mut self) -> Result<ChannelAnswer, ChannelError> {
        loop {
            let turn = self.turn().await;
            if let Some(end) = self.end.take() {
                return end;
            }
            if let Err(error) = turn {
                debug!(%error, "connection lost");
                return self.end_of_partial(ChannelError::Ambiguous(Ambiguity::ConnectionLost));
            }
        }
    }

    /// Sends what is due, waits for what comes, takes note of it.
    async fn turn(&mut self) -> Result<(), WireError> {
        self.transmit()?;
        self.connected.socket.ready().await?;
        self.receive()
    }

    fn receive(&mut self) -> Result<(), WireError> {
        let (elapsed, http2) = (self.opened_at.elapsed(), &mut self.http2);
        let received = self.connected.socket.read(|bytes| http2.recv(elapsed, bytes))?;
        if let Err(error) = self.take_note() {
            self.transmit()?; // the GOAWAY that says what the server did wrong
            return Err(io::Error::new(io::ErrorKind::InvalidData, error).into());
        }
        match received {
            Received::Open => Ok(()),
            Received::End => Err(io::Error::from(io::ErrorKind::ConnectionAborted).into()),
        }
    }

    fn take_note(&mut self) -> Result<(), apns_http2::ConnectionError> {
        while let Some(event) = self.http2.poll_event(&mut self.fields)? {
            match event {
                Event::Headers { stream, section: Section::Response, end_stream }
                    if self.stream == Some(stream) =>
                {
                    self.partial = self.fields.take();
                    conclude(&mut self.partial, &mut self.end, end_stream);
                }
                Event::Headers { stream, section: Section::Trailers, .. } if self.stream == Some(stream) => {
                    conclude(&mut self.partial, &mut self.end, true);
                }
                Event::Data { stream, data, end_stream } if self.stream == Some(stream) => {
                    self.partial.iter_mut().for_each(|answer| answer.read_body(data));
                    conclude(&mut self.partial, &mut self.end, end_stream);
                }
                Event::Reset { stream, code, violation } if self.stream == Some(stream) => {
                    let is_refused = code == ErrorCode::REFUSED_STREAM && violation.is_none();
                    let end = self.end_of_partial(if is_refused {
                        ChannelError::NotSent(NotSent::StreamRefused)
                    } else {
                        ChannelError::Ambiguous(Ambiguity::StreamReset { code: code.0 })
                    });
                    self.end.get_or_insert(end);
                }
                Event::GoAway { last_stream, debug, .. } => {
                    // A second GOAWAY usually has no reason; the first one's is the one to tell.
                    let reason = ErrorBody::parse(debug).reason.or_else(|| self.leaving.take()?.reason);
                    if self.stream.is_some_and(|stream| stream > last_stream) {
                        let beyond = NotSent::BeyondGoaway { reason: reason.clone() };
                        let end = self.end_of_partial(ChannelError::NotSent(beyond));
                        self.end.get_or_insert(end);
                    }
                    self.leaving = Some(Leaving { reason });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// How the request ends when nothing more will come of its answer: it is answered if the fields have come and are all that is
    /// needed (RFC 9113 section 8.1), and otherwise ends so.
    fn end_of_partial(&mut self, otherwise: ChannelError) -> Result<ChannelAnswer, ChannelError> {
        self.partial.take().filter(|_| !self.needs_body).ok_or(otherwise)
    }

    fn transmit(&mut self) -> Result<(), WireError> {
        transmit(&mut self.http2, &mut self.connected.socket).map(drop)
    }
}

impl Drop for Exchange {
    /// Says goodbye, as far as that takes no waiting.
    fn drop(&mut self) {
        if self.http2.goaway(StreamId::CONNECTION, ErrorCode::NO_ERROR, b"").is_ok()
            && self.transmit().is_ok()
        {
            self.connected.socket.send_close_notify();
            let _ = self.connected.socket.flush(); // it is over either way
        }
    }
}

/// Whether what the request asks for stands in the body of its answer. Create and delete are answered by the fields.
fn is_answered_by_body(request: &ChannelRequest) -> bool {
    request.fields("", None).any(|field| field.name == ":method" && field.value == b"GET")
}

/// The answer is there to its end.
fn conclude(
    partial: &mut Option<ChannelAnswer>,
    end: &mut Option<Result<ChannelAnswer, ChannelError>>,
    is_whole: bool,
) {
    if is_whole && let Some(answer) = partial.take() {
        end.get_or_insert(Ok(answer));
    }
}
