use serde::Deserialize;

use crate::{
    Certainty, Flaw,
    table::{Row, columns},
};

/// A row of `settings.toml`: a parameter of the SETTINGS that APNs sends.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct SettingRow {
    /// `setting-` and what it sets.
    pub id: String,
    /// The parameter's name in RFC 9113, 6.5.2.
    pub setting: String,
    /// Its value.
    pub value: u32,
    /// When it is sent.
    pub sent: Sent,
    /// How well this is known.
    pub certainty: Certainty,
    /// Who says so.
    pub source: String,
    /// What else is worth knowing.
    pub note: Option<String>,
}

/// When a parameter is sent.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "kebab-case")]
pub enum Sent {
    /// In the first SETTINGS of every connection.
    First,
    /// In the first SETTINGS of a connection without a certificate.
    FirstWithToken,
    /// In the first SETTINGS of a connection with one.
    FirstWithCertificate,
    /// Before the answer to the first valid provider token.
    AfterToken,
}

impl SettingRow {
    /// The parameter's identifier (RFC 9113, 6.5.2).
    pub fn identifier(&self) -> u16 {
        let at = NAMES.iter().position(|name| *name == self.setting);
        at.map_or(0, |at| at as u16 + 1) // 0 is none, and a row with another name is not read
    }
}

impl Row for SettingRow {
    const KIND: &'static str = "setting";
    /// One parameter is sent with several values.
    const NAME_COLUMN: &'static str = "id";

    columns!(id);

    fn check(&self) -> Result<(), Flaw> {
        if self.identifier() == 0 {
            let value = self.setting.clone();
            return Err(Flaw::Value { column: "setting", expected: "a name of RFC 9113, 6.5.2", value });
        }
        Ok(())
    }
}

/// The parameters, in the order of their identifiers, from 1.
const NAMES: [&str; 6] = [
    "SETTINGS_HEADER_TABLE_SIZE",
    "SETTINGS_ENABLE_PUSH",
    "SETTINGS_MAX_CONCURRENT_STREAMS",
    "SETTINGS_INITIAL_WINDOW_SIZE",
    "SETTINGS_MAX_FRAME_SIZE",
    "SETTINGS_MAX_HEADER_LIST_SIZE",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_one_of_the_rfcs() {
        let spec = crate::Spec::load().unwrap();
        let ids: Vec<u16> = spec.settings().iter().map(SettingRow::identifier).collect();
        assert_eq!(ids, [1, 3, 3, 3, 4, 5, 6]);
        let row = SettingRow { setting: "MAX_STREAMS".into(), ..spec.settings()[0].clone() };
        assert!(matches!(row.check(), Err(Flaw::Value { column: "setting", .. })));
    }
}
