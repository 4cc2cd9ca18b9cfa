//! The README says what the tables say.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

use mock_apns::SETTINGS;

fn root_file(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    std::fs::read_to_string(path).unwrap()
}

/// One row for each open question that is a setting, as the README has it.
fn rows() -> impl Iterator<Item = String> {
    SETTINGS.iter().map(|setting| {
        let values = setting.values.to_string();
        let values = values.strip_prefix("one of ").unwrap_or(&values);
        format!(
            "| `--{}` | {} | **{}** ({values}) | {}. |",
            setting.name, setting.meaning, setting.default, setting.source
        )
    })
}

#[test]
fn every_setting_is_among_the_differences_from_apple() {
    let readme = root_file("README.md");
    let missing: Vec<String> = rows().filter(|row| !readme.contains(row)).collect();
    assert!(missing.is_empty(), "README.md lacks these rows, or has older ones:\n{}", missing.join("\n"));
    assert_eq!(readme.matches("| `--").count(), SETTINGS.len(), "README.md lists a setting that is gone");
}

#[test]
fn the_quick_start_is_the_two_commands() {
    let readme = root_file("README.md");
    for command in ["cargo run --release\n", "cargo test --workspace\n"] {
        assert!(readme.contains(command), "{command}");
    }
}
