//! Provider tokens: the signed statement that a push comes from a team (Apple, "Establishing a token-based
//! connection to APNs"), and how a whole fleet comes to the same one without talking.

mod auth_key;
mod ids;
mod inspection;
mod pem;
mod slot;
mod source;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

#[cfg(test)]
pub(crate) use auth_key::tests::generated_key;
pub use auth_key::{AuthKey, AuthKeyError};
pub use ids::{InvalidIdentifier, KeyId, TeamId};
pub use inspection::{TokenFlaw, TokenInspection, TokenMismatch};
pub use source::{ClockSteppedBack, TokenSource};

use crate::unix_time::UnixTime;

/// A signed token in the form of an `authorization` header. Cloning shares it; `Debug` does not show it.
#[derive(Clone, Eq, PartialEq)]
pub struct ProviderToken {
    /// `bearer <JWT>`: as it goes on the wire, so that a push formats nothing.
    authorization: Arc<str>,
    issued_at: UnixTime,
}

impl ProviderToken {
    /// How long after its `iat` APNs takes a token (Apple, "Establishing a token-based connection to APNs").
    pub const AGE_MAX: Duration = Duration::from_hours(1);

    /// The value of the `authorization` header. A secret: never index it, never log it.
    pub fn authorization(&self) -> &str {
        &self.authorization
    }

    /// The token alone, a JWT in compact form. A secret as well.
    pub fn jwt(&self) -> &str {
        &self.authorization[BEARER.len()..]
    }

    /// The claim `iat`, from which APNs counts the token's age: at most one hour.
    pub fn issued_at(&self) -> UnixTime {
        self.issued_at
    }

    fn new(jwt: &str, issued_at: UnixTime) -> Self {
        Self { authorization: format!("{BEARER}{jwt}").into(), issued_at }
    }
}

impl fmt::Debug for ProviderToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderToken").field("issued_at", &self.issued_at).finish_non_exhaustive()
    }
}

/// The scheme, in lower case as Apple writes it.
const BEARER: &str = "bearer ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_do_not_show_the_token() {
        let token = ProviderToken::new("aaa.bbb.ccc", UnixTime::from_secs(5));
        assert_eq!(token.authorization(), "bearer aaa.bbb.ccc");
        assert_eq!(token.jwt(), "aaa.bbb.ccc");
        assert!(!format!("{token:?}").contains("bbb"));
    }
}
