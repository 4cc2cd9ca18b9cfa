//! Reading a message's fields one by one, so that every mistake is named: serde would say only that nothing fits.

use serde_json::{Map, Value};

use super::error::MessageProblem;
use crate::{BundleId, DeviceState, Environment, Named as _, NewTokens, TeamId, TokenKind, excerpt::excerpt};

/// The fields of one message that were not read yet.
pub(super) struct Fields {
    message: &'static str,
    fields: Map<String, Value>,
}

impl Fields {
    /// Reads a line.
    pub(super) fn parse(line: &[u8]) -> Result<Self, MessageProblem> {
        match serde_json::from_slice(line) {
            Ok(Value::Object(fields)) => Ok(Self { message: "without a type", fields }),
            Ok(_) => Err(MessageProblem::NotAnObject),
            Err(error) => Err(MessageProblem::NotJson { why: error.to_string() }),
        }
    }

    /// Names the message in errors from here on.
    pub(super) fn name(&mut self, message: &'static str) {
        self.message = message;
    }

    /// The value of a field that has to be there.
    pub(super) fn required<T: Field>(&mut self, field: &'static str) -> Result<T, MessageProblem> {
        self.optional(field)?.ok_or_else(|| MessageProblem::MissingField {
            message: self.message,
            field,
            expected: T::expected(),
        })
    }

    /// The value of a field that may be left out.
    pub(super) fn optional<T: Field>(&mut self, field: &'static str) -> Result<Option<T>, MessageProblem> {
        let Some(value) = self.fields.remove(field) else { return Ok(None) };
        T::read(&value).map(Some).ok_or_else(|| MessageProblem::WrongValue {
            message: self.message,
            field,
            found: excerpt(&value.to_string()),
            expected: T::expected(),
        })
    }

    /// All fields were read: one that is left is none of this message's.
    pub(super) fn finish(self) -> Result<(), MessageProblem> {
        match self.fields.keys().next() {
            None => Ok(()),
            Some(field) => Err(MessageProblem::UnknownField { message: self.message, field: excerpt(field) }),
        }
    }
}

/// What a field's value can be read into.
pub(super) trait Field: Sized {
    /// What the value can be, in words: "a number", "one of …".
    fn expected() -> String;

    /// The value, unless it is something else.
    fn read(value: &Value) -> Option<Self>;
}

impl Field for String {
    fn expected() -> String {
        "a string".to_owned()
    }

    fn read(value: &Value) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }
}

impl Field for bool {
    fn expected() -> String {
        "true or false".to_owned()
    }

    fn read(value: &Value) -> Option<Self> {
        value.as_bool()
    }
}

impl Field for u64 {
    fn expected() -> String {
        "a whole number, not negative".to_owned()
    }

    fn read(value: &Value) -> Option<Self> {
        value.as_u64()
    }
}

impl Field for u32 {
    fn expected() -> String {
        format!("a whole number from 0 to {}", Self::MAX)
    }

    fn read(value: &Value) -> Option<Self> {
        value.as_u64()?.try_into().ok()
    }
}

impl Field for BundleId {
    fn expected() -> String {
        "a bundle ID, such as \"com.example.app\"".to_owned()
    }

    fn read(value: &Value) -> Option<Self> {
        Self::parse(value.as_str()?).ok()
    }
}

impl Field for TeamId {
    fn expected() -> String {
        "a team ID of ten letters or digits, such as \"MOCKTEAM01\"".to_owned()
    }

    fn read(value: &Value) -> Option<Self> {
        Self::parse(value.as_str()?).ok()
    }
}

/// Fields whose values have names.
macro_rules! named_fields {
    ($($name:ident)*) => {
        $(impl Field for $name {
            fn expected() -> String {
                let names: Vec<_> = Self::VALUES.iter().map(|value| format!("{:?}", value.name())).collect();
                format!("one of {}", names.join(", "))
            }

            fn read(value: &Value) -> Option<Self> {
                Self::from_name(value.as_str()?)
            }
        })*
    };
}

named_fields! { Environment NewTokens TokenKind }

/// A device that is offline cannot say so.
impl Field for DeviceState {
    fn expected() -> String {
        format!("one of {:?}, {:?}", Self::Online.name(), Self::PowerSaving.name())
    }

    fn read(value: &Value) -> Option<Self> {
        Self::from_name(value.as_str()?).filter(|state| *state != Self::Offline)
    }
}
