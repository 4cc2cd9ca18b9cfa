//! The control API over its socket: what each resource does, and what is said when it cannot.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "support/control.rs"]
mod control;

use control::Control;
use http::Method;
use mock_apns::MockApns;
use serde_json::json;

async fn start() -> (MockApns, Control) {
    let mock = MockApns::start().await.unwrap();
    let control = Control::of(&mock);
    (mock, control)
}

#[tokio::test]
async fn it_says_what_runs_where() {
    let (mock, control) = start().await;
    let info = control.get("/v1/info").await.expect(200);
    assert_eq!(info["sandbox"]["url"], format!("https://localhost:{}", mock.sandbox().port()));
    assert_eq!((&info["team"], &info["seed"]), (&json!("MOCKTEAM01"), &json!(0)));
    assert_eq!(control.get("/readyz").await.expect(200), json!({"ready": true}));
    assert_eq!(control.get("/livez").await.status, 200);
}

#[tokio::test]
async fn a_team_is_made_with_a_key_and_an_app_and_is_removed_with_both() {
    let (_mock, control) = start().await;
    let team = control.post("/v1/teams", "").await.expect(201);
    assert_eq!(team["apps"][0]["bundle-id"], "com.example.app");
    let (id, key) = (team["id"].as_str().unwrap(), team["keys"][0]["key-id"].as_str().unwrap());
    assert!(team["keys"][0]["p8"].as_str().unwrap().contains("PRIVATE KEY"));
    assert_eq!(control.get(&format!("/v1/teams/{id}")).await.expect(200), team);
    let p8 = control.get(&format!("/v1/keys/{key}/key.p8?team={id}")).await;
    assert_eq!(p8.text, team["keys"][0]["p8"].as_str().unwrap());
    assert_eq!(control.get("/v1/teams").await.expect(200), json!({"teams": ["MOCKTEAM01", id]}));

    assert_eq!(control.delete(&format!("/v1/teams/{id}")).await.status, 204);
    let (code, message) = control.get(&format!("/v1/teams/{id}")).await.error(404);
    assert_eq!((&*code, message), ("unknown-team", format!("there is no team {id}")));
    assert_eq!(control.delete("/v1/teams/MOCKTEAM01").await.error(409).0, "conflict");
}

#[tokio::test]
async fn a_registration_needs_one_call() {
    let (_mock, control) = start().await;
    let token = control.post("/v1/tokens", r#"{"device":"alice"}"#).await.expect(201);
    assert_eq!((&token["topic"], &token["status"]), (&json!("com.example.app"), &json!("active")));
    let again = control.post("/v1/tokens", r#"{"device":"alice","app":"com.example.app"}"#).await.expect(201);
    assert_eq!(again, token);
    let device = control.get("/v1/devices/alice").await.expect(200);
    assert_eq!(device["apps"][0]["tokens"][0]["token"], token["token"]);
    assert_eq!(device["state"], "online");

    let own = r#"{"device":"alice","kind":"voip","environment":"production","token":"00ff00ff"}"#;
    let own = control.post("/v1/tokens", own).await.expect(201);
    assert_eq!((&own["token"], &own["topic"]), (&json!("00ff00ff"), &json!("com.example.app.voip")));
    let activity =
        control.post("/v1/tokens", r#"{"device":"alice","start-activity":true}"#).await.expect(201);
    assert_eq!((&activity["kind"], &activity["activity"]), (&json!("live-activity"), &json!(1)));
}

#[tokio::test]
async fn a_token_dies_and_lives_again_as_a_test_wants_it() {
    let (_mock, control) = start().await;
    let token = control.post("/v1/tokens", r#"{"device":"alice"}"#).await.expect(201);
    let path = format!("/v1/tokens/{}", token["token"].as_str().unwrap());
    let dead = control.patch(&path, r#"{"status":"unregistered","since":1700000000000}"#).await.expect(200);
    assert_eq!((&dead["status"], &dead["since"]), (&json!("unregistered"), &json!(1_700_000_000_000_u64)));
    assert_eq!(control.patch(&path, r#"{"status":"active"}"#).await.expect(200), token);
    assert_eq!(control.delete(&path).await.status, 204);
    assert_eq!(control.get("/v1/devices/alice").await.expect(200)["apps"][0]["tokens"], json!([]));
    assert_eq!(control.delete(&path).await.error(400).0, "bad-value"); // it is not registered any more
}

#[tokio::test]
async fn a_device_goes_offline_and_changes_its_tokens() {
    let (_mock, control) = start().await;
    control.post("/v1/devices", r#"{"name":"bob","state":"power-saving"}"#).await.expect(201);
    let device =
        control.put("/v1/devices/bob/apps/com.example.app", r#"{"permission":false}"#).await.expect(200);
    assert_eq!(
        device["apps"],
        json!([{"bundle-id": "com.example.app", "environment": "sandbox", "permission": false, "tokens": [], "stored": null}])
    );
    let former = control.post("/v1/tokens", r#"{"device":"bob"}"#).await.expect(201);
    assert_eq!(control.post("/v1/devices/bob/new-tokens", r#"{"cause":"restore"}"#).await.status, 204);
    let newer = control.post("/v1/tokens", r#"{"device":"bob"}"#).await.expect(201);
    assert_ne!(newer["token"], former["token"]);
    assert_eq!(
        control.patch("/v1/devices/bob", r#"{"state":"offline"}"#).await.expect(200)["state"],
        "offline"
    );
    assert_eq!(control.delete("/v1/devices/bob/apps/com.example.app").await.status, 204);
    assert_eq!(control.get("/v1/devices/bob/screen").await.expect(200)["threads"], json!([]));
    assert_eq!(control.delete("/v1/devices/bob").await.status, 204);
    assert_eq!(control.get("/v1/devices/bob").await.error(404).0, "unknown-device");
}

#[tokio::test]
async fn devices_are_listed_page_by_page() {
    let (_mock, control) = start().await;
    let team = control.post("/v1/teams", "").await.expect(201)["id"].as_str().unwrap().to_owned();
    for number in 0..5 {
        let body = format!(r#"{{"name":"device-{number}"}}"#);
        control.post(&format!("/v1/devices?team={team}"), &body).await.expect(201);
    }
    let (mut seen, mut path) = (Vec::new(), format!("/v1/devices?team={team}&limit=2"));
    loop {
        let page = control.get(&path).await.expect(200);
        seen.extend(page["devices"].as_array().unwrap().iter().map(|device| device["name"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/devices?team={team}&limit=2&after={next}");
    }
    assert_eq!(seen, ["device-0", "device-1", "device-2", "device-3", "device-4"]);
    let (code, message) = control.get(&format!("/v1/devices?team={team}&after=nobody")).await.error(400);
    assert_eq!(
        (&*code, message),
        ("bad-cursor", format!("parameter after: the team {team} has no device nobody"))
    );
}

#[tokio::test]
async fn a_clock_is_set_and_advanced_and_tells_what_fired() {
    let (_mock, control) = start().await;
    let before = control.get("/v1/clock").await.expect(200)["now"].as_u64().unwrap();
    let advanced = control.post("/v1/clock/advance", r#"{"by":"28d"}"#).await.expect(200);
    assert!(advanced["now"].as_u64().unwrap() >= before + 28 * 86_400_000);
    assert_eq!(advanced["fired"][0]["event"], "clock");
    let now = advanced["now"].as_u64().unwrap() + 60_000;
    let set = control.put("/v1/clock", &json!({"mode": "manual", "now": now}).to_string()).await.expect(200);
    assert_eq!((&set["mode"], set["now"].as_u64()), (&json!("manual"), Some(now)));
    assert_eq!(control.get("/v1/clock").await.expect(200)["now"].as_u64(), Some(now));
    let (code, message) = control.put("/v1/clock", r#"{"mode":"manual","now":1}"#).await.error(409);
    assert!(code == "conflict" && message.contains("cannot go back to 1"), "{code}: {message}");
    assert_eq!(control.put("/v1/clock", r#"{"mode":"machine"}"#).await.expect(200)["mode"], "machine");
}

#[tokio::test]
async fn settings_change_together_or_not_at_all() {
    let (_mock, control) = start().await;
    let changed =
        control.patch("/v1/settings", r#"{"future-iat":"accept","unregistered-delay":60}"#).await.expect(200);
    assert_eq!(changed["settings"][0]["value"], "accept");
    let (code, message) = control
        .patch("/v1/settings", r#"{"string-iat":"InvalidProviderToken","colour":"red"}"#)
        .await
        .error(400);
    assert!(code == "bad-field" && message.contains("\"colour\""), "{code}: {message}");
    let settings = control.get("/v1/settings").await.expect(200);
    let of = |name: &str| {
        settings["settings"].as_array().unwrap().iter().find(|it| it["name"] == name).unwrap()["value"]
            .clone()
    };
    assert_eq!((of("string-iat"), of("unregistered-delay")), (json!("accept"), json!("60")));
}

#[tokio::test]
async fn certificates_good_and_bad_are_made_for_whoever_asks() {
    let (mock, control) = start().await;
    let ca = control.get("/v1/certificates/ca.pem").await;
    assert_eq!(ca.text, mock.certificates().authority().root_pem(apns_certs::Purpose::Server));
    assert_eq!(ca.headers["content-type"], "application/x-pem-file");
    let list = control.get("/v1/certificates").await.expect(200);
    for file in
        list["certificates"].as_array().unwrap().iter().flat_map(|kind| kind["files"].as_array().unwrap())
    {
        let file = file.as_str().unwrap();
        if file.contains(".pem") {
            assert_eq!(control.get(&format!("/v1/certificates/{file}")).await.status, 200, "{file}");
        }
    }
    assert_eq!(control.get("/v1/certificates/server.pem").await.error(404).0, "unknown-certificate");
}

#[tokio::test]
async fn wrong_input_of_each_kind_is_named() {
    let (_mock, control) = start().await;
    for (method, path, body, status, code, named) in [
        (Method::POST, "/v1/teams", r#"{"colour":1}"#, 400, "bad-field", "unknown field `colour`"),
        (Method::POST, "/v1/teams", r#"{"id":7}"#, 400, "bad-field", "field id: invalid type: integer `7`"),
        (Method::POST, "/v1/teams", r#"{"id":"short"}"#, 400, "bad-field", "\"short\" is not a team ID"),
        (Method::POST, "/v1/teams", "{", 400, "bad-json", "line 1"),
        (Method::POST, "/v1/teams", r#"{"apps":["two words"]}"#, 400, "bad-field", "two words"),
        (Method::POST, "/v1/teams", r#"{"id":"MOCKTEAM01"}"#, 409, "conflict", "MOCKTEAM01"),
        (Method::GET, "/v1/clock?team=NOSUCHTEAM", "", 404, "unknown-team", "NOSUCHTEAM"),
        (Method::GET, "/v1/clock?colour=1", "", 400, "bad-parameter", "unknown field `colour`"),
        (Method::GET, "/v1/devices?limit=0", "", 400, "bad-parameter", "0 is not 1 to 1000"),
        (Method::GET, "/v1/devices?limit=many", "", 400, "bad-parameter", "parameter limit: invalid digit"),
        (Method::GET, "/v1/devices/nobody", "", 404, "unknown-device", "nobody"),
        (Method::GET, "/v1/tokens/xyz", "", 400, "bad-parameter", "hexadecimal"),
        (Method::GET, "/v1/tokens/00ff", "", 404, "unknown-token", "00ff"),
        (Method::POST, "/v1/tokens", "{}", 400, "bad-field", "missing field `device`"),
        (Method::POST, "/v1/tokens", r#"{"device":"a","app":"no.such"}"#, 404, "unknown-app", "no.such"),
        (
            Method::POST,
            "/v1/tokens",
            r#"{"device":"a","kind":"alert"}"#,
            400,
            "bad-field",
            "\"alert\" is not one of app, voip",
        ),
        (
            Method::POST,
            "/v1/clock/advance",
            r#"{"by":"soon"}"#,
            400,
            "bad-field",
            "\"soon\" is not a duration",
        ),
        (Method::POST, "/v1/clock/advance", "{}", 400, "bad-field", "missing field `by`"),
        (Method::POST, "/v1/keys", r#"{"apps":["a.b"]}"#, 400, "bad-value", "add `environment`"),
        (Method::POST, "/v1/keys", r#"{"p8":"no key","key-id":"ABCDEFGHIJ"}"#, 400, "bad-value", "key"),
        (Method::PATCH, "/v1/keys/MOCKKEY001", r#"{"revoked":false}"#, 400, "bad-value", "stays revoked"),
        (Method::GET, "/v1/keys/NOSUCHKEY0", "", 404, "unknown-key", "NOSUCHKEY0"),
        (Method::GET, "/v1/apps/no.such", "", 404, "unknown-app", "no.such"),
        (Method::GET, "/v1/nothing", "", 404, "unknown-path", "/v1/nothing"),
        (Method::DELETE, "/v1/clock", "", 405, "method-not-allowed", "DELETE"),
    ] {
        let (found, message) = control.ask(method.clone(), path, &[], body).await.error(status);
        assert_eq!(found, code, "{method} {path} {body}: {message}");
        assert!(message.contains(named), "{method} {path} {body}: {message}");
    }
}

#[tokio::test]
async fn a_body_of_100_megabytes_is_refused_by_name() {
    let (_mock, control) = start().await;
    let (code, message) = control.post("/v1/teams", &" ".repeat(100_000_000)).await.error(413);
    assert_eq!(
        (&*code, &*message),
        ("body-too-large", "the body is 100000000 bytes, and may be 1048576 bytes")
    );
}

#[tokio::test]
async fn who_may_not_ask_is_told_so() {
    let mock = MockApns::builder().control_token("secret").start().await.unwrap();
    let control = Control::of(&mock);
    let ask = |fields: &'static [(&str, &str)]| control.ask(Method::GET, "/v1/info", fields, "");
    assert_eq!(ask(&[]).await.error(401).0, "unauthorized");
    assert_eq!(ask(&[("authorization", "Bearer secret")]).await.status, 200);
    assert_eq!(
        ask(&[("host", "evil.example"), ("authorization", "Bearer secret")]).await.error(403).0,
        "forbidden-host"
    );
    let fields = &[("origin", "https://evil.example"), ("authorization", "Bearer secret")];
    assert_eq!(ask(fields).await.error(403).0, "forbidden-origin");
    assert_eq!(control.get("/readyz").await.status, 200);
    assert!(
        ask(&[("authorization", "Bearer secret")]).await.headers.get("access-control-allow-origin").is_none()
    );
}

#[tokio::test]
async fn a_push_is_explained_without_being_sent() {
    let (mock, control) = start().await;
    let token = &mock.ready_made().device_tokens[0].token;
    let bearer = control.post("/v1/keys/MOCKKEY001/provider-token", "").await.expect(201);
    let ask = |token: &str| {
        json!({
            "device-token": token,
            "headers": {"Authorization": bearer["authorization"], "apns-topic": "com.example.app"},
            "payload": {"aps": {"alert": "Hello"}},
        })
    };
    let good = control.post("/v1/explain", &ask(token).to_string()).await.expect(200);
    assert_eq!(
        (&good["answer"]["status"], &good["summary"]),
        (&json!(200), &json!("200: every rule holds."))
    );
    let bad = control.post("/v1/explain", &ask("00ff").to_string()).await.expect(200);
    let failed: Vec<_> =
        bad["rules"].as_array().unwrap().iter().filter(|rule| rule["outcome"] == "failed").collect();
    assert_eq!((failed.len(), &failed[0]["reason"]), (1, &json!("BadDeviceToken")));
    assert!(failed[0]["usual-mistake"].is_string() && failed[0]["source"].is_string(), "{}", failed[0]);

    let certificate = control.get("/v1/certificates/provider-production.pem").await;
    let asked = json!({"device-token": token, "certificate": certificate.text, "environment": "sandbox"});
    let sent_away = control.post("/v1/explain", &asked.to_string()).await.expect(200);
    assert_eq!(sent_away["answer"]["goaway"], true, "{sent_away}");
    for (body, named) in [
        (r#"{"path":"/","device-token":"00"}"#, "`path` and `device-token`"),
        (r#"{"certificate":"none"}"#, "field certificate"),
        (r#"{"headers":{"a":1}}"#, "field headers"),
    ] {
        let (_, message) = control.post("/v1/explain", body).await.error(400);
        assert!(message.contains(named), "{body}: {message}");
    }
}

#[tokio::test]
async fn settings_to_paste_are_there_for_each_client() {
    let (_mock, control) = start().await;
    let team = control.post("/v1/teams", "").await.expect(201);
    let (id, key) = (team["id"].as_str().unwrap(), team["keys"][0]["key-id"].as_str().unwrap());
    let token = control.post(&format!("/v1/tokens?team={id}"), r#"{"device":"a"}"#).await.expect(201);
    for client in mock_apns::client_settings::Client::ALL {
        let name = client.name();
        let settings = control.get(&format!("/v1/teams/{id}/settings/{name}")).await;
        assert_eq!(settings.status, 200, "{name}: {}", settings.text);
        for part in [key, id, token["token"].as_str().unwrap(), "/v1/certificates/ca.pem"] {
            assert!(settings.text.contains(part), "{name} without {part}: {}", settings.text);
        }
    }
    let (code, message) = control.get(&format!("/v1/teams/{id}/settings/fax")).await.error(404);
    assert!(code == "unknown-client" && message.contains("node-apn"), "{code}: {message}");
}

#[tokio::test]
async fn a_reset_team_is_as_it_was_made_and_cursors_count_on() {
    let (mock, control) = start().await;
    let team = control.post("/v1/teams", "").await.expect(201);
    let id = team["id"].as_str().unwrap();
    let token = control.post(&format!("/v1/tokens?team={id}"), r#"{"device":"a"}"#).await.expect(201);
    control.post(&format!("/v1/clock/advance?team={id}"), r#"{"by":"1d"}"#).await.expect(200);
    let before = control.get(&format!("/v1/events?team={id}")).await.expect(200)["next"].as_u64().unwrap();
    assert_eq!(control.post(&format!("/v1/reset?team={id}"), "").await.status, 204);
    assert_eq!(control.get(&format!("/v1/devices?team={id}")).await.expect(200)["devices"], json!([]));
    let events = control.get(&format!("/v1/events?team={id}")).await.expect(200);
    assert_eq!((&events["events"][0]["event"], events["next"].as_u64()), (&json!("reset"), Some(before + 1)));
    assert_eq!(control.get(&format!("/v1/teams/{id}")).await.expect(200), team);
    assert_eq!(control.post(&format!("/v1/tokens?team={id}"), r#"{"device":"a"}"#).await.expect(201), token);

    control.delete("/v1/devices/phone").await;
    assert_eq!(control.post("/v1/reset?all=true", "").await.status, 204);
    assert_eq!(control.get("/v1/teams").await.expect(200), json!({"teams": ["MOCKTEAM01"]}));
    for token in &mock.ready_made().device_tokens {
        assert_eq!(control.get(&format!("/v1/tokens/{}", token.token)).await.status, 200, "{}", token.name);
    }
    assert_eq!(control.post("/v1/reset?all=true&team=MOCKTEAM01", "").await.error(400).0, "bad-value");
}
