//! A whole server: what it starts, and how it ends.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use apns_provider_server_core::{
    api_key::ApiKeyText,
    problem::Problem,
    tuning::Tuning,
    worker::{InvalidWorkerConfig, WorkerConfig, engine_timeout_within},
};
use metrics_exporter_prometheus::PrometheusHandle;
use thiserror::Error;
use tokio::{
    net::TcpListener,
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, timeout_at},
};

use crate::{
    api::{self, Api, ApiParts, Limits},
    channels::ChannelServices,
    clock,
    config::Config,
    pipeline::{Pipeline, PipelineSettings, PipelineStatus, Services},
    startup::{self, Started},
    store::{Retention, Store},
    telemetry::{NoTraces, Traces},
    webhooks::{Deliveries, DeliverySettings, NoClient},
};

/// A server that runs until it is [stopped](Self::stop); one that is dropped ends as a killed process does.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    first_key: Option<ApiKeyText>,
    store: Store,
    api: Api,
    pipeline: Arc<Sending>,
    deliveries: Deliveries,
    listening: JoinHandle<()>,
    stop_listening: watch::Sender<bool>,
    housekeeping: JoinHandle<()>,
    traces: Option<Traces>,
    drain: Duration,
}

/// Why a server does not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// What it stands on.
    #[error(transparent)]
    Startup(#[from] startup::StartError),
    /// The address.
    #[error("listen: {address}: {error}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// What sends.
    #[error("the pipeline's settings: {0}")]
    Pipeline(#[from] InvalidWorkerConfig),
    /// What tells webhooks.
    #[error(transparent)]
    Webhooks(#[from] NoClient),
    /// What exports spans.
    #[error(transparent)]
    Traces(#[from] NoTraces),
}

impl Server {
    /// Starts one. With `metrics`, what was counted is told at `/metrics`.
    ///
    /// # Errors
    /// Something that it was told to use cannot be used; nothing is left running.
    pub async fn start(config: &Config, metrics: Option<PrometheusHandle>) -> Result<Self, StartError> {
        // What is easiest to have wrong comes first: before anything is written.
        let address = config.listen;
        let listener =
            TcpListener::bind(address).await.map_err(|error| StartError::Listen { address, error })?;
        let address = listener.local_addr().map_err(|error| StartError::Listen { address, error })?;
        let traces = if config.traces { Some(Traces::start()?) } else { None };
        let Started { store, vault, first_key } = startup::start(config, clock::now()).await?;
        let settings = PipelineSettings { traces: traces.clone(), ..pipeline_settings(config) };
        let pipeline = Pipeline::start(store.clone(), Arc::clone(&vault) as _, settings)?;
        let deliveries = Deliveries::start(
            store.clone(),
            Arc::clone(&vault),
            pipeline.tuned(),
            DeliverySettings::new(config.webhook_policy.clone()),
        )?;
        let pipeline = Arc::new(Sending(pipeline));
        let (house, counts) = (store.clone(), metrics.clone());
        let api = Api::new(ApiParts {
            store: store.clone(),
            vault,
            pipeline: Arc::clone(&pipeline) as _,
            bounds: config.bounds,
            requests_max: config.requests_max,
            webhook_policy: config.webhook_policy.clone(),
            channels: ChannelServices::of(config),
            metrics,
        });
        let (stop_listening, stopped) = watch::channel(false);
        let limits = Limits { drain: ANSWERS_MAX, ..config.limits };
        let listening = tokio::spawn(api::serve(listener, api.router(), limits, stopped));
        let housekeeping =
            tokio::spawn(async move { tokio::join!(keep_house(house), keep_counts(counts)).0 });
        let drain = config.limits.drain;
        Ok(Self {
            address,
            first_key,
            store,
            api,
            pipeline,
            deliveries,
            listening,
            stop_listening,
            housekeeping,
            traces,
            drain,
        })
    }

    /// Where it is asked.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The operator's first key, if this start has made it: to be told now, and never again.
    pub fn first_key(&self) -> Option<&ApiKeyText> {
        self.first_key.as_ref()
    }

    /// Returns when it has ended although nobody has stopped it, which only a mistake of this program does.
    pub async fn failed(&self) {
        let has_failed = || self.pipeline.0.has_failed() || self.deliveries.has_failed();
        while !has_failed() && !self.listening.is_finished() {
            sleep(LOOK_EVERY).await;
        }
    }

    /// Stops it (C-71): says that it is not ready and takes nothing new; nothing more is claimed, and what is under way to APNs has the
    /// configured time to be answered; connections to APNs are told goodbye; what is left is given back to the queue; webhooks that are being
    /// told have what is left of that time to answer, and what they are not told stays in the database; then whoever asks
    /// the API is answered to the end, and the database is closed. Says whether all that was under way was finished and stored: what was
    /// not is sent again, by who has the queue then.
    pub async fn stop(self) -> bool {
        let by = Instant::now() + self.drain;
        self.api.drain();
        let is_finished = self.pipeline.0.stop(self.drain).await;
        let spans = async {
            if let Some(traces) = &self.traces {
                traces.stop(SPANS_MAX).await;
            }
        };
        tokio::join!(spans, self.deliveries.stop(by));
        self.stop_listening.send_replace(true);
        self.housekeeping.abort();
        // A task that has panicked has ended, too.
        let _ = timeout_at(by + ANSWERS_MAX * 2, self.listening).await;
        self.store.close().await;
        is_finished
    }
}

/// The pipeline as the API sees it.
#[derive(Debug)]
struct Sending(Pipeline);

impl api::Pipeline for Sending {
    fn tuning(&self) -> Tuning {
        self.0.tuning()
    }

    fn tune(&self, tuning: Tuning) -> Result<(), Problem> {
        self.0.tune(tuning);
        Ok(())
    }

    fn troubles(&self) -> Vec<String> {
        let has_failed = self.0.has_failed().then(|| "nothing is sent any more: see the log".to_owned());
        has_failed.into_iter().collect()
    }

    fn notes(&self) -> Vec<String> {
        self.0.notes()
    }

    fn status(&self) -> PipelineStatus {
        self.0.status()
    }
}

fn pipeline_settings(config: &Config) -> PipelineSettings {
    let services = config.apns.as_ref().map_or_else(Services::default, |double| Services {
        production: double.endpoint.clone(),
        sandbox: double.endpoint.clone(),
        ca_pem: double.ca_pem.as_deref().map(Into::into),
    });
    let usual = WorkerConfig::default();
    let engine_timeout = usual.engine_timeout.min(engine_timeout_within(config.lease));
    let worker = WorkerConfig { lease: config.lease, engine_timeout, ..usual };
    PipelineSettings { services, worker, tuning: config.tuning, ..PipelineSettings::default() }
}

/// What is counted for a histogram is kept as it came until somebody asks for it, or this sums it up: nobody may ever ask.
async fn keep_counts(metrics: Option<PrometheusHandle>) {
    let Some(metrics) = metrics else { return };
    loop {
        sleep(HOUSEKEEPING_EVERY).await;
        metrics.run_upkeep();
    }
}

/// Ends what was cancelled, and forgets what is old, for ever.
async fn keep_house(store: Store) {
    let retention = Retention::default();
    loop {
        match store.sweep(&retention, clock::now()).await {
            Ok(swept) if swept.is_more => {}
            Ok(_) => sleep(HOUSEKEEPING_EVERY).await,
            Err(error) => {
                tracing::warn!(%error, "what is old could not be forgotten");
                sleep(HOUSEKEEPING_EVERY).await;
            }
        }
    }
}

/// Who has cancelled something sees it end within this time.
const HOUSEKEEPING_EVERY: Duration = Duration::from_secs(5);
/// How long requests may take that are being answered when all else has ended.
const ANSWERS_MAX: Duration = Duration::from_secs(2);
/// How long spans may take that are not exported yet.
const SPANS_MAX: Duration = Duration::from_secs(2);
/// How soon it is noticed that a task is gone.
const LOOK_EVERY: Duration = Duration::from_millis(500);
