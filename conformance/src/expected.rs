//! What is expected of a target, and whether it is so.

mod words;

use crate::{Seen, Transcript};

/// Something that has to be true of what came. Requests are counted from 0, in the order in which they were sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Expected {
    /// A request is answered so.
    Answer {
        /// Which request.
        request: usize,
        /// The status.
        status: u16,
        /// The reason in the body; `None` for none.
        reason: Option<String>,
    },
    /// A field of an answer.
    Field {
        /// Which request.
        request: usize,
        /// The field's name.
        name: &'static str,
        /// What stands in it.
        value: Value,
    },
    /// The body of an answer, byte for byte.
    Body {
        /// Which request.
        request: usize,
        /// The bytes.
        text: String,
    },
    /// The stream ends with the answer's fields: there is no DATA.
    NoData {
        /// Which request.
        request: usize,
    },
    /// The body has a `timestamp` in milliseconds, between 2001 and 2100; or none.
    Timestamp {
        /// Which request.
        request: usize,
        /// Whether it has one.
        present: bool,
    },
    /// No two answers of the first so many requests have the same apns-id.
    DistinctIds {
        /// How many requests.
        requests: usize,
    },
    /// The first SETTINGS have this parameter.
    FirstSetting {
        /// Its identifier.
        identifier: u16,
        /// Its value.
        value: u32,
    },
    /// This parameter is sent later than the first SETTINGS, and before the answer to a request.
    SettingBeforeAnswer {
        /// Its identifier.
        identifier: u16,
        /// Its value.
        value: u32,
        /// Which request.
        request: usize,
    },
    /// Our SETTINGS are acknowledged.
    SettingsAck,
    /// A stream is reset with this code, and the connection goes on.
    Reset {
        /// The stream.
        stream: u32,
        /// The error code.
        code: u32,
    },
    /// GOAWAY with this code, and this reason in its debug data when one is named; then the end.
    GoAway {
        /// The error code.
        code: u32,
        /// The reason.
        reason: Option<&'static str>,
    },
    /// Two GOAWAYs as Apple was seen to send them: NO_ERROR and last stream 0, the first with this reason, the second with no debug data.
    TwoGoAways {
        /// The reason.
        reason: &'static str,
    },
    /// PING is answered with these bytes.
    Pong([u8; 8]),
    /// Neither GOAWAY nor the end has come.
    GoesOn,
    /// The target grants window for the connection.
    Window,
    /// ALPN selects this, or nothing.
    Alpn(Option<&'static str>),
    /// TLS of this version or a later one.
    TlsVersion(u16),
    /// The target asks for a certificate.
    CertificateRequest,
    /// The connection ends without GOAWAY, by a TLS alert.
    Alert,
}

/// What stands in a field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Value {
    /// This.
    Is(&'static str),
    /// The form of a UUID, in upper case.
    UpperUuid,
    /// The form of a UUID, in lower case.
    LowerUuid,
    /// The field is not there.
    Absent,
}

impl Expected {
    pub(crate) fn answer(request: usize, status: u16, reason: Option<&str>) -> Self {
        Self::Answer { request, status, reason: reason.map(ToOwned::to_owned) }
    }

    /// Whether it is so; else what is so instead.
    pub fn judge(&self, came: &Transcript) -> Result<(), String> {
        let holds = |holds: bool, got: &dyn Fn() -> String| if holds { Ok(()) } else { Err(got()) };
        match self {
            Self::Answer { request, status, reason } => {
                let answer = answered(came, *request)?;
                let says_nothing = answer.body.is_empty();
                let right = answer.status == *status
                    && match reason {
                        Some(reason) => answer.reason().as_ref() == Some(reason),
                        None => says_nothing,
                    };
                holds(right, &|| answer.to_string())
            }
            Self::Field { request, name, value } => {
                let answer = answered(came, *request)?;
                let field = answer.field(name);
                holds(value.fits(field), &|| field.unwrap_or("no such field").to_owned())
            }
            Self::Body { request, text } => {
                let answer = answered(came, *request)?;
                holds(answer.body == *text, &|| answer.body.clone())
            }
            Self::NoData { request } => {
                let answer = answered(came, *request)?;
                holds(answer.ends_with_fields, &|| "DATA behind the fields".to_owned())
            }
            Self::Timestamp { request, present } => {
                let answer = answered(came, *request)?;
                let timestamp = answer.json().and_then(|json| json.get("timestamp").cloned());
                let is_time = timestamp.as_ref().and_then(serde_json::Value::as_u64).is_some_and(is_in_ms);
                let right = if *present { is_time } else { timestamp.is_none() };
                holds(right, &|| answer.body.clone())
            }
            Self::DistinctIds { requests } => distinct_ids(came, *requests),
            _ => self.judge_connection(came),
        }
    }

    /// What is not about an answer.
    fn judge_connection(&self, came: &Transcript) -> Result<(), String> {
        let is = |is_it: &dyn Fn(&Seen) -> bool| came.position(is_it).is_some();
        let right = match self {
            Self::FirstSetting { identifier, value } => {
                let first = settings(came).next().map(|(_, parameters)| parameters);
                first.is_some_and(|it| it.contains(&(*identifier, *value)))
            }
            Self::SettingBeforeAnswer { identifier, value, request } => {
                let stream = stream_of(*request);
                let answered =
                    came.position(|seen| matches!(seen, Seen::Fields { stream: of, .. } if *of == stream));
                let mut later = settings(came).skip(1).filter(|(_, it)| it.contains(&(*identifier, *value)));
                later.next().zip(answered).is_some_and(|((at, _), answered)| at < answered)
            }
            Self::SettingsAck => is(&|seen| *seen == Seen::SettingsAck),
            Self::Reset { stream, code } => {
                came.reset(*stream) == Some(*code) && came.goaways().next().is_none()
            }
            Self::GoAway { code, reason } => came.goaways().next().is_some_and(|(_, got, debug)| {
                got == *code && reason.is_none_or(|reason| debug == reason_json(reason))
            }),
            Self::TwoGoAways { reason } => {
                let all: Vec<_> = came.goaways().collect();
                all == [(0, 0, reason_json(reason).as_str()), (0, 0, "")]
            }
            Self::Pong(opaque) => is(&|seen| *seen == Seen::Ping { ack: true, opaque: *opaque }),
            Self::GoesOn => came.goaways().next().is_none() && !came.is_over(),
            Self::Window => is(&|seen| matches!(seen, Seen::Window { stream: 0, .. })),
            Self::Alpn(expected) => {
                is(&|seen| matches!(seen, Seen::Tls { alpn, .. } if alpn.as_deref() == *expected))
            }
            Self::TlsVersion(least) => {
                is(&|seen| matches!(seen, Seen::Tls { version, .. } if version >= least))
            }
            Self::CertificateRequest => {
                is(&|seen| matches!(seen, Seen::Tls { asked_for_certificate: true, .. }))
            }
            Self::Alert => {
                came.goaways().next().is_none()
                    && is(&|seen| matches!(seen, Seen::End(how) if how.contains("alert")))
            }
            _ => true, // the others are about answers
        };
        if right { Ok(()) } else { Err(summary(came)) }
    }

    /// Whether it need not be waited for any longer: it holds, or what would have to hold has come otherwise.
    pub fn is_settled(&self, came: &Transcript) -> bool {
        if came.is_over() {
            return true;
        }
        match self {
            Self::Answer { request, .. }
            | Self::Field { request, .. }
            | Self::Body { request, .. }
            | Self::NoData { request }
            | Self::Timestamp { request, .. }
            | Self::SettingBeforeAnswer { request, .. } => has_ended(came, *request),
            Self::DistinctIds { requests } => (0..*requests).all(|request| has_ended(came, request)),
            Self::Reset { stream, .. } => {
                came.reset(*stream).is_some()
                    || came.answer(*stream).is_some()
                    || came.goaways().next().is_some()
            }
            Self::GoAway { .. } => came.goaways().next().is_some(),
            Self::TwoGoAways { .. } | Self::Alert => false, // until the end
            Self::FirstSetting { .. } => settings(came).next().is_some(),
            Self::SettingsAck | Self::Pong(_) | Self::Window => self.judge(came).is_ok(),
            Self::GoesOn | Self::Alpn(_) | Self::TlsVersion(_) | Self::CertificateRequest => true,
        }
    }
}

impl Value {
    fn fits(&self, value: Option<&str>) -> bool {
        match (self, value) {
            (Self::Absent, value) => value.is_none(),
            (Self::Is(expected), Some(value)) => *expected == value,
            (Self::UpperUuid, Some(value)) => {
                is_uuid(value) && !value.bytes().any(|byte| byte.is_ascii_lowercase())
            }
            (Self::LowerUuid, Some(value)) => {
                is_uuid(value) && !value.bytes().any(|byte| byte.is_ascii_uppercase())
            }
            (_, None) => false,
        }
    }
}

/// The stream of a request: a client's are odd.
pub(crate) fn stream_of(request: usize) -> u32 {
    request as u32 * 2 + 1
}

/// GOAWAY's debug data, and the body of a refusal, byte for byte.
pub(crate) fn reason_json(reason: &str) -> String {
    format!(r#"{{"reason":"{reason}"}}"#)
}

fn answered(came: &Transcript, request: usize) -> Result<crate::Answer<'_>, String> {
    came.answer(stream_of(request)).ok_or_else(|| summary(came))
}

fn has_ended(came: &Transcript, request: usize) -> bool {
    let stream = stream_of(request);
    came.answer(stream).is_some() || came.reset(stream).is_some()
}

fn settings(came: &Transcript) -> impl Iterator<Item = (usize, &[(u16, u32)])> {
    came.0.iter().enumerate().filter_map(|(at, seen)| match seen {
        Seen::Settings(parameters) => Some((at, parameters.as_slice())),
        _ => None,
    })
}

fn distinct_ids(came: &Transcript, requests: usize) -> Result<(), String> {
    let mut ids = Vec::new();
    for request in 0..requests {
        let answer = answered(came, request)?;
        ids.push(answer.field("apns-id").unwrap_or_default().to_owned());
    }
    let list = ids.join(", ");
    ids.sort();
    ids.dedup();
    if ids.len() == requests { Ok(()) } else { Err(list) }
}

fn is_uuid(text: &str) -> bool {
    let form = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(form)
}

/// Whether a number of milliseconds since 1970 is a time of this age: seconds would be in 1970, microseconds far ahead.
fn is_in_ms(timestamp: u64) -> bool {
    const YEAR_2001_MS: u64 = 978_307_200_000;
    const YEAR_2100_MS: u64 = 4_102_444_800_000;
    (YEAR_2001_MS..YEAR_2100_MS).contains(&timestamp)
}

/// What came, in a line: the frames that say something.
pub(crate) fn summary(came: &Transcript) -> String {
    let tells = |seen: &&Seen| !matches!(seen, Seen::Window { .. } | Seen::SettingsAck | Seen::Tls { .. });
    let told: Vec<String> = came.0.iter().filter(tells).map(ToString::to_string).collect();
    if told.is_empty() { "nothing".to_owned() } else { told.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(stream: u32, more: &[(&str, &str)], end: bool) -> Seen {
        let fields = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Seen::Fields { stream, fields, end }
    }

    fn refused(body: &str) -> Transcript {
        let head =
            fields(1, &[(":status", "400"), ("apns-id", "07C0F2E2-7CE0-71EC-D0D6-E7089220F778")], false);
        Transcript(vec![head, Seen::Data { stream: 1, text: body.into(), end: true }])
    }

    fn goaway(last: u32, code: u32, debug: &str) -> Seen {
        Seen::GoAway { last, code, debug: debug.into() }
    }

    #[track_caller]
    fn holds(expected: &Expected, came: &Transcript, holds: bool) {
        assert_eq!(expected.judge(came).is_ok(), holds, "{expected}: {:?}", expected.judge(came));
    }

    #[test]
    fn an_answer_is_its_status_and_its_reason() {
        let came = refused(r#"{"reason":"BadTopic"}"#);
        holds(&Expected::answer(0, 400, Some("BadTopic")), &came, true);
        holds(&Expected::answer(0, 400, Some("BadPath")), &came, false);
        holds(&Expected::answer(0, 403, Some("BadTopic")), &came, false);
        holds(&Expected::answer(0, 400, None), &came, false);
        holds(&Expected::answer(1, 400, Some("BadTopic")), &came, false);
    }

    #[test]
    fn a_field_is_judged_by_its_form() {
        let (came, name) = (refused("{}"), "apns-id");
        for (value, right) in [
            (Value::UpperUuid, true),
            (Value::LowerUuid, false),
            (Value::Absent, false),
            (Value::Is("42"), false),
        ] {
            holds(&Expected::Field { request: 0, name, value }, &came, right);
        }
        holds(&Expected::Field { request: 0, name: "retry-after", value: Value::Absent }, &came, true);
        holds(&Expected::Field { request: 0, name: "retry-after", value: Value::UpperUuid }, &came, false);
    }

    #[test]
    fn a_timestamp_is_a_number_of_milliseconds() {
        let (present, absent) = (
            Expected::Timestamp { request: 0, present: true },
            Expected::Timestamp { request: 0, present: false },
        );
        for (timestamp, is_one) in
            [("1700000000000", true), ("1700000000", false), ("\"1700000000000\"", false), ("null", false)]
        {
            let came = refused(&format!(r#"{{"reason":"Unregistered","timestamp":{timestamp}}}"#));
            holds(&present, &came, is_one);
            holds(&absent, &came, false);
        }
        holds(&absent, &refused(r#"{"reason":"BadPath"}"#), true);
    }

    #[test]
    fn a_setting_counts_where_it_was_sent() {
        let settings = |value| Seen::Settings(vec![(3, value)]);
        let answer = fields(1, &[(":status", "200")], true);
        let raised = Expected::SettingBeforeAnswer { identifier: 3, value: 1000, request: 0 };
        let in_time = Transcript(vec![settings(1), settings(1000), answer.clone()]);
        holds(&raised, &in_time, true);
        holds(&Expected::FirstSetting { identifier: 3, value: 1 }, &in_time, true);
        holds(&Expected::FirstSetting { identifier: 3, value: 1000 }, &in_time, false);
        holds(&raised, &Transcript(vec![settings(1), answer.clone(), settings(1000)]), false);
        holds(&raised, &Transcript(vec![settings(1000), answer]), false);
    }

    #[test]
    fn goaway_is_judged_byte_for_byte() {
        let (reason, end) = (r#"{"reason":"Shutdown"}"#, Seen::End("closed".into()));
        let two = Transcript(vec![goaway(0, 0, reason), goaway(0, 0, ""), end]);
        holds(&Expected::TwoGoAways { reason: "Shutdown" }, &two, true);
        holds(&Expected::GoAway { code: 0, reason: Some("Shutdown") }, &two, true);
        holds(&Expected::GoAway { code: 1, reason: None }, &two, false);
        let spaced = Transcript(vec![goaway(0, 0, r#"{"reason": "Shutdown"}"#), goaway(0, 0, "")]);
        holds(&Expected::TwoGoAways { reason: "Shutdown" }, &spaced, false);
        holds(&Expected::GoAway { code: 0, reason: Some("Shutdown") }, &spaced, false);
    }

    #[test]
    fn a_reset_leaves_the_connection_alone() {
        let reset = Seen::Reset { stream: 3, code: 1 };
        let expected = Expected::Reset { stream: 3, code: 1 };
        holds(&expected, &Transcript(vec![reset.clone()]), true);
        holds(&expected, &Transcript(vec![reset, goaway(3, 1, "")]), false);
    }

    #[test]
    fn an_alert_is_an_end_without_goaway() {
        let alert = Seen::End("TLS: received fatal alert: CertificateExpired".into());
        holds(&Expected::Alert, &Transcript(vec![alert.clone()]), true);
        holds(&Expected::Alert, &Transcript(vec![Seen::End("closed".into())]), false);
        holds(&Expected::Alert, &Transcript(vec![goaway(0, 0, ""), alert]), false);
    }

    #[test]
    fn what_was_answered_otherwise_is_not_waited_for() {
        let expected = Expected::answer(0, 200, None);
        assert!(!expected.is_settled(&Transcript::default()));
        assert!(expected.is_settled(&refused("{}")));
        assert!(expected.is_settled(&Transcript(vec![Seen::TooLate])));
        let goaway_expected = Expected::GoAway { code: 1, reason: None };
        assert!(!goaway_expected.is_settled(&refused("{}")));
        assert!(goaway_expected.is_settled(&Transcript(vec![goaway(0, 2, "")])));
    }
}
