//! What the core says, as JSON: the same text to whoever asks, a test in Rust or one at the control API.

use serde::Serialize;
use serde_json::value::RawValue;

/// A value of the core in one line, for an answer of which it is a part.
pub(crate) fn raw(value: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(value)
        .expect("what the core writes has string keys and no values that fail")
}

/// A value of the core in one line.
pub(crate) fn line(value: &impl Serialize) -> String {
    Box::<str>::from(raw(value)).into()
}
