use crate::desk::{Desk, KEY, payload};

/// Arguments of `send` to this device token.
fn send(desk: &Desk, device_token: &str, arguments: &str) -> String {
    format!("send {} --device-token {device_token} {arguments}", desk.to())
}

#[tokio::test]
async fn exit_codes_tell_sent_rejected_misconfigured_and_retryable_apart() {
    let desk = Desk::new().await;
    let (good, dead) = (desk.token("sandbox"), desk.token("sandbox-unregistered"));
    let certificate = "--ca ca.pem --certificate certificate";
    for (device_token, arguments, code, words) in [
        (&good, format!("{KEY} --alert Hello"), 0, "accepted: 200"),
        (&good, format!("{KEY} --push-type background"), 0, "apns-id"),
        (&good, format!("{KEY} --payload payload.json --retry --at-most-once"), 0, "apns-unique-id"),
        (&good, format!("{certificate}.pem --alert Hello"), 0, "accepted"),
        (&good, format!("{certificate}.p12 --certificate-password secret --badge 3"), 0, "accepted"),
        (&dead, format!("{KEY} --alert Hello"), 1, "410 Unregistered"),
        (&desk.token("production"), format!("{KEY} --alert Hello"), 1, "400 BadDeviceToken"),
        (&good, format!("{KEY} --alert Hello").replace("TEAM01", "TEAM02"), 2, "403 InvalidProviderToken"),
        (&good, "--ca ca.pem --certificate expired.pem --alert Hello".to_owned(), 2, "CertificateExpired"),
        (&good, format!("{KEY} --alert Hello").replace("ca.pem", "certificate.pem"), 2, "not trusted"),
        (&good, format!("{KEY} --alert Hello").replace("key.p8", "none.p8"), 2, "none.p8"),
        (&good, format!("{KEY} --alert Hello").replace("--key-id MOCKKEY001", ""), 2, "--key-id"),
        (&good, "--alert Hello".to_owned(), 2, "no credential"),
        (&good, format!("{KEY} --alert Hello --expiration soon"), 2, "--expiration"),
        (&good, format!("{KEY} --payload {{"), 2, "JSON"),
        (&good, format!("{KEY} --push-type background --priority 10"), 2, "apns-priority"),
        (&good, KEY.to_owned(), 2, "alert"),
    ] {
        let ran = desk.run(&send(&desk, device_token, &arguments)).await;
        assert_eq!(ran.code, Some(code), "{arguments}: {ran:?}");
        assert!(ran.said().contains(words), "{arguments}: no {words:?} in {ran:?}");
    }
    let (command, Desk { mock, folder: _folder }) =
        (desk.command(&send(&desk, &good, &format!("{KEY} --badge 1"))), desk);
    mock.stop().await;
    let ran = crate::desk::run(command).await;
    assert_eq!(ran.code, Some(3), "{ran:?}");
}

#[tokio::test]
async fn json_is_one_line_for_a_program() {
    let desk = Desk::new().await;
    let dead = desk.token("sandbox-unregistered");
    let ran = desk.run(&send(&desk, &dead, &format!("{KEY} --alert Hello --json"))).await;
    let json = ran.json();
    assert_eq!((ran.code, ran.stdout.lines().count()), (Some(1), 1));
    assert_eq!(
        (&json["status"], &json["reason"], &json["may-send-again"]),
        (&410.into(), &"Unregistered".into(), &false.into())
    );
    assert!(json["timestamp"].as_u64().unwrap() > 1_500_000_000_000, "milliseconds");
}

#[tokio::test]
async fn a_payload_comes_from_standard_input_too_and_is_sent_as_it_is() {
    let desk = Desk::new().await;
    let mut command = desk.command(&send(&desk, &desk.token("sandbox"), &format!("{KEY} --payload -")));
    command.stdin(std::fs::File::open(desk.path("payload.json")).unwrap());
    let ran = crate::desk::run(command).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(payload(&desk.seen()[0])["aps"]["alert"], "From a file");
}

#[tokio::test]
async fn a_busy_service_is_asked_again_only_on_demand() {
    let desk = Desk::new().await;
    let busy = r#"{"name":"busy","times":1,"action":{"answer":{"status":503}}}"#;
    let arguments = send(&desk, &desk.token("sandbox"), &format!("{KEY} --alert Hello"));
    for (option, code, attempts) in [("", 3, 1), (" --retry", 0, 2)] {
        let fault = desk.mock.team().fault(busy.parse().unwrap()).unwrap();
        let before = desk.seen().len();
        let ran = desk.run(&format!("{arguments}{option}")).await;
        assert_eq!(
            (ran.code, desk.seen().len() - before, fault.fired()),
            (Some(code), attempts, 1),
            "{ran:?}"
        );
    }
}
