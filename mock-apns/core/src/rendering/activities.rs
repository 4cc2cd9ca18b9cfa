//! The Live Activities on a screen.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;
use serde_json::Number;

use super::{Dropped, LiveActivity, LiveActivityEvent, as_json, live_activity::seconds};
use crate::{BundleId, Timestamp};

/// A Live Activity in its latest state.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Activity {
    /// The app that it belongs to.
    #[serde(serialize_with = "as_json::bundle_id")]
    pub bundle_id: BundleId,
    /// When that state arrived; in milliseconds since 1970 where it is serialised.
    #[serde(rename = "at-ms", serialize_with = "as_json::millis")]
    pub at: Timestamp,
    /// The latest push, with what it left as it was.
    pub state: LiveActivity,
    /// When it leaves the screen, if it has ended; in milliseconds since 1970 where it is serialised.
    #[serde(
        rename = "gone-at-ms",
        skip_serializing_if = "Option::is_none",
        serialize_with = "as_json::optional_millis"
    )]
    pub gone_at: Option<Timestamp>,
}

impl Activity {
    /// Whether it has ended, and takes no more updates.
    pub const fn has_ended(&self) -> bool {
        self.gone_at.is_some()
    }

    /// Whether it can be seen at this time: an ended one stays for a while.
    pub fn is_visible(&self, now: Timestamp) -> bool {
        self.gone_at.is_none_or(|gone_at| now < gone_at)
    }
}

/// A device's Live Activities, by app and identifier.
#[derive(Clone, Debug, Default)]
pub(super) struct Activities {
    activities: BTreeMap<(BundleId, u32), Activity>,
    /// The largest identifier that was ever seen.
    last: u32,
}

impl Activities {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Activity> {
        self.activities.values()
    }

    pub(super) fn reserve(&mut self, activity: u32) {
        self.last = self.last.max(activity);
    }

    /// Takes in a push: the one that starts an activity gets an identifier, others get what they leave as it was.
    pub(super) fn arrive(
        &mut self,
        at: Timestamp,
        bundle_id: &BundleId,
        push: &mut LiveActivity,
    ) -> Result<(), Dropped> {
        let id = push.activity.unwrap_or_else(|| self.last.saturating_add(1));
        self.reserve(id);
        push.activity = Some(id);
        let key = (bundle_id.clone(), id);
        if let Some(known) = self.activities.get(&key).filter(|_| push.event != LiveActivityEvent::Start) {
            if known.has_ended() {
                return Err(Dropped::ActivityEnded);
            }
            if push.is_older_than(&known.state) {
                return Err(Dropped::OlderTimestamp);
            }
            keep_what_stays(push, &known.state);
        }
        let gone_at =
            (push.event == LiveActivityEvent::End).then(|| gone_at(at, push.dismissal_date.as_ref()));
        let activity = Activity { bundle_id: bundle_id.clone(), at, state: push.clone(), gone_at };
        self.activities.insert(key, activity);
        self.forget_beyond_max();
        Ok(())
    }

    /// Forgets one of too many: one that has ended rather than one that runs, and then the oldest.
    fn forget_beyond_max(&mut self) {
        if self.activities.len() <= ACTIVITIES_MAX {
            return;
        }
        let first = self.activities.iter().min_by_key(|(_, it)| (!it.has_ended(), it.at));
        if let Some(key) = first.map(|(key, _)| key.clone()) {
            self.activities.remove(&key);
        }
    }
}

/// Attributes never change, and the end may leave the last state.
fn keep_what_stays(push: &mut LiveActivity, known: &LiveActivity) {
    push.attributes_type.clone_from(&known.attributes_type);
    push.attributes.clone_from(&known.attributes);
    if push.content_state.is_none() {
        push.content_state.clone_from(&known.content_state);
    }
}

/// When an activity that ends now leaves the screen: at once if its dismissal date has passed.
fn gone_at(now: Timestamp, dismissal_date: Option<&Number>) -> Timestamp {
    let latest = now.saturating_add(Duration::from_millis(ACTIVITY_STAYS_MS_MAX));
    #[expect(
        clippy::cast_sign_loss,
        reason = "the conversion stops at both ends, and a date before 1970 has passed"
    )]
    let dismissed = dismissal_date.map(|date| Timestamp::from_millis((seconds(date) * 1000.0) as u64));
    dismissed.map_or(latest, |dismissed| dismissed.clamp(now, latest))
}

/// How long an ended Live Activity stays on the screen at most, and without a dismissal date, in milliseconds.
/// Source: Apple, "Starting and updating Live Activities with ActivityKit push notifications": up to four hours.
pub const ACTIVITY_STAYS_MS_MAX: u64 = 4 * 60 * 60 * 1000;

/// Most Live Activities that a device's screen keeps. iOS runs a handful for each app; it does not publish how many.
pub const ACTIVITIES_MAX: usize = 64;
