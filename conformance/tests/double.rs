//! The double conforms: every case passes, and none is skipped.

use std::{sync::Arc, time::Duration};

use apns_conformance::{Differences, Double, Run, Verdict, run, server_cases};
use apns_spec::Spec;

/// The list of what is known and meant.
const KNOWN: &str = include_str!("../targets/double.toml");

#[tokio::test(flavor = "multi_thread")]
async fn the_double_conforms_in_every_case() {
    let cases = server_cases(&Spec::load().unwrap());
    let known = Differences::parse(KNOWN, |id| cases.iter().any(|case| case.id == id)).unwrap();
    let Double { mock, target } = Double::start().await.unwrap();
    let how = Run { jobs: 8, patience: Duration::from_secs(20), pause: Duration::ZERO, fail_fast: false };
    let outcomes = run(&Arc::new(target), cases, &known, how, |_| {}).await;
    let bad: Vec<String> = outcomes
        .iter()
        .filter(|outcome| outcome.verdict.is_bad() || matches!(outcome.verdict, Verdict::Skipped { .. }))
        .map(|outcome| format!("{} ({:?}): {:#?}", outcome.about.id, outcome.took, outcome.verdict))
        .collect();
    assert!(bad.is_empty(), "{} of {}:\n{}", bad.len(), outcomes.len(), bad.join("\n"));
    mock.stop().await;
}
