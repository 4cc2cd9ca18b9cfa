//! What `/metrics` says of pushes that went over real sockets.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

#[path = "support/control.rs"]
#[expect(dead_code, reason = "what other tests ask")]
mod control;
#[expect(dead_code, reason = "the provider of the wire tests, of which a push is all that is needed here")]
mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use control::Control;
use http::Method;
use mock_apns::MockApns;
use support::{Peer, authorization};
use tokio::time::timeout;

/// Longer than anything here takes; a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// What was told: each series with its number, and each family with its type and what it says.
struct Metrics {
    series: BTreeMap<String, String>,
    /// Name, type and help, as the document has them.
    families: BTreeSet<(String, String, String)>,
}

impl Metrics {
    async fn of(control: Control) -> Self {
        let reply = control.get("/metrics").await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(
            reply.headers["content-type"],
            "application/openmetrics-text; version=1.0.0; charset=utf-8"
        );
        assert!(reply.text.ends_with("\n# EOF\n"), "{}", reply.text);
        let lines = || reply.text.lines();
        let series = lines().filter(|line| !line.starts_with('#')).map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            (series.to_owned(), value.trim_end_matches(".0").to_owned())
        });
        let helps: BTreeMap<&str, &str> =
            lines().filter_map(|line| line.strip_prefix("# HELP ")?.split_once(' ')).collect();
        let types = lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
        let families = types.map(|(name, kind)| {
            let suffix = match kind {
                "counter" => "_total",
                "info" => "_info",
                _ => "",
            };
            (format!("{name}{suffix}"), kind.to_owned(), helps[name].to_owned())
        });
        Self { series: series.collect(), families: families.collect() }
    }

    /// The number of a series; 0 if it is not there, as for those that nobody has counted yet.
    fn get(&self, series: &str) -> u64 {
        self.series.get(&format!("mock_apns_{series}")).map_or(0, |value| value.parse().unwrap())
    }

    /// Everything that only rises.
    fn counters(&self) -> BTreeMap<&str, &str> {
        let series = self.series.iter().map(|(series, value)| (&**series, &**value));
        series.filter(|(series, _)| series.contains("_total")).collect()
    }

    #[track_caller]
    fn expect(&self, expected: &[(&str, u64)]) {
        for (series, value) in expected {
            assert_eq!(self.get(series), *value, "{series} in {:#?}", self.series);
        }
    }
}

fn requests(environment: &str, status: u16, reason: &str, push_type: &str) -> String {
    format!(
        r#"requests_total{{environment="{environment}",status="{status}",reason="{reason}",push_type="{push_type}"}}"#
    )
}

#[tokio::test]
async fn it_tells_what_providers_did_and_what_they_were_answered() {
    let mock = MockApns::start().await.unwrap();
    let token = |name| mock.ready_made().device_token(name).unwrap().token.clone();
    let (good, gone) = (token("sandbox"), token("sandbox-unregistered"));
    let bearer = authorization(&mock);
    let fields =
        [("authorization", &*bearer), ("apns-topic", "com.example.app"), ("apns-push-type", "alert")];
    let body = r#"{"aps":{"alert":"Hello"}}"#;
    let mut peer = Peer::sandbox(&mock).await;
    let mut push = async |token: &str, fields: &[(&str, &str)]| peer.answer(token, fields, body).await.0;
    let statuses = [
        push(&good, &fields).await,
        push(&good, &fields).await,
        push(&gone, &fields).await,
        push(&gone, &fields).await,
        push("00ff", &fields).await,
        push(&good, &fields[1..]).await,
    ];
    assert_eq!(statuses, [200, 200, 410, 410, 400, 403]);
    let device = mock.device("phone").await.unwrap();

    let metrics = Metrics::of(Control::of(&mock)).await;
    metrics.expect(&[
        (&requests("sandbox", 200, "", "alert"), 2),
        (&requests("sandbox", 410, "Unregistered", "alert"), 2),
        (&requests("sandbox", 400, "BadDeviceToken", "alert"), 1),
        (&requests("sandbox", 403, "MissingProviderToken", ""), 1),
        (r#"deliveries_total{status="Received by APNs"}"#, 2),
        (r#"deliveries_total{status="Delivered to Device"}"#, 2),
        (r#"connections_opened_total{listener="sandbox"}"#, 1),
        (r#"connections_open{listener="sandbox"}"#, 1),
        (r#"connections_opened_total{listener="production"}"#, 0),
        (r#"connections_open{listener="devices"}"#, 1),
        ("streams_in_flight", 0),
        ("batch_requests_sum", 6),
        ("provider_tokens_seen_total", 1),
        ("provider_token_changes_total", 0),
        ("repeated_410s_total", 1),
        ("short_connections_total", 0),
        (r#"apple_would_have_throttled{team="MOCKTEAM01",cause="repeated_410"}"#, 0),
        ("journal_evictions_total", 0),
        ("teams", 1),
        (concat!(r#"build_info{version=""#, env!("CARGO_PKG_VERSION"), r#""}"#), 1),
    ]);
    assert!(metrics.get("devices") >= 2);
    let batches = metrics.get("batch_requests_count");
    assert!((1..=6).contains(&batches) && metrics.get("handling_seconds_count") == batches);
    assert_eq!(metrics.get(r#"handling_seconds_bucket{le="+Inf"}"#), batches);
    device.disconnect().await;
}

#[tokio::test]
async fn a_provider_that_apple_would_have_throttled_is_told() {
    let mock = MockApns::start().await.unwrap();
    let control = Control::of(&mock);
    let gone = mock.ready_made().device_token("sandbox-unregistered").unwrap().token.clone();
    let bearer = authorization(&mock);
    let fields = [("authorization", &*bearer), ("apns-topic", "com.example.app")];
    for _ in 0..21 {
        let mut peer = Peer::sandbox(&mock).await;
        assert_eq!(peer.answer(&gone, &fields, r#"{"aps":{}}"#).await.0, 410);
    }
    let all_closed = async {
        loop {
            let metrics = Metrics::of(control).await;
            if metrics.get(r#"connections_open{listener="sandbox"}"#) == 0 {
                return metrics;
            }
        }
    };
    let metrics = timeout(PATIENCE, all_closed).await.expect("the double sees what is closed");
    metrics.expect(&[
        (r#"apple_would_have_throttled{team="MOCKTEAM01",cause="repeated_410"}"#, 1),
        (r#"apple_would_have_throttled{team="MOCKTEAM01",cause="connection_churn"}"#, 1),
        (r#"apple_would_have_throttled{team="MOCKTEAM01",cause="token_churn"}"#, 0),
        ("short_connections_total", 21),
        ("repeated_410s_total", 20),
    ]);
}

#[tokio::test]
async fn no_counter_falls_at_a_reset_and_a_reset_forgives() {
    let mock = MockApns::start().await.unwrap();
    let control = Control::of(&mock);
    let token = |name| mock.ready_made().device_token(name).unwrap().token.clone();
    let (good, gone) = (token("sandbox"), token("sandbox-unregistered"));
    let bearer = authorization(&mock);
    let fields = [("authorization", &*bearer), ("apns-topic", "com.example.app")];
    let mut peer = Peer::sandbox(&mock).await;
    assert_eq!(peer.answer(&good, &fields, r#"{"aps":{}}"#).await.0, 200);
    for _ in 0..12 {
        assert_eq!(peer.answer(&gone, &fields, r#"{"aps":{}}"#).await.0, 410);
    }
    let throttled = r#"apple_would_have_throttled{team="MOCKTEAM01",cause="repeated_410"}"#;
    let before = Metrics::of(control).await;
    before.expect(&[(throttled, 1), ("repeated_410s_total", 11)]);

    for reset in ["/v1/reset", "/v1/reset?all=true"] {
        assert!(control.ask(Method::POST, reset, &[], "").await.status < 300, "{reset}");
        let after = Metrics::of(control).await;
        assert_eq!((after.counters(), after.get(throttled)), (before.counters(), 0), "{reset}");
    }
    assert_eq!(peer.answer(&good, &fields, r#"{"aps":{}}"#).await.0, 200);
    let received = r#"deliveries_total{status="Received by APNs"}"#;
    Metrics::of(control).await.expect(&[(received, 2), ("repeated_410s_total", 11)]);
}

#[tokio::test]
async fn the_document_lists_every_family_and_no_other() {
    let mock = MockApns::start().await.unwrap();
    let told = Metrics::of(Control::of(&mock)).await.families;
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
    let document = std::fs::read_to_string(path).unwrap();
    let rows = document.lines().filter(|line| line.starts_with("| `mock_apns_"));
    let listed: BTreeSet<_> = rows
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            (cells[0].trim_matches('`').to_owned(), cells[1].to_owned(), cells[3].to_owned())
        })
        .collect();
    assert_eq!(told, listed);
}

#[tokio::test]
async fn it_is_guarded_as_everything_else() {
    let mock = MockApns::builder().control_token("a secret of this test").start().await.unwrap();
    let control = Control::of(&mock);
    assert_eq!(control.get("/metrics").await.error(401).0, "unauthorized");
    let fields = [("authorization", "Bearer a secret of this test")];
    assert_eq!(control.ask(Method::GET, "/metrics", &fields, "").await.status, 200);
}
