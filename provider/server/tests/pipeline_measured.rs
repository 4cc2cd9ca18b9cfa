//! How fast a campaign is, and how long urgent pushes take beside it. By hand, since it takes a while and proves nothing by itself:
//!
//! `cargo test --release -p apns-provider-server --test pipeline_measured -- --ignored --nocapture`
//!
//! `PIPELINE_RECIPIENTS` says how many; 200,000 unless set.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]
#![expect(clippy::cast_precision_loss, reason = "counts to be read by people")]

mod databases;
mod pipeline_support;

use std::time::{Duration, Instant};

use apns_provider_server::store::State;
use databases::Database;
use mock_apns::MockApns;
use pipeline_support::{Scene, to_all, urgent};
use tokio::runtime::Builder;

#[test]
#[ignore = "a measurement, for a release build"]
fn a_campaign_is_measured() {
    // Threads of their own, so that their time can be told apart.
    let runtime = |name| Builder::new_multi_thread().worker_threads(2).thread_name(name).enable_all().build();
    let (double, pipeline) = (runtime("double").unwrap(), runtime("pipeline").unwrap());
    let mock = double.block_on(double.spawn(pipeline_support::double())).unwrap();
    pipeline.block_on(pipeline.spawn(measure(mock))).unwrap();
}

async fn measure(mock: MockApns) {
    let recipients =
        std::env::var("PIPELINE_RECIPIENTS").map_or(200_000, |text| text.parse::<usize>().unwrap());
    let scene = Scene::with(mock, Database::sqlite()).await;
    let began = Instant::now();
    let tokens = scene.tokens("phone", recipients);
    eprintln!("{recipients} devices on the double in {:?}", began.elapsed());
    let began = Instant::now();
    scene.register_all(&tokens).await;
    eprintln!("registered in {:?}", began.elapsed());
    let phone = scene.tokens("urgent", 1);
    let pipeline = scene.pipeline();
    let mut idle = Vec::new();
    for _ in 0..50 {
        idle.push(urgent_latency(&scene, &phone).await);
    }
    report("urgent, idle", idle);

    let (began, cpu) = (Instant::now(), threads());
    let id = scene.submit(to_all()).await;
    let mut busy = Vec::new();
    while scene.state(id).await.state != State::Finished {
        if std::env::var_os("PIPELINE_QUIET").is_none() {
            busy.push(urgent_latency(&scene, &phone).await);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let took = began.elapsed();
    eprintln!("campaign: {recipients} in {took:?}, {:.0}/s", recipients as f64 / took.as_secs_f64());
    report("urgent beside it", busy);
    for (name, ticks) in threads() {
        let used = ticks - cpu.iter().find(|(other, _)| *other == name).map_or(0, |(_, ticks)| *ticks);
        if used > 0 {
            eprintln!("  {:>6.2} s of CPU  {name}", used as f64 / 100.0);
        }
    }
    eprintln!("{:?}", pipeline.status());
    assert!(pipeline.stop(Duration::from_secs(10)).await);
}

async fn urgent_latency(scene: &Scene, phone: &[String]) -> Duration {
    let began = Instant::now();
    let id = scene.submit(urgent(phone)).await;
    scene.arrived(id).await;
    began.elapsed()
}

fn report(what: &str, mut latencies: Vec<Duration>) {
    latencies.sort();
    let Some(worst) = latencies.last() else { return };
    let at = |percent: usize| latencies[(latencies.len() * percent / 100).min(latencies.len() - 1)];
    eprintln!("{what}: p50 {:?}, p99 {:?}, max {worst:?}, of {}", at(50), at(99), latencies.len());
}

/// CPU time of each kind of thread of this process, in hundredths of a second.
fn threads() -> Vec<(String, u64)> {
    let mut threads: Vec<(String, u64)> = Vec::new();
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let Ok(stat) = std::fs::read_to_string(task.path().join("stat")) else { continue };
        let Some((head, rest)) = stat.rsplit_once(')') else { continue };
        let name = head.split_once('(').map_or("", |(_, name)| name).to_owned();
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        match threads.iter_mut().find(|(other, _)| *other == name) {
            Some((_, sum)) => *sum += ticks,
            None => threads.push((name, ticks)),
        }
    }
    threads
}
