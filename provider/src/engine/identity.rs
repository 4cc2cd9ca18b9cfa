use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use apns_provider_core::{ClockSteppedBack, ProviderToken, TokenSource, UnixTime};
use metrics::Gauge;
use rustls::ClientConfig;
use tracing::warn;

use crate::{Credential, telemetry};

/// As whom connections are made, and whom they trust. All of one identity share its provider token (C-22).
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) tls: Arc<ClientConfig>,
    tokens: Option<Mutex<Tokens>>,
}

/// A key's provider tokens.
#[derive(Debug)]
struct Tokens {
    source: TokenSource,
    /// Of which token was told when it was issued.
    told: Option<UnixTime>,
    issued_at: Gauge,
}

impl Identity {
    pub(crate) fn new(tls: Arc<ClientConfig>, credential: &Credential) -> Self {
        credential.tell_expiry();
        let tokens = credential.auth_key().map(|key| {
            let issued_at = telemetry::token_issued_at(key.key_id().as_str());
            Mutex::new(Tokens { source: TokenSource::new(Arc::clone(key)), told: None, issued_at })
        });
        Self { tls, tokens }
    }

    /// Whether provider tokens say who it is, and not a certificate.
    pub(crate) fn is_by_token(&self) -> bool {
        self.tokens.is_some()
    }

    /// The provider token of this moment, if the credential is a key.
    pub(crate) fn provider_token(&self, date: UnixTime) -> Option<ProviderToken> {
        let mut tokens = self.tokens()?;
        let token = tokens.source.token(date).unwrap_or_else(|error| {
            warn!(%error, "the clock stepped back");
            let ClockSteppedBack { held, .. } = error;
            held
        });
        if tokens.told != Some(token.issued_at()) {
            tokens.told = Some(token.issued_at());
            tokens.issued_at.set(telemetry::seconds(token.issued_at()));
        }
        Some(token)
    }

    /// APNs has refused the provider token, and this is its own time. Whether the token was issued in its future.
    pub(super) fn token_refused_at(&self, date: UnixTime) -> bool {
        self.tokens().is_some_and(|mut tokens| tokens.source.refused_at(date))
    }

    /// APNs has found the provider token expired. Whether there is another one.
    pub(crate) fn token_expired(&self, date: UnixTime) -> bool {
        self.tokens().is_some_and(|mut tokens| tokens.source.expired(date))
    }

    fn tokens(&self) -> Option<MutexGuard<'_, Tokens>> {
        Some(self.tokens.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
