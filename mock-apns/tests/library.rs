//! The double as a library: what tests expect, what they wait for, what a failing one leaves behind.

#![expect(clippy::unwrap_used, reason = "tests")]

#[expect(dead_code, reason = "what other tests need")]
mod support;

use std::{
    any::Any,
    fs,
    ops::Bound::Included,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use mock_apns::{Filter, MockApns, ReceivedPush, Status};
use support::{Peer, authorization};

const HELLO: &str = r#"{"aps":{"alert":"Hello"}}"#;

async fn push(mock: &MockApns, fields: &[(&str, &str)]) -> u16 {
    let (mut peer, bearer) = (Peer::sandbox(mock).await, authorization(mock));
    let mut all = vec![("authorization", &*bearer), ("apns-topic", "com.example.app")];
    all.extend(fields);
    peer.answer(&mock.ready_made().device_tokens[0].token, &all, HELLO).await.0
}

fn filter(text: &str) -> Filter {
    text.parse().unwrap()
}

/// Runs a test of its own name in a thread, as Rust's harness does, and returns what it panicked with.
fn run<F: Future<Output = ()>>(name: &str, test: impl FnOnce() -> F + Send + 'static) -> Option<String> {
    let run = move || {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test());
    };
    let ended = thread::Builder::new().name(name.to_owned()).spawn(run).unwrap().join();
    ended.err().map(|panic: Box<dyn Any + Send>| match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => (*panic.downcast::<&str>().unwrap()).to_owned(),
    })
}

fn folder_in(message: &str) -> PathBuf {
    PathBuf::from(message.split_once("what the double has seen is in ").unwrap().1.lines().next().unwrap())
}

#[test]
fn an_expectation_that_is_met_says_nothing() {
    let panicked = run("met", async || {
        let mock = MockApns::start().await.unwrap();
        mock.team().expect("one greeting", filter("hello"), 1..=1);
        mock.team().expect("nothing refused", filter("event:refused"), ..=0);
        assert_eq!(push(&mock, &[]).await, 200);
        mock.verify().unwrap();
        mock.team().expect("two by now", filter("hello"), 2..);
        assert_eq!(push(&mock, &[]).await, 200);
        mock.stop().await;
    });
    assert_eq!(panicked, None);
}

#[test]
fn one_that_is_not_fails_the_test_and_says_what_came_instead_and_where_to_look() {
    let message = run("unmet::one", async || {
        let mock = MockApns::start().await.unwrap();
        mock.team().expect("an alert", filter("type:alert"), 1..);
        mock.team().expect("no greeting", filter("hello"), 0..1);
        push(&mock, &[("apns-push-type", "background"), ("apns-priority", "5")]).await;
    })
    .unwrap();
    for part in [
        "expected an alert: at least 1 of [type:alert], found 0",
        "(type: asked alert, has background)",
        "expected no greeting: none of [hello], found 1",
        "received: background for com.example.app: Delivered to Device; {\"aps\":{\"alert\":\"Hello\"}}",
    ] {
        assert!(message.contains(part), "{part} is not in:\n{message}");
    }
    let folder = folder_in(&message);
    assert!(folder.ends_with("mock-apns/unmet/one"), "{}", folder.display());
    let journal = fs::read_to_string(folder.join("MOCKTEAM01.jsonl")).unwrap();
    assert!(journal.lines().any(|line| line.contains("Delivered to Device")), "{journal}");
}

#[test]
fn one_that_nothing_could_meet_fails_at_once() {
    let message = run("never_met", async || {
        MockApns::start().await.unwrap().team().expect(
            "three or two",
            filter("hello"),
            (Included(3), Included(2)),
        );
    });
    let expected = "expected three or two: at least 3 and at most 2 cannot both be";
    assert_eq!(message.as_deref(), Some(expected));
}

#[test]
fn a_test_that_fails_by_itself_keeps_its_own_message_and_leaves_the_journal() {
    let message = run("fails_by_itself", async || {
        let mock = MockApns::builder().trace_frames().start().await.unwrap();
        mock.team().expect("what never comes", filter("never"), 1..);
        push(&mock, &[("apns-priority", "7")]).await;
        panic!("the test's own message");
    });
    assert_eq!(message.as_deref(), Some("the test's own message"));
    let exe = std::env::current_exe().unwrap();
    let target = exe.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file()).unwrap();
    let journal = fs::read_to_string(target.join("mock-apns/fails_by_itself/MOCKTEAM01.jsonl")).unwrap();
    assert!(journal.contains("BadPriority"), "{journal}");
    let frames = target.join("mock-apns/fails_by_itself/connection-0-frames.txt");
    let frames = fs::read_to_string(frames).unwrap();
    assert!(
        frames.contains("apns-priority: 7\n") && frames.contains("[{\"reason\":\"BadPriority\"}]"),
        "{frames}"
    );
}

#[tokio::test]
async fn what_is_waited_for_comes_with_all_that_is_known_of_it() {
    let mock = MockApns::start().await.unwrap();
    let team = mock.team();
    let arrives = tokio::spawn(async move {
        team.wait_for(&filter("hello status:\"Delivered to Device\""), 1, Duration::from_secs(20))
            .await
            .unwrap()
    });
    push(&mock, &[("apns-push-type", "alert"), ("x-trace", "7")]).await;
    let [push]: [ReceivedPush; 1] = arrives.await.unwrap().try_into().unwrap();
    assert_eq!((push.reason, push.device.unwrap().as_str()), (None, "phone"));
    assert_eq!(push.history, [Status::Received, Status::Delivered]);
    assert_eq!(push.headers.iter().find(|(name, _)| name == "x-trace").unwrap().1, "7");
    assert_eq!(push.payload, HELLO.as_bytes());
}

#[tokio::test]
async fn a_wait_in_vain_tells_what_came_nearest() {
    let mock = MockApns::start().await.unwrap();
    push(&mock, &[("apns-push-type", "background"), ("apns-priority", "5")]).await;
    let error = mock.team().wait_for(&filter("type:alert"), 1, Duration::from_millis(50)).await.unwrap_err();
    let message = error.to_string();
    assert!(message.starts_with("waited for 1 of [type:alert], and there was none\n  nearly: "), "{message}");
    assert!(message.ends_with("(type: asked alert, has background)"), "{message}");
    assert!(error.pushes.is_empty());
}

#[tokio::test]
async fn a_refused_push_names_its_rule() {
    let mock = MockApns::start().await.unwrap();
    assert_eq!(push(&mock, &[("apns-priority", "7")]).await, 400);
    let pushes = mock.team().pushes(&filter("event:refused"));
    assert_eq!((pushes[0].rule, pushes[0].status()), (Some("priority-is-allowed"), None));
    assert!(pushes[0].as_json().contains("\"usual-mistake\""));
    assert_eq!(pushes[0].json()["aps"]["alert"], "Hello");
    assert_eq!(pushes[0].header("apns-priority"), Some("7"));
}

/// Half of it is what a debug build takes.
const START_MAX: Duration = Duration::from_millis(if cfg!(debug_assertions) { 50 } else { 5 });

#[tokio::test]
async fn a_double_starts_in_no_time_once_there_is_a_ca() {
    let first = MockApns::start().await.unwrap();
    let second = MockApns::builder().fresh_ca().start().await.unwrap();
    let mut times = Vec::new();
    for _ in 0..9 {
        let begin = Instant::now();
        let mock = MockApns::start().await.unwrap();
        times.push(begin.elapsed());
        assert_eq!(root(&mock), root(&first));
        assert_ne!(root(&mock), root(&second));
    }
    times.sort();
    assert!(times[4] < START_MAX, "{times:?}"); // the machine may be busy with something else now and then
}

fn root(mock: &MockApns) -> Vec<u8> {
    mock.certificates().authority().root(apns_certs::Purpose::Server).to_vec()
}
