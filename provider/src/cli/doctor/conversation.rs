use std::{io, sync::Arc};

use apns_http2::{
    Config, Connection as Http2, ErrorCode, Event, FieldVisitor, Section, SettingsInForce, StreamId,
    hpack::{Field, Index},
};
use apns_provider_core::{ErrorBody, ProviderToken, Push, Reason, UnixTime};
use apns_wire::{Received, TlsSocket, WireError};
use rustls::ClientConfig;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};

use crate::Endpoint;

/// One connection with one push on it, looked at closely.
#[derive(Debug)]
pub(super) struct Conversation {
    socket: TlsSocket,
    http2: Http2,
    opened_at: Instant,
    heard: Heard,
    /// The beginning of the answer's body.
    body: Vec<u8>,
    /// Whether the answer is there to its end.
    is_whole: bool,
}

/// What the server has said about the push.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Heard {
    /// The status; none if there was no answer.
    pub(super) status: Option<u16>,
    /// Why it was refused: of the answer, or else of a GOAWAY.
    pub(super) reason: Option<Reason>,
    /// The answer's `date`.
    pub(super) date: Option<UnixTime>,
}

/// Why there is nothing more to hear.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Lost {
    /// The server ended the connection with GOAWAY, for this reason if it gave one.
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
        let http2 = Http2::client(Config::default());
        Ok(Self {
            socket,
            http2,
            opened_at: Instant::now(),
            heard: Heard::default(),
            body: Vec::new(),
            is_whole: false,
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
        let request: Vec<_> = push.request_fields(authority, token).collect();
        let fields: Vec<Field<'_>> = request
            .iter()
            .map(|field| Field { name: field.name.as_bytes(), value: field.value, index: Index::Never })
            .collect();
        let refused =
            |error: &dyn std::fmt::Display| Lost::Trouble(format!("no request could be sent: {error}"));
        let stream = self.http2.open(&fields, false).map_err(|error| refused(&error))?;
        let payload = push.notification().payload().clone();
        self.http2.send_data(stream, payload, true).map_err(|error| refused(&error))?;
        while !self.is_whole {
            self.turn(deadline).await?;
        }
        if self.heard.reason.is_none() {
            self.heard.reason = ErrorBody::parse(&self.body).reason;
        }
        Ok(self.heard.clone())
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
        let end = self.take_note()?;
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
    fn take_note(&mut self) -> Result<Option<Lost>, Lost> {
        let mut fields = Fields::default();
        let mut end = None;
        loop {
            let event = self.http2.poll_event(&mut fields);
            match event.map_err(|error| Lost::Trouble(format!("the server broke HTTP/2: {error}")))? {
                None => return Ok(end),
                Some(Event::Headers { section: Section::Response, end_stream, .. }) => {
                    self.heard.status = fields.status;
                    self.heard.date = fields.date;
                    self.is_whole = end_stream;
                }
                Some(Event::Headers { section: Section::Trailers, .. }) => self.is_whole = true,
                Some(Event::Data { data, end_stream, .. }) => {
                    let room = ErrorBody::BYTES_MAX.saturating_sub(self.body.len());
                    self.body.extend_from_slice(&data[..data.len().min(room)]);
                    self.is_whole = end_stream;
                }
                Some(Event::Reset { code, .. }) => {
                    end = Some(Lost::Trouble(format!("the server reset the stream with {code}")));
                }
                Some(Event::GoAway { debug, .. }) => end = Some(Lost::GoAway(ErrorBody::parse(debug).reason)),
                Some(_) => {}
            }
        }
    }

    fn transmit(&mut self) -> Result<(), WireError> {
        while let Some(bytes) = self.http2.poll_transmit() {
            let len = bytes.len();
            self.socket.write(bytes)?;
            self.http2.transmitted(len);
        }
        self.socket.flush().map(drop)
    }

    fn lost(&self, error: &WireError) -> Lost {
        match error {
            WireError::Tls(rustls::Error::AlertReceived(alert)) => Lost::Alert(format!("{alert:?}")),
            error => {
                let after = self.opened_at.elapsed().as_millis();
                Lost::Trouble(format!("the connection ended after {after} ms: {error}"))
            }
        }
    }
}

/// The two fields that are looked at.
#[derive(Debug, Default)]
struct Fields {
    status: Option<u16>,
    date: Option<UnixTime>,
}

impl FieldVisitor for Fields {
    fn begin(&mut self, _: StreamId) {
        *self = Self::default();
    }

    fn field(&mut self, name: &[u8], value: &[u8]) {
        let Ok(value) = str::from_utf8(value) else { return };
        match name {
            b":status" => self.status = value.parse().ok(),
            b"date" => self.date = UnixTime::from_http_date(value),
            _ => {}
        }
    }
}
