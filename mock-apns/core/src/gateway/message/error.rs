//! A line that is no message: what is wrong with it, where, and what to do.

use thiserror::Error;

use super::GatewayErrorCode;

/// A line that cannot be read as a message.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("{problem}")]
pub struct MessageError {
    /// The `id` of the message, where that much could be read: for the reply.
    pub id: Option<u64>,
    /// What is wrong.
    pub problem: MessageProblem,
}

/// What is wrong with a line. Text that came from outside is shortened.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum MessageProblem {
    /// It is not JSON, or nested too deeply.
    #[error("not a line of JSON: {why}. A message is one JSON object on one line, in UTF-8")]
    NotJson {
        /// What the parser found.
        why: String,
    },
    /// It is JSON, and not an object.
    #[error("not a JSON object: a message is one, such as {{\"type\":\"connect\"}}")]
    NotAnObject,
    /// There is no such message.
    #[error("no message has the type {found:?}; there are {known}")]
    UnknownType {
        /// The type given.
        found: String,
        /// Those that there are.
        known: String,
    },
    /// A field is not there.
    #[error("the message {message} has no {field:?}: it needs {expected}")]
    MissingField {
        /// The type of the message.
        message: &'static str,
        /// The name of the field.
        field: &'static str,
        /// What its value can be.
        expected: String,
    },
    /// A field should not be there.
    #[error("the message {message} can have no {field:?}; it may be misspelt")]
    UnknownField {
        /// The type of the message.
        message: &'static str,
        /// The name of the field.
        field: String,
    },
    /// A field has a value that it cannot have.
    #[error("the message {message} has {found} for {field:?}: it needs {expected}")]
    WrongValue {
        /// The type of the message.
        message: &'static str,
        /// The name of the field.
        field: &'static str,
        /// The value, as JSON.
        found: String,
        /// What it can be.
        expected: String,
    },
    /// A message to a device is not as documented; for a client that reads it.
    #[error("the message {message} cannot be read: {why}")]
    Unreadable {
        /// The type of the message.
        message: String,
        /// What the parser found.
        why: String,
    },
}

impl MessageProblem {
    /// The code of the error that answers such a line.
    pub const fn code(&self) -> GatewayErrorCode {
        match self {
            Self::NotJson { .. } | Self::NotAnObject => GatewayErrorCode::NotJson,
            Self::UnknownType { .. } => GatewayErrorCode::UnknownType,
            Self::MissingField { .. } => GatewayErrorCode::MissingField,
            Self::UnknownField { .. } => GatewayErrorCode::UnknownField,
            Self::WrongValue { .. } | Self::Unreadable { .. } => GatewayErrorCode::WrongValue,
        }
    }
}
