//! Spans of pushes, as a collector gets them.

use std::{
    collections::BTreeMap,
    net::Ipv4Addr,
    sync::{Arc, Mutex},
    time::Instant,
};

use axum::{Router, extract::State, http::HeaderMap, routing::post};
use bytes::Bytes;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{Span, span::SpanKind, status::StatusCode},
};
use prost::Message as _;
use tokio::{net::TcpListener, sync::watch};

use crate::{
    databases::{Database, on_both},
    process::{APP, House, PATIENCE, to_tokens},
};

/// A collector that takes everything.
#[derive(Clone)]
struct Collector(Arc<Taken>);

struct Taken {
    requests: Mutex<Vec<Bytes>>,
    count: watch::Sender<usize>,
}

impl Collector {
    /// Its URL, and it.
    async fn start() -> (String, Self) {
        let taken = Taken { requests: Mutex::default(), count: watch::Sender::default() };
        let collector = Self(Arc::new(taken));
        let take = async |State(Self(taken)): State<Self>, headers: HeaderMap, body: Bytes| {
            assert_eq!(headers["content-type"], "application/x-protobuf");
            taken.requests.lock().unwrap().push(body);
            taken.count.send_modify(|count| *count += 1);
        };
        let router = Router::new().route("/v1/traces", post(take)).with_state(collector.clone());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (url, collector)
    }

    fn requests(&self) -> Vec<Bytes> {
        self.0.requests.lock().unwrap().clone()
    }

    /// Waits until there are so many spans, and returns them with the name of the service.
    async fn spans(&self, count: usize) -> Vec<(String, Span)> {
        let (began, mut told) = (Instant::now(), self.0.count.subscribe());
        loop {
            let spans: Vec<_> = self.requests().iter().flat_map(spans_of).collect();
            if spans.len() >= count {
                return spans;
            }
            let left = PATIENCE.saturating_sub(began.elapsed());
            let more = tokio::time::timeout(left, told.changed()).await;
            more.unwrap_or_else(|_| panic!("{} spans of {count}", spans.len())).unwrap();
        }
    }
}

fn spans_of(body: &Bytes) -> Vec<(String, Span)> {
    let request = ExportTraceServiceRequest::decode(body.clone()).unwrap();
    let of_resources = request.resource_spans.into_iter().flat_map(|it| {
        let service = attributes(&it.resource.unwrap().attributes)["service.name"].clone();
        it.scope_spans.into_iter().flat_map(|it| it.spans).map(move |span| (service.clone(), span))
    });
    of_resources.collect()
}

fn attributes(of: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &KeyValue| match value.value.clone().and_then(|it| it.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("{other:?}"),
    };
    of.iter().map(|attribute| (attribute.key.clone(), text(attribute))).collect()
}

/// A house whose servers are told of this collector.
fn told_of(mut house: House, url: &str, more: &[(&'static str, &str)]) -> House {
    house.variables = vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.to_owned()),
        ("OTEL_SERVICE_NAME", "pushes-of-a-shop".to_owned()),
        ("OTEL_BSP_SCHEDULE_DELAY", "50".to_owned()),
    ];
    house.variables.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    house
}

on_both! { House: c79_each_push_is_a_span_that_a_collector_is_told_of_without_token_and_payload }

async fn c79_each_push_is_a_span_that_a_collector_is_told_of_without_token_and_payload(house: House) {
    let (url, collector) = Collector::start().await;
    let mut house = told_of(house, &url, &[]);
    let server = house.serve_to(house.mock.sandbox().port(), &["--traces"]);
    house.set_up_app(&server);
    let mut tokens = house.tokens(1);
    tokens.push(house.mock.ready_made().device_token("sandbox-unregistered").unwrap().token.clone());
    let push = to_tokens(&tokens);
    let id = house.asked(&server, &["notifications", "submit", APP, "--data", &push, "--json"]);
    let id = id["id"].as_str().unwrap();
    house.finished(&server, id).await;

    let spans = collector.spans(2).await;
    assert_eq!(spans.len(), 2, "one for each push");
    let mut ended = BTreeMap::new();
    for (service, span) in &spans {
        assert_eq!((service.as_str(), span.name.as_str()), ("pushes-of-a-shop", "apns.push"));
        assert_eq!(span.kind, SpanKind::Client as i32);
        assert!(span.end_time_unix_nano > span.start_time_unix_nano);
        let told = attributes(&span.attributes);
        for (name, value) in [
            ("apns.topic", APP),
            ("apns.environment", "sandbox"),
            ("apns.push_type", "alert"),
            ("apns.notification.id", id),
            ("apns.attempt", "1"),
        ] {
            assert_eq!(told[name], value, "{told:?}");
        }
        let status = span.status.clone().unwrap_or_default().code();
        ended.insert(told["apns.outcome"].clone(), (told, status));
    }
    let (told, status) = &ended["accepted"];
    assert_eq!((told["http.response.status_code"].as_str(), *status), ("200", StatusCode::Unset));
    assert!(house.taken().contains_key(&told["apns.id"]), "{told:?}");
    let (told, status) = &ended["rejected"];
    assert_eq!((told["http.response.status_code"].as_str(), *status), ("410", StatusCode::Error));
    assert_eq!(told["apns.reason"], "Unregistered");
    let all: Vec<u8> = collector.requests().concat();
    let all = String::from_utf8_lossy(&all);
    for secret in [&tokens[0][..8], &tokens[1][..8], "Hello"] {
        assert!(!all.contains(secret), "{secret} was exported");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c79_nothing_is_exported_that_nobody_asked_for_or_that_the_sampler_leaves_out() {
    let (url, collector) = Collector::start().await;
    for is_asked_for in [false, true] {
        let leaves_all_out = [("OTEL_TRACES_SAMPLER", "always_off")];
        let mut house =
            told_of(House::on(Database::sqlite()).await, &url, &leaves_all_out[..usize::from(is_asked_for)]);
        let port = house.mock.sandbox().port();
        let server = house.serve_to(port, if is_asked_for { &["--traces"] } else { &[] });
        house.set_up_app(&server);
        let push = to_tokens(&house.tokens(1));
        let id = house.asked(&server, &["notifications", "submit", APP, "--data", &push, "--json"]);
        house.finished(&server, id["id"].as_str().unwrap()).await;
        server.terminate();
        assert_eq!(server.wait().code(), Some(0), "what there was is exported by now");
        assert!(collector.requests().is_empty(), "asked for: {is_asked_for}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c79_a_collector_that_does_not_answer_holds_nothing_up() {
    // It is connected to, and that is all.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let mut house =
        told_of(House::on(Database::sqlite()).await, &url, &[("OTEL_EXPORTER_OTLP_TIMEOUT", "120000")]);
    let server = house.serve_to(house.mock.sandbox().port(), &["--traces"]);
    house.set_up_app(&server);
    let push = to_tokens(&house.tokens(20));
    let id = house.asked(&server, &["notifications", "submit", APP, "--data", &push, "--json"]);
    house.finished(&server, id["id"].as_str().unwrap()).await;
    assert_eq!(house.taken().len(), 20);
    let began = Instant::now();
    server.terminate();
    assert_eq!(server.wait().code(), Some(0));
    assert!(began.elapsed() < PATIENCE / 4, "it waited for the collector: {:?}", began.elapsed());
}
