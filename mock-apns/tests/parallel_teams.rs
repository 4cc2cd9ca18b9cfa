//! Fifty tests at once against one double, each with a team of its own, see nothing of each other.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "support/control.rs"]
#[expect(dead_code, reason = "what other tests ask")]
mod control;
#[path = "support/mod.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod support;

use std::sync::Arc;

use control::Control;
use futures::future::join_all;
use mock_apns::MockApns;
use serde_json::{Value, json};
use support::Peer;

const TESTS: u32 = 50;
/// Every test uses the same names for everything that it makes, as copies of one test do.
const APP: &str = "com.example.app";
const DEVICE: &str = "phone";

/// What a test suite in any language does, over HTTP and with its own provider.
struct Test {
    number: u32,
    team: String,
    authorization: String,
    token: String,
    control: Control,
    mock: Arc<MockApns>,
}

impl Test {
    async fn begin(number: u32, mock: Arc<MockApns>) -> Self {
        let control = Control::of(&mock);
        let made = control.post("/v1/teams", &json!({"apps": [APP]}).to_string()).await.expect(201);
        let team = made["id"].as_str().unwrap().to_owned();
        let token = json!({"device": DEVICE, "app": APP}).to_string();
        let token = control.post(&format!("/v1/tokens?team={team}"), &token).await.expect(201);
        let key = made["keys"][0]["key-id"].as_str().unwrap();
        let path = format!("/v1/keys/{key}/provider-token?team={team}");
        let issued = control.post(&path, "{}").await.expect(201);
        let authorization = issued["authorization"].as_str().unwrap().to_owned();
        let token = token["token"].as_str().unwrap().to_owned();
        Self { number, team, authorization, token, control, mock }
    }

    async fn get(&self, path: &str) -> Value {
        let joint = if path.contains('?') { '&' } else { '?' };
        self.control.get(&format!("{path}{joint}team={}", self.team)).await.expect(200)
    }

    async fn push(&self, device_token: &str) -> (u16, String) {
        let fields = [("authorization", &*self.authorization), ("apns-topic", APP)];
        let body = json!({"aps": {"alert": format!("test {}", self.number)}}).to_string();
        Peer::sandbox(&self.mock).await.answer(device_token, &fields, &body).await
    }

    /// The alerts that the team has received.
    async fn alerts(&self, path: &str) -> Vec<String> {
        let list = self.get(path).await;
        let all = list["notifications"].as_array().unwrap().iter();
        all.map(|it| it["json"]["aps"]["alert"].as_str().unwrap().to_owned()).collect()
    }

    async fn run(self) -> Self {
        let own = format!("test {}", self.number);
        let (waited, pushed) =
            tokio::join!(self.alerts("/v1/notifications?filter=test&wait=30s"), self.push(&self.token));
        assert_eq!((pushed, waited), ((200, String::new()), vec![own.clone()]));
        // Odd ones live next year, and change a setting.
        if self.number % 2 == 1 {
            let path = format!("/v1/clock/advance?team={}", self.team);
            self.control.post(&path, r#"{"by":"365d"}"#).await.expect(200);
            assert_eq!(self.push(&self.token).await.0, 403, "its provider token is a year old");
            let path = format!("/v1/settings?team={}", self.team);
            self.control.patch(&path, r#"{"unregistered-delay":60}"#).await.expect(200);
        }
        self
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_tests_at_once_see_nothing_of_each_other() {
    let mock = Arc::new(MockApns::start().await.unwrap());
    let tests = join_all((0..TESTS).map(|number| {
        let mock = Arc::clone(&mock);
        tokio::spawn(async move { Test::begin(number, mock).await.run().await })
    }));
    let tests: Vec<Test> = tests.await.into_iter().map(Result::unwrap).collect();

    // Now that all have done all they do, each sees what it would have seen alone.
    for test in &tests {
        let is_odd = test.number % 2 == 1;
        let own = format!("test {}", test.number);
        let pushes = if is_odd { vec![own.clone(), own] } else { vec![own] };
        assert_eq!(test.alerts("/v1/notifications").await, pushes);
        assert_eq!(test.get("/v1/devices").await["devices"].as_array().unwrap().len(), 1);
        assert_eq!(test.get("/v1/tokens").await["tokens"].as_array().unwrap().len(), 1);
        let other = &tests[(test.number as usize + 2) % tests.len()];
        let expected = if is_odd { (403, "ExpiredProviderToken") } else { (400, "BadDeviceToken") };
        let (status, body) = test.push(&other.token).await;
        assert!((status, body.contains(expected.1)) == (expected.0, true), "{status} {body}");
    }
    // A reset and a removal concern one team.
    Control::of(&mock).post(&format!("/v1/reset?team={}", tests[0].team), "").await.expect(204);
    Control::of(&mock).delete(&format!("/v1/teams/{}", tests[2].team)).await.expect(204);
    assert!(tests[0].alerts("/v1/notifications").await.is_empty());
    assert_eq!(tests[4].alerts("/v1/notifications").await.len(), 2);
}
