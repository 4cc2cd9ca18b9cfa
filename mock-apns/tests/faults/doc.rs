//! docs/faults.md says what the code does: every action has its section, every example is taken, the tables are the code's.

use std::fmt::Write as _;

use mock_apns::{
    MockApns,
    fault::{Action, MalformedFrame, Moment},
};

use crate::Control;

fn document() -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/faults.md");
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn every_action_has_a_section_with_what_is_seen_who_has_seen_it_and_an_example() {
    let document = document();
    let sections: Vec<&str> = document.split("\n## ").collect();
    for name in Action::NAMES {
        let title = format!("`{name}`\n");
        let section = sections.iter().find(|section| section.starts_with(&title));
        let section = section.unwrap_or_else(|| panic!("docs/faults.md has no section ## `{name}`"));
        for part in ["What the provider sees:", "When Apple was seen to do it:", "```json\n"] {
            assert!(section.contains(part), "{name}: {part}");
        }
        assert!(section.contains(&format!("\"{name}\"")), "{name}: its example is of another action");
    }
    for moment in Moment::ALL {
        assert!(document.contains(&format!("\n| `{}` |", moment.as_str())), "{moment:?}");
    }
}

#[test]
fn the_table_of_frames_is_that_of_the_code() {
    let mut rows = String::new();
    for kind in MalformedFrame::ALL {
        writeln!(rows, "| `{}` | {} |", kind.as_str(), kind.wrong()).unwrap();
    }
    assert!(
        document().contains(&format!("|---|---|\n{rows}")),
        "docs/faults.md should have these rows:\n{rows}"
    );
}

#[tokio::test]
async fn every_example_is_taken() {
    let mock = MockApns::start().await.unwrap();
    let control = Control::of(&mock);
    let document = document();
    let examples: Vec<&str> =
        document.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(examples.len() >= Action::NAMES.len(), "{}", examples.len());
    for example in examples {
        let at_door = example.contains("\"tls\"") || example.contains("\"accept\"");
        let everyone = if at_door { "?everyone=true" } else { "" };
        control.post(&format!("/v1/faults{everyone}"), example).await.expect(201);
    }
}
