//! What was said on one connection, frame by frame.

use std::{fmt, time::Duration};

/// Who says something.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Side {
    /// The provider that is judged.
    Provider,
    /// The double.
    Double,
}

/// Something that was said on a connection.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Said {
    /// When, since the play began.
    pub(crate) at: Duration,
    /// By whom.
    pub(crate) side: Side,
    /// What.
    pub(crate) what: What,
}

/// A frame, or what was there in place of one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    /// The preface of HTTP/2 (RFC 9113, 3.4).
    Preface,
    /// SETTINGS with these parameters.
    Settings(Vec<(u16, u32)>),
    /// SETTINGS were acknowledged.
    SettingsAck,
    /// HEADERS with the CONTINUATION frames behind them.
    Headers(Headers),
    /// DATA.
    Data(Data),
    /// RST_STREAM.
    Reset {
        /// The stream.
        stream: u32,
        /// The error code.
        code: u32,
    },
    /// GOAWAY.
    GoAway {
        /// The last stream that is answered.
        last: u32,
        /// The error code.
        code: u32,
        /// The debug data.
        debug: String,
    },
    /// PING, or the answer to one.
    Ping {
        /// Whether it is an answer.
        ack: bool,
    },
    /// WINDOW_UPDATE.
    Window {
        /// The stream; 0 for the connection.
        stream: u32,
        /// By how much.
        increment: u32,
    },
    /// PRIORITY.
    Priority {
        /// The stream.
        stream: u32,
    },
    /// A frame of another type.
    Other {
        /// The type.
        kind: u8,
    },
    /// Something that is not HTTP/2: why. Nothing behind it on this side is read.
    Rubbish(String),
}

/// The field section of a request, of an answer, or of trailers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Headers {
    /// The stream.
    pub(crate) stream: u32,
    /// The fields in their order.
    pub(crate) fields: Vec<Field>,
    /// Sizes of the dynamic table that the block begins with.
    pub(crate) table_sizes: Vec<usize>,
    /// Whether the stream ends with them.
    pub(crate) end: bool,
    /// Whether they carry a priority (RFC 9113, 5.3).
    pub(crate) with_priority: bool,
}

/// A field as it was said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Field {
    /// Its name; bytes that are no UTF-8 are replaced.
    pub(crate) name: String,
    /// Its value, likewise.
    pub(crate) value: String,
    /// How HPACK says it.
    pub(crate) form: Form,
}

/// How HPACK says a field (RFC 7541, 6).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    /// A reference to a whole field, of so many bytes.
    Indexed(usize),
    /// A literal that goes into the table.
    Incremental,
    /// A literal that goes into no table here.
    WithoutIndexing,
    /// A literal that goes into no table here nor further on.
    NeverIndexed,
}

/// A DATA frame.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Data {
    /// The stream.
    pub(crate) stream: u32,
    /// The bytes, without padding: the first of them, where they are many.
    pub(crate) bytes: Vec<u8>,
    /// What it takes of the windows, padding included (RFC 9113, 6.9.1).
    pub(crate) flow: usize,
    /// Whether the stream ends with it.
    pub(crate) end: bool,
}

impl Said {
    /// Bytes that it takes to keep.
    pub(crate) fn bytes(&self) -> usize {
        let more = match &self.what {
            What::Settings(parameters) => size_of_val(parameters.as_slice()),
            What::Headers(Headers { fields, table_sizes, .. }) => {
                let each = |field: &Field| size_of::<Field>() + field.name.len() + field.value.len();
                fields.iter().map(each).sum::<usize>() + size_of_val(table_sizes.as_slice())
            }
            What::Data(data) => data.bytes.len(),
            What::GoAway { debug: text, .. } | What::Rubbish(text) => text.len(),
            _ => 0,
        };
        size_of::<Self>() + more
    }
}

impl What {
    /// The stream that it is about, if it is about one.
    pub(crate) fn stream(&self) -> Option<u32> {
        match self {
            Self::Headers(Headers { stream, .. })
            | Self::Data(Data { stream, .. })
            | Self::Reset { stream, .. }
            | Self::Priority { stream } => Some(*stream),
            Self::Window { stream, .. } => Some(*stream).filter(|stream| *stream != 0),
            _ => None,
        }
    }
}

impl Headers {
    /// The value of a field: of the first of this name.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.name == name).map(|field| field.value.as_str())
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::Provider => "provider",
            Side::Double => "double",
        };
        write!(f, "[{:8.3}] {side:<8} {}", self.at.as_secs_f64(), self.what)
    }
}

/// One line. What is secret in it is cut: a report may be shown to anybody.
impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preface => f.write_str("preface"),
            Self::Settings(parameters) => {
                f.write_str("SETTINGS")?;
                parameters.iter().try_for_each(|(id, value)| write!(f, " {}={value}", setting_name(*id)))
            }
            Self::SettingsAck => f.write_str("SETTINGS acknowledged"),
            Self::Headers(headers) => headers.fmt(f),
            Self::Data(data) => {
                let shown = String::from_utf8_lossy(&data.bytes[..data.bytes.len().min(SHOWN_BYTES)]);
                write!(f, "DATA {} {} bytes{} {shown}", data.stream, data.flow, end(data.end))
            }
            Self::Reset { stream, code } => write!(f, "RST_STREAM {stream} {}", crate::code_name(*code)),
            Self::GoAway { last, code, debug } => {
                write!(f, "GOAWAY last stream {last}, {} {debug}", crate::code_name(*code))
            }
            Self::Ping { ack: true } => f.write_str("PING answered"),
            Self::Ping { ack: false } => f.write_str("PING"),
            Self::Window { stream, increment } => write!(f, "WINDOW_UPDATE {stream} {increment}"),
            Self::Priority { stream } => write!(f, "PRIORITY {stream}"),
            Self::Other { kind } => write!(f, "a frame of type {kind:#x}"),
            Self::Rubbish(why) => write!(f, "not HTTP/2: {why}"),
        }
    }
}

impl fmt::Display for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HEADERS {}{} [", self.stream, end(self.end))?;
        for (at, field) in self.fields.iter().enumerate() {
            let value = if field.name == "authorization" { "…" } else { field.value.as_str() };
            write!(f, "{}{}: {value}", if at == 0 { "" } else { ", " }, field.name)?;
        }
        f.write_str("]")
    }
}

fn end(is_end: bool) -> &'static str {
    if is_end { " END_STREAM" } else { "" }
}

/// A parameter by its name (RFC 9113, 6.5.2), or its number.
fn setting_name(id: u16) -> String {
    let name = match id {
        SETTINGS_HEADER_TABLE_SIZE => "HEADER_TABLE_SIZE",
        SETTINGS_ENABLE_PUSH => "ENABLE_PUSH",
        SETTINGS_MAX_CONCURRENT_STREAMS => "MAX_CONCURRENT_STREAMS",
        SETTINGS_INITIAL_WINDOW_SIZE => "INITIAL_WINDOW_SIZE",
        SETTINGS_MAX_FRAME_SIZE => "MAX_FRAME_SIZE",
        SETTINGS_MAX_HEADER_LIST_SIZE => "MAX_HEADER_LIST_SIZE",
        other => return format!("{other:#x}"),
    };
    name.to_owned()
}

pub(crate) const SETTINGS_HEADER_TABLE_SIZE: u16 = 1;
pub(crate) const SETTINGS_ENABLE_PUSH: u16 = 2;
pub(crate) const SETTINGS_MAX_CONCURRENT_STREAMS: u16 = 3;
pub(crate) const SETTINGS_INITIAL_WINDOW_SIZE: u16 = 4;
pub(crate) const SETTINGS_MAX_FRAME_SIZE: u16 = 5;
pub(crate) const SETTINGS_MAX_HEADER_LIST_SIZE: u16 = 6;

/// Bytes of a body on a line.
const SHOWN_BYTES: usize = 120;
