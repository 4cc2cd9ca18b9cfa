use crate::desk::{Desk, KEY};

#[tokio::test]
async fn rate_latency_and_outcomes_are_told() {
    let desk = Desk::new().await;
    let token = desk.token("sandbox");
    let arguments =
        format!("bench {} {KEY} --device-token {token} --count 300 --payload-bytes 1000", desk.to());
    let ran = desk.run(&arguments).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("p99.9") && ran.stdout.contains("accepted 300"), "{ran:?}");
    let json = desk.run(&format!("{arguments} --json")).await.json();
    assert_eq!(json["outcomes"]["accepted"], 300);
    assert!(json["latency-ms"]["p50"].as_f64().unwrap() <= json["latency-ms"]["max"].as_f64().unwrap());
    assert_eq!(desk.seen().len(), 600);
}

#[tokio::test]
async fn apples_service_is_refused_and_refusals_are_counted() {
    let desk = Desk::new().await;
    for to in ["production", "sandbox", "api.push.apple.com:2197", "17.188.143.34"] {
        let ran = desk.run(&format!("bench --to {to} {KEY} --device-token aa")).await;
        assert_eq!((ran.code, ran.stderr.contains("abuse")), (Some(2), true), "{to}: {ran:?}");
    }
    let dead = desk.token("sandbox-unregistered");
    let ran = desk.run(&format!("bench {} {KEY} --device-token {dead} --count 5 --json", desk.to())).await;
    assert_eq!((ran.code, &ran.json()["outcomes"]["410 Unregistered"]), (Some(1), &5.into()));
}
