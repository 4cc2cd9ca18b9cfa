use crate::desk::{Desk, KEY};

#[tokio::test]
async fn what_would_be_sent_is_told_and_nothing_is() {
    let desk = Desk::new().await;
    let token = desk.token("sandbox");
    let arguments = format!("{} {KEY} --device-token {token} --alert Hi --collapse-id c", desk.to());
    let ran = desk.run(&format!("validate {arguments}")).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for words in [
        "valid: push type alert, 31 of 4096 bytes",
        &format!("/3/device/{token}"),
        "com.example.app",
        "bearer <provider token>",
        r#"{"aps":{"alert":{"body":"Hi"}}}"#,
    ] {
        assert!(ran.stdout.contains(words), "no {words:?} in {}", ran.stdout);
    }
    let json = desk.run(&format!("validate --json {arguments}")).await.json();
    assert_eq!((&json["payload-bytes"], &json["payload-bytes-max"]), (&31.into(), &4096.into()));
    assert_eq!(json["headers"]["apns-collapse-id"], "c");
    assert_eq!(json["headers"]["authorization"], serde_json::Value::Null);
    assert!(desk.seen().is_empty());

    // The same options, and it is sent.
    assert_eq!(desk.run(&format!("send {arguments}")).await.code, Some(0));
    assert_eq!(desk.seen().len(), 1);
}

#[tokio::test]
async fn what_is_wrong_is_named_by_field_and_rule() {
    let desk = Desk::new().await;
    for (arguments, words) in [
        (
            "--push-type background --priority 10",
            "apns-priority: push type background does not allow 10; use 5",
        ),
        (
            "--push-type voip --topic a.b --payload {}",
            "apns-topic: for push type voip it has to be the bundle ID followed by",
        ),
        ("--alert x --key none.p8 --key-id MOCKKEY001 --team-id MOCKTEAM01", "--key none.p8"),
        ("--alert x --certificate ca.pem", "no private key"),
        ("--alert x --ca none.pem", "--ca none.pem"),
    ] {
        let ran = desk.run(&format!("validate {arguments}")).await;
        assert_eq!(ran.code, Some(2), "{arguments}: {ran:?}");
        assert!(ran.stderr.contains(words), "{arguments}: no {words:?} in {ran:?}");
        let json = desk.run(&format!("validate --json {arguments}")).await.json();
        assert!(json["error"].as_str().unwrap().contains(words), "{json}");
    }
}

#[tokio::test]
async fn a_message_alone_is_enough() {
    let desk = Desk::new().await;
    let long = "x".repeat(5000);
    let ran = desk.run(&format!("validate --shorten --alert {long}")).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for words in
        ["4096 of 4096 bytes", "<device token>", "<drawn anew>", "aps.alert.body: 4067 of 5000 bytes"]
    {
        assert!(ran.stdout.contains(words), "no {words:?} in {}", ran.stdout);
    }
}
