//! `docs/provider-conformance.md` says which test shows which item.

use std::{collections::BTreeSet, fs, path::Path};

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
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut code = String::new();
    for folder in ["src", "tests", "core/src", "core/tests", "cli/src", "cli/tests"] {
        sources(&root.join(folder), &mut code);
    }
    let page = fs::read_to_string(root.join("../docs/provider-conformance.md")).unwrap();
    let (listed, there) = (named_after_items(&page), named_after_items(&code));
    let missing: Vec<_> = listed.difference(&there).collect();
    assert!(missing.is_empty(), "on the page, and no such test is there: {missing:#?}");
    let unlisted: Vec<_> = there.difference(&listed).collect();
    assert!(unlisted.is_empty(), "tests that are not on the page: {unlisted:#?}");
    for item in 1..=67 {
        assert!(page.contains(&format!("| C-{item:02} |")), "C-{item:02} has no row");
    }
}
