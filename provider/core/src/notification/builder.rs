use serde::Serialize;

use super::options::Options;
use super::{InvalidNotification, Notification};
use crate::collapse_id::CollapseId;
use crate::expiration::Expiration;
use crate::payload::{CustomKeys, Shape, to_json};
use crate::priority::Priority;
use crate::push_type::PushType;
use crate::topic::{BundleId, Topic};

/// Builds a notification of one push type: the message `M`, the app's own keys beside it, and how it is
/// delivered. What is wrong is said by [`build`](Self::build).
///
/// Each push type has its name for it, such as [`AlertNotification`](crate::AlertNotification), under which
/// the methods of that type are found; those that all types share are written here, once. Code for several
/// types takes the builder by its `M`:
///
/// ```
/// use apns_provider_core::{
///     AlertNotification, BundleId, Expiration, NotificationBuilder, VoipNotification,
/// };
///
/// fn now_or_never<M>(builder: NotificationBuilder<M>) -> NotificationBuilder<M> {
///     builder.expiration(Expiration::ONCE)
/// }
///
/// let app = BundleId::parse("com.example.app")?;
/// let call = now_or_never(VoipNotification::new(app.clone())).build()?;
/// let alert = now_or_never(AlertNotification::new(app).alert("Missed call")).build()?;
/// assert_eq!(call.expiration(), alert.expiration());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct NotificationBuilder<M> {
    pub(super) topic: Topic,
    pub(super) message: M,
    pub(super) custom: CustomKeys,
    pub(super) options: Options,
}

impl<M> NotificationBuilder<M> {
    /// How urgent it is, `apns-priority`; without it the push type's [default](PushType::default_priority). Of
    /// the three, a push type allows [some](PushType::priorities).
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.options.priority = Some(priority);
        self
    }

    /// How long APNs may keep it, `apns-expiration`; without it the push type's
    /// [default](PushType::default_expiration).
    #[must_use]
    pub fn expiration(mut self, expiration: Expiration) -> Self {
        self.options.expiration = Some(expiration);
        self
    }

    /// Takes the place of what was sent under the same ID, `apns-collapse-id`.
    #[must_use]
    pub fn collapse_id(mut self, collapse_id: CollapseId) -> Self {
        self.options.collapse_id = Some(collapse_id);
        self
    }

    pub(super) fn about(topic: Topic, message: M) -> Self {
        Self { topic, message, custom: CustomKeys::default(), options: Options::default() }
    }
}

#[expect(private_bounds, reason = "sealed: Apple's push types are all here, and nobody adds one")]
impl<M: Message> NotificationBuilder<M> {
    /// One of the app's own keys, beside `aps`. The last value of a key wins; the payload lists them sorted.
    #[must_use]
    pub fn custom(mut self, key: impl Into<String>, value: impl Serialize) -> Self {
        self.custom.insert(key.into(), value);
        self
    }

    /// Checks everything and writes the payload.
    pub fn build(self) -> Result<Notification, InvalidNotification> {
        self.check_content()?;
        let payload = to_json(&self.message, &self.custom);
        let shape = self.message.shape();
        Notification::check(M::PUSH_TYPE, self.topic, self.options, shape, payload)
    }

    /// The rules that can be told without writing the payload.
    pub(super) fn check_content(&self) -> Result<(), InvalidNotification> {
        self.custom.check(M::PUSH_TYPE, M::KEYS)?;
        self.message.check()
    }

    /// About this message, to this app.
    pub(super) fn to_app(bundle_id: BundleId, message: M) -> Self {
        Self::about(bundle_id.into_topic(M::PUSH_TYPE), message)
    }
}

#[expect(private_bounds, reason = "sealed: Apple's push types are all here, and nobody adds one")]
impl<M: Default + Message> NotificationBuilder<M> {
    /// A notification to this app with nothing in it yet but what its push type asks for.
    pub fn new(bundle_id: BundleId) -> Self {
        Self::to_app(bundle_id, M::default())
    }
}

/// What one push type says: serialises as the payload without the app's own keys.
pub(crate) trait Message: Serialize {
    /// The one type it is sent as.
    const PUSH_TYPE: PushType;
    /// The keys that it writes on the payload's top level: not the app's.
    const KEYS: &'static [&'static str];

    /// The rules for its own keys.
    fn check(&self) -> Result<(), InvalidNotification> {
        Ok(())
    }

    /// What the rules for alerts and background pushes ask.
    fn shape(&self) -> Shape {
        Shape::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        AlertNotification, BackgroundNotification, FileProviderNotification, MdmNotification,
        VoipNotification, WidgetsNotification,
    };

    fn app() -> BundleId {
        BundleId::parse("com.example.app").unwrap()
    }

    #[test]
    fn every_type_is_delivered_as_asked() {
        let id = CollapseId::parse("call-7").unwrap();
        let call = VoipNotification::new(app())
            .priority(Priority::PowerFirst)
            .expiration(Expiration::ONCE)
            .collapse_id(id.clone())
            .custom("caller", "Ada")
            .build()
            .unwrap();
        assert_eq!(call.priority(), Priority::PowerFirst);
        assert_eq!(call.expiration(), Some(Expiration::ONCE));
        assert_eq!(call.collapse_id(), Some(&id));
        assert_eq!(call.payload(), r#"{"caller":"Ada"}"#);
    }

    #[test]
    fn an_app_cannot_write_apples_keys() {
        let refused =
            |push_type, key| Err(InvalidNotification::CustomKeyTaken { push_type, key: String::from(key) });
        let alert = AlertNotification::new(app()).alert("Hi").custom("aps", true).build();
        assert_eq!(alert, refused(PushType::Alert, "aps"));
        // Not even where the type itself has no such key: APNs reads it.
        let call = VoipNotification::new(app()).custom("aps", 1).build();
        assert_eq!(call, refused(PushType::Voip, "aps"));
        let signal = FileProviderNotification::new(app(), "root").custom("domain", "work").build();
        assert_eq!(signal, refused(PushType::FileProvider, "domain"));
        let topic = Topic::parse("com.apple.mgmt.External.b1a6").unwrap();
        let check_in = MdmNotification::new(topic, "magic").custom("mdm", "other").build();
        assert_eq!(check_in, refused(PushType::Mdm, "mdm"));
    }

    #[test]
    fn a_key_that_another_type_owns_is_the_apps() {
        let alert = AlertNotification::new(app()).badge(1).custom("domain", "work").build().unwrap();
        assert_eq!(alert.payload(), r#"{"aps":{"badge":1},"domain":"work"}"#);
    }

    #[test]
    fn the_limit_is_the_types_own_and_counts_the_apps_keys() {
        let fill = |bytes: usize| "x".repeat(bytes);
        // {"k":"…"} has 8 bytes around its text.
        let largest = VoipNotification::new(app()).custom("k", fill(5120 - 8)).build().unwrap();
        assert_eq!(largest.payload().len(), 5120);
        let too_large = VoipNotification::new(app()).custom("k", fill(5121 - 8)).build();
        let push_type = PushType::Voip;
        let error = InvalidNotification::PayloadTooLarge { push_type, len: 5121, limit: 5120 };
        assert_eq!(too_large, Err(error));
        let too_large = WidgetsNotification::new(app()).custom("k", fill(4096)).build();
        assert!(matches!(too_large, Err(InvalidNotification::PayloadTooLarge { limit: 4096, .. })));
    }

    #[test]
    fn a_clone_shares_everything() {
        let notification = BackgroundNotification::new(app())
            .custom("k", "v".repeat(1000))
            .collapse_id(CollapseId::parse("c").unwrap())
            .expiration(Expiration::ONCE)
            .build()
            .unwrap();
        let copy = notification.clone();
        assert_eq!(copy.payload().as_ptr(), notification.payload().as_ptr());
        let texts = |it: &Notification| {
            [it.topic().as_str(), it.collapse_id().unwrap().as_str(), it.expiration_text().unwrap()]
                .map(str::as_ptr)
        };
        assert_eq!(texts(&copy), texts(&notification));
    }
}
