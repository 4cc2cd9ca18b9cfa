//! The steps up to a pipe to the server: DNS, TCP, and a proxy where the environment has one.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpStream, lookup_host},
    time::{Instant, timeout},
};

use super::step::{Step, Subject};
use crate::{
    Endpoint, Proxy,
    connect::tunnel::{self, TunnelError},
};

/// Takes the way that every other command takes. `Err` is the step at which it ended.
pub(super) async fn taken(
    endpoint: &Endpoint,
    step_max: Duration,
    steps: &mut Vec<Step>,
) -> Result<TcpStream, Step> {
    let proxy = Proxy::from_env(endpoint).map_err(|error| {
        Step::failed(Subject::Proxy, error.to_string(), &["Mend the variable, or unset it."])
    })?;
    // With a proxy nothing else is resolved or dialled: it finds the server.
    let (host, port, whose) = match &proxy {
        Some(proxy) => (proxy.host(), proxy.port(), ", the proxy,"),
        None => (endpoint.host(), endpoint.port(), ""),
    };
    let addresses = resolved(host, port, step_max).await?;
    let told: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
    steps.push(Step::ok(Subject::Dns, format!("{host}{whose} is {}", told.join(", "))));

    let (mut tcp, says) = connected(&addresses, proxy.as_ref(), step_max).await?;
    steps.push(Step::ok(Subject::Tcp, says));

    let says = match &proxy {
        Some(proxy) => tunnelled(&mut tcp, proxy, endpoint, step_max).await?,
        None => "none".to_owned(),
    };
    steps.push(Step::ok(Subject::Proxy, says));
    Ok(tcp)
}

async fn resolved(host: &str, port: u16, step_max: Duration) -> Result<Vec<SocketAddr>, Step> {
    let causes = [
        "The name is not written right.",
        "This machine has no network, or no DNS: try `getent hosts` with the name, and another name.",
    ];
    let failed = |why: String| Step::failed(Subject::Dns, why, &causes);
    match timeout(step_max, lookup_host((host, port))).await {
        Err(_) => Err(failed(format!("{host} was not found in time"))),
        Ok(Err(error)) => Err(failed(format!("{host}: {error}"))),
        Ok(Ok(addresses)) => {
            let addresses: Vec<SocketAddr> = addresses.take(ADDRESSES_MAX).collect();
            if addresses.is_empty() { Err(failed(format!("{host} has no address"))) } else { Ok(addresses) }
        }
    }
}

/// The first address that takes a connection, and what became of the others before it.
async fn connected(
    addresses: &[SocketAddr],
    proxy: Option<&Proxy>,
    step_max: Duration,
) -> Result<(TcpStream, String), Step> {
    let mut failures = Vec::new();
    for address in addresses {
        let began = Instant::now();
        match timeout(step_max.min(CONNECT_MAX), TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => {
                failures.insert(0, format!("{address} in {:.1} ms", began.elapsed().as_secs_f64() * 1000.0));
                return Ok((tcp, failures.join("; ")));
            }
            Ok(Err(error)) => failures.push(format!("{address}: {error}")),
            Err(_) => failures.push(format!("{address}: no answer in time")),
        }
    }
    let causes = match proxy {
        Some(_) => [
            "The proxy is not running, or listens at another port: compare HTTPS_PROXY and ALL_PROXY.",
            "This machine needs no proxy any more: unset the variable, or name the server in NO_PROXY.",
        ],
        None => [
            "A firewall lets nothing out to this port: APNs needs 443 or 2197, to 17.0.0.0/8.",
            "Nobody listens there: the port is wrong, or the simulated service is not running.",
        ],
    };
    Err(Step::failed(Subject::Tcp, failures.join("; "), &causes))
}

/// Asks the proxy for a way to the server.
async fn tunnelled(
    tcp: &mut TcpStream,
    proxy: &Proxy,
    endpoint: &Endpoint,
    step_max: Duration,
) -> Result<String, Step> {
    let target = endpoint.host_and_port();
    let failed = |why: String, causes: &[&str]| Step::failed(Subject::Proxy, why, causes);
    match timeout(step_max, tunnel::open(tcp, proxy, &target)).await {
        Ok(Ok(())) => Ok(format!("{proxy} opened a way to {target}")),
        Ok(Err(error)) => Err(failed(error.to_string(), proxy_causes(&error))),
        Err(_) => Err(failed(
            format!("the proxy {proxy} did not answer in time"),
            &[
                "It cannot reach the server, and waits.",
                "It is no HTTP proxy: compare HTTPS_PROXY and ALL_PROXY.",
            ],
        )),
    }
}

/// What is likely behind a proxy that opens no way.
fn proxy_causes(error: &TunnelError) -> &'static [&'static str] {
    match error {
        TunnelError::WantsAuthorization { .. } => &[
            "The variable names no user and password: write http://user:password@host:port into HTTPS_PROXY.",
        ],
        TunnelError::Unauthorized { .. } => &[
            "User or password is wrong.",
            "The proxy wants another scheme than Basic, which is the one that is spoken here.",
        ],
        TunnelError::Refused { status, .. } if *status >= PROXY_FAILING => &[
            "The proxy cannot find or reach the server: the name is not written right, or the proxy has no way out.",
        ],
        TunnelError::Refused { .. } => &[
            "The proxy does not allow this host or port: let it open ways to APNs at 443 or 2197.",
            "Pushes may go round it: name the server in NO_PROXY.",
        ],
        _ => &["It is no HTTP proxy, or one that wants TLS itself: compare HTTPS_PROXY and ALL_PROXY."],
    }
}

/// Addresses that are tried; Apple's names have about eight.
const ADDRESSES_MAX: usize = 8;
/// From here on a proxy has failed, and does not refuse (RFC 9110 section 15.6).
const PROXY_FAILING: u16 = 500;
/// Time for each address.
const CONNECT_MAX: Duration = Duration::from_secs(5);
