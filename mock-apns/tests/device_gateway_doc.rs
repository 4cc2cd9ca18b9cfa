//! docs/device-gateway.md says what the code does: every example is a message, every error is listed.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

use std::collections::BTreeSet;

use mock_apns_core::{FromDevice, GatewayErrorCode, ToDevice};
use serde_json::Value;

fn document() -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/device-gateway.md");
    std::fs::read_to_string(path).unwrap()
}

/// The lines of the two blocks of JSON: a device's messages, and the gateway's.
fn examples(document: &str) -> Vec<Vec<&str>> {
    document
        .split("```json\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().lines().collect())
        .collect()
}

/// The types of these messages, and those of the rows of a table in the document.
fn types(lines: &[&str]) -> BTreeSet<String> {
    lines
        .iter()
        .map(|line| {
            let json: Value = serde_json::from_str(line).unwrap();
            json["type"].as_str().unwrap().to_owned()
        })
        .collect()
}

#[test]
fn every_example_of_a_device_is_a_message_and_every_type_has_one() {
    let document = document();
    let examples = &examples(&document)[0];
    for line in examples {
        FromDevice::parse(line.as_bytes()).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
    let unknown = FromDevice::parse(b"{\"type\":\"?\"}").unwrap_err().to_string();
    let known: BTreeSet<String> =
        unknown.split("there are ").nth(1).unwrap().split(", ").map(str::to_owned).collect();
    assert_eq!(types(examples), known);
    for name in known {
        assert!(document.contains(&format!("| `{name}` |")), "{name} is not in the table");
    }
}

#[test]
fn every_example_of_the_gateway_is_what_it_writes() {
    let document = document();
    let examples = &examples(&document)[1];
    for line in examples {
        let message = ToDevice::parse(line.as_bytes()).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(message.to_line().trim_end(), *line);
    }
    let unknown = ToDevice::parse(b"{\"type\":\"?\"}").unwrap_err().to_string();
    let known: BTreeSet<String> =
        unknown.split("there are ").nth(1).unwrap().split(", ").map(str::to_owned).collect();
    assert_eq!(types(examples), known);
}

#[test]
fn every_error_is_listed_with_its_meaning() {
    let document = document();
    for code in GatewayErrorCode::ALL {
        let row = format!("| `{}` | {} |", code.as_str(), code.meaning());
        assert!(
            document.contains(&row),
            "docs/device-gateway.md lacks this row, or has an older one:\n{row}"
        );
    }
    let (_, errors) = document.split_once("\n## Errors\n").unwrap();
    let (errors, _) = errors.split_once("\n## ").unwrap();
    assert_eq!(
        errors.matches("\n| `").count(),
        GatewayErrorCode::ALL.len(),
        "an error is listed that is gone"
    );
}
