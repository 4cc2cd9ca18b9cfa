use std::sync::{Arc, Mutex, PoisonError};

use apns_provider_core::{ClockSteppedBack, ProviderToken, TokenSource};
use rustls::ClientConfig;
use tracing::warn;

use crate::{Credential, clock};

/// As whom connections are made, and whom they trust. All of one identity share its provider token (C-22).
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) tls: Arc<ClientConfig>,
    tokens: Option<Mutex<TokenSource>>,
}

impl Identity {
    pub(crate) fn new(tls: Arc<ClientConfig>, credential: &Credential) -> Self {
        let tokens = credential.auth_key().map(|key| Mutex::new(TokenSource::new(Arc::clone(key))));
        Self { tls, tokens }
    }

    /// Whether provider tokens say who it is, and not a certificate.
    pub(crate) fn is_by_token(&self) -> bool {
        self.tokens.is_some()
    }

    /// The provider token of the moment, if the credential is a key.
    pub(crate) fn provider_token(&self) -> Option<ProviderToken> {
        let tokens = self.tokens.as_ref()?;
        match tokens.lock().unwrap_or_else(PoisonError::into_inner).token(clock::now()) {
            Ok(token) => Some(token),
            Err(error) => {
                warn!(%error, "the clock stepped back");
                let ClockSteppedBack { held, .. } = error;
                Some(held)
            }
        }
    }

    /// APNs has found the provider token expired.
    pub(crate) fn token_expired(&self) {
        let Some(tokens) = &self.tokens else { return };
        let is_new = tokens.lock().unwrap_or_else(PoisonError::into_inner).expired(clock::now());
        warn!(is_new, "APNs found a provider token expired that is not: check the machine's clock");
    }
}
