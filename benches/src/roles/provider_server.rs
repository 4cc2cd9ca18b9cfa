//! The provider server, as `apns-provider serve` starts it, and who registers the devices of its app before: a process of its own, so that
//! what that takes in memory is not the server's.

use std::{fs, future, net::SocketAddr};

use apns_provider::core::{BundleId, UnixTime};
use apns_provider_server::{
    config::Config,
    server::Server,
    startup::default_tenant,
    store::{Store, StoreSettings},
    telemetry::install_recorder,
};
use apns_provider_server_core::device::{DEVICES_PER_USER, Registration, RegistrationRequest};
use serde_json::json;
use tokio::{runtime::Builder, sync::oneshot};

use crate::child::{API_KEY_FILE, CA_FILE, Explain as _, Failure, Job, TOPIC};

/// Makes the database, and is ready when the devices are in it.
pub(super) async fn set_up(job: Job, done: oneshot::Sender<SocketAddr>) -> Result<(), Failure> {
    on_threads(set_up_on_threads(job, done)).await
}

pub(super) async fn serve(job: Job, listening: oneshot::Sender<SocketAddr>) -> Result<(), Failure> {
    on_threads(serve_on_threads(job, listening)).await
}

/// On as many threads as there are cores: so does the command.
async fn on_threads(work: impl Future<Output = Result<(), Failure>> + Send + 'static) -> Result<(), Failure> {
    let runtime = Builder::new_multi_thread().enable_all().build().explain("starting threads")?;
    runtime.spawn(work).await.explain("serving")?
}

async fn set_up_on_threads(job: Job, done: oneshot::Sender<SocketAddr>) -> Result<(), Failure> {
    let config = config(&job)?;
    // The first start makes the tenant and the key.
    let server = Server::start(&config, None).await.explain("starting the server")?;
    let key =
        server.first_key().ok_or_else(|| Failure::new("starting the server", "its database is not empty"))?;
    fs::write(job.directory.join(API_KEY_FILE), key.as_str()).explain("writing the API key")?;
    server.stop().await;
    register(&config.store, &job).await?;
    let _ = done.send(job.address);
    future::pending().await
}

async fn serve_on_threads(job: Job, listening: oneshot::Sender<SocketAddr>) -> Result<(), Failure> {
    let config = config(&job)?;
    // The command counts, too.
    let metrics = install_recorder().explain("counting")?;
    let server = Server::start(&config, metrics).await.explain("starting the server")?;
    let _ = listening.send(server.address());
    future::pending().await
}

fn config(job: &Job) -> Result<Config, Failure> {
    let path = |name: &str| job.directory.join(name).display().to_string();
    let arguments = [
        "server".to_owned(),
        "--listen=127.0.0.1:0".to_owned(),
        format!("--data-dir={}", path("data")),
        format!("--apns=https://localhost:{}", job.address.port()),
        format!("--apns-ca={}", path(CA_FILE)),
    ];
    Config::read(arguments.map(Into::into), &[]).explain("reading the settings")
}

async fn register(settings: &StoreSettings, job: &Job) -> Result<(), Failure> {
    let store = Store::open(settings).await.explain("opening the database")?;
    let tenant = store.tenant(&default_tenant()).await.explain("finding the tenant")?;
    let tenant = tenant.ok_or_else(|| Failure::new("finding the tenant", "there is none"))?;
    let bundle_id = BundleId::parse(TOPIC).explain("naming the app")?;
    let app =
        store.put_app(tenant.id, &bundle_id, "{}", REGISTERED_AT).await.explain("making the app")?.now.id;
    for tokens in job.device_tokens()?.chunks(AT_ONCE) {
        let registrations = tokens.iter().map(|token| registration(token)).collect::<Result<Vec<_>, _>>()?;
        let registered = store.register_devices(app, registrations, DEVICES_PER_USER, REGISTERED_AT).await;
        registered.explain("registering devices")?;
    }
    store.close().await;
    Ok(())
}

fn registration(token: &str) -> Result<Registration, Failure> {
    let request: RegistrationRequest =
        serde_json::from_value(json!({ "environment": "production" })).explain("registering a device")?;
    request.check(token).explain("registering a device")
}

/// Before anything that happens in a run.
const REGISTERED_AT: UnixTime = UnixTime::from_secs(1_700_000_000);
/// Registrations of one transaction.
const AT_ONCE: usize = 1000;
