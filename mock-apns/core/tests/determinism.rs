//! The same seed and the same calls give the same effects, byte for byte.

mod common;

use common::{Bench, Jwt, NOW, certificate, sandbox};
use mock_apns_core::{Effect, Opened, Settings};

/// Everything that two hundred pushes over three connections bring about.
fn run(seed: u64, certificate: &[u8]) -> Vec<Effect> {
    let mut bench = Bench::new();
    let source = bench.push();
    bench.service = common::service(Settings::default(), seed);
    let mut effects = Vec::new();
    for round in 0..200u32 {
        if round % 70 == 0 {
            let certificate = (round % 140 == 70).then_some(certificate);
            bench.connection = bench.service.connected(NOW, Opened { certificate, ..sandbox() });
        }
        let push = match round % 5 {
            0 => source.clone().without("authorization"),
            1 => source.clone().with("apns-priority", "7"),
            2 => source.clone().signed_by(&Jwt { signer: "another key", ..Jwt::default() }),
            _ => source.clone(),
        };
        effects.extend(bench.effects(&push));
    }
    effects
}

#[test]
fn the_same_seed_gives_the_same_effects() {
    let certificate = certificate("development");
    let (first, second) = (run(42, &certificate), run(42, &certificate));
    assert_eq!(first, second, "seed 42");
    assert_eq!(format!("{first:?}"), format!("{second:?}"), "seed 42");
}

#[test]
fn another_seed_gives_other_identifiers_and_the_same_answers() {
    let certificate = certificate("development");
    let (first, second) = (run(42, &certificate), run(43, &certificate));
    assert_ne!(first, second);
    let reasons = |effects: &[Effect]| -> Vec<_> {
        let reason = |effect: &Effect| match effect {
            Effect::Respond { answer, .. } => Some((answer.status, answer.reason)),
            _ => None,
        };
        effects.iter().filter_map(reason).collect()
    };
    assert_eq!(reasons(&first), reasons(&second));
}
