use serde::Deserialize;

/// How well a row is known.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// Apple says so.
    Documented,
    /// Others saw it on the real service.
    Observed,
    /// Somebody believes it: inferred, or told once.
    Unsure,
}
