//! C-66: payloads are what Apple reads, and arrive as they were.

use serde_json::Value;

use crate::provider::{
    evidence::Evidence,
    item::{Acting, Finding, Play, Stop},
    protocol::{Outcome, Push},
    stage::Stage,
};

use super::{goes_out, is_refused, send_all};

pub(super) fn plays() -> Vec<Play> {
    vec![
        Play::new("payloads", payloads, each_arrives_as_it_was),
        Play::new("no-payloads", no_payloads, none_goes_out),
        Play::new("no-live-activities", no_live_activities, none_is_sent),
    ]
}

/// With keys that nobody knows, and characters of one to four bytes.
const GOOD: [&str; 2] = [
    r#"{"aps":{"alert":"Grüße \"€\" 🍵","sound":"default"},"zeta":{"new-in-2027":[1,2.5,null,true]},"alpha":""}"#,
    "{ \"zeta\" : 1.50,\n\t\"aps\" : { \"alert\" : \"a  b\" }\n}",
];

const BAD: [(&str, &str); 6] = [
    ("a payload with a byte order mark", "\u{feff}{\"aps\":{\"alert\":\"Hello\"}}"),
    ("a payload that is an array", "[]"),
    ("a payload whose aps is an array", r#"{"aps":[]}"#),
    ("a payload whose aps is a text", r#"{"aps":"Hello"}"#),
    ("a payload that is cut short", r#"{"aps":{"alert":"Hello"}"#),
    ("an empty payload", ""),
];

/// Without what a device needs to show it, or with a date that is none.
const BAD_ACTIVITIES: [(&str, &str); 5] = [
    ("a Live Activity without timestamp", r#"{"aps":{"event":"update","content-state":{"score":1}}}"#),
    ("a Live Activity without event", r#"{"aps":{"timestamp":1700000000,"content-state":{"score":1}}}"#),
    (
        "a Live Activity's update without content-state",
        r#"{"aps":{"timestamp":1700000000,"event":"update"}}"#,
    ),
    (
        "a Live Activity with half a second in its timestamp",
        r#"{"aps":{"timestamp":1700000000.5,"event":"update","content-state":{"score":1}}}"#,
    ),
    (
        "a Live Activity with a text for a date",
        r#"{"aps":{"timestamp":1700000000,"event":"update","content-state":{"score":1},"stale-date":"2030-01-01"}}"#,
    ),
];

fn payloads(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let pushes = alerts(stage, &GOOD)?;
        send_all(stage, pushes).await
    })
}

fn no_payloads(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let pushes = alerts(stage, &BAD.map(|(_, payload)| payload))?;
        send_all(stage, pushes).await
    })
}

fn no_live_activities(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let activity = |push: Push| Push {
            push_type: "liveactivity",
            topic: format!("{}.push-type.liveactivity", push.topic),
            ..push
        };
        let pushes = alerts(stage, &BAD_ACTIVITIES.map(|(_, payload)| payload))?;
        send_all(stage, pushes.into_iter().map(activity).collect()).await
    })
}

fn alerts(stage: &Stage, payloads: &[&str]) -> Result<Vec<Push>, Stop> {
    let tokens = stage.device_tokens(payloads.len())?;
    let push =
        |(token, payload): (&String, &&str)| Push { payload: (*payload).to_owned(), ..stage.push_to(token) };
    Ok(tokens.iter().zip(payloads).map(push).collect())
}

fn each_arrives_as_it_was(evidence: &Evidence) -> Result<(), Finding> {
    for ((id, attempts), payload) in evidence.attempts().iter().zip(GOOD) {
        let request = goes_out(evidence, *id, attempts, &format!("push {id}, with keys that nobody knows"))?;
        is_as_it_was(payload, &request.body).map_err(|why| {
            let expected = format!("the payload of push {id} to the byte, or written anew without spaces");
            Finding::wrong(expected, why).at(request.connection, request.at)
        })?;
    }
    Ok(())
}

/// A library without payloads of one's own writes each anew: then it is compact, and says the same.
fn is_as_it_was(told: &str, came: &[u8]) -> Result<(), String> {
    if came == told.as_bytes() {
        return Ok(());
    }
    let text = str::from_utf8(came).map_err(|error| error.to_string())?;
    let value: Value = serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))?;
    let is_same = serde_json::from_str::<Value>(told).is_ok_and(|told| told == value);
    if !is_same {
        return Err(format!("another payload: {text}"));
    }
    if !is_compact(text) {
        return Err(format!("written anew, with spaces: {text}"));
    }
    Ok(())
}

/// Whether there is nothing between the tokens of a JSON text.
fn is_compact(text: &str) -> bool {
    let (mut is_inside, mut is_escaped) = (false, false);
    for character in text.chars() {
        if is_inside {
            is_inside = is_escaped || character != '"';
            is_escaped = !is_escaped && character == '\\';
        } else if character.is_ascii_whitespace() {
            return false;
        } else {
            is_inside = character == '"';
        }
    }
    true
}

fn none_goes_out(evidence: &Evidence) -> Result<(), Finding> {
    are_refused(evidence, &BAD)
}

fn none_is_sent(evidence: &Evidence) -> Result<(), Finding> {
    are_refused(evidence, &BAD_ACTIVITIES)
}

fn are_refused(evidence: &Evidence, cases: &[(&str, &str)]) -> Result<(), Finding> {
    for ((id, attempts), (what, _)) in evidence.attempts().iter().zip(cases) {
        is_refused(evidence, *id, attempts, &[Outcome::Invalid], what)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_or_the_same_without_spaces_are_right() {
        assert_eq!(is_as_it_was(GOOD[1], GOOD[1].as_bytes()), Ok(()));
        assert_eq!(is_as_it_was(GOOD[1], br#"{"aps":{"alert":"a  b"},"zeta":1.5}"#), Ok(()));
        assert_eq!(is_as_it_was(r#"{"a":"\" "}"#, br#"{"a":"\u0022 "}"#), Ok(()));
    }

    #[test]
    fn spaces_of_ones_own_and_other_payloads_are_wrong() {
        for came in [
            br#"{"aps": {"alert": "a  b"}, "zeta": 1.5}"#.as_slice(),
            br#"{"aps":{"alert":"a b"},"zeta":1.5}"#,
            br#"{"aps":{"alert":"a  b"}}"#,
            "\u{feff}{}".as_bytes(),
            b"\xff",
        ] {
            assert!(is_as_it_was(GOOD[1], came).is_err(), "{}", String::from_utf8_lossy(came));
        }
    }
}
