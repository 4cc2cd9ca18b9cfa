//! What a push can do at a device.

use serde::Serialize;

use super::{Banner, Dropped, LiveActivity, Sound};

/// What a device does with a push.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
#[non_exhaustive]
pub enum Shown {
    /// Shows a notification.
    Banner(Box<Banner>),
    /// Shows no text, but changes the badge or plays a sound.
    BadgeOrSound {
        /// The number that the app's icon gets; 0 takes it away.
        #[serde(skip_serializing_if = "Option::is_none")]
        badge: Option<u32>,
        /// What is heard.
        #[serde(skip_serializing_if = "Option::is_none")]
        sound: Option<Sound>,
        /// Whether the app is woken as by a background push, too.
        wakes_app: bool,
    },
    /// Wakes the app in the background, unseen.
    Wake,
    /// Wakes the app for an incoming call, which it must report to CallKit: iOS ends an app that does not.
    Call,
    /// Wakes the app for its joined Push to Talk channel: someone speaks, or has left.
    PushToTalk,
    /// Wakes the app's watch complication to renew its data.
    ComplicationUpdate,
    /// Tells the file provider extension that something has changed.
    FileProviderSignal {
        /// What has changed.
        container_identifier: String,
        /// Which of the extension's domains it is in.
        #[serde(skip_serializing_if = "Option::is_none")]
        domain: Option<String>,
    },
    /// Wakes the location push service extension to find out where the device is.
    LocationQuery,
    /// Makes a managed device contact its MDM server.
    MdmCheckIn {
        /// What tells the device that it is its own server's push.
        push_magic: String,
    },
    /// Reloads widgets or controls.
    Reload {
        /// Which of the two.
        what: Reloaded,
    },
    /// Starts, updates or ends a Live Activity.
    LiveActivity(Box<LiveActivity>),
    /// Does nothing.
    Nothing {
        /// Why not.
        why: Dropped,
    },
}

/// What a push makes the system load anew.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reloaded {
    /// The app's widgets.
    Widgets,
    /// The app's controls.
    Controls,
}
