//! Frames as lines, in the manner of `nghttp -v`.

use super::seen::{Dependency, Excerpt, FieldBlock, Fields, Frame, Payload, Seen};
use crate::{
    error::{ErrorCode, Violation},
    frame::{Head, PREFACE},
    settings::Settings,
};

impl Seen {
    /// What it is, in lines: the first names it, the others say what is in it. Control characters are
    /// escaped, so that nothing a peer sends can write on a terminal.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Preface => vec!["connection preface".to_owned()],
            Self::NotPreface(first) => vec![
                format!("no connection preface but [{}]", printable(first)),
                format!("; {}; what follows is not read", wrong(Violation::BadPreface)),
            ],
            Self::Frame(frame) => frame.lines(),
            Self::CutOff { head: Some(head), bytes } => {
                vec![first_line(*head), format!("; it ends after {bytes} of these {} bytes", head.len)]
            }
            Self::CutOff { head: None, bytes } => {
                let of = format!("of a frame's head, or of the {} of the preface", PREFACE.len());
                vec!["end".to_owned(), format!("; after {bytes} bytes {of}")]
            }
        }
    }
}

impl Frame {
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![first_line(self.head)];
        let flags = self.head.flag_names();
        if !flags.is_empty() {
            lines.push(format!("; {}", flags.join(" | ")));
        }
        self.payload.add_to(&mut lines);
        lines.extend(self.wrong.map(|violation| format!("; {}", wrong(violation))));
        lines
    }
}

impl Payload {
    fn add_to(&self, lines: &mut Vec<String>) {
        match self {
            Self::Data { padding, data } => {
                let padding = padding.map(|len| format!("padlen={len}, ")).unwrap_or_default();
                lines.push(format!("({padding}{})", excerpt("data", data)));
            }
            Self::Headers { padding, priority, block } => {
                let padding = padding.map(|len| format!("padlen={len}"));
                let words: Vec<_> = padding.into_iter().chain(priority.map(Dependency::text)).collect();
                if !words.is_empty() {
                    lines.push(format!("({})", words.join(", ")));
                }
                block.add_to(lines);
            }
            Self::Priority(priority) => lines.push(format!("({})", priority.text())),
            Self::RstStream { code } => lines.push(format!("({})", error_code(*code))),
            Self::Settings { parameters, omitted } => {
                lines.push(format!("(niv={})", parameters.len() + omitted));
                let parameter = |(id, value): &(u16, u32)| {
                    let name = Settings::name(*id).unwrap_or_else(|| "UNKNOWN".to_owned());
                    format!("[{name}({id:#04x}):{value}]")
                };
                lines.extend(parameters.iter().map(parameter));
                lines.extend((*omitted > 0).then(|| format!("(and {omitted} more)")));
            }
            Self::PushPromise { padding, promised, block } => {
                let padding = padding.unwrap_or_default();
                lines.push(format!("(padlen={padding}, promised_stream_id={promised})"));
                block.add_to(lines);
            }
            Self::Ping { opaque } => {
                lines.push(format!("(opaque_data={:016x})", u64::from_be_bytes(*opaque)));
            }
            Self::GoAway { last_stream, code, debug } => {
                let (code, debug) = (error_code(*code), excerpt("opaque_data", debug));
                lines.push(format!("(last_stream_id={last_stream}, {code}, {debug})"));
            }
            Self::WindowUpdate { increment } => lines.push(format!("(window_size_increment={increment})")),
            Self::Continuation { block } => block.add_to(lines),
            Self::Unknown(payload) | Self::Malformed(payload) => {
                lines.push(format!("({})", excerpt("payload", payload)));
            }
        }
    }
}

impl Dependency {
    fn text(self) -> String {
        let Self { exclusive, stream, weight } = self;
        format!("dep_stream_id={stream}, weight={weight}, exclusive={}", u8::from(exclusive))
    }
}

impl FieldBlock {
    fn add_to(&self, lines: &mut Vec<String>) {
        match self {
            Self::Unfinished => lines.push("(the fields come with the last CONTINUATION)".to_owned()),
            Self::Fields(fields) => fields.add_to(lines),
        }
    }
}

impl Fields {
    fn add_to(&self, lines: &mut Vec<String>) {
        let field = |(name, value): &(Vec<u8>, Vec<u8>)| format!("{}: {}", printable(name), printable(value));
        lines.extend(self.list.iter().map(field));
        lines.extend((self.omitted > 0).then(|| format!("(and {} more fields)", self.omitted)));
        lines.extend(self.unreadable.map(|why| format!("; {why}")));
    }
}

fn first_line(head: Head) -> String {
    let Head { len, flags, stream, .. } = head;
    format!("{} frame <length={len}, flags={flags:#04x}, stream_id={stream}>", head.kind_name())
}

fn error_code(code: ErrorCode) -> String {
    format!("error_code={}({:#04x})", code.name().unwrap_or("UNKNOWN"), code.0)
}

fn wrong(violation: Violation) -> String {
    format!("wrong: {violation} ({})", violation.code())
}

fn excerpt(name: &str, Excerpt { first, len }: &Excerpt) -> String {
    let more = if first.len() < *len { "…" } else { "" };
    format!("{name}({len})=[{}{more}]", printable(first))
}

/// Bytes as text, control characters escaped, and what is not UTF-8 replaced.
fn printable(bytes: &[u8]) -> String {
    let mut text = String::new();
    for character in String::from_utf8_lossy(bytes).chars() {
        if character.is_control() {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    text
}
