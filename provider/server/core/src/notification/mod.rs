//! A notification as it is handed in: what it says, whom it is for, when, and how urgent it is.

mod request;

use apns_provider_core::{AmbiguousPushes, UnixTime};
use serde::{Deserialize, Serialize};

pub use request::{BATCH_MAX, BatchRequest, CampaignRequest, NotificationRequest};

use crate::{
    audience::Audience,
    ids::Label,
    lanes::{Lane, Pace},
    message::Message,
    schedule::Schedule,
};

/// A notification that can be planned, once its message is composed.
#[derive(Clone, Debug, PartialEq)]
pub struct Intake {
    /// What it says.
    pub message: Message,
    /// Whom it is for.
    pub audience: Audience,
    /// When it is sent.
    pub schedule: Schedule,
    /// How urgent it is.
    pub lane: Lane,
    /// What becomes of a push of which nobody knows whether APNs took it.
    pub delivery: Delivery,
    /// What it is besides, if it is a campaign.
    pub campaign: Option<Campaign>,
    /// When it was handed in.
    pub handed_in: UnixTime,
}

/// What a campaign is besides a notification.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Campaign {
    /// What people call it.
    pub label: Option<Label>,
    /// How fast it goes, if not as fast as can be.
    pub pace: Option<Pace>,
}

/// What becomes of a push of which nobody knows whether APNs took it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// It is sent again: a device may get it twice, both times under the same apns-id.
    #[default]
    AtLeastOnce,
    /// It is not sent again: a device may never get it.
    AtMostOnce,
}

impl Delivery {
    /// What the engine is told.
    pub const fn ambiguous_pushes(self) -> AmbiguousPushes {
        match self {
            Self::AtLeastOnce => AmbiguousPushes::SendAgain,
            Self::AtMostOnce => AmbiguousPushes::Report,
        }
    }

    /// The number it is stored by, which does not change.
    pub const fn number(self) -> u8 {
        match self {
            Self::AtLeastOnce => 1,
            Self::AtMostOnce => 2,
        }
    }

    /// The delivery with this number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::AtMostOnce),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
