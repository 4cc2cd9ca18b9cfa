//! For a summary page.

use std::fmt::Write as _;

use super::{Counts, Report};
use crate::Verdict;

/// A table of the groups, then what failed, what differs and what was skipped.
pub(crate) fn markdown(report: &Report<'_>) -> String {
    let counts = Counts::of(report.outcomes);
    let mut text = format!("# Conformance of {}\n\n{}.\n\n", cell(report.target), counts.words());
    text.push_str("| group | passed | known to differ | skipped | failed |\n|---|---:|---:|---:|---:|\n");
    for (group, outcomes) in report.groups() {
        let Counts { passed, differs, skipped, failed } = Counts::of(outcomes);
        let _ = writeln!(text, "| {group} | {passed} | {differs} | {skipped} | {failed} |"); // a String takes all
    }
    section(&mut text, report, "Failed", ["expected", "got"], |verdict| match verdict {
        Verdict::Failed(failure) => Some([failure.expected.clone(), failure.got.clone()]),
        Verdict::NoLongerDiffers { reason } => Some([format!("a difference: {reason}"), "none".to_owned()]),
        _ => None,
    });
    section(&mut text, report, "Known to differ", ["got", "why"], |verdict| match verdict {
        Verdict::Differs { reason, failure } => Some([failure.got.clone(), reason.clone()]),
        _ => None,
    });
    section(&mut text, report, "Skipped", ["title", "why"], |verdict| match verdict {
        Verdict::Skipped { why } => Some([String::new(), why.clone()]),
        _ => None,
    });
    text
}

/// A table of the outcomes of one kind; nothing when there is none.
fn section(
    text: &mut String,
    report: &Report<'_>,
    title: &str,
    columns: [&str; 2],
    of: impl Fn(&Verdict) -> Option<[String; 2]>,
) {
    let rows: Vec<String> = report
        .outcomes
        .iter()
        .filter_map(|outcome| {
            let [first, second] = of(&outcome.verdict)?;
            let first = if first.is_empty() { outcome.about.title.clone() } else { first };
            Some(format!("| `{}` | {} | {} |", outcome.about.id, cell(&first), cell(&second)))
        })
        .collect();
    if rows.is_empty() {
        return;
    }
    let [first, second] = columns;
    let _ =
        writeln!(text, "\n## {title}\n\n| case | {first} | {second} |\n|---|---|---|\n{}", rows.join("\n"));
}

/// Text in a table: no new column, no new line, no HTML.
pub(super) fn cell(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('|', "\\|").replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::made;

    #[test]
    fn each_kind_of_outcome_has_its_table() {
        let text = made(markdown);
        for part in [
            "# Conformance of the &lt;target>\n",
            "| b | 0 | 1 | 1 | 1 |\n",
            "## Failed\n\n| case | expected | got |\n|---|---|---|\n| `two` | answer 0: 200, no body | 400 &lt;\"a\" &amp; b> |\n| `five` |",
            "## Known to differ\n\n| case | got | why |",
            "| `three` | title of three | the target has no tokens.voip |",
        ] {
            assert!(text.contains(part), "{part}\nis not in\n{text}");
        }
        assert_eq!(cell("a|b\nc"), "a\\|b c");
    }
}
