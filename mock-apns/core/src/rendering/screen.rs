//! The device's screen: everything that has arrived, in the order of its arrival.

use std::collections::{BTreeMap, VecDeque};

use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::{Activity, Arrival, Banner, Rendering, Shown, activities::Activities, as_json, render};
use crate::{BundleId, Timestamp};

/// What a device shows: notifications, badges, Live Activities.
///
/// ```
/// use mock_apns_core::{
///     BundleId, PushType, Timestamp, TokenKind,
///     rendering::{Arrival, Screen, Strings},
/// };
///
/// let mut screen = Screen::default();
/// let (app, strings) = (BundleId::parse("com.example.app").unwrap(), Strings::default());
/// for (second, payload) in [(1, r#"{"aps":{"alert":"1 : 0"}}"#), (2, r#"{"aps":{"alert":"1 : 1","badge":2}}"#)] {
///     let arrival = Arrival {
///         kind: TokenKind::App,
///         push_type: Some(PushType::Alert),
///         priority: None,
///         collapse_id: Some(b"score"),
///         payload: payload.as_bytes(),
///         permission: true,
///         strings: &strings,
///         activity: None,
///     };
///     screen.arrive(Timestamp::from_secs(second), &app, &arrival);
/// }
/// let shown: Vec<_> = screen.notifications().map(|it| it.banner.body.as_deref()).collect();
/// assert_eq!(shown, [Some("1 : 1")]);
/// assert_eq!(screen.badge(&app), Some(2));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Screen {
    /// Oldest first.
    notifications: VecDeque<ShownNotification>,
    /// Of each app that has a badge.
    badges: BTreeMap<BundleId, u32>,
    activities: Activities,
}

impl Screen {
    /// Takes in a push for an app, and tells what became of it: as [`render`] does, but a Live Activity's push may
    /// also turn out too old or too late, and one that starts gets an identifier.
    pub fn arrive(&mut self, at: Timestamp, bundle_id: &BundleId, arrival: &Arrival<'_>) -> Rendering {
        let mut rendering = render(arrival);
        match &mut rendering.shown {
            Shown::Banner(banner) => {
                self.set_badge(bundle_id, banner.badge);
                self.notify(at, bundle_id, arrival.collapse_id, banner);
            }
            Shown::BadgeOrSound { badge, .. } => self.set_badge(bundle_id, *badge),
            Shown::LiveActivity(live_activity) => {
                if let Err(why) = self.activities.arrive(at, bundle_id, live_activity) {
                    rendering.shown = Shown::Nothing { why };
                }
            }
            _ => {}
        }
        rendering
    }

    /// Says which identifier the next Live Activity gets that a push starts, where somebody else has chosen it.
    pub fn next_activity_is(&mut self, activity: u32) {
        self.activities.next_is(activity);
    }

    /// The notifications, newest first, as iOS lists them.
    pub fn notifications(&self) -> impl DoubleEndedIterator<Item = &ShownNotification> + ExactSizeIterator {
        self.notifications.iter().rev()
    }

    /// The notifications in their groups: those of one app with one `thread-id`, or with none, are a group. The one
    /// with the newest notification comes first.
    pub fn threads(&self) -> Vec<Thread<'_>> {
        let mut threads: Vec<Thread<'_>> = Vec::new();
        for notification in self.notifications() {
            let bundle_id = &notification.bundle_id;
            let thread_id = notification.banner.thread_id.as_deref();
            match threads.iter_mut().find(|it| it.bundle_id == *bundle_id && it.thread_id == thread_id) {
                Some(thread) => thread.notifications.push(notification),
                None => threads.push(Thread {
                    bundle_id: bundle_id.clone(),
                    thread_id,
                    notifications: vec![notification],
                }),
            }
        }
        threads
    }

    /// The number on the app's icon, if there is one.
    pub fn badge(&self, bundle_id: &BundleId) -> Option<u32> {
        self.badges.get(bundle_id).copied()
    }

    /// The Live Activities in their latest states, ended ones among them, by app and identifier.
    pub fn activities(&self) -> impl Iterator<Item = &Activity> {
        self.activities.iter()
    }

    fn set_badge(&mut self, bundle_id: &BundleId, badge: Option<u32>) {
        match badge {
            None => {}
            Some(0) => {
                self.badges.remove(bundle_id);
            }
            Some(badge) => {
                self.badges.insert(bundle_id.clone(), badge);
            }
        }
    }

    /// Lists a notification, in the place of one with the same collapse identifier. An empty one says nothing.
    fn notify(&mut self, at: Timestamp, bundle_id: &BundleId, collapse_id: Option<&[u8]>, banner: &Banner) {
        let collapse_id = collapse_id.filter(|it| !it.is_empty());
        if collapse_id.is_some() {
            let replaced = |it: &ShownNotification| {
                it.bundle_id == *bundle_id && it.collapse_id.as_deref() == collapse_id
            };
            self.notifications.retain(|notification| !replaced(notification));
        }
        if self.notifications.len() == NOTIFICATIONS_MAX {
            self.notifications.pop_front();
        }
        self.notifications.push_back(ShownNotification {
            bundle_id: bundle_id.clone(),
            at,
            collapse_id: collapse_id.map(Into::into),
            banner: banner.clone(),
        });
    }
}

impl Serialize for Screen {
    /// The notifications in their groups, the badges by app, the Live Activities.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("threads", &self.threads())?;
        map.serialize_entry("badges", &self.badges)?;
        map.serialize_entry("activities", &self.activities().collect::<Vec<_>>())?;
        map.end()
    }
}

/// A notification in the list.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ShownNotification {
    /// The app that it is from.
    #[serde(serialize_with = "as_json::bundle_id")]
    pub bundle_id: BundleId,
    /// When it arrived; in milliseconds since 1970 where it is serialised.
    #[serde(rename = "at-ms", serialize_with = "as_json::millis")]
    pub at: Timestamp,
    /// What a newer one must have to take its place.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_json::optional_text")]
    pub collapse_id: Option<Box<[u8]>>,
    /// What it says.
    pub banner: Banner,
}

/// Notifications that are shown as a group.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Thread<'a> {
    /// The app that they are from.
    #[serde(serialize_with = "as_json::bundle_id")]
    pub bundle_id: BundleId,
    /// What they have in common; without it, that they have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<&'a str>,
    /// Newest first.
    pub notifications: Vec<&'a ShownNotification>,
}

/// Most notifications that a device's screen keeps; the oldest goes first. More than anyone looks at, and some 400
/// kilobytes if each payload is as long as it may be.
pub const NOTIFICATIONS_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rendering::{Dropped, sent::Sent};

    #[test]
    fn notifications_are_listed_newest_first() {
        let mut screen = Screen::default();
        for (at, body) in ["first", "second", "third"].into_iter().enumerate() {
            arrive(&mut screen, at as u64, "com.example.app", &alert(body));
        }
        assert_eq!(bodies(&screen), ["third", "second", "first"]);
        assert_eq!(screen.notifications().next().unwrap().at, Timestamp::from_secs(2));
    }

    #[test]
    fn a_collapse_id_replaces_what_the_same_app_shows_and_nothing_else() {
        let mut screen = Screen::default();
        let with_id = |body: &str| Sent { collapse_id: Some(b"score"), ..alert(body) };
        arrive(&mut screen, 1, "com.example.app", &with_id("1 : 0"));
        arrive(&mut screen, 2, "com.example.other", &with_id("other app"));
        arrive(&mut screen, 3, "com.example.app", &Sent { collapse_id: Some(b"news"), ..alert("other id") });
        arrive(&mut screen, 4, "com.example.app", &alert("no id"));
        arrive(&mut screen, 5, "com.example.app", &with_id("1 : 1"));
        assert_eq!(bodies(&screen), ["1 : 1", "no id", "other id", "other app"]);
    }

    #[test]
    fn an_empty_collapse_id_replaces_nothing() {
        let mut screen = Screen::default();
        for body in ["first", "second"] {
            arrive(&mut screen, 1, "com.example.app", &Sent { collapse_id: Some(b""), ..alert(body) });
        }
        assert_eq!(bodies(&screen), ["second", "first"]);
    }

    #[test]
    fn what_is_not_shown_replaces_nothing() {
        let mut screen = Screen::default();
        let with_id = |body: &str| Sent { collapse_id: Some(b"score"), ..alert(body) };
        arrive(&mut screen, 1, "com.example.app", &with_id("1 : 0"));
        arrive(&mut screen, 2, "com.example.app", &Sent { permission: false, ..with_id("1 : 1") });
        assert_eq!(bodies(&screen), ["1 : 0"]);
    }

    #[test]
    fn a_badge_stays_until_another_or_zero_and_is_the_apps_own() {
        let mut screen = Screen::default();
        let badge = |screen: &Screen| screen.badge(&app("com.example.app"));
        assert_eq!(badge(&screen), None);
        for (aps, expected) in [
            (json!({ "alert": "Hello", "badge": 3 }), Some(3)),
            (json!({ "alert": "Hello" }), Some(3)),
            (json!({ "badge": 5 }), Some(5)),
            (json!({ "badge": 0 }), None),
        ] {
            arrive(&mut screen, 1, "com.example.app", &Sent::alert(&aps));
            assert_eq!(badge(&screen), expected, "{aps}");
        }
        assert_eq!(bodies(&screen), ["Hello", "Hello"], "badge 0 removes no notification");
        arrive(&mut screen, 2, "com.example.other", &Sent::alert(&json!({ "badge": 9 })));
        assert_eq!(badge(&screen), None);
    }

    #[test]
    fn nothing_of_an_app_without_permission_is_on_the_screen() {
        let mut screen = Screen::default();
        let aps = json!({ "alert": "Hello", "badge": 3 });
        let rendering =
            arrive(&mut screen, 1, "com.example.app", &Sent { permission: false, ..Sent::alert(&aps) });
        assert_eq!(rendering.shown, Shown::Nothing { why: Dropped::PermissionOff });
        assert_eq!((screen.notifications().len(), screen.badge(&app("com.example.app"))), (0, None));
    }

    #[test]
    fn threads_group_by_app_and_thread_id_with_the_newest_first() {
        let mut screen = Screen::default();
        for (app, thread_id, body) in [
            ("com.example.app", Some("a"), "1"),
            ("com.example.app", None, "2"),
            ("com.example.other", Some("a"), "3"),
            ("com.example.app", Some("a"), "4"),
            ("com.example.app", None, "5"),
        ] {
            let mut aps = json!({ "alert": body });
            if let Some(thread_id) = thread_id {
                aps["thread-id"] = json!(thread_id);
            }
            arrive(&mut screen, 1, app, &Sent::alert(&aps));
        }
        let threads = screen.threads();
        let groups: Vec<_> = threads
            .iter()
            .map(|thread| {
                let bodies: Vec<_> =
                    thread.notifications.iter().map(|it| it.banner.body.as_deref().unwrap()).collect();
                (thread.bundle_id.as_str(), thread.thread_id, bodies)
            })
            .collect();
        assert_eq!(
            groups,
            [
                ("com.example.app", None, vec!["5", "2"]),
                ("com.example.app", Some("a"), vec!["4", "1"]),
                ("com.example.other", Some("a"), vec!["3"]),
            ]
        );
    }

    #[test]
    fn of_too_many_notifications_the_oldest_goes() {
        let mut screen = Screen::default();
        for number in 0..=NOTIFICATIONS_MAX {
            arrive(&mut screen, 1, "com.example.app", &alert(&number.to_string()));
        }
        assert_eq!(screen.notifications().len(), NOTIFICATIONS_MAX);
        assert_eq!(bodies(&screen).last().unwrap(), "1");
    }

    #[test]
    fn a_notification_serialises_with_its_app_and_time() {
        let mut screen = Screen::default();
        let sent = Sent { collapse_id: Some(b"greeting"), ..alert("Hello") };
        arrive(&mut screen, 7, "com.example.app", &sent);
        let notification = json!({
            "bundle-id": "com.example.app", "at-ms": 7000, "collapse-id": "greeting", "banner": { "body": "Hello" }
        });
        let written = serde_json::to_value(screen.notifications().next().unwrap()).unwrap();
        assert_eq!(written, notification);
        let thread: Value = json!([{ "bundle-id": "com.example.app", "notifications": [notification] }]);
        assert_eq!(serde_json::to_value(screen.threads()).unwrap(), thread);
    }

    fn alert(body: &str) -> Sent {
        Sent::alert(&json!({ "alert": body }))
    }

    fn arrive(screen: &mut Screen, at_secs: u64, bundle_id: &str, sent: &Sent) -> Rendering {
        screen.arrive(Timestamp::from_secs(at_secs), &app(bundle_id), &sent.arrival())
    }

    fn app(bundle_id: &str) -> BundleId {
        BundleId::parse(bundle_id).unwrap()
    }

    fn bodies(screen: &Screen) -> Vec<String> {
        screen.notifications().map(|it| it.banner.body.clone().unwrap()).collect()
    }
}
