//! An adapter that crashes, hangs, prints rubbish or never reads is told as such in bounded time, and the suite goes on.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::{
    process::{Command, Output},
    time::{Duration, Instant},
};

const READY: &str = r#"{"event":"ready","name":"broken","version":"0","can":["key"]}"#;
const PATIENCE_MS: &str = "1500";

/// Runs two items on an adapter that is a script of the shell. In how much time, is the test's to say.
fn run(script: &str) -> (Output, String) {
    let adapter = format!("sh -c '{}'", script.replace('\'', r"'\''"));
    let began = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_apns-conformance"))
        .args(["provider", "C-09", "C-20", "--patience", PATIENCE_MS, "--adapter", &adapter])
        .output()
        .unwrap();
    assert!(began.elapsed() < Duration::from_mins(1), "{script}: {:?}", began.elapsed());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output, text)
}

/// What cannot even say who it is, is no target: the suite says why and ends with 2.
#[test]
fn an_adapter_that_does_not_say_who_it_is_cannot_be_used() {
    for (script, says) in [
        ("exit 3", "the adapter has ended in the middle of it"),
        ("sleep 600", "the adapter did not say `ready` within 1.5s"),
        ("echo hello; sleep 600", "the adapter printed rubbish: \"hello\""),
        ("yes", "the adapter printed rubbish: \"y\""),
        ("head -c 3000000 /dev/zero; sleep 600", "the adapter printed rubbish"),
        ("echo \"{\\\"event\\\":\\\"configured\\\"}\"; sleep 600", "and not with `ready`"),
        ("no-such-program", "the adapter has ended in the middle of it"),
    ] {
        let (output, _) = run(script);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{script}: {stderr}");
        assert!(stderr.contains(says), "{script}: {stderr}");
    }
}

#[test]
fn an_adapter_that_breaks_later_fails_each_item_by_what_it_did() {
    let ready = format!("echo \"{}\"; read first; ", READY.replace('"', "\\\""));
    let exits_when_asked = "case \"$first\" in *exit*) exit 0;; esac; ";
    for (does, says) in [
        ("exit 3", "the adapter has ended in the middle of it"),
        ("sleep 600", "the adapter did not say what answers `configure` within 1.5s"),
        ("echo rubbish; sleep 600", "the adapter printed rubbish: \"rubbish\""),
        ("kill -SEGV $$", "the adapter has ended in the middle of it"),
        (
            "echo \"{\\\"event\\\":\\\"failed\\\",\\\"why\\\":\\\"no\\\"}\"; sleep 600",
            "the adapter failed to configure: no",
        ),
    ] {
        let (output, text) = run(&format!("{ready}{exits_when_asked}{does}"));
        assert_eq!(output.status.code(), Some(1), "{does}: {text}");
        assert_eq!(text.matches(says).count(), 2, "{does}: {text}");
        assert!(text.contains("2 failed"), "{does}: {text}");
    }
}
