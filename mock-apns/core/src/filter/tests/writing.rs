//! That what is written out reads back.

use proptest::prelude::*;

use crate::{Filter, FilterKey};

#[test]
fn a_filter_is_written_as_the_shortest_text_that_reads_as_the_same() {
    for (filter, written) in [
        ("", ""),
        ("  type:alert   -topic:com.example.app ", "type:alert -topic:com.example.app"),
        ("text:Hello", "Hello"),
        ("-text:\"Hello, Ann\"", "-\"Hello, Ann\""),
        ("text:10:30,11:30", "\"10:30\",11:30"),
        ("text:-1,-2", "\"-1\",-2"),
        ("type:\"alert\",none", "type:alert,none"),
        ("device:\"a \\\"b\\\" \\\\ c\"", "device:\"a \\\"b\\\" \\\\ c\""),
        ("collapse:user:42,\"\"", "collapse:user:42,\"\""),
        ("token:AAbb,CC*", "token:aabb,cc*"),
        ("after:007", "after:7"),
    ] {
        assert_eq!(Filter::parse(filter).unwrap().to_string(), written, "{filter}");
    }
}

/// Something like a filter, and right more often than not.
fn term() -> impl Strategy<Value = String> {
    let examples: Vec<&str> = FilterKey::ALL.iter().map(|key| key.example()).collect();
    let value = prop_oneof!["[^\"\\\\]{0,8}", r#"([^"\\]|\\"|\\\\){0,8}"#.prop_map(|it| format!("\"{it}\""))];
    let keys: Vec<&str> = vec!["", "text:", "collapse:", "device:", "-", "-text:", "after:", "token:"];
    let built = (prop::sample::select(keys), prop::collection::vec(value, 1..4));
    prop_oneof![
        prop::sample::select(examples).prop_map(ToOwned::to_owned),
        built.prop_map(|(key, values)| format!("{key}{}", values.join(","))),
    ]
}

proptest! {
    #[test]
    fn any_text_is_a_filter_or_an_error_within_it(text in prop_oneof![any::<String>(), "[-a-z:,\"\\\\ ]{0,40}"]) {
        if let Err(error) = Filter::parse(&text) {
            prop_assert!(error.position <= text.len() && text.is_char_boundary(error.position));
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn what_is_written_reads_as_the_same_and_is_no_longer(terms in prop::collection::vec(term(), 0..6)) {
        let text = terms.join(" ");
        if let Ok(filter) = Filter::parse(&text) {
            let written = filter.to_string();
            prop_assert!(written.len() <= text.len(), "{} became {}", text, written);
            prop_assert_eq!(Filter::parse(&written), Ok(filter));
        }
    }
}
