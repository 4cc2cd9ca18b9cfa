//! Every push type with its priorities, its topic and those of all others, and its longest payload.

use std::collections::BTreeSet;

use apns_spec::{PushTypeRow, Spec};

use crate::{Case, Request, request::payload_of};

const TAG: &str = "push-types";
/// A priority that may be written down, or left out.
const PRIORITIES: [Option<u8>; 4] = [Some(10), Some(5), Some(1), None];

pub(super) fn cases(spec: &Spec) -> Vec<Case> {
    let suffixes: BTreeSet<&str> = spec.push_types().iter().map(|row| row.topic_suffix.as_str()).collect();
    let of_row = |row| {
        let of_priorities = PRIORITIES.iter().map(move |priority| of_priority(row, *priority));
        let of_topics = suffixes.iter().filter(move |suffix| **suffix != row.topic_suffix);
        let of_topics = of_topics.map(move |suffix| on_the_topic_of_another(row, suffix));
        of_priorities.chain(of_topics).chain(of_sizes(row))
    };
    spec.push_types().iter().flat_map(of_row).collect()
}

/// A good push of this type.
pub(super) fn good(row: &PushTypeRow) -> Request {
    Request::good()
        .to(&row.push_type)
        .with("apns-push-type", &row.push_type)
        .with("apns-topic", &format!("{{topic}}{}", row.topic_suffix))
}

/// A priority that the pages call an error is accepted on the wire, as far as anyone has shown.
fn of_priority(row: &PushTypeRow, priority: Option<u8>) -> Case {
    let push_type = &row.push_type;
    let (request, name) = match priority {
        Some(number) => (good(row).with("apns-priority", &number.to_string()), number.to_string()),
        None => (good(row), "none".to_owned()),
    };
    let case = Case::new(
        TAG,
        format!("{}-priority-{name}", row.id),
        format!("a push of type {push_type} with priority {name} is accepted"),
    );
    let case = case.rests_on(&[&row.id, "header-priority", "rule-token-many-topics"]).accepted(request);
    if priority.is_some() && priority == row.refused_priority {
        return case.tagged("unsure").rests_on(&["check-priority-fits-push-type"]);
    }
    case
}

fn on_the_topic_of_another(row: &PushTypeRow, suffix: &str) -> Case {
    let name = if suffix.is_empty() { "app".to_owned() } else { super::slug(suffix) };
    let request = good(row).with("apns-topic", &format!("{{topic}}{suffix}"));
    let title =
        format!("a push of type {} on a topic with the suffix {suffix:?} is InvalidPushType", row.push_type);
    Case::new(TAG, format!("{}-on-topic-{name}", row.id), title)
        .rests_on(&[&row.id, "reason-invalid-push-type", "check-push-type-fits-topic"])
        .refused(request, 400, "InvalidPushType")
}

fn of_sizes(row: &PushTypeRow) -> [Case; 2] {
    let (most, limit) = (row.body_bytes_max, limit_row(row));
    let new = |what: &str, title| Case::new(TAG, format!("{}-payload-{what}", row.id), title);
    let full = new("at-limit", format!("a push of type {} with {most} bytes is accepted", row.push_type))
        .rests_on(&[&row.id, limit])
        .accepted(good(row).body(payload_of(most)));
    let over = most + 1;
    let too_large =
        new("over-limit", format!("a push of type {} with {over} bytes is too large", row.push_type))
            .rests_on(&[&row.id, limit, "reason-payload-too-large", "check-payload-is-not-too-large"])
            .refused(good(row).body(payload_of(over)), 413, "PayloadTooLarge");
    [full, too_large]
}

fn limit_row(row: &PushTypeRow) -> &'static str {
    if row.push_type == "voip" { "limit-voip-payload" } else { "limit-payload" }
}
