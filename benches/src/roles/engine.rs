//! The provider's engine, as an application uses it: one client, one notification for many devices, `send().await` for each.

use std::{sync::Arc, time::Duration};

use apns_provider::{
    Client as Engine, Credential, Endpoint,
    core::{DeviceToken, DispatchPolicy, Notification, Outcome, PushType, Topic},
};

use crate::child::{
    Client, Explain as _, Failure, HOST_NAME, Job, KEY_ID, Latencies, TEAM_ID, TOPIC, keep_in_flight, payload,
};

pub(super) struct EngineClient {
    engine: Engine,
    in_flight: usize,
    notification: Arc<Notification>,
    device_tokens: Arc<[DeviceToken]>,
}

/// So many connections, no fewer and no more: others' number is chosen too.
fn connections(count: usize) -> Result<DispatchPolicy, Failure> {
    let policy = DispatchPolicy::default().with_connections(count..=count).explain("choosing connections")?;
    Ok(policy.with_spacing(Duration::from_millis(10)))
}

impl Client for EngineClient {
    async fn connect(job: &Job) -> Result<Self, Failure> {
        let endpoint = Endpoint::custom(HOST_NAME, job.address.port()).explain("naming the endpoint")?;
        let credential = Credential::from_p8(&job.auth_key()?, KEY_ID, TEAM_ID).explain("reading the key")?;
        let engine = Engine::builder(endpoint)
            .credential(credential)
            .ca_pem(&job.ca()?)
            .dispatch(connections(job.workload.connections)?)
            .build()
            .explain("building the engine")?;
        let topic = Topic::parse(TOPIC).explain("naming the topic")?;
        let notification = Notification::raw(PushType::Alert, topic, payload(job.workload.payload_bytes));
        let device_tokens: Result<_, _> =
            job.device_tokens()?.iter().map(|token| DeviceToken::from_hex(token)).collect();
        Ok(Self {
            engine,
            in_flight: job.workload.in_flight,
            notification: Arc::new(notification.build().explain("building the notification")?),
            device_tokens: device_tokens.explain("reading the device tokens")?,
        })
    }

    async fn push(&mut self, count: u64) -> Result<Latencies, Failure> {
        let (engine, notification) = (self.engine.clone(), Arc::clone(&self.notification));
        let device_tokens = Arc::clone(&self.device_tokens);
        keep_in_flight(count, self.in_flight, move |number| {
            let (engine, notification) = (engine.clone(), Arc::clone(&notification));
            let device_token = device_tokens[number as usize % device_tokens.len()].clone();
            async move {
                match engine.send(notification, device_token).await {
                    Outcome::Accepted(_) => Ok(()),
                    other => Err(Failure::new("pushing with the engine", format!("{other:?}"))),
                }
            }
        })
        .await
    }
}
