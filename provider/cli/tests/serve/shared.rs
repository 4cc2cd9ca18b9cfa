//! Three servers on one PostgreSQL.

use std::{collections::BTreeSet, time::Instant};

use mock_apns::Filter;
use serde_json::json;

use crate::{
    databases::Database,
    killed::number,
    process::{APP, House, PATIENCE, Running},
};

/// Leases that a test can wait for: under shorter ones the engine has so little time for a push, a connection included, that a busy machine
/// does not make it. And a pace at which each process is slower than the store: what is shared is the work then, and not
/// the two cores of a machine.
const SETTINGS: &[&str] = &["--lease-seconds", "20", "--in-engine", "400", "--pushes-per-second", "600"];
/// What is claimed at once: less than that nobody can share evenly.
const SHARD: usize = 1000;

#[tokio::test(flavor = "multi_thread")]
async fn c70_three_processes_share_a_campaign_with_one_provider_token_and_take_over_from_one_that_dies() {
    let Some(database) = Database::postgres().await else { return };
    let recipients = number("SHARED_RECIPIENTS", 9000);
    let mut house = House::alone(database).await;
    let server = house.serve();
    house.set_up_app(&server);
    server.terminate();
    server.wait();
    house.register(&house.tokens(recipients)).await;
    let port = house.mock.sandbox().port();
    let servers: Vec<Running> = (0..3).map(|_| house.serve_to(port, SETTINGS)).collect();

    let id = campaign(&house, &servers[0]);
    house.finished(&servers[0], &id).await;
    let taken = house.taken();
    assert_eq!((taken.len(), taken.values().max()), (recipients, Some(&1)), "each once");
    let shares: Vec<usize> = servers.iter().map(|server| house.accepted_by(server)).collect();
    let fair = recipients / 3;
    let off = (fair / 5).max(SHARD);
    assert!(shares.iter().all(|share| share.abs_diff(fair) <= off), "{shares:?} of {recipients}");
    let pushes = house.mock.team().pushes(&Filter::default());
    let tokens: BTreeSet<_> = pushes.iter().filter_map(|push| push.header("authorization")).collect();
    assert_eq!(tokens.len(), 1, "one provider token in all processes");

    let mut servers = servers;
    let before = house.taken().len();
    let id = campaign(&house, &servers[0]);
    let began = Instant::now();
    while house.taken().len() < before + recipients / 3 {
        assert!(began.elapsed() < PATIENCE);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    servers.remove(2).kill();
    let killed_at = Instant::now();
    house.finished(&servers[0], &id).await;
    let taken = house.taken();
    assert_eq!(taken.len(), before + recipients, "nothing is lost");
    let twice: usize = taken.values().map(|times| times - 1).sum();
    eprintln!(
        "{shares:?} of {recipients}; with one killed {twice} twice, over {:?} later",
        killed_at.elapsed()
    );
}

fn campaign(house: &House, server: &Running) -> String {
    let campaign = json!({
        "message": { "payload": { "aps": { "alert": "Hello" } } },
        "audience": { "all": true },
        "campaign": { "label": "shared" },
    });
    let taken =
        house.asked(server, &["notifications", "submit", APP, "--data", &campaign.to_string(), "--json"]);
    taken["id"].as_str().unwrap().to_owned()
}
