//! Transcripts: what a run's journal says of its answers is answered again, by a service that knows nothing of the run.

use std::time::Duration;

use mock_apns_core::{
    Answer, DeviceToken, Effect, Environment, Event, Recorded, Service, Settings, Status, Timestamp,
    TokenStatus, Transcript, TranscriptProgress,
    fault::{Deed, Fault, Reply},
};
use proptest::prelude::*;

use crate::common::{Bench, NOW, Push, TOKEN, VOIP_TOKEN, sandbox, verify};

fn fault(json: &str) -> Fault {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

/// The journals of a service: its teams', and nobody's.
fn journal(service: &Service) -> String {
    let team = service.team_ids().filter_map(|id| service.team(id)).flat_map(|team| team.journal(0));
    let records = team.chain(service.unclaimed(0));
    records.map(|record| serde_json::to_string(&record).unwrap() + "\n").collect()
}

/// What a provider is told, and what is done to its connection, each in a line. The number of a connection is its own.
fn told(effects: impl IntoIterator<Item = Effect>) -> Vec<String> {
    let line = |effect| match effect {
        Effect::Respond { answer, .. } => Some(answered(&answer)),
        Effect::Fault { deed: Deed::Reply(reply), .. } => Some(replied(&reply)),
        Effect::Fault { deed: Deed::Connection(action), .. } => Some(format!("{action:?}")),
        _ => None,
    };
    effects.into_iter().filter_map(line).collect()
}

/// An answer of the service's own is written as the reply that would say the same.
fn answered(answer: &Answer) -> String {
    let mut head = vec![(":status", answer.status.to_string()), ("apns-id", answer.apns_id.to_string())];
    head.extend(answer.apns_unique_id.map(|id| ("apns-unique-id", id.to_string())));
    head.extend(answer.fault.as_ref().map(|fault| ("mock-apns-fault", fault.to_string())));
    let mut body = Vec::new();
    answer.body(&mut body);
    line(&head, &body, &Reply::default())
}

fn replied(reply: &Reply) -> String {
    let head: Vec<_> = reply.head.iter().map(|head| (&*head.name, head.value.to_string())).collect();
    line(&head, &reply.body, reply)
}

fn line(head: &[(&str, String)], body: &[u8], how: &Reply) -> String {
    let Reply { wait, interim, body_delay, frame_bytes, bytes_per_second, end, .. } = how;
    let form = (how.padding, how.field_block_bytes);
    let how = (wait, interim, body_delay, frame_bytes, form, bytes_per_second, end);
    format!("{head:?} {} {how:?}", String::from_utf8_lossy(body))
}

/// A double somewhere else: without a team, an app, a key or a device.
fn elsewhere(transcript: &str) -> Bench {
    let mut bench = Bench::new();
    bench.service = Service::new(Settings::default(), 7, verify);
    bench.service.connected(NOW, sandbox()); // of before
    bench.service.set_transcript(Some(Transcript::parse(transcript).unwrap()));
    bench.now = NOW.saturating_add(Duration::from_secs(100_000));
    bench.connection = bench.service.connected(bench.now, sandbox());
    bench
}

fn push_to(bench: &Bench, token: &str) -> Push {
    bench.push().with(":path", &format!("/3/device/{token}"))
}

fn progress(bench: &Bench) -> (usize, usize, u64) {
    let TranscriptProgress { lines, replayed, unknown_requests, .. } =
        bench.service.transcript_progress().unwrap();
    (lines, replayed, unknown_requests)
}

/// What a provider does in both runs.
fn script(bench: &mut Bench) -> Vec<String> {
    let push = bench.push();
    let given = bench.push().with("apns-id", "123e4567-e89b-12d3-a456-42665544000f");
    let mut told_all = Vec::new();
    for push in [
        push.clone(),
        given,
        push.clone().with("apns-topic", "com.unknown"),
        push_to(bench, "00ff"),
        push_to(bench, VOIP_TOKEN).with("apns-topic", "com.example.app.voip").with("apns-push-type", "voip"),
        push.clone().with("apns-priority", "5"),
        push.clone().with("apns-collapse-id", "slow"),
        push.clone().with("apns-collapse-id", "slow"),
        push.clone().with("apns-collapse-id", "cut"),
        push.clone().with("apns-collapse-id", "over"),
        push.clone().with("apns-collapse-id", "dead"),
        push.clone().without("authorization"),
        push.clone().with_body("no JSON"),
        push.clone(),
    ] {
        told_all.extend(told(bench.effects(&push)));
        bench.service.handle_timeout(bench.now);
        told_all.extend(told(std::iter::from_fn(|| bench.service.poll_effect())));
        bench.now = Timestamp::from_millis(bench.now.as_millis() + 500);
    }
    told_all
}

/// A run with most of what can happen, and what the provider saw.
fn run() -> (String, Vec<String>) {
    let mut bench = Bench::new();
    let gone = TokenStatus::Unregistered { since: Timestamp::from_millis(NOW.as_millis() - 1) };
    let voip = DeviceToken::from_hex(VOIP_TOKEN.as_bytes()).unwrap();
    bench.team_at().set_token_status(&voip, gone);
    for json in [
        r#"{"name": "busy", "match": {"priority": 5}, "action": {"answer": {"status": 503, "retry-after": 5, "padding": 9, "field-block-bytes": 40}}}"#,
        r#"{"name": "slow", "match": {"collapse-id": "slow"}, "action": {"answer": {"delay": {"mean": "1s"}}}}"#,
        r#"{"name": "dead", "match": {"collapse-id": "dead"}, "action": {"answer": {"status": 410}}}"#,
        r#"{"name": "cut", "match": {"collapse-id": "cut"}, "action": "reset-stream"}"#,
        r#"{"name": "over", "match": {"collapse-id": "over"}, "action": {"goaway": {"reason": "Shutdown"}}}"#,
        r#"{"name": "pings", "on": "connection", "action": "ignore-pings"}"#,
        r#"{"name": "later", "on": "clock", "match": {"from": "2s"}, "action": {"settings": {"max-concurrent-streams": 1}}}"#,
    ] {
        bench.team_at().add_fault(fault(json)).unwrap();
    }
    let told = script(&mut bench);
    (journal(&bench.service), told)
}

#[test]
fn what_was_answered_is_answered_again_where_nothing_of_the_run_is_known() {
    let (journal, first) = run();
    assert!(!journal.contains("eyJ"), "a journal has no secrets, so neither has what is handed on");
    let statuses: Vec<&str> = first.iter().filter_map(|line| line.split('"').nth(3)).collect();
    for status in ["200", "400", "503", "410", "403"] {
        assert!(statuses.contains(&status), "{status} in {statuses:?}");
    }
    assert!(first.iter().any(|line| line.starts_with("IgnorePings")), "{first:#?}");
    assert!(first.iter().any(|line| line.starts_with("ChangeSettings")), "{first:#?}");

    let mut bench = elsewhere(&journal);
    same_lines(&first, &script(&mut bench));
    let (lines, replayed, unknown) = progress(&bench);
    assert_eq!((replayed, unknown), (lines, 0));
    // And what is written down of it serves as well.
    let mut third = elsewhere(&self::journal(&bench.service));
    third.connect(); // the second connection, as it was in the second run
    same_lines(&first, &script(&mut third));
}

#[track_caller]
fn same_lines(expected: &[String], got: &[String]) {
    for (at, (expected, got)) in expected.iter().zip(got).enumerate() {
        assert_eq!(expected, got, "at {at}");
    }
    assert_eq!(expected.len(), got.len());
}

const OK: &str = r#"{"event":"notification","status":"Received by APNs",":method":"POST",":path":"/3/device/00ff","apns-topic":"com.example.app","apns-push-type":"alert","payload":"{\"aps\":{\"alert\":\"Hello\"}}"}"#;
const REFUSED: &str = r#"{"event":"refused","reason":"TooManyRequests",":method":"POST",":path":"/3/device/00ff","apns-topic":"com.example.app","apns-push-type":"alert","payload":"{\"aps\":{\"alert\":\"Hello\"}}"}"#;

fn status(bench: &mut Bench, push: &Push) -> String {
    let [answer] = &told(bench.effects(push))[..] else { panic!("one answer") };
    answer.split('"').nth(3).unwrap().to_owned()
}

#[test]
fn equal_requests_get_their_answers_in_order_and_then_the_services_own() {
    let mut bench = elsewhere(&format!("{REFUSED}\n{OK}\n"));
    let push = push_to(&bench, "00ff");
    assert_eq!([(); 3].map(|()| status(&mut bench, &push)), ["429", "200", "403"]);
    assert_eq!(progress(&bench), (2, 2, 1));
}

#[test]
fn a_payload_that_is_another_each_time_is_known_by_its_device() {
    let other =
        OK.replace("Hello", "Bye").replace(r#""status":"Received"#, r#""other":1,"status":"Received"#);
    let mut bench = elsewhere(&format!("{REFUSED}\n{other}\n"));
    let push = push_to(&bench, "00ff");
    let new = push.clone().with_body(r#"{"aps":{"alert":"12:05"}}"#);
    assert_eq!(status(&mut bench, &push), "429");
    // One that came in the run has had its answer, and is not given that of another.
    assert_eq!(status(&mut bench, &push), "403");
    assert_eq!(status(&mut bench, &new), "200");
    assert_eq!(status(&mut bench, &new), "403");
    assert_eq!(progress(&bench), (2, 2, 2));
}

#[test]
fn what_is_answered_as_the_service_would_is_done_and_anything_else_only_said() {
    let line = |line: &str| line.replace("00ff", TOKEN) + "\n";
    let mut bench = Bench::new();
    let transcript = line(OK) + &line(REFUSED);
    bench.service.set_transcript(Some(Transcript::parse(&transcript).unwrap()));
    let push = bench.push();
    let answers = [(); 2].map(|()| told(bench.effects(&push)).concat());
    assert!(answers[0].contains("200") && answers[1].contains("429"), "{answers:?}");
    assert!(!answers.concat().contains("apns-unique-id"), "there was none in the run: {answers:?}");
    let team = bench.team_at();
    let events: Vec<_> = team.team().journal(0).map(|record| record.event).collect();
    let count = |is: fn(&Event<'_>) -> bool| events.iter().filter(|event| is(event)).count();
    assert_eq!(count(|event| matches!(event, Event::Notification { status: Status::Received, .. })), 1);
    assert_eq!(count(|event| matches!(event, Event::Refused(_))), 0);
    assert_eq!(count(|event| matches!(event, Event::Fault(it) if it.fault().as_str() == "replay")), 1);
}

#[test]
fn what_is_made_up_beside_a_replay_is_nothing_that_is_in_it() {
    let mut run = Bench::new();
    let push = run.push();
    let ids = [(); 3].map(|()| run.answer(&push).apns_id);
    let mut bench = Bench::new(); // of the same seed
    bench.service.set_transcript(Some(Transcript::parse(&journal(&run.service)).unwrap()));
    let unknown = bench.push().with("apns-collapse-id", "x").with(":path", "/3/device/f00f");
    let made_up = bench.answer(&unknown).apns_id;
    assert!(!ids.contains(&made_up), "{made_up} of {ids:?}");
    assert_eq!(bench.answer(&push).apns_id, ids[0]);
}

#[test]
fn a_connection_gets_its_streams_with_the_first_answer_that_shows_who_it_was() {
    let forbidden = REFUSED.replace("TooManyRequests", "InvalidProviderToken");
    let mut bench = elsewhere(&format!("{forbidden}\n{REFUSED}\n{OK}\n"));
    let push = push_to(&bench, "00ff");
    let raised = [(); 3].map(|()| {
        let effects = bench.effects(&push);
        effects
            .iter()
            .filter(|effect| matches!(effect, Effect::MaxConcurrentStreams { streams: 1000, .. }))
            .count()
    });
    assert_eq!(raised, [0, 1, 0]);
}

#[test]
fn a_run_that_was_cut_off_is_replayed_up_to_there_and_what_is_missing_is_told() {
    let evicted = r#"{"event":"evicted","entries":12}"#;
    let cut = &REFUSED[..REFUSED.len() / 2];
    let transcript = Transcript::parse(&format!("{evicted}\n{OK}\n{evicted}\n{cut}")).unwrap();
    assert_eq!((transcript.len(), transcript.missing()), (1, 24));
    assert_eq!(
        Transcript::parse(&format!("{cut}\n{OK}\n")).unwrap_err().line,
        1,
        "in between it is a mistake"
    );
    assert_eq!(Transcript::parse(&format!("{OK}\n{cut}\n")).unwrap_err().line, 2);
}

#[test]
fn the_name_of_replayed_answers_is_nobodys_else() {
    let error =
        Bench::new().team_at().add_fault(fault(r#"{"name": "replay", "action": "close"}"#)).unwrap_err();
    assert!(error.to_string().contains("cannot be called replay"), "{error}");
}

#[test]
fn the_door_is_slammed_again_at_the_same_connection() {
    let mut run = Bench::new();
    run.service
        .add_fault(NOW, fault(r#"{"name": "shut", "after": 1, "times": 2, "action": {"accept": "close"}}"#))
        .unwrap();
    let knock = |service: &mut Service| {
        let is_let_in = service.accepting(NOW, Environment::Sandbox).is_none();
        if is_let_in {
            service.connected(NOW, sandbox());
        }
        is_let_in
    };
    let first: Vec<_> = (0..5).map(|_| knock(&mut run.service)).collect();
    assert_eq!(first, [true, false, false, true, true]);
    let mut again = elsewhere(&journal(&run.service));
    let second: Vec<_> = (0..5).map(|_| knock(&mut again.service)).collect();
    assert_eq!(second, first);
}

#[test]
fn a_replay_goes_on_where_it_was_after_a_snapshot_and_ends_with_a_reset() {
    let (journal, _) = run();
    let mut bench = elsewhere("");
    let before = bench.service.checkpoint();
    bench.service.start_recording();
    bench.service.set_transcript(Some(Transcript::parse(&journal).unwrap()));
    bench.effects(&bench.push());
    bench.effects(&push_to(&bench, "f00f"));
    let middle = serde_json::to_string(&bench.service.checkpoint()).unwrap();

    let mut redone = Service::resume(&before, verify).unwrap();
    for call in std::iter::from_fn(|| bench.service.poll_recorded()) {
        redone.redo(Recorded::from_bytes(&call.to_bytes()).unwrap());
    }
    assert_eq!(serde_json::to_string(&redone.checkpoint()).unwrap(), middle);
    let resumed = Service::resume(&serde_json::from_str(&middle).unwrap(), verify).unwrap();
    assert_eq!(serde_json::to_string(&resumed.checkpoint()).unwrap(), middle);

    bench.service = resumed;
    let (_, replayed, unknown) = progress(&bench);
    assert_eq!((replayed, unknown), (1, 1));
    let known = push_to(&bench, "00ff");
    assert_eq!(status(&mut bench, &known), "400");
    bench.service.reset(NOW);
    assert_eq!(bench.service.transcript_progress(), None);
}

#[test]
fn what_is_no_journal_is_refused_with_its_line() {
    for (line, why) in [
        ("{", "EOF while parsing"),
        ("[]", "invalid"),
        (r#"{"status":200}"#, "missing field `event`"),
        (r#"{"event":"refused",":path":"/"}"#, "a refusal has a reason"),
        (r#"{"event":"refused",":path":"/","reason":"Tired"}"#, "one of Apple's"),
        (r#"{"event":"refused","reason":"BadPath"}"#, "an answer has a :path"),
        (r#"{"event":"fault","fault":"f","on":"request",":path":"/"}"#, "a fault has a name and an action"),
        (r#"{"event":"fault","fault":"f","action":"close",":path":"/"}"#, "a fault has a moment"),
        (
            r#"{"event":"fault","fault":"f","on":"accept","action":"close"}"#,
            "close cannot happen at the moment accept",
        ),
        (
            r#"{"event":"fault","fault":"f","on":"clock","action":"close"}"#,
            "a place (connection and after-requests",
        ),
        (
            r#"{"event":"fault","fault":"f","on":"request","action":{"answer":{"status":999}},":path":"/"}"#,
            "999",
        ),
    ] {
        let error = Transcript::parse(&format!("{OK}\n\n{line}\n")).unwrap_err();
        assert_eq!(error.line, 3, "{line}");
        assert!(error.what.contains(why), "{line}: {error}");
    }
    assert!(Transcript::parse("").unwrap().is_empty());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        let _ = Transcript::parse(&text);
    }

    #[test]
    fn no_line_that_was_changed_makes_a_replay_panic(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<char>()), 1..4),
    ) {
        let mut line: Vec<char> = REFUSED.chars().collect();
        for (at, other) in cuts {
            let at = at.index(line.len());
            line[at] = other;
        }
        if let Ok(transcript) = Transcript::parse(&String::from_iter(line)) {
            let mut bench = elsewhere("");
            bench.service.set_transcript(Some(transcript));
            bench.effects(&push_to(&bench, "00ff"));
        }
    }
}
