//! Scenarios: each of the library as a provider sees it on the wire, and how they are listed, shown and played.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

#[path = "../support/control.rs"]
#[expect(dead_code, reason = "what other tests ask")]
mod control;
#[path = "../support/raw_provider.rs"]
#[expect(dead_code, reason = "what the tests of faults ask of it")]
mod raw_provider;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "what other tests do on the wire")]
mod support;

mod api;
mod connections;
mod door;
mod hostile;
mod pushes;

use std::time::{SystemTime, UNIX_EPOCH};

use control::Control;
use mock_apns::MockApns;
use raw_provider::RawProvider;
use support::{Peer, sign};

const ALERT: &str = r#"{"aps":{"alert":"Hello"}}"#;

/// A double on whose ready-made team a scenario is played, and a provider.
struct World {
    mock: MockApns,
    control: Control,
    peer: Peer,
    bearer: String,
}

/// A scenario of the library is played, by HTTP.
async fn played(name: &str) -> World {
    let mock = MockApns::start().await.unwrap();
    let control = Control::of(&mock);
    play(control, name).await;
    let (peer, bearer) = (Peer::sandbox(&mock).await, bearer(&mock, 0, 0));
    World { mock, control, peer, bearer }
}

/// The same, with a provider that was connected before.
async fn at_door(name: &str) -> World {
    let mock = MockApns::start().await.unwrap();
    let control = Control::of(&mock);
    let (peer, bearer) = (Peer::sandbox(&mock).await, bearer(&mock, 0, 0));
    play(control, name).await;
    World { mock, control, peer, bearer }
}

async fn play(control: Control, name: &str) {
    let played = control.post(&format!("/v1/scenarios/{name}/play"), "").await.expect(200);
    assert_eq!(played["name"], name);
}

/// The same for a provider that sees every frame.
async fn raw(name: &str) -> (MockApns, RawProvider) {
    let World { mock, .. } = played(name).await;
    let provider = RawProvider::connect(&mock).await;
    (mock, provider)
}

/// `bearer …` of one of the ready-made keys, issued so many seconds from now.
fn bearer(mock: &MockApns, key: usize, ahead: i64) -> String {
    let team = mock.ready_made();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed();
    let claims = format!(r#"{{"iss":"{}","iat":{}}}"#, team.team_id, now + ahead);
    let header = format!(r#"{{"alg":"ES256","kid":"{}"}}"#, team.keys[key].key_id);
    format!("bearer {}", sign(&team.keys[key].key, &header, &claims))
}

impl World {
    /// A good alert to the phone: its status and body.
    async fn push(&mut self) -> (u16, String) {
        self.push_with(&[("apns-push-type", "alert")], ALERT).await
    }

    async fn push_with(&mut self, fields: &[(&str, &str)], body: &str) -> (u16, String) {
        let token = self.mock.ready_made().device_token("sandbox").unwrap().token.clone();
        let usual = [("authorization", self.bearer.as_str()), ("apns-topic", "com.example.app")];
        self.peer.answer(&token, &[&usual, fields].concat(), body).await
    }

    /// The same on a connection of its own.
    async fn push_as(&mut self, bearer: String) -> (u16, String) {
        self.bearer = bearer;
        self.peer = Peer::sandbox(&self.mock).await;
        self.push().await
    }

    async fn advance(&self, by: &str) {
        self.control.post("/v1/clock/advance", &format!(r#"{{"by":"{by}"}}"#)).await.expect(200);
    }

    /// How many entries the journal has of pushes of this status.
    async fn count(&self, status: &str) -> usize {
        let status = status.replace(' ', "%20");
        let page = self.control.get(&format!("/v1/events?filter=status:%22{status}%22")).await.expect(200);
        page["events"].as_array().unwrap().len()
    }
}

fn ok() -> (u16, String) {
    (200, String::new())
}

fn refused(status: u16, reason: &str) -> (u16, String) {
    (status, format!(r#"{{"reason":"{reason}"}}"#))
}

#[test]
fn every_scenario_of_the_library_is_seen_on_the_wire() {
    let tests = [
        include_str!("connections.rs"),
        include_str!("door.rs"),
        include_str!("pushes.rs"),
        include_str!("hostile.rs"),
    ]
    .concat();
    for ready in mock_apns::scenarios::all() {
        let name = ready.name();
        let is_played =
            ["played", "at_door", "raw"].iter().any(|by| tests.contains(&format!("{by}(\"{name}\")")));
        assert!(is_played, "no test plays {name}");
    }
}
