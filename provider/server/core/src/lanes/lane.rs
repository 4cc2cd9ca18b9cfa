use std::fmt;

use serde::{Deserialize, Serialize};

/// How urgent a notification is to whoever sends it. A higher lane goes first, and room is kept free for it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Lane {
    /// Somebody waits for it: a code to sign in with, a call.
    Urgent,
    /// Something has happened that is about somebody.
    #[default]
    Normal,
    /// Many are told something. It has progress and a pace, and can be paused.
    Campaign,
}

impl Lane {
    /// All, the most urgent first.
    pub const ALL: [Self; 3] = [Self::Urgent, Self::Normal, Self::Campaign];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::Normal => "normal",
            Self::Campaign => "campaign",
        }
    }

    /// The number it is stored by, which does not change: the most urgent has the least.
    pub const fn number(self) -> u8 {
        match self {
            Self::Urgent => 1,
            Self::Normal => 2,
            Self::Campaign => 3,
        }
    }

    /// The lane with this number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Urgent),
            2 => Some(Self::Normal),
            3 => Some(Self::Campaign),
            _ => None,
        }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lane_is_found_by_its_number() {
        for lane in Lane::ALL {
            assert_eq!(Lane::from_number(lane.number()), Some(lane));
        }
        assert_eq!(Lane::from_number(0), None);
        assert!(Lane::Urgent < Lane::Normal && Lane::Normal < Lane::Campaign);
    }
}
