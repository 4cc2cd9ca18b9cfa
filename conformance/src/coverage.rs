//! The rows of the spec that no case rests on.
//!
//! Rows about the service, that is. What a correct provider does (`provider-items.toml`) is asked of providers, and no case here asks one.

/// Every row about the service that no case rests on, and why: a test holds that there is no other.
pub const NOT_RESTED_ON: &[(&str, &str)] = &[
    (
        "check-device-token-is-not-flooded",
        "how many are too many is not published, and a flood is no question to ask of a service",
    ),
    ("host-broadcast", CHANNELS),
    ("host-broadcast-sandbox", CHANNELS),
    ("host-channels", CHANNELS),
    ("host-channels-sandbox", CHANNELS),
    ("host-feedback", BINARY),
    ("host-feedback-sandbox", BINARY),
    ("host-gateway", BINARY),
    ("host-gateway-sandbox", BINARY),
    ("limit-storage-time", STORAGE),
    ("reason-bad-channel-id", CHANNELS),
    (
        "reason-bad-environment-key-id-in-token",
        "the page's spelling; what was seen on the wire is the other, BadEnvironmentKeyInToken, which has a case",
    ),
    ("reason-bad-request-params", CHANNELS),
    ("reason-bad-request-payload", CHANNELS),
    ("reason-cannot-create-channel-config", CHANNELS),
    ("reason-channel-not-registered", CHANNELS),
    ("reason-feature-not-enabled", CHANNELS),
    ("reason-missing-channel-id", CHANNELS),
    ("reason-missing-channel-queue-size", CHANNELS),
    ("reason-missing-push-type", CHANNELS),
    ("reason-topic-mismatch", CHANNELS),
    ("rule-storage-30-days", STORAGE),
    ("rule-storage-delivered-first", STORAGE),
    ("rule-storage-expiration-0", STORAGE),
    ("rule-storage-expired", STORAGE),
    ("rule-storage-no-expiration", STORAGE),
    ("rule-storage-offline", STORAGE),
    ("rule-storage-one-slot", STORAGE),
    ("rule-storage-order", STORAGE),
    ("rule-storage-power", STORAGE),
];

const CHANNELS: &str = "broadcasts and channel management have no cases yet: the double has neither";
const BINARY: &str = "another protocol than HTTP/2, and off since 2021-03-31";
const STORAGE: &str = "it shows on a device, and a provider's connection shows nothing of it: the tests of mock-apns-core hold the double to it";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::server_cases;

    #[test]
    fn every_row_about_the_service_is_rested_on_or_listed_with_why_not() {
        let spec = apns_spec::Spec::load().unwrap();
        let cases = server_cases(&spec);
        let mut rested_on: BTreeSet<&str> =
            cases.iter().flat_map(|case| case.rows.iter().map(String::as_str)).collect();
        for (row, why) in NOT_RESTED_ON {
            assert!(rested_on.insert(row), "{row} is rested on, although {why}");
        }
        let of_providers = |id: &str| spec.provider_items().iter().any(|item| item.id == id);
        let rows: BTreeSet<&str> = spec.rows().map(|row| row.id).filter(|id| !of_providers(id)).collect();
        assert_eq!(rested_on.difference(&rows).collect::<Vec<_>>(), [&""; 0], "no such rows");
        assert_eq!(rows.difference(&rested_on).collect::<Vec<_>>(), [&""; 0], "no case, and no reason");
    }
}
