use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Which of Apple's two services issued a device token. It never works with the other one.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Environment {
    /// For what comes from the App Store or `TestFlight`.
    Production,
    /// For what comes from Xcode.
    Sandbox,
}

impl Environment {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Production, Self::Sandbox];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Sandbox => "sandbox",
        }
    }

    /// The number it is stored by, which does not change.
    pub const fn number(self) -> u8 {
        match self {
            Self::Production => 1,
            Self::Sandbox => 2,
        }
    }

    /// The environment with this number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Production),
            2 => Some(Self::Sandbox),
            _ => None,
        }
    }

    /// The environment with this name.
    pub fn parse(text: &str) -> Result<Self, UnknownEnvironment> {
        Self::ALL.into_iter().find(|environment| environment.as_str() == text).ok_or(UnknownEnvironment)
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is no environment.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("it is no environment; write production or sandbox")]
pub struct UnknownEnvironment;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_are_found_by_number_and_name() {
        for environment in Environment::ALL {
            assert_eq!(Environment::from_number(environment.number()), Some(environment));
            assert_eq!(Environment::parse(environment.as_str()), Ok(environment));
        }
        assert_eq!(Environment::parse("development"), Err(UnknownEnvironment));
        assert_eq!(Environment::from_number(0), None);
    }
}
