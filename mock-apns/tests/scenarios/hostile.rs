//! The profile hostile: chaos by chance that its seed decides.

use mock_apns::{MockApns, Profile};
use serde_json::{Value, json};

use crate::{Control, RawProvider, played, raw_provider::PATIENCE};

/// What the journal has after a provider has pushed so often, one push after the other, each time on a new connection when it was
/// told to leave the one before; and which faults have fired.
async fn run(seed: u64, pushes: usize) -> (Vec<Value>, Vec<String>) {
    let mock = MockApns::builder().profile(Profile::Hostile).seed(seed).start().await.unwrap();
    let control = Control::of(&mock);
    // A time that stands still, and to which the provider's tokens fit.
    let now = control.get("/v1/clock").await.expect(200)["now"].as_u64().unwrap();
    control.put("/v1/clock", &json!({"mode": "manual", "now": now + 60_000}).to_string()).await.expect(200);

    let mut provider = RawProvider::connect(&mock).await;
    for _ in 0..pushes {
        if provider.is_over() || provider.seen.iter().any(|line| line.starts_with("GOAWAY")) {
            provider = RawProvider::connect(&mock).await;
        }
        provider.push().await;
        provider.send_frame(6, 0, 0, b"and now?").await;
        // Whatever the push comes to has been decided once this is answered, even if the answer takes longer, or never comes.
        let acknowledged = |seen: &[String]| seen.iter().any(|line| line == "PING 0x1 and now?");
        provider.until_all(acknowledged).await;
        provider.seen.retain(|line| line != "PING 0x1 and now?");
    }
    let page = control.get("/v1/events?filter=event:fault,notification&limit=1000").await.expect(200);
    let mut events = page["events"].as_array().unwrap().clone();
    let start = now + 60_000;
    for event in &mut events {
        // The time is that of the run.
        assert_eq!(event["at"], start, "{event}");
        event["at"] = Value::Null;
    }
    let fired = events.iter().filter_map(|event| event["fault"].as_str().map(str::to_owned)).collect();
    (events, fired)
}

#[tokio::test]
async fn one_seed_gives_the_same_journal_and_another_gives_another() {
    let (first, fired) = run(7, 150).await;
    assert!(fired.len() > 15, "{fired:?}");
    assert_eq!(run(7, 150).await.0, first);
    assert_ne!(run(8, 150).await.1, fired);
}

#[tokio::test]
async fn whoever_tries_again_brings_every_push_to_its_end() {
    let mock = MockApns::builder().profile(Profile::Hostile).seed(1).start().await.unwrap();
    let mut provider = RawProvider::connect(&mock).await;
    let mut accepted = 0;
    let trying = async {
        while accepted < 60 {
            if provider.is_over() || provider.seen.iter().any(|line| line.starts_with("GOAWAY")) {
                provider = RawProvider::connect(&mock).await;
            }
            let stream = provider.push().await;
            let headers = format!("HEADERS {stream} ");
            let end = format!("RST_STREAM {stream} ");
            let ended = |seen: &[String]| {
                seen.iter().any(|it| {
                    (it.starts_with(&headers) && !it.contains(":status=103"))
                        || it.starts_with(&end)
                        || it.starts_with("GOAWAY")
                })
            };
            // A push without an answer is given up, and sent again.
            let answered =
                tokio::time::timeout(std::time::Duration::from_secs(4), provider.until_all(ended)).await;
            let seen = answered.unwrap_or_default();
            accepted +=
                usize::from(seen.iter().any(|it| it.starts_with(&headers) && it.contains(":status=200")));
        }
    };
    tokio::time::timeout(3 * PATIENCE, trying).await.expect("the chaos is survived");
}

#[tokio::test]
async fn a_reset_of_everything_lets_it_begin_anew_and_its_faults_are_everyones() {
    let mock = MockApns::builder().profile(Profile::Hostile).start().await.unwrap();
    let control = Control::of(&mock);
    let faults = async || {
        control.get("/v1/faults?everyone=true").await.expect(200)["faults"].as_array().unwrap().len()
    };
    let all = faults().await;
    assert!(all > 15, "{all}");
    control.delete("/v1/faults?everyone=true").await.expect(200);
    assert_eq!(faults().await, 0);
    control.post("/v1/reset?all=true", "").await.expect(204);
    assert_eq!(faults().await, all);
}

#[tokio::test]
async fn for_one_team_it_is_a_scenario() {
    let world = played("hostile").await;
    let mine = world.control.get("/v1/faults").await.expect(200);
    assert!(mine["faults"].as_array().unwrap().len() > 15);
    let everyones = world.control.get("/v1/faults?everyone=true").await.expect(200);
    assert_eq!(everyones["faults"], json!([]));
}
