//! Providers side by side: docs/scoreboard.md.

use std::fmt::Write as _;

use super::markdown::cell;
use crate::{About, Failure, Outcome, Verdict};

/// One provider on the board.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    /// What it is called.
    pub(crate) name: String,
    /// Its version, or why it could not be asked.
    pub(crate) version: Result<String, String>,
    /// What stands behind an item's id in the command that runs it alone.
    pub(crate) options: String,
    /// What became of each item; none where it could not be asked.
    pub(crate) outcomes: Vec<Outcome>,
}

/// A page: who was asked and when, a table of all items, and each failure with how to see it again.
pub(crate) fn scoreboard(date: &str, items: &[About], columns: &[Column]) -> String {
    let mut text = format!("# Scoreboard\n\n{INTRODUCTION}\n\nAs of {date}.\n\n");
    text.push_str("| provider | version | passed | failed | not applicable |\n|---|---|---:|---:|---:|\n");
    for column in columns {
        let count = |is: fn(&Verdict) -> bool| column.outcomes.iter().filter(|it| is(&it.verdict)).count();
        let (passed, failed) = (count(has_passed), count(has_failed));
        let version = match &column.version {
            Ok(version) => version.clone(),
            Err(why) => format!("not asked: {}", cell(why)),
        };
        let rest = column.outcomes.len() - passed - failed;
        line(&mut text, &format!("| {} | {version} | {passed} | {failed} | {rest} |", column.name));
    }
    table(&mut text, items, columns);
    for column in columns.iter().filter(|column| !column.outcomes.is_empty()) {
        failures(&mut text, column);
    }
    text
}

fn table(text: &mut String, items: &[About], columns: &[Column]) {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    line(text, &format!("\n## Item by item\n\n| item | what | {} |", names.join(" | ")));
    line(text, &format!("|---|---|{}", ":-:|".repeat(columns.len())));
    for item in items {
        let signs: Vec<&str> = columns.iter().map(|column| sign(column, item)).collect();
        let title = format!("{}{}", cell(&item.title), if is_must(item) { "" } else { " (should)" });
        line(text, &format!("| {} | {title} | {} |", item.id, signs.join(" | ")));
    }
}

fn sign(column: &Column, item: &About) -> &'static str {
    match column.outcomes.iter().find(|outcome| outcome.about.id == item.id).map(|it| &it.verdict) {
        Some(verdict) if has_passed(verdict) => "✓",
        Some(verdict) if has_failed(verdict) => "**✗**",
        Some(_) => "–",
        None => "",
    }
}

fn is_must(item: &About) -> bool {
    item.tags.contains(&apns_spec::ItemLevel::Must.as_str())
}

fn has_passed(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Passed | Verdict::NoLongerDiffers { .. })
}

fn has_failed(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Failed(_) | Verdict::Differs { .. })
}

/// What a provider failed, and what does not apply to it.
fn failures(text: &mut String, column: &Column) {
    line(text, &format!("\n## {}\n", column.name));
    let failed = column.outcomes.iter().filter_map(|outcome| match &outcome.verdict {
        Verdict::Failed(failure) | Verdict::Differs { failure, .. } => Some((outcome, failure)),
        _ => None,
    });
    let rows: Vec<String> = failed
        .map(|(outcome, Failure { expected, got, .. })| {
            format!("| {} | {} | {} |", outcome.about.id, cell(expected), cell(got))
        })
        .collect();
    if rows.is_empty() {
        line(text, "It failed nothing that it was asked.");
    } else {
        line(text, "Each by itself, with the frames:\n");
        let options = &column.options;
        line(
            text,
            &format!(
                "```sh not-run=\"it takes what the adapter needs\"\ncargo run --release -p apns-conformance -- provider ITEM{options}\n```\n"
            ),
        );
        line(text, &format!("| item | expected | got |\n|---|---|---|\n{}", rows.join("\n")));
    }
    let not_applicable = column.outcomes.iter().filter_map(|outcome| match &outcome.verdict {
        Verdict::Skipped { why } => Some(format!("| {} | {} |", outcome.about.id, cell(why))),
        _ => None,
    });
    let rows: Vec<String> = not_applicable.collect();
    if !rows.is_empty() {
        line(text, &format!("\n| item | does not apply, as |\n|---|---|\n{}", rows.join("\n")));
    }
}

fn line(text: &mut String, line: &str) {
    let _ = writeln!(text, "{line}"); // a String takes all
}

const INTRODUCTION: &str = "APNs providers, asked the same by [the provider suite](conformance.md#providers): what the double saw on the wire, and what the library \
told its caller. An adapter calls each library as its documentation does, with its defaults ([conformance/adapters](../conformance/adapters)): what a library leaves \
to its caller, it does not do here. This page is written by

```sh not-run=\"many minutes\"
cargo run --release -p apns-conformance -- scoreboard --out docs/scoreboard.md
```

✓ passed, **✗** failed, – does not apply, for the reason below.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::outcomes;

    #[test]
    fn each_item_stands_once_with_a_sign_for_each_provider() {
        let outcomes = outcomes();
        let items: Vec<About> = outcomes.iter().map(|outcome| outcome.about.clone()).collect();
        let asked = Column {
            name: "first".into(),
            version: Ok("1.0".into()),
            options: " --adapter 'x'".into(),
            outcomes,
        };
        let absent = Column {
            name: "second".into(),
            version: Err("no | such file".into()),
            outcomes: vec![],
            ..asked.clone()
        };
        let text = scoreboard("2026-01-02", &items, &[asked, absent]);
        for part in [
            "As of 2026-01-02.",
            "| first | 1.0 | 2 | 2 | 1 |\n| second | not asked: no \\| such file | 0 | 0 | 0 |\n",
            "| one | title of one (should) | ✓ |  |\n| two | title of two (should) | **✗** |  |\n",
            "| three | title of three (should) | – |  |",
            "provider ITEM --adapter 'x'\n",
            "| two | answer 0: 200, no body | 400 &lt;\"a\" &amp; b> |",
            "| three | the target has no tokens.voip |",
        ] {
            assert!(text.contains(part), "{part}\nis not in\n{text}");
        }
        assert!(!text.contains("## second"));
    }
}
