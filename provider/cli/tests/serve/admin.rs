use serde_json::json;

use crate::databases::on_both;
use crate::process::{APP, House, admin};

on_both! { House:
    c80_admin_asks_a_server_that_started_with_nothing_and_its_exit_codes_say_how_it_went,
    c80_dead_letters_are_looked_at_and_sent_again,
}

async fn c80_admin_asks_a_server_that_started_with_nothing_and_its_exit_codes_say_how_it_went(
    mut house: House,
) {
    let server = house.serve();
    house.set_up_app(&server);
    let apps = house.asked(&server, &["apps", "list", "--json"]);
    assert_eq!(apps["apps"][0]["bundle-id"], APP);
    let table = house.admin(&server, &["apps", "list"]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.starts_with("bundle-id") && table.contains(APP), "{table}");

    let refused = house.admin(&server, &["apps", "get", "com.example.other"]);
    let why = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{why}");
    assert!(why.contains("com.example.other") && why.contains("unknown-app"), "{why}");
    let wrong = house.admin(&server, &["notifications", "submit", APP, "--data", r#"{"messages":{}}"#]);
    let why = String::from_utf8(wrong.stderr).unwrap();
    assert!(wrong.status.code() == Some(1) && why.contains("messages"), "{why}");

    let nobody = admin(&server.url, "apns_wrong", &["apps", "list"]);
    assert_eq!(nobody.status.code(), Some(1));
    let nowhere = admin("http://127.0.0.1:1", "apns_wrong", &["apps", "list"]);
    let why = String::from_utf8(nowhere.stderr).unwrap();
    assert_eq!(nowhere.status.code(), Some(3), "{why}");
    assert!(why.contains("127.0.0.1:1") && why.contains("apns-provider serve"), "{why}");
}

async fn c80_dead_letters_are_looked_at_and_sent_again(mut house: House) {
    let server = house.serve();
    house.set_up_app(&server);
    let tokens = house.tokens(1);
    let team = house.mock.team();
    let fault = r#"{"name":"topic","action":{"answer":{"status":400,"reason":"TopicDisallowed"}}}"#;
    let fault = team.fault(fault.parse().unwrap()).unwrap();
    let push = crate::process::to_tokens(&tokens);
    let id = house.asked(&server, &["notifications", "submit", APP, "--data", &push, "--json"]);
    house.finished(&server, id["id"].as_str().unwrap()).await;
    let letters = house.asked(&server, &["dead-letters", "list", APP, "--json"]);
    assert_eq!(letters["dead-letters"].as_array().unwrap().len(), 1, "{letters}");
    assert!(letters.to_string().contains("TopicDisallowed"), "{letters}");
    drop(fault);
    let all = json!({ "ids": [letters["dead-letters"][0]["id"]] }).to_string();
    let again = house.asked(&server, &["dead-letters", "replay", APP, "--data", &all, "--json"]);
    house.finished(&server, again["notifications"][0].as_str().unwrap()).await;
    assert_eq!(house.taken().len(), 1);
}
