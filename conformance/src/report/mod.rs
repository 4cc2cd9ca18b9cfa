//! What became of all cases, for people and for machines.

mod json;
mod junit;
mod markdown;
mod scoreboard;
mod terminal;

use std::collections::BTreeMap;

use apns_spec::{Certainty, Known, Spec};

use crate::{Outcome, Verdict};

pub(crate) use json::json;
pub(crate) use junit::junit;
pub(crate) use markdown::markdown;
pub(crate) use scoreboard::{Board, Column, scoreboard, sign_of};
pub(crate) use terminal::{list, terminal};

/// What reports are made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report<'a> {
    /// What the target is called.
    pub(crate) target: &'a str,
    /// What stands before a case's id in the command that runs it alone: `server`.
    pub(crate) suite: &'a str,
    /// What stands behind it: `--target FILE`.
    pub(crate) options: &'a str,
    /// What became of the cases, in their order.
    pub(crate) outcomes: &'a [Outcome],
    pub(crate) spec: &'a Spec,
}

/// How many cases came to what.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Counts {
    pub(crate) passed: usize,
    pub(crate) differs: usize,
    pub(crate) skipped: usize,
    pub(crate) failed: usize,
}

impl Counts {
    pub(crate) fn of<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> Self {
        let mut counts = Self::default();
        for outcome in outcomes {
            *match outcome.verdict {
                Verdict::Passed => &mut counts.passed,
                Verdict::Differs { .. } => &mut counts.differs,
                Verdict::Skipped { .. } => &mut counts.skipped,
                Verdict::Failed(_) | Verdict::NoLongerDiffers { .. } => &mut counts.failed,
            } += 1;
        }
        counts
    }

    /// In words, without what there is none of.
    pub(crate) fn words(self) -> String {
        let each = [
            (self.passed, "passed"),
            (self.differs, "known to differ"),
            (self.skipped, "skipped"),
            (self.failed, "failed"),
        ];
        let present: Vec<String> = each
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        if present.is_empty() { "none".to_owned() } else { present.join(", ") }
    }
}

impl<'a> Report<'a> {
    /// Outcomes by the first tag of their case, in the order in which tags first come.
    fn groups(&self) -> Vec<(&'static str, Vec<&'a Outcome>)> {
        let mut groups: Vec<(&'static str, Vec<&'a Outcome>)> = Vec::new();
        for outcome in self.outcomes {
            let tag = group(outcome);
            match groups.iter_mut().find(|group| group.0 == tag) {
                Some(group) => group.1.push(outcome),
                None => groups.push((tag, vec![outcome])),
            }
        }
        groups
    }

    /// The rows that a case rests on.
    fn rows(&self, outcome: &Outcome) -> Vec<Known<'a>> {
        let rows: BTreeMap<&str, Known<'a>> = self.spec.rows().map(|row| (row.id, row)).collect();
        outcome.about.rows.iter().filter_map(|id| rows.get(id.as_str()).copied()).collect()
    }

    /// The command that runs a case alone.
    fn command(&self, outcome: &Outcome) -> String {
        let Self { suite, options, .. } = self;
        format!("cargo run --release -p apns-conformance -- {suite} {}{options}", outcome.about.id)
    }
}

/// What a case is counted under.
fn group(outcome: &Outcome) -> &'static str {
    outcome.about.tags.first().copied().unwrap_or("cases")
}

/// A certainty in a word.
fn certainty(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Documented => "documented",
        Certainty::Observed => "observed",
        Certainty::Unsure => "unsure",
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{About, Failure};

    /// One outcome of each kind, with text that every format has to escape.
    pub(crate) fn outcomes() -> Vec<Outcome> {
        let failure = Failure {
            expected: "answer 0: 200, no body".into(),
            got: r#"400 <"a" & b>"#.into(),
            came: vec!["HEADERS 1 [:status: 400]".into(), "a|b".into()],
        };
        let verdicts = [
            ("a", "one", Verdict::Passed),
            ("a", "two", Verdict::Failed(failure.clone())),
            ("b", "three", Verdict::Skipped { why: "the target has no tokens.voip".into() }),
            ("b", "four", Verdict::Differs { reason: "it is so".into(), failure }),
            ("b", "five", Verdict::NoLongerDiffers { reason: "it was so".into() }),
        ];
        let outcome = |(tag, id, verdict): (&'static str, &str, Verdict)| Outcome {
            about: About {
                id: id.into(),
                title: format!("title of {id}"),
                tags: vec![tag],
                rows: vec!["header-topic".into()],
            },
            verdict,
            took: Duration::from_millis(12),
        };
        verdicts.map(outcome).to_vec()
    }

    /// What a format makes of them.
    pub(crate) fn made(format: impl Fn(&Report<'_>) -> String) -> String {
        let (spec, outcomes) = (Spec::load().unwrap(), outcomes());
        format(&Report {
            target: "the <target>",
            suite: "server",
            options: " --target t.toml",
            outcomes: &outcomes,
            spec: &spec,
        })
    }

    #[test]
    fn every_outcome_is_counted_once() {
        let counts = Counts::of(&outcomes());
        assert_eq!(counts, Counts { passed: 1, differs: 1, skipped: 1, failed: 2 });
        assert_eq!(counts.words(), "1 passed, 1 known to differ, 1 skipped, 2 failed");
        assert_eq!(Counts::default().words(), "none");
    }
}
