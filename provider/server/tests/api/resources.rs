//! Tenants, apps, credentials, devices, users, webhooks, tuning.

use std::fs;

use serde_json::{Value, json};

use crate::server::{APP, Server, TOKEN, p8};

const OTHER: &str = "11fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";

fn path(rest: &str) -> String {
    format!("/v1/apps/{APP}{rest}")
}

#[tokio::test]
async fn tenants_share_nothing_not_even_names_of_apps() {
    let server = Server::start().await;
    let operator = server.operator();
    operator.put("/v1/tenants/acme", &json!({ "queue-max": 5 })).await.expect(201);
    operator.put("/v1/tenants/acme", &json!({ "queue-max": 6 })).await.expect(200);
    let acme = operator.clone().field("apns-tenant", "acme");
    acme.put(&path(""), &json!({})).await.expect(201);
    operator.get(&path("")).await.refused(404, "unknown-app");
    operator.put(&path(""), &json!({ "devices-per-user": 3 })).await.expect(201);
    assert_eq!(acme.get(&path("")).await.expect(200)["settings"], json!({}));
    let tenants = operator.get("/v1/tenants").await.expect(200);
    let names: Vec<&Value> = tenants["tenants"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["default", "acme"]);
    assert_eq!(operator.get("/v1/tenants/acme").await.expect(200)["settings"]["queue-max"], 6);
}

#[tokio::test]
async fn lists_go_on_where_a_page_ends() {
    let server = Server::start().await;
    let operator = server.operator();
    for name in ["a", "b", "c"] {
        operator.put(&format!("/v1/apps/com.example.{name}"), &json!({})).await.expect(201);
    }
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let page = operator.get(&format!("/v1/apps?limit=2{after}")).await.expect(200);
        found.extend(page["apps"].as_array().unwrap().iter().map(|app| app["bundle-id"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(found, ["com.example.a", "com.example.b", "com.example.c"]);
}

#[tokio::test]
async fn a_credential_is_checked_encrypted_and_never_given_out() {
    let server = Server::with_app().await;
    let operator = server.operator();
    let shown = operator.get(&path("/credentials")).await.expect(200);
    assert_eq!(shown["credentials"][0]["key-id"], "KEY0000001");
    assert!(!shown.to_string().contains("PRIVATE"), "{shown}");
    let secret = p8();
    operator.put(&path("/credentials/production"), &json!({ "p8": secret })).await.expect(200);
    // The middle of the key's base64, as it would stand in the file.
    let line = secret["key"].as_str().unwrap().lines().nth(1).unwrap().to_owned();
    server.store.close().await;
    for file in fs::read_dir(server.folder().join("data")).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(line.len()).any(|window| window == line.as_bytes()));
    }
}

#[tokio::test]
async fn a_credential_that_cannot_be_used_is_refused_by_its_field() {
    let server = Server::with_app().await;
    let operator = server.operator();
    let mut wrong_ids = p8();
    wrong_ids["key-id"] = json!("short");
    wrong_ids["team-id"] = json!("short");
    for (body, fields) in [
        (json!({}), vec![""]),
        (json!({ "p8": p8(), "pem": "x" }), vec![""]),
        (json!({ "p8": wrong_ids }), vec!["p8.key-id", "p8.team-id"]),
        (json!({ "p8": { "key": "x", "key-id": "KEY0000001", "team-id": "TEAM000001" } }), vec!["p8.key"]),
        (json!({ "p8": { "key": "x", "key-id": "KEY0000001" } }), vec!["p8"]),
        (json!({ "p12": { "file": "!" } }), vec!["p12.file"]),
        (json!({ "p12": { "file": "AAAA", "password": "x" } }), vec!["p12.file"]),
        (json!({ "pem": "x" }), vec!["pem"]),
    ] {
        let refused = operator.put(&path("/credentials/sandbox"), &body).await;
        assert_eq!(refused.wrong_fields("bad-field"), fields, "{body}");
    }
    operator.delete(&path("/credentials/sandbox")).await.expect(204);
    operator.delete(&path("/credentials/sandbox")).await.refused(404, "unknown-credential");
}

#[tokio::test]
async fn a_device_is_registered_moved_to_a_new_token_and_removed() {
    let server = Server::with_app().await;
    let operator = server.operator();
    let device = |token: &str| path(&format!("/devices/{token}"));
    let body = json!({
        "environment": "sandbox", "user": "ada/1 ü", "locale": "de_CH", "time-zone": "Europe/Zurich", "tags": ["news"],
    });
    let added = operator.put(&device(TOKEN), &body).await.expect(201);
    assert_eq!((&added["registered"], &added["device"]["locale"]), (&json!("added"), &json!("de-CH")));
    let mut moved = body.clone();
    moved["previous-token"] = json!(TOKEN);
    let moved = operator.put(&device(OTHER), &moved).await.expect(200);
    assert_eq!(moved["registered"], "token-replaced");
    operator.get(&device(TOKEN)).await.refused(404, "unknown-device");
    operator.get(&format!("{}?environment=production", device(OTHER))).await.refused(404, "unknown-device");
    let found =
        operator.get(&format!("{}?environment=sandbox", device(&OTHER.to_uppercase()))).await.expect(200);
    assert_eq!(found["token"], OTHER);
    let user = path("/users/ada%2F1%20%C3%BC");
    let devices = operator.get(&format!("{user}/devices")).await.expect(200);
    assert_eq!(devices["devices"][0], found);
    assert_eq!(operator.get(&path("/devices")).await.expect(200)["devices"][0], found);
    assert_eq!(operator.delete(&user).await.expect(200), json!({ "devices": 1 }));
    operator.delete(&user).await.refused(404, "unknown-user");
    operator.get(&format!("{user}/devices")).await.refused(404, "unknown-user");
    operator.delete(&device(OTHER)).await.refused(404, "unknown-device");
    operator.put(&device(OTHER), &json!({ "environment": "sandbox" })).await.expect(201);
    operator.delete(&device(OTHER)).await.expect(204);
}

#[tokio::test]
async fn many_devices_are_registered_at_once_or_none() {
    let server = Server::with_app().await;
    let operator = server.operator();
    let batch = path("/devices/batch");
    let device = |token: &str, environment: &str| json!({ "token": token, "registration": { "environment": environment } });
    let wrong = json!({ "devices": [device(TOKEN, "sandbox"), device("xyz", "dev")] });
    let refused = operator.post(&batch, &wrong).await;
    assert_eq!(
        refused.wrong_fields("bad-field"),
        ["devices[1].token", "devices[1].registration.environment"]
    );
    assert_eq!(operator.get(&path("/devices")).await.expect(200)["devices"], json!([]), "none");
    let moved = json!({
        "token": OTHER, "registration": { "environment": "sandbox", "previous-token": TOKEN, "user": "ada" },
    });
    let both = json!({ "devices": [device(TOKEN, "sandbox"), moved] });
    let done = operator.post(&batch, &both).await.expect(200);
    let registered: Vec<&Value> =
        done["registrations"].as_array().unwrap().iter().map(|it| &it["registered"]).collect();
    assert_eq!(registered, ["added", "user-changed"], "as if one came after the other");
    let left = operator.get(&path("/devices")).await.expect(200);
    assert_eq!(left["devices"].as_array().unwrap().len(), 1);
    assert_eq!(left["devices"][0]["token"], OTHER);
}

#[tokio::test]
async fn the_app_says_how_many_devices_a_user_has() {
    let server = Server::with_app().await;
    let operator = server.operator();
    operator.put(&path(""), &json!({ "devices-per-user": 1 })).await.expect(200);
    let body = json!({ "environment": "sandbox", "user": "ada" });
    operator.put(&path(&format!("/devices/{TOKEN}")), &body).await.expect(201);
    let second = operator.put(&path(&format!("/devices/{OTHER}")), &body).await.expect(201);
    assert_eq!(second["removed"], json!([{ "token": TOKEN, "why": "evicted" }]));
}

#[tokio::test]
async fn an_app_is_paused_and_resumed() {
    let server = Server::with_app().await;
    let paused = server.operator().post(&path("/pause"), &json!({})).await.expect(200);
    assert_eq!(paused["is-paused"], true);
    assert_eq!(server.operator().get(&path("")).await.expect(200)["is-paused"], true);
    let resumed = server.operator().post(&path("/resume"), &json!({})).await.expect(200);
    assert_eq!(resumed["is-paused"], false);
}

#[tokio::test]
async fn a_webhook_is_added_changed_and_removed_and_its_secret_told_once() {
    let server = Server::with_app().await;
    let operator = server.operator();
    let new = json!({ "label": "CRM", "url": "https://crm.example/push", "events": ["devices.removed"], "app": APP });
    let added = operator.post("/v1/webhooks", &new).await.expect(201);
    assert!(added["secret"].as_str().unwrap().starts_with("whsec_"), "{added}");
    let one = format!("/v1/webhooks/{}", added["id"].as_str().unwrap());
    let shown = operator.get(&one).await.expect(200);
    assert_eq!(
        (&shown["app"], &shown["is-enabled"], &shown["secret"]),
        (&json!(APP), &json!(true), &Value::Null)
    );
    let test = format!("{one}/test");
    let tested = operator.post(&test, &json!({})).await.expect(202);
    assert!(tested["id"].as_str().unwrap().starts_with("msg_"), "{tested}");
    let mut changed = new.clone();
    changed["is-enabled"] = json!(false);
    assert_eq!(operator.put(&one, &changed).await.expect(200)["is-enabled"], false);
    operator.post(&test, &json!({})).await.refused(409, "conflict");
    for (field, value, fields) in [
        ("url", json!("http://crm.example/"), vec!["url"]),
        ("url", json!("https://me:secret@crm.example/"), vec!["url"]),
        ("url", json!("nowhere"), vec!["url"]),
        ("events", json!([]), vec!["events"]),
        ("events", json!(["everything"]), vec!["events[0]"]),
        ("label", json!(""), vec!["label"]),
        ("app", json!("not an app"), vec!["app"]),
    ] {
        let mut wrong = new.clone();
        wrong[field] = value;
        let refused = operator.post("/v1/webhooks", &wrong).await;
        assert_eq!(refused.wrong_fields("bad-field"), fields, "{wrong}");
    }
    operator.delete(&one).await.expect(204);
    operator.get(&one).await.refused(404, "unknown-webhook");
}

#[tokio::test]
async fn c78_a_webhook_leads_to_a_public_address_unless_the_server_was_told_otherwise() {
    let to = |url: &str| json!({ "label": "CRM", "url": url, "events": ["outcomes"] });
    let (public, private) = (Server::start().await, Server::with(&["--allow-private-webhooks"]).await);
    for url in [
        "https://127.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]:8443/",
        "https://[::ffff:10.0.0.1]/",
        "http://hooks.example/",
    ] {
        let refused = public.operator().post("/v1/webhooks", &to(url)).await;
        assert_eq!(refused.wrong_fields("bad-field"), ["url"], "{url}");
        private.operator().post("/v1/webhooks", &to(url)).await.expect(201);
    }
    public.operator().post("/v1/webhooks", &to("https://1.1.1.1/")).await.expect(201);
}

#[tokio::test]
async fn tuning_is_the_operators_and_has_bounds() {
    let server = Server::start().await;
    let operator = server.operator();
    let before = operator.get("/v1/tuning").await.expect(200);
    let tuned = operator.put("/v1/tuning", &json!({ "pushes-per-second": 500 })).await.expect(200);
    let mut expected = before.clone();
    expected["pushes-per-second"] = json!(500);
    assert_eq!((&tuned, &operator.get("/v1/tuning").await.expect(200)), (&expected, &expected));
    assert_eq!(operator.put("/v1/tuning", &before).await.expect(200), before);
    let wrong = json!({ "connections": 0, "in-engine": 100_001, "pushes-per-second": 0 });
    let refused = operator.put("/v1/tuning", &wrong).await;
    assert_eq!(refused.wrong_fields("bad-field"), ["connections", "in-engine", "pushes-per-second"]);
    assert_eq!(operator.get("/v1/tuning").await.expect(200), before);
}
