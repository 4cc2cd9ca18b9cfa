//! docs/conformance.md says everything that a target file may have.

use std::collections::BTreeSet;

use apns_conformance::{Case, NOT_RESTED_ON, server_cases};
use apns_spec::Spec;

const DOC: &str = include_str!("../../docs/conformance.md");

fn cases() -> (Spec, Vec<Case>) {
    let spec = Spec::load().unwrap_or_else(|error| panic!("{error}"));
    let cases = server_cases(&spec);
    (spec, cases)
}

#[test]
fn everything_that_a_case_may_need_is_documented() {
    let needs: BTreeSet<String> = cases().1.iter().flat_map(Case::needs).collect();
    for need in needs {
        let name = need.split_once('.').map_or(need.as_str(), |(_, name)| name);
        let written = [format!("`{need}`"), format!("`….{name}`"), format!("`{name}`")];
        let by_row = name.starts_with("host-api"); // tokens.host-api "and so on"
        assert!(by_row || written.iter().any(|text| DOC.contains(text)), "{need}");
    }
}

#[test]
fn every_group_is_documented() {
    let groups: BTreeSet<&str> = cases().1.iter().map(|case| case.tags[0]).collect();
    for group in groups {
        assert!(DOC.contains(&format!("`{group}`")), "{group}");
    }
}

#[test]
fn the_list_of_rows_without_a_case_is_short() {
    let spec = cases().0;
    let rows = spec.rows().count() - spec.provider_items().len();
    assert!(NOT_RESTED_ON.len() * 5 < rows, "{} of {rows}", NOT_RESTED_ON.len());
}
