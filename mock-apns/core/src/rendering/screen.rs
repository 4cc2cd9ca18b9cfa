//! The device's screen: everything that has arrived, in the order of its arrival.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use super::{Activity, Arrival, Banner, Rendering, Shown, activities::Activities, as_json, render};
use crate::{BundleId, Timestamp};

/// What a device shows: notifications, badges, Live Activities.
///
/// ```
/// use mock_apns_core::{Arrival, BundleId, PushType, Screen, Strings, Timestamp, TokenKind};
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
    notifications: VecDeque<Notification>,
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

    /// Takes in that the app has started a Live Activity by itself, so that no other gets its identifier.
    pub fn app_started_activity(&mut self, activity: u32) {
        self.activities.reserve(activity);
    }

    /// The notifications, newest first, as iOS lists them.
    pub fn notifications(&self) -> impl DoubleEndedIterator<Item = &Notification> + ExactSizeIterator {
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
            let replaced =
                |it: &Notification| it.bundle_id == *bundle_id && it.collapse_id.as_deref() == collapse_id;
            self.notifications.retain(|notification| !replaced(notification));
        }
        if self.notifications.len() == NOTIFICATIONS_MAX {
            self.notifications.pop_front();
        }
        self.notifications.push_back(Notification {
            bundle_id: bundle_id.clone(),
            at,
            collapse_id: collapse_id.map(Into::into),
            banner: banner.clone(),
        });
    }
}

/// A notification in the list.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Notification {
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
    pub notifications: Vec<&'a Notification>,
}

/// Most notifications that a device's screen keeps; the oldest goes first. More than anyone looks at, and little
/// enough for many thousands of devices.
pub const NOTIFICATIONS_MAX: usize = 100;
