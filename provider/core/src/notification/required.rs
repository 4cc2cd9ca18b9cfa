//! What a payload written elsewhere has to hold besides what alerts and background pushes do: one table. The
//! typed builders have no need of it, since they write these keys themselves.

use serde_json::{Map, Value};

use super::{InvalidNotification, rules};
use crate::payload::{APS, SET};
use crate::push_type::PushType;

/// Whether every key that the device cannot do without is there, and every key in the table is of its kind.
pub(super) fn check(push_type: PushType, payload: &Map<String, Value>) -> Result<(), InvalidNotification> {
    let event = find(payload, "aps.event").and_then(Value::as_str);
    for row in TABLE.iter().filter(|row| row.push_type == push_type) {
        match find(payload, row.key) {
            Some(value) => row.kind.check(row, value)?,
            None if row.need.applies(event) => {
                return Err(InvalidNotification::MissingKey { push_type, key: row.key });
            }
            None => {}
        }
    }
    Ok(())
}

fn find<'a>(payload: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    match key.split_once('.') {
        Some((APS, key)) => payload.get(APS)?.get(key),
        _ => payload.get(key),
    }
}

struct Row {
    push_type: PushType,
    /// Where it stands: `aps.key`, or `key` beside it.
    key: &'static str,
    kind: Kind,
    need: Need,
}

/// Without a key the device does nothing with the push: when?
#[derive(Clone, Copy)]
enum Need {
    Always,
    /// When `aps.event` is one of these.
    ForEvents(&'static [&'static str]),
    Never,
}

impl Need {
    fn applies(self, event: Option<&str>) -> bool {
        match self {
            Self::Always => true,
            Self::ForEvents(events) => event.is_some_and(|event| events.contains(&event)),
            Self::Never => false,
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Date,
    Event,
    Number,
    Object,
    One,
    Text,
    True,
}

impl Kind {
    fn check(self, row: &Row, value: &Value) -> Result<(), InvalidNotification> {
        let key = row.key;
        let (fits, expected) = match self {
            Self::Date => match value.as_u64() {
                Some(secs) => return rules::date_is_in_seconds(key, secs),
                None => (false, "a whole number of seconds since 1970"),
            },
            Self::Event => (value.as_str().is_some_and(|it| EVENTS.contains(&it)), "start, update or end"),
            Self::Number => (value.is_number(), "a number"),
            Self::Object => (value.is_object(), "an object"),
            Self::One => (value.as_u64() == Some(u64::from(SET)), "1"),
            Self::Text => (value.as_str().is_some_and(|text| !text.is_empty()), "a text that is not empty"),
            Self::True => (*value == Value::Bool(true), "true"),
        };
        if fits {
            return Ok(());
        }
        Err(InvalidNotification::WrongValue { push_type: row.push_type, key, expected })
    }
}

const EVENTS: &[&str] = &["start", "update", "end"];
const START: &[&str] = &["start"];
const START_UPDATE: &[&str] = &["start", "update"];

const fn row(push_type: PushType, key: &'static str, kind: Kind, need: Need) -> Row {
    Row { push_type, key, kind, need }
}

/// Sources: Apple, WidgetKit on widgets and controls that are updated by pushes; "Using push notifications to
/// signal changes"; "Starting and updating Live Activities with ActivityKit push notifications"; "Mobile Device
/// Management Protocol Reference".
static TABLE: [Row; 16] = [
    row(PushType::Controls, "aps.content-changed", Kind::True, Need::Always),
    row(PushType::FileProvider, "container-identifier", Kind::Text, Need::Always),
    row(PushType::FileProvider, "domain", Kind::Text, Need::Never),
    row(PushType::LiveActivity, "aps.event", Kind::Event, Need::Always),
    row(PushType::LiveActivity, "aps.timestamp", Kind::Date, Need::Always),
    row(PushType::LiveActivity, "aps.content-state", Kind::Object, Need::ForEvents(START_UPDATE)),
    row(PushType::LiveActivity, "aps.alert", Kind::Object, Need::ForEvents(START)),
    row(PushType::LiveActivity, "aps.attributes-type", Kind::Text, Need::ForEvents(START)),
    row(PushType::LiveActivity, "aps.attributes", Kind::Object, Need::ForEvents(START)),
    row(PushType::LiveActivity, "aps.input-push-token", Kind::One, Need::Never),
    row(PushType::LiveActivity, "aps.input-push-channel", Kind::Text, Need::Never),
    row(PushType::LiveActivity, "aps.stale-date", Kind::Date, Need::Never),
    row(PushType::LiveActivity, "aps.dismissal-date", Kind::Date, Need::Never),
    row(PushType::LiveActivity, "aps.relevance-score", Kind::Number, Need::Never),
    row(PushType::Mdm, "mdm", Kind::Text, Need::Always),
    row(PushType::Widgets, "aps.content-changed", Kind::True, Need::Always),
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(push_type: PushType, payload: &Value) -> Result<(), InvalidNotification> {
        super::check(push_type, payload.as_object().unwrap())
    }

    /// A payload of each type and event that has rows in the table, with every key of them.
    fn whole() -> Vec<(PushType, Value)> {
        let (timestamp, state) = (1_700_000_000, json!({ "score": 1 }));
        vec![
            (PushType::Controls, json!({ "aps": { "content-changed": true } })),
            (PushType::Widgets, json!({ "aps": { "content-changed": true } })),
            (PushType::FileProvider, json!({ "container-identifier": "root", "domain": "work" })),
            (PushType::Mdm, json!({ "mdm": "magic" })),
            (
                PushType::LiveActivity,
                json!({ "aps": {
                    "event": "start", "timestamp": timestamp, "content-state": state, "alert": {},
                    "attributes-type": "Match", "attributes": {}, "stale-date": 1, "relevance-score": 7.5,
                    "input-push-token": 1,
                } }),
            ),
            (
                PushType::LiveActivity,
                json!({ "aps": { "event": "update", "timestamp": timestamp, "content-state": state } }),
            ),
            (
                PushType::LiveActivity,
                json!({ "aps": { "event": "end", "timestamp": timestamp, "dismissal-date": 0 } }),
            ),
        ]
    }

    #[test]
    fn a_whole_payload_passes() {
        for (push_type, payload) in whole() {
            assert_eq!(check(push_type, &payload), Ok(()), "{push_type}: {payload}");
        }
    }

    #[test]
    fn every_needed_key_is_missed_and_no_other() {
        let needed: [&[&str]; 7] = [
            &["aps.content-changed"],
            &["aps.content-changed"],
            &["container-identifier"],
            &["mdm"],
            &[
                "aps.event",
                "aps.timestamp",
                "aps.content-state",
                "aps.alert",
                "aps.attributes-type",
                "aps.attributes",
            ],
            &["aps.event", "aps.timestamp", "aps.content-state"],
            &["aps.event", "aps.timestamp"],
        ];
        for ((push_type, payload), needed) in whole().into_iter().zip(needed) {
            let is_missed = |row: &&Row| {
                let mut without = payload.clone();
                remove(&mut without, row.key);
                let error = InvalidNotification::MissingKey { push_type, key: row.key };
                check(push_type, &without) == Err(error)
            };
            let rows = TABLE.iter().filter(|row| row.push_type == push_type);
            let missed: Vec<&str> = rows.filter(is_missed).map(|row| row.key).collect();
            assert_eq!(missed, needed, "{push_type}: {payload}");
        }
    }

    #[test]
    fn every_key_has_its_kind() {
        for (push_type, payload) in whole() {
            for row in TABLE.iter().filter(|row| row.push_type == push_type) {
                // No key may be a list.
                let mut other = payload.clone();
                set(&mut other, row.key, json!([]));
                let refused = check(push_type, &other);
                let Err(InvalidNotification::WrongValue { key, .. }) = refused else { panic!("{refused:?}") };
                assert_eq!(key, row.key);
            }
        }
    }

    #[test]
    fn values_that_are_nearly_right_are_refused() {
        let update = |key: &str, value: Value| {
            let mut payload = whole().swap_remove(5).1;
            set(&mut payload, key, value);
            check(PushType::LiveActivity, &payload)
        };
        for date in [json!(1_700_000_000.5), json!("1700000000"), json!(-1)] {
            let refused = update("aps.timestamp", date);
            assert!(matches!(refused, Err(InvalidNotification::WrongValue { .. })), "{refused:?}");
        }
        let secs = 1_700_000_000_000_u64;
        let refused = Err(InvalidNotification::DateTooFar { key: "aps.stale-date", secs });
        assert_eq!(update("aps.stale-date", json!(secs)), refused);
        assert!(update("aps.event", json!("Update")).is_err());
        assert!(check(PushType::Widgets, &json!({ "aps": { "content-changed": 1 } })).is_err());
        assert!(check(PushType::Mdm, &json!({ "mdm": "" })).is_err());
    }

    fn remove(payload: &mut Value, key: &str) {
        match key.split_once('.') {
            Some((outer, key)) => payload[outer].as_object_mut().unwrap().remove(key),
            None => payload.as_object_mut().unwrap().remove(key),
        };
    }

    fn set(payload: &mut Value, key: &str, value: Value) {
        match key.split_once('.') {
            Some((outer, key)) => payload[outer][key] = value,
            None => payload[key] = value,
        }
    }
}
