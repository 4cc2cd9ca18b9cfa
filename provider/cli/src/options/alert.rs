use apns_provider_core::{
    Alert, AlertNotification, BundleId, InterruptionLevel, LiveActivityAlert, PushType, Sound,
};
use clap::{Args, ValueEnum};

use super::message::Given;

/// What the user reads, hears and sees.
#[derive(Args, Debug)]
#[command(next_help_heading = "Alert")]
pub(super) struct AlertArgs {
    /// The message.
    #[arg(long, value_name = "TEXT")]
    alert: Option<String>,

    /// The title.
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,

    /// What explains the title.
    #[arg(long, value_name = "TEXT")]
    subtitle: Option<String>,

    /// The number on the app's icon; 0 takes it away.
    #[arg(long, value_name = "NUMBER")]
    badge: Option<u32>,

    /// The sound: a file of the app, or `default`.
    #[arg(long, value_name = "NAME")]
    sound: Option<String>,

    /// Groups notifications.
    #[arg(long, value_name = "ID")]
    thread_id: Option<String>,

    /// Which actions the notification offers.
    #[arg(long, value_name = "ID")]
    category: Option<String>,

    /// How much it may interrupt.
    #[arg(long, value_name = "LEVEL")]
    interruption_level: Option<Level>,

    /// Passes it to the app's notification service extension first.
    #[arg(long)]
    mutable_content: bool,

    /// Wakes the app as well.
    #[arg(long)]
    content_available: bool,
}

/// The words of `interruption-level`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Level {
    Active,
    Critical,
    Passive,
    TimeSensitive,
}

impl AlertArgs {
    pub(super) fn given(&self) -> [Given; 10] {
        const ALERT: &[PushType] = &[PushType::Alert];
        const TEXTS: &[PushType] = &[PushType::Alert, PushType::LiveActivity];
        [
            ("--alert", self.alert.is_some(), TEXTS),
            ("--title", self.title.is_some(), TEXTS),
            ("--subtitle", self.subtitle.is_some(), ALERT),
            ("--badge", self.badge.is_some(), ALERT),
            ("--sound", self.sound.is_some(), TEXTS),
            ("--thread-id", self.thread_id.is_some(), ALERT),
            ("--category", self.category.is_some(), ALERT),
            ("--interruption-level", self.interruption_level.is_some(), ALERT),
            ("--mutable-content", self.mutable_content, ALERT),
            ("--content-available", self.content_available, ALERT),
        ]
    }

    pub(super) fn notification(&self, bundle_id: BundleId) -> AlertNotification {
        let mut notification = AlertNotification::new(bundle_id);
        if let Some(alert) = self.texts() {
            notification = notification.alert(alert);
        }
        if let Some(badge) = self.badge {
            notification = notification.badge(badge);
        }
        if let Some(sound) = &self.sound {
            notification = notification.sound(Sound::named(sound));
        }
        if let Some(thread_id) = &self.thread_id {
            notification = notification.thread_id(thread_id);
        }
        if let Some(category) = &self.category {
            notification = notification.category(category);
        }
        if let Some(level) = self.interruption_level {
            notification = notification.interruption_level(level.into());
        }
        if self.mutable_content {
            notification = notification.mutable_content();
        }
        if self.content_available {
            notification = notification.content_available();
        }
        notification
    }

    /// The same texts for a Live Activity, which takes a title, a message and a sound.
    pub(super) fn of_live_activity(&self) -> Option<LiveActivityAlert> {
        if self.alert.is_none() && self.title.is_none() {
            return None;
        }
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let alert = LiveActivityAlert::new(text(&self.title), text(&self.alert));
        Some(match &self.sound {
            Some(sound) => alert.sound(Sound::named(sound)),
            None => alert,
        })
    }

    fn texts(&self) -> Option<Alert> {
        if self.alert.is_none() && self.title.is_none() && self.subtitle.is_none() {
            return None;
        }
        let mut alert = Alert::new();
        if let Some(title) = &self.title {
            alert = alert.title(title);
        }
        if let Some(subtitle) = &self.subtitle {
            alert = alert.subtitle(subtitle);
        }
        if let Some(body) = &self.alert {
            alert = alert.body(body);
        }
        Some(alert)
    }
}

impl From<Level> for InterruptionLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Active => Self::Active,
            Level::Critical => Self::Critical,
            Level::Passive => Self::Passive,
            Level::TimeSensitive => Self::TimeSensitive,
        }
    }
}
