//! TLS: C-05 to C-07.

use std::time::Duration;

use crate::provider::{
    evidence::{Evidence, Hello, What},
    item::{Acting, Finding, Item, Play, Stop, ensure},
    items::outcomes::{all_accepted, all_reported, told},
    protocol::{Options, Outcome},
    stage::{PATIENCE, Stage},
};

pub(super) fn items() -> Vec<Item> {
    let flaws = vec![
        Play::new("expired", |stage| certificate(stage, "expired"), refuses_the_certificate),
        Play::new("wrong-host", |stage| certificate(stage, "wrong-host"), refuses_the_certificate),
        Play::new("self-signed", |stage| certificate(stage, "self-signed"), refuses_the_certificate),
        Play::new("unknown-ca", |stage| certificate(stage, "unknown-ca"), refuses_the_certificate),
        Play::new("told-of-the-ca", |stage| handshake(stage, None), all_accepted),
    ];
    let alpn = vec![
        Play::new("http/1.1-or-nothing", |stage| handshake(stage, Some(r#""http11""#)), wants_h2),
        Play::new("no-protocol-in-common", |stage| handshake(stage, Some(r#""alpn-refused""#)), wants_h2),
        Play::new("hello", |stage| handshake(stage, None), names_the_server_and_offers_h2),
    ];
    // A .p12, and what monitoring shows of a certificate's end, are told to nobody by this protocol: the provider's own tests have them.
    let versions = vec![
        Play::new("tls-1.3", |stage| handshake(stage, None), offers_tls_1_3),
        Play::new("tls-1.2", |stage| handshake(stage, Some(r#""tls12""#)), all_accepted),
        Play::new("certificate", as_certificate, shows_its_certificate).needing(&["certificate"]),
    ];
    vec![Item::new("C-05", flaws), Item::new("C-06", alpn), Item::new("C-07", versions)]
}

/// C-05: the server has a certificate with this flaw.
fn certificate<'a>(stage: &'a mut Stage, flaw: &'static str) -> Acting<'a> {
    Box::pin(one_push(stage, Some(format!(r#"{{"certificate":"{flaw}"}}"#))))
}

/// TLS goes as usual, or as a fault wants it.
fn handshake<'a>(stage: &'a mut Stage, fault: Option<&'static str>) -> Acting<'a> {
    Box::pin(one_push(stage, fault.map(ToOwned::to_owned)))
}

async fn one_push(stage: &mut Stage, fault: Option<String>) -> Result<(), Stop> {
    if let Some(fault) = fault {
        stage.fault_for_everyone(&format!(r#"{{"name":"handshake","action":{{"tls":{fault}}}}}"#))?;
    }
    // Whoever tries again and again tells only once.
    stage.configure(Options { attempts_max: Some(1), ..Options::default() }).await?;
    stage.send_and_wait(PATIENCE, stage.push()).await?;
    Ok(())
}

fn refuses_the_certificate(evidence: &Evidence) -> Result<(), Finding> {
    gets_no_request(evidence)?;
    let why = evidence.results().values().find_map(|(_, report)| report.why.clone()).unwrap_or_default();
    let said = format!("{why}\n{}", evidence.stderr).to_lowercase();
    ensure(
        CERTIFICATE_WORDS.iter().any(|word| said.contains(word)),
        "an error that names the certificate",
        || format!("{why:?}"),
    )
}

fn wants_h2(evidence: &Evidence) -> Result<(), Finding> {
    gets_no_request(evidence)?;
    let sent = evidence.sent.values().map(|sent| sent.at).min().unwrap_or_default();
    let took = evidence.results().values().map(|(at, _)| at.saturating_sub(sent)).max();
    ensure(took.is_some_and(|took| took <= AT_ONCE), format!("a failure within {AT_ONCE:?}"), || {
        format!("{took:?}")
    })
}

/// Nothing of a request went out, and the push was told to have failed.
fn gets_no_request(evidence: &Evidence) -> Result<(), Finding> {
    ensure(!evidence.dials.is_empty(), "a connection", || "none".to_owned())?;
    let is_request = |what: &What| matches!(what, What::Headers(_) | What::Data(_) | What::Rubbish(_));
    for (place, connection) in evidence.connections.iter().enumerate() {
        if let Some(said) = connection.by_provider().find(|said| is_request(&said.what)) {
            return Err(Finding::wrong(
                "a connection that fails without a byte of a request",
                said.what.to_string(),
            )
            .at(place, said.at));
        }
    }
    all_reported(evidence)?;
    match evidence.results().values().find(|(_, report)| report.outcome == Outcome::Accepted) {
        Some((_, report)) => Err(Finding::wrong("a push that is told to have failed", told(report))),
        None => Ok(()),
    }
}

fn names_the_server_and_offers_h2(evidence: &Evidence) -> Result<(), Finding> {
    all_accepted(evidence)?;
    let hello = first_hello(evidence)?;
    let requests = evidence.requests();
    let first = requests.first();
    let authority =
        first.and_then(|it| it.field(":authority").or_else(|| it.field("host"))).unwrap_or_default();
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    ensure(hello.server_name.as_deref() == Some(host), format!("{host} as the server's name"), || {
        format!("{:?}", hello.server_name)
    })?;
    ensure(hello.alpn.iter().any(|protocol| protocol == "h2"), "h2 among the protocols", || {
        format!("{:?}", hello.alpn)
    })
}

fn offers_tls_1_3(evidence: &Evidence) -> Result<(), Finding> {
    let hello = first_hello(evidence)?;
    let versions =
        || hello.versions.iter().map(|version| format!("{version:#06x}")).collect::<Vec<_>>().join(" ");
    ensure(hello.versions.contains(&TLS_1_3), "TLS 1.3 (0x0304) in the hello", versions)?;
    ensure(hello.versions.iter().all(|version| *version >= TLS_1_2), "TLS 1.2 (0x0303) at least", versions)
}

fn first_hello(evidence: &Evidence) -> Result<&Hello, Finding> {
    let first = evidence.dials.iter().find_map(|dial| dial.hello.as_ref());
    first.ok_or_else(|| Finding::wrong("a hello of TLS", "none"))
}

/// C-07: a certificate, with its chain and key.
fn as_certificate(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let certificate = stage.certificate()?;
        stage.configure_as(certificate, Options::default()).await?;
        for _ in 0..2 {
            stage.send_and_wait(PATIENCE, stage.push()).await?;
        }
        Ok(())
    })
}

pub(super) fn shows_its_certificate(evidence: &Evidence) -> Result<(), Finding> {
    // Without a certificate, the double refuses whoever has no provider token.
    all_accepted(evidence)?;
    match evidence.requests().iter().find(|request| request.field("authorization").is_some()) {
        Some(request) => {
            let found =
                Finding::wrong("requests that only the certificate speaks for", "one with authorization");
            Err(found.at(request.connection, request.at))
        }
        None => Ok(()),
    }
}

/// Some word for it: OpenSSL's, Node's, rustls's.
const CERTIFICATE_WORDS: [&str; 4] = ["cert", "self-signed", "self signed", "issuer"];
/// What is at once where a library first tries a few times.
const AT_ONCE: Duration = Duration::from_secs(10);
const TLS_1_2: u16 = 0x0303;
const TLS_1_3: u16 = 0x0304;
