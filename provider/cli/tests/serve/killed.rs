//! kill -9, at any moment.

use std::{
    collections::BTreeMap,
    env,
    time::{Duration, Instant},
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

use crate::databases::on_both;
use crate::process::{APP, House, to_tokens};

on_both! { House:
    c68_what_was_taken_survives_kill_9,
    c70_kill_9_at_any_moment_of_a_campaign_loses_nothing,
}

/// What is said of how it went, and how often and of how many: `cargo test` has a small one, and docs/provider-server.md says how to run
/// the large one.
pub(crate) fn number(name: &str, usual: usize) -> usize {
    env::var(name).ok().map_or(usual, |text| text.parse().unwrap())
}

async fn c68_what_was_taken_survives_kill_9(mut house: House) {
    let server = house.serve_to(1, LEASE);
    house.set_up_app(&server);
    let tokens = house.tokens(5);
    let push = to_tokens(&tokens);
    let ids: Vec<Value> = (0..5)
        .map(|_| house.asked(&server, &["notifications", "submit", APP, "--data", &push, "--json"]))
        .collect();
    server.kill();
    let server = house.serve_to(house.mock.sandbox().port(), LEASE);
    for id in ids {
        house.finished(&server, id["id"].as_str().unwrap()).await;
    }
    assert_eq!(house.taken().len(), 25);
}

/// Every recipient of a campaign ends with one outcome, whenever the server is killed; twice on the wire is only what had no stored outcome.
async fn c70_kill_9_at_any_moment_of_a_campaign_loses_nothing(mut house: House) {
    let recipients = number("KILLED_RECIPIENTS", 6000);
    let kills = number("KILLED_TIMES", 4);
    let seed = number("KILLED_SEED", 8);
    let mut random = StdRng::seed_from_u64(seed as u64);
    let server = house.serve();
    house.set_up_app(&server);
    server.terminate();
    server.wait();
    let tokens = house.tokens(recipients);
    house.register(&tokens).await;

    // So fast that it is not over when the last server is killed; and each claims a thousand, so that there is something left for the next.
    let pace = (recipients * 1000 / (kills * LONGEST_LIFE_MS)).max(1).to_string();
    let settings = [LEASE, &["--in-engine", "400", "--pushes-per-second", &pace]].concat();
    let mut server = house.serve_to(house.mock.sandbox().port(), &settings);
    let campaign = json!({
        "message": { "payload": { "aps": { "alert": "Hello" } } },
        "audience": { "all": true },
        "campaign": { "label": "killed" },
    });
    let taken =
        house.asked(&server, &["notifications", "submit", APP, "--data", &campaign.to_string(), "--json"]);
    let id = taken["id"].as_str().unwrap().to_owned();
    let (began, mut in_its_midst) = (Instant::now(), 0);
    for _ in 0..kills {
        tokio::time::sleep(Duration::from_millis(random.random_range(20..LONGEST_LIFE_MS as u64))).await;
        let told = house.asked(&server, &["notifications", "get", APP, &id, "--json"]);
        in_its_midst += usize::from(told["state"] != "finished");
        server.kill();
        server = house.serve_to(house.mock.sandbox().port(), &settings);
    }
    assert_eq!(in_its_midst, kills, "it was over before the last kill");
    let told = house.finished(&server, &id).await;
    let took = began.elapsed();
    let outcomes = outcomes(&house, &server, &id);
    assert_eq!(outcomes.len(), recipients, "{told}");
    assert!(outcomes.values().all(|times| *times == 1), "one outcome each");
    let on_the_wire = house.taken();
    assert_eq!(on_the_wire.len(), recipients, "each was sent");
    let twice: usize = on_the_wire.values().map(|times| times - 1).sum();
    eprintln!(
        "{recipients} recipients, {kills} kills, seed {seed}: {took:?}, {twice} pushes more than once on the wire"
    );
}

/// Every outcome of a notification, by recipient: how often.
fn outcomes(house: &House, server: &crate::process::Running, id: &str) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    let mut after: Option<String> = None;
    loop {
        let mut arguments = vec!["notifications", "outcomes", APP, id, "--json", "--limit", "1000"];
        if let Some(after) = &after {
            arguments.extend(["--after", after]);
        }
        let page = house.asked(server, &arguments);
        for outcome in page["outcomes"].as_array().unwrap() {
            *all.entry(outcome["apns-id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        match page["next"].as_str() {
            Some(next) => after = Some(next.to_owned()),
            None => return all,
        }
    }
}

/// A server lives that long, and half of it as a rule.
const LONGEST_LIFE_MS: usize = 1500;
/// Leases that a test can wait for.
const LEASE: &[&str] = &["--lease-seconds", "10"];
