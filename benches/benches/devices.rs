//! What devices and teams cost: making them, keeping them, and pushing to one of a million devices instead of one of a thousand.
//!
//! Prints the ratio of the two pushes from alternating rounds of one run, beside criterion's own figures: machines are noisy, and what
//! happens in one round happens in the next.

#![expect(clippy::print_stdout, reason = "it prints what it finds")]

use std::{
    fs,
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use mock_apns_core::{ConnectionId, Request};

mod fixture;

use fixture::{Fixture, add_devices, fill};

const FEW: usize = 1_000;
const MANY: usize = 1_000_000;
/// Pushes of one timed stretch. Their requests are filled before it, so that only the service's own memory is cold.
const BATCH: usize = 1_000;
/// Rounds of the comparison; an odd number has a median.
const ROUNDS: usize = 201;
const PAYLOAD_BYTES: usize = 200;
const TEAMS: u32 = 1_000;

/// A service, a connection to it, and requests to devices chosen anew for each batch.
struct Pushing {
    fixture: Fixture,
    template: apns_benches::RequestTemplate,
    connection: ConnectionId,
    requests: Vec<Request>,
    chosen: u64,
}

impl Pushing {
    fn new(devices: usize) -> Self {
        let mut fixture = Fixture::with_devices(devices);
        // As many paths whatever the number of devices: choosing among them is not what is compared, but it empties caches.
        let template = fixture.template(PAYLOAD_BYTES, MANY);
        let connection = fixture.connect();
        let requests = vec![Request::new(); BATCH];
        Self { fixture, template, connection, requests, chosen: 1 }
    }

    /// The time that one batch takes.
    fn batch(&mut self) -> Duration {
        for request in &mut self.requests {
            // A full-period congruential generator (Knuth's constants): no two runs differ.
            self.chosen =
                self.chosen.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            fill(request, &self.template, self.chosen >> 33);
        }
        let begin = Instant::now();
        for request in &self.requests {
            black_box(self.fixture.push(self.connection, request, &self.template.body));
        }
        begin.elapsed()
    }

    fn time(&mut self, pushes: usize) -> Duration {
        let batches = pushes.div_ceil(BATCH);
        let spent: Duration = (0..batches).map(|_| self.batch()).sum();
        let share = u32::try_from(pushes).unwrap_or(u32::MAX);
        spent / u32::try_from(batches * BATCH).unwrap_or(u32::MAX) * share
    }
}

fn pushes(criterion: &mut Criterion) {
    let (mut few, mut many) = (Pushing::new(FEW), Pushing::new(MANY));
    let mut group = criterion.benchmark_group("devices");
    for (name, pushing) in [("push to one of 1,000", &mut few), ("push to one of 1,000,000", &mut many)] {
        group.bench_function(name, |bencher| bencher.iter_custom(|pushes| pushing.time(pushes as usize)));
    }
    group.finish();
    let mut ratios: Vec<f64> =
        (0..ROUNDS).map(|_| many.batch().as_secs_f64() / few.batch().as_secs_f64()).collect();
    ratios.sort_by(f64::total_cmp);
    println!(
        "push to one of 1,000,000 devices : push to one of 1,000 = {:.3} (median of {ROUNDS} pairs; quartiles {:.3}, {:.3})\n",
        ratios[ROUNDS / 2],
        ratios[ROUNDS / 4],
        ratios[ROUNDS * 3 / 4]
    );
}

fn making(_: &mut Criterion) {
    let (mut service, team_id) = fixture::empty_service();
    let before = resident_bytes();
    let begin = Instant::now();
    let mut names = 0;
    add_devices(&mut service, team_id, MANY, |id, _| names += id.as_str().len());
    let took = begin.elapsed();
    let each = (resident_bytes().saturating_sub(before) - names) / MANY;
    println!(
        "{MANY} devices with an app and a token each: made in {took:.2?}; {each} bytes each beside {} of their names\n",
        names / MANY
    );
    black_box(service);
}

fn teams(_: &mut Criterion) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("the system has room");
    let mock = runtime.block_on(mock_apns::MockApns::start()).expect("loopback has free ports");
    let begin = Instant::now();
    for _ in 0..TEAMS {
        black_box(mock.create_team("com.example.app").expect("the name is well-formed"));
    }
    println!("{TEAMS} teams with a key and an app each: {:.1?} each\n", begin.elapsed() / TEAMS);
}

/// The memory that this process has in use, by Linux's count.
fn resident_bytes() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it is always there");
    let kib: usize = line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number of kB");
    kib * 1024
}

// Memory first: what was freed before would be used again.
criterion_group!(benches, making, teams, pushes);
criterion_main!(benches);
