//! Spans go out through the HTTP client that everything here uses: there is one TLS.

use std::{
    env,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response, ResponseBodyTooLarge};
use opentelemetry_otlp::{
    OTEL_EXPORTER_OTLP_TIMEOUT, OTEL_EXPORTER_OTLP_TIMEOUT_DEFAULT, OTEL_EXPORTER_OTLP_TRACES_TIMEOUT,
};
use reqwest::{Client, redirect};
use tokio::runtime::Handle;

/// Posts what the exporter's thread has, on a runtime.
#[derive(Debug)]
pub(super) struct Posting {
    client: Client,
    runtime: Handle,
    /// Whether the last one failed: of an outage one line is written, and not one for each batch.
    has_failed: AtomicBool,
}

impl Posting {
    pub(super) fn on_this_runtime() -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .tls_backend_preconfigured(apns_provider::web_tls())
            .redirect(redirect::Policy::none())
            .referer(false)
            .timeout(timeout())
            .build()?;
        Ok(Self { client, runtime: Handle::current(), has_failed: AtomicBool::new(false) })
    }

    fn tell(&self, why: Option<String>) {
        let had_failed = self.has_failed.swap(why.is_some(), Relaxed);
        match why {
            Some(why) if !had_failed => {
                tracing::warn!(
                    why,
                    "spans cannot be exported: look at the collector and at OTEL_EXPORTER_OTLP_ENDPOINT"
                );
            }
            None if had_failed => tracing::info!("spans are exported again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Posting {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        // The exporter's thread has no runtime.
        let posted = self.runtime.spawn(post(self.client.clone(), request)).await;
        let posted = posted.map_err(HttpError::from).and_then(|posted| posted);
        self.tell(match &posted {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(response.status().to_string()),
            Err(error) => Some(error.to_string()),
        });
        posted
    }
}

async fn post(client: Client, request: reqwest::Request) -> Result<Response<Bytes>, HttpError> {
    let mut answer = client.execute(request).await?;
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await? {
        if body.len() + part.len() > ANSWER_BYTES_MAX {
            return Err(ResponseBodyTooLarge::new().into());
        }
        body.extend_from_slice(&part);
    }
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = answer.status();
    *response.headers_mut() = std::mem::take(answer.headers_mut());
    Ok(response)
}

/// The exporter leaves it to its client.
fn timeout() -> Duration {
    let millis = |name| env::var(name).ok()?.parse().ok();
    millis(OTEL_EXPORTER_OTLP_TRACES_TIMEOUT)
        .or_else(|| millis(OTEL_EXPORTER_OTLP_TIMEOUT))
        .map_or(OTEL_EXPORTER_OTLP_TIMEOUT_DEFAULT, Duration::from_millis)
}

/// A collector says which spans it did not take, in a sentence.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
