//! Answers in forms that HTTP/2 allows and clients seldom see: padded, and with fields in CONTINUATION frames.

use apns_http2::limits::CONTINUATIONS_MAX;
use mock_apns::MockApns;
use serde_json::json;

use crate::{
    Control, RawProvider, always, push_with,
    raw_provider::{SETTINGS, WINDOW_UPDATE},
    support::{Peer, authorization},
    world,
};

const FIELDS: &str = "apns-id=… apns-unique-id=… mock-apns-fault=f";
const BODY: &str = r#"{"reason":"ServiceUnavailable"}"#;

#[tokio::test]
async fn headers_and_data_are_padded() {
    for padding in [0, 7, 255] {
        let action = format!(r#"{{"answer": {{"status": 503, "padding": {padding}}}}}"#);
        let seen = push_with(&action, "DATA").await;
        let headers = format!("HEADERS 3 0xc +{padding} :status=503 {FIELDS}");
        assert_eq!(seen, [headers, format!("DATA 3 0x9 +{padding} {BODY}")]);
    }
}

#[tokio::test]
async fn fields_come_in_continuations() {
    let seen = push_with(r#"{"answer": {"status": 503, "field-block-bytes": 50}}"#, "DATA").await;
    let parts = ["HEADERS 3 50 bytes".to_owned(), "CONTINUATION 3 50 bytes".to_owned()];
    let last = format!("CONTINUATION 3 0x4 :status=503 {FIELDS}");
    assert_eq!(seen, [&parts[..], &[last, format!("DATA 3 0x1 {BODY}")]].concat());

    let seen = push_with(r#"{"answer": {"field-block-bytes": 100}}"#, "CONTINUATION").await;
    let parts = ["HEADERS 3 0x1 100 bytes".to_owned(), format!("CONTINUATION 3 0x4 :status=200 {FIELDS}")];
    assert_eq!(seen, parts, "END_STREAM is that of HEADERS");
}

#[tokio::test]
async fn interim_answers_trailers_and_an_empty_frame_at_the_end_have_the_same_form() {
    let form = r#""padding": 9, "field-block-bytes": 100"#;
    let action = format!(
        r#"{{"answer": {{"status": 503, "interim": [103], "trailers": {{"x-late": "{}"}}, {form}}}}}"#,
        "1".repeat(200)
    );
    let seen = push_with(&action, "HEADERS 3 0x9").await;
    let [before @ .., _] = &seen[..] else { panic!("{seen:?}") };
    let expected = [
        "HEADERS 3 0xc +9 :status=103".to_owned(),
        "HEADERS 3 0x8 +9 100 bytes".to_owned(),
        format!("CONTINUATION 3 0x4 :status=503 {FIELDS}"),
        format!("DATA 3 0x8 +9 {BODY}"),
        "HEADERS 3 0x9 +9 100 bytes".to_owned(),
        "CONTINUATION 3 100 bytes".to_owned(),
    ];
    assert_eq!(before, expected);

    let action = format!(r#"{{"answer": {{"status": 503, "ends": "empty-data", {form}}}}}"#);
    let seen = push_with(&action, "DATA 3 0x9").await;
    assert_eq!(seen[2..], [format!("DATA 3 0x8 +9 {BODY}"), "DATA 3 0x9 +9".to_owned()]);
}

#[tokio::test]
async fn padding_counts_against_the_windows_of_the_client_and_gives_way_to_the_body() {
    let (_mock, mut provider) = world(&always(r#"{"answer": {"status": 503, "padding": 255}}"#)).await;
    provider.send_frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 20]).await; // INITIAL_WINDOW_SIZE
    let stream = provider.push().await;
    provider.until("DATA 3").await;
    // The rest of the body and its padding take 267 bytes: with 266 there is one more frame.
    provider.send_frame(WINDOW_UPDATE, 0, stream, &266u32.to_be_bytes()).await;
    provider.until("DATA 3 0x8").await;
    provider.send_frame(WINDOW_UPDATE, 0, stream, &1000u32.to_be_bytes()).await;
    provider.until("DATA 3 0x9").await;
    let told = provider.told();
    assert_eq!(
        told[1..],
        [r#"DATA 3 {"reason":"ServiceUn"#, r#"DATA 3 0x8 +255 available""#, "DATA 3 0x9 +255 }"],
    );
}

/// How small `field-block-bytes` may be in an answer with these fields more, as the refusal of a smaller one says.
async fn least(control: Control, more: &str) -> u32 {
    let refused = control.post("/v1/faults", &framed("f", 0, more)).await.error(400).1;
    let (_, from) = refused.split_once("field-block-bytes is 0: it takes a number from ").expect(&refused);
    from.split(',').next().unwrap().parse().unwrap()
}

fn framed(name: &str, bytes: u32, more: &str) -> String {
    format!(r#"{{"name": "{name}", "action": {{"answer": {{"field-block-bytes": {bytes}{more}}}}}}}"#)
}

#[tokio::test]
async fn however_many_fields_there_are_no_block_has_more_continuations_than_our_own_client_bears() {
    let name = "f".repeat(64);
    let all = r#", "status": 503, "retry-after": {"date-in": "1h"}, "content-length": 18446744073709551615"#;
    let long = format!(r#", "headers": {{"x-long": "{}", "x-short": ""}}"#, "1".repeat(7000));
    let mut most = 0;
    for more in ["", all, &long] {
        let mock = MockApns::start().await.unwrap();
        let control = Control::of(&mock);
        let settings = r#"{"error-content-type":"application/json","apns-unique-id":"always"}"#;
        control.patch("/v1/settings", settings).await.expect(200);
        let bytes = least(control, more).await;
        control.post("/v1/faults", &framed(&name, bytes, more)).await.expect(201);
        let mut provider = RawProvider::connect(&mock).await;
        for table_size in [200u32, 4096] {
            let setting = [&[0, 1][..], &table_size.to_be_bytes()].concat();
            provider.send_frame(SETTINGS, 0, 0, &setting).await;
        }
        provider.push_with(&[("apns-priority", "7")], b"{}").await;
        provider.until("CONTINUATION 1 0x4").await;
        let told = provider.told();
        let fields = told.iter().find(|line| line.starts_with("CONTINUATION 1 0x4 :status=")).unwrap();
        assert!(fields.contains(" apns-unique-id=… content-type=application/json "), "{told:?}");
        let count = told.iter().filter(|line| line.starts_with("CONTINUATION")).count();
        assert!(count <= CONTINUATIONS_MAX as usize, "{count} with {more:.60}");
        most = most.max(count);
    }
    assert_eq!(most, CONTINUATIONS_MAX as usize, "the bound is no lower than it has to be");
}

#[tokio::test]
async fn our_own_client_reads_it() {
    let mock = MockApns::start().await.unwrap();
    let control = Control::of(&mock);
    let bytes = least(control, "").await;
    let form =
        r#", "status": 503, "padding": 255, "frame-bytes": 1, "interim": [103], "trailers": {"x-late": "1"}"#;
    control.post("/v1/faults", &framed("f", bytes, form)).await.expect(201);
    let mut peer = Peer::sandbox(&mock).await;
    let token = mock.ready_made().device_token("sandbox").unwrap().token.clone();
    for _ in 0..20 {
        let fields = [
            ("authorization", &*authorization(&mock)),
            ("apns-topic", "com.example.app"),
            ("apns-push-type", "alert"),
        ];
        assert_eq!(peer.answer(&token, &fields, "{}").await, (503, BODY.to_owned()));
    }
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_the_name_of_its_field() {
    let mock = MockApns::start().await.unwrap();
    let control = Control::of(&mock);
    for (form, why) in [
        (r#""padding": 256"#, "padding is 256"),
        (r#""padding": -1"#, "padding"),
        (r#""padding": "much""#, "padding"),
        (r#""field-block-bytes": 1"#, "field-block-bytes is 1"),
        (r#""field-block-bytes": 20000"#, "field-block-bytes is 20000"),
        (r#""field-block-bytes": 99999999999"#, "field-block-bytes"),
        (r#""field-block-bytes": 50, "after-reset": true"#, "leave out field-block-bytes or after-reset"),
    ] {
        let fault = always(&format!(r#"{{"answer": {{{form}}}}}"#));
        let refused = control.post("/v1/faults", &fault).await.error(400).1;
        assert!(refused.contains(why), "{form}: {refused}");
    }
}

#[tokio::test]
async fn a_form_is_kept_as_it_was_given_in_the_list_in_the_state_and_in_the_journal() {
    let answer = json!({"answer": {"padding": 0, "field-block-bytes": 16384}});
    let (mock, mut provider) = world(&always(&answer.to_string())).await;
    let control = Control::of(&mock);
    provider.push().await;
    provider.until("HEADERS 3 0xd +0 :status=200").await;
    assert_eq!(control.get("/v1/faults/f").await.expect(200)["action"], answer);
    let state = control.get("/v1/state").await.expect(200);
    assert_eq!(state["teams"][0]["faults"][0]["action"], answer);
    let fired = control.get("/v1/events?filter=event:fault").await.expect(200);
    assert_eq!(fired["events"][0]["action"], answer);

    let state = json!({"teams": [{"id": "TEAM000042", "faults": [{"name": "f", "action": answer}]}]});
    control.put("/v1/state", &state.to_string()).await.expect(200);
    assert_eq!(control.get("/v1/faults/f?team=TEAM000042").await.expect(200)["action"], answer);
}
