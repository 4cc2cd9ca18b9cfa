use std::sync::Arc;

use apns_http2::SettingsInForce;
use apns_provider_core::{ApnsId, DeviceToken, Push, TokenSource};
use apns_wire::WireError;
use rustls::CertificateError;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};

use super::{
    Patient,
    conversation::{Conversation, Lost},
    judge::{Asked, judge},
    road,
    step::{Step, Subject},
    witness::Witness,
};
use crate::{clock, tls::ALPN_H2};

/// Goes as far as it gets, and tells the steps up to there.
pub(super) async fn examine(patient: &Patient) -> Vec<Step> {
    let mut steps = Vec::new();
    let last = walk(patient, &mut steps).await;
    steps.extend(last.err());
    steps
}

/// `Err` is the step at which it ended.
async fn walk(patient: &Patient, steps: &mut Vec<Step>) -> Result<(), Step> {
    let endpoint = &patient.endpoint;
    let tcp = road::taken(endpoint, patient.step_max, steps).await?;
    let (mut conversation, says) = secured(tcp, patient).await?;
    steps.push(Step::ok(Subject::Tls, says));

    if conversation.tls().alpn_protocol() != Some(ALPN_H2) {
        let causes = ["This is no APNs: a proxy that ends TLS, or another server, is at this address."];
        return Err(Step::failed(Subject::Alpn, "TLS did not agree on h2", &causes));
    }
    steps.push(Step::ok(Subject::Alpn, "h2"));

    let asked = Asked {
        by_token: patient.credential.auth_key().is_some(),
        real_device: patient.device_token.is_some(),
        now: clock::now(),
    };
    match greeted(&mut conversation, patient).await? {
        Ok(says) => steps.push(Step::ok(Subject::Settings, says)),
        Err(lost) => {
            steps.extend(judge(asked, &Err(lost)));
            return Ok(());
        }
    }

    let token = match patient.credential.auth_key() {
        Some(key) => TokenSource::new(Arc::clone(key)).token(clock::now()).ok(),
        None => None,
    };
    let deadline = Instant::now() + patient.step_max;
    let heard = conversation.push(&push(patient), &endpoint.authority(), token.as_ref(), deadline).await;
    steps.extend(judge(Asked { now: clock::now(), ..asked }, &heard));
    conversation.close(deadline).await;
    Ok(())
}

fn push(patient: &Patient) -> Push {
    let made_up = || DeviceToken::from_bytes(&[0; 32]).expect("32 bytes are a device token: tested");
    let device_token = patient.device_token.clone().unwrap_or_else(made_up);
    Push::new(patient.notification.clone(), device_token, ApnsId::from_random(rand::random()))
}

async fn secured(tcp: TcpStream, patient: &Patient) -> Result<(Conversation, String), Step> {
    let failed = |why: String, causes: &[&str]| Step::failed(Subject::Tls, why, causes);
    let (config, witness) =
        Witness::config(&patient.credential, patient.ca_pem.as_deref()).map_err(|error| {
            failed(
                error.to_string(),
                &["What is to be trusted (`--ca`) has to be PEM with certificates in it."],
            )
        })?;
    let handshake = Conversation::open(tcp, config, &patient.endpoint);
    let seen = || witness.seen().map(|facts| format!("; {}", facts.told())).unwrap_or_default();
    match timeout_at(Instant::now() + patient.step_max, handshake).await {
        Err(_) => {
            Err(failed("the handshake was not done in time".into(), &["Something between swallows TLS."]))
        }
        Ok(Err(error)) => Err(failed(format!("{error}{}", seen()), tls_causes(&error))),
        Ok(Ok(conversation)) => {
            let tls = conversation.tls();
            let version = tls.protocol_version().map(|version| format!("{version:?}"));
            let suite = tls.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite()));
            let agreed: Vec<String> = version.into_iter().chain(suite).collect();
            let says = format!("{}{}, trusted", agreed.join(", "), seen());
            Ok((conversation, says))
        }
    }
}

/// The server's first word: what it allows. The inner error speaks of something else than SETTINGS: a certificate
/// that is refused in TLS 1.3 is refused after the handshake, that is here.
async fn greeted(conversation: &mut Conversation, patient: &Patient) -> Result<Result<String, Lost>, Step> {
    let failed = |says: &str, causes: &[&str]| Err(Step::failed(Subject::Settings, says, causes));
    match conversation.settings(Instant::now() + patient.step_max).await {
        Ok(settings) => Ok(Ok(told_settings(&settings))),
        Err(Lost::Silence) => failed(
            "the server sent no SETTINGS in time",
            &["A proxy or firewall holds back HTTP/2.", "The server is overloaded: try again."],
        ),
        Err(Lost::Trouble(why)) => failed(
            &why,
            &["The server, or a proxy before it, ends connections at once: try again, then without it."],
        ),
        Err(lost @ (Lost::Alert(_) | Lost::GoAway(_))) => Ok(Err(lost)),
    }
}

/// What is likely behind a handshake that failed.
fn tls_causes(error: &WireError) -> &'static [&'static str] {
    match error {
        WireError::Tls(rustls::Error::InvalidCertificate(why)) => match why {
            CertificateError::UnknownIssuer => &[
                "It is a simulated service or a company's server: its CA has to be trusted (`--ca`).",
                "A proxy ends TLS and shows a certificate of its own: let pushes go round it.",
                "The system's root certificates are missing or old: update them.",
            ],
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => &[
                "This machine's clock is wrong: compare it with the certificate's dates.",
                "The server's certificate has to be renewed.",
            ],
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => &[
                "The server has another name than the one that it was asked by: use a name of its certificate.",
                "DNS leads to another server: look at the addresses above.",
            ],
            _ => &["The server's certificate is not a good one: look at who issued it."],
        },
        WireError::Tls(rustls::Error::AlertReceived(_)) => &[
            "The server does not take our certificate: it has expired, was revoked, or is not for pushes.",
            "The server needs a certificate, and none was given.",
        ],
        WireError::Tls(_) => &["This port does not speak TLS, or an older version than 1.2: check the port."],
        _ => &["Something between ends connections with TLS, or the port is another service's."],
    }
}

fn told_settings(settings: &SettingsInForce) -> String {
    let number = |value: u32| if value == u32::MAX { "no limit".to_owned() } else { value.to_string() };
    format!(
        "MAX_CONCURRENT_STREAMS {}, INITIAL_WINDOW_SIZE {}, MAX_FRAME_SIZE {}, HEADER_TABLE_SIZE {}, MAX_HEADER_LIST_SIZE {}",
        number(settings.max_concurrent_streams),
        settings.initial_window_size,
        settings.max_frame_size,
        settings.header_table_size,
        number(settings.max_header_list_size),
    )
}
