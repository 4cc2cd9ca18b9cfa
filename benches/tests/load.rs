//! The command line as someone runs it, with few pushes: every pair of this program's own works, and says so.

use std::process::{Command, Output};

use serde_json::Value;

fn load(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_apns-benches");
    Command::new(program).arg("load").args(arguments).output().expect("cargo has built the program")
}

#[test]
fn every_pair_pushes_and_every_ratio_is_drawn() {
    let output = load(&["--pushes", "2000", "--runs", "2", "--no-peers", "--json"]);
    assert!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let pairs = report["pairs"].as_array().unwrap();
    let (peers, own): (Vec<&Value>, Vec<&Value>) =
        pairs.iter().partition(|pair| ["apple-apns", "apns-h2"].contains(&pair["client"].as_str().unwrap()));
    for pair in own {
        let is_h2load = pair["client"] == "h2load";
        if is_h2load && pair["failures"][0].as_str().is_some_and(|why| why.contains("nghttp2-client")) {
            continue; // it is not on this machine, and the report says what to install
        }
        assert_eq!(pair["failures"], Value::Array(Vec::new()), "{pair}");
        assert!(pair["connections"] == 1 || is_h2load && pair["connections"].is_null(), "{pair}");
        for measure in ["pushes_per_second", "server_cpu_us", "client_cpu_us", "p50_ms", "p99_ms"] {
            assert!(pair[measure].as_f64().is_some_and(|value| value > 0.0), "{measure} of {pair}");
        }
    }
    for pair in peers {
        assert_eq!(pair["failures"][0], "left out, as asked for");
    }
    let goals: Vec<f64> =
        report["ratios"].as_array().unwrap().iter().filter_map(|ratio| ratio["goal"].as_f64()).collect();
    assert_eq!(goals, [0.5, 0.5, 0.4, 0.5], "the others are of the peers");
}

#[test]
fn several_connections_are_opened_when_asked_for() {
    for client in ["double/floor", "double/h2-client"] {
        let output = load(&[
            "--pushes",
            "500",
            "--runs",
            "1",
            "--connections",
            "3",
            "--only",
            client,
            "--no-peers",
            "--json",
        ]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["pairs"][0]["connections"], 3, "{report}");
    }
}

#[test]
fn a_payload_that_apns_would_refuse_is_refused_here() {
    let output = load(&["--payload", "5000"]);
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("5000 is not between 64 and 4096"), "{said}");
}

#[test]
fn a_pair_that_there_is_not_is_answered_with_those_that_there_are() {
    let output = load(&["--only", "nginx"]);
    assert!(!output.status.success() && output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("\"nginx\"") && said.contains("double/engine"), "{said}");
}
