//! The double, as anyone would start it: every check that it makes is made. On a good day, and on a bad one.

use std::{future, net::SocketAddr};

use apns_certs::Purpose;
use mock_apns::{BundleId, DeviceId, Environment, MockApns, TokenKind};
use tokio::sync::oneshot;

use super::admission::admit;
use crate::child::{Explain as _, Failure, Job, KEY_ID, TEAM_ID, TOPIC};

/// What goes wrong, and how often, among the pushes of a bad day. The provider's own test of a million pushes has the same.
const BAD_DAY: &str = include_str!("../../../provider/tests/support/bad-day.jsonl");

pub(super) async fn serve(job: Job, listening: oneshot::Sender<SocketAddr>) -> Result<(), Failure> {
    serve_with("", job, listening).await
}

pub(super) async fn serve_badly(job: Job, listening: oneshot::Sender<SocketAddr>) -> Result<(), Failure> {
    serve_with(BAD_DAY, job, listening).await
}

/// With as many devices as there are to be pushes.
pub(super) async fn serve_many(job: Job, listening: oneshot::Sender<SocketAddr>) -> Result<(), Failure> {
    let mock = MockApns::builder().seed(SEED).ports(0, 0).start().await.explain("starting the double")?;
    let app = BundleId::parse(TOPIC).explain("naming the app")?;
    let tokens = mock.team().at_work(|team| {
        let device = |number| -> Result<String, Failure> {
            let id = DeviceId::parse(&format!("phone-{number}")).explain("naming a device")?;
            team.add_device(id.clone()).explain("adding a device")?;
            team.install(&id, &app, Environment::Production).explain("installing the app")?;
            let token = team.register(&id, &app, Environment::Production, TokenKind::App);
            Ok(token.explain("registering a device")?.to_string())
        };
        (0..job.workload.pushes).map(device).collect::<Result<Vec<_>, _>>()
    })?;
    let key = mock
        .ready_made()
        .keys
        .first()
        .ok_or_else(|| Failure::new("reading the ready-made team", "it has no key"))?;
    let ca = mock.certificates().authority().root_pem(Purpose::Server);
    admit(&job.directory, &ca, &key.key.to_p8(), &tokens)?;
    let _ = listening.send(mock.production());
    future::pending().await
}

async fn serve_with(faults: &str, job: Job, listening: oneshot::Sender<SocketAddr>) -> Result<(), Failure> {
    // Production, since one of the clients only knows that name and its port.
    let mock = MockApns::builder()
        .seed(SEED)
        .ports(0, job.address.port())
        .start()
        .await
        .explain("starting the double")?;
    for fault in faults.lines() {
        let fault = fault.parse().explain("reading a fault")?;
        mock.team().fault(fault).explain("adding a fault")?.keep();
    }
    let team = mock.ready_made();
    let key = team.keys.first().filter(|key| key.key_id == KEY_ID && team.team_id == TEAM_ID);
    let key = key.ok_or_else(|| Failure::new("reading the ready-made team", "its IDs are others"))?;
    let device_tokens: Vec<String> = team
        .device_tokens
        .iter()
        .filter(|token| token.name == DEVICE && token.topic == TOPIC)
        .map(|token| token.token.clone())
        .collect();
    let ca = mock.certificates().authority().root_pem(Purpose::Server);
    admit(&job.directory, &ca, &key.key.to_p8(), &device_tokens)?;
    let _ = listening.send(mock.production());
    future::pending().await
}

/// The same faults in each run.
const SEED: u64 = 6;
/// The name of the ready-made device token in production.
const DEVICE: &str = "production";
