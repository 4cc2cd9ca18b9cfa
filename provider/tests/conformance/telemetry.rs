//! What monitoring is told of a day: metrics through the facade, and a span for each push.

use std::time::Duration;

use apns_certs::ProviderCertificateKind;
use apns_provider::{
    Credential,
    core::{DeviceToken, KeepAlivePolicy, Outcome, RetryPolicy},
};
use tracing::Level;

use crate::{
    logs::Logs,
    recorder::Recorder,
    world::{PATIENCE, World, hello, until},
};

#[tokio::test]
async fn monitoring_is_told_of_pushes_attempts_connections_and_credentials() {
    let recorder = Recorder::default();
    let _here = metrics::set_default_local_recorder(&recorder);
    let faults = [
        r#"{"name":"busy","times":2,"action":{"answer":{"status":503}}}"#,
        r#"{"name":"new","times":1,"action":{"answer":{"status":400,"reason":"BrandNew2027"}}}"#,
        r#"{"name":"reset","times":1,"action":{"reset-stream":{"code":"REFUSED_STREAM","at":"before-headers"}}}"#,
        r#"{"name":"over","times":1,"action":{"goaway":{"reason":"Shutdown"}}}"#,
    ];
    let world = World::with(&faults).await;
    let retry = RetryPolicy::new(5, Duration::from_millis(10), Duration::from_secs(9)).unwrap();
    let keep_alive = KeepAlivePolicy::default().with_idle(Duration::from_millis(50));
    let client = world.builder().retry(retry).keep_alive(keep_alive).build().unwrap();
    for _ in 0..5 {
        world.send(&client).await;
    }
    let dead = world.mock.ready_made().device_token("sandbox-unregistered").unwrap();
    client.send(hello(), DeviceToken::from_hex(&dead.token).unwrap()).await;
    let open = || recorder.recorded().values("apns_provider_connections open")[0];
    until("the gauge tells of the one connection", || (open() - 1.0).abs() < 0.5).await;
    until("and of what it has room for", || {
        let told = recorder.recorded();
        told.values("apns_provider_streams_free")[0] > 1.0
            && told.values("apns_provider_window_bytes")[0] > 1.0
    })
    .await;
    until("the idle connection is asked whether it is there", || {
        recorder.recorded().0.contains_key("apns_provider_ping_seconds")
    })
    .await;
    assert!(client.drain(PATIENCE).await);
    let identity = world.mock.certificates().provider(ProviderCertificateKind::Universal).unwrap();
    let certificate = Credential::from_pem(identity.to_pem().as_bytes()).unwrap();
    let expires_at = certificate.certificate_expires_at().unwrap();
    world.builder().credential(certificate).build().unwrap();
    until("the gauge tells of no connection", || open() < 0.5).await;

    let told = recorder.recorded();
    told.assert("apns_provider_pushes_total accepted 200", 4.0);
    told.assert("apns_provider_pushes_total rejected 400 other", 1.0);
    told.assert("apns_provider_pushes_total rejected 410 Unregistered", 1.0);
    told.assert("apns_provider_attempts_total accepted 200", 4.0);
    told.assert("apns_provider_attempts_total rejected 503 ServiceUnavailable", 2.0);
    told.assert("apns_provider_attempts_total not-sent  stream-refused", 1.0);
    told.assert("apns_provider_retries_total", 3.0);
    told.assert("apns_provider_goaways_total Shutdown", 1.0);
    told.assert("apns_provider_resets_total REFUSED_STREAM", 1.0);
    told.assert("apns_provider_connections_opened_total", 2.0);
    told.assert("apns_provider_connections_ended_total goaway", 1.0);
    told.assert("apns_provider_connections_ended_total drained", 1.0);
    for gauge in
        ["pushes_waiting", "pushes_pausing", "pushes_under_way", "connections open", "connections draining"]
    {
        told.assert(&format!("apns_provider_{gauge}"), 0.0);
    }
    let took = told.values("apns_provider_push_seconds");
    assert!(took.len() == 6 && took.iter().all(|secs| *secs > 0.0 && *secs < 20.0), "{took:?}");
    assert!(took.iter().any(|secs| *secs >= 0.01), "the pauses of the first count: {took:?}");
    assert!(told.values("apns_provider_ping_seconds").iter().all(|secs| *secs < 20.0));
    let issued_at = told.values("apns_provider_token_issued_at_seconds MOCKKEY001")[0];
    assert!(issued_at > 1_700_000_000.0, "{issued_at}");
    let expiry =
        told.0.iter().find(|(name, _)| name.starts_with("apns_provider_certificate_expires_at_seconds"));
    assert!((expiry.unwrap().1[0] - Duration::from_secs(expires_at.as_secs()).as_secs_f64()).abs() < 1.0);
    let names = told.0.keys().map(String::as_str).collect::<String>();
    assert!(!names.contains(world.token().as_str()) && !names.contains("com.example"), "{names}");
}

#[tokio::test]
async fn each_push_is_a_span_that_says_what_it_was_and_how_it_ended() {
    let logs = Logs::of_spans_at(Level::DEBUG);
    let world = World::good().await;
    let outcome = world.send(&world.client()).await;
    let Outcome::Accepted(acceptance) = outcome else { panic!("{outcome:?}") };
    let said = logs.text();
    let span = said.lines().find(|line| line.contains("apns.push")).unwrap();
    let token = world.token();
    let token = &token.as_str()[..8];
    for part in [
        &*format!("apns_id={}", acceptance.apns_id),
        "topic=com.example.app",
        "push_type=alert",
        &format!("device_token={token}…"),
        "outcome=\"accepted\"",
    ] {
        assert!(span.contains(part), "{part} in {span}");
    }
}
