//! A notification as its sender writes it.

use apns_provider_core::UnixTime;
use serde::{Deserialize, Serialize};

use super::{Campaign, Delivery, Intake};
use crate::{
    audience::AudienceRequest,
    ids::Label,
    lanes::{Lane, Pace},
    message::MessageRequest,
    problem::{Field, FieldErrors, Problem},
    schedule::ScheduleRequest,
};

/// Notifications handed in at once: as many as one transaction of the store likes to take.
pub const BATCH_MAX: usize = 1000;

/// A notification: the body of `POST …/notifications`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NotificationRequest {
    /// What it says.
    pub message: MessageRequest,
    /// Whom it is for.
    pub audience: AudienceRequest,
    /// When it is sent; left out, at once.
    #[serde(default)]
    pub schedule: ScheduleRequest,
    /// How urgent it is: urgent, normal or campaign; left out, normal.
    #[serde(default)]
    pub lane: Option<Lane>,
    /// What becomes of a push of which nobody knows whether APNs took it; left out, it is sent again.
    #[serde(default)]
    pub delivery: Delivery,
    /// What it is besides, if it is a campaign; then it goes in that lane.
    #[serde(default)]
    pub campaign: Option<CampaignRequest>,
}

/// What a campaign is besides a notification.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct CampaignRequest {
    /// What people call it.
    pub label: Option<String>,
    /// How many pushes a second it may send; left out, as many as can be.
    pub pace: Option<u32>,
}

/// Several notifications at once: the body of `POST …/notifications/batch`. All are taken, or none is.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BatchRequest {
    /// Up to 1,000.
    pub notifications: Vec<NotificationRequest>,
}

impl NotificationRequest {
    /// Checks everything that can be told without the app and its templates.
    pub fn check(self, now: UnixTime) -> Result<Intake, Problem> {
        let mut errors = FieldErrors::default();
        let intake = self.check_at(Field::ROOT, now, &mut errors);
        errors.finish(intake)
    }

    fn check_at(self, at: Field<'_>, now: UnixTime, errors: &mut FieldErrors) -> Option<Intake> {
        let schedule = self.schedule.check(at.key("schedule"), now, errors);
        // An expiration that passes before the start is told where it stands, even if the start is wrong.
        let start = schedule.as_ref().map_or(now, |schedule| schedule.earliest(now));
        let message = self.message.check(at.key("message"), start, errors);
        let audience = self.audience.check(at.key("audience"), errors);
        let lane = check_lane(at, self.lane, self.campaign.is_some(), errors);
        let campaign = match self.campaign {
            Some(campaign) => campaign.check(at.key("campaign"), errors).map(Some),
            None => Some((lane == Some(Lane::Campaign)).then(Campaign::default)),
        };
        Some(Intake {
            message: message?,
            audience: audience?,
            schedule: schedule?,
            lane: lane?,
            delivery: self.delivery,
            campaign: campaign?,
            handed_in: now,
        })
    }
}

impl BatchRequest {
    /// Checks each of them; what is wrong is told with which it is, such as `notifications[3].audience`.
    pub fn check(self, now: UnixTime) -> Result<Vec<Intake>, Problem> {
        let at = Field::new("notifications");
        let mut errors = FieldErrors::default();
        let count = self.notifications.len();
        if count == 0 || count > BATCH_MAX {
            errors.refuse(at, format_args!("there are {count}; give 1 to {BATCH_MAX}"));
            return errors.finish(None);
        }
        let checked: Vec<_> = self
            .notifications
            .into_iter()
            .enumerate()
            .map(|(index, notification)| notification.check_at(at.at(index), now, &mut errors))
            .collect();
        errors.finish(checked.into_iter().collect())
    }
}

impl CampaignRequest {
    fn check(self, at: Field<'_>, errors: &mut FieldErrors) -> Option<Campaign> {
        let label = errors.keep_optional(at.key("label"), self.label, Label::try_from);
        let pace = errors.keep_optional(at.key("pace"), self.pace, Pace::new);
        Some(Campaign { label: label?, pace: pace? })
    }
}

fn check_lane(
    at: Field<'_>,
    lane: Option<Lane>,
    is_campaign: bool,
    errors: &mut FieldErrors,
) -> Option<Lane> {
    match (lane, is_campaign) {
        (Some(Lane::Urgent | Lane::Normal), true) => {
            errors.refuse(at.key("lane"), "a campaign goes in the lane campaign; leave it out");
            None
        }
        (None, true) => Some(Lane::Campaign),
        (lane, _) => Some(lane.unwrap_or_default()),
    }
}
