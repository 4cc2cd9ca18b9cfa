//! Teams of one double, over real sockets: each parallel test has its own, and sees nothing of the others.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

#[expect(dead_code, reason = "the provider of the wire tests, of which a push is all that is needed here")]
mod support;

use apns_certs::ProviderCertificateKind;
use futures::future::join_all;
use mock_apns::{DeviceId, DeviceState, Environment, MockApns, MockTeam, Status, TokenKind};
use support::Peer;

/// Sends an alert, with the team's own provider token or with the connection's certificate, and sees how it is answered.
async fn push(peer: &mut Peer, authorization: Option<&str>, token: &str) -> (u16, String) {
    let mut fields = vec![("apns-topic", "com.example.app"), ("apns-push-type", "alert")];
    fields.extend(authorization.map(|value| ("authorization", value)));
    peer.answer(token, &fields, r#"{"aps":{"alert":"Hello"}}"#).await
}

/// A device of this team and its token.
fn phone(team: &MockTeam) -> (DeviceId, String) {
    let (phone, app) = (DeviceId::parse("phone").unwrap(), team.app().clone());
    let token = team.at_work(|team| {
        team.add_device(phone.clone()).unwrap();
        team.install(&phone, &app, Environment::Sandbox).unwrap();
        team.register(&phone, &app, Environment::Sandbox, TokenKind::App).unwrap()
    });
    (phone, token.to_string())
}

fn counts(team: &MockTeam) -> [u64; 3] {
    let of = [Status::Received, Status::Delivered, Status::StoredDeviceOffline];
    team.at_work(|team| of.map(|status| team.team().counters().get(status)))
}

#[tokio::test]
async fn fifty_teams_see_nothing_of_each_other() {
    let mock = MockApns::start().await.unwrap();
    let test = async |number: u64| {
        let team = mock.create_team("com.example.app").unwrap();
        let (device, token) = phone(&team);
        let authorization = format!("bearer {}", team.provider_token().unwrap());
        let mut peer = Peer::sandbox(&mock).await;
        for pushes in 0..=number % 5 {
            assert_eq!(push(&mut peer, Some(&authorization), &token).await.0, 200);
            assert_eq!(counts(&team), [pushes + 1, pushes + 1, 0]);
        }
        team.at_work(|team| team.set_device_state(&device, DeviceState::Offline)).unwrap();
        push(&mut peer, Some(&authorization), &token).await;
        assert_eq!(counts(&team), [number % 5 + 2, number % 5 + 1, 1]);
        token
    };
    let mut tokens = join_all((0..50).map(test)).await;
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 50);
    assert_eq!(counts(&mock.team()), [0, 0, 0]);
}

#[tokio::test]
async fn the_token_of_one_team_is_unknown_to_another() {
    let mock = MockApns::start().await.unwrap();
    let [mine, theirs] = [(); 2].map(|()| mock.create_team("com.example.app").unwrap());
    let (_, token) = phone(&theirs);
    let authorization = format!("bearer {}", mine.provider_token().unwrap());
    let mut peer = Peer::sandbox(&mock).await;
    let answer = push(&mut peer, Some(&authorization), &token).await;
    assert_eq!(answer, (400, r#"{"reason":"BadDeviceToken"}"#.to_owned()));
}

#[tokio::test]
async fn a_certificate_is_of_its_team() {
    let mock = MockApns::start().await.unwrap();
    let team = mock.create_team("com.example.app").unwrap();
    let (_, token) = phone(&team);
    let identity = team.certificate(ProviderCertificateKind::Development).unwrap();
    let mut peer = Peer::connect(&mock, mock.sandbox().port(), &[b"h2"], Some(&identity)).await.unwrap();
    assert_eq!(push(&mut peer, None, &token).await.0, 200);
    assert_eq!(counts(&team), [1, 1, 0]);
}

#[tokio::test]
async fn a_team_that_is_removed_may_not_push() {
    let mock = MockApns::start().await.unwrap();
    let team = mock.create_team("com.example.app").unwrap();
    let (_, token) = phone(&team);
    let authorization = format!("bearer {}", team.provider_token().unwrap());
    assert!(mock.remove_team(&team) && !mock.remove_team(&team));
    let mut peer = Peer::sandbox(&mock).await;
    let answer = push(&mut peer, Some(&authorization), &token).await;
    assert_eq!(answer, (403, r#"{"reason":"InvalidProviderToken"}"#.to_owned()));
}
