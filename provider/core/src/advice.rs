use crate::reason::Reason;

/// What to do next about a push that APNs refused.
///
/// The advice comes from the reason; an unknown or missing one falls back on the class of the status. Only
/// [`RemoveToken`](Self::RemoveToken) ever speaks against a device token's life: mistakes of configuration,
/// credentials and service never delete tokens. A `Retry-After` of the answer goes before any pause named
/// here.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Advice {
    /// The token is malformed or of the other environment. Do not send again; look at the environment before
    /// the token.
    CheckToken,
    /// The push is wrong: correct it, or what made it. Sending it again as it is gives the same answer.
    Fix,
    /// Topic, token and app do not belong together: correct the app's configuration, and keep the token.
    FixApp,
    /// The key or certificate is not accepted: stop sending with it and tell the operator. The push itself
    /// may be fine.
    FixCredentials,
    /// The connection has ended or is ending: send again on another one.
    Reconnect,
    /// The device token is dead, unless it was registered again since; see
    /// [`Rejection::kills_token_registered_at`](crate::Rejection::kills_token_registered_at).
    RemoveToken,
    /// The provider token was too old: send once more with the token of the moment on a fresh connection, and
    /// check the clock if that fails as well.
    RenewProviderToken,
    /// The provider token changed too often on this connection: keep the token, rest the connection, use
    /// others.
    RestConnection,
    /// The service is in trouble: send again later, with growing pauses, from seconds up to 15 minutes.
    RetryLater,
    /// This device gets too many pushes: pause for this device token only.
    SlowDownDevice,
}

impl Advice {
    /// Whether sending the same push again can succeed.
    pub const fn may_send_again(self) -> bool {
        match self {
            Self::CheckToken | Self::Fix | Self::FixApp | Self::FixCredentials | Self::RemoveToken => false,
            Self::Reconnect
            | Self::RenewProviderToken
            | Self::RestConnection
            | Self::RetryLater
            | Self::SlowDownDevice => true,
        }
    }

    /// What an answer with this status and reason asks for.
    pub(crate) fn of(status: u16, reason: Option<&Reason>) -> Self {
        reason.and_then(Reason::advice).unwrap_or_else(|| Self::for_status(status))
    }

    /// What the same answer asks for where the request named no device: too much of it is a matter of time, and what is gone or not
    /// known is the app's.
    pub(crate) const fn without_device(self) -> Self {
        match self {
            Self::CheckToken | Self::RemoveToken => Self::FixApp,
            Self::SlowDownDevice => Self::RetryLater,
            Self::Fix
            | Self::FixApp
            | Self::FixCredentials
            | Self::Reconnect
            | Self::RenewProviderToken
            | Self::RestConnection
            | Self::RetryLater => self,
        }
    }

    /// What a status alone says (Apple, "Handling notification responses from APNs", table of status codes).
    /// Statuses Apple does not list are taken by their class; below 400, where nothing was refused and
    /// nothing accepted in a known way, sending again could only double the push.
    const fn for_status(status: u16) -> Self {
        match status {
            403 => Self::FixCredentials,
            410 => Self::RemoveToken,
            429 => Self::SlowDownDevice,
            500.. => Self::RetryLater,
            _ => Self::Fix,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_of_the_status_decides_without_a_reason() {
        let expected = [
            (302, Advice::Fix, false),
            (400, Advice::Fix, false),
            (403, Advice::FixCredentials, false),
            (404, Advice::Fix, false),
            (410, Advice::RemoveToken, false),
            (413, Advice::Fix, false),
            (418, Advice::Fix, false),
            (429, Advice::SlowDownDevice, true),
            (500, Advice::RetryLater, true),
            (502, Advice::RetryLater, true),
            (503, Advice::RetryLater, true),
        ];
        for (status, advice, again) in expected {
            assert_eq!(Advice::of(status, None), advice, "{status}");
            assert_eq!(Advice::of(status, Some(&Reason::from_wire("BrandNew2027"))), advice, "{status}");
            assert_eq!(advice.may_send_again(), again, "{status}");
        }
    }

    #[test]
    fn a_known_reason_decides_over_the_status() {
        assert_eq!(Advice::of(400, Some(&Reason::IdleTimeout)), Advice::Reconnect);
        assert_eq!(Advice::of(403, Some(&Reason::ExpiredProviderToken)), Advice::RenewProviderToken);
        assert_eq!(Advice::of(429, Some(&Reason::TooManyProviderTokenUpdates)), Advice::RestConnection);
    }
}
