//! docs/devices.md says what the tables say.

use mock_apns_core::{
    Status,
    rendering::{Dropped, Warning},
};

/// Every row that the document has to have.
fn rows() -> Vec<String> {
    let statuses = Status::ALL.iter().map(|status| format!("| {status} | {} |", status.meaning()));
    let warnings =
        Warning::ALL.iter().map(|it| format!("| `{}` | {} | {} |", it.id(), it.meaning(), it.source()));
    let dropped =
        Dropped::ALL.iter().map(|it| format!("| `{}` | {} | {} |", it.id(), it.meaning(), it.source()));
    statuses.chain(warnings).chain(dropped).collect()
}

#[test]
fn every_status_warning_and_reason_to_show_nothing_is_documented() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/devices.md");
    let document = std::fs::read_to_string(path).expect("the document is there");
    let missing: Vec<String> = rows().into_iter().filter(|row| !document.contains(row)).collect();
    assert!(
        missing.is_empty(),
        "docs/devices.md lacks these rows, or has older ones:\n{}",
        missing.join("\n")
    );
}
