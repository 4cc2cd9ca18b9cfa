//! The JSON that a push carries: Apple's `aps` dictionary and the app's own keys beside it.
//!
//! Keys are those of Apple's "Generating a remote notification". A payload is written once, compactly, with
//! its keys in one order, so that equal notifications are equal bytes; and it is shared by every recipient.

mod alert;
mod aps;
mod custom;
mod live_activity_alert;
mod object;
mod raw;
mod sound;

use bytes::Bytes;
use serde::Serialize;

pub use alert::{Alert, AlertText};
pub use aps::InterruptionLevel;
pub(crate) use aps::{APS, Aps, SET};
pub(crate) use custom::CustomKeys;
pub use live_activity_alert::{LiveActivityAlert, LocalizableText};
pub(crate) use object::Object;
pub(crate) use raw::RawPayload;
pub use sound::Sound;

/// Writes the payload: the message's keys, then the app's in alphabetical order.
pub(crate) fn to_json(message: &impl Serialize, custom: &CustomKeys) -> Bytes {
    let payload = Payload { message, custom };
    let json = serde_json::to_vec(&payload).expect("texts, numbers and JSON values always have a JSON form");
    Bytes::from(json)
}

/// What the rules ask of a payload, whether it was built here or handed over.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Shape {
    /// The first of `alert`, `badge` and `sound` that is there: what speaks to the user.
    pub(crate) user_key: Option<&'static str>,
    /// Whether `content-available` is 1.
    pub(crate) content_available: bool,
}

#[derive(Serialize)]
struct Payload<'a, M> {
    #[serde(flatten)]
    message: &'a M,
    #[serde(flatten)]
    custom: &'a CustomKeys,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[derive(Serialize)]
    struct Message {
        aps: Aps,
    }

    proptest! {
        #[test]
        fn any_texts_come_back_out_of_the_json(
            title in ".*", arg: String, category: String, key in ".*", value: String
        ) {
            prop_assume!(key != "aps");
            let mut custom = CustomKeys::default();
            custom.insert(key.clone(), &value);
            let alert = Alert::new().title(title.as_str()).loc("KEY", [arg.as_str()]);
            let aps = Aps { alert: Some(alert), category: Some(category.clone()), ..Aps::default() };
            let json: Value = serde_json::from_slice(&to_json(&Message { aps }, &custom)).unwrap();
            prop_assert_eq!(&json["aps"]["alert"]["title"], &title);
            prop_assert_eq!(&json["aps"]["alert"]["loc-args"][0], &arg);
            prop_assert_eq!(&json["aps"]["category"], &category);
            prop_assert_eq!(&json[key.as_str()], &value);
        }
    }

    #[test]
    fn the_bytes_are_compact_and_their_order_is_fixed() {
        let mut custom = CustomKeys::default();
        custom.insert("zebra".into(), 1);
        custom.insert("ant".into(), "é");
        let aps = Aps { badge: Some(3), alert: Some(Alert::from("Hi")), ..Aps::default() };
        let json = to_json(&Message { aps }, &custom);
        assert_eq!(json, r#"{"aps":{"alert":{"body":"Hi"},"badge":3},"ant":"é","zebra":1}"#.as_bytes());
    }
}
