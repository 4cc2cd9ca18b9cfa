//! The `apns-h2` crate, the living fork of `a2`: hyper 1. Its hosts are Apple's and fixed, so that it runs in a network namespace
//! where those names mean this machine; it trusts what the platform trusts, which `SSL_CERT_FILE` can say.

use std::sync::Arc;

use apns_h2::{
    Client as Apns, ClientConfig, DefaultNotificationBuilder, Endpoint, NotificationBuilder as _,
    NotificationOptions, PushType,
    request::payload::{Payload, PayloadLike as _},
};

use crate::{
    check_length,
    child::{Client, Explain as _, Failure, Job, KEY_ID, Latencies, TEAM_ID, TOPIC, keep_in_flight},
};

pub(crate) struct ApnsH2 {
    apns: Apns,
    in_flight: usize,
    shared: Arc<Shared>,
}

struct Shared {
    tokens: Vec<String>,
    body: String,
}

impl Shared {
    fn payload(&self, number: u64) -> Payload<'_> {
        let options = NotificationOptions {
            apns_topic: Some(TOPIC),
            apns_push_type: Some(PushType::Alert),
            ..NotificationOptions::default()
        };
        let token = self.tokens[number as usize % self.tokens.len()].as_str();
        DefaultNotificationBuilder::new().title("Bench").body(self.body.as_str()).build(token, options)
    }
}

impl Client for ApnsH2 {
    async fn connect(job: &Job) -> Result<Self, Failure> {
        let key = job.auth_key()?;
        let config = ClientConfig::new(Endpoint::Production);
        let apns =
            Apns::token(&mut key.as_slice(), KEY_ID, TEAM_ID, config).explain("building the client")?;
        let tokens = job.device_tokens()?;
        let body = "x".repeat(job.workload.payload_bytes.saturating_sub(AROUND));
        let shared = Arc::new(Shared { tokens, body });
        let payload = shared.payload(0).to_json_string().explain("writing the payload")?;
        check_length(&payload, job.workload.payload_bytes)?;
        let mut client = Self { apns, in_flight: job.workload.in_flight, shared };
        // One push first: while there is no connection, each of many would open its own.
        client.push(1).await?;
        Ok(client)
    }

    async fn push(&mut self, count: u64) -> Result<Latencies, Failure> {
        let (apns, shared) = (self.apns.clone(), Arc::clone(&self.shared));
        keep_in_flight(count, self.in_flight, move |number| {
            let (apns, shared) = (apns.clone(), Arc::clone(&shared));
            async move { apns.send(shared.payload(number)).await.map(drop).explain("pushing with apns-h2") }
        })
        .await
    }
}

/// What the crate writes around the body of an alert with a title.
const AROUND: usize = r#"{"aps":{"alert":{"title":"Bench","body":""},"mutable-content":0}}"#.len();
