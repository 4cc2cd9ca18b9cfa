//! What goes wrong for one team goes wrong for nobody else, also under load.

use mock_apns::{Environment, Filter, MockApns, MockTeam, TokenKind};
use tokio::task::JoinSet;

use crate::{
    raw_provider::RawProvider,
    support::{Peer, Seen},
};

const CONNECTIONS: usize = 4;
const ROUNDS: usize = 25;
/// Bad connections that are held open at once: descriptors are few.
const HELD_MAX: usize = 50;
/// Half of what may be under way at once.
const AT_ONCE: usize = 50;

/// A device token of the team.
fn token(team: &MockTeam) -> String {
    let (phone, app) = (mock_apns::DeviceId::parse("phone").unwrap(), team.app().clone());
    team.at_work(|team| {
        team.add_device(phone.clone()).unwrap();
        team.install(&phone, &app, Environment::Sandbox).unwrap();
        team.register(&phone, &app, Environment::Sandbox, TokenKind::App).unwrap().to_string()
    })
}

/// How many of a provider's pushes are answered 200, none of them by a fault.
async fn push_undisturbed(mut peer: Peer, token: String, authorization: String) -> usize {
    let fields = [("authorization", authorization.as_str()), ("apns-topic", "com.example.calm")];
    assert_eq!(peer.answer(&token, &fields, "{}").await.0, 200);
    let mut accepted = 1;
    for _ in 0..ROUNDS {
        peer.seen.clear();
        for _ in 0..AT_ONCE {
            peer.push(&token, &fields, "{}").await;
        }
        let answers = peer.answers(AT_ONCE).await;
        accepted += answers.iter().filter(|(_, status, _)| *status == 200).count();
        assert!(!peer.seen.iter().any(|seen| matches!(seen, Seen::GoAway(..) | Seen::Reset(..) | Seen::End)));
        assert!(!peer.last_fields.iter().any(|(name, _)| name == "mock-apns-fault"));
    }
    accepted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_team_on_its_worst_day_disturbs_no_other() {
    let mock = MockApns::start().await.unwrap();
    let bad: Vec<_> = [
        r#"{"name": "stalls", "match": {"stream": 2}, "every": 3, "action": "stall"}"#,
        r#"{"name": "resets", "match": {"stream": 2}, "every": 2, "action": {"close": {"how": "reset"}}}"#,
        r#"{"name": "goes", "match": {"stream": 2}, "action": {"goaway": {"reason": "Shutdown"}}}"#,
        r#"{"name": "breaks", "action": {"frame": {"kind": "headers-bad-index"}}}"#,
    ]
    .map(|fault| mock.team().fault(fault.parse().unwrap()).unwrap())
    .into();

    let calm = mock.create_team("com.example.calm").unwrap();
    let (token, authorization) = (token(&calm), format!("bearer {}", calm.provider_token().unwrap()));
    let mut load = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let peer = Peer::sandbox(&mock).await;
        load.spawn(push_undisturbed(peer, token.clone(), authorization.clone()));
    }
    let mut stalled = Vec::new(); // and open all the while
    while !load.is_empty() {
        let mut provider = RawProvider::connect(&mock).await;
        provider.push().await;
        provider.until("HEADERS 1 0x5 :status=200").await;
        provider.push().await;
        if stalled.len() == HELD_MAX {
            stalled.remove(0);
        }
        stalled.push(provider);
        if let Some(accepted) = load.try_join_next() {
            assert_eq!(accepted.unwrap(), 1 + ROUNDS * AT_ONCE);
        }
    }
    for fault in bad {
        assert!(fault.fired() > 0, "{fault:?}");
    }
    assert_eq!(calm.records(&Filter::parse("event:fault").unwrap()), [""; 0]);
}
