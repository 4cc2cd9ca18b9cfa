use serde::Serialize;

use super::builder::Message;
use super::{InvalidNotification, NotificationBuilder, rules};
use crate::payload::{APS, Alert, Aps, InterruptionLevel, SET, Shape, Sound};
use crate::push_type::PushType;

/// Builds a notification for the user: push type `alert`.
///
/// ```
/// use apns_provider_core::{Alert, AlertNotification, BundleId, Sound};
///
/// let notification = AlertNotification::new(BundleId::parse("com.example.chat")?)
///     .alert(Alert::new().title("Ada").body("Tea at four?"))
///     .sound(Sound::system())
///     .custom("conversation", 4711)
///     .build()?;
/// assert_eq!(
///     notification.payload(),
///     r#"{"aps":{"alert":{"title":"Ada","body":"Tea at four?"},"sound":"default"},"conversation":4711}"#
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type AlertNotification = NotificationBuilder<AlertMessage>;

impl AlertNotification {
    /// What the user reads; a plain text is the message.
    #[must_use]
    pub fn alert(mut self, alert: impl Into<Alert>) -> Self {
        self.message.aps.alert = Some(alert.into());
        self
    }

    /// The number on the app's icon; 0 takes it away.
    #[must_use]
    pub fn badge(mut self, badge: u32) -> Self {
        self.message.aps.badge = Some(badge);
        self
    }

    /// What the user hears.
    #[must_use]
    pub fn sound(mut self, sound: Sound) -> Self {
        self.message.aps.sound = Some(sound);
        self
    }

    /// `thread-id`: groups notifications.
    #[must_use]
    pub fn thread_id(mut self, thread_id: impl Into<String>) -> Self {
        self.message.aps.thread_id = Some(thread_id.into());
        self
    }

    /// `category`: which actions the notification offers.
    #[must_use]
    pub fn category(mut self, category: impl Into<String>) -> Self {
        self.message.aps.category = Some(category.into());
        self
    }

    /// `content-available` 1: wakes the app as well.
    #[must_use]
    pub fn content_available(mut self) -> Self {
        self.message.aps.content_available = Some(SET);
        self
    }

    /// `mutable-content` 1: passes it to the app's notification service extension first.
    #[must_use]
    pub fn mutable_content(mut self) -> Self {
        self.message.aps.mutable_content = Some(SET);
        self
    }

    /// `target-content-id`: the window to bring forward.
    #[must_use]
    pub fn target_content_id(mut self, target_content_id: impl Into<String>) -> Self {
        self.message.aps.target_content_id = Some(target_content_id.into());
        self
    }

    /// `interruption-level`.
    #[must_use]
    pub fn interruption_level(mut self, level: InterruptionLevel) -> Self {
        self.message.aps.interruption_level = Some(level);
        self
    }

    /// `relevance-score`: 0 to 1, the place in the summary.
    #[must_use]
    pub fn relevance_score(mut self, score: f64) -> Self {
        self.message.aps.relevance_score = Some(score);
        self
    }

    /// `filter-criteria`: what the app's Focus filter compares.
    #[must_use]
    pub fn filter_criteria(mut self, criteria: impl Into<String>) -> Self {
        self.message.aps.filter_criteria = Some(criteria.into());
        self
    }

    /// `url-args`: what fills the placeholders of the website's URL, in Safari 15 and earlier, whose topics are
    /// Website Push IDs (Apple, "Configuring Safari Push Notifications").
    #[must_use]
    pub fn url_args<A: Into<String>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.message.aps.url_args = Some(args.into_iter().map(Into::into).collect());
        self
    }
}

/// What an alert says.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AlertMessage {
    pub(super) aps: Aps,
}

impl Message for AlertMessage {
    const PUSH_TYPE: PushType = PushType::Alert;
    const KEYS: &'static [&'static str] = &[APS];

    fn check(&self) -> Result<(), InvalidNotification> {
        rules::alert_says_something(&self.aps)?;
        rules::volume_in_range(self.aps.sound.as_ref())?;
        rules::relevance_in_range(&self.aps)
    }

    fn shape(&self) -> Shape {
        self.aps.shape()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BundleId, CollapseId, Expiration, Priority};

    fn app() -> BundleId {
        BundleId::parse("com.example.app").unwrap()
    }

    #[test]
    fn a_whole_alert_comes_out_as_asked() {
        let notification = AlertNotification::new(app())
            .alert("Goal")
            .content_available()
            .mutable_content()
            .priority(Priority::PowerConsiderate)
            .expiration(Expiration::ONCE)
            .collapse_id(CollapseId::parse("match-7").unwrap())
            .build()
            .unwrap();
        assert_eq!(notification.push_type(), PushType::Alert);
        assert_eq!(notification.topic().as_str(), "com.example.app");
        assert_eq!(notification.priority(), Priority::PowerConsiderate);
        assert_eq!(notification.expiration(), Some(Expiration::ONCE));
        assert_eq!(notification.collapse_id().unwrap().as_str(), "match-7");
        assert_eq!(
            notification.payload(),
            r#"{"aps":{"alert":{"body":"Goal"},"content-available":1,"mutable-content":1}}"#
        );
    }

    #[test]
    fn a_badge_or_a_sound_alone_is_an_alert_and_nothing_is_not() {
        let badge = AlertNotification::new(app()).badge(0).build().unwrap();
        assert_eq!(badge.priority(), Priority::Immediate);
        assert_eq!(badge.expiration(), None);
        assert!(AlertNotification::new(app()).sound(Sound::system()).build().is_ok());
        let empty = AlertNotification::new(app()).category("c").build();
        assert_eq!(empty, Err(InvalidNotification::NothingForTheUser { push_type: PushType::Alert }));
    }

    #[test]
    fn the_limit_counts_bytes_of_utf8() {
        // {"aps":{"alert":{"body":"…"}}} has 29 bytes around its text; é has two.
        let text = "é".repeat((4096 - 29) / 2) + "x";
        let fits = AlertNotification::new(app()).alert(text.as_str()).build().unwrap();
        assert_eq!(fits.payload().len(), 4096);
        let over = AlertNotification::new(app()).alert((text + "x").as_str()).build();
        let error =
            InvalidNotification::PayloadTooLarge { push_type: PushType::Alert, len: 4097, limit: 4096 };
        assert_eq!(over, Err(error));
    }

    #[test]
    fn what_no_device_could_play_rank_or_show_is_refused() {
        let hi = || AlertNotification::new(app()).alert("Hi");
        let loud = hi().sound(Sound::critical("siren", 1.5)).build();
        assert_eq!(loud, Err(InvalidNotification::Volume { volume: 1.5 }));
        let relevant = hi().relevance_score(2.0).build();
        assert_eq!(relevant, Err(InvalidNotification::RelevanceScore { score: 2.0 }));
        let textless = hi().alert(Alert::new()).build();
        assert_eq!(textless, Err(InvalidNotification::NothingForTheUser { push_type: PushType::Alert }));
    }
}
