//! Broadcast channels, against a stand-in for Apple's channel management.

use apns_provider::Endpoint;
use apns_provider_server::channels::ChannelServices;
use http::Method;
use serde_json::json;

use crate::{
    channel_service::{Answers, ChannelService},
    server::{APP, Server},
};

fn path(rest: &str) -> String {
    format!("/v1/apps/{APP}/channels/sandbox{rest}")
}

/// As it stands in a path.
fn encoded(id: &str) -> String {
    id.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

async fn server(service: &ChannelService) -> Server {
    let server = Server::with_channels(service.services()).await;
    server.add_app().await;
    server
}

#[tokio::test]
async fn channels_are_created_listed_shown_and_deleted() {
    let service = ChannelService::start().await;
    let server = server(&service).await;
    let operator = server.operator();
    assert_eq!(operator.get(&path("")).await.expect(200), json!({ "channels": [] }));
    let mut ids = Vec::new();
    for policy in [0, 1] {
        let new = json!({ "message-storage-policy": policy });
        let created = operator.post(&path(""), &new).await.expect(201);
        assert_eq!(created["message-storage-policy"], policy);
        let id = created["channel-id"].as_str().unwrap().to_owned();
        let one = path(&format!("/{}", encoded(&id)));
        assert_eq!(operator.get(&one).await.expect(200), created);
        ids.push(id);
    }
    assert_eq!(operator.get(&path("")).await.expect(200)["channels"], json!(ids));
    let first = path(&format!("/{}", encoded(&ids[0])));
    operator.delete(&first).await.expect(204);
    operator.get(&first).await.refused(404, "unknown-channel");
    operator.delete(&first).await.refused(404, "unknown-channel");
    assert_eq!(operator.get(&path("")).await.expect(200)["channels"], json!([ids[1]]));
    let audit = operator.get("/v1/audit").await.expect(200);
    let actions: Vec<&str> =
        audit["entries"].as_array().unwrap().iter().map(|it| it["action"].as_str().unwrap()).collect();
    let of_channels: Vec<_> = actions.into_iter().filter(|it| it.starts_with("channel.")).collect();
    assert_eq!(of_channels.len(), 3, "{of_channels:?}");
}

#[tokio::test]
async fn what_apns_does_not_do_is_told_with_its_reason_and_whether_it_may_have_been_done() {
    let service = ChannelService::start().await;
    let server = server(&service).await;
    let operator = server.operator();
    let new = json!({ "message-storage-policy": 1 });
    service.answer(Answers::Refusal(400, "FeatureNotEnabled"));
    let error = operator.post(&path(""), &new).await.refused(502, "apns-refused");
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("400 FeatureNotEnabled") && message.contains("Enable broadcasting"),
        "{message}"
    );

    service.answer(Answers::Nothing);
    let error = operator.post(&path(""), &new).await.refused(502, "apns-unclear");
    assert!(error["message"].as_str().unwrap().contains("unknown whether it was done"), "{error}");

    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nowhere = Endpoint::custom("localhost", nowhere).unwrap();
    let services = ChannelServices { production: nowhere.clone(), sandbox: nowhere, ..service.services() };
    let server = Server::with_channels(services).await;
    server.add_app().await;
    let unreachable = server.operator().post(&path(""), &new).await;
    assert_eq!(unreachable.headers["retry-after"], "10");
    unreachable.refused(503, "apns-unreachable");
}

#[tokio::test]
async fn wrong_input_about_channels_is_named_and_nobody_is_asked() {
    let service = ChannelService::start().await;
    let server = server(&service).await;
    let operator = server.operator();
    for (body, field) in [
        (json!({ "message-storage-policy": 2 }), "message-storage-policy"),
        (json!({ "message-storage-policy": "1" }), "message-storage-policy"),
        (json!({}), ""),
        (json!({ "message-storage-policy": 1, "push-type": "LiveActivity" }), ""),
    ] {
        let refused = operator.ask(Method::POST, &path(""), &body.to_string()).await;
        let fields = refused.wrong_fields("bad-field");
        assert!(fields.len() == 1 && fields[0].contains(field), "{body}: {fields:?}");
    }
    let wrong = operator.get(&path("/two%20words")).await;
    assert_eq!(wrong.wrong_fields("bad-parameter"), ["channel-id"]);
    let wrong = operator.get(&format!("/v1/apps/{APP}/channels/dev")).await;
    assert_eq!(wrong.wrong_fields("bad-parameter"), ["environment"]);
    let without = operator.get(&format!("/v1/apps/{APP}/channels/production")).await;
    without.refused(404, "unknown-credential");
    assert_eq!(service.asked(), 0);
}
