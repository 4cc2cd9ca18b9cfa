//! Providers side by side: docs/scoreboard.md.

use std::{collections::BTreeMap, fmt::Write as _};

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
        let count = |sign| column.outcomes.iter().filter(|it| sign_of(&it.verdict) == sign).count();
        let (passed, failed) = (count("✓"), count("**✗**"));
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
    column.outcomes.iter().find(|outcome| outcome.about.id == item.id).map_or("", |it| sign_of(&it.verdict))
}

/// What stands in the table for a verdict.
pub(crate) fn sign_of(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Passed | Verdict::NoLongerDiffers { .. } => "✓",
        Verdict::Failed(_) | Verdict::Differs { .. } => "**✗**",
        Verdict::Skipped { .. } => "–",
    }
}

fn is_sign(text: &&str) -> bool {
    ["✓", "**✗**", "–", ""].contains(text)
}

/// What a page says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Board {
    /// The version of each provider.
    pub(crate) versions: BTreeMap<String, String>,
    /// The sign of each provider and item.
    pub(crate) signs: BTreeMap<(String, String), String>,
}

impl Board {
    /// Reads the tables of a page that [`scoreboard`] has written.
    pub(crate) fn read(page: &str) -> Self {
        let mut board = Self::default();
        let mut providers: Vec<String> = Vec::new();
        for row in page.lines().filter_map(cells) {
            match row.as_slice() {
                ["item", "what", names @ ..] => {
                    providers = names.iter().map(|name| (*name).to_owned()).collect();
                }
                [item, _, signs @ ..] if signs.len() == providers.len() && signs.iter().all(is_sign) => {
                    let each = providers.iter().zip(signs).filter(|(_, sign)| !sign.is_empty());
                    let each =
                        each.map(|(name, sign)| ((name.clone(), (*item).to_owned()), (*sign).to_owned()));
                    board.signs.extend(each);
                }
                [name, version, _, _, _] if providers.is_empty() && *name != "provider" => {
                    board.versions.insert((*name).to_owned(), (*version).to_owned());
                }
                _ => {}
            }
        }
        board
    }
}

/// The cells of a line of a table that has any: not of the rule under its head.
fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let cells: Vec<&str> = inner.split('|').map(str::trim).collect();
    let is_rule = cells.iter().all(|cell| cell.trim_matches(['-', ':']).is_empty());
    (!is_rule).then_some(cells)
}

fn is_must(item: &About) -> bool {
    item.tags.contains(&apns_spec::ItemLevel::Must.as_str())
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

    #[test]
    fn a_page_can_be_read_again() {
        let items: Vec<About> = outcomes().into_iter().map(|outcome| outcome.about).collect();
        let named = |id: &str| format!("C-{id}");
        let mut outcomes = outcomes();
        for outcome in &mut outcomes {
            outcome.about.id = named(&outcome.about.id);
        }
        let items: Vec<About> =
            items.into_iter().map(|about| About { id: named(&about.id), ..about }).collect();
        let column = Column { name: "a".into(), version: Ok("1.0".into()), options: String::new(), outcomes };
        let board = Board::read(&scoreboard("2026-01-02", &items, &[column]));
        assert_eq!(board.versions, [("a".to_owned(), "1.0".to_owned())].into());
        let sign = |item: &str| board.signs[&("a".to_owned(), named(item))].clone();
        assert_eq!((sign("one"), sign("two"), sign("three")), ("✓".into(), "**✗**".into(), "–".into()));
    }
}
