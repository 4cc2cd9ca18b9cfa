//! What can happen to a whole connection.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{super::span, H2Code};
use crate::bytes::is_default;

/// GOAWAY.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct GoAway {
    /// The reason, in the form of Apple's debug data: `{"reason":"…"}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Debug data of another form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debug: Option<String>,
    /// The error code; left out, NO_ERROR, as Apple's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<H2Code>,
    /// The last stream that it says was processed.
    #[serde(skip_serializing_if = "is_default")]
    pub last_stream: LastStream,
    /// Send one with the last stream 2³¹−1 first, and this one so much later (RFC 9113, 6.8).
    #[serde(with = "span::option", skip_serializing_if = "Option::is_none")]
    pub graceful: Option<Duration>,
    /// What becomes of the connection afterwards.
    #[serde(skip_serializing_if = "is_default")]
    pub then: Then,
}

/// The last stream of a GOAWAY.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LastStream {
    /// The newest that was opened: all requests are answered.
    #[default]
    Newest,
    /// The one before the request at which it happens: neither that is answered, nor any behind it.
    Before,
    /// 0: nothing was processed.
    Zero,
    /// This one.
    #[serde(untagged)]
    Number(u32),
}

/// What becomes of a connection after GOAWAY.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Then {
    /// A second GOAWAY without debug data, and it is closed: as Apple was seen to do.
    #[default]
    Close,
    /// It is closed once all streams up to the last have ended.
    Drain,
    /// It stays open, and whatever is sent on newer streams is never answered.
    Stay,
}

impl LastStream {
    /// Whether the stream is processed, at whose request it happens.
    pub(super) const fn includes(self, stream: u32) -> bool {
        match self {
            Self::Newest => true,
            Self::Before | Self::Zero => false,
            Self::Number(number) => stream <= number,
        }
    }
}

impl GoAway {
    /// The error code that goes out.
    pub fn code(&self) -> H2Code {
        self.code.unwrap_or(H2Code::NO_ERROR)
    }

    /// The debug data that goes out.
    pub fn debug_data(&self) -> Vec<u8> {
        match (&self.reason, &self.debug) {
            (Some(reason), _) => serde_json::json!({ "reason": reason }).to_string().into_bytes(),
            (None, Some(debug)) => debug.clone().into_bytes(),
            (None, None) => Vec::new(),
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        if self.reason.is_some() && self.debug.is_some() {
            return Err("a reason is the debug data: give one of the two".to_owned());
        }
        if self.debug_data().len() > DEBUG_BYTES_MAX {
            return Err(format!(
                "debug data of more than {DEBUG_BYTES_MAX} bytes, which is what fits a frame"
            ));
        }
        match self.last_stream {
            LastStream::Number(number) if number > STREAM_MAX => {
                Err(format!("last-stream {number}: a stream has 31 bits"))
            }
            _ => Ok(()),
        }
    }
}

/// The smallest frame that every client takes, less the eight bytes before the debug data.
const DEBUG_BYTES_MAX: usize = 16_384 - 8;
const STREAM_MAX: u32 = 0x7fff_ffff;

/// The end of a connection without GOAWAY.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Close {
    /// How.
    #[serde(skip_serializing_if = "is_default")]
    pub how: CloseHow,
    /// Whether the request at which it happens is answered first.
    #[serde(skip_serializing_if = "is_default")]
    pub answered: bool,
    /// Whether the service does what it would have done with a push that is not answered.
    #[serde(skip_serializing_if = "is_default")]
    pub takes_effect: bool,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CloseHow {
    /// With TLS's close_notify and FIN.
    #[default]
    CloseNotify,
    /// With FIN alone: to TLS, a cut.
    Fin,
    /// With RST.
    Reset,
}

impl Close {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.answered && self.takes_effect {
            return Err(
                "a request that is answered takes effect by itself: leave out takes-effect".to_owned()
            );
        }
        Ok(())
    }
}

/// A connection that stops.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Stall {
    /// Whether nothing is read any more.
    pub reads: bool,
    /// Whether nothing is written any more.
    pub writes: bool,
    /// For how long; left out, until the client closes.
    #[serde(rename = "for", with = "span::option", skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Duration>,
    /// Whether the service does what it would have done with the request at which it happens, which is not answered while nothing
    /// is written.
    #[serde(skip_serializing_if = "is_default")]
    pub takes_effect: bool,
}

impl Default for Stall {
    /// Half-open: both.
    fn default() -> Self {
        Self { reads: true, writes: true, lasts: None, takes_effect: false }
    }
}

impl Stall {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.reads || self.writes { Ok(()) } else { Err("neither reads nor writes stop".to_owned()) }
    }
}

/// Window that is not given back.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct WithholdWindow {
    /// Whose.
    #[serde(skip_serializing_if = "is_default")]
    pub of: WithheldWindow,
}

/// Whose window is not given back.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WithheldWindow {
    /// That of the connection: after 65,535 bytes of bodies it takes no more.
    #[default]
    Connection,
    /// That of each stream: a body longer than its window never ends.
    Streams,
    /// Both.
    Both,
}

impl WithholdWindow {
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "a row of the table of actions")]
    pub(super) fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// Changes of SETTINGS, in the names and bounds of RFC 9113, 6.5.2.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ChangeSettings {
    /// SETTINGS_HEADER_TABLE_SIZE, bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_table_size: Option<u32>,
    /// SETTINGS_MAX_CONCURRENT_STREAMS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_concurrent_streams: Option<u32>,
    /// SETTINGS_INITIAL_WINDOW_SIZE, bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_window_size: Option<u32>,
    /// SETTINGS_MAX_FRAME_SIZE, bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_frame_size: Option<u32>,
    /// SETTINGS_MAX_HEADER_LIST_SIZE, bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_header_list_size: Option<u32>,
}

impl ChangeSettings {
    pub(super) fn check(&self) -> Result<(), String> {
        if *self == Self::default() {
            return Err("no setting is changed: name one".to_owned());
        }
        if self.initial_window_size.is_some_and(|size| size > STREAM_MAX) {
            return Err("initial-window-size has 31 bits (RFC 9113, 6.5.2)".to_owned());
        }
        if self.max_frame_size.is_some_and(|size| !(16_384..=16_777_215).contains(&size)) {
            return Err("max-frame-size is from 16384 to 16777215 (RFC 9113, 6.5.2)".to_owned());
        }
        Ok(())
    }
}

/// PING frames.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct SendPings {
    /// How many.
    pub count: u32,
}

impl Default for SendPings {
    fn default() -> Self {
        Self { count: 1 }
    }
}

impl SendPings {
    pub(super) fn check(&self) -> Result<(), String> {
        if (1..=PINGS_MAX).contains(&self.count) {
            Ok(())
        } else {
            Err(format!("count {}: it takes 1 to {PINGS_MAX}", self.count))
        }
    }
}

/// Beyond a flood that any client notices: a hundred thousand are 1.7 MB.
const PINGS_MAX: u32 = 100_000;

/// PINGs that get no acknowledgement.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct IgnorePings {}

impl IgnorePings {
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "a row of the table of actions")]
    pub(super) fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// The end of an idle connection.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct IdleTimeout {
    /// After how long without a byte from the client.
    #[serde(with = "span")]
    pub after: Duration,
}

impl IdleTimeout {
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "a row of the table of actions")]
    pub(super) fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Action;

    fn check(json: &str) -> Result<(), String> {
        serde_json::from_str::<Action>(json).map_err(|error| error.to_string())?.check()
    }

    #[test]
    fn what_is_possible_is_taken() {
        for json in [
            r#"{"goaway": {"reason": "Shutdown"}}"#,
            r#"{"goaway": {"code": 255, "last-stream": 7, "debug": "calm", "then": "stay"}}"#,
            r#"{"goaway": {"last-stream": "before", "graceful": "2s", "then": "drain"}}"#,
            r#"{"close": {"how": "reset"}}"#,
            r#""stall""#,
            r#"{"stall": {"reads": false, "for": "2s"}}"#,
            r#"{"withhold-window": {"of": "both"}}"#,
            r#"{"settings": {"max-concurrent-streams": 0}}"#,
            r#"{"ping": {"count": 1000}}"#,
            r#"{"idle-timeout": {"after": "30s"}}"#,
        ] {
            assert_eq!(check(json), Ok(()), "{json}");
        }
    }

    #[test]
    fn what_is_not_is_refused_with_the_reason() {
        for (json, why) in [
            (r#"{"goaway": {"reason": "a", "debug": "b"}}"#, "one of the two"),
            (r#"{"goaway": {"last-stream": 2147483648}}"#, "31 bits"),
            (r#"{"goaway": {"code": "OOPS"}}"#, "\"OOPS\" is not one of NO_ERROR"),
            (r#"{"close": {"answered": true, "takes-effect": true}}"#, "by itself"),
            (r#"{"stall": {"reads": false, "writes": false}}"#, "neither"),
            (r#"{"settings": {}}"#, "no setting"),
            (r#"{"settings": {"max-frame-size": 1}}"#, "from 16384"),
            (r#"{"ping": {"count": 0}}"#, "1 to 100000"),
            (r#"{"idle-timeout": {}}"#, "missing field `after`"),
        ] {
            let error = check(json).unwrap_err();
            assert!(error.contains(why), "{json}: {error}");
        }
    }

    #[test]
    fn debug_data_has_apples_form() {
        let goaway = GoAway { reason: Some("Shutdown".to_owned()), ..GoAway::default() };
        assert_eq!(goaway.debug_data(), br#"{"reason":"Shutdown"}"#);
        assert_eq!(GoAway::default().debug_data(), b"");
    }
}
