//! A million pushes on the worst of days: each ends once, none is lost, and none is doubled where the policy forbids it. The double's
//! journal knows what it did with each one.
//!
//! A debug build, which is CI's, sends twenty thousand. The million is sent by hand:
//! `cargo test --release -p apns-provider --test million`.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

#[path = "support/control.rs"]
mod control;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use apns_certs::Purpose;
use apns_provider::{
    Client, Credential, Endpoint,
    core::{
        AlertNotification, AmbiguousPushes, ApnsId, BundleId, DeviceToken, DispatchPolicy, KeepAlivePolicy,
        Notification, Outcome, Push, RetryPolicy,
    },
};
use futures::{StreamExt as _, stream};
use mock_apns::{Filter, MockApns, ReceivedPush, Settings};

/// Sent for each of the two policies.
const PUSHES: u64 = if cfg!(debug_assertions) { 10_000 } else { 500_000 };
/// As many as the double's journal keeps, whatever becomes of them, before they are compared.
const SLICE: u64 = if cfg!(debug_assertions) { 5_000 } else { 50_000 };
/// Entries of the journal for the pushes of a slice: what became of each attempt, and the faults that fired.
const JOURNAL_ENTRIES: &str = "1000000";

/// The mix, as often as each happens among so many pushes. Seeded, so it is the same again.
const FAULTS: &str = include_str!("support/bad-day.jsonl");

async fn double() -> MockApns {
    let mut settings = Settings::default();
    settings.set("journal-entries", JOURNAL_ENTRIES).unwrap();
    let mock = MockApns::builder().seed(6).settings(settings).start().await.unwrap();
    for fault in FAULTS.lines() {
        mock.team().fault(fault.parse().unwrap()).unwrap().keep();
    }
    mock
}

fn client(mock: &MockApns, ambiguous: AmbiguousPushes) -> Client {
    let (ready_made, pauses) = (mock.ready_made(), Duration::from_millis(5));
    let key = &ready_made.keys[0];
    let retry = RetryPolicy::new(10, pauses, Duration::from_millis(200)).unwrap();
    let dispatch = DispatchPolicy::default()
        .with_spacing(Duration::from_millis(20))
        .with_saturation(Duration::from_millis(20))
        .with_reconnect_pauses(Duration::from_millis(2), Duration::from_millis(50))
        .with_probes(Duration::from_millis(50), Duration::from_millis(50), Duration::from_millis(200));
    Client::builder(Endpoint::custom("localhost", mock.sandbox().port()).unwrap())
        .ca_pem(mock.certificates().authority().root_pem(Purpose::Server).as_bytes())
        .credential(Credential::from_p8(key.key.to_p8().as_bytes(), key.key_id, ready_made.team_id).unwrap())
        .timeout(Duration::from_secs(5))
        .retry(retry.with_ambiguous_pushes(ambiguous))
        .dispatch(dispatch)
        .keep_alive(KeepAlivePolicy::default().with_silence(Duration::from_millis(200)))
        .in_hand_max(2_000)
        .build()
        .unwrap()
}

/// What became of the pushes, by apns-id: how each ended, and how often the double has taken it.
#[derive(Default)]
struct Ledger {
    ended: BTreeMap<String, Outcome>,
    taken: HashMap<String, usize>,
    /// The streams of the attempts: one is listed again when more becomes of it.
    streams: HashSet<(u64, u64)>,
}

impl Ledger {
    fn end(&mut self, push: &Push, outcome: Outcome) {
        let before = self.ended.insert(push.apns_id().to_string(), outcome);
        assert_eq!(before, None, "{} has ended twice", push.apns_id());
    }

    /// What the double did with an attempt. It has refused others, or a fault has swallowed them.
    fn came(&mut self, push: ReceivedPush) {
        let json: serde_json::Value = serde_json::from_str(push.as_json()).unwrap();
        let number = |name: &str| json[name].as_u64().unwrap();
        if !self.streams.insert((number("connection"), number("stream"))) {
            return;
        }
        if push.device.is_some() && push.reason.is_none() && push.fault.is_none() {
            *self.taken.entry(push.apns_id).or_default() += 1;
        }
    }

    /// Each outcome is true, and what it promises is kept.
    fn check(&self, ambiguous: AmbiguousPushes) -> BTreeMap<&'static str, u64> {
        let again = ambiguous == AmbiguousPushes::SendAgain;
        let mut tally = BTreeMap::new();
        for (id, outcome) in &self.ended {
            let taken = self.taken.get(id).copied().unwrap_or(0);
            let (how, is_true) = match outcome {
                Outcome::Accepted(one) if one.ambiguous_before => {
                    ("accepted, perhaps twice", taken >= 1 && again)
                }
                Outcome::Accepted(_) => ("accepted", taken == 1),
                Outcome::Rejected(one) => ("rejected", taken == 0 || one.ambiguous_before),
                Outcome::NotSent(_) => ("not sent", taken == 0),
                Outcome::Ambiguous(_) => ("ambiguous", taken <= 1 || again),
                Outcome::Expired => ("expired", false),
            };
            assert!(is_true, "{id}: {outcome:?}, and taken {taken} times");
            *tally.entry(how).or_default() += 1;
        }
        let unknown = self.taken.keys().find(|id| !self.ended.contains_key(*id));
        assert_eq!(unknown, None, "the double has taken what nobody sent");
        tally
    }
}

/// Sends all of them and compares. How many ended how.
async fn send_and_compare(ambiguous: AmbiguousPushes) -> BTreeMap<&'static str, u64> {
    let mock = double().await;
    let client = client(&mock, ambiguous);
    let app = BundleId::parse("com.example.app").unwrap();
    let hello: Arc<Notification> = Arc::new(AlertNotification::new(app).alert("Hello").build().unwrap());
    let token = DeviceToken::from_hex(&mock.ready_made().device_token("sandbox").unwrap().token).unwrap();
    let (mut ledger, mut cursor) = (Ledger::default(), 0);
    for slice in 0..PUSHES / SLICE {
        let pushes = (slice * SLICE..(slice + 1) * SLICE)
            .map(|number| Push::new(Arc::clone(&hello), token.clone(), apns_id(number)));
        let ended: Vec<(Push, Outcome)> = client.send_all(stream::iter(pushes)).collect().await;
        for (push, outcome) in ended {
            ledger.end(&push, outcome);
        }
        read_journal(&mock, &mut cursor, &mut ledger);
    }
    assert!(client.drain(Duration::from_secs(10)).await, "nothing is left");
    // A connection that was stalled takes what was written to it later.
    all_closed(&mock).await;
    read_journal(&mock, &mut cursor, &mut ledger);
    assert_eq!(ledger.ended.len() as u64, PUSHES, "each has an outcome");
    let tally = ledger.check(ambiguous);
    eprintln!("{ambiguous:?}: {tally:?}, {:?}", client.stats());
    tally
}

fn read_journal(mock: &MockApns, cursor: &mut u64, ledger: &mut Ledger) {
    let came = mock.team().pushes(&format!("after:{cursor}").parse::<Filter>().unwrap());
    *cursor = came.last().map_or(*cursor, |last| last.cursor);
    for push in came {
        ledger.came(push);
    }
}

async fn all_closed(mock: &MockApns) {
    let began = Instant::now();
    loop {
        let control = mock.control();
        let text =
            tokio::task::spawn_blocking(move || control::get(control, "/v1/connections?kind=provider"));
        let open: serde_json::Value = serde_json::from_str(&text.await.unwrap()).unwrap();
        if open["connections"].as_array().unwrap().iter().all(|one| !one["closed"].is_null()) {
            return;
        }
        assert!(began.elapsed() < control::PATIENCE, "connections stay open: {open}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Different for each push, and the same in each run.
fn apns_id(number: u64) -> ApnsId {
    ApnsId::from_random(
        u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes(),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_least_once_nothing_is_lost() {
    let tally = send_and_compare(AmbiguousPushes::SendAgain).await;
    let accepted = tally["accepted"] + tally["accepted, perhaps twice"];
    assert!(accepted * 1000 >= PUSHES * 998, "{tally:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_most_once_nothing_is_doubled() {
    let tally = send_and_compare(AmbiguousPushes::Report).await;
    assert!(tally["accepted"] * 100 >= PUSHES * 85, "{tally:?}");
    assert!(tally["ambiguous"] > 0, "the mix has some: {tally:?}");
}
