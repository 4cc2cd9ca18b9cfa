//! For programs.

use serde::Serialize;

use super::{Counts, Report, certainty};
use crate::{Failure, Outcome, Verdict};

#[derive(Serialize)]
struct Document<'a> {
    target: &'a str,
    passed: usize,
    differs: usize,
    skipped: usize,
    failed: usize,
    cases: Vec<CaseRow<'a>>,
}

#[derive(Serialize)]
struct CaseRow<'a> {
    id: &'a str,
    title: &'a str,
    tags: &'a [&'static str],
    rows: Vec<SpecRow<'a>>,
    verdict: &'static str,
    milliseconds: u128,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(flatten)]
    failure: Option<FailureRow<'a>>,
}

#[derive(Serialize)]
struct SpecRow<'a> {
    id: &'a str,
    certainty: &'static str,
    source: &'a str,
}

#[derive(Serialize)]
struct FailureRow<'a> {
    expected: &'a str,
    got: &'a str,
    came: &'a [String],
}

/// A document with the counts, and every case with its verdict.
pub(crate) fn json(report: &Report<'_>) -> String {
    let Counts { passed, differs, skipped, failed } = Counts::of(report.outcomes);
    let cases = report.outcomes.iter().map(|outcome| row(report, outcome)).collect();
    let document = Document { target: report.target, passed, differs, skipped, failed, cases };
    serde_json::to_string_pretty(&document).expect("strings and numbers are JSON") + "\n"
}

fn row<'a>(report: &Report<'a>, outcome: &'a Outcome) -> CaseRow<'a> {
    let (why, reason, failure) = match &outcome.verdict {
        Verdict::Passed => (None, None, None),
        Verdict::Skipped { why } => (Some(why.as_str()), None, None),
        Verdict::NoLongerDiffers { reason } => (None, Some(reason.as_str()), None),
        Verdict::Differs { reason, failure } => (None, Some(reason.as_str()), Some(failure)),
        Verdict::Failed(failure) => (None, None, Some(failure)),
    };
    let source = |row: apns_spec::Known<'a>| SpecRow {
        id: row.id,
        certainty: certainty(row.certainty),
        source: row.source,
    };
    CaseRow {
        id: &outcome.about.id,
        title: &outcome.about.title,
        tags: &outcome.about.tags,
        rows: report.rows(outcome).into_iter().map(source).collect(),
        verdict: outcome.verdict.word(),
        milliseconds: outcome.took.as_millis(),
        why,
        reason,
        failure: failure.map(|Failure { expected, got, came }| FailureRow { expected, got, came }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::made;

    #[test]
    fn every_case_has_its_verdict() {
        let document: serde_json::Value = serde_json::from_str(&made(json)).unwrap();
        assert_eq!((&document["failed"], &document["target"]), (&2.into(), &"the <target>".into()));
        let verdicts: Vec<&str> = document["cases"]
            .as_array()
            .unwrap()
            .iter()
            .map(|case| case["verdict"].as_str().unwrap())
            .collect();
        assert_eq!(verdicts, ["passed", "failed", "skipped", "differs", "no-longer-differs"]);
        assert_eq!(document["cases"][1]["got"], r#"400 <"a" & b>"#);
        assert_eq!(document["cases"][1]["rows"][0]["certainty"], "documented");
        assert_eq!(document["cases"][2]["why"], "the target has no tokens.voip");
        assert_eq!(document["cases"][0].get("got"), None);
    }
}
