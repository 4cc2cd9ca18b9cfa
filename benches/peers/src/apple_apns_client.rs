//! The `apple-apns` crate: reqwest 0.11, hyper 0.14. Its endpoint and its authority can be set.

use std::sync::Arc;

use apple_apns::{
    Alert, Authentication, CertificateAuthority, Client as Apns, ClientBuilder, Endpoint, Request,
    payload::Payload,
};

use crate::{
    check_length,
    child::{
        Client, Explain as _, Failure, HOST_NAME, Job, KEY_ID, Latencies, TEAM_ID, TOPIC, keep_in_flight,
    },
};

pub(crate) struct AppleApns {
    apns: Arc<Apns>,
    in_flight: usize,
    /// One for each device token.
    requests: Arc<[Request]>,
}

impl Client for AppleApns {
    async fn connect(job: &Job) -> Result<Self, Failure> {
        let (ca, key) = (job.ca()?, job.auth_key()?);
        let endpoint = format!("https://{HOST_NAME}:{}/3/device/", job.address.port());
        let builder = ClientBuilder {
            endpoint: endpoint.parse::<Endpoint>().explain("naming the endpoint")?,
            ca: Some(CertificateAuthority::Pem(&ca)),
            authentication: Some(Authentication::Token { key_id: KEY_ID, key_pem: &key, team_id: TEAM_ID }),
            ..ClientBuilder::default()
        };
        let apns = builder.build().explain("building the client")?;
        let requests: Arc<[Request]> = job
            .device_tokens()?
            .into_iter()
            .map(|token| request(token, job.workload.payload_bytes))
            .collect();
        let (_, payload): (_, Payload) = requests[0].clone().try_into().explain("building the payload")?;
        let payload = serde_json::to_string(&payload).explain("writing the payload")?;
        check_length(&payload, job.workload.payload_bytes)?;
        let mut client = Self { apns: Arc::new(apns), in_flight: job.workload.in_flight, requests };
        // One push first: while there is no connection, each of many would open its own.
        client.push(1).await?;
        Ok(client)
    }

    async fn push(&mut self, count: u64) -> Result<Latencies, Failure> {
        let (apns, requests) = (Arc::clone(&self.apns), Arc::clone(&self.requests));
        keep_in_flight(count, self.in_flight, move |number| {
            let (apns, request) = (Arc::clone(&apns), requests[number as usize % requests.len()].clone());
            async move { apns.post(request).await.map(drop).explain("pushing with apple-apns") }
        })
        .await
    }
}

/// A request whose payload is serialised to `payload_bytes` bytes.
fn request(device_token: String, payload_bytes: usize) -> Request {
    /// What the crate writes around the body of an alert with a title.
    const AROUND: usize = r#"{"aps":{"alert":{"title":"Bench","body":""}}}"#.len();
    let alert = Alert {
        title: Some("Bench".to_owned()),
        body: Some("x".repeat(payload_bytes.saturating_sub(AROUND))),
        ..Alert::default()
    };
    Request { device_token, topic: Some(TOPIC.to_owned()), alert: Some(alert), ..Request::default() }
}
