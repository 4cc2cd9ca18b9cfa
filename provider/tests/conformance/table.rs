//! `docs/provider-conformance.md` has the items of the spec, and says which test shows which; `docs/provider-server-conformance.md` those of the
//! provider server.

use std::{collections::BTreeSet, fs, ops::RangeInclusive, path::Path};

use apns_spec::{Spec, differences};

/// The items of the engine, and those of the server.
const ENGINE: RangeInclusive<u8> = 1..=67;
const SERVER: RangeInclusive<u8> = 68..=80;

/// The names of tests that begin with one of these items, in a text.
fn named_after(items: &RangeInclusive<u8>, text: &str) -> BTreeSet<String> {
    let words = text.split(|character: char| !(character.is_ascii_alphanumeric() || character == '_'));
    let is_item = |word: &&str| {
        let digits = word.strip_prefix('c').and_then(|rest| rest.split_once('_'));
        let number =
            digits.filter(|(digits, _)| digits.len() == 2).and_then(|(digits, _)| digits.parse().ok());
        number.is_some_and(|number| items.contains(&number))
    };
    words.filter(is_item).map(str::to_owned).collect()
}

fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

/// Where the engine's tests are, and where the server's are beside them.
const OF_ENGINE: &[&str] = &["src", "tests", "core/src", "core/tests", "cli/src", "cli/tests"];
const OF_SERVER: &[&str] = &["core/tests", "cli/tests", "server/src", "server/tests", "server/core/src"];

/// Every test in these folders that is named after an item is on the page, and every one on the page is there.
fn compare(items: &RangeInclusive<u8>, folders: &[&str], page: &str) {
    let mut code = String::new();
    for folder in folders {
        sources(&root().join(folder), &mut code);
    }
    let (listed, there) = (named_after(items, page), named_after(items, &code));
    let missing: Vec<_> = listed.difference(&there).collect();
    assert!(missing.is_empty(), "on the page, and no such test is there: {missing:#?}");
    let unlisted: Vec<_> = there.difference(&listed).collect();
    assert!(unlisted.is_empty(), "tests that are not on the page: {unlisted:#?}");
}

#[test]
fn every_test_of_an_item_is_in_the_table_and_every_one_in_the_table_is_there() {
    compare(&ENGINE, OF_ENGINE, &page("provider-conformance.md"));
}

#[test]
fn every_test_of_an_item_of_the_server_is_in_its_table_and_every_one_there_is_there() {
    compare(&SERVER, OF_SERVER, &page("provider-server-conformance.md"));
}

#[test]
fn the_page_has_the_items_of_the_spec_under_their_titles() {
    let (spec, page) = (Spec::load().unwrap(), page("provider-conformance.md"));
    let items = spec.provider_items().iter().map(|row| (row.item.as_str(), row.title.as_str()));
    let rows = page.lines().filter(|line| line.starts_with("| C-")).map(|line| {
        let mut cells = line.split('|').skip(1).map(str::trim);
        (cells.next().unwrap(), cells.next().unwrap())
    });
    assert_eq!(differences(items, rows, &[]), []);
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join("../docs").join(name)).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
