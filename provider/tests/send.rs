//! Pushes from the client to the double, over real sockets.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

use std::{collections::HashSet, net::TcpListener, sync::Arc, time::Duration};

use apns_certs::{Flaw, Identity, ProviderCertificateKind, Purpose};
use apns_provider::{
    BuildError, Client, ClientBuilder, Credential, Endpoint,
    core::{
        AlertNotification, Ambiguity, BackgroundNotification, BundleId, DeviceToken, DispatchPolicy, NotSent,
        Notification, Outcome, Reason, RetryPolicy,
    },
};
use mock_apns::{MockApns, Settings};

fn ca(mock: &MockApns) -> String {
    mock.certificates().authority().root_pem(Purpose::Server)
}

fn builder(mock: &MockApns, port: u16) -> ClientBuilder {
    let endpoint = Endpoint::custom("localhost", port).unwrap();
    Client::builder(endpoint).ca_pem(ca(mock).as_bytes()).retry(RetryPolicy::never())
}

fn by_key(mock: &MockApns) -> Credential {
    let key = &mock.ready_made().keys[0];
    Credential::from_p8(key.key.to_p8().as_bytes(), key.key_id, mock.ready_made().team_id).unwrap()
}

fn by_certificate(identity: &Identity) -> Credential {
    Credential::from_pem(identity.to_pem().as_bytes()).unwrap()
}

fn client(mock: &MockApns) -> Client {
    builder(mock, mock.sandbox().port()).credential(by_key(mock)).build().unwrap()
}

fn hello() -> Notification {
    AlertNotification::new(BundleId::parse("com.example.app").unwrap()).alert("Hello").build().unwrap()
}

fn device_token(mock: &MockApns, name: &str) -> DeviceToken {
    DeviceToken::from_hex(&mock.ready_made().device_token(name).unwrap().token).unwrap()
}

fn reason(outcome: Outcome) -> (u16, Option<Reason>) {
    match outcome {
        Outcome::Rejected(rejection) => (rejection.status, rejection.reason),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_alert_is_accepted_with_the_ids_that_apns_gives() {
    let mock = MockApns::start().await.unwrap();
    let outcome = client(&mock).send(hello(), device_token(&mock, "sandbox")).await;
    let Outcome::Accepted(acceptance) = outcome else { panic!("{outcome:?}") };
    assert!(acceptance.apns_unique_id.is_some(), "the sandbox gives one");
}

#[tokio::test]
async fn a_background_notification_is_accepted() {
    let mock = MockApns::start().await.unwrap();
    let app = BundleId::parse("com.example.app").unwrap();
    let background = BackgroundNotification::new(app).custom("id", 7).build().unwrap();
    let outcome = client(&mock).send(background, device_token(&mock, "sandbox")).await;
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
}

#[tokio::test]
async fn refusals_come_back_with_status_reason_and_time() {
    let mock = MockApns::start().await.unwrap();
    let client = client(&mock);
    let unknown = DeviceToken::from_hex("00ff").unwrap();
    let other = device_token(&mock, "production");
    let dead = device_token(&mock, "sandbox-unregistered");
    let wrong_app = device_token(&mock, "sandbox-other-app");
    assert_eq!(reason(client.send(hello(), unknown).await), (400, Some(Reason::BadDeviceToken)));
    assert_eq!(reason(client.send(hello(), other).await), (400, Some(Reason::BadDeviceToken)));
    assert_eq!(reason(client.send(hello(), wrong_app).await), (400, Some(Reason::DeviceTokenNotForTopic)));
    let Outcome::Rejected(rejection) = client.send(hello(), dead).await else { panic!() };
    assert_eq!((rejection.status, rejection.reason), (410, Some(Reason::Unregistered)));
    assert!(rejection.unregistered_since.is_some());
    assert_eq!(client.stats().connections_opened, 1, "refusals do not cost the connection");
}

#[tokio::test]
async fn a_word_that_nobody_knows_is_kept() {
    let mut settings = Settings::default();
    settings.set("environment-key-reason", "BadEnvironmentKeyIdInToken").unwrap();
    let mock = MockApns::builder().settings(settings).start().await.unwrap();
    let team = mock.ready_made();
    let key = team.keys.iter().find(|key| key.key_id == "MOCKKEYPRO").unwrap();
    let credential = Credential::from_p8(key.key.to_p8().as_bytes(), key.key_id, team.team_id).unwrap();
    let client = builder(&mock, mock.sandbox().port()).credential(credential).build().unwrap();
    let outcome = client.send(hello(), device_token(&mock, "sandbox")).await;
    assert_eq!(reason(outcome), (403, Some(Reason::BadEnvironmentKeyIdInToken)));
}

#[tokio::test]
async fn five_thousand_at_once_share_one_connection_and_each_has_its_own_outcome() {
    let mock = MockApns::start().await.unwrap();
    let one = DispatchPolicy::default().with_connections(1..=1).unwrap();
    let client =
        builder(&mock, mock.sandbox().port()).credential(by_key(&mock)).dispatch(one).build().unwrap();
    let hello = Arc::new(hello());
    let good = device_token(&mock, "sandbox");
    let dead = device_token(&mock, "sandbox-unregistered");
    let mut sends = tokio::task::JoinSet::new();
    for i in 0..5_000 {
        let (client, hello) = (client.clone(), Arc::clone(&hello));
        let device_token = if i % 10 == 0 { dead.clone() } else { good.clone() };
        sends.spawn(async move { (i, client.send(hello, device_token).await) });
    }
    let mut ids = HashSet::new();
    while let Some(done) = sends.join_next().await {
        match done.unwrap() {
            (i, Outcome::Accepted(acceptance)) if i % 10 != 0 => assert!(ids.insert(acceptance.apns_id)),
            (i, Outcome::Rejected(rejection)) if i % 10 == 0 => assert_eq!(rejection.status, 410),
            (i, other) => panic!("{i}: {other:?}"),
        }
    }
    assert_eq!(ids.len(), 4_500);
    assert_eq!(client.stats().connections_opened, 1);
}

#[tokio::test]
async fn a_certificate_sends_without_a_token() {
    let mock = MockApns::start().await.unwrap();
    let identity = mock.certificates().provider(ProviderCertificateKind::Universal).unwrap();
    let client =
        builder(&mock, mock.production().port()).credential(by_certificate(&identity)).build().unwrap();
    let outcome = client.send(hello(), device_token(&mock, "production")).await;
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
}

#[tokio::test]
async fn a_credential_that_is_refused_is_told_apart_from_a_bad_day() {
    let mock = MockApns::start().await.unwrap();
    let sandbox = mock.sandbox().port();
    let production = mock.certificates().provider(ProviderCertificateKind::Production).unwrap();
    let expired = mock.certificates().flawed_provider(Flaw::Expired).unwrap();
    let goaway = NotSent::BeyondGoaway { reason: Some(Reason::BadCertificateEnvironment) };
    for (identity, expected) in [(production, Some(goaway)), (expired, None)] {
        let client = builder(&mock, sandbox).credential(by_certificate(&identity)).build().unwrap();
        let outcome = client.send(hello(), device_token(&mock, "sandbox")).await;
        let Outcome::NotSent(why) = outcome else { panic!("{outcome:?}") };
        assert!(why.needs_mending(), "{why:?}");
        if let Some(expected) = expected {
            assert_eq!(why, expected);
        }
    }
}

#[tokio::test]
async fn a_server_that_is_not_trusted_gets_no_request() {
    let mock = MockApns::start().await.unwrap();
    let stranger = MockApns::builder().fresh_ca().start().await.unwrap();
    let endpoint = Endpoint::custom("localhost", stranger.sandbox().port()).unwrap();
    let client =
        Client::builder(endpoint).ca_pem(ca(&mock).as_bytes()).credential(by_key(&mock)).build().unwrap();
    let outcome = client.send(hello(), device_token(&mock, "sandbox")).await;
    let Outcome::NotSent(why @ NotSent::CertificateRefused { .. }) = outcome else { panic!("{outcome:?}") };
    assert!(why.needs_mending());
}

#[tokio::test]
async fn nobody_listening_is_not_sent_and_the_next_push_tries_again() {
    let mock = MockApns::start().await.unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let client = builder(&mock, port).credential(by_key(&mock)).build().unwrap();
    for _ in 0..2 {
        let outcome = client.send(hello(), device_token(&mock, "sandbox")).await;
        let Outcome::NotSent(NotSent::NoConnection { why }) = outcome else { panic!("{outcome:?}") };
        assert!(why.contains(&port.to_string()), "{why}");
    }
}

#[tokio::test]
async fn a_double_that_stops_costs_nothing_that_was_answered_and_a_new_one_is_found() {
    let mock = MockApns::start().await.unwrap();
    let client = client(&mock);
    let token = device_token(&mock, "sandbox");
    assert!(matches!(client.send(hello(), token.clone()).await, Outcome::Accepted(_)));
    mock.stop().await;
    let outcome = client.send(hello(), token).await;
    assert!(matches!(outcome, Outcome::NotSent(NotSent::NoConnection { .. })), "{outcome:?}");
}

#[tokio::test]
async fn silence_ends_at_the_deadline() {
    let mock = MockApns::start().await.unwrap();
    // Takes TCP connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let timeout = Duration::from_millis(300);
    let client = builder(&mock, port).credential(by_key(&mock)).timeout(timeout).build().unwrap();
    let start = std::time::Instant::now();
    let outcome = client.send(hello(), device_token(&mock, "sandbox")).await;
    assert!(matches!(outcome, Outcome::NotSent(_) | Outcome::Ambiguous(Ambiguity::NoAnswer)), "{outcome:?}");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_client_that_cannot_work_is_not_built() {
    let endpoint = Endpoint::sandbox();
    assert_eq!(Client::builder(endpoint.clone()).build().unwrap_err(), BuildError::NoCredential);
    let mock = MockApns::start().await.unwrap();
    let error = Client::builder(endpoint).credential(by_key(&mock)).ca_pem(b"no PEM").build().unwrap_err();
    assert!(error.to_string().contains("BEGIN CERTIFICATE"), "{error}");
}

/// Of many thousands that wait at once, each costs what is said in docs/performance.md: a tight loop over them lives from the cache.
#[tokio::test]
async fn a_push_that_waits_for_its_outcome_takes_little_memory() {
    let mock = MockApns::start().await.unwrap();
    let client = client(&mock);
    let waits = client.send(hello(), device_token(&mock, "sandbox"));
    let words = 256 / size_of::<u64>() * size_of::<usize>();
    assert!(size_of_val(&waits) <= words, "{} bytes", size_of_val(&waits));
    assert!(size_of::<Outcome>() <= 64, "{} bytes", size_of::<Outcome>());
    assert!(matches!(waits.await, Outcome::Accepted(_)));
}
