//! The suite has teeth: bugs, planted one by one, are each caught by the cases that should catch them, and by no others.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod liar;
mod lies;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use apns_conformance::{Case, Differences, Double, Run, Selection, Target, Verdict, run, server_cases};
use apns_spec::Spec;
use futures::{StreamExt as _, stream};
use liar::Tongue;
use lies::{HONEST, LIES, Lie};

#[test]
fn there_are_enough_lies_and_each_is_told_once() {
    assert!(LIES.len() >= 25);
    for (at, lie) in LIES.iter().enumerate() {
        assert!(LIES[at + 1..].iter().all(|other| other.name != lie.name), "{}", lie.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_target_is_caught_by_nothing() {
    let double = Double::start().await.unwrap();
    let caught = caught(&double, HONEST, server_cases(&Spec::load().unwrap()), PATIENCE).await;
    assert!(caught.is_empty(), "{caught:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_lie_is_caught_by_the_cases_that_should_catch_it() {
    let double = Double::start().await.unwrap();
    let misjudged = stream::iter(LIES).map(|lie| misjudged(&double, lie)).buffered(LIES_AT_ONCE);
    let wrong: Vec<String> = misjudged.filter_map(std::future::ready).collect().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// In which cases a lie was caught that should not have caught it, or the other way round.
async fn misjudged(double: &Double, lie: &Lie) -> Option<String> {
    let asked = asked(lie);
    let expected = ids(lie.caught_by, &asked);
    assert!(!expected.is_empty() && expected.len() < asked.len(), "{}: {expected:?}", lie.name);
    let patience = if lie.is_silent { PATIENCE_IN_VAIN } else { PATIENCE };
    let caught = caught(double, lie.tongue, asked, patience).await;
    let missed: Vec<_> = expected.iter().filter(|id| !caught.contains_key(*id)).collect();
    let more: Vec<_> = caught.iter().filter(|(id, _)| !expected.contains(id)).collect();
    let is_right = missed.is_empty() && more.is_empty();
    (!is_right).then(|| format!("{}: missed by {missed:?}, caught by {more:#?} too", lie.name))
}

/// A target that accepts a connection and then does nothing, closes, or says what is no TLS: each case fails in bounded time.
#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_hangs_or_closes_or_prints_rubbish_fails_in_bounded_time() {
    let double = Double::start().await.unwrap();
    let case = |id: &str| Selection { ids: vec![id.into()], ..Selection::default() };
    let all = server_cases(&Spec::load().unwrap());
    for says in [None, Some(&b""[..]), Some(b"HTTP/1.1 400 Bad Request\r\n\r\n")] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let target = tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((tcp, _)) = listener.accept().await {
                match says {
                    None => held.push(tcp),
                    Some(bytes) => drop(tcp.try_write(bytes)),
                }
            }
        });
        let begin = std::time::Instant::now();
        let how = Run { patience: Duration::from_millis(300), ..how() };
        let cases = case("reason-*").of(all.clone());
        let target_of = Arc::new(in_front_of(&double.target, address.to_string()));
        let outcomes = run(&target_of, cases, &Differences::default(), how, |_| {}).await;
        assert!(outcomes.len() > 20 && begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
        let is_told = |verdict: &Verdict| match verdict {
            Verdict::Failed(failure) => !failure.got.is_empty(),
            Verdict::Skipped { .. } => true,
            _ => false,
        };
        assert!(outcomes.iter().all(|outcome| is_told(&outcome.verdict)), "{outcomes:#?}");
        target.abort();
    }
}

/// The cases that failed, and how.
async fn caught(
    double: &Double,
    tongue: Tongue,
    cases: Vec<Case>,
    patience: Duration,
) -> BTreeMap<String, Verdict> {
    let address = liar::start(&double.mock, tongue).await;
    let target = Arc::new(in_front_of(&double.target, address.to_string()));
    let outcomes = run(&target, cases, &Differences::default(), Run { patience, ..how() }, |_| {}).await;
    let failed = outcomes.into_iter().filter(|outcome| outcome.verdict.is_bad());
    failed.map(|outcome| (outcome.about.id, outcome.verdict)).collect()
}

/// The double's target at another address. What a liar cannot pass on is left out: certificates, and faults, which runs beside each
/// other would take from each other.
fn in_front_of(double: &Target, address: String) -> Target {
    Target {
        name: "a liar".to_owned(),
        address,
        server_name: double.server_name.clone(),
        roots: double.roots.clone(),
        topic: double.topic.clone(),
        control: None,
        texts: double.texts.clone(),
        keys: double.keys.clone(),
        certificates: BTreeMap::new(),
    }
}

fn asked(lie: &Lie) -> Vec<Case> {
    let tags = lie.asked.iter().map(|tag| (*tag).to_owned()).collect();
    Selection { tags, ..Selection::default() }.of(server_cases(&Spec::load().unwrap()))
}

fn ids(patterns: &[&str], cases: &[Case]) -> Vec<String> {
    let ids = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
    let selected = Selection { ids, ..Selection::default() }.of(cases.to_vec());
    let mut ids: Vec<String> = selected.into_iter().map(|case| case.id).collect();
    ids.sort();
    ids
}

fn how() -> Run {
    Run { jobs: 16, patience: PATIENCE, pause: Duration::ZERO, fail_fast: false }
}

/// Longer than any case takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// The same where cases wait in vain, and few others are asked.
const PATIENCE_IN_VAIN: Duration = Duration::from_secs(6);
/// Most lies keep one processor busy, those that are told by silence none.
const LIES_AT_ONCE: usize = 3;
