//! What came from a target, in order.

use std::fmt;

/// Something that came from a target, or that became of the connection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Seen {
    /// The handshake is done: what was agreed on, and whether a certificate was asked for.
    Tls {
        /// The protocol that ALPN selected.
        alpn: Option<String>,
        /// The version, as its number on the wire: 0x0303 is 1.2.
        version: u16,
        /// Whether the target has sent a CertificateRequest.
        asked_for_certificate: bool,
    },
    /// SETTINGS with these parameters.
    Settings(Vec<(u16, u32)>),
    /// Our SETTINGS were acknowledged.
    SettingsAck,
    /// HEADERS, decoded.
    Fields {
        /// The stream.
        stream: u32,
        /// Name and value of each.
        fields: Vec<(String, String)>,
        /// Whether the stream ends with them.
        end: bool,
    },
    /// DATA.
    Data {
        /// The stream.
        stream: u32,
        /// The bytes, as text.
        text: String,
        /// Whether the stream ends with them.
        end: bool,
    },
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
        /// Its bytes.
        opaque: [u8; 8],
    },
    /// WINDOW_UPDATE.
    Window {
        /// The stream; 0 for the connection.
        stream: u32,
        /// By how much.
        increment: u32,
    },
    /// A frame of another type.
    Other {
        /// The type.
        kind: u8,
    },
    /// Something that is not HTTP/2: why.
    Rubbish(String),
    /// The connection has ended, or never began: how.
    End(String),
    /// Nothing more came within the patience of the suite.
    TooLate,
}

/// Everything that came on one connection.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Transcript(pub Vec<Seen>);

/// The answer to a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer<'a> {
    /// Its status; 0 when there is none.
    pub status: u16,
    /// Its fields.
    pub fields: &'a [(String, String)],
    /// Its body.
    pub body: String,
    /// Whether the stream ended with the fields.
    pub ends_with_fields: bool,
}

impl Transcript {
    /// The complete answer on a stream.
    pub fn answer(&self, stream: u32) -> Option<Answer<'_>> {
        let (mut answer, mut complete) = (None, false);
        for seen in &self.0 {
            match seen {
                Seen::Fields { stream: of, fields, end } if *of == stream && answer.is_none() => {
                    let status = fields.iter().find(|field| field.0 == ":status");
                    let status = status.and_then(|field| field.1.parse().ok()).unwrap_or(0);
                    answer = Some(Answer { status, fields, body: String::new(), ends_with_fields: *end });
                    complete = *end;
                }
                Seen::Data { stream: of, text, end } if *of == stream => {
                    if let Some(answer) = &mut answer {
                        answer.body.push_str(text);
                    }
                    complete |= end;
                }
                _ => {}
            }
        }
        answer.filter(|_| complete)
    }

    /// The error code with which a stream was reset.
    pub fn reset(&self, stream: u32) -> Option<u32> {
        self.0.iter().find_map(|seen| match seen {
            Seen::Reset { stream: of, code } if *of == stream => Some(*code),
            _ => None,
        })
    }

    /// Every GOAWAY: last stream, error code, debug data.
    pub fn goaways(&self) -> impl Iterator<Item = (u32, u32, &str)> {
        self.0.iter().filter_map(|seen| match seen {
            Seen::GoAway { last, code, debug } => Some((*last, *code, debug.as_str())),
            _ => None,
        })
    }

    /// Where this was seen.
    pub fn position(&self, what: impl Fn(&Seen) -> bool) -> Option<usize> {
        self.0.iter().position(what)
    }

    /// Whether nothing can come any more.
    pub fn is_over(&self) -> bool {
        // Nothing is written down behind it.
        matches!(self.0.last(), Some(Seen::End(_) | Seen::TooLate | Seen::Rubbish(_)))
    }
}

impl Answer<'_> {
    /// The value of a field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.0 == name).map(|field| field.1.as_str())
    }

    /// The body, read as JSON.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_str(&self.body).ok()
    }

    /// The reason in the body.
    pub fn reason(&self) -> Option<String> {
        Some(self.json()?.get("reason")?.as_str()?.to_owned())
    }
}

impl fmt::Display for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        match self.reason() {
            Some(reason) => write!(f, " {reason}"),
            None if self.body.is_empty() => Ok(()),
            None => write!(f, " {:?}", self.body),
        }
    }
}

/// One line, as a failure shows it.
impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tls { alpn, version, .. } => write!(f, "TLS {version:#06x}, ALPN {alpn:?}"),
            Self::Settings(parameters) => {
                let each: Vec<String> =
                    parameters.iter().map(|(id, value)| format!("{id}={value}")).collect();
                write!(f, "SETTINGS {}", each.join(" "))
            }
            Self::SettingsAck => f.write_str("SETTINGS acknowledged"),
            Self::Fields { stream, fields, .. } => {
                let each: Vec<String> =
                    fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
                write!(f, "HEADERS {stream} [{}]", each.join(", "))
            }
            Self::Data { stream, text, .. } => write!(f, "DATA {stream} {text}"),
            Self::Reset { stream, code } => write!(f, "RST_STREAM {stream} {}", crate::code_name(*code)),
            Self::GoAway { last, code, debug } => {
                write!(f, "GOAWAY last stream {last}, {} {debug}", crate::code_name(*code))
            }
            Self::Ping { ack: true, .. } => f.write_str("PING answered"),
            Self::Ping { ack: false, .. } => f.write_str("PING"),
            Self::Window { stream, increment } => write!(f, "WINDOW_UPDATE {stream} {increment}"),
            Self::Other { kind } => write!(f, "a frame of type {kind:#x}"),
            Self::Rubbish(why) => write!(f, "not HTTP/2: {why}"),
            Self::End(how) => write!(f, "the end: {how}"),
            Self::TooLate => f.write_str("nothing more in time"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(stream: u32, status: &str, end: bool) -> Seen {
        Seen::Fields { stream, fields: vec![(":status".into(), status.into())], end }
    }

    #[test]
    fn an_answer_is_complete_when_its_stream_has_ended() {
        let data = |text: &str, end| Seen::Data { stream: 1, text: text.into(), end };
        let mut transcript = Transcript(vec![fields(1, "400", false), data(r#"{"reason":"#, false)]);
        assert_eq!(transcript.answer(1), None);
        transcript.0.extend([fields(3, "200", true), data(r#""BadPath"}"#, true)]);
        let answer = transcript.answer(1).unwrap();
        assert_eq!((answer.to_string().as_str(), answer.ends_with_fields), ("400 BadPath", false));
        assert_eq!(transcript.answer(3).unwrap().to_string(), "200");
    }

    #[test]
    fn what_is_over_is_over_for_whatever_reason() {
        for seen in [Seen::TooLate, Seen::End("FIN".into()), Seen::Rubbish("a joke".into())] {
            assert!(Transcript(vec![Seen::SettingsAck, seen]).is_over());
        }
        assert!(!Transcript(vec![Seen::SettingsAck]).is_over());
    }
}
