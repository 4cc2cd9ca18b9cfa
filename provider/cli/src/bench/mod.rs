//! `apns-provider bench`: how fast a simulated service is served.

mod latencies;

use std::{net::IpAddr, process::ExitCode, time::Duration};

use apns_provider::Endpoint;
use apns_provider_core::{BundleId, DeviceToken, Notification, PushType, RetryPolicy, Topic};
use clap::Args;
use futures::{StreamExt as _, stream};
use serde_json::{Value, json};
use tokio::{net::lookup_host, time::Instant};

use super::{
    bulk::rate,
    exit,
    options::{AddressArgs, CredentialArgs},
    report, runtime,
    tally::Tally,
};
use latencies::Latencies;

/// How many pushes, how large, to whom. Never to Apple's service.
#[derive(Args, Debug)]
pub(super) struct BenchArgs {
    /// The app's bundle ID.
    #[arg(long, env = "APNS_PROVIDER_BUNDLE_ID", value_name = "ID", value_parser = BundleId::parse)]
    bundle_id: BundleId,

    /// A device token, as hexadecimal digits. Several take turns.
    #[arg(long, required = true, value_name = "HEX", value_parser = DeviceToken::from_hex)]
    device_token: Vec<DeviceToken>,

    /// Pushes.
    #[arg(long, default_value_t = 10_000, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=COUNT_MAX))]
    count: u32,

    /// Pushes that are under way at once, at most.
    #[arg(long, default_value_t = 500, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    concurrency: u16,

    /// Bytes of the payload.
    #[arg(long, default_value_t = 200, value_name = "BYTES", value_parser = clap::value_parser!(u16).range(PAYLOAD_BYTES_MIN..=4096))]
    payload_bytes: u16,

    /// Print it as one line of JSON.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    address: AddressArgs,

    #[command(flatten)]
    credential: CredentialArgs,
}

pub(super) fn run(args: &BenchArgs) -> Result<ExitCode, String> {
    let numbers = measured(args)?;
    report::print(if args.json { numbers.to_json().to_string() } else { numbers.to_text() })?;
    let all_accepted = numbers.tally.of("accepted") == numbers.tally.total();
    Ok(ExitCode::from(if all_accepted { exit::ACCEPTED } else { exit::REJECTED }))
}

/// What was measured.
#[derive(Debug)]
struct Numbers {
    elapsed: Duration,
    connections: u64,
    tally: Tally,
    latencies: Latencies,
}

fn measured(args: &BenchArgs) -> Result<Numbers, String> {
    let sender = args.address.sender(&args.credential)?;
    let text = "x".repeat(usize::from(args.payload_bytes) - usize::from(PAYLOAD_BYTES_MIN as u16) + 1);
    let payload = json!({ "aps": { "alert": text } }).to_string();
    let topic = Topic::of(&args.bundle_id, PushType::Alert);
    let built = Notification::raw(PushType::Alert, topic, payload).build();
    let notification = std::sync::Arc::new(built.map_err(|error| error.to_string())?);
    runtime::for_many(async {
        refuse_apple(&sender.endpoint).await?;
        let client = sender.client(RetryPolicy::never())?;
        let (mut tally, mut latencies) = (Tally::default(), Latencies::default());
        let began = Instant::now();
        let recipients = args.device_token.iter().cycle().take(args.count as usize);
        let mut ended = stream::iter(recipients)
            .map(|device_token| {
                let sent = client.send(std::sync::Arc::clone(&notification), device_token.clone());
                async {
                    let began = Instant::now();
                    (sent.await, began.elapsed())
                }
            })
            .buffer_unordered(args.concurrency.into());
        while let Some((outcome, latency)) = ended.next().await {
            tally.count(report::kind(&outcome));
            latencies.add(latency);
        }
        let connections = client.stats().connections_opened;
        Ok(Numbers { elapsed: began.elapsed(), connections, tally, latencies: latencies.sorted() })
    })?
}

/// Load on Apple's service is abuse, and gets providers blocked.
async fn refuse_apple(endpoint: &Endpoint) -> Result<(), String> {
    let refused =
        |why: String| Err(format!("bench is for simulated services: {why}; load on Apple's is abuse"));
    let host = endpoint.host().trim_end_matches('.').to_ascii_lowercase();
    if host == "apple.com" || host.ends_with(".apple.com") {
        return refused(format!("{host} is Apple's"));
    }
    let addresses = lookup_host((endpoint.host(), endpoint.port()));
    for address in addresses.await.map_err(|error| format!("{host}: {error}"))? {
        if is_apples(address.ip()) {
            return refused(format!("{host} is {}, an address of Apple's", address.ip()));
        }
    }
    Ok(())
}

/// Apple's own networks: 17.0.0.0/8, and the IPv6 blocks that its services are in. The name is what is mostly
/// told by; this is for names that lead there by DNS.
fn is_apples(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.octets()[0] == 17,
        IpAddr::V6(address) => matches!(address.segments(), [0x2620, 0x149, ..] | [0x2403, 0x300, ..]),
    }
}

impl Numbers {
    fn to_text(&self) -> String {
        let total = self.tally.total();
        let (secs, rate) = (self.elapsed.as_secs_f64(), rate(total, self.elapsed));
        let latencies: Vec<String> = self
            .latencies
            .percentiles()
            .map(|(name, latency)| format!("{name} {:.2}", millis(latency)))
            .collect();
        format!(
            "{total} pushes in {secs:.2} s: {rate}/s, {} connection(s)\n  latency ms  {}\n  outcomes    {}",
            self.connections,
            latencies.join("  "),
            self.tally.told()
        )
    }

    fn to_json(&self) -> Value {
        let latencies: serde_json::Map<String, Value> = self
            .latencies
            .percentiles()
            .map(|(name, latency)| (name.to_owned(), millis(latency).into()))
            .collect();
        json!({
            "pushes": self.tally.total(),
            "seconds": self.elapsed.as_secs_f64(),
            "pushes-per-second": rate(self.tally.total(), self.elapsed),
            "connections": self.connections,
            "latency-ms": latencies,
            "outcomes": self.tally.kinds(),
        })
    }
}

fn millis(latency: Duration) -> f64 {
    latency.as_secs_f64() * 1000.0
}

/// Each push's latency takes four bytes.
const COUNT_MAX: i64 = 100_000_000;
/// `{"aps":{"alert":"x"}}`.
const PAYLOAD_BYTES_MIN: i64 = 21;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apples_addresses_are_known() {
        for (address, apples) in [
            ("17.188.143.34", true),
            ("::ffff:17.188.143.34", true),
            ("2620:149:208:4303::7", true),
            ("127.0.0.1", false),
            ("::1", false),
            ("18.17.17.17", false),
        ] {
            assert_eq!(is_apples(address.parse().unwrap()), apples, "{address}");
        }
    }

    #[tokio::test]
    async fn apples_hosts_are_refused_before_anything_is_looked_up() {
        for to in ["production", "sandbox", "API.push.apple.com.:2197"] {
            let error = refuse_apple(&Endpoint::parse(to).unwrap()).await.unwrap_err();
            assert!(error.contains("abuse"), "{to}: {error}");
        }
        assert_eq!(refuse_apple(&Endpoint::parse("127.0.0.1:2197").unwrap()).await, Ok(()));
    }
}
