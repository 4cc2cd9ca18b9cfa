//! HTTP CONNECT: C-08. Hosts that are to be reached without the proxy (NO_PROXY) are told to nobody by this protocol.

use super::tls::shows_its_certificate;
use crate::provider::{
    adapter::Trouble,
    evidence::Evidence,
    item::{Acting, Finding, Item, Play, Stop, ensure},
    items::outcomes::all_accepted,
    protocol::{Credential, Options},
    stage::{PATIENCE, Stage},
};

pub(super) fn item() -> Item {
    let plays = vec![
        Play::new("through-a-proxy", with_a_key, by_the_proxy_alone).needing(&["proxy"]),
        Play::new("certificate", with_a_certificate, certificate_goes_through)
            .needing(&["proxy", "certificate"]),
        Play::new("user-and-password", with_a_user, by_the_proxy_alone).needing(&["proxy"]),
    ];
    Item::new("C-08", plays)
}

fn with_a_key(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let key = stage.key();
        through_a_proxy(stage, key, "", None).await
    })
}

fn with_a_certificate(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let certificate = stage.certificate()?;
        through_a_proxy(stage, certificate, "", None).await
    })
}

fn with_a_user(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let key = stage.key();
        match through_a_proxy(stage, key, "push:secret@", Some("Basic cHVzaDpzZWNyZXQ=")).await {
            Err(Stop::Trouble(Trouble::Failed { why, .. })) => Err(Stop::NotApplicable(why)),
            done => done,
        }
    })
}

async fn through_a_proxy(
    stage: &mut Stage,
    credential: Credential,
    user: &str,
    credentials: Option<&'static str>,
) -> Result<(), Stop> {
    let proxy = format!("http://{user}{}", stage.open_proxy(credentials).await?);
    stage.configure_as(credential, Options { proxy: Some(proxy), ..Options::default() }).await?;
    for _ in 0..2 {
        if !stage.send_and_wait(PATIENCE, stage.push()).await? {
            break; // the judge sees it
        }
    }
    Ok(())
}

fn by_the_proxy_alone(evidence: &Evidence) -> Result<(), Finding> {
    let opened = evidence.tunnels.iter().filter(|tunnel| tunnel.opened).count();
    ensure(opened > 0, "a way through the proxy", || match evidence.tunnels.first() {
        Some(tunnel) => format!("{:?} with the credentials {:?}", tunnel.asked, tunnel.credentials),
        None => format!("a proxy that is not asked, and {} connections past it", evidence.dials.len()),
    })?;
    ensure(evidence.dials.len() == opened, "no connection past the proxy", || {
        format!("{} connections, {opened} of them through the proxy", evidence.dials.len())
    })?;
    for dial in &evidence.dials {
        let hello = dial.hello.as_ref().ok_or_else(|| Finding::wrong("TLS behind the proxy", "no hello"))?;
        ensure(hello.alpn.iter().any(|it| it == "h2"), "h2 offered to the server", || format!("{hello:?}"))?;
        let name = hello.server_name.as_deref().unwrap_or_default();
        let is_asked_for = |asked: &str| asked.starts_with(&format!("CONNECT {name}:"));
        ensure(
            !name.is_empty() && evidence.tunnels.iter().any(|tunnel| is_asked_for(&tunnel.asked)),
            "the same server asked for in CONNECT and in the hello",
            || format!("{:?}, and {name:?} in the hello", evidence.tunnels.first().map(|it| &it.asked)),
        )?;
    }
    all_accepted(evidence)
}

fn certificate_goes_through(evidence: &Evidence) -> Result<(), Finding> {
    by_the_proxy_alone(evidence)?;
    shows_its_certificate(evidence)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::provider::evidence::{Dial, Hello, Tunnel};

    fn dial() -> Dial {
        let (server_name, alpn) = (Some("localhost".to_owned()), vec!["h2".to_owned()]);
        let hello = Some(Hello { server_name, alpn, versions: Vec::new() });
        Dial { at: Duration::ZERO, road: 0, hello, first_bytes: Vec::new(), ended_at: None }
    }

    fn tunnel(opened: bool) -> Tunnel {
        Tunnel { asked: "CONNECT localhost:4711 HTTP/1.1".to_owned(), credentials: None, opened }
    }

    #[test]
    fn a_connection_past_the_proxy_is_found() {
        let evidence = |dials, tunnels| Evidence { dials, tunnels, ..Evidence::default() };
        let got = |evidence| match by_the_proxy_alone(&evidence) {
            Err(Finding::Wrong { got, .. }) => got,
            other => panic!("{other:?}"),
        };
        let through = evidence(vec![dial()], vec![tunnel(false), tunnel(true)]);
        assert_eq!(by_the_proxy_alone(&through), Ok(()));
        let past = evidence(vec![dial(), dial()], vec![tunnel(true)]);
        assert_eq!(got(past), "2 connections, 1 of them through the proxy");
        let unasked = evidence(vec![dial()], Vec::new());
        assert_eq!(got(unasked), "a proxy that is not asked, and 1 connections past it");
        let unknown = evidence(Vec::new(), vec![tunnel(false)]);
        assert_eq!(got(unknown), r#""CONNECT localhost:4711 HTTP/1.1" with the credentials None"#);
    }
}
