//! `docs/provider-conformance.md` has the items of the spec, and says which test shows which.

use std::{collections::BTreeSet, fs, path::Path};

use apns_spec::{Spec, differences};

/// The names of tests that begin with an item, in a text.
fn named_after_items(text: &str) -> BTreeSet<String> {
    let words = text.split(|character: char| !(character.is_ascii_alphanumeric() || character == '_'));
    let is_item = |word: &&str| {
        let digits = word.strip_prefix('c').and_then(|rest| rest.get(..3));
        digits.is_some_and(|it| it.ends_with('_') && it[..2].bytes().all(|byte| byte.is_ascii_digit()))
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

#[test]
fn every_test_of_an_item_is_in_the_table_and_every_one_in_the_table_is_there() {
    let root = root();
    let mut code = String::new();
    for folder in ["src", "tests", "core/src", "core/tests", "cli/src", "cli/tests"] {
        sources(&root.join(folder), &mut code);
    }
    let (listed, there) = (named_after_items(&page()), named_after_items(&code));
    let missing: Vec<_> = listed.difference(&there).collect();
    assert!(missing.is_empty(), "on the page, and no such test is there: {missing:#?}");
    let unlisted: Vec<_> = there.difference(&listed).collect();
    assert!(unlisted.is_empty(), "tests that are not on the page: {unlisted:#?}");
}

#[test]
fn the_page_has_the_items_of_the_spec_under_their_titles() {
    let (spec, page) = (Spec::load().unwrap(), page());
    let items = spec.provider_items().iter().map(|row| (row.item.as_str(), row.title.as_str()));
    let rows = page.lines().filter(|line| line.starts_with("| C-")).map(|line| {
        let mut cells = line.split('|').skip(1).map(str::trim);
        (cells.next().unwrap(), cells.next().unwrap())
    });
    assert_eq!(differences(items, rows, &[]), []);
}

fn page() -> String {
    fs::read_to_string(root().join("../docs/provider-conformance.md")).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
