//! Checklist D: the end that is announced.

use std::{collections::HashSet, time::Duration};

use apns_provider::{
    core::{DispatchPolicy, NotSent, Outcome, Reason, RetryPolicy},
    doctor::Subject,
};

use crate::{
    frames::{goaway, headers},
    raw_server::RawServer,
    world::{World, accepted},
};

#[tokio::test]
async fn c31_c32_and_c33_a_graceful_goaway_is_drained_and_nothing_is_sent_twice() {
    let graceful = r#"{"name":"over","match":{"stream":100},"times":1,"action":{"goaway":{"reason":"Shutdown","graceful":"100ms"}}}"#;
    let world = World::with(&[graceful]).await;
    let client = world.builder().retry(RetryPolicy::default()).build().unwrap();
    for _ in 0..10 {
        assert_eq!(accepted(&world.send_many(&client, 100).await), 100);
    }
    let seen = world.seen();
    let ids: HashSet<&str> = seen.iter().map(|push| push.apns_id.as_str()).collect();
    assert_eq!((seen.len(), ids.len()), (1000, 1000), "each once");
    assert_eq!(client.stats().connections_opened, 2);
}

#[tokio::test]
async fn c34_streams_behind_the_last_are_sent_again_and_no_others() {
    let cut = r#"{"name":"over","match":{"stream":50},"times":1,"action":{"goaway":{"reason":"Shutdown","last-stream":"before","then":"drain"}}}"#;
    let world = World::with(&[cut]).await;
    let client = world.builder().retry(RetryPolicy::default()).build().unwrap();
    let outcomes = world.send_many(&client, 500).await;
    assert_eq!(accepted(&outcomes), 500, "{outcomes:?}");
    let taken = world.seen().into_iter().filter(|push| push.fault.is_none());
    let ids: Vec<String> = taken.map(|push| push.apns_id).collect();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "none was taken twice");
}

#[tokio::test]
async fn c35_a_server_that_ends_every_connection_after_one_stream_is_served_all_the_same() {
    let world = World::with(&[r#"{"name":"over","action":{"goaway":{"reason":"Shutdown"}}}"#]).await;
    let pauses =
        DispatchPolicy::default().with_reconnect_pauses(Duration::from_millis(1), Duration::from_millis(20));
    let client = world.builder().retry(RetryPolicy::default()).dispatch(pauses).build().unwrap();
    for _ in 0..20 {
        let outcome = world.send(&client).await;
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    }
    assert!(client.stats().connections_opened <= 40, "{}", client.stats().connections_opened);
}

#[tokio::test]
async fn c36_the_reason_of_a_goaway_is_told_as_it_came() {
    for (goaway, expected) in [
        (r#"{"reason":"BadCertificate","last-stream":"before"}"#, Some(Reason::BadCertificate)),
        (r#"{"reason":"BrandNew2027","last-stream":"before"}"#, Some(Reason::from_wire("BrandNew2027"))),
        (r#"{"debug":"not JSON","last-stream":"before"}"#, None),
        (r#"{"debug":"","last-stream":"before"}"#, None),
    ] {
        let fault = format!(r#"{{"name":"over","times":1,"action":{{"goaway":{goaway}}}}}"#);
        let world = World::with(&[&fault]).await;
        let outcome = world.send(&world.client()).await;
        assert_eq!(outcome, Outcome::NotSent(NotSent::BeyondGoaway { reason: expected }), "{goaway}");
    }
}

#[tokio::test]
async fn the_doctor_waits_for_the_answer_that_a_goaway_lets_come_and_tells_the_reason_if_there_is_none() {
    let server = RawServer::start().await;
    for (answer, words) in [(&[][..], "GOAWAY with the reason Shutdown"), (&[(":status", "503")], "503")] {
        let patient = server.patient();
        let (steps, ()) = tokio::join!(patient.examine(), async {
            let mut peer = server.greeted(&[]).await;
            let stream = peer.request().await.stream;
            // The stream is one that would be answered.
            peer.write([goaway(stream, "Shutdown")]).await;
            peer.settled().await;
            if !answer.is_empty() {
                // The answer counts, though its end does not come.
                peer.write([headers(stream, answer)]).await;
            }
        });
        let step = steps.iter().find(|step| step.subject == Subject::Answer).unwrap();
        assert!(step.says.starts_with(words), "{words}: {step:?}");
    }
}
