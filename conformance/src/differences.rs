//! What is known of a target and meant: it does not conform, and that is no news.

use std::collections::BTreeMap;

use serde::Deserialize;
use thiserror::Error;

/// The cases in which a target is known to differ, and why that is meant.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Differences(BTreeMap<String, String>);

/// Why a list of differences cannot be used.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum DifferencesError {
    /// It is not `[[difference]]` tables of `case` and `reason`.
    #[error("not a list of [[difference]] tables with `case` and `reason`: {0}")]
    Form(String),
    /// Nobody says why.
    #[error("{0}: `reason` is empty: say why the difference is meant")]
    Reason(String),
    /// It is there twice.
    #[error("{0} is listed twice")]
    Repeated(String),
    /// There is no such case.
    #[error("{0} is no case; `apns-conformance list` has all of them")]
    Unknown(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    difference: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    case: String,
    reason: String,
}

impl Differences {
    /// Reads a list: TOML. `is_case` says whether there is a case of that id.
    pub fn parse(text: &str, is_case: impl Fn(&str) -> bool) -> Result<Self, DifferencesError> {
        let file: File =
            toml::from_str(text).map_err(|error| DifferencesError::Form(error.message().to_owned()))?;
        let mut all = BTreeMap::new();
        for Row { case, reason } in file.difference {
            if !is_case(&case) {
                return Err(DifferencesError::Unknown(case));
            }
            if reason.trim().is_empty() {
                return Err(DifferencesError::Reason(case));
            }
            if all.insert(case.clone(), reason).is_some() {
                return Err(DifferencesError::Repeated(case));
            }
        }
        Ok(Self(all))
    }

    /// Why a case is known to differ, if it is.
    pub fn reason(&self, case: &str) -> Option<&str> {
        self.0.get(case).map(String::as_str)
    }

    #[cfg(test)]
    pub(crate) fn of(rows: &[(&str, &str)]) -> Self {
        Self(rows.iter().map(|(case, reason)| ((*case).to_owned(), (*reason).to_owned())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Differences, DifferencesError> {
        Differences::parse(text, |case| case == "a-case")
    }

    #[test]
    fn a_difference_has_a_case_and_a_reason() {
        assert_eq!(parse(""), Ok(Differences::default()));
        let row = "[[difference]]\ncase = \"a-case\"\nreason = \"it is so\"\n";
        assert_eq!(parse(row).unwrap().reason("a-case"), Some("it is so"));
        assert_eq!(parse(&row.repeat(2)), Err(DifferencesError::Repeated("a-case".into())));
        assert_eq!(parse(&row.replace("it is so", " ")), Err(DifferencesError::Reason("a-case".into())));
        assert_eq!(parse(&row.replace("a-case", "b")), Err(DifferencesError::Unknown("b".into())));
        let error = parse(&row.replace("reason", "because")).unwrap_err().to_string();
        assert!(error.contains("unknown field `because`"), "{error}");
    }
}
