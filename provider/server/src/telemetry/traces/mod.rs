//! A span of OpenTelemetry for each push, exported by OTLP over HTTP, if the server was told to.
//!
//! What is where is said by the standard variables, which the SDK reads: `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_SERVICE_NAME`,
//! `OTEL_TRACES_SAMPLER` and so on. A span never has a device token or a payload.

mod posting;

use std::{env, time::Duration};

use apns_provider_core::{Outcome, Push};
use apns_provider_server_core::{device::Environment, ids::NotificationId, outcome::Why};
use opentelemetry::{
    Context, Key, KeyValue,
    trace::{Span as _, SpanKind, Status, Tracer as _, TracerProvider as _},
};
use opentelemetry_otlp::{
    ExporterBuildError, OTEL_EXPORTER_OTLP_PROTOCOL, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL, SpanExporter,
    WithHttpConfig as _,
};
use opentelemetry_sdk::{
    Resource,
    trace::{SdkTracer, SdkTracerProvider, Span},
};
use thiserror::Error;

use posting::Posting;

/// What makes spans and exports them, in a thread of its own. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

/// Spans cannot be exported as the variables say.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NoTraces {
    /// There is another protocol.
    #[error(
        "traces: {variable} is {value}; only http/protobuf is spoken here: leave it out, and name that port of the collector"
    )]
    Protocol {
        /// Which variable says so.
        variable: &'static str,
        /// What it says.
        value: String,
    },
    /// A number is none that works.
    #[error("traces: {variable} is {value:?}; it takes 1 to {max}, or leave it out")]
    Number {
        /// Which variable says so.
        variable: &'static str,
        /// What it says.
        value: String,
        /// The most that is sensible.
        max: u64,
    },
    /// The exporter does not like what it was told.
    #[error("traces: {0}; look at the variables that begin with OTEL_")]
    Exporter(#[from] ExporterBuildError),
    /// The HTTP client.
    #[error("traces: the client for the collector cannot be made: {0}")]
    Client(#[from] reqwest::Error),
}

/// What a span is of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SpanOf<'a> {
    pub(crate) push: &'a Push,
    pub(crate) environment: Environment,
    pub(crate) notification: NotificationId,
    pub(crate) attempt: u8,
}

/// The span of a push that is under way. In a box: it is moved with the push.
#[derive(Debug)]
pub(crate) struct PushSpan(Box<Span>);

impl Traces {
    /// Starts as the standard variables say, on the runtime that this is called on.
    ///
    /// # Errors
    /// They say something that cannot be done.
    pub fn start() -> Result<Self, NoTraces> {
        check_protocol()?;
        check_numbers()?;
        let exporter =
            SpanExporter::builder().with_http().with_http_client(Posting::on_this_runtime()?).build()?;
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource()).build();
        let tracer = provider.tracer("apns-provider");
        Ok(Self { provider, tracer })
    }

    /// Begins the span of a push, if it is to be exported.
    pub(crate) fn begin(&self, of: SpanOf<'_>) -> Option<PushSpan> {
        let builder = self.tracer.span_builder("apns.push").with_kind(SpanKind::Client);
        let mut span = self.tracer.build_with_context(builder, &Context::new());
        // Of what the sampler leaves out nothing is written.
        if !span.is_recording() {
            return None;
        }
        let notification = of.push.notification();
        span.set_attributes([
            KeyValue::new("apns.topic", notification.topic().to_string()),
            KeyValue::new("apns.environment", of.environment.as_str()),
            KeyValue::new("apns.push_type", notification.push_type().to_string()),
            KeyValue::new("apns.id", of.push.apns_id().to_string()),
            KeyValue::new("apns.notification.id", of.notification.to_string()),
            KeyValue::new("apns.attempt", i64::from(of.attempt)),
        ]);
        Some(PushSpan(Box::new(span)))
    }

    /// Exports what has ended, for so long at most. Nothing is exported afterwards.
    pub async fn stop(&self, within: Duration) {
        let provider = self.provider.clone();
        let stopped = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(within)).await;
        if !matches!(stopped, Ok(Ok(()))) {
            tracing::warn!("the last spans may not have been exported");
        }
    }
}

impl PushSpan {
    /// The push has ended so.
    pub(crate) fn end(mut self, outcome: &Outcome) {
        let span = &mut self.0;
        span.set_attribute(KeyValue::new("apns.outcome", outcome.name()));
        let (status, why) = match outcome {
            Outcome::Accepted(_) => (Some(ACCEPTED), None),
            Outcome::Expired => (None, None),
            Outcome::Rejected(rejection) => (Some(rejection.status), rejection.reason.clone().map(Why::Apns)),
            Outcome::Ambiguous(ambiguity) => (None, Some(Why::Ours(ambiguity.into()))),
            Outcome::NotSent(not_sent) => (None, Some(Why::from(not_sent))),
        };
        if let Some(status) = status {
            span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        }
        if let Some(why) = why {
            span.set_attribute(KeyValue::new("apns.reason", why.to_string()));
        }
        if !matches!(outcome, Outcome::Accepted(_)) {
            span.set_status(Status::error(outcome.name()));
        }
        span.end();
    }
}

fn check_protocol() -> Result<(), NoTraces> {
    for variable in [OTEL_EXPORTER_OTLP_TRACES_PROTOCOL, OTEL_EXPORTER_OTLP_PROTOCOL] {
        match env::var(variable) {
            Ok(value) if value.is_empty() => {} // as OpenTelemetry has it: as if it were not there
            Ok(value) if value != SPOKEN => return Err(NoTraces::Protocol { variable, value }),
            Ok(_) => return Ok(()), // the one for traces counts more
            Err(_) => {}
        }
    }
    Ok(())
}

/// With 0 the exporter would run without a pause, or keep no span; with a huge queue there would be no memory for it.
fn check_numbers() -> Result<(), NoTraces> {
    for (variable, max) in NUMBERS {
        let Ok(value) = env::var(variable) else { continue };
        if !is_number(&value, max) {
            return Err(NoTraces::Number { variable, value, max });
        }
    }
    Ok(())
}

/// An empty variable is as if it were not there.
fn is_number(value: &str, max: u64) -> bool {
    value.is_empty() || value.trim().parse().is_ok_and(|number: u64| (1..=max).contains(&number))
}

/// Variables with numbers, and the most that each takes: an hour in milliseconds, and spans that have 100 MB.
const NUMBERS: [(&str, u64); 6] = [
    ("OTEL_BSP_EXPORT_TIMEOUT", 3_600_000),
    ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 100_000),
    ("OTEL_BSP_MAX_QUEUE_SIZE", 100_000),
    ("OTEL_BSP_SCHEDULE_DELAY", 3_600_000),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", 3_600_000),
    ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", 3_600_000),
];

/// As the variables say, and under our name if they name none.
fn resource() -> Resource {
    let named = Resource::builder().build();
    let name = named.get(&Key::from_static_str("service.name")).map(|name| name.to_string());
    let is_named = name.is_some_and(|name| !name.starts_with("unknown_service"));
    let builder = Resource::builder();
    let builder = if is_named { builder } else { builder.with_service_name("apns-provider") };
    builder.with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION"))).build()
}

const SPOKEN: &str = "http/protobuf";
const ACCEPTED: u16 = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_would_stop_or_spin_the_exporter_is_none() {
        assert!(["", "1", " 2048", "3000"].iter().all(|value| is_number(value, 3000)));
        assert!(["0", "3001", "-1", "1s", " "].iter().all(|value| !is_number(value, 3000)));
    }
}
