//! A frame as the control API tells it.

use apns_http2::{
    Settings,
    trace::{Dependency, FieldBlock, Fields, Frame, Head, Payload, Seen},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::connections::{Direction, LoggedFrame};

/// A frame, or something else that was seen of a connection's bytes. Of the fields behind `stream`, those
/// that its type has are there.
#[derive(Default, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = LoggedFrame)]
pub(super) struct FrameView {
    /// Its number on this connection, from 0.
    cursor: u64,
    /// Microseconds since the connection's handshake.
    elapsed_us: u64,
    /// `received` from the provider, or `sent` to it.
    #[schema(example = "received")]
    direction: &'static str,
    /// The frame's type as RFC 9113 calls it, or such as `unknown(0x2a)`. `connection-preface` is what HTTP/2
    /// begins with, `no-preface` something else in its place, `cut-off` a preface or head that the end of the
    /// connection has cut off.
    #[serde(rename = "type")]
    #[schema(example = "HEADERS")]
    kind: String,
    /// Bytes of the payload.
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<usize>,
    /// The flags that are set, by name; in hexadecimal those that the type does not define.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = json!(["END_STREAM", "END_HEADERS"]))]
    flags: Option<Vec<String>>,
    /// The stream; 0 is the connection itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<u32>,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    wrong: Option<String>,
    /// Of a frame that the end of the connection has cut off: bytes of the payload that came.
    #[serde(skip_serializing_if = "Option::is_none")]
    came: Option<usize>,
    /// Names and values of a header block, told with the last of its frames. The secret part of
    /// `authorization` is cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Vec<String>>>, example = json!([[":method", "POST"]]))]
    fields: Option<Vec<[String; 2]>>,
    /// How many more fields there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    fields_omitted: Option<usize>,
    /// Why fields cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
    /// The content of DATA as text, of a frame of unknown type, or of a malformed one: its first 256 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<String>,
    /// Bytes of padding.
    #[serde(skip_serializing_if = "Option::is_none")]
    padding: Option<u8>,
    /// The priority that HEADERS or PRIORITY gives, and nobody follows any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<PriorityView>,
    /// What SETTINGS says, in its order.
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<Vec<SettingView>>,
    /// How many more settings there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    settings_omitted: Option<usize>,
    /// The error code of RST_STREAM or GOAWAY.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "NO_ERROR")]
    code: Option<String>,
    /// The last stream of GOAWAY.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_stream: Option<u32>,
    /// The debug data of GOAWAY as text: its first 256 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    debug: Option<String>,
    /// The stream that PUSH_PROMISE promises.
    #[serde(skip_serializing_if = "Option::is_none")]
    promised_stream: Option<u32>,
    /// The eight bytes of PING, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    opaque: Option<String>,
    /// Bytes that WINDOW_UPDATE gives.
    #[serde(skip_serializing_if = "Option::is_none")]
    increment: Option<u32>,
}

/// A priority (RFC 7540, 5.3).
#[derive(Serialize, ToSchema)]
#[schema(as = FramePriority)]
struct PriorityView {
    /// The stream that it depends on.
    stream: u32,
    /// 1 to 256.
    weight: u16,
    /// Whether it is exclusive.
    exclusive: bool,
}

/// A parameter of SETTINGS.
#[derive(Serialize, ToSchema)]
#[schema(as = FrameSetting)]
struct SettingView {
    /// Its name, or its number if RFC 9113 does not define it.
    #[schema(example = "SETTINGS_MAX_CONCURRENT_STREAMS")]
    name: String,
    /// Its value.
    value: u32,
}

impl FrameView {
    pub(super) fn of(cursor: u64, LoggedFrame { elapsed, direction, seen }: &LoggedFrame) -> Self {
        let mut view = Self {
            cursor,
            elapsed_us: u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
            direction: match direction {
                Direction::Received => "received",
                Direction::Sent => "sent",
            },
            ..Self::default()
        };
        match seen {
            Seen::Preface => "connection-preface".clone_into(&mut view.kind),
            Seen::NotPreface(first) => {
                "no-preface".clone_into(&mut view.kind);
                view.data = Some(text(first));
            }
            Seen::Frame(frame) => view.frame(frame),
            Seen::CutOff { head, bytes } => {
                view.came = Some(*bytes);
                match head {
                    Some(head) => view.head(*head),
                    None => "cut-off".clone_into(&mut view.kind),
                }
            }
        }
        view
    }

    fn head(&mut self, head: Head) {
        self.kind = head.kind_name();
        self.length = Some(head.len);
        self.flags = Some(head.flag_names());
        self.stream = Some(head.stream.get());
    }

    fn frame(&mut self, Frame { head, payload, wrong }: &Frame) {
        self.head(*head);
        self.wrong = wrong.map(|violation| format!("{violation} ({})", violation.code()));
        match payload {
            Payload::Data { padding, data } => {
                (self.padding, self.data) = (*padding, Some(text(&data.first)));
            }
            Payload::Headers { padding, priority, block } => {
                (self.padding, self.priority) = (*padding, priority.map(PriorityView::of));
                self.block(block);
            }
            Payload::Priority(priority) => self.priority = Some(PriorityView::of(*priority)),
            Payload::RstStream { code } => self.code = Some(code.to_string()),
            Payload::Settings { parameters, omitted } => {
                self.settings = Some(parameters.iter().copied().map(SettingView::of).collect());
                self.settings_omitted = Some(*omitted).filter(|omitted| *omitted > 0);
            }
            Payload::PushPromise { padding, promised, block } => {
                (self.padding, self.promised_stream) = (*padding, Some(promised.get()));
                self.block(block);
            }
            Payload::Ping { opaque } => self.opaque = Some(format!("{:016x}", u64::from_be_bytes(*opaque))),
            Payload::GoAway { last_stream, code, debug } => {
                self.last_stream = Some(last_stream.get());
                (self.code, self.debug) = (Some(code.to_string()), Some(text(&debug.first)));
            }
            Payload::WindowUpdate { increment } => self.increment = Some(*increment),
            Payload::Continuation { block } => self.block(block),
            Payload::Unknown(payload) | Payload::Malformed(payload) => self.data = Some(text(&payload.first)),
        }
    }

    fn block(&mut self, block: &FieldBlock) {
        let FieldBlock::Fields(Fields { list, omitted, unreadable }) = block else { return };
        self.fields = Some(list.iter().map(|(name, value)| [text(name), text(value)]).collect());
        self.fields_omitted = Some(*omitted).filter(|omitted| *omitted > 0);
        self.unreadable = unreadable.map(|why| why.to_string());
    }
}

impl PriorityView {
    fn of(Dependency { exclusive, stream, weight }: Dependency) -> Self {
        Self { stream: stream.get(), weight, exclusive }
    }
}

impl SettingView {
    fn of((id, value): (u16, u32)) -> Self {
        Self { name: Settings::name(id).unwrap_or_else(|| format!("{id:#06x}")), value }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
