//! JUnit's XML, as CI servers read it: a test suite for each group.
//!
//! Written by hand: it is four elements, and what is hard about it, escaping, is twenty lines.

use std::{fmt::Write as _, time::Duration};

use super::{Counts, Report};
use crate::{Failure, Outcome, Verdict};

/// A `testsuites` document.
pub(crate) fn junit(report: &Report<'_>) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let all = totals(report.outcomes);
    let _ = writeln!(xml, "<testsuites name=\"{}\" {all}>", escaped(report.target)); // a String takes all
    for (group, outcomes) in report.groups() {
        let _ =
            writeln!(xml, "  <testsuite name=\"{}\" {}>", escaped(group), totals(outcomes.iter().copied()));
        for outcome in outcomes {
            test_case(&mut xml, group, outcome);
        }
        xml.push_str("  </testsuite>\n");
    }
    xml + "</testsuites>\n"
}

fn totals<'a>(outcomes: impl IntoIterator<Item = &'a Outcome> + Clone) -> String {
    let counts = Counts::of(outcomes.clone());
    let time: Duration = outcomes.into_iter().map(|outcome| outcome.took).sum();
    let tests = counts.passed + counts.differs + counts.skipped + counts.failed;
    let skipped = counts.skipped + counts.differs;
    format!(
        "tests=\"{tests}\" failures=\"{}\" errors=\"0\" skipped=\"{skipped}\" time=\"{:.3}\"",
        counts.failed,
        time.as_secs_f64()
    )
}

/// A known difference is skipped: JUnit has no other word that is neither good nor bad.
fn test_case(xml: &mut String, group: &str, outcome: &Outcome) {
    let (name, time) = (escaped(&outcome.about.id), outcome.took.as_secs_f64());
    let inner = match &outcome.verdict {
        Verdict::Passed => None,
        Verdict::Skipped { why } => Some(skipped(why)),
        Verdict::Differs { reason, .. } => Some(skipped(&format!("known to differ: {reason}"))),
        Verdict::NoLongerDiffers { reason } => Some(failure("no longer differs", reason)),
        Verdict::Failed(Failure { expected, got, came }) => {
            let message = format!("expected {expected}, got {got}");
            Some(failure(&message, &format!("{}\n{}", outcome.about.title, came.join("\n"))))
        }
    };
    let _ = write!(xml, "    <testcase classname=\"{}\" name=\"{name}\" time=\"{time:.3}\"", escaped(group));
    match inner {
        None => xml.push_str("/>\n"),
        Some(inner) => {
            let _ = writeln!(xml, ">{inner}</testcase>");
        }
    }
}

fn skipped(message: &str) -> String {
    format!("<skipped message=\"{}\"/>", escaped(message))
}

fn failure(message: &str, text: &str) -> String {
    format!("<failure message=\"{}\">{}</failure>", escaped(message), escaped(text))
}

/// Text for an element or an attribute. What XML 1.0 has no way to write (2.2) becomes U+FFFD: a target may send anything.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\t' => escaped.push_str("&#9;"),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::made;

    #[test]
    fn every_kind_of_outcome_has_its_element() {
        let xml = made(junit);
        for part in [
            "<testsuites name=\"the &lt;target&gt;\" tests=\"5\" failures=\"2\" errors=\"0\" skipped=\"2\" time=\"0.060\">",
            "<testsuite name=\"b\" tests=\"3\" failures=\"1\"",
            "<testcase classname=\"a\" name=\"one\" time=\"0.012\"/>",
            "message=\"expected answer 0: 200, no body, got 400 &lt;&quot;a&quot; &amp; b&gt;\">title of two&#10;HEADERS",
            "<skipped message=\"the target has no tokens.voip\"/>",
            "<skipped message=\"known to differ: it is so\"/>",
            "<failure message=\"no longer differs\">it was so</failure>",
        ] {
            assert!(xml.contains(part), "{part}\nis not in\n{xml}");
        }
        assert_eq!(
            xml.matches("<testcase").count(),
            xml.matches("</testcase>").count() + xml.matches("0.012\"/>").count()
        );
    }

    #[test]
    fn what_xml_cannot_say_is_replaced() {
        assert_eq!(escaped("a\0b\u{1b}[31m\r\u{ffff}é👋'"), "a\u{fffd}b\u{fffd}[31m\u{fffd}\u{fffd}é👋'");
        assert_eq!(escaped("]]>"), "]]&gt;");
    }
}
