//! A double with a data folder loses nothing that it has answered: killed again and again in the middle of ten thousand pushes, and on a
//! disk that gets full.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "support/control.rs"]
#[expect(dead_code, reason = "what other tests ask")]
mod control;
#[path = "support/process.rs"]
mod process;
#[path = "support/mod.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use control::Control;
use process::Process;
use support::{Peer, Seen};
use tempfile::TempDir;

const PUSHES: u32 = 10_000;
/// Pushes that are answered before a kill, by each process but the last.
const KILLED_AFTER: [usize; 3] = [1_000, 2_500, 3_000];
/// Pushes that are under way at once: Apple allows 1000.
const UNDER_WAY: usize = 500;

/// `mock-apns` with a data folder.
fn start(folder: &Path) -> Process {
    start_in("exec \"$0\" \"$@\"", folder)
}

fn start_in(shell: &str, folder: &Path) -> Process {
    let data = folder.join("data");
    Process::start_in(shell, folder, &["--journal-entries", "100000", "--data-dir", data.to_str().unwrap()])
}

/// The `apns-id` of a push.
fn apns_id(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012X}")
}

/// A provider that pushes what was not answered yet.
struct Provider {
    peer: Peer,
    /// By their streams.
    under_way: BTreeMap<u32, u32>,
    answered: usize,
}

impl Provider {
    /// Pushes until all is answered, or `enough` is; what is answered is not `left` any more.
    async fn push(&mut self, token: &str, authorization: &str, left: &mut BTreeSet<u32>, enough: usize) {
        let mut to_push = left.clone().into_iter();
        while self.answered < enough && !left.is_empty() {
            // The first one alone: only then may there be more at once.
            let room = if self.answered == 0 { 1 } else { UNDER_WAY };
            while self.under_way.len() < room
                && let Some(number) = to_push.next()
            {
                let id = apns_id(number);
                let fields =
                    [("authorization", authorization), ("apns-topic", "com.example.app"), ("apns-id", &id)];
                let stream = self.peer.push(token, &fields, r#"{"aps":{"alert":"Hello"}}"#).await;
                self.under_way.insert(stream.get(), number);
            }
            self.peer.answers(1).await;
            self.take_answers(left);
        }
    }

    fn take_answers(&mut self, left: &mut BTreeSet<u32>) {
        for seen in std::mem::take(&mut self.peer.seen) {
            if let Seen::Answer(stream, status, body) = seen {
                assert_eq!(status, 200, "{body}");
                left.remove(&self.under_way.remove(&stream).unwrap());
                self.answered += 1;
            }
        }
    }
}

/// The `apns-id` of every notification that the double has.
async fn kept(control: Control) -> Vec<String> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page = control.get(&format!("/v1/notifications?limit=1000{after}")).await.expect(200);
        let notifications = page["notifications"].as_array().unwrap();
        if notifications.is_empty() {
            return all;
        }
        all.extend(notifications.iter().map(|it| it["apns-id"].as_str().unwrap().to_owned()));
        after = format!("&after={}", page["next"]);
    }
}

#[tokio::test]
async fn a_kill_9_in_the_middle_of_ten_thousand_pushes_loses_nothing_that_was_answered() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let mut left: BTreeSet<u32> = (0..PUSHES).collect();
    let mut tokens = BTreeSet::new();
    for enough in KILLED_AFTER.into_iter().chain([usize::MAX]) {
        let mut process = start(folder);
        let token = process.device_token();
        let peer = process.peer(folder).await;
        let mut provider = Provider { peer, under_way: BTreeMap::new(), answered: 0 };
        let authorization = Process::authorization(folder);
        provider.push(&token, &authorization, &mut left, enough).await;
        process.kill();
        provider.peer.read_until(|_| false).await; // what was on the wire by then was answered too
        provider.take_answers(&mut left);
        tokens.insert(token);
    }
    assert_eq!(tokens.len(), 1, "device tokens stay what they were");

    let again = start(folder);
    let kept = kept(again.control()).await;
    let distinct: BTreeSet<&String> = kept.iter().collect();
    let lost = (0..PUSHES).filter(|number| !distinct.contains(&apns_id(*number))).count();
    assert_eq!(lost, 0, "of {} notifications", kept.len());
}

#[tokio::test]
async fn a_double_whose_disk_is_full_answers_nothing_that_it_has_not_kept_and_ends() {
    const TEAMS_MAX: usize = 10_000;
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let mut process = start_in("trap '' XFSZ; ulimit -f 1024; exec \"$0\" \"$@\"", folder);
    let mut made = Vec::new();
    let refused = loop {
        let reply = process.control().post("/v1/teams", "{}").await;
        if reply.status != 201 {
            break reply;
        }
        made.push(reply.expect(201)["id"].clone());
        assert!(made.len() < TEAMS_MAX, "a megabyte does not hold them");
    };
    assert_eq!(refused.error(500).0, "not-kept");
    assert_eq!(process.child.wait().unwrap().code(), Some(1));

    let again = start(folder);
    let kept = again.control().get("/v1/teams").await.expect(200);
    let kept = kept["teams"].as_array().unwrap();
    assert!(
        !made.is_empty() && made.iter().all(|team| kept.contains(team)),
        "{} of {}",
        kept.len(),
        made.len()
    );
}
