//! The kinds of provider certificate that Apple issues, as a table.

use crate::Environment;

/// A kind of provider certificate, by the service it was ordered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderCertificateKind {
    /// "Apple Development IOS Push Services".
    Development,
    /// "Apple Production IOS Push Services".
    Production,
    /// "Apple Development Mac Push Services".
    MacDevelopment,
    /// "Apple Production Mac Push Services".
    MacProduction,
    /// "Apple Push Services": both environments, the app and its VoIP and complication topics; issued since
    /// 2015-12-17.
    Universal,
    /// "VoIP Services".
    Voip,
    /// "WatchKit Services": complications.
    WatchKit,
    /// "Website Push ID": Safari notifications.
    WebsitePush,
    /// "Pass Type ID": Wallet passes.
    PassType,
    /// "APSP": mobile device management.
    Mdm,
}

impl ProviderCertificateKind {
    /// Every kind, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        KINDS.iter().map(|row| row.kind)
    }

    /// A short name for command lines, such as `mac-development`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// What stands before the identifier in the certificate's common name.
    pub fn common_name_prefix(self) -> &'static str {
        self.row().common_name_prefix
    }

    /// The environments that the certificate is good for.
    pub fn environments(self) -> &'static [Environment] {
        self.row().environments
    }

    /// What the identifier that was ordered gets appended to become the default topic.
    pub(crate) fn topic_suffix(self) -> &'static str {
        self.row().topic_suffix
    }

    fn row(self) -> &'static Row {
        KINDS.iter().find(|row| row.kind == self).expect("a test sees that every kind has a row")
    }
}

struct Row {
    kind: ProviderCertificateKind,
    name: &'static str,
    common_name_prefix: &'static str,
    environments: &'static [Environment],
    topic_suffix: &'static str,
}

const DEVELOPMENT: &[Environment] = &[Environment::Development];
const PRODUCTION: &[Environment] = &[Environment::Production];
const BOTH: &[Environment] = &[Environment::Development, Environment::Production];

/// Common names: observed by NWPusher (`NWSecTools.m`). Environments: Apple "Communicating with APNs" for the
/// first five; a real Pass Type ID certificate carries production only; those of websites and MDM have never
/// been offered for development. The VoIP suffix: apns_tools; that WatchKit's follows it is our reading.
const KINDS: &[Row] = &[
    row(
        ProviderCertificateKind::Development,
        "development",
        "Apple Development IOS Push Services: ",
        DEVELOPMENT,
        "",
    ),
    row(
        ProviderCertificateKind::Production,
        "production",
        "Apple Production IOS Push Services: ",
        PRODUCTION,
        "",
    ),
    row(
        ProviderCertificateKind::MacDevelopment,
        "mac-development",
        "Apple Development Mac Push Services: ",
        DEVELOPMENT,
        "",
    ),
    row(
        ProviderCertificateKind::MacProduction,
        "mac-production",
        "Apple Production Mac Push Services: ",
        PRODUCTION,
        "",
    ),
    row(ProviderCertificateKind::Universal, "universal", "Apple Push Services: ", BOTH, ""),
    row(ProviderCertificateKind::Voip, "voip", "VoIP Services: ", BOTH, ".voip"),
    row(ProviderCertificateKind::WatchKit, "watchkit", "WatchKit Services: ", BOTH, ".complication"),
    row(ProviderCertificateKind::WebsitePush, "website-push", "Website Push ID: ", PRODUCTION, ""),
    row(ProviderCertificateKind::PassType, "pass-type", "Pass Type ID: ", PRODUCTION, ""),
    row(ProviderCertificateKind::Mdm, "mdm", "APSP:", PRODUCTION, ""),
];

const fn row(
    kind: ProviderCertificateKind,
    name: &'static str,
    common_name_prefix: &'static str,
    environments: &'static [Environment],
    topic_suffix: &'static str,
) -> Row {
    Row { kind, name, common_name_prefix, environments, topic_suffix }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ProviderCertificateKind as K;

    #[test]
    fn every_kind_has_one_row_and_a_name_of_its_own() {
        // A new variant fails to compile here until it is counted, and fails below until it has a row.
        let rows = match K::Universal {
            K::Development
            | K::Production
            | K::MacDevelopment
            | K::MacProduction
            | K::Universal
            | K::Voip
            | K::WatchKit
            | K::WebsitePush
            | K::PassType
            | K::Mdm => 10,
        };
        assert_eq!(K::all().count(), rows);
        for (index, row) in KINDS.iter().enumerate() {
            assert!(KINDS[index + 1..].iter().all(|other| other.kind != row.kind && other.name != row.name));
            assert!(!row.environments.is_empty());
        }
    }
}
