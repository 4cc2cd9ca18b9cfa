//! Every case: generated where a table of the spec says it, written by hand where none can.

mod answers;
mod certificates;
mod connections;
mod frames;
mod headers;
mod hpack;
mod limits;
mod order;
mod payloads;
mod provider_tokens;
mod push_types;
mod reasons;
mod settings;
mod streams;

use apns_spec::Spec;

use crate::Case;

/// Every case of the server suite, in the order in which reports show them.
pub fn server_cases(spec: &Spec) -> Vec<Case> {
    let from_tables = [
        reasons::cases(spec),
        headers::cases(spec),
        push_types::cases(spec),
        order::cases(spec),
        settings::cases(spec),
    ];
    let by_hand = [
        limits::cases(),
        payloads::cases(),
        provider_tokens::cases(),
        certificates::cases(),
        answers::cases(),
        connections::cases(),
        streams::cases(),
        frames::cases(),
        hpack::cases(),
    ];
    from_tables.into_iter().chain(by_hand).flatten().collect()
}

/// The status that goes with a reason.
fn status(spec: &Spec, reason: &str) -> u16 {
    let row = spec.reasons().iter().find(|row| row.reason == reason);
    row.map_or(0, |row| row.status) // no answer has 0: a reason that is in no table fails its case
}

/// The id of a reason's row.
fn reason_row(spec: &Spec, reason: &str) -> String {
    let row = spec.reasons().iter().find(|row| row.reason == reason);
    row.map_or_else(String::new, |row| row.id.clone())
}

/// Any text as a part of an id: letters and digits of ASCII, other bytes as hyphens, at most 40.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' => slug.push(char::from(byte)),
            b'A'..=b'Z' => slug.push(char::from(byte.to_ascii_lowercase())),
            _ if slug.ends_with('-') || slug.is_empty() => {}
            _ => slug.push('-'),
        }
    }
    slug.truncate(40);
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn all() -> Vec<Case> {
        server_cases(&Spec::load().unwrap())
    }

    #[test]
    fn there_are_hundreds_and_no_two_have_the_same_id() {
        let cases = all();
        assert!(cases.len() >= 400, "{}", cases.len());
        let mut ids = BTreeSet::new();
        for case in &cases {
            assert!(ids.insert(&case.id), "{} is the id of two cases", case.id);
            let is_kebab = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
            assert!(case.id.bytes().all(is_kebab) && !case.id.contains("--"), "{}", case.id);
        }
    }

    #[test]
    fn every_case_says_what_it_asks_and_expects_something() {
        for case in all() {
            assert!(!case.title.is_empty() && !case.expected.is_empty(), "{}", case.id);
        }
    }

    #[test]
    fn every_row_that_a_case_rests_on_is_in_a_table() {
        let spec = Spec::load().unwrap();
        let rows: BTreeSet<&str> = spec.rows().map(|row| row.id).collect();
        for case in all() {
            assert!(!case.rows.is_empty(), "{} rests on nothing", case.id);
            for row in &case.rows {
                assert!(rows.contains(row.as_str()), "{}: {row:?}", case.id);
            }
        }
    }

    #[test]
    fn the_cases_are_the_same_in_every_run() {
        assert_eq!(all(), all());
    }
}
