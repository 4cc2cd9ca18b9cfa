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
    /// The identifier before the one that the next activity to start gets: as a rule the largest ever seen.
    last: u32,
}

impl Activities {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Activity> {
        self.activities.values()
    }

    pub(super) fn next_is(&mut self, activity: u32) {
        self.last = activity.saturating_sub(1);
    }

    /// Takes in a push: the one that starts an activity gets an identifier, others get what they leave as it was.
    pub(super) fn arrive(
        &mut self,
        at: Timestamp,
        bundle_id: &BundleId,
        push: &mut LiveActivity,
    ) -> Result<(), Dropped> {
        let id = push.activity.unwrap_or_else(|| self.last.saturating_add(1));
        self.last = self.last.max(id);
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rendering::{Screen, Shown, sent::Sent};

    #[test]
    fn the_newest_timestamp_wins_whatever_arrives_last() {
        let mut screen = Screen::default();
        push(&mut screen, 1, &update(100, 1)).unwrap();
        push(&mut screen, 2, &update(300, 3)).unwrap();
        assert_eq!(push(&mut screen, 3, &update(200, 2)), Err(Dropped::OlderTimestamp));
        assert_eq!(score(&screen), json!(3));
        push(&mut screen, 4, &update(300, 4)).unwrap();
        assert_eq!(score(&screen), json!(4), "an equal timestamp is not older");
        let fraction = json!({ "event": "update", "timestamp": 299.9, "content-state": {} });
        assert_eq!(push(&mut screen, 5, &fraction), Err(Dropped::OlderTimestamp));
    }

    #[test]
    fn a_started_activity_gets_an_identifier_of_its_own() {
        let mut screen = Screen::default();
        push(&mut screen, 1, &update(100, 1)).unwrap();
        for expected in [8, 9] {
            let Shown::LiveActivity(started) = start(&mut screen, 2) else { panic!("it did not start") };
            assert_eq!(started.activity, Some(expected));
        }
        let ids: Vec<_> = screen.activities().map(|it| it.state.activity.unwrap()).collect();
        assert_eq!(ids, [7, 8, 9]);
    }

    #[test]
    fn an_update_keeps_the_attributes_of_the_start() {
        let mut screen = Screen::default();
        start(&mut screen, 1);
        let sent = Sent::activity(Some(1), &update(200, 5));
        screen.arrive(Timestamp::from_secs(2), &app(), &sent.arrival());
        let state = &screen.activities().next().unwrap().state;
        assert_eq!(state.attributes_type.as_deref(), Some("Match"));
        assert_eq!(state.attributes, Some(json!({ "team": "A" })));
        assert_eq!(state.content_state, Some(json!({ "score": 5 })));
    }

    #[test]
    fn an_end_without_state_keeps_the_last_and_takes_no_more_updates() {
        let mut screen = Screen::default();
        push(&mut screen, 1, &update(100, 1)).unwrap();
        push(&mut screen, 2, &json!({ "event": "end", "timestamp": 200 })).unwrap();
        assert_eq!(push(&mut screen, 3, &update(300, 3)), Err(Dropped::ActivityEnded));
        assert_eq!(score(&screen), json!(1));
        assert!(screen.activities().next().unwrap().has_ended());
    }

    #[test]
    fn an_ended_activity_stays_four_hours_unless_it_is_dismissed_sooner() {
        const FOUR_HOURS: u64 = 4 * 60 * 60;
        for (dismissal_date, gone_at) in [
            (json!(null), 1000 + FOUR_HOURS),
            (json!(1060), 1060),
            (json!(0), 1000),
            (json!(-1), 1000),
            (json!(1e300), 1000 + FOUR_HOURS),
        ] {
            let mut screen = Screen::default();
            let end = json!({ "event": "end", "timestamp": 200, "dismissal-date": dismissal_date });
            push(&mut screen, 1000, &end).unwrap();
            let activity = screen.activities().next().unwrap();
            assert_eq!(activity.gone_at, Some(Timestamp::from_secs(gone_at)), "{dismissal_date}");
            assert!(!activity.is_visible(Timestamp::from_secs(gone_at)));
            assert!(activity.is_visible(Timestamp::from_secs(gone_at - 1)));
        }
    }

    #[test]
    fn a_running_activity_is_visible_and_has_not_ended() {
        let mut screen = Screen::default();
        push(&mut screen, 1, &update(100, 1)).unwrap();
        let activity = screen.activities().next().unwrap();
        assert!(!activity.has_ended() && activity.is_visible(Timestamp::from_millis(u64::MAX)));
    }

    #[test]
    fn of_too_many_the_ended_one_is_forgotten_first_and_then_the_oldest() {
        let mut screen = Screen::default();
        for _ in 0..ACTIVITIES_MAX {
            start(&mut screen, 10);
        }
        let end = Sent::activity(Some(5), &json!({ "event": "end", "timestamp": 900 }));
        screen.arrive(Timestamp::from_secs(20), &app(), &end.arrival());
        let ids =
            |screen: &Screen| screen.activities().map(|it| it.state.activity.unwrap()).collect::<Vec<_>>();
        start(&mut screen, 30);
        assert_eq!(ids(&screen)[..6], [1, 2, 3, 4, 6, 7]);
        start(&mut screen, 40);
        assert_eq!(ids(&screen)[..5], [2, 3, 4, 6, 7]);
        assert_eq!(screen.activities().count(), ACTIVITIES_MAX);
    }

    #[test]
    fn an_activity_serialises_with_its_app_and_its_times() {
        let mut screen = Screen::default();
        push(&mut screen, 1, &json!({ "event": "end", "timestamp": 9, "dismissal-date": 2 })).unwrap();
        let state = json!({
            "activity": 7, "event": "end", "timestamp": 9, "dismissal-date": 2
        });
        let expected =
            json!({ "bundle-id": "com.example.app", "at-ms": 1000, "state": state, "gone-at-ms": 2000 });
        assert_eq!(serde_json::to_value(screen.activities().next().unwrap()).unwrap(), expected);
    }

    /// Sends to activity 7.
    fn push(screen: &mut Screen, at_secs: u64, aps: &Value) -> Result<(), Dropped> {
        let sent = Sent::activity(Some(7), aps);
        match screen.arrive(Timestamp::from_secs(at_secs), &app(), &sent.arrival()).shown {
            Shown::Nothing { why } => Err(why),
            _ => Ok(()),
        }
    }

    fn start(screen: &mut Screen, at_secs: u64) -> Shown {
        let sent = Sent::activity(
            None,
            &json!({
                "event": "start", "timestamp": 100, "content-state": { "score": 0 }, "attributes-type": "Match",
                "attributes": { "team": "A" }, "alert": { "title": "Kick-off", "body": "A plays" },
            }),
        );
        screen.arrive(Timestamp::from_secs(at_secs), &app(), &sent.arrival()).shown
    }

    fn update(timestamp: u64, score: u64) -> Value {
        json!({ "event": "update", "timestamp": timestamp, "content-state": { "score": score } })
    }

    fn score(screen: &Screen) -> Value {
        screen.activities().next().unwrap().state.content_state.clone().unwrap()["score"].clone()
    }

    fn app() -> BundleId {
        BundleId::parse("com.example.app").unwrap()
    }
}
