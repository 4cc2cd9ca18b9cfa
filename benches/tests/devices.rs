//! The command line as someone runs it, with few devices.

use std::process::Command;

use serde_json::Value;

#[test]
fn devices_are_held_and_their_cost_is_told() {
    let program = env!("CARGO_BIN_EXE_apns-benches");
    let output = Command::new(program).args(["devices", "--connections", "100", "--json"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["connections"], 100);
    let bytes = report["bytes_a_connection"].as_u64().unwrap();
    assert!((1..1_000_000).contains(&bytes), "{report}");
}
