//! docs/messages.md tells what the table of push types says. Its examples are tests of their own.

use apns_provider_core::PushType;

#[test]
fn the_page_has_the_row_of_every_push_type() {
    let page = include_str!("../../../docs/messages.md");
    let told: Vec<(&str, Vec<&str>)> = page.lines().filter_map(row).collect();
    let expected: Vec<(&str, Vec<String>)> = PushType::all().map(expected).collect();
    assert_eq!(told.len(), expected.len());
    for ((push_type, cells), (expected_type, expected_cells)) in told.into_iter().zip(expected) {
        assert_eq!(push_type, expected_type);
        assert_eq!(cells, expected_cells, "{push_type}");
    }
}

/// The push type of a row, and the cells that follow from the table: all but the builder's name.
fn row(line: &str) -> Option<(&str, Vec<&str>)> {
    let cells: Vec<&str> = line.strip_prefix("| `")?.strip_suffix(" |")?.split('|').map(str::trim).collect();
    Some((cells[0].strip_suffix('`')?, cells[2..].to_vec()))
}

fn expected(push_type: PushType) -> (&'static str, Vec<String>) {
    let priorities: Vec<&str> = push_type.priorities().iter().map(|it| it.as_str()).collect();
    let suffix = push_type.topic_suffix();
    let cells = vec![
        if suffix.is_empty() { String::new() } else { format!("`{suffix}`") },
        priorities.join(", "),
        push_type.default_expiration().map_or_else(String::new, |it| it.as_secs().to_string()),
        push_type.payload_bytes_max().to_string(),
    ];
    (push_type.as_str(), cells)
}
