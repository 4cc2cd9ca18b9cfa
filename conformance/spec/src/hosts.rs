use serde::Deserialize;

use crate::{
    Certainty, Flaw,
    table::{Row, columns},
};

/// A row of `hosts.toml`: a host name of Apple's and what a provider means by it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct HostRow {
    /// `host-` and what is behind it.
    pub id: String,
    /// The DNS name, in lower case.
    pub host: String,
    /// Which environment answers there.
    pub environment: Environment,
    /// How well this is known.
    pub certainty: Certainty,
    /// Who says so.
    pub source: String,
    /// What else is worth knowing.
    pub note: Option<String>,
}

/// Which of the two services a host belongs to.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "kebab-case")]
pub enum Environment {
    /// For development-signed builds.
    Sandbox,
    /// For all others.
    Production,
}

impl Row for HostRow {
    const KIND: &'static str = "host";
    const NAME_COLUMN: &'static str = "host";

    columns!(host);

    fn check(&self) -> Result<(), Flaw> {
        if !self.host.ends_with(".push.apple.com") || self.host != self.host.to_ascii_lowercase() {
            let value = self.host.clone();
            return Err(Flaw::Value {
                column: "host",
                expected: "below push.apple.com, in lower case",
                value,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_apples_and_in_lower_case() {
        let row = crate::Spec::load().unwrap().hosts()[0].clone();
        for host in ["api.push.apple.org", "API.push.apple.com", ""] {
            let row = HostRow { host: host.into(), ..row.clone() };
            assert!(matches!(row.check(), Err(Flaw::Value { column: "host", .. })), "{host}");
        }
    }
}
