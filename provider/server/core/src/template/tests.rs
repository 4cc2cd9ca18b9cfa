use serde_json::json;

use super::*;
use crate::{json, problem::Problem};

fn template(value: &Value) -> Result<Template, Problem> {
    json::read::<TemplateRequest>(value.to_string().as_bytes())?.check()
}

fn render(payload: &Value, values: &Value) -> Result<Value, RenderError> {
    let template = template(&json!({ "payload": payload })).unwrap();
    let rendered = template.render(values.as_object().unwrap())?;
    assert_eq!((rendered.len(), &rendered[0].locale), (1, &None));
    Ok(serde_json::from_slice(&rendered[0].payload).unwrap())
}

#[test]
fn placeholders_take_their_values_and_stay_inside_their_text() {
    let payload = json!({ "aps": { "alert": "Hi {{ name }}", "badge": "{{ count }}" }, "ids": ["{{ id }}", 7, null, true] });
    let values = json!({ "name": "\"},\"x\":{\"", "count": 3, "id": { "a": [1] } });
    assert_eq!(
        render(&payload, &values).unwrap(),
        json!({ "aps": { "alert": "Hi \"},\"x\":{\"", "badge": 3 }, "ids": [{ "a": [1] }, 7, null, true] })
    );
}

#[test]
fn a_value_with_braces_is_a_value() {
    let rendered = render(&json!({ "t": "Hi {{ name }}" }), &json!({ "name": "{{ secret }}" })).unwrap();
    assert_eq!(rendered, json!({ "t": "Hi {{ secret }}" }));
}

#[test]
fn texts_can_choose_and_repeat() {
    let text = "{{ n }} item{% if n != 1 %}s{% endif %}: {% for it in items %}{{ it | upper }}{% if not loop.last %}, {% endif %}{% endfor %}";
    let rendered = render(&json!({ "t": text }), &json!({ "n": 2, "items": ["tea", "cup"] })).unwrap();
    assert_eq!(rendered, json!({ "t": "2 items: TEA, CUP" }));
    let rendered = render(&json!({ "t": "{{ nick | default('friend') }}" }), &json!({})).unwrap();
    assert_eq!(rendered, json!({ "t": "friend" }));
}

#[test]
fn a_missing_value_is_told_with_its_place() {
    for text in ["Hi {{ name }}", "{{ name }}", "{{ user.name }}"] {
        let error = render(&json!({ "aps": { "alert": [text] } }), &json!({ "user": {} })).unwrap_err();
        assert_eq!((error.at.as_str(), &error.why), ("payload.aps.alert[0]", &WhyNot::Undefined));
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[test]
fn no_text_takes_the_machine_with_it() {
    for text in [
        "{{ 'x' * 1000000000 }}",
        "{% for i in [1] * 1000000 %}x{% endfor %}",
        "{% for a in l %}{% for b in l %}{% for c in l %}{% for d in l %}x{% endfor %}{% endfor %}{% endfor %}{% endfor %}",
        "{% set a = l ~ l %}{% set a = a ~ a %}{% set a = a ~ a %}{% set a = a ~ a %}{% set a = a ~ a %}{% set a = a ~ a %}{{ a }}",
        "{{ (l ~ l ~ l ~ l ~ l ~ l) * 100 }}",
        "{{ l | join(l | join('x')) }}",
        "{{ (l ~ l) | replace('1', l ~ l) }}",
    ] {
        let list: Vec<u32> = (0..1000).collect();
        let Err(error) = render(&json!({ "t": text }), &json!({ "l": list })) else { panic!("{text}") };
        assert_eq!(error.why, WhyNot::TooMuchWork, "{text}");
    }
}

#[test]
fn nothing_from_outside_can_be_reached() {
    for text in [
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% macro m() %}{% endmacro %}",
        "{{ name",
        "{% nope %}",
        "{{ a b }}",
    ] {
        let problem = template(&json!({ "payload": { "aps": { "alert": text } } })).unwrap_err();
        assert_eq!(problem.fields()[0].field, "payload.aps.alert", "{text}: {problem}");
    }
    for text in ["{{ range(5) }}", "{{ name | nope }}", "{{ debug() }}", "{{ name.__class__ }}"] {
        assert!(render(&json!({ "t": text }), &json!({ "name": "x" })).is_err(), "{text}");
    }
}

#[test]
fn a_text_falls_back_key_by_key() {
    let template = template(&json!({
        "default-locale": "en",
        "payload": { "t": "{{ text.title }}", "b": "{{ text.body }}", "l": "{{ locale }}" },
        "texts": {
            "en": { "title": "Hello", "body": "Tea is ready" },
            "de": { "title": "Hallo" },
            "de_ch": { "body": "Der Tee isch parat" },
        },
    }))
    .unwrap();
    let rendered = template.render(&Map::new()).unwrap();
    let told: Vec<(String, Value)> = rendered
        .into_iter()
        .map(|it| (it.locale.unwrap().to_string(), serde_json::from_slice(&it.payload).unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("en".to_owned(), json!({ "t": "Hello", "b": "Tea is ready", "l": "en" })),
            ("de".to_owned(), json!({ "t": "Hallo", "b": "Tea is ready", "l": "de" })),
            ("de-CH".to_owned(), json!({ "t": "Hallo", "b": "Der Tee isch parat", "l": "de-CH" })),
        ]
    );
}

#[test]
fn wrong_texts_are_named() {
    let problem = template(&json!({
        "default-locale": "en",
        "payload": {},
        "texts": { "en": { "title": "{{ x", "7up": "" }, "de": { "extra": "x" }, "-": {}, "EN": {} },
    }))
    .unwrap_err();
    let fields: Vec<&str> = problem.fields().iter().map(|error| error.field.as_str()).collect();
    assert_eq!(
        fields,
        ["texts.-", "texts.en.7up", "texts.en.title", "texts.en", "texts.de.extra"],
        "{problem}"
    );
    let problem = template(&json!({ "payload": {}, "texts": { "de": { "a": "b" } } })).unwrap_err();
    assert_eq!(problem.fields()[0].field, "default-locale");
    let problem =
        template(&json!({ "default-locale": "fr", "payload": {}, "texts": { "de": {} } })).unwrap_err();
    assert_eq!(problem.message(), "default-locale: there are no texts in fr");
}

#[test]
fn everything_has_a_limit() {
    let texts =
        |count: usize| (0..count).map(|at| (format!("t{at}"), Value::from("x"))).collect::<Map<_, _>>();
    let too_many = template(&json!({ "default-locale": "en", "payload": {}, "texts": { "en": texts(33) } }))
        .unwrap_err();
    assert!(too_many.message().contains("33 texts"), "{too_many}");
    let long = "x".repeat(TEXT_BYTES_MAX + 1);
    let too_long =
        template(&json!({ "default-locale": "en", "payload": {}, "texts": { "en": { "t": long } } }))
            .unwrap_err();
    assert!(too_long.message().contains("4097 bytes"), "{too_long}");
    let large = template(&json!({ "payload": { "t": "x".repeat(TEMPLATE_BYTES_MAX) } })).unwrap_err();
    assert!(large.message().contains("131072 are allowed"), "{large}");
}

#[test]
fn a_template_is_stored_as_it_was_written() {
    let value = json!({ "default-locale": "en", "payload": { "t": "{{ text.a }}" }, "texts": { "en": { "a": "b" } } });
    let written = template(&value).unwrap();
    assert_eq!(serde_json::to_value(written.to_request()).unwrap(), value);
    assert_eq!(written.to_request().check().unwrap(), written);
}
