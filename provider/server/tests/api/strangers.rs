//! What belongs to another tenant is answered as what never was: every operation of the document is asked with a stranger's key.

use http::Method;
use serde_json::{Value, json};

use crate::{
    databases::{Database, on_both},
    openapi::document,
    server::{APP, Asker, Reply, Server, TOKEN, p8},
};

on_both! { World:
    c78_a_strangers_key_finds_nothing_that_is_not_the_strangers,
    c78_a_strangers_app_of_the_same_name_is_another_one,
    c78_nobody_gets_in_without_a_key_and_no_tenant_beyond_its_own,
}

/// What a tenant has, by the names of the parameters in paths.
struct World {
    _database: Database,
    server: Server,
    mine: Vec<(&'static str, String)>,
    stranger: Asker,
}

/// An operation that a tenant's key may ask for.
struct Operation {
    method: Method,
    path: String,
    is_operators: bool,
}

const NEVER: &[(&str, &str)] = &[
    ("bundle-id", "com.example.never"),
    ("key-id", "999999"),
    ("webhook-id", "999999"),
    ("token", "99fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0"),
    ("user", "never"),
    ("template", "never"),
    ("environment", "sandbox"),
    ("notification-id", "018bcfe5-687b-7fff-bfff-ffffffffffff"),
    ("campaign-id", "018bcfe5-687b-7fff-bfff-ffffffffffff"),
    ("channel-id", "bmV2ZXI="),
];

impl World {
    async fn on(database: Database) -> Self {
        let server = Server::with(&["--database", &database.place]).await;
        server.add_app().await;
        let owner = server.operator();
        let at = |rest: &str| format!("/v1/apps/{APP}/{rest}");
        let body = json!({ "environment": "sandbox", "user": "my-user" });
        owner.put(&at(&format!("devices/{TOKEN}")), &body).await.expect(201);
        owner
            .put(&at("templates/my-template"), &json!({ "payload": { "aps": { "alert": "x" } } }))
            .await
            .expect(201);
        let campaign = json!({ "message": { "template": "my-template" }, "audience": { "all": true }, "campaign": { "label": "my-label" } });
        let campaign = owner.post(&at("notifications"), &campaign).await.expect(202);
        let webhook = json!({ "label": "my-label", "url": "https://my-place.example/", "events": ["notification.finished"] });
        let webhook = owner.post("/v1/webhooks", &webhook).await.expect(201);
        let key =
            owner.post("/v1/keys", &json!({ "label": "my-label", "roles": ["read"] })).await.expect(201);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mine = vec![
            ("bundle-id", APP.to_owned()),
            ("key-id", text(&key["id"])),
            ("webhook-id", text(&webhook["id"])),
            ("token", TOKEN.to_owned()),
            ("user", "my-user".to_owned()),
            ("template", "my-template".to_owned()),
            ("environment", "sandbox".to_owned()),
            ("notification-id", text(&campaign["id"])),
            ("campaign-id", text(&campaign["id"])),
            ("channel-id", "bXktY2hhbm5lbA==".to_owned()),
        ];
        let stranger =
            server.with_key(&server.key_of("stranger", &["admin", "send", "devices", "read"]).await);
        Self { _database: database, server, mine, stranger }
    }

    async fn operations(&self) -> Vec<Operation> {
        let document = document(&self.server).await;
        let mut operations = Vec::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                if operation["security"].is_null() {
                    continue;
                }
                let told = operation["description"].as_str().unwrap();
                operations.push(Operation {
                    method: method.to_ascii_uppercase().parse().unwrap(),
                    path: path.clone(),
                    is_operators: told.contains("a key of the operator"),
                });
            }
        }
        assert!(operations.len() > 50, "{}", operations.len());
        operations
    }

    fn named(&self, path: &str) -> String {
        fill(path, self.mine.iter().map(|(name, value)| (*name, value.as_str())))
    }

    /// A body that would be right.
    fn body(&self, operation: &Operation) -> String {
        let letter = format!("{}.0.0", self.mine[7].1);
        let body = match (operation.method.as_str(), operation.path.as_str()) {
            ("GET" | "DELETE", _) => return String::new(),
            (_, path) if ["/pause", "/resume", "/cancel", "/test"].iter().any(|end| path.ends_with(end)) => {
                return String::new();
            }
            (_, "/v1/keys") => json!({ "label": "x", "roles": ["read"] }),
            (_, "/v1/webhooks" | "/v1/webhooks/{webhook-id}") => {
                json!({ "label": "x", "url": "https://x.example/", "events": ["devices.removed"] })
            }
            (_, "/v1/apps/{bundle-id}") => json!({}),
            (_, "/v1/apps/{bundle-id}/credentials/{environment}") => json!({ "p8": p8() }),
            (_, "/v1/apps/{bundle-id}/devices/{token}") => json!({ "environment": "sandbox" }),
            (_, "/v1/apps/{bundle-id}/devices/batch") => {
                json!({ "devices": [{ "token": TOKEN, "registration": { "environment": "sandbox" } }] })
            }
            (_, "/v1/apps/{bundle-id}/channels/{environment}") => json!({ "message-storage-policy": 0 }),
            (_, "/v1/apps/{bundle-id}/templates/{template}") => json!({ "payload": {} }),
            (_, "/v1/apps/{bundle-id}/notifications") => notification(),
            (_, "/v1/apps/{bundle-id}/notifications/batch") => json!({ "notifications": [notification()] }),
            (_, "/v1/apps/{bundle-id}/campaigns/{campaign-id}/pace") => json!({ "per-second": 1 }),
            (_, "/v1/apps/{bundle-id}/dead-letters/replay" | "/v1/apps/{bundle-id}/dead-letters/forget") => {
                json!({ "ids": [letter] })
            }
            (method, path) => panic!("say here what a right body of {method} {path} is"),
        };
        body.to_string()
    }

    async fn ask(&self, asker: &Asker, operation: &Operation, path: &str) -> Reply {
        asker.ask(operation.method.clone(), path, &self.body(operation)).await
    }

    /// Whether a text tells anything of what is the owner's.
    fn tells(&self, text: &str) -> bool {
        let tells_name = self.mine.iter().any(|(name, value)| {
            !matches!(*name, "environment" | "key-id" | "webhook-id") && text.contains(value)
        });
        tells_name || text.contains("my-")
    }
}

fn notification() -> Value {
    json!({ "message": { "payload": { "aps": { "alert": "x" } } }, "audience": { "all": true } })
}

fn fill<'a>(path: &str, names: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let filled =
        names.fold(path.to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value));
    assert!(!filled.contains('{'), "say here what {filled} is to be filled with");
    filled
}

async fn c78_a_strangers_key_finds_nothing_that_is_not_the_strangers(world: World) {
    for operation in world.operations().await.iter().filter(|operation| !operation.is_operators) {
        let what = format!("{} {}", operation.method, operation.path);
        if what == "PUT /v1/apps/{bundle-id}" {
            continue; // makes an app of the stranger's own: below
        }
        let mine = world.named(&operation.path);
        let reply = world.ask(&world.stranger, operation, &mine).await;
        if !operation.path.contains('{') {
            assert!(reply.status < 300 && !world.tells(&reply.text), "{what}: {reply:?}");
            continue;
        }
        let never = fill(&operation.path, NEVER.iter().copied());
        let of_never = world.ask(&world.stranger, operation, &never).await;
        assert_eq!((reply.status, of_never.status), (404, 404), "{what}: {reply:?} {of_never:?}");
        let same = world.mine.iter().zip(NEVER).fold(reply.text, |text, ((name, mine), (_, never))| {
            if matches!(*name, "key-id" | "webhook-id") {
                return text.replace(&format!(r#"\"{mine}\""#), &format!(r#"\"{never}\""#));
            }
            text.replace(mine, never)
        });
        assert_eq!(same, of_never.text, "{what}");
    }
}

async fn c78_a_strangers_app_of_the_same_name_is_another_one(world: World) {
    world.stranger.put(&format!("/v1/apps/{APP}"), &json!({})).await.expect(201);
    for operation in world.operations().await.iter().filter(|operation| !operation.is_operators) {
        let (before, is_within) = match operation.path.split_once("{bundle-id}") {
            Some((_, rest)) => (rest.contains('{'), true),
            None => (false, false),
        };
        let is_created = operation.method == Method::PUT && !operation.path.contains("campaigns");
        if !is_within || (!before && operation.method != Method::GET) || is_created {
            continue;
        }
        let reply = world.ask(&world.stranger, operation, &world.named(&operation.path)).await;
        let what = format!("{} {}: {reply:?}", operation.method, operation.path);
        if before {
            assert_eq!(reply.status, 404, "{what}");
        } else {
            let text = reply.text.replace(APP, "");
            assert!(reply.status == 200 && !world.tells(&text), "{what}");
        }
    }
    let letters = json!({ "ids": [format!("{}.0.0", world.mine[7].1)] });
    let path = format!("/v1/apps/{APP}/dead-letters/replay");
    world.stranger.post(&path, &letters).await.refused(404, "unknown-dead-letter");

    // And the owner's is as it was.
    let owner = world.server.operator();
    for path in ["", "/credentials", "/users/my-user/devices", "/templates/my-template"] {
        owner.get(&format!("/v1/apps/{APP}{path}")).await.expect(200);
    }
    let state =
        owner.get(&world.named("/v1/apps/{bundle-id}/notifications/{notification-id}")).await.expect(200);
    assert_eq!((&state["state"], &state["cancelled-at"]), (&json!("planning"), &Value::Null));
}

async fn c78_nobody_gets_in_without_a_key_and_no_tenant_beyond_its_own(world: World) {
    let elsewhere = world.stranger.clone().field("apns-tenant", "default");
    let nowhere = world.stranger.clone().field("apns-tenant", "never-was");
    for operation in world.operations().await {
        let what = format!("{} {}", operation.method, operation.path);
        let path = fill(
            &operation.path,
            world.mine.iter().map(|(name, value)| (*name, value.as_str())).chain([("tenant", "default")]),
        );
        let ask = async |asker: &Asker| asker.ask(operation.method.clone(), &path, "").await;
        let nobody = ask(&world.server.nobody()).await;
        assert_eq!(nobody.headers["www-authenticate"], "Bearer", "{what}");
        nobody.refused(401, "unauthorized");
        if operation.is_operators {
            ask(&world.stranger).await.refused(403, "not-allowed");
        } else {
            let (there, never) = (ask(&elsewhere).await, ask(&nowhere).await);
            assert_eq!((there.status, never.status), (404, 404), "{what}: {there:?}");
            assert_eq!(
                there.text.replace("default", "never-was"),
                never.text.replace("default", "never-was")
            );
            there.refused(404, "unknown-tenant");
        }
    }
}
