//! What a server says of itself besides whether requests should come to it.
//!
//! Anybody may ask, without a key: no app, no tenant and no address is named.

use apns_provider_core::{DispatchStatus, NotSent};

use crate::device::Environment;

/// How the way of one app to APNs is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// There is a connection.
    Open,
    /// APNs answers, and that it is in trouble.
    Troubled,
    /// Nothing was to be sent.
    Unknown,
    /// There was no connection the last time.
    Unreachable,
    /// TLS did not come about the last time.
    Untrusted,
}

impl Way {
    /// What a client says of it.
    pub fn of(status: &DispatchStatus) -> Self {
        match &status.no_connection {
            _ if status.service_in_trouble => Self::Troubled,
            _ if status.open > 0 => Self::Open,
            None => Self::Unknown,
            Some(NotSent::CertificateRefused { .. }) => Self::Untrusted,
            Some(_) => Self::Unreachable,
        }
    }
}

/// What is not as it should be, a sentence each. None of it is a reason to send requests elsewhere: what is taken is kept until it can be
/// sent. `suspended` is how many apps have so many invalid tokens that none is removed.
pub fn notes(ways: &[(Environment, Way)], suspended: usize) -> Vec<String> {
    let away = Environment::ALL.into_iter().filter_map(|environment| {
        let of_it = ways.iter().filter(|(its, _)| *its == environment).map(|(_, way)| *way);
        Some(format!(
            "APNs {environment} {}. What is taken is kept, and sent when it can be",
            said_of(of_it)?
        ))
    });
    let suspended = (suspended > 0).then(|| {
        "no device is removed for an invalid token, since too many of an app are invalid at once: the log says of which"
            .to_owned()
    });
    away.chain(suspended).collect()
}

/// If one app gets through, what another one has is its own trouble, and not that APNs is away.
fn said_of(ways: impl Iterator<Item = Way>) -> Option<&'static str> {
    let mut worst = None;
    for way in ways {
        match way {
            Way::Open => return None,
            Way::Unknown => {}
            Way::Troubled => worst = Some("answers that it is in trouble"),
            Way::Unreachable => worst = worst.or(Some("cannot be reached: no connection could be made")),
            Way::Untrusted => {
                worst = worst.or(Some("cannot be reached: there is a connection, and TLS fails on it"));
            }
        }
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::*;

    const SANDBOX: Environment = Environment::Sandbox;
    const PRODUCTION: Environment = Environment::Production;

    #[test]
    fn a_client_says_how_its_way_is() {
        let mut status = DispatchStatus::default();
        assert_eq!(Way::of(&status), Way::Unknown);
        status.no_connection = Some(NotSent::NoConnection { why: "nobody listens".into() });
        assert_eq!(Way::of(&status), Way::Unreachable);
        status.no_connection = Some(NotSent::CertificateRefused { why: "it is not trusted".into() });
        assert_eq!(Way::of(&status), Way::Untrusted);
        status.open = 1;
        assert_eq!(Way::of(&status), Way::Open);
        status.service_in_trouble = true;
        assert_eq!(Way::of(&status), Way::Troubled);
    }

    #[test]
    fn apns_is_away_if_nobody_gets_through_to_it() {
        let away = notes(&[(SANDBOX, Way::Unreachable), (SANDBOX, Way::Unknown), (PRODUCTION, Way::Open)], 0);
        assert_eq!(
            away,
            [
                "APNs sandbox cannot be reached: no connection could be made. What is taken is kept, and sent when it can be"
            ]
        );
        let one_gets_through = [(SANDBOX, Way::Untrusted), (SANDBOX, Way::Open), (SANDBOX, Way::Troubled)];
        assert!(notes(&one_gets_through, 0).is_empty());
        assert!(notes(&[], 0).is_empty());
        assert_eq!(notes(&[(PRODUCTION, Way::Troubled), (SANDBOX, Way::Untrusted)], 1).len(), 3);
    }
}
