//! C-64: push type, payload, priority and topic go together, or nothing goes out.

use crate::provider::{
    evidence::Evidence,
    item::{Acting, Finding, Play, Stop, ensure},
    protocol::{Outcome, Push},
    stage::Stage,
};

use super::{goes_out, is_refused, send_all};

pub(super) fn plays() -> Vec<Play> {
    vec![
        Play::new("what-goes-together", what_goes_together, all_go_out),
        Play::new("what-does-not", what_does_not, none_goes_out),
    ]
}

/// A push, without the device token.
#[derive(Clone, Copy)]
struct Case {
    what: &'static str,
    push_type: &'static str,
    /// What follows the bundle ID in the topic.
    suffix: &'static str,
    payload: &'static str,
    priority: Option<u8>,
}

/// Each type as it is right: its suffix, and a payload.
const TYPES: [(&str, &str, &str); 11] = [
    ("alert", "", r#"{"aps":{"alert":"Hello"}}"#),
    ("background", "", SILENT),
    ("voip", ".voip", r#"{"aps":{},"caller":"Ada"}"#),
    ("complication", ".complication", r#"{"aps":{},"steps":7}"#),
    ("fileprovider", ".pushkit.fileprovider", r#"{"container-identifier":"root","domain":"main"}"#),
    ("mdm", "", r#"{"mdm":"magic"}"#),
    ("location", ".location-query", r#"{"aps":{}}"#),
    ("liveactivity", ".push-type.liveactivity", ACTIVITY),
    ("pushtotalk", ".voip-ptt", r#"{"aps":{},"activeSpeaker":"Ada"}"#),
    ("widgets", ".push-type.widgets", r#"{"aps":{"content-changed":true}}"#),
    ("controls", ".push-type.controls", r#"{"aps":{"content-changed":true}}"#),
];
const SILENT: &str = r#"{"aps":{"content-available":1}}"#;
const ACTIVITY: &str = r#"{"aps":{"timestamp":1700000000,"event":"update","content-state":{"score":1}}}"#;
/// Every provider has these; one that has no word for another type refuses it.
const COMMON: [&str; 3] = ["alert", "background", "voip"];
/// The priorities that types have beside that of a push that says none.
const PRIORITIES: [(&str, u8); 7] = [
    ("alert", 10),
    ("alert", 5),
    ("background", 5),
    ("voip", 10),
    ("location", 5),
    ("liveactivity", 5),
    ("liveactivity", 10),
];

fn good() -> Vec<Case> {
    let of = |push_type: &str| TYPES.into_iter().find(|it| it.0 == push_type);
    let case = |(push_type, suffix, payload): (&'static str, _, _), priority| Case {
        what: push_type,
        push_type,
        suffix,
        payload,
        priority,
    };
    // A push that says no priority has 10 by Apple's rules, which background pushes must not have.
    let without = TYPES.into_iter().filter(|it| it.0 != "background").map(|it| case(it, None));
    let with =
        PRIORITIES.into_iter().filter_map(|(push_type, priority)| Some(case(of(push_type)?, Some(priority))));
    without.chain(with).collect()
}

fn bad() -> Vec<Case> {
    let background = |what, payload, priority| Case {
        what,
        push_type: "background",
        suffix: "",
        payload,
        priority: Some(priority),
    };
    let alert_at = |what, priority| Case {
        what,
        push_type: "alert",
        suffix: "",
        payload: r#"{"aps":{"alert":"Hello"}}"#,
        priority: Some(priority),
    };
    let mut cases = vec![
        background("background without content-available", r#"{"aps":{}}"#, 5),
        background("background with an alert", r#"{"aps":{"content-available":1,"alert":"Hello"}}"#, 5),
        background("background with a sound", r#"{"aps":{"content-available":1,"sound":"default"}}"#, 5),
        background("background with a badge", r#"{"aps":{"content-available":1,"badge":1}}"#, 5),
        background("background at priority 10", SILENT, 10),
        background("background at priority 1", SILENT, 1),
        Case {
            what: "liveactivity at priority 1",
            push_type: "liveactivity",
            suffix: ".push-type.liveactivity",
            payload: ACTIVITY,
            priority: Some(1),
        },
        alert_at("priority 7", 7),
        alert_at("priority 0", 0),
    ];
    let with_suffix = TYPES.into_iter().filter(|it| !it.1.is_empty());
    cases.extend(with_suffix.map(|(push_type, _, payload)| Case {
        what: push_type,
        push_type,
        suffix: "",
        payload,
        priority: None,
    }));
    cases
}

fn what_goes_together(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let pushes = pushes(stage, &good())?;
        send_all(stage, pushes).await
    })
}

fn what_does_not(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let pushes = pushes(stage, &bad())?;
        send_all(stage, pushes).await
    })
}

fn pushes(stage: &Stage, cases: &[Case]) -> Result<Vec<Push>, Stop> {
    let tokens = stage.device_tokens(cases.len())?;
    let push = |(token, case): (&String, &Case)| {
        let push = stage.push_to(token);
        let app = if case.push_type == "mdm" { MDM_TOPIC } else { push.topic.as_str() };
        Push {
            push_type: case.push_type,
            topic: format!("{app}{}", case.suffix),
            payload: case.payload.to_owned(),
            priority: case.priority,
            ..push
        }
    };
    Ok(tokens.iter().zip(cases).map(push).collect())
}

fn all_go_out(evidence: &Evidence) -> Result<(), Finding> {
    for ((id, attempts), case) in evidence.attempts().iter().zip(good()) {
        let is_invalid = evidence.result(*id).is_some_and(|report| report.outcome == Outcome::Invalid);
        if is_invalid && attempts.is_empty() && !COMMON.contains(&case.push_type) {
            continue;
        }
        let priority = case.priority.map(|priority| priority.to_string());
        let at = priority.as_ref().map(|priority| format!(" at priority {priority}")).unwrap_or_default();
        let what = format!("{}{at}", case.what);
        let request = goes_out(evidence, *id, attempts, &what)?;
        let push_type = request.field("apns-push-type");
        let told = request.field("apns-priority").unwrap_or(DEFAULT_PRIORITY);
        let is_right = push_type == Some(case.push_type) && priority.as_ref().is_none_or(|it| it == told);
        ensure(is_right, format!("{what}: with these fields"), || {
            format!("apns-push-type {}, apns-priority {told}", push_type.unwrap_or("none"))
        })
        .map_err(|finding| finding.at(request.connection, request.at))?;
    }
    Ok(())
}

fn none_goes_out(evidence: &Evidence) -> Result<(), Finding> {
    for ((id, attempts), case) in evidence.attempts().iter().zip(bad()) {
        let is_suffix = case.what == case.push_type;
        let what = if is_suffix {
            format!("{} without the suffix of its topic", case.what)
        } else {
            case.what.to_owned()
        };
        is_refused(evidence, *id, attempts, &[Outcome::Invalid], &what)?;
    }
    Ok(())
}

/// What a push that says none has.
const DEFAULT_PRIORITY: &str = "10";
/// The UID of an MDM certificate's subject.
const MDM_TOPIC: &str = "com.apple.mgmt.External.b1a6ff90-0b1c-4f7e-9a53-3f6f5d1e2c44";

#[cfg(test)]
mod tests {
    use apns_spec::Spec;

    use super::*;

    #[test]
    fn types_suffixes_and_priorities_are_those_of_the_table() {
        let spec = Spec::load().unwrap();
        let rows: Vec<(&str, &str)> =
            spec.push_types().iter().map(|row| (row.push_type.as_str(), row.topic_suffix.as_str())).collect();
        assert_eq!(TYPES.map(|it| (it.0, it.1)).to_vec(), rows);
        for (push_type, priority) in PRIORITIES {
            let row = spec.push_types().iter().find(|row| row.push_type == push_type).unwrap();
            assert!(row.priorities.contains(&priority), "{push_type} {priority}");
        }
    }
}
