//! The TLS of a case: what it trusts, what it shows, and whether it was asked for that.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use rustls::{
    ClientConfig, SignatureScheme,
    client::{ResolvesClientCert, Resumption},
    crypto::ring as provider,
    sign::CertifiedKey,
};

use crate::{Opening, Target};

/// Notes whether the target has asked for a certificate, which rustls tells nowhere else.
#[derive(Debug)]
struct Noting {
    asked: Arc<AtomicBool>,
    shown: Option<Arc<CertifiedKey>>,
}

impl ResolvesClientCert for Noting {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        self.shown.clone()
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// How a case says hello, and the flag that is up once it was asked for a certificate.
pub(super) fn client_config(
    target: &Target,
    opening: &Opening,
) -> Result<(Arc<ClientConfig>, Arc<AtomicBool>), rustls::Error> {
    let asked = Arc::new(AtomicBool::new(false));
    let shown = opening.certificate.and_then(|name| target.certificates.get(name));
    let shown = shown.map(|it| {
        CertifiedKey::from_der(it.chain.clone(), it.key.clone_key(), &provider::default_provider())
    });
    let noting = Noting { asked: Arc::clone(&asked), shown: shown.transpose()?.map(Arc::new) };
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(target.roots.clone())
        .with_client_cert_resolver(Arc::new(noting));
    config.alpn_protocols = opening.alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    config.resumption = Resumption::disabled(); // each case is on its own
    Ok((Arc::new(config), asked))
}
