//! What can happen: the table of actions.

mod answer;
mod code;
mod connection;
mod delay;
mod entry;
mod framing;
mod malformed;
mod stream;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, value::MapAccessDeserializer},
};

use super::Moment;

pub use answer::{Answering, Body, Ending, RetryAfter};
pub use code::H2Code;
pub use connection::{
    ChangeSettings, Close, CloseHow, GoAway, IdleTimeout, IgnorePings, LastStream, SendPings, Stall, Then,
    WithheldWindow, WithholdWindow,
};
pub use delay::Delay;
pub use entry::{Accepting, Alert, Handshake, ServerCertificate};
pub use malformed::{BrokenFrame, FrameStream, MalformedFrame};
pub use stream::{Cut, NoAnswer, ResetStream};

/// Declares [`Action`]: each with its name, when it can happen, the usual moment first, and what a provider sees of it.
macro_rules! actions {
    ($($variant:ident $name:literal [$($moment:ident),*] $sees:literal;)*) => {
        /// What happens when a rule fires.
        ///
        /// In JSON and TOML it is an object with the action's name as its only key, `{"no-answer": {}}`; one whose values are
        /// all left out may be written as its name alone, `"no-answer"`.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(rename_all = "kebab-case")]
        #[non_exhaustive]
        #[expect(clippy::large_enum_variant, reason = "rules are few; a box would only be in the way of who writes one")]
        pub enum Action {
            $(#[doc = $sees] #[serde(rename = $name)] $variant($variant),)*
        }

        impl Action {
            /// The names of all actions.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// Its name.
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)* }
            }

            /// The moments at which it can happen, the usual one first.
            pub const fn moments(&self) -> &'static [Moment] {
                match self { $(Self::$variant(_) => &[$(Moment::$moment),*],)* }
            }

            /// Whether it is possible: if not, why.
            pub(crate) fn check(&self) -> Result<(), String> {
                match self { $(Self::$variant(it) => it.check(),)* }
            }
        }

        /// As it is read: an object with one key.
        #[derive(Deserialize)]
        #[expect(clippy::large_enum_variant, reason = "it becomes an action as soon as it is read")]
        enum Form {
            $(#[serde(rename = $name)] $variant($variant),)*
        }

        impl From<Form> for Action {
            fn from(form: Form) -> Self {
                match form { $(Form::$variant(it) => Self::$variant(it),)* }
            }
        }
    };
}

actions! {
    Answering "answer" [Request]
        "An answer of another status, body, form or speed.";
    NoAnswer "no-answer" [Request]
        "No answer: the stream stays open.";
    ResetStream "reset-stream" [Request]
        "RST_STREAM, before the answer, behind its fields or in the middle of its body.";
    GoAway "goaway" [Request, Connection, Clock]
        "GOAWAY, with any reason, code and last stream.";
    Close "close" [Request, Connection, Clock]
        "The end of the connection without GOAWAY: a goodbye of TLS, FIN or RST.";
    Stall "stall" [Request, Connection, Clock]
        "A connection that stops reading, writing or both.";
    WithholdWindow "withhold-window" [Connection, Request, Clock]
        "No WINDOW_UPDATE any more, for the connection, its streams or both.";
    ChangeSettings "settings" [Request, Connection, Clock]
        "A SETTINGS frame in mid-connection.";
    SendPings "ping" [Connection, Request, Clock]
        "PING frames, as many as wanted.";
    IgnorePings "ignore-pings" [Connection, Request, Clock]
        "PING frames that are never acknowledged.";
    IdleTimeout "idle-timeout" [Connection, Request, Clock]
        "GOAWAY, once nothing has come for a while.";
    BrokenFrame "frame" [Request, Connection, Clock]
        "A frame that breaks the protocol.";
    Handshake "tls" [Handshake]
        "A TLS handshake that fails, stalls or ends otherwise than the client wants.";
    Accepting "accept" [Accept]
        "A TCP connection that is refused, closed at once, or accepted slowly.";
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Visitor)
    }
}

struct Visitor;

impl<'de> de::Visitor<'de> for Visitor {
    type Value = Action;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "an action: one of {}, as the only key of an object", Action::NAMES.join(", "))
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Action, E> {
        let bare = serde_json::json!({ name: {} });
        Form::deserialize(bare).map(Action::from).map_err(E::custom)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Action, A::Error> {
        Form::deserialize(MapAccessDeserializer::new(map)).map(Action::from)
    }
}

/// What becomes of a request when a rule fires at it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Course {
    /// Whether the service does with it what it would have done without the rule.
    pub(crate) takes_effect: bool,
    /// Whether it is answered in the usual way.
    pub(crate) is_answered: bool,
}

impl Course {
    const USUAL: Self = Self { takes_effect: true, is_answered: true };

    /// It is not answered; it takes effect if the rule says so.
    const fn unanswered(takes_effect: bool) -> Self {
        Self { takes_effect, is_answered: false }
    }
}

impl Action {
    /// What becomes of the request on `stream`, at which it happens.
    pub(crate) fn course(&self, stream: u32) -> Course {
        match self {
            Self::Answering(it) => Course::unanswered(it.takes_effect()),
            Self::NoAnswer(it) => Course::unanswered(it.takes_effect),
            Self::ResetStream(it) => Course::unanswered(it.takes_effect()),
            Self::GoAway(it) if it.last_stream.includes(stream) => Course::USUAL,
            Self::GoAway(_) => Course::unanswered(false),
            Self::Close(it) if it.answered => Course::USUAL,
            Self::Close(it) => Course::unanswered(it.takes_effect),
            Self::Stall(it) if !it.writes => Course::USUAL,
            Self::Stall(it) => Course::unanswered(it.takes_effect),
            _ => Course::USUAL,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Action, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn an_action_is_an_object_with_its_name_or_the_name_alone() {
        for json in [r#"{"no-answer": {}}"#, r#""no-answer""#] {
            assert_eq!(read(json).unwrap().name(), "no-answer");
        }
        let action = read(r#"{"goaway": {"reason": "Shutdown"}}"#).unwrap();
        assert_eq!(read(&serde_json::to_string(&action).unwrap()).unwrap(), action);
    }

    #[test]
    fn a_wrong_action_is_told_with_what_there_is() {
        let unknown = read(r#"{"go-away": {}}"#).unwrap_err();
        assert!(unknown.contains("unknown variant `go-away`") && unknown.contains("`goaway`"), "{unknown}");
        assert!(read(r#""go-away""#).unwrap_err().contains("unknown variant `go-away`"));
        assert!(read("503").unwrap_err().contains("an action: one of answer, no-answer"));
        let field = read(r#"{"goaway": {"code": "NO_ERROR", "cause": 1}}"#).unwrap_err();
        assert!(field.contains("unknown field `cause`"), "{field}");
    }
}
