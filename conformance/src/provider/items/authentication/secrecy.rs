//! C-30: what is secret is in no log, no error, and no table of HPACK.

use std::time::Duration;

use super::super::super::{
    adapter::Trouble,
    evidence::{Evidence, Form},
    item::{Acting, Finding, Play, Stop},
    protocol::{Credential, Event, Options, Push},
    stage::Stage,
};

pub(super) fn plays() -> Vec<Play> {
    vec![
        Play::new("a-bad-day-with-a-key", with_a_key, nothing_is_told).needing(&["key"]),
        Play::new("a-bad-day-with-a-certificate", with_a_certificate, nothing_is_told)
            .needing(&["certificate"]),
    ]
}

fn with_a_key(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let key = stage.key();
        if let Credential::Key { p8, key_id, team_id } = &key {
            for p8 in [p8.replace("PRIVATE KEY", "PUBLIC KEY"), garbled(p8)] {
                let broken = Credential::Key { p8, key_id: key_id.clone(), team_id: team_id.clone() };
                may_fail(stage.configure_as(broken, options()).await)?;
            }
        }
        bad_day(stage, &key).await
    })
}

fn with_a_certificate(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let certificate = stage.certificate()?;
        if let Credential::Certificate { certificate_pem } = &certificate {
            let broken = Credential::Certificate { certificate_pem: garbled(certificate_pem) };
            may_fail(stage.configure_as(broken, options()).await)?;
        }
        bad_day(stage, &certificate).await
    })
}

/// No base64 any more, near its end: where the key is.
fn garbled(pem: &str) -> String {
    let middle = pem.trim_end().rfind('\n').unwrap_or_default().saturating_sub(GARBLED_BEFORE_END);
    pem.char_indices().map(|(at, char)| if at == middle { '!' } else { char }).collect()
}

/// Whatever is said of it is what is looked for.
fn may_fail(configured: Result<(), Stop>) -> Result<(), Stop> {
    match configured {
        Err(Stop::Trouble(Trouble::Failed { .. })) => Ok(()),
        other => other,
    }
}

/// Servers that nobody trusts, that are not there, that refuse, and that speak nonsense. Each time with a new client: what one holds
/// back does not keep the next from seeing it.
async fn bad_day(stage: &mut Stage, credential: &Credential) -> Result<(), Stop> {
    for at_the_door in AT_THE_DOOR {
        stage.fault_for_everyone(at_the_door)?;
        some_pushes(stage, credential).await?;
        stage.end_fault("door");
    }
    stage.roads[0].refuse();
    some_pushes(stage, credential).await?;
    stage.roads[0].admit().await?;
    for of_requests in OF_REQUESTS {
        stage.fault(of_requests)?;
        some_pushes(stage, credential).await?;
        stage.end_fault("request");
    }
    some_pushes(stage, credential).await
}

/// One that would be accepted, and some that are refused.
async fn some_pushes(stage: &mut Stage, credential: &Credential) -> Result<(), Stop> {
    may_fail(stage.configure_as(credential.clone(), options()).await)?;
    let ready_made = stage.mock.ready_made();
    let names = ["sandbox", "sandbox-unregistered", "production", "sandbox-other-app"];
    let tokens = names.map(|name| ready_made.device_token(name).map(|token| token.token.clone()));
    for device_token in tokens.into_iter().flatten() {
        stage.send(Push { device_token, ..stage.push() }).await?;
    }
    stage.results(SETTLING).await?;
    Ok(())
}

fn options() -> Options {
    Options { deadline_ms: Some(DEADLINE_MS), attempts_max: Some(2), ..Options::default() }
}

fn nothing_is_told(evidence: &Evidence) -> Result<(), Finding> {
    if evidence.results().is_empty() {
        return Err(Finding::wrong("results of pushes", "none"));
    }
    let texts = texts(evidence);
    for (what, secret) in secrets(evidence) {
        let found = texts.iter().find(|(_, text)| text.contains(&secret));
        if let Some((place, _)) = found {
            return Err(Finding::wrong(format!("no {what} in {place}"), "there is"));
        }
    }
    for (number, said) in evidence.requests().iter().filter_map(|request| {
        let field = request.headers.fields.iter().find(|field| field.name == "authorization")?;
        Some((request, field))
    }) {
        if matches!(said.form, Form::Indexed(_) | Form::Incremental) {
            let wrong = Finding::wrong("authorization in no table of HPACK", format!("{:?}", said.form));
            return Err(wrong.at(number.connection, number.at));
        }
    }
    Ok(())
}

/// What people can read, in lower case, and where.
fn texts(evidence: &Evidence) -> Vec<(&'static str, String)> {
    let mut texts = vec![("the log", evidence.stderr.to_lowercase())];
    for reported in &evidence.reported {
        match &reported.event {
            Event::Result(report) => {
                texts.extend(report.why.iter().map(|why| ("the error of a push", why.to_lowercase())));
                texts.extend(report.reason.iter().map(|reason| ("a reason", reason.to_lowercase())));
            }
            Event::Failed { why } => texts.push(("the error of a configuration", why.to_lowercase())),
            _ => {}
        }
    }
    texts
}

/// What they may not read, likewise.
fn secrets(evidence: &Evidence) -> Vec<(&'static str, String)> {
    let mut secrets: Vec<_> =
        evidence.secrets.iter().map(|(what, secret)| (*what, secret.to_lowercase())).collect();
    for request in evidence.requests() {
        let Some(token) = request.provider_token() else { continue };
        secrets.push(("provider token", token.to_lowercase()));
        if let Some((_, signature)) = token.rsplit_once('.') {
            secrets.push(("signature of a provider token", signature.to_lowercase()));
        }
    }
    let whole = |token: &String| ("whole device token", token.to_lowercase());
    secrets.extend(evidence.sent.values().map(|sent| whole(&sent.device_token)));
    secrets.sort();
    secrets.dedup();
    secrets.retain(|(_, secret)| !secret.is_empty());
    secrets
}

const AT_THE_DOOR: [&str; 3] = [
    r#"{"name":"door","action":{"tls":{"certificate":"self-signed"}}}"#,
    r#"{"name":"door","action":{"tls":{"alert":"handshake-failure"}}}"#,
    r#"{"name":"door","action":{"accept":"reset"}}"#,
];
const OF_REQUESTS: [&str; 6] = [
    r#"{"name":"request","action":{"answer":{"status":403,"reason":"InvalidProviderToken"}}}"#,
    r#"{"name":"request","action":{"answer":{"status":403,"reason":"ExpiredProviderToken"}}}"#,
    r#"{"name":"request","action":{"answer":{"status":500,"body":{"text":"<html>no JSON</html>"}}}}"#,
    r#"{"name":"request","action":{"reset-stream":{"at":"before-headers"}}}"#,
    r#"{"name":"request","action":{"frame":{"kind":"headers-bad-index"}}}"#,
    r#"{"name":"request","action":{"goaway":{"reason":"BadCertificate"}}}"#,
];
/// What cannot be sent need not be waited for.
const DEADLINE_MS: u64 = 400;
/// How long results are waited for from who cannot be told so.
const SETTLING: Duration = Duration::from_millis(1500);
/// Characters between what is garbled of a key and its last line.
const GARBLED_BEFORE_END: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{
        evidence::{Said, Sent, Side, What},
        items::authentication::testing::{connection, push_with, reported, token},
    };

    const DEVICE: &str = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";

    /// A play with one push, whose adapter has written this to its log and told that of the push.
    fn found(log: &str, why: &str) -> Option<String> {
        let mut evidence = Evidence { stderr: log.to_owned(), ..Evidence::default() };
        evidence.secrets.push(("private key", "MIGHAgEAMBMGByqGSM49".to_owned()));
        let sent = Sent {
            at: Duration::ZERO,
            device_token: DEVICE.to_owned(),
            payload: String::new(),
            apns_id: None,
        };
        evidence.sent.insert(0, sent);
        let headers = What::Headers(push_with(1, &token(7)));
        evidence.connections.push(connection([Said {
            at: Duration::ZERO,
            side: Side::Provider,
            what: headers,
        }]));
        evidence.reported.push(reported(0, why));
        match nothing_is_told(&evidence) {
            Err(Finding::Wrong { expected, .. }) => Some(expected),
            _ => None,
        }
    }

    #[test]
    fn the_beginning_of_a_device_token_and_the_head_of_a_provider_token_are_no_secrets() {
        let header = token(7).split('.').next().unwrap().to_owned();
        assert_eq!(found(&format!("push to 00fc13ad… refused, token {header}…"), "no way"), None);
    }

    #[test]
    fn secrets_are_found_wherever_they_are_told() {
        let signature = token(7).rsplit('.').next().unwrap().to_owned();
        let device = "no whole device token in the error of a push";
        assert_eq!(found("", &format!("no device {}", DEVICE.to_uppercase())).as_deref(), Some(device));
        let signed = "no signature of a provider token in the log";
        assert_eq!(found(&format!("signed {signature}"), "").as_deref(), Some(signed));
        let key = "no private key in the log";
        assert_eq!(found("cannot read MIGHAgEAMBMGByqGSM49", "").as_deref(), Some(key));
    }
}
