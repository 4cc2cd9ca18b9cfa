//! Events that outlive the next call.

use apns_http2::{Connection, ConnectionError, ErrorCode, Event, Section, Settings, StreamId, Violation};

/// An [`Event`] with everything owned, and with the fields of its section.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Seen {
    Settings(Settings),
    SettingsAcknowledged,
    Headers { stream: StreamId, section: Section, fields: Vec<(String, String)>, end_stream: bool },
    Data { stream: StreamId, data: Vec<u8>, end_stream: bool },
    Reset { stream: StreamId, code: ErrorCode, violation: Option<Violation> },
    GoAway { last_stream: StreamId, code: ErrorCode, debug: Vec<u8> },
    Ping([u8; 8]),
    PingAcknowledged([u8; 8]),
}

impl Seen {
    /// A section without fields to compare.
    pub(crate) fn headers(stream: u32, section: Section, fields: &[(&str, &str)], end_stream: bool) -> Self {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self::Headers { stream: StreamId::new(stream), section, fields, end_stream }
    }

    pub(crate) fn data(stream: u32, data: &[u8], end_stream: bool) -> Self {
        Self::Data { stream: StreamId::new(stream), data: data.to_vec(), end_stream }
    }

    /// The peer reset the stream.
    pub(crate) fn reset(stream: u32, code: ErrorCode) -> Self {
        Self::Reset { stream: StreamId::new(stream), code, violation: None }
    }

    /// We reset the stream.
    pub(crate) fn refused(stream: u32, violation: Violation) -> Self {
        Self::Reset { stream: StreamId::new(stream), code: violation.code(), violation: Some(violation) }
    }
}

/// Everything that `connection` has to tell, and how that ended.
pub(crate) fn seen_of(connection: &mut Connection) -> (Vec<Seen>, Result<(), ConnectionError>) {
    let mut all = Vec::new();
    let mut fields: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    loop {
        let seen = match connection.poll_event(&mut fields) {
            Ok(None) => return (all, Ok(())),
            Err(error) => return (all, Err(error)),
            Ok(Some(event)) => owned(&event),
        };
        all.push(match seen {
            Seen::Headers { stream, section, end_stream, .. } => {
                let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
                let fields = fields.iter().map(|(name, value)| (text(name), text(value))).collect();
                Seen::Headers { stream, section, fields, end_stream }
            }
            other => other,
        });
    }
}

fn owned(event: &Event<'_>) -> Seen {
    match *event {
        Event::Settings { changes } => Seen::Settings(changes),
        Event::SettingsAcknowledged => Seen::SettingsAcknowledged,
        Event::Headers { stream, section, end_stream } => {
            Seen::Headers { stream, section, fields: Vec::new(), end_stream }
        }
        Event::Data { stream, data, end_stream } => Seen::Data { stream, data: data.to_vec(), end_stream },
        Event::Reset { stream, code, violation } => Seen::Reset { stream, code, violation },
        Event::GoAway { last_stream, code, debug } => {
            Seen::GoAway { last_stream, code, debug: debug.to_vec() }
        }
        Event::Ping { opaque } => Seen::Ping(opaque),
        Event::PingAcknowledged { opaque } => Seen::PingAcknowledged(opaque),
        ref other => panic!("an event that the tests do not know: {other:?}"),
    }
}

/// The body that one side was told of on `stream`, and whether it has ended.
pub(crate) fn body_of(all: &[Seen], stream: StreamId) -> (Vec<u8>, bool) {
    let mut body = (Vec::new(), false);
    for seen in all {
        match seen {
            Seen::Data { stream: of, data, end_stream } if *of == stream => {
                body.0.extend_from_slice(data);
                body.1 |= end_stream;
            }
            Seen::Headers { stream: of, end_stream, .. } if *of == stream => body.1 |= end_stream,
            _ => {}
        }
    }
    body
}
