//! Single pushes, batches and a campaign.

use std::{
    net::SocketAddr,
    ops::Range,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use futures::future::{try_join, try_join_all};
use http::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{LoadRun, ServerOptions, api::Api, cost::Meter, failed};
use crate::{
    child::{API_KEY_FILE, AUTH_KEY_FILE, KEY_ID, Latencies, TEAM_ID, TOPIC, device_tokens},
    load::LoadError,
};

pub(super) struct Loads<'a> {
    address: SocketAddr,
    key: String,
    tokens: Vec<String>,
    options: &'a ServerOptions,
}

impl<'a> Loads<'a> {
    /// Sets the app up.
    pub(super) async fn new(
        address: SocketAddr,
        directory: &Path,
        options: &'a ServerOptions,
    ) -> Result<Self, LoadError> {
        let read = |name| std::fs::read_to_string(directory.join(name)).map_err(|error| failed(&error));
        let tokens = device_tokens(directory).map_err(|error| failed(&error))?;
        let loads = Self { address, key: read(API_KEY_FILE)?, tokens, options };
        let mut operator = loads.api().await?;
        let p8 = json!({ "key": read(AUTH_KEY_FILE)?, "key-id": KEY_ID, "team-id": TEAM_ID });
        let path = format!("/v1/apps/{TOPIC}/credentials/production");
        operator.ask(Method::PUT, &path, &json!({ "p8": p8 })).await?;
        // What a program that sends has: a key of the tenant's.
        let roles = json!({ "label": "load", "roles": ["send", "read"] });
        let made = operator.ask(Method::POST, "/v1/keys", &roles).await?;
        let key = made["key"].as_str().ok_or_else(|| failed(&"no key was made"))?;
        Ok(Self { key: key.to_owned(), ..loads })
    }

    pub(super) async fn run_all(&self, meter: &Meter) -> Result<Vec<LoadRun>, LoadError> {
        let ServerOptions { singles, batches, batch, devices, .. } = *self.options;
        let mut runs = Vec::new();
        // The first pushes open connections and fill caches: they are no part of it.
        self.run("warm-up", meter, 0..WARM_UP, |at| ("", self.to_device(at)), WARM_UP).await?;
        runs.push(
            self.run("single pushes", meter, 0..singles, |at| ("", self.to_device(at)), singles).await?,
        );
        let many = |at| {
            (
                "/batch",
                json!({ "notifications": (0..batch).map(|of| self.to_device(at * batch + of)).collect::<Vec<_>>() }),
            )
        };
        runs.push(self.run("batches", meter, 0..batches, many, batches * batch).await?);
        let campaign = |_| {
            let message = json!({ "payload": { "aps": { "alert": "Hello" } } });
            ("", json!({ "message": message, "audience": { "all": true }, "campaign": { "label": "load" } }))
        };
        runs.push(self.run("campaign", meter, 0..1, campaign, devices).await?);
        Ok(runs)
    }

    fn to_device(&self, at: u64) -> Value {
        let token = &self.tokens[usize::try_from(at).unwrap_or(0) % self.tokens.len()];
        let message = json!({ "payload": { "aps": { "alert": "Hello" } } });
        json!({ "message": message, "audience": { "tokens": [token], "environment": "production" } })
    }

    /// Hands in these requests, a few at a time, and waits until all has ended.
    async fn run(
        &self,
        what: &'static str,
        meter: &Meter,
        requests: Range<u64>,
        request: impl Fn(u64) -> (&'static str, Value),
        pushes: u64,
    ) -> Result<LoadRun, LoadError> {
        eprintln!("{what}");
        let (before, began) = (meter.read(), Instant::now());
        let accepted_before = self.accepted().await?;
        let (next, request) = (&AtomicU64::new(requests.start), &request);
        let hand_in = |mut api: Api| async move {
            let mut latencies = Latencies::default();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= requests.end {
                    return Ok::<_, LoadError>(latencies);
                }
                let (path, body) = request(at);
                let asked = Instant::now();
                api.ask(Method::POST, &format!("/v1/apps/{TOPIC}/notifications{path}"), &body).await?;
                latencies.record(asked.elapsed());
            }
        };
        let mut apis = Vec::new();
        for _ in 0..self.options.in_flight {
            apis.push(self.api().await?);
        }
        let handed_in = try_join_all(apis.into_iter().map(hand_in));
        let handed_in = async { Ok((handed_in.await?, began.elapsed())) };
        let watched = self.all_ended(meter, began, accepted_before + pushes);
        let ((latencies, taken), server_bytes) = try_join(handed_in, watched).await?;
        let ended_s = began.elapsed().as_secs_f64();
        let mut all = Latencies::default();
        for of_one in latencies {
            all.append(of_one);
        }
        let accepted = self.accepted().await? - accepted_before;
        if accepted != pushes {
            return Err(LoadError::Incomplete { answered: accepted, pushes });
        }
        let millis = |us: u32| f64::from(us) / 1e3;
        Ok(LoadRun {
            what,
            pushes,
            taken_s: taken.as_secs_f64(),
            ended_s,
            p50_ms: millis(all.percentile_us(50)),
            p99_ms: millis(all.percentile_us(99)),
            costs: meter.since(&before),
            server_bytes,
        })
    }

    /// Waits until so many pushes were accepted, and nothing is queued. The most memory that the server had.
    async fn all_ended(&self, meter: &Meter, began: Instant, wanted: u64) -> Result<u64, LoadError> {
        let (mut api, mut most) = (self.api().await?, 0);
        loop {
            let queue = api.ask(Method::GET, "/v1/queue", &Value::Null).await?;
            most = most.max(meter.server_bytes()?);
            let is_empty = queue["queues"].as_array().is_some_and(Vec::is_empty);
            // A campaign is not queued before it is planned.
            if is_empty && self.accepted().await? >= wanted {
                return Ok(most);
            }
            if began.elapsed() > RUN_MAX {
                return Err(failed(&format!("after {RUN_MAX:?} not all has ended: {queue}")));
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// How many pushes APNs has accepted.
    async fn accepted(&self) -> Result<u64, LoadError> {
        let recent = self.api().await?.ask(Method::GET, "/v1/recent", &Value::Null).await?;
        let rows = recent["recent"].as_array().into_iter().flatten();
        Ok(rows.filter(|row| row["ending"] == "accepted").filter_map(|row| row["count"].as_u64()).sum())
    }

    async fn api(&self) -> Result<Api, LoadError> {
        Api::connect(self.address, &self.key).await
    }
}

/// Pushes before anything is measured.
const WARM_UP: u64 = 500;
/// How often it is looked whether all has ended: seldom enough to cost nothing.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// For the slowest of the loads.
const RUN_MAX: Duration = Duration::from_mins(20);
