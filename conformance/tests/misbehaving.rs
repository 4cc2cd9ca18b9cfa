//! The provider suite has teeth: a provider that misbehaves in one way is caught by the items that should catch it, and the same provider
//! without that habit by none.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]
#![expect(
    dead_code,
    reason = "habits and frames are the adapter's; their names and items are looked at here"
)]

#[path = "../examples/misbehaving-adapter/frames.rs"]
mod frames;
#[path = "../examples/misbehaving-adapter/habits.rs"]
mod habits;

use std::{
    collections::BTreeSet,
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use habits::HABITS;

/// Runs items on an adapter with this habit. The items that failed, with what was got in place of what was expected.
fn failures(habit: &str, items: &[&str]) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let suite = env!("CARGO_BIN_EXE_apns-conformance");
    let adapter = format!("'{}' {habit} '{suite}' adapter", misbehaving().display());
    let output = Command::new(suite)
        .args(["provider", "--adapter", &adapter, "--json", report.to_str().unwrap()])
        .args(items)
        .output()
        .unwrap();
    let report = std::fs::read_to_string(&report)
        .unwrap_or_else(|_| panic!("{habit}: {}", String::from_utf8_lossy(&output.stderr)));
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let bad = report["cases"].as_array().unwrap().iter().filter(|case| case["verdict"] != "passed");
    let text = |case: &serde_json::Value, name: &str| case[name].as_str().unwrap_or_default().to_owned();
    bad.map(|case| (text(case, "id"), format!("{}, not {}", text(case, "got"), text(case, "expected"))))
        .collect()
}

/// The adapter, which cargo builds beside the tests.
fn misbehaving() -> PathBuf {
    let deps = std::env::current_exe().unwrap();
    deps.ancestors().nth(2).unwrap().join("examples/misbehaving-adapter")
}

#[test]
fn each_bad_habit_is_caught_by_the_items_that_should_catch_it() {
    let (next, missed) = (AtomicUsize::new(0), std::sync::Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(habit) = HABITS[1..].get(next.fetch_add(1, Ordering::Relaxed)) {
                    let failed = failures(habit.name, habit.caught_by);
                    let failed: BTreeSet<&str> = failed.iter().map(|it| it.0.as_str()).collect();
                    if failed != habit.caught_by.iter().copied().collect() {
                        missed.lock().unwrap().push(format!("{}: {failed:?}", habit.name));
                    }
                }
            });
        }
    });
    let missed = missed.into_inner().unwrap();
    assert!(missed.is_empty(), "caught by other items than should catch them: {missed:#?}");
}

#[test]
fn without_a_bad_habit_the_same_provider_passes_them_all() {
    let items: BTreeSet<&str> = HABITS.iter().flat_map(|habit| habit.caught_by).copied().collect();
    assert!(items.len() >= 20, "{items:?}");
    let failed = failures("none", &items.into_iter().collect::<Vec<_>>());
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Habits that are tried at once: a suite waits most of the time.
const AT_ONCE: usize = 8;
