//! Property tests that are the same in every run.

use std::thread;

use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, RngSeed, TestCaseResult, TestRunner},
};

/// Runs so many cases, on several threads. The environment variables `PROPTEST_CASES` and `PROPTEST_RNG_SEED` ask for more
/// and for other ones.
pub(crate) fn run<S: Strategy>(
    cases: u32,
    strategy: impl Fn() -> S + Sync,
    test: impl Fn(S::Value) -> TestCaseResult + Sync,
) {
    let seed = match ProptestConfig::default().rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => SEED,
    };
    let cases =
        if std::env::var_os("PROPTEST_CASES").is_some() { ProptestConfig::default().cases } else { cases };
    let part = |nth: u32| {
        let rng_seed = RngSeed::Fixed(seed + u64::from(nth));
        let config = ProptestConfig {
            cases: cases / THREADS,
            rng_seed,
            // Its generator is cheap to seed, which every choice between strategies does.
            rng_algorithm: RngAlgorithm::XorShift,
            failure_persistence: None,
            ..ProptestConfig::default()
        };
        TestRunner::new(config)
            .run(&strategy(), &test)
            .err()
            .map(|failure| format!("seed {rng_seed}: {failure}"))
    };
    let failures: Vec<String> = thread::scope(|scope| {
        let part = &part;
        let threads: Vec<_> = (0..THREADS).map(|nth| scope.spawn(move || part(nth))).collect();
        threads.into_iter().filter_map(|thread| thread.join().expect("what panics is caught")).collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

const THREADS: u32 = 4;
const SEED: u64 = 42;
