//! Provider tokens and the time that they go by.

use apns_provider_core::{ClockSkew, ProviderToken, UnixTime};
use tracing::warn;

use super::{Engine, Identity};

impl Engine {
    /// The provider token of the moment, if the credential is a key.
    pub(crate) fn provider_token(&self, identity: &Identity) -> Option<ProviderToken> {
        identity.provider_token(self.clocks.for_tokens(self.now()))
    }

    /// How wrong the machine's clock is, as far as answers were dated (C-23).
    pub(crate) fn clock_skew(&self) -> Option<ClockSkew> {
        self.clocks.skew(self.now())
    }

    /// An answer has just come that was dated so.
    pub(crate) fn answer_dated(&self, date: UnixTime) {
        self.clocks.note(self.now(), date);
    }

    /// APNs has refused the provider token, as expired or altogether. A wrong clock may be why.
    pub(crate) fn token_refused(&self, identity: &Identity, is_expired: bool) {
        let now = self.now();
        let date = self.clocks.for_tokens(now);
        let from_future = self.clocks.corrects && identity.token_refused_at(date);
        let is_new = from_future || (is_expired && identity.token_expired(date));
        match self.clocks.skew(now) {
            Some(skew) if self.clocks.corrects => {
                warn!(
                    is_new,
                    "APNs refused the provider token; the machine's clock is {skew} and is corrected"
                );
            }
            Some(skew) => {
                warn!(
                    is_new,
                    "APNs refused the provider token; the machine's clock is {skew}: set it right, or let the client correct it"
                );
            }
            None if is_expired => {
                warn!(is_new, "APNs found a provider token expired that is not: check the machine's clock");
            }
            None => {}
        }
    }
}
