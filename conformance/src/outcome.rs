//! What became of a case.

use std::time::Duration;

use crate::{Case, Differences, Seen, Transcript};

/// What reports say of a case, whatever became of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct About {
    /// Its name.
    pub id: String,
    /// What is asked, in words.
    pub title: String,
    /// What it is about; the first one is its group in reports.
    pub tags: Vec<&'static str>,
    /// The ids of the rows that it rests on.
    pub rows: Vec<String>,
}

/// What became of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Which case it is.
    pub about: About,
    /// What became of it.
    pub verdict: Verdict,
    /// How long it took.
    pub took: Duration,
}

/// Whether a target conforms in one case.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It does.
    Passed,
    /// It was not asked, or does not apply.
    Skipped {
        /// Why not.
        why: String,
    },
    /// It does not, and that is known and meant.
    Differs {
        /// Why it is meant.
        reason: String,
        /// What came instead.
        failure: Failure,
    },
    /// It does not.
    Failed(Failure),
    /// It does, although it is listed as a difference.
    NoLongerDiffers {
        /// What the list says.
        reason: String,
    },
}

/// What came instead of what was expected.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    /// The first expectation that did not hold.
    pub expected: String,
    /// What was so instead.
    pub got: String,
    /// Everything that came, a line each.
    pub came: Vec<String>,
}

impl Verdict {
    /// Judges what came, in the light of what is known of the target.
    pub fn of(case: &Case, transcript: &Transcript, known: &Differences) -> Self {
        let wrong = case.expected.iter().find_map(|expected| {
            let got = expected.judge(transcript).err()?;
            Some(Failure { expected: expected.to_string(), got, came: lines(transcript) })
        });
        match (wrong, known.reason(&case.id)) {
            (None, None) => Self::Passed,
            (None, Some(reason)) => Self::NoLongerDiffers { reason: reason.to_owned() },
            (Some(failure), Some(reason)) => Self::Differs { reason: reason.to_owned(), failure },
            (Some(failure), None) => Self::Failed(failure),
        }
    }

    /// Whether it makes a run fail.
    pub const fn is_bad(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::NoLongerDiffers { .. })
    }

    /// In a word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Skipped { .. } => "skipped",
            Self::Differs { .. } => "differs",
            Self::Failed(_) => "failed",
            Self::NoLongerDiffers { .. } => "no-longer-differs",
        }
    }
}

/// What came, a line each: of very much, the beginning and the end.
fn lines(transcript: &Transcript) -> Vec<String> {
    let seen = &transcript.0;
    let left_out = seen.len().saturating_sub(2 * LINES_OF_AN_END);
    let shown = |part: &[Seen]| part.iter().map(ToString::to_string).collect::<Vec<_>>();
    if left_out == 0 {
        return shown(seen);
    }
    let mut lines = shown(&seen[..LINES_OF_AN_END]);
    lines.push(format!("… and {left_out} more …"));
    lines.extend(shown(&seen[seen.len() - LINES_OF_AN_END..]));
    lines
}

/// Lines of what came first, and of what came last: more than any case asks for.
const LINES_OF_AN_END: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Request, Seen};

    fn case() -> Case {
        Case::new("test", "a-case", "a push is accepted").accepted(Request::good())
    }

    fn answered(status: &str) -> Transcript {
        let fields = vec![(":status".to_owned(), status.to_owned())];
        Transcript(vec![Seen::Fields { stream: 1, fields, end: true }])
    }

    #[test]
    fn what_came_and_what_is_known_make_the_verdict() {
        let (none, known) = (Differences::default(), Differences::of(&[("a-case", "it is so")]));
        let verdict = |status, known| Verdict::of(&case(), &answered(status), known);
        assert_eq!(verdict("200", &none), Verdict::Passed);
        assert_eq!(verdict("200", &known), Verdict::NoLongerDiffers { reason: "it is so".into() });
        let Verdict::Failed(failure) = verdict("400", &none) else { panic!("400 is not 200") };
        assert_eq!((failure.expected.as_str(), failure.got.as_str()), ("answer 0: 200, no body", "400"));
        let differs = verdict("400", &known);
        assert!(matches!(&differs, Verdict::Differs { reason, .. } if reason == "it is so"));
        assert!(!differs.is_bad() && verdict("400", &none).is_bad() && verdict("200", &known).is_bad());
    }

    #[test]
    fn no_answer_at_all_is_told_as_such() {
        let came = Transcript(vec![Seen::End("FIN".into())]);
        let Verdict::Failed(failure) = Verdict::of(&case(), &came, &Differences::default()) else { panic!() };
        assert_eq!(failure.got, "the end: FIN");
    }
}
