//! docs/filters.md says what the code does: its table is that of the keys, its examples are filters, its errors are
//! those that are given.

use mock_apns_core::{FILTER_BYTES_MAX, FILTER_TERMS_MAX, Filter, FilterKey};

const DOCUMENT: &str = include_str!("../../../docs/filters.md");

#[test]
fn the_table_is_that_of_the_keys_no_more_and_no_less() {
    let rows: Vec<String> = FilterKey::ALL
        .iter()
        .map(|key| format!("| `{key}` | {} | `{}` |", key.compares(), key.example()))
        .collect();
    let documented: Vec<&str> = DOCUMENT.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(documented, rows, "docs/filters.md should have these rows:\n{}", rows.join("\n"));
}

#[test]
fn every_example_is_a_filter_as_it_would_be_written() {
    let examples = blocks("filter");
    assert!(examples.len() > 5, "{examples:?}");
    for (_, example) in examples {
        match Filter::parse(example) {
            Ok(filter) => assert_eq!(filter.to_string(), example),
            Err(error) => panic!("{example}\n{error}"),
        }
    }
}

#[test]
fn every_error_is_the_one_that_is_given() {
    let errors = blocks("error ");
    assert_eq!(errors.len(), 2);
    for (filter, error) in errors {
        assert_eq!(Filter::parse(filter).map_err(|it| it.to_string()), Err(error.to_owned()));
    }
}

#[test]
fn the_limits_are_the_codes() {
    let limits = format!("at most {FILTER_BYTES_MAX} bytes and {FILTER_TERMS_MAX} terms");
    assert!(DOCUMENT.contains(&limits), "{limits}");
}

/// The blocks of this kind: what stands behind the kind in the first line, and the lines within.
fn blocks(kind: &str) -> Vec<(&'static str, &'static str)> {
    let fenced = DOCUMENT.split("```").skip(1).step_by(2);
    fenced
        .filter_map(|block| block.strip_prefix(kind)?.split_once('\n'))
        .map(|(of, it)| (of, it.trim_end()))
        .collect()
}
