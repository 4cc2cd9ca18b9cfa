//! For whoever sits before a terminal.

use super::{Counts, Report, certainty};
use crate::{About, Failure, Outcome, Verdict};

/// Bad ones first and explained, then what was skipped, then a line for each group.
pub(crate) fn terminal(report: &Report<'_>) -> String {
    let mut text = String::new();
    for outcome in report.outcomes {
        explain(&mut text, report, outcome);
    }
    skipped(&mut text, report);
    for (group, outcomes) in report.groups() {
        line(&mut text, &format!("{group:<18} {}", Counts::of(outcomes).words()));
    }
    let all = Counts::of(report.outcomes);
    line(&mut text, &format!("{:<18} {}", "all", all.words()));
    let verdict = if all.failed == 0 { "conforms" } else { "DOES NOT CONFORM" };
    line(&mut text, &format!("\n{} {verdict}: {} cases", report.target, report.outcomes.len()));
    text
}

/// Every case, a line each: id, tags, title.
pub(crate) fn list(cases: &[About]) -> String {
    let mut text = String::new();
    for About { id, title, tags, .. } in cases {
        line(&mut text, &format!("{id}  [{}]  {title}", tags.join(" ")));
    }
    text
}

fn explain(text: &mut String, report: &Report<'_>, outcome: &Outcome) {
    match &outcome.verdict {
        Verdict::Failed(failure) => failed(text, report, outcome, failure),
        Verdict::NoLongerDiffers { reason } => {
            line(text, &format!("NO LONGER DIFFERS  {}: {}", outcome.about.id, outcome.about.title));
            line(text, &format!("  listed because   {reason}"));
            line(text, "  mend             take it off the list of differences\n");
        }
        Verdict::Passed | Verdict::Skipped { .. } | Verdict::Differs { .. } => {}
    }
}

fn failed(text: &mut String, report: &Report<'_>, outcome: &Outcome, failure: &Failure) {
    line(text, &format!("FAILED  {}: {}", outcome.about.id, outcome.about.title));
    line(text, &format!("  expected  {}", failure.expected));
    line(text, &format!("  got       {}", failure.got));
    for row in report.rows(outcome) {
        line(text, &format!("  source    {} ({}): {}", row.id, certainty(row.certainty), row.source));
    }
    for came in &failure.came {
        line(text, &format!("  came      {came}"));
    }
    line(text, &format!("  alone     {}\n", report.command(outcome)));
}

/// What was not asked, by the reason.
fn skipped(text: &mut String, report: &Report<'_>) {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for outcome in report.outcomes {
        let Verdict::Skipped { why } = &outcome.verdict else { continue };
        match reasons.iter_mut().find(|reason| reason.0 == why) {
            Some(reason) => reason.1.push(&outcome.about.id),
            None => reasons.push((why, vec![&outcome.about.id])),
        }
    }
    for (why, ids) in reasons {
        line(text, &format!("skipped, as {why}: {}\n", ids.join(", ")));
    }
}

/// A line. What would steer the terminal is replaced: anybody may have said it.
fn line(text: &mut String, line: &str) {
    let shown = |char: char| if char.is_control() && char != '\n' { '\u{fffd}' } else { char };
    text.extend(line.chars().map(shown));
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::made;

    #[test]
    fn nothing_that_came_steers_the_terminal() {
        let mut text = String::new();
        line(&mut text, "\u{1b}[31mred\u{7}\r\nand é");
        assert_eq!(text, "\u{fffd}[31mred\u{fffd}\u{fffd}\nand é\n");
    }

    #[test]
    fn a_failure_says_what_where_from_and_how_to_see_it_alone() {
        let text = made(terminal);
        for part in [
            "FAILED  two: title of two\n  expected  answer 0: 200, no body\n  got       400 <\"a\" & b>\n",
            "  source    header-topic (documented): Apple, \"Sending notification requests to APNs\"",
            "  came      HEADERS 1 [:status: 400]\n",
            "  alone     cargo run --release -p apns-conformance -- server two --target t.toml\n",
            "NO LONGER DIFFERS  five: title of five\n  listed because   it was so\n",
            "skipped, as the target has no tokens.voip: three\n",
            "b                  1 known to differ, 1 skipped, 1 failed\n",
            "the <target> DOES NOT CONFORM: 5 cases\n",
        ] {
            assert!(text.contains(part), "{part}\nis not in\n{text}");
        }
    }
}
