//! What is said of an entry that a filter does not find.

use serde_json::json;

use super::{ID, bench};
use crate::{Difference, Filter, bench::TOKEN};

/// The first entry that one filter finds, and what another asks for and it has not.
fn differences(of: &str, filter: &str) -> Vec<Difference> {
    let (of, filter) = (Filter::parse(of).unwrap(), Filter::parse(filter).unwrap());
    let mut bench = bench();
    let team = bench.team_at();
    filter.differences(&team.team().journal(0).find(|record| of.matches(record)).unwrap())
}

#[test]
fn a_near_miss_is_told_with_what_was_asked_and_what_there_is() {
    let first = &format!("id:{ID} status:200");
    for (of, filter, told) in [
        (first.as_str(), "type:background topic:com.example.app", "type: asked background, has alert"),
        (first, "type:background,voip", "type: asked background or voip, has alert"),
        (first, "-type:alert", "type: asked not alert, has alert"),
        (first, "collapse:\"score: 4,2\"", "collapse: asked \"score: 4,2\", has nothing of the kind"),
        (
            first,
            "status:\"Delivered to Device\"",
            "status: asked \"Delivered to Device\", has Received by APNs",
        ),
        (first, "reason:BadTopic", "reason: asked BadTopic, has none"),
        (first, "priority:10", "priority: asked 10, has none"),
        (first, "helo", "text: asked helo, has {\"aps\":{\"alert\":\"Hello\"}}"),
        (first, "token:80ff", &format!("token: asked 80ff, has {TOKEN}")),
        (first, "kind:voip", "kind: asked voip, has app"),
        (first, "device:tablet", "device: asked tablet, has phone"),
        (first, "app:com.example.second", "app: asked com.example.second, has com.example.app"),
        (first, "environment:production", "environment: asked production, has sandbox"),
        (first, "since:1800000000000", "since: asked 1800000000000, has 1700000000000"),
        (first, "event:refused", "event: asked refused, has notification"),
        ("type:voip", "topic:com.example.app", "topic: asked com.example.app, has com.example.app.voip"),
        ("type:none", "collapse:score", "collapse: asked score, has \"score: 4,2\""),
        ("event:refused", "reason:BadTopic", "reason: asked BadTopic, has DeviceTokenNotForTopic"),
        ("event:refused", "status:200", "status: asked 200, has 400"),
        ("event:refused", "topic:com.example.app", "topic: asked com.example.app, has com.example.second"),
        ("event:refused", "device:phone", "device: asked phone, has nothing of the kind"),
        ("event:device", "after:7", "after: asked 7, has 0"),
    ] {
        let differences = differences(of, filter);
        assert_eq!(differences.len(), 1, "{of} / {filter}: {differences:?}");
        assert_eq!(differences[0].to_string(), told);
    }
    let ids = differences(first, "id:00000000-0000-0000-0000-000000000000");
    assert!(ids[0].has.as_ref().unwrap().starts_with(&format!("{ID} and ")), "{ids:?}");
}

#[test]
fn differences_are_in_the_filters_order_and_can_be_written_as_json() {
    let differences = differences("type:alert status:200", "type:mdm status:200 -hello");
    assert_eq!(
        serde_json::to_value(differences).unwrap(),
        json!([
            { "key": "type", "negated": false, "asked": "mdm", "has": "alert" },
            { "key": "text", "negated": true, "asked": "hello", "has": "{\"aps\":{\"alert\":\"Hello\"}}" },
        ])
    );
}
