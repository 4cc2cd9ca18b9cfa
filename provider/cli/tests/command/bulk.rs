use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::desk::{Desk, KEY, Ran, payload};

const SLOW: &str = r#"{"name":"slow","action":{"answer":{"delay":"200ms"}}}"#;

impl Desk {
    /// A CSV file with so many lines, all to the same device, each with a number of its own.
    fn csv(&self, name: &str, lines: usize) {
        let mut csv = "n,device_token\n".to_owned();
        for n in 0..lines {
            writeln!(csv, "{n},{}", self.token("sandbox")).unwrap();
        }
        self.write(name, &csv);
    }

    /// The results, by line.
    fn results(&self, name: &str) -> BTreeMap<u64, Value> {
        let lines = self.read(name);
        let results = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        results.map(|result| (result["line"].as_u64().unwrap(), result)).collect()
    }

    /// Which `n` the double has seen, each push once.
    fn numbers_seen(&self) -> Vec<i64> {
        let number = |push: &mock_apns::ReceivedPush| payload(push)["n"].as_str().unwrap().parse().unwrap();
        self.seen().iter().map(number).collect()
    }

    fn spawn(&self, arguments: &str) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

/// A template whose pushes tell their lines.
const NUMBERED: &str = r#"{"aps":{"alert":"Hello"},"n":"{{n}}"}"#;

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

async fn ended(child: Child) -> Ran {
    tokio::task::spawn_blocking(move || child.wait_with_output()).await.unwrap().unwrap().into()
}

/// Waits until the file has so many lines.
async fn lines_in(desk: &Desk, name: &str, lines: usize) {
    let began = Instant::now();
    while fs::read_to_string(desk.path(name)).unwrap_or_default().lines().count() < lines {
        assert!(began.elapsed() < Duration::from_secs(30), "not in time");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn each_line_gets_its_push_and_its_result() {
    let desk = Desk::new().await;
    let (good, dead) = (desk.token("sandbox"), desk.token("sandbox-unregistered"));
    desk.write(
        "people.csv",
        &format!("device_token,name\n{good},\"Ada \"\"L\"\"\"\n{dead},Bob\nzz,Eve\n{good}\n"),
    );
    desk.write("hello.json", r#"{"aps":{"alert":"Hello {{name}}"}}"#);
    let ran = desk
        .run(&format!("bulk people.csv {} {KEY} --payload hello.json --results out --json", desk.to()))
        .await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let outcomes = ran.json()["outcomes"].clone();
    assert_eq!(outcomes, serde_json::json!({ "accepted": 1, "410 Unregistered": 1, "invalid": 2 }));

    let results = desk.results("out");
    assert_eq!(results.keys().copied().collect::<Vec<_>>(), [2, 3, 4, 5]);
    assert_eq!((&results[&2]["outcome"], &results[&2]["device-token"]), (&"accepted".into(), &good.into()));
    assert_eq!(results[&3]["reason"], "Unregistered");
    assert!(results[&3]["todo"].as_str().unwrap().contains("Stop sending"), "{results:?}");
    assert!(results[&4]["why"].as_str().unwrap().contains("hexadecimal"), "{results:?}");
    assert_eq!(results[&2]["apns-id"].as_str().unwrap(), desk.seen()[0].apns_id.to_lowercase());
    assert_eq!(payload(&desk.seen()[0])["aps"]["alert"], "Hello Ada \"L\"");
}

#[tokio::test]
async fn json_lines_fill_options_too_and_what_is_missing_is_named_before_it_is_sent() {
    let desk = Desk::new().await;
    let good = desk.token("sandbox");
    let lines = format!(
        "{{\"device-token\":\"{good}\",\"count\":3}}\n{{\"device-token\":\"{good}\"}}\n{{\"device-token\":\"{good}\",\"count\":[]}}\n"
    );
    desk.write("lines.jsonl", &lines);
    let mut command =
        desk.command(&format!("bulk - {} {KEY} --alert {{{{count}}}}-new --results out", desk.to()));
    command.stdin(fs::File::open(desk.path("lines.jsonl")).unwrap());
    let ran = crate::desk::run(command).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let results = desk.results("out");
    assert_eq!(results[&1]["outcome"], "accepted");
    assert!(results[&2]["why"].as_str().unwrap().contains("{{count}}"), "{results:?}");
    assert!(results[&3]["why"].as_str().unwrap().contains("list"), "{results:?}");
    assert_eq!(desk.seen().len(), 1);
    assert_eq!(payload(&desk.seen()[0])["aps"]["alert"]["body"], "3-new");
}

#[tokio::test]
async fn what_can_be_known_beforehand_is_told_before_anything_is_sent() {
    let desk = Desk::new().await;
    desk.csv("people.csv", 2);
    desk.write("no-tokens.csv", "name\nAda\n");
    for (arguments, words) in [
        ("people.csv --alert {{name}}", "{{name}} is no column of the file: n, device_token"),
        ("people.csv --alert {{n", "placeholder"),
        ("people.csv --alert {{n}} --shorten", "--shorten"),
        ("people.csv", "alert"),
        ("- --payload -", "both"),
        ("no-tokens.csv --alert x", "device_token"),
        ("none.csv --alert x", "none.csv"),
        ("people.csv --alert x --results /none/such", "--results /none/such"),
    ] {
        let ran = desk.run(&format!("bulk {arguments} {} {KEY}", desk.to())).await;
        assert_eq!((ran.code, ran.stderr.contains(words)), (Some(2), true), "{arguments}: {ran:?}");
    }
    assert!(desk.seen().is_empty());
}

#[tokio::test]
async fn a_run_that_is_killed_goes_on_where_it_was() {
    let desk = Desk::new().await;
    desk.csv("people.csv", 60);
    desk.write("hello.json", NUMBERED);
    let slow = desk.mock.team().fault(SLOW.parse().unwrap()).unwrap();
    let arguments = format!(
        "bulk people.csv {} {KEY} --payload hello.json --concurrency 4 --results out --resume state --campaign spring",
        desk.to()
    );
    let mut child = desk.spawn(&arguments);
    lines_in(&desk, "state", 1 + 8).await;
    child.kill().unwrap();
    child.wait().unwrap();
    drop(slow);
    let done_before = desk.read("state").lines().count() - 1;
    assert!(done_before < 60, "it was killed too late");

    let ran = desk.run(&format!("{arguments} --json")).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.json()["done-before"].as_u64(), Some(done_before as u64));
    assert_eq!(ran.json()["pushes"].as_u64(), Some(60 - done_before as u64));
    assert_eq!(desk.results("out").len(), 60, "a result for each line");
    // What was under way when it was killed went out twice, with the same apns-id; nothing else did.
    let (numbers, ids) = (desk.numbers_seen(), desk.seen().into_iter().map(|push| push.apns_id));
    assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), 60, "{numbers:?}");
    assert_eq!(ids.collect::<BTreeSet<_>>().len(), 60, "a line has one apns-id in all runs");
    assert!(numbers.len() <= 60 + 4, "{numbers:?}");

    let again = desk.run(&format!("{arguments} --json")).await;
    assert_eq!((again.code, again.json()["pushes"].clone()), (Some(0), 0.into()), "{again:?}");
}

#[tokio::test]
async fn at_most_once_holds_over_runs() {
    let desk = Desk::new().await;
    desk.csv("people.csv", 30);
    desk.write("hello.json", NUMBERED);
    let slow = desk.mock.team().fault(SLOW.parse().unwrap()).unwrap();
    let arguments = format!(
        "bulk people.csv {} {KEY} --payload hello.json --concurrency 3 --resume state --at-most-once",
        desk.to()
    );
    let mut child = desk.spawn(&arguments);
    lines_in(&desk, "state", 1 + 9).await;
    child.kill().unwrap();
    child.wait().unwrap();
    drop(slow);
    let ran = desk.run(&format!("{arguments} --json")).await;
    let unknown = ran.json()["unknown-before"].as_u64().unwrap();
    assert_eq!((ran.code, (1..=3).contains(&unknown)), (Some(1), true), "{ran:?}");
    let numbers = desk.numbers_seen();
    assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), numbers.len(), "none twice: {numbers:?}");
}

#[tokio::test]
async fn at_most_once_sends_what_was_certainly_not_taken_in_the_next_run() {
    let desk = Desk::new().await;
    desk.csv("people.csv", 100);
    desk.write("hello.json", NUMBERED);
    let arguments = format!(
        "bulk people.csv {} {KEY} --payload hello.json --resume state --at-most-once --json --timeout 2",
        desk.to()
    );
    let refused = desk.run(&arguments.replace("TEAM01", "TEAM02")).await;
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(desk.read("state").contains("begun "), "they were about to be sent");
    let busy = r#"{"name":"busy","action":{"answer":{"status":503}}}"#;
    let busy = desk.mock.team().fault(busy.parse().unwrap()).unwrap();
    let failed = desk.run(&arguments).await;
    assert_eq!((failed.code, failed.json()["unknown-before"].clone()), (Some(3), 0.into()), "{failed:?}");
    let before = desk.seen().len();
    assert!(before > 0 && failed.json()["outcomes"]["503 ServiceUnavailable"].is_u64(), "{failed:?}");
    drop(busy);

    let ran = desk.run(&arguments).await;
    assert_eq!((ran.code, ran.json()["unknown-before"].clone()), (Some(0), 0.into()), "{ran:?}");
    let mut numbers = desk.numbers_seen().split_off(before);
    numbers.sort_unstable();
    assert_eq!(numbers, (0..100).collect::<Vec<_>>(), "each once");
}

#[tokio::test]
async fn ctrl_c_drains_and_says_how_to_go_on() {
    let desk = Desk::new().await;
    desk.csv("people.csv", 200);
    let slow = desk.mock.team().fault(SLOW.parse().unwrap()).unwrap();
    let arguments = format!("bulk people.csv {} {KEY} --alert Hi --concurrency 5 --resume state", desk.to());
    let child = desk.spawn(&arguments);
    lines_in(&desk, "state", 1 + 5).await;
    signal(&child, "INT");
    let ran = ended(child).await;
    drop(slow);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(
        ran.stderr.contains("Ctrl-C again") && ran.stdout.contains("run the same command again"),
        "{ran:?}"
    );
    let (done, seen) = (desk.read("state").lines().count() - 1, desk.seen().len());
    assert_eq!(done, seen, "what was under way was waited for");
    let ran = desk.run(&format!("{arguments} --json")).await;
    assert_eq!((ran.code, desk.seen().len()), (Some(0), 200), "each once: {ran:?}");
}

#[tokio::test]
async fn a_second_ctrl_c_ends_at_once() {
    let desk = Desk::new().await;
    desk.csv("people.csv", 20);
    let _silent = desk
        .mock
        .team()
        .fault(r#"{"name":"silent","action":{"answer":{"delay":"25s"}}}"#.parse().unwrap())
        .unwrap();
    let child = desk.spawn(&format!("bulk people.csv {} {KEY} --alert Hi --resume state", desk.to()));
    let began = Instant::now();
    while desk.seen().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(20), "nothing was sent");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    signal(&child, "INT");
    let late = tokio::spawn(ended_after_a_second_signal(child));
    let ran = late.await.unwrap();
    assert_eq!((ran.code, began.elapsed() < Duration::from_secs(20)), (Some(3), true), "{ran:?}");
}

/// Sends the second signal once the first one was answered.
async fn ended_after_a_second_signal(mut child: Child) -> Ran {
    tokio::task::spawn_blocking(move || {
        let stderr = child.stderr.take().unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stderr), &mut line).unwrap();
        assert!(line.contains("Ctrl-C again"), "{line}");
        signal(&child, "INT");
        child.wait_with_output().unwrap()
    })
    .await
    .unwrap()
    .into()
}

#[tokio::test]
async fn a_refused_credential_ends_the_run_and_leaves_the_lines_for_the_next() {
    let desk = Desk::new().await;
    desk.csv("people.csv", 3000);
    let arguments = format!("bulk people.csv {} {KEY} --alert Hi --resume state --concurrency 10", desk.to());
    let ran = desk.run(&arguments.replace("TEAM01", "TEAM02")).await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stdout.contains("403 InvalidProviderToken"), "{ran:?}");
    assert_eq!(desk.read("state").lines().count(), 1, "nothing is done");
    let total: u64 = ran.stdout.split_whitespace().next().unwrap().parse().unwrap();
    assert!(total < 300, "it went on for {total} pushes");
}

#[tokio::test]
async fn a_server_that_is_gone_ends_the_run() {
    let desk = Desk::new().await;
    desk.csv("people.csv", 5000);
    let mut command = desk.command(&format!(
        "bulk people.csv {} {KEY} --alert Hi --timeout 1 --json --resume state",
        desk.to()
    ));
    let Desk { mock, folder } = desk;
    mock.stop().await;
    let ran: Ran = command.output().unwrap().into();
    let json = ran.json();
    assert_eq!((ran.code, json["ended-early"].is_string()), (Some(3), true), "{json}");
    assert!(json["pushes"].as_u64().unwrap() < 3000, "{json}");
    assert_eq!(
        fs::read_to_string(folder.path().join("state")).unwrap().lines().count(),
        1,
        "nothing is done"
    );
}

#[tokio::test]
async fn two_runs_do_not_share_a_resume_file_nor_two_inputs() {
    let desk = Desk::new().await;
    desk.csv("people.csv", 3);
    desk.write("others.csv", &format!("device_token\n{}\n", desk.token("sandbox")));
    let arguments = format!("{} {KEY} --alert Hi --resume state", desk.to());
    assert_eq!(desk.run(&format!("bulk people.csv {arguments}")).await.code, Some(0));
    let ran = desk.run(&format!("bulk others.csv {arguments}")).await;
    assert_eq!((ran.code, ran.stderr.contains("another input")), (Some(2), true), "{ran:?}");
}
