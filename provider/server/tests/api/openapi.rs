//! The OpenAPI document is generated from the handlers, and its copy in `docs/` is looked at when it changes.

use std::{env, fs, path::Path};

use apns_provider_server_core::{
    api_key::Role, audit::Action, device::Kind, outcome::Ending, webhook::EventKind,
};
use serde_json::{Value, json};

use crate::server::Server;

pub(crate) async fn document(server: &Server) -> Value {
    server.nobody().get("/v1/openapi.json").await.expect(200)
}

#[tokio::test]
async fn its_copy_is_what_the_handlers_say() {
    let server = Server::start().await;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/provider-server-openapi.json");
    let now = serde_json::to_string_pretty(&document(&server).await).unwrap() + "\n";
    if env::var_os("UPDATE_OPENAPI").is_some() {
        fs::write(&path, &now).unwrap();
    }
    let copy = fs::read_to_string(&path).unwrap_or_default();
    let changed = copy.lines().zip(now.lines()).position(|(copy, now)| copy != now);
    assert!(
        copy == now,
        "docs/provider-server-openapi.json is not what the handlers say, from line {:?} on. Look at what changed, and if it is meant: \
         UPDATE_OPENAPI=1 cargo test -p apns-provider-server --test api openapi",
        changed.map(|line| line + 1),
    );
}

#[tokio::test]
async fn every_operation_says_what_it_does_what_it_needs_and_how_it_fails() {
    let server = Server::start().await;
    let document = document(&server).await;
    assert_eq!(document["openapi"], "3.1.0");
    let tags: Vec<&Value> = document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    let mut ids = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let what = format!("{method} {path}");
            assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{what}");
            assert!(operation["responses"]["default"].is_object(), "{what}: errors");
            assert!(tags.contains(&&operation["tags"][0]), "{what}: {}", operation["tags"]);
            if !["/livez", "/readyz"].contains(&path.as_str()) {
                let told = operation["description"].as_str().unwrap_or_default();
                assert!(
                    told.contains("Needs the permission `"),
                    "{what}: it is not in the table of access.rs"
                );
                assert!(operation["security"][0]["api-key"].is_array(), "{what}");
            }
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                assert!(parameter["description"].is_string(), "{what}: {}", parameter["name"]);
            }
            ids.push(operation["operationId"].as_str().unwrap().to_owned());
        }
    }
    ids.sort();
    let all = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), all, "two operations have one operationId: {ids:?}");
}

/// What is declared by a table says in the document what is written in JSON.
#[tokio::test]
async fn names_are_those_that_are_written() {
    let server = Server::start().await;
    let document = document(&server).await;
    let actions: Vec<_> = Action::ALL.iter().map(|it| it.as_str()).collect();
    let endings: Vec<_> = Ending::ALL.iter().map(|it| it.as_str()).collect();
    let kinds: Vec<_> = Kind::ALL.iter().map(|it| it.as_str()).collect();
    let roles: Vec<_> = Role::ALL.iter().map(|it| it.as_str()).collect();
    let events: Vec<_> = EventKind::ALL.iter().map(|it| it.as_str()).collect();
    for (schema, names) in
        [("Action", actions), ("Ending", endings), ("Kind", kinds), ("Role", roles), ("WebhookEvent", events)]
    {
        assert_eq!(document["components"]["schemas"][schema]["enum"], json!(names), "{schema}");
    }
}

#[tokio::test]
async fn every_schema_that_is_referred_to_is_there() {
    let server = Server::start().await;
    let document = document(&server).await;
    let text = document.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "{name}");
    }
}
