//! Faults on the wire: each action as a client sees it that hides nothing, through the control API.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

#[path = "../support/control.rs"]
#[expect(dead_code, reason = "what other tests ask")]
mod control;
#[path = "../support/raw_provider.rs"]
mod raw_provider;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "the provider of the wire tests, which does not let itself be broken")]
mod support;

mod answers;
mod api;
mod broken_frames;
mod connections;
mod doc;
mod door;
mod framing;
mod isolation;
mod streams;

use control::Control;
use mock_apns::MockApns;
use raw_provider::RawProvider;

/// A double where this goes wrong, and a provider that has pushed once before it did.
async fn world(fault: &str) -> (MockApns, RawProvider) {
    let mock = MockApns::start().await.unwrap();
    let mut provider = RawProvider::connect(&mock).await;
    provider.push().await;
    provider.until("HEADERS 1").await;
    provider.seen.clear();
    Control::of(&mock).post("/v1/faults", fault).await.expect(201);
    (mock, provider)
}

/// A fault called `f` that always fires.
fn always(action: &str) -> String {
    format!(r#"{{"name": "f", "action": {action}}}"#)
}

/// The lines that one push brings about with a fault, up to one that begins like this.
async fn push_with(action: &str, until: &str) -> Vec<String> {
    let (_mock, mut provider) = world(&always(action)).await;
    provider.push().await;
    provider.until(until).await;
    provider.told().into_iter().map(str::to_owned).collect()
}
