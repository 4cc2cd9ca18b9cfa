use apns_provider_core::UnixTime;

use super::*;
use crate::{ids::Locale, json, template::TemplateRequest};

const START: UnixTime = UnixTime::from_secs(1_700_000_000);

fn app() -> BundleId {
    BundleId::parse("com.example.tea").unwrap()
}

fn check(body: &str) -> Result<Message, Problem> {
    let request: MessageRequest = json::read(body.as_bytes())?;
    let mut errors = FieldErrors::default();
    let message = request.check(Field::new("message"), START, &mut errors);
    errors.finish(message)
}

fn compose(body: &str) -> Result<Composed, Problem> {
    check(body)?.compose(Field::new("message"), &app(), None)
}

fn refused(body: &str) -> Vec<(String, String)> {
    let problem = compose(body).unwrap_err();
    problem.fields().iter().map(|error| (error.field.clone(), error.message.clone())).collect()
}

fn template() -> Template {
    let request: TemplateRequest = json::read(
        br#"{"default-locale":"en","payload":{"aps":{"alert":{"title":"{{ text.title }}"},"badge":"{{ count }}"}},
             "texts":{"en":{"title":"Hello {{ name }}"},"de":{"title":"Hallo {{ name }}"},"de-CH":{"title":"Gr\u00fcezi {{ name }}"}}}"#,
    )
    .unwrap();
    request.check().unwrap()
}

#[test]
fn a_payload_is_sent_byte_for_byte_with_what_was_asked_for() {
    let composed = compose(
        r#"{"payload":{"aps": {"alert":"Tea is ready" }},"priority":5,"collapse-id":"tea","ttl":60,"push-type":"alert"}"#,
    )
    .unwrap();
    let deadline = composed.expiry().from_start(START, PushType::Alert);
    let notification = composed.notification(&app(), 0, &deadline).unwrap();
    assert_eq!(notification.payload(), r#"{"aps": {"alert":"Tea is ready" }}"#);
    assert_eq!(notification.priority(), Priority::PowerConsiderate);
    assert_eq!(notification.collapse_id().unwrap().as_str(), "tea");
    assert_eq!(notification.expiration().unwrap().as_secs(), 1_700_000_060);
    assert_eq!(notification.topic().as_str(), "com.example.tea");
}

#[test]
fn every_wrong_field_is_named() {
    let fields: Vec<String> = refused(r#"{"push-type":"alarm","priority":7,"collapse-id":"","ttl":2592001}"#)
        .into_iter()
        .map(|(field, _)| field)
        .collect();
    assert_eq!(
        fields,
        ["message.push-type", "message.priority", "message.collapse-id", "message.ttl", "message.payload"]
    );
}

#[test]
fn what_contradicts_itself_is_refused() {
    for (body, field) in [
        (r#"{"payload":{},"template":"t"}"#, "message.template"),
        (r#"{"payload":{"aps":{"badge":1}},"values":{}}"#, "message.values"),
        (r#"{"payload":{"aps":{"badge":1}},"ttl":5,"expiration":1800000000}"#, "message.ttl"),
        (r#"{"payload":{"aps":{"badge":1}},"expiration":1699999999}"#, "message.expiration"),
        (r#"{"payload":{"aps":{"badge":1}},"expiration":1700000000000}"#, "message.expiration"),
        (r#"{"payload":{"aps":{"badge":1}},"push-type":"background"}"#, "message.payload"),
        (
            r#"{"payload":{"aps":{"content-available":1}},"push-type":"background","priority":10}"#,
            "message.priority",
        ),
        (r#"{"payload":{"mdm":"x"},"push-type":"mdm"}"#, "message.push-type"),
        (r#"{"payload":[1]}"#, "message.payload"),
    ] {
        assert_eq!(refused(body)[0].0, field, "{body}");
    }
    let large = format!(r#"{{"payload":{{"aps":{{"alert":"{}"}}}}}}"#, "x".repeat(4096));
    let (field, message) = refused(&large).remove(0);
    assert_eq!(field, "message.payload");
    assert!(message.contains("4116 bytes"), "{message}");
}

#[test]
fn a_template_is_written_out_in_each_language() {
    let message = check(r#"{"template":"hello","values":{"name":"Ada \"Q\"","count":3}}"#).unwrap();
    assert_eq!(message.template().unwrap().as_str(), "hello");
    let composed = message.compose(Field::new("message"), &app(), Some(&template())).unwrap();
    let payload = |locale: &str| {
        let variant = composed.variant_for(Some(&Locale::parse(locale).unwrap()));
        let notification = composed.notification(&app(), variant, &Deadline::default()).unwrap();
        String::from_utf8(notification.payload().to_vec()).unwrap()
    };
    assert_eq!(payload("en-GB"), r#"{"aps":{"alert":{"title":"Hello Ada \"Q\""},"badge":3}}"#);
    assert!(payload("de-AT").contains("Hallo") && payload("de-CH").contains("Grüezi"));
    assert!(payload("fr").contains("Hello"), "for whoever no other is for");
    assert_eq!(composed.variant_for(None), 0);
}

#[test]
fn what_a_template_makes_is_checked_in_each_language() {
    let message = check(r#"{"template":"hello","values":{"name":"Ada","count":"many"}}"#).unwrap();
    assert!(message.compose(Field::new("message"), &app(), Some(&template())).is_ok(), "APNs does not care");
    let message =
        check(&format!(r#"{{"template":"hello","values":{{"name":"{}","count":1}}}}"#, "x".repeat(4060)))
            .unwrap();
    let problem = message.compose(Field::new("message"), &app(), Some(&template())).unwrap_err();
    assert_eq!(problem.fields().len(), 3, "{problem}");
    assert!(problem.message().starts_with("message.template: in en: payload: it has"), "{problem}");
    let message = check(r#"{"template":"hello","values":{"count":1}}"#).unwrap();
    let problem = message.compose(Field::new("message"), &app(), Some(&template())).unwrap_err();
    assert_eq!(problem.fields()[0].field, "message.values");
}

#[test]
fn a_template_that_is_not_there_is_unknown() {
    let message = check(r#"{"template":"hello"}"#).unwrap();
    let problem = message.compose(Field::new("message"), &app(), None).unwrap_err();
    assert_eq!(problem.code(), Code::UnknownTemplate);
}

#[test]
fn values_have_a_limit() {
    let body = format!(r#"{{"template":"hello","values":{{"name":"{}"}}}}"#, "x".repeat(VALUES_BYTES_MAX));
    assert!(check(&body).unwrap_err().message().starts_with("message.values: they have 82"));
}

#[test]
fn the_push_type_decides_which_tokens_it_goes_to() {
    for (body, kind) in [
        (r#"{"payload":{"aps":{"badge":1}}}"#, Kind::Alert),
        (r#"{"payload":{"aps":{"content-available":1}},"push-type":"background"}"#, Kind::Alert),
        (r#"{"payload":{},"push-type":"voip"}"#, Kind::Voip),
        (
            r#"{"payload":{"aps":{"event":"end","timestamp":1}},"push-type":"liveactivity"}"#,
            Kind::LiveActivity,
        ),
        (
            r#"{"payload":{"aps":{"event":"start","timestamp":1,"content-state":{},"alert":{"title":"t"},
                "attributes-type":"A","attributes":{}}},"push-type":"liveactivity"}"#,
            Kind::LiveActivityStart,
        ),
    ] {
        assert_eq!(compose(body).unwrap().kind(), kind, "{body}");
    }
}

#[test]
fn what_is_stored_is_read_again() {
    let message = check(
        r#"{"template":"hello","values":{"name":"Zoë","count":1},"priority":1,"collapse-id":"c","expiration":1800000000}"#,
    )
    .unwrap();
    let composed = message.compose(Field::new("message"), &app(), Some(&template())).unwrap();
    assert_eq!(Composed::from_bytes(&composed.to_bytes()), Ok(composed));
    let plain = compose(r#"{"payload":{"aps":{"badge":1}}}"#).unwrap();
    let bytes = plain.to_bytes();
    assert_eq!(Composed::from_bytes(&bytes), Ok(plain));
    let newer = String::from_utf8(bytes).unwrap().replace(r#""form":1"#, r#""form":2"#);
    assert!(Composed::from_bytes(newer.as_bytes()).unwrap_err().to_string().contains("of form 2"));
    assert!(Composed::from_bytes(b"{}").is_err());
}
