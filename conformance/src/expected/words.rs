//! What is expected, in a line.

use std::fmt;

use super::{Expected, Value, reason_json};
use crate::code_name;

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer { request, status, reason: None } => {
                write!(f, "answer {request}: {status}, no body")
            }
            Self::Answer { request, status, reason: Some(reason) } => {
                write!(f, "answer {request}: {status} {reason}")
            }
            Self::Field { request, name, value } => write!(f, "answer {request}: {name} {value}"),
            Self::Body { request, text } => write!(f, "answer {request}: the body {text}"),
            Self::NoData { request } => write!(f, "answer {request}: fields alone"),
            Self::Timestamp { request, present: true } => {
                write!(f, "answer {request}: a timestamp in milliseconds")
            }
            Self::Timestamp { request, present: false } => write!(f, "answer {request}: no timestamp"),
            Self::DistinctIds { requests } => {
                write!(f, "{requests} answers with an apns-id each of their own")
            }
            Self::FirstSetting { identifier, value } => write!(f, "first SETTINGS with {identifier}={value}"),
            Self::SettingBeforeAnswer { identifier, value, request } => {
                write!(f, "SETTINGS with {identifier}={value} before answer {request}")
            }
            Self::SettingsAck => f.write_str("SETTINGS acknowledged"),
            Self::Reset { stream, code } => {
                write!(f, "RST_STREAM {stream} {}, and no GOAWAY", code_name(*code))
            }
            Self::GoAway { code, reason: None } => write!(f, "GOAWAY {}", code_name(*code)),
            Self::GoAway { code, reason: Some(reason) } => {
                write!(f, "GOAWAY {} {}", code_name(*code), reason_json(reason))
            }
            Self::TwoGoAways { reason } => {
                write!(f, "GOAWAY 0 NO_ERROR {}, GOAWAY 0 NO_ERROR, and the end", reason_json(reason))
            }
            Self::Pong(opaque) => write!(f, "PING answered with {opaque:02x?}"),
            Self::GoesOn => f.write_str("the connection goes on"),
            Self::Window => f.write_str("WINDOW_UPDATE for the connection"),
            Self::Alpn(Some(protocol)) => write!(f, "ALPN selects {protocol}"),
            Self::Alpn(None) => f.write_str("ALPN selects nothing"),
            Self::TlsVersion(least) => write!(f, "TLS of at least {least:#06x}"),
            Self::CertificateRequest => f.write_str("CertificateRequest"),
            Self::Alert => f.write_str("a TLS alert, and no GOAWAY"),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(text) => write!(f, "{text}"),
            Self::UpperUuid => f.write_str("is a UUID in upper case"),
            Self::LowerUuid => f.write_str("is a UUID in lower case"),
            Self::Absent => f.write_str("is absent"),
        }
    }
}
