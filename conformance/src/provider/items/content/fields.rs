//! C-63: the fields of a request.

use std::collections::BTreeSet;

use crate::provider::{
    evidence::{Evidence, Request},
    item::{Acting, Finding, Play, Stop, ensure},
    protocol::Push,
    stage::Stage,
};

use super::{goes_out, send_all};

pub(super) fn plays() -> Vec<Play> {
    vec![Play::new("pushes-of-all-kinds", pushes_of_all_kinds, fields_are_apples)]
}

/// One with everything, one with little, and two of other types.
fn pushes(stage: &Stage) -> Result<Vec<Push>, Stop> {
    let tokens = stage.device_tokens(KINDS.len())?;
    let in_an_hour = stage.date().as_secs() + 3600;
    let pushes = tokens.iter().zip(KINDS).enumerate().map(|(at, (token, (push_type, suffix)))| {
        let push = stage.push_to(token);
        let payload = if push_type == "background" { SILENT.to_owned() } else { push.payload.clone() };
        let is_full = at == 0;
        Push {
            push_type,
            topic: format!("{}{suffix}", push.topic),
            payload,
            priority: is_full.then_some(10),
            expiration: is_full.then_some(in_an_hour),
            collapse_id: is_full.then(|| "tea-time".to_owned()),
            apns_id: is_full.then(|| APNS_ID.to_owned()),
            ..push
        }
    });
    Ok(pushes.collect())
}

fn pushes_of_all_kinds(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let pushes = pushes(stage)?;
        send_all(stage, pushes).await
    })
}

fn fields_are_apples(evidence: &Evidence) -> Result<(), Finding> {
    for ((id, attempts), (push_type, suffix)) in evidence.attempts().iter().zip(KINDS) {
        let request = goes_out(evidence, *id, attempts, &format!("push {id}, of type {push_type}"))?;
        let server_name = evidence.connections.get(request.connection).and_then(|it| it.dial);
        let hello = server_name.and_then(|dial| evidence.dials.get(dial)?.hello.as_ref());
        let host = hello.and_then(|hello| hello.server_name.as_deref());
        check(request, push_type, suffix, host)
            .map_err(|finding| finding.at(request.connection, request.at))?;
    }
    Ok(())
}

fn check(request: &Request, push_type: &str, suffix: &str, host: Option<&str>) -> Result<(), Finding> {
    let field = |name: &str| request.field(name);
    let is = |name: &str, value: &str| {
        ensure(field(name) == Some(value), format!("{name}: {value}"), || shown(name, field(name)))
    };
    is(":method", "POST")?;
    is(":scheme", "https")?;
    is("apns-push-type", push_type)?;
    let topic = field("apns-topic");
    let has_suffix = topic.is_some_and(|topic| topic.ends_with(&format!(".app{suffix}")));
    ensure(has_suffix, format!("apns-topic: the bundle ID and {suffix:?}"), || shown("apns-topic", topic))?;
    let authority = field(":authority");
    let named = authority.map(|it| it.rsplit_once(':').map_or(it, |(host, _)| host));
    let is_right = named.is_some() && (host.is_none() || named == host);
    ensure(is_right, format!(":authority: {}", host.unwrap_or("the host")), || {
        shown(":authority", authority)
    })?;
    names_are_right(request)?;
    let length = field("content-length");
    let is_right = length.is_none_or(|length| length.parse() == Ok(request.body.len()));
    ensure(is_right, format!("no content-length, or {}", request.body.len()), || {
        shown("content-length", length)
    })
}

fn names_are_right(request: &Request) -> Result<(), Finding> {
    let mut seen = BTreeSet::new();
    let mut is_behind_pseudo = false;
    for field in &request.headers.fields {
        let name = field.name.as_str();
        let wrong = |expected: &str| Err(Finding::wrong(expected, shown(name, Some(&field.value))));
        if name.starts_with(':') && is_behind_pseudo {
            return wrong("pseudo fields before all others");
        }
        is_behind_pseudo |= !name.starts_with(':');
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return wrong("names in lower case");
        }
        if NOT_IN_HTTP2.contains(&name) {
            return wrong("no field that belongs to a connection of HTTP/1.1, and no host");
        }
        if !seen.insert(name) {
            return wrong("each field once");
        }
    }
    Ok(())
}

fn shown(name: &str, value: Option<&str>) -> String {
    if name == "authorization" {
        return name.to_owned(); // what it says is secret
    }
    value.map_or_else(|| format!("no {name}"), |value| format!("{name}: {value}"))
}

/// Types, with what follows the bundle ID in their topics.
const KINDS: [(&str, &str); 4] = [("alert", ""), ("alert", ""), ("background", ""), ("voip", ".voip")];
const SILENT: &str = r#"{"aps":{"content-available":1}}"#;
const APNS_ID: &str = "6c1fb1bb-9f0e-4a5b-8f3a-6f9c2a7c0d11";
/// Connection-specific fields (RFC 9113, 8.2.2), and what `:authority` stands for.
const NOT_IN_HTTP2: [&str; 7] =
    ["connection", "host", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"];

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: [(&str, &str); 7] = [
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "localhost:8443"),
        (":path", "/3/device/0a"),
        ("apns-topic", "com.example.app.voip"),
        ("apns-push-type", "voip"),
        ("content-length", "0"),
    ];

    fn checked(fields: &[(&str, &str)]) -> Result<(), Finding> {
        let requests = Evidence::default().with_fields(fields, 0, 200).requests();
        check(&requests[0], "voip", ".voip", Some("localhost"))
    }

    #[test]
    fn apples_fields_are_right() {
        assert_eq!(checked(&RIGHT), Ok(()));
        assert_eq!(checked(&RIGHT[..6]), Ok(()), "content-length may be absent");
    }

    #[test]
    fn every_field_that_is_wrong_missing_twice_or_of_http1_is_found() {
        for at in 0..6 {
            if at == 3 {
                continue; // without a path it is no push
            }
            let without = [&RIGHT[..at], &RIGHT[at + 1..]].concat();
            assert!(checked(&without).is_err(), "without {}", RIGHT[at].0);
        }
        for more in
            [("host", "localhost"), ("te", "trailers"), ("Apns-Id", "1"), ("apns-topic", "a"), (":path", "/")]
        {
            assert!(checked(&[&RIGHT[..], &[more]].concat()).is_err(), "{more:?}");
        }
        for other in [(":authority", "example.com"), ("content-length", "7"), ("apns-push-type", "alert")] {
            let changed = RIGHT.map(|it| if it.0 == other.0 { other } else { it });
            assert!(checked(&changed).is_err(), "{other:?}");
        }
    }
}
