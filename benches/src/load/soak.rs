//! Whether the provider's memory stays as it is over many minutes of a bad day: GOAWAYs, resets, ends, stalls, 503s, fewer streams.

use std::{
    collections::BTreeMap,
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use apns_provider::{
    Client, Credential, Endpoint,
    core::{AlertNotification, BundleId, DeviceToken, Notification, Outcome},
};
use serde::Serialize;
use tempfile::TempDir;
use tokio::{
    sync::Semaphore,
    time::{MissedTickBehavior, interval},
};

use super::{LoadError, memory, pair_run::ready, process::ChildProcess};
use crate::{
    Workload,
    child::{HOST_NAME, Job, KEY_ID, TEAM_ID, TOPIC},
    roles::Role,
};

/// How long and how fast.
#[derive(Clone, Copy, Debug)]
pub struct SoakOptions {
    /// How long.
    pub time: Duration,
    /// Pushes a second.
    pub rate: u32,
}

/// What it came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SoakReport {
    /// Pushes by how they ended.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// Connections that the client opened.
    pub connections: u64,
    /// In the order in which they were taken.
    pub samples: Vec<Sample>,
}

/// Memory at one moment, resident set sizes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// Since the beginning.
    pub second: u64,
    /// Of this process, which is the provider, in bytes.
    pub provider_bytes: u64,
    /// Of the double, in bytes.
    pub double_bytes: u64,
}

/// Pushes to a double that has a bad day, and looks at both processes' memory every few seconds.
pub fn soak(options: SoakOptions) -> Result<SoakReport, LoadError> {
    let own = std::env::current_exe().map_err(|error| LoadError::OwnProgram { why: error.to_string() })?;
    let directory = TempDir::new().map_err(|error| LoadError::Directory { why: error.to_string() })?;
    let mut job = job(directory.path());
    let text = serde_json::to_string(&job).map_err(|error| LoadError::BadJob { why: error.to_string() })?;
    let double = ChildProcess::start(&job.role, &own, &["role".as_ref(), text.as_ref()], &[])?;
    job.address = double.expect("ready", START_MAX, ready)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| failed(&error))?;
    runtime.block_on(push(&job, options, double.id()))
}

fn job(directory: &Path) -> Job {
    Job {
        role: Role::BadDay.name().to_owned(),
        core: None,
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        directory: directory.to_owned(),
        workload: Workload { pushes: 0, in_flight: 0, payload_bytes: 0, connections: 1, rtt_ms: 0 },
    }
}

async fn push(job: &Job, options: SoakOptions, double: u32) -> Result<SoakReport, LoadError> {
    let client = client(job)?;
    let app = BundleId::parse(TOPIC).map_err(|error| failed(&error))?;
    let hello = AlertNotification::new(app).alert("Hello").build().map_err(|error| failed(&error))?;
    let hello: Arc<Notification> = Arc::new(hello);
    let token = job.device_tokens().map_err(|error| failed(&error))?.remove(0);
    let token = DeviceToken::from_hex(&token).map_err(|error| failed(&error))?;
    let outcomes = Arc::new(Mutex::new(BTreeMap::<&'static str, u64>::new()));
    let at_once = Arc::new(Semaphore::new(AT_ONCE));

    let began = Instant::now();
    let mut samples = Vec::new();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let a_tick = (f64::from(options.rate) * TICK.as_secs_f64()).ceil();
    while began.elapsed() < options.time {
        ticks.tick().await;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred")]
        for _ in 0..a_tick as u32 {
            let Ok(permit) = Arc::clone(&at_once).acquire_owned().await else { break };
            let (client, hello, token) = (client.clone(), Arc::clone(&hello), token.clone());
            let outcomes = Arc::clone(&outcomes);
            tokio::spawn(async move {
                let outcome = client.send(hello, token).await;
                *outcomes
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .entry(name(&outcome))
                    .or_default() += 1;
                drop(permit);
            });
        }
        let due = SAMPLE_EVERY * u32::try_from(samples.len() + 1).unwrap_or(u32::MAX);
        if began.elapsed() >= due {
            let sample = Sample {
                second: began.elapsed().as_secs(),
                provider_bytes: memory::resident_bytes(std::process::id())?,
                double_bytes: memory::resident_bytes(double)?,
            };
            samples.push(sample);
        }
    }
    let _all = at_once.acquire_many(AT_ONCE as u32).await;
    let outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(SoakReport { outcomes, connections: client.stats().connections_opened, samples })
}

fn client(job: &Job) -> Result<Client, LoadError> {
    let endpoint = Endpoint::custom(HOST_NAME, job.address.port()).map_err(|error| failed(&error))?;
    let auth_key = job.auth_key().map_err(|error| failed(&error))?;
    let credential = Credential::from_p8(&auth_key, KEY_ID, TEAM_ID).map_err(|error| failed(&error))?;
    let ca = job.ca().map_err(|error| failed(&error))?;
    Client::builder(endpoint).credential(credential).ca_pem(&ca).build().map_err(|error| failed(&error))
}

fn name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted(_) => "accepted",
        Outcome::Ambiguous(_) => "ambiguous",
        Outcome::Expired => "expired",
        Outcome::NotSent(_) => "not sent",
        Outcome::Rejected(_) => "rejected",
    }
}

fn failed(why: &impl fmt::Display) -> LoadError {
    LoadError::Failed { role: "soak".to_owned(), why: why.to_string() }
}

impl SoakReport {
    /// The provider's memory in the last third of the time by that in the second, medians: the first is for buffers and tables to find
    /// their size. `None` before there are three samples.
    pub fn growth(&self) -> Option<f64> {
        let third = self.samples.len() / 3;
        let median = |samples: &[Sample]| {
            let mut bytes: Vec<u64> = samples.iter().map(|sample| sample.provider_bytes).collect();
            bytes.sort_unstable();
            bytes.get(bytes.len() / 2).copied()
        };
        let (middle, last) = (median(&self.samples[third..2 * third])?, median(&self.samples[2 * third..])?);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        (third > 0).then(|| last as f64 / middle as f64)
    }

    /// As JSON, on one line.
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_value(self).expect("a report has string keys and whole numbers only");
        json["growth"] = self.growth().into();
        json.to_string()
    }
}

impl fmt::Display for SoakReport {
    #[expect(clippy::cast_precision_loss, reason = "a digit after the point is printed")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mebibytes = |bytes: u64| bytes as f64 / (1024.0 * 1024.0);
        let step = (self.samples.len() / LINES_MAX).max(1);
        writeln!(f, "second  provider MiB  double MiB")?;
        for sample in self.samples.iter().step_by(step) {
            let Sample { second, provider_bytes, double_bytes } = *sample;
            writeln!(
                f,
                "{second:>6}  {:>12.1}  {:>10.1}",
                mebibytes(provider_bytes),
                mebibytes(double_bytes)
            )?;
        }
        let ended: Vec<String> = self.outcomes.iter().map(|(how, count)| format!("{count} {how}")).collect();
        writeln!(f, "{}; {} connections", ended.join(", "), self.connections)?;
        match self.growth() {
            Some(growth) => writeln!(f, "provider's memory, last third by second third: {growth:.3}"),
            None => writeln!(f, "too short to say how memory grows"),
        }
    }
}

/// How often memory is looked at.
const SAMPLE_EVERY: Duration = Duration::from_secs(5);
/// Pushes are handed in this often, a few at a time.
const TICK: Duration = Duration::from_millis(10);
/// Pushes that wait for their outcome at most.
const AT_ONCE: usize = 5000;
/// Lines of the report at most, or a few more.
const LINES_MAX: usize = 20;
/// To start and to make keys; the machine may be busy.
const START_MAX: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn report(provider: &[u64]) -> SoakReport {
        let sample =
            |provider_bytes: &u64| Sample { second: 0, provider_bytes: *provider_bytes, double_bytes: 1 };
        let samples = provider.iter().map(sample).collect();
        SoakReport { outcomes: BTreeMap::from([("accepted", 3)]), connections: 1, samples }
    }

    #[test]
    fn memory_that_grows_is_told_and_the_first_third_does_not_count() {
        assert_eq!(report(&[1, 2]).growth(), None);
        assert_eq!(report(&[1, 1, 100, 100, 100, 100]).growth(), Some(1.0));
        assert_eq!(report(&[50, 100, 150]).growth(), Some(1.5));
        assert!(report(&[50, 100, 150]).to_string().contains("3 accepted; 1 connections"));
    }
}
