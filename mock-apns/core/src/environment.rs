//! APNs runs twice: for development builds and for the App Store. A device token, a scoped key and a certificate
//! each belong to one of the two.

/// One of the two worlds of APNs.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Environment {
    /// Development-signed builds (`aps-environment: development`).
    Sandbox,
    /// TestFlight, ad hoc and App Store builds.
    Production,
}

impl Environment {
    /// The environment that one of Apple's host names stands for, or `None` for any other name. A port behind the
    /// name and the case of its letters do not matter.
    ///
    /// ```
    /// use mock_apns_core::Environment;
    ///
    /// assert_eq!(Environment::of_host("API.push.apple.com:2197"), Some(Environment::Production));
    /// assert_eq!(Environment::of_host("localhost"), None);
    /// ```
    pub fn of_host(host: &str) -> Option<Self> {
        Self::of_host_bytes(host.as_bytes())
    }

    /// [`of_host`](Self::of_host) for a field value, which need not be text.
    pub(crate) fn of_host_bytes(host: &[u8]) -> Option<Self> {
        let end = host.iter().position(|&byte| byte == b':').unwrap_or(host.len());
        let name = &host[..end];
        // Asked for each push, and nearly always of a name that is not Apple's.
        let is_apples =
            name.last_chunk().is_some_and(|last: &[u8; 10]| last.eq_ignore_ascii_case(b".apple.com"));
        if !is_apples {
            return None;
        }
        APPLE_HOST_NAMES
            .iter()
            .find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()))
            .map(|row| row.1)
    }

    /// Apple's host names for this environment, the everyday one first.
    pub fn host_names(self) -> impl Iterator<Item = &'static str> {
        APPLE_HOST_NAMES.iter().filter(move |row| row.1 == self).map(|row| row.0)
    }
}

/// Which of Apple's host names means which environment. Source: Apple, "Sending notification requests to APNs",
/// "Sending channel management requests to APNs", "Sending broadcast push notification requests to APNs" and the
/// archived "Binary Provider API".
const APPLE_HOST_NAMES: &[(&str, Environment)] = &[
    ("api.push.apple.com", Environment::Production),
    ("api.sandbox.push.apple.com", Environment::Sandbox),
    ("api.development.push.apple.com", Environment::Sandbox),
    ("api-broadcast.push.apple.com", Environment::Production),
    ("api-broadcast.sandbox.push.apple.com", Environment::Sandbox),
    ("api-manage-broadcast.push.apple.com", Environment::Production),
    ("api-manage-broadcast.sandbox.push.apple.com", Environment::Sandbox),
    ("gateway.push.apple.com", Environment::Production),
    ("gateway.sandbox.push.apple.com", Environment::Sandbox),
    ("feedback.push.apple.com", Environment::Production),
    ("feedback.sandbox.push.apple.com", Environment::Sandbox),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_name_decides_with_or_without_port_in_any_case() {
        assert_eq!(Environment::of_host("api.push.apple.com"), Some(Environment::Production));
        assert_eq!(Environment::of_host("api.push.apple.com:443"), Some(Environment::Production));
        assert_eq!(Environment::of_host("API.Sandbox.push.apple.com"), Some(Environment::Sandbox));
        assert_eq!(Environment::of_host("api.development.push.apple.com:2197"), Some(Environment::Sandbox));
    }

    #[test]
    fn other_names_decide_nothing() {
        for host in ["", ":443", "localhost", "127.0.0.1:2197", "push.apple.com", "api.push.apple.com.evil"] {
            assert_eq!(Environment::of_host(host), None, "{host}");
        }
    }

    #[test]
    fn every_name_is_listed_under_its_environment_only() {
        assert_eq!(Environment::Production.host_names().next(), Some("api.push.apple.com"));
        assert_eq!(Environment::Sandbox.host_names().next(), Some("api.sandbox.push.apple.com"));
        for environment in [Environment::Sandbox, Environment::Production] {
            assert!(environment.host_names().all(|name| Environment::of_host(name) == Some(environment)));
        }
    }
}
