//! Which entries a filter finds.

use super::{ID, bench, found};
use crate::{
    App, Environment, Filter, TokenKind,
    bench::{Bench, NOW, PHONE, TOKEN, bundle_id, device},
    rendering::Strings,
};

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
