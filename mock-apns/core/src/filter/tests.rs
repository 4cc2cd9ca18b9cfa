//! What users would notice: which entries a filter finds, what it says of those it does not find, and that what is
//! written out reads back.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    App, DeviceState, Environment, Event, TokenKind,
    bench::{Bench, HOUR, NOW, PHONE, TOKEN, VOIP_TOKEN, bundle_id, device},
    rendering::Strings,
};

const ID: &str = "123e4567-e89b-12d3-a456-42665544000f";

/// A team to which something of every kind has happened: four pushes are accepted and delivered, one is refused.
fn bench() -> Bench {
    let mut bench = Bench::new();
    bench.answer(&bench.push().with("apns-id", ID));
    let background = bench.push().with("apns-push-type", "background").with("apns-priority", "5");
    bench.answer(&background.with_body(r#"{"aps":{"content-available":1},"was":"\u00c4nderung \"bald\""}"#));
    bench.answer(&bench.push().with("apns-topic", "com.example.second"));
    bench.now = NOW.saturating_add(Duration::from_mins(1));
    let plain = bench.push().without("apns-push-type").with("apns-collapse-id", "score: 4,2");
    bench.answer(&plain.with_body(r#"{"aps":{"alert":{"loc-key":"GREETING"}}}"#));
    let call = bench.push().with(":path", &format!("/3/device/{VOIP_TOKEN}")).with("apns-push-type", "voip");
    bench.answer(&call.with("apns-topic", "com.example.app.voip").with_body("{}"));
    bench.team_at().set_device_state(&device(PHONE), DeviceState::Offline).unwrap();
    bench.team_at().advance_clock(HOUR);
    bench
}

/// What is told of the entries that a filter finds: `1+` when the first push was received, `1!` when it was delivered.
fn found(bench: &mut Bench, filter: &str) -> String {
    let filter = Filter::parse(filter).unwrap_or_else(|error| panic!("{filter}: {error}"));
    let team = bench.team_at();
    let found = team.team().journal(0).filter(|record| {
        assert_eq!(filter.matches(record), filter.differences(record).is_empty(), "{filter}");
        filter.matches(record)
    });
    let told = found.map(|record| match record.event {
        Event::Notification { notification, status, .. } => {
            let mark = if status == crate::Status::Received { '+' } else { '!' };
            format!("{}{mark}", notification.number)
        }
        Event::Refused(_) => "refused".to_owned(),
        Event::GoAway { .. } => "goaway".to_owned(),
        Event::Device { .. } => "device".to_owned(),
        Event::Clock(_) => "clock".to_owned(),
        Event::Reset => "reset".to_owned(),
    });
    told.collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn finds(cases: &[(&str, &str)]) {
    let mut bench = bench();
    for (filter, expected) in cases {
        assert_eq!(found(&mut bench, filter), *expected, "{filter}");
    }
}

const ALL_PUSHES: &str = "1+ 1! 2+ 2! 3+ 3! 4+ 4!";
const OF_ALERTS: &str = "1+ 1! 2+ 2! 3+ 3!";
const SET_UP: &str = "device device device device"; // added, installed, registered twice

#[test]
fn a_push_is_found_by_where_it_went() {
    let (start, registered) = (&TOKEN[..5].to_uppercase(), "device 1+ 1! 2+ 2! refused 3+ 3!");
    finds(&[
        (&format!("token:{TOKEN}"), registered),
        (&format!("token:{start}*"), registered),
        ("token:80ff event:notification", "4+ 4!"),
        ("token:80f* -event:device", "4+ 4!"),
        ("topic:com.example.app", OF_ALERTS),
        ("topic:com.example.app.voip", "4+ 4!"),
        ("topic:com.example.second", "refused"),
        ("app:com.example.app -event:device", ALL_PUSHES),
        ("app:com.example.app event:device", "device device device"),
        ("app:com.example.second", ""),
        ("device:phone -event:device", ALL_PUSHES),
        ("device:\"Ann's \\\"phone\\\"\"", ""),
        ("environment:sandbox -event:device", ALL_PUSHES),
        ("environment:production", ""),
        ("kind:voip", "device 4+ 4!"),
        ("kind:app event:notification", OF_ALERTS),
        ("kind:live-activity", ""),
    ]);
}

#[test]
fn what_happens_to_an_app_on_a_device_is_found_by_app_environment_kind_and_token() {
    let mut bench = Bench::new();
    let (app, phone, sandbox) = (bundle_id("com.example.app"), device(PHONE), Environment::Sandbox);
    let after = bench.team_at().team().next_cursor() - 1;
    let mut team = bench.team_at();
    let (_, token) = team.start_activity(&phone, &app, sandbox).unwrap();
    team.end_activity(&phone, &app, sandbox, 1).unwrap();
    team.unregister(&phone, &app, sandbox, TokenKind::Voip).unwrap();
    team.set_permission(&phone, &app, sandbox, false).unwrap();
    team.uninstall(&phone, &app, sandbox).unwrap();
    team.remove_device(&phone).unwrap();
    for (filter, expected) in [
        (format!("token:{token}"), 1),
        ("kind:live-activity".to_owned(), 2),
        ("kind:voip".to_owned(), 1),
        ("app:com.example.app".to_owned(), 5),
        ("environment:sandbox".to_owned(), 5),
        ("environment:production".to_owned(), 0),
        ("device:phone".to_owned(), 6),
    ] {
        let found = found(&mut bench, &format!("after:{after} {filter}"));
        assert_eq!(found.split_whitespace().count(), expected, "{filter}: {found}");
    }
}

#[test]
fn a_push_is_found_by_its_headers() {
    let upper = &format!("id:{}", ID.to_uppercase());
    finds(&[
        ("type:alert", "1+ 1! refused"),
        ("type:background,voip", "2+ 2! 4+ 4!"),
        ("type:none", "3+ 3!"),
        ("type:mdm", ""),
        ("priority:5", "2+ 2!"),
        ("priority:none", "1+ 1! refused 3+ 3! 4+ 4!"),
        ("priority:10", ""),
        ("collapse:\"score: 4,2\"", "3+ 3!"),
        ("collapse:score", ""),
        (upper, "1+ 1!"),
    ]);
}

#[test]
fn a_refused_push_is_found_by_what_it_said_right_or_wrong() {
    let mut bench = Bench::new();
    let wrong = bench.push().with(":path", "/3/device/ABCD").with("apns-topic", "com.unknown");
    bench.answer(&wrong.clone().with("apns-push-type", "silent").with("apns-collapse-id", "score"));
    for filter in
        ["token:abcd", "topic:com.unknown", "collapse:score", "hello", "priority:none", "-type:none"]
    {
        let filter = format!("event:refused {filter}");
        assert_eq!(found(&mut bench, &filter), "refused", "{filter}");
    }
    for filter in ["type:alert", "type:none", "token:80ff", "app:com.unknown"] {
        let filter = format!("event:refused {filter}");
        assert_eq!(found(&mut bench, &filter), "", "{filter}");
    }
}

#[test]
fn a_push_is_found_by_either_of_its_identifiers_refused_or_not() {
    let mut bench = Bench::new();
    let answers =
        [bench.answer(&bench.push()), bench.answer(&bench.push().with("apns-topic", "com.example.second"))];
    let by_id = |answer: &crate::Answer| format!("id:{}", answer.apns_id.as_str());
    assert_eq!(found(&mut bench, &by_id(&answers[1])), "refused");
    let accepted = found(&mut bench, &by_id(&answers[0]));
    assert_eq!(accepted, "1+ 1!");
    let unique_id = answers[0].apns_unique_id.unwrap();
    assert_eq!(found(&mut bench, &format!("id:{}", unique_id.as_str())), accepted);
}

#[test]
fn an_entry_is_found_by_what_became_of_it() {
    finds(&[
        ("reason:DeviceTokenNotForTopic", "refused"),
        ("reason:BadTopic,DeviceTokenNotForTopic", "refused"),
        ("reason:Unregistered", ""),
        ("reason:none", ALL_PUSHES),
        ("status:400", "refused"),
        ("status:200", "1+ 2+ 3+ 4+"),
        ("status:200,400", "1+ 2+ refused 3+ 4+"),
        ("status:\"Received by APNs\"", "1+ 2+ 3+ 4+"),
        ("status:\"Delivered to Device\",410", "1! 2! 3! 4!"),
        ("event:refused", "refused"),
        ("event:clock", "clock"),
        ("event:notification", ALL_PUSHES),
        ("event:device", "device device device device device"),
    ]);
}

#[test]
fn an_entry_is_found_by_when_it_happened() {
    let later = NOW.as_millis() + 60_000;
    let mut bench = bench();
    let cursor_of = |bench: &mut Bench, event: &str| {
        let filter = Filter::parse(event).unwrap();
        bench.team_at().team().journal(0).find(|it| filter.matches(it)).unwrap().cursor
    };
    let refused = cursor_of(&mut bench, "event:refused");
    for (filter, expected) in [
        (format!("after:{refused} event:notification"), "3+ 3! 4+ 4!"),
        (format!("before:{refused} event:notification"), "1+ 1! 2+ 2!"),
        (format!("-after:{refused} -before:{refused}"), "refused"),
        (format!("since:{later} event:notification"), "3+ 3! 4+ 4!"),
        (format!("since:{} -event:device,clock", later + 1), ""),
        (format!("until:{later} event:notification"), ALL_PUSHES),
        (format!("until:{} event:notification", later - 1), "1+ 1! 2+ 2!"),
    ] {
        assert_eq!(found(&mut bench, &filter), expected, "{filter}");
    }
}

#[test]
fn text_is_found_in_the_payload_as_it_came_and_in_its_strings() {
    finds(&[
        ("hello", "1+ 1! refused"),
        ("text:HELLO", "1+ 1! refused"),
        (r#""alert\":\"Hel""#, "1+ 1! refused"),
        ("content-available", "2+ 2!"),
        (r#""\\u00C4""#, "2+ 2!"),
        ("äNDERUNG", "2+ 2!"),
        (r#""Änderung \"BALD\"""#, "2+ 2!"),
        ("greeting", "3+ 3!"),
        ("hello,änderung -type:alert", "2+ 2!"),
        ("goodbye", ""),
    ]);
}

#[test]
fn text_is_found_in_what_the_device_shows() {
    let mut bench = Bench::new();
    let (name, phone) = (bundle_id("com.example.spoken"), device(PHONE));
    let mut app = App::new(name.clone());
    app.strings = Strings::from_iter([("GREETING", "%@ sagt Grüß Gott")]);
    let mut team = bench.team_at();
    team.add_app(app).unwrap();
    team.install(&phone, &name, Environment::Sandbox).unwrap();
    let token = team.register(&phone, &name, Environment::Sandbox, TokenKind::App).unwrap();
    let push = bench.push().with(":path", &format!("/3/device/{token}")).with("apns-topic", name.as_str());
    bench.answer(&push.with_body(r#"{"aps":{"alert":{"loc-key":"GREETING","loc-args":["Ann"]}}}"#));
    assert_eq!(found(&mut bench, "\"ann sagt grüß\""), "1!");
}

#[test]
fn all_terms_must_hold_and_a_negated_one_holds_for_all_else() {
    finds(&[
        ("type:alert status:200", "1+"),
        ("type:alert type:background", ""),
        ("-type:alert event:notification", "2+ 2! 3+ 3! 4+ 4!"),
        ("-type:alert,background,none event:notification", "4+ 4!"),
        ("-hello event:notification", "2+ 2! 3+ 3! 4+ 4!"),
        // A clock has no reason, so not this one either.
        ("-reason:none -event:device", "refused clock"),
    ]);
    let mut bench = bench();
    for everything in ["", " \t\u{2003}\n"] {
        let expected = format!("{SET_UP} 1+ 1! 2+ 2! refused 3+ 3! 4+ 4! device clock");
        assert_eq!(found(&mut bench, everything), expected);
    }
}

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
    refused("event:push", 6, "one of notification, refused, goaway, device, clock, reset");
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

#[test]
fn a_filter_is_written_as_the_shortest_text_that_reads_as_the_same() {
    for (filter, written) in [
        ("", ""),
        ("  type:alert   -topic:com.example.app ", "type:alert -topic:com.example.app"),
        ("text:Hello", "Hello"),
        ("-text:\"Hello, Ann\"", "-\"Hello, Ann\""),
        ("text:10:30,11:30", "\"10:30\",11:30"),
        ("text:-1,-2", "\"-1\",-2"),
        ("type:\"alert\",none", "type:alert,none"),
        ("device:\"a \\\"b\\\" \\\\ c\"", "device:\"a \\\"b\\\" \\\\ c\""),
        ("collapse:user:42,\"\"", "collapse:user:42,\"\""),
        ("token:AAbb,CC*", "token:aabb,cc*"),
        ("after:007", "after:7"),
    ] {
        assert_eq!(Filter::parse(filter).unwrap().to_string(), written, "{filter}");
    }
}

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

/// A journal's JSON and a filter call an entry the same.
#[test]
fn an_event_is_called_what_the_journal_calls_it() {
    let mut bench = bench();
    for record in bench.team_at().team().journal(0) {
        let json = serde_json::to_value(record).unwrap();
        let filter = Filter::parse(&format!("event:{}", json["event"].as_str().unwrap())).unwrap();
        assert!(filter.matches(&record), "{json}");
    }
}

/// Something like a filter, and right more often than not.
fn term() -> impl Strategy<Value = String> {
    let examples: Vec<&str> = FilterKey::ALL.iter().map(|key| key.example()).collect();
    let value = prop_oneof!["[^\"\\\\]{0,8}", r#"([^"\\]|\\"|\\\\){0,8}"#.prop_map(|it| format!("\"{it}\""))];
    let keys: Vec<&str> = vec!["", "text:", "collapse:", "device:", "-", "-text:", "after:", "token:"];
    let built = (prop::sample::select(keys), prop::collection::vec(value, 1..4));
    prop_oneof![
        prop::sample::select(examples).prop_map(ToOwned::to_owned),
        built.prop_map(|(key, values)| format!("{key}{}", values.join(","))),
    ]
}

proptest! {
    #[test]
    fn any_text_is_a_filter_or_an_error_within_it(text in prop_oneof![any::<String>(), "[-a-z:,\"\\\\ ]{0,40}"]) {
        if let Err(error) = Filter::parse(&text) {
            prop_assert!(error.position <= text.len() && text.is_char_boundary(error.position));
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn what_is_written_reads_as_the_same_and_is_no_longer(terms in prop::collection::vec(term(), 0..6)) {
        let text = terms.join(" ");
        if let Ok(filter) = Filter::parse(&text) {
            let written = filter.to_string();
            prop_assert!(written.len() <= text.len(), "{} became {}", text, written);
            prop_assert_eq!(Filter::parse(&written), Ok(filter));
        }
    }
}
