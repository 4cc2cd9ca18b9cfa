//! Checklist C and G: who sends, and what a request looks like.

use apns_provider::core::Outcome;

use crate::world::World;

#[tokio::test]
async fn c20_the_provider_token_is_what_a_strict_reader_takes() {
    let world = World::good().await;
    assert!(matches!(world.send(&world.client()).await, Outcome::Accepted(_)));
    let seen = world.seen();
    let bearer = seen[0].header("authorization").unwrap().strip_prefix("bearer ").unwrap().to_owned();
    assert!(!bearer.contains(['=', '+', '/']), "base64url without padding: {bearer}");
    assert_eq!(bearer.split('.').count(), 3);
}

#[tokio::test]
async fn c22_a_thousand_at_once_share_one_provider_token() {
    let world = World::good().await;
    world.send_many(&world.client(), 1000).await;
    let tokens: std::collections::HashSet<String> =
        world.seen().iter().map(|push| push.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(tokens.len(), 1);
}

#[tokio::test]
async fn c63_a_request_has_what_apns_reads_once_each_and_nothing_of_http_1() {
    let world = World::good().await;
    assert!(matches!(world.send(&world.client()).await, Outcome::Accepted(_)));
    let seen = world.seen();
    let names: Vec<&str> = seen[0].headers.iter().map(|(name, _)| name.as_str()).collect();
    for name in [":method", ":path", ":authority", ":scheme", "apns-topic", "apns-push-type", "apns-id"] {
        assert_eq!(names.iter().filter(|it| **it == name).count(), 1, "{name} in {names:?}");
    }
    for name in ["host", "connection", "te", "transfer-encoding", "upgrade"] {
        assert!(!names.contains(&name), "{name} in {names:?}");
    }
    assert!(names.iter().all(|name| name.bytes().all(|byte| !byte.is_ascii_uppercase())), "{names:?}");
    let value = |name: &str| seen[0].header(name).unwrap();
    assert_eq!(
        (value(":method"), value(":path")),
        ("POST", &*format!("/3/device/{}", world.token().as_str()))
    );
    assert_eq!(value(":authority"), format!("localhost:{}", world.mock.sandbox().port()));
}
