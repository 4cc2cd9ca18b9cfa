//! What is said of a text that is no filter.

use crate::{FILTER_BYTES_MAX, FILTER_TERMS_MAX, Filter};

/// What is said of a text that is no filter, with the byte in front.
#[track_caller]
fn refused(filter: &str, position: usize, says: &str) {
    let error = Filter::parse(filter).unwrap_err();
    assert_eq!(error.position, position, "{filter}: {error}");
    let message = error.to_string();
    assert!(message.starts_with(&format!("the filter at byte {position}: ")), "{message}");
    assert!(message.contains(says), "{filter}: {message}");
}

#[test]
fn an_unknown_key_is_named_with_the_one_that_may_be_meant_and_all_others() {
    refused(
        "type:alert tokn:00*",
        11,
        "there is no key \"tokn\"; did you mean token? The keys are token, topic, ",
    );
    refused("colour:red", 0, "there is no key \"colour\". The keys are token, topic, ");
    refused("https://example.com", 0, "text with a colon goes in quotes");
    refused(":alert", 0, "there is no key \"\"");
}

#[test]
fn an_unknown_value_is_named_with_its_key_and_what_there_is() {
    refused(
        "type:alrt",
        5,
        "type has no value \"alrt\"; did you mean alert? It takes one of none, alert, background, ",
    );
    refused("type:alert,Voip", 11, "\"Voip\"; did you mean voip?");
    refused("-reason:unregistered", 8, "did you mean Unregistered? It takes one of none, BadCollapseId, ");
    refused(
        "status:\"Deliverd to Device\"",
        7,
        "did you mean \"Delivered to Device\"? It takes one of 200, 400, 403, ",
    );
    refused("status:418", 7, "503, \"Received by APNs\", ");
    refused(
        "event:push",
        6,
        "one of notification, refused, goaway, throttled, fault, device, clock, scenario, reset",
    );
    refused("environment:prod", 12, "one of sandbox, production");
    refused("kind:alert", 5, "one of app, voip, ");
    refused("priority:7", 9, "priority has no value \"7\". It takes one of none, 10, 5, 1");
    refused("token:phone", 6, "a device token in hexadecimal");
    refused("topic:a..b", 6, "a topic, such as com.example.app");
    refused("app:\"my app\"", 4, "a bundle ID, such as com.example.app");
    refused(&format!("device:{}", "d".repeat(65)), 7, "the name of a device");
    refused(&format!("collapse:{}", "c".repeat(65)), 9, "at most 64 bytes");
    refused("id:42", 3, "a UUID, such as ");
    refused(
        "after:yesterday",
        6,
        "after has no value \"yesterday\". It takes a cursor: a whole number from 0",
    );
    refused("before:+1", 7, "a cursor");
    refused("after:18446744073709551616", 6, "a cursor");
    refused("since:2023-11-14", 6, "milliseconds since 1970");
    refused("until:1.5", 6, "milliseconds since 1970");
    refused("text:\"\"", 5, "at least one character");
}

#[test]
fn a_mistake_in_the_grammar_is_named_where_it_is_with_what_to_do() {
    refused("hello topic:", 12, "a value for topic is missing; white space ends a term. It takes a topic");
    refused("status:200,,410", 11, "a value for status is missing");
    refused("status:200, 410", 11, "a value for status is missing");
    refused(",hello", 0, "a value for text is missing");
    for (filter, position) in [("-", 1), ("a - b", 3), ("--type:alert", 1)] {
        refused(filter, position, "a '-' stands right before the term");
    }
    refused("type:alert text:\"hello", 16, "never closed");
    refused("\"hello\\", 0, "never closed");
    refused("\"a\\nb\"", 2, "there is no \\n");
    refused("ab\"c\"", 2, "'\"' cannot stand here");
    refused("\"ab\"c", 4, "'c' cannot stand here");
    refused("a\\b", 1, "'\\\\' cannot stand here");
    refused("text:\\b", 5, "'\\\\' cannot stand here");
}

#[test]
fn a_filter_has_limits() {
    let longest = "a".repeat(FILTER_BYTES_MAX);
    assert!(Filter::parse(&longest).is_ok());
    refused(&format!("{longest}a"), FILTER_BYTES_MAX, "4097 bytes long, and may be 4096");
    refused(&"é".repeat(FILTER_BYTES_MAX), FILTER_BYTES_MAX, "8192 bytes");
    refused(&format!("a{}", "é".repeat(FILTER_BYTES_MAX)), FILTER_BYTES_MAX - 1, "8193 bytes");
    let most = "a ".repeat(FILTER_TERMS_MAX);
    assert!(Filter::parse(&most).is_ok());
    refused(&format!("{most}b"), most.len(), "it may have 64 terms");
}

#[test]
fn what_is_quoted_in_an_error_is_short() {
    for filter in [format!("{}:a", "é".repeat(1000)), format!("id:{}", "é".repeat(1000))] {
        assert!(Filter::parse(&filter).unwrap_err().to_string().contains(&format!("{}…\"", "é".repeat(120))));
    }
}
