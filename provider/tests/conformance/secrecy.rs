//! Checklist C-30: what is secret is in no log, no `Debug` and no error.

use std::{
    fmt::{Debug, Write as _},
    time::Duration,
};

use apns_certs::ProviderCertificateKind;
use apns_provider::{
    Client, Credential,
    core::{ApnsId, DeviceToken, Effect, Now, Outcome, Push, RetryPolicy, UnixTime},
};
use tracing::Level;

use crate::{
    logs::Logs,
    world::{PATIENCE, World, hello},
};

/// What nobody may read, under the name by which a failure tells of it: shown itself it would be told.
struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    fn assert_not_in(&self, place: &str, text: &str) {
        for (name, secret) in &self.0 {
            assert!(!text.contains(secret.as_str()), "{place} shows {name}");
        }
    }
}

fn retry() -> RetryPolicy {
    RetryPolicy::new(3, Duration::from_millis(10), Duration::from_secs(9)).unwrap()
}

/// The lines of a PEM text that are the key's.
fn key_lines(pem: &str) -> impl Iterator<Item = (&'static str, String)> {
    pem.lines().filter(|line| !line.starts_with("-----")).map(|line| ("a key", line.to_owned()))
}

/// Pushes that are accepted, refused, sent again, reset and given up, and what can be shown of them.
async fn a_day_of(world: &World, client: &Client, shown: &mut String) {
    let ready_made = world.mock.ready_made();
    for name in ["sandbox", "sandbox-unregistered", "production", "sandbox-other-app"] {
        let token = DeviceToken::from_hex(&ready_made.device_token(name).unwrap().token).unwrap();
        let push = Push::new(hello(), token.clone(), ApnsId::from_random([7; 16]));
        show(shown, &push);
        show(shown, &token);
        write!(shown, "{token}").unwrap();
        show(shown, &client.send_push(push).await);
    }
    show(shown, client);
    show(shown, &client.stats());
}

fn show(shown: &mut String, value: &impl Debug) {
    write!(shown, "{value:?}\n{value:#?}\n").unwrap();
}

#[tokio::test]
async fn c30_no_log_and_no_debug_shows_a_provider_token_a_key_or_a_whole_device_token() {
    let faults = [
        r#"{"name":"busy","times":2,"action":{"answer":{"status":503}}}"#,
        r#"{"name":"expired","times":1,"action":{"answer":{"status":403,"reason":"ExpiredProviderToken"}}}"#,
        r#"{"name":"reset","times":1,"action":{"reset-stream":{"at":"before-headers"}}}"#,
        r#"{"name":"over","times":1,"action":{"goaway":{"reason":"Shutdown"}}}"#,
    ];
    let world = World::with(&faults).await;
    let ready_made = world.mock.ready_made();
    let logs = Logs::at(Level::TRACE);
    let mut shown = String::new();

    let by_token = world.builder().retry(retry());
    show(&mut shown, &by_token);
    let by_token = by_token.build().unwrap();
    a_day_of(&world, &by_token, &mut shown).await;
    let identity = world.mock.certificates().provider(ProviderCertificateKind::Universal).unwrap();
    let certificate = Credential::from_pem(identity.to_pem().as_bytes()).unwrap();
    show(&mut shown, &certificate);
    let by_certificate = world.builder().credential(certificate).retry(retry()).build().unwrap();
    a_day_of(&world, &by_certificate, &mut shown).await;
    let p8 = ready_made.keys[0].key.to_p8();
    let wrong = p8.replace("PRIVATE KEY", "PUBLIC KEY");
    let error = Credential::from_p8(wrong.as_bytes(), "MOCKKEY001", "MOCKTEAM01").unwrap_err();
    write!(shown, "{error} {error:?}").unwrap();
    assert!(by_token.drain(PATIENCE).await && by_certificate.drain(PATIENCE).await);

    let mut secrets = Secrets(key_lines(&p8).chain(key_lines(&identity.private_key().to_pem())).collect());
    for name in ["sandbox", "sandbox-unregistered", "production", "sandbox-other-app"] {
        secrets.0.push(("a device token", ready_made.device_token(name).unwrap().token.clone()));
    }
    // The double keeps the token without its signature; that much of it is in no log either.
    for push in world.seen() {
        if let Some(authorization) = push.header("authorization") {
            let jwt = authorization.trim_start_matches("bearer ");
            secrets.0.push(("a provider token", jwt.split('.').take(2).collect::<Vec<_>>().join(".")));
        }
    }
    assert!(secrets.0.iter().any(|(name, _)| *name == "a provider token"));
    let said = logs.text();
    assert!(said.contains("WARN") && said.contains("GOAWAY"), "there is something to look through: {said}");
    secrets.assert_not_in("the log", &said);
    secrets.assert_not_in("Debug", &shown);
}

#[test]
fn c30_what_the_core_hands_out_shows_no_secret() {
    use apns_provider::core::{DispatchPolicy, Dispatcher, Room};
    let now = Now { elapsed: Duration::ZERO, date: UnixTime::from_secs(1_700_000_000) };
    let token = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";
    let mut dispatcher = Dispatcher::new(DispatchPolicy::default(), retry(), true, now, 7);
    let push = Push::new(hello(), DeviceToken::from_hex(token).unwrap(), ApnsId::from_random([7; 16]));
    dispatcher.submit(now, push, Duration::from_secs(30), ());
    let mut shown = String::new();
    show(&mut shown, &dispatcher);
    let Some(Effect::Open(id)) = dispatcher.poll_effect() else { panic!("{dispatcher:?}") };
    dispatcher.opened(now, id);
    let mut jobs = Vec::new();
    dispatcher.take(now, id, Room { streams: 10, window: 65_535 }, &mut jobs);
    show(&mut shown, &jobs);
    let job = jobs.pop().unwrap();
    dispatcher.ended(now, id, job, Outcome::Expired);
    while let Some(effect) = dispatcher.poll_effect() {
        show(&mut shown, &effect);
    }
    assert!(shown.contains("DeviceToken(00fc13ad…)"), "{shown}");
    assert!(!shown.contains(token));
}
