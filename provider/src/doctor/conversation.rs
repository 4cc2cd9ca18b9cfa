use std::{io, sync::Arc};

use apns_http2::{
    Config, Connection as Http2, ConnectionError, ErrorCode, Event, Section, SettingsInForce, StreamId,
};
use apns_provider_core::{Answer, ErrorBody, ProviderToken, Push, Reason, UnixTime};
use apns_wire::{Received, TlsSocket, WireError};
use rustls::ClientConfig;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};

use crate::{
    Endpoint,
    connection::{AnswerFields, open},
    transmit::transmit,
};

/// One connection with one push on it, looked at closely.
#[derive(Debug)]
pub(super) struct Conversation {
    socket: TlsSocket,
    http2: Http2,
    opened_at: Instant,
    fields: AnswerFields,
    /// The push's, once it is sent.
    stream: Option<StreamId>,
    /// The answer's status and fields, once they have come.
    answer: Option<Answer>,
    /// The beginning of the answer's body.
    body: Vec<u8>,
    /// Whether the answer is there to its end.
    is_whole: bool,
    /// The GOAWAY that has come.
    goaway: Option<Lost>,
}

/// What the server has said about the push.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Heard {
    /// The answer's status.
    pub(super) status: Option<u16>,
    /// Why it was refused, if the answer says so.
    pub(super) reason: Option<Reason>,
    /// The answer's `date`.
    pub(super) date: Option<UnixTime>,
}

/// Why there is nothing more to hear.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Lost {
    /// The server ended the connection with GOAWAY and did not answer, for this reason if it gave one.
    GoAway(Option<Reason>),
    /// The server answered TLS with this alert: our certificate is not taken.
    Alert(String),
    /// Nothing came in time.
    Silence,
    /// Anything else, in words.
    Trouble(String),
}

impl Conversation {
    /// The handshake.
    pub(super) async fn open(
        tcp: TcpStream,
        config: Arc<ClientConfig>,
        endpoint: &Endpoint,
    ) -> Result<Self, WireError> {
        let socket = TlsSocket::connect(tcp, config, endpoint.server_name()).await?;
        Ok(Self {
            socket,
            http2: Http2::client(Config::default()),
            opened_at: Instant::now(),
            fields: AnswerFields::default(),
            stream: None,
            answer: None,
            body: Vec::new(),
            is_whole: false,
            goaway: None,
        })
    }

    /// What TLS agreed on.
    pub(super) fn tls(&self) -> &rustls::Connection {
        self.socket.tls()
    }

    /// Waits for the server's SETTINGS.
    pub(super) async fn settings(&mut self, deadline: Instant) -> Result<SettingsInForce, Lost> {
        while !self.http2.has_peer_settings() {
            self.turn(deadline).await?;
        }
        Ok(*self.http2.peer_settings())
    }

    /// Sends the push and waits for what is said about it.
    pub(super) async fn push(
        &mut self,
        push: &Push,
        authority: &str,
        token: Option<&ProviderToken>,
        deadline: Instant,
    ) -> Result<Heard, Lost> {
        let request = push.request_fields(authority, token);
        let opened = open(&mut self.http2, request, push.notification().payload());
        let stream = opened.map_err(|error| Lost::Trouble(format!("no request could be sent: {error}")))?;
        self.stream = Some(stream);
        let mut end = Ok(());
        while !self.is_whole && end.is_ok() {
            end = self.turn(deadline).await;
        }
        // Once its fields have come it is answered, though nobody may know the body (RFC 9113 section 8.1).
        let Some(mut answer) = self.answer.take() else { return Err(end.err().unwrap_or(Lost::Silence)) };
        answer.read_body(&self.body);
        Ok(Heard { status: Some(answer.status()), reason: answer.reason().cloned(), date: answer.date() })
    }

    /// Ends it properly.
    pub(super) async fn close(mut self, deadline: Instant) {
        let _ = self.http2.goaway(StreamId::CONNECTION, ErrorCode::NO_ERROR, b""); // it is over either way
        if self.transmit().is_ok() {
            let _ = timeout_at(deadline, self.socket.close()).await;
        }
    }

    /// Sends what is due, waits for what comes, takes note of it.
    async fn turn(&mut self, deadline: Instant) -> Result<(), Lost> {
        self.transmit().map_err(|error| self.lost(&error))?;
        match timeout_at(deadline, self.socket.ready()).await {
            Err(_) => return Err(Lost::Silence),
            Ok(Err(error)) => return Err(self.lost(&WireError::Io(error))),
            Ok(Ok(())) => {}
        }
        let (elapsed, http2) = (self.opened_at.elapsed(), &mut self.http2);
        let received =
            self.socket.read(|bytes| http2.recv(elapsed, bytes)).map_err(|error| self.lost(&error))?;
        let end =
            self.take_note().map_err(|error| Lost::Trouble(format!("the server broke HTTP/2: {error}")))?;
        if self.is_whole {
            return Ok(());
        }
        match (end, received) {
            (Some(lost), _) => Err(lost),
            (None, Received::End) => {
                Err(self.lost(&WireError::Io(io::Error::from(io::ErrorKind::ConnectionAborted))))
            }
            _ => Ok(()),
        }
    }

    /// What ended the push, if anything did.
    fn take_note(&mut self) -> Result<Option<Lost>, ConnectionError> {
        let mut end = None;
        while let Some(event) = self.http2.poll_event(&mut self.fields)? {
            match event {
                Event::Headers { section: Section::Response, end_stream, .. } => {
                    self.answer = self.fields.take();
                    self.is_whole = end_stream;
                }
                Event::Headers { section: Section::Trailers, .. } => self.is_whole = true,
                Event::Data { data, end_stream, .. } => {
                    let room = ErrorBody::BYTES_MAX.saturating_sub(self.body.len());
                    self.body.extend_from_slice(&data[..data.len().min(room)]);
                    self.is_whole = end_stream;
                }
                Event::Reset { code, .. } => {
                    end = Some(Lost::Trouble(format!("the server reset the stream with {code}")));
                }
                Event::GoAway { last_stream, debug, .. } => {
                    let goaway = match (ErrorBody::parse(debug).reason, self.goaway.take()) {
                        // A second one usually has no reason; the first one's is the one to tell.
                        (None, Some(first)) => first,
                        (reason, _) => Lost::GoAway(reason),
                    };
                    // Streams up to the last one are answered still (RFC 9113 section 6.8).
                    if self.stream.is_none_or(|stream| stream > last_stream) {
                        end = Some(goaway.clone());
                    }
                    self.goaway = Some(goaway);
                }
                _ => {}
            }
        }
        Ok(end)
    }

    fn transmit(&mut self) -> Result<(), WireError> {
        transmit(&mut self.http2, &mut self.socket).map(drop)
    }

    fn lost(&self, error: &WireError) -> Lost {
        match (error, &self.goaway) {
            (WireError::Tls(rustls::Error::AlertReceived(alert)), _) => Lost::Alert(format!("{alert:?}")),
            (_, Some(goaway)) => goaway.clone(),
            (error, None) => {
                let after = self.opened_at.elapsed().as_millis();
                Lost::Trouble(format!("the connection ended after {after} ms: {error}"))
            }
        }
    }
}
