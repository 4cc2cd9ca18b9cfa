//! One rule, one function: what has to fit what before a push is worth a request (checklist C-64, C-65).

use super::{Broadcast, InvalidNotification};
use crate::expiration::SECS_MAX;
use crate::payload::{Aps, LiveActivityAlert, Shape, Sound};
use crate::priority::Priority;
use crate::push_type::{Audience, PushType};
use crate::topic::Topic;

/// APNs takes only some priorities for some types: background allows 5 alone.
pub(super) fn priority_fits_type(priority: Priority, push_type: PushType) -> Result<(), InvalidNotification> {
    if !push_type.priorities().contains(&priority) {
        return Err(InvalidNotification::PriorityNotAllowed { push_type, priority });
    }
    Ok(())
}

/// A topic ends in its type's suffix, and one for the bare bundle ID in no other type's: APNs answers
/// `InvalidPushType` to an alert on a `.voip` topic (seen since 2019-09). An app whose bundle ID really ends
/// so uses the typed builders.
pub(super) fn topic_fits_type(topic: &Topic, push_type: PushType) -> Result<(), InvalidNotification> {
    let has_suffix_of = |owner: PushType| {
        let bundle_id = topic.as_str().strip_suffix(owner.topic_suffix());
        bundle_id.is_some_and(|bundle_id| !bundle_id.is_empty())
    };
    if !has_suffix_of(push_type) {
        return Err(InvalidNotification::TopicSuffixMissing { push_type });
    }
    if !push_type.topic_suffix().is_empty() {
        return Ok(());
    }
    match PushType::all().find(|owner| !owner.topic_suffix().is_empty() && has_suffix_of(*owner)) {
        Some(owner) => Err(InvalidNotification::TopicSuffixOfOtherType { push_type, owner }),
        None => Ok(()),
    }
}

/// MDM's topic is its certificate's, never an app's (Apple, "Mobile Device Management Protocol Reference").
pub(super) fn topic_fits_mdm(topic: &Topic, push_type: PushType) -> Result<(), InvalidNotification> {
    if push_type == PushType::Mdm && !topic.as_str().starts_with(MDM_TOPIC_PREFIX) {
        return Err(InvalidNotification::TopicNotOfMdm);
    }
    Ok(())
}

/// Alert pushes speak to the user and background pushes must not (Apple, "Sending notification requests to
/// APNs" and "Pushing background updates to your App"). Pass updates carry `{}` by Apple's Wallet pages,
/// whatever type they are sent as.
pub(super) fn payload_fits_type(
    shape: Shape,
    push_type: PushType,
    topic: &Topic,
) -> Result<(), InvalidNotification> {
    if topic.as_str().starts_with(PASS_TYPE_PREFIX) {
        return Ok(());
    }
    match (push_type.audience(), shape.user_key) {
        (Audience::User, None) => Err(InvalidNotification::NothingForTheUser { push_type }),
        (Audience::App, Some(key)) => Err(InvalidNotification::NotSilent { key }),
        (Audience::App, None) if !shape.content_available => {
            Err(InvalidNotification::MissingContentAvailable)
        }
        _ => Ok(()),
    }
}

/// The limit counts the bytes that are sent (Apple, "Generating a remote notification").
pub(super) fn payload_fits_limit(payload: &[u8], push_type: PushType) -> Result<(), InvalidNotification> {
    fits(payload, push_type, push_type.payload_bytes_max())
}

/// A broadcast has a limit of its own.
pub(super) fn broadcast_fits_limit(payload: &[u8]) -> Result<(), InvalidNotification> {
    fits(payload, PushType::LiveActivity, Broadcast::PAYLOAD_BYTES_MAX)
}

fn fits(payload: &[u8], push_type: PushType, limit: usize) -> Result<(), InvalidNotification> {
    let len = payload.len();
    if len > limit {
        return Err(InvalidNotification::PayloadTooLarge { push_type, len, limit });
    }
    Ok(())
}

/// An alert dictionary without any text shows nothing.
pub(super) fn alert_says_something(aps: &Aps) -> Result<(), InvalidNotification> {
    match &aps.alert {
        Some(alert) if !alert.says_something() => {
            Err(InvalidNotification::NothingForTheUser { push_type: PushType::Alert })
        }
        _ => Ok(()),
    }
}

/// The same for the alert of a Live Activity.
pub(super) fn live_activity_alert_says_something(
    alert: &LiveActivityAlert,
) -> Result<(), InvalidNotification> {
    if alert.says_something() {
        return Ok(());
    }
    Err(InvalidNotification::AlertWithoutText { push_type: PushType::LiveActivity })
}

/// A critical sound's volume goes from 0 to 1.
pub(super) fn volume_in_range(sound: Option<&Sound>) -> Result<(), InvalidNotification> {
    match sound.and_then(Sound::volume) {
        Some(volume) if !(0.0..=1.0).contains(&volume) => Err(InvalidNotification::Volume { volume }),
        _ => Ok(()),
    }
}

/// The relevance score of an alert goes from 0 to 1.
pub(super) fn relevance_in_range(aps: &Aps) -> Result<(), InvalidNotification> {
    match aps.relevance_score {
        Some(score) if !(0.0..=1.0).contains(&score) => Err(InvalidNotification::RelevanceScore { score }),
        _ => Ok(()),
    }
}

/// The relevance score of a Live Activity is any number; JSON has no others.
pub(super) fn number_is_finite(key: &'static str, number: Option<f64>) -> Result<(), InvalidNotification> {
    match number {
        Some(number) if !number.is_finite() => Err(InvalidNotification::NotFinite { key }),
        _ => Ok(()),
    }
}

/// Dates are seconds; a number that is far too large is one of milliseconds, and iOS would wait for it.
pub(super) fn date_is_in_seconds(key: &'static str, secs: u64) -> Result<(), InvalidNotification> {
    if secs > SECS_MAX {
        return Err(InvalidNotification::DateTooFar { key, secs });
    }
    Ok(())
}

/// Identifiers say what a push is about.
pub(super) fn text_is_not_empty(key: &'static str, text: &str) -> Result<(), InvalidNotification> {
    if text.is_empty() {
        return Err(InvalidNotification::EmptyText { key });
    }
    Ok(())
}

/// Topics of MDM begin so.
const MDM_TOPIC_PREFIX: &str = "com.apple.mgmt.";
/// Topics of Wallet passes are pass type IDs, which begin so.
const PASS_TYPE_PREFIX: &str = "pass.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::Alert;

    fn topic(text: &str) -> Topic {
        Topic::parse(text).unwrap()
    }

    #[test]
    fn background_allows_5_alone() {
        for priority in [Priority::Immediate, Priority::PowerFirst] {
            let error = InvalidNotification::PriorityNotAllowed { push_type: PushType::Background, priority };
            assert_eq!(priority_fits_type(priority, PushType::Background), Err(error));
        }
        assert_eq!(priority_fits_type(Priority::PowerConsiderate, PushType::Background), Ok(()));
        assert_eq!(priority_fits_type(Priority::PowerFirst, PushType::Alert), Ok(()));
    }

    #[test]
    fn every_suffix_belongs_to_one_type() {
        for push_type in PushType::all() {
            let fitting = topic(&format!("com.example{}", push_type.topic_suffix()));
            assert_eq!(topic_fits_type(&fitting, push_type), Ok(()), "{push_type}");
        }
        for owner in PushType::all().filter(|ty| !ty.topic_suffix().is_empty()) {
            let push_type = PushType::Alert;
            let theirs = topic(&format!("com.example{}", owner.topic_suffix()));
            let error = InvalidNotification::TopicSuffixOfOtherType { push_type, owner };
            assert_eq!(topic_fits_type(&theirs, push_type), Err(error));
        }
    }

    #[test]
    fn a_suffix_needs_a_bundle_id_before_it() {
        let push_type = PushType::Voip;
        for text in [".voip", "com.example.app", "com.example.voip-ptt"] {
            let error = InvalidNotification::TopicSuffixMissing { push_type };
            assert_eq!(topic_fits_type(&topic(text), push_type), Err(error), "{text}");
        }
    }

    #[test]
    fn alerts_speak_and_background_pushes_do_not() {
        let loud = Shape { user_key: Some("badge"), content_available: true };
        let silent = Shape { user_key: None, content_available: true };
        let nothing = Shape { user_key: None, content_available: false };
        let app = topic("com.example.app");
        let check = |shape, push_type| payload_fits_type(shape, push_type, &app);
        assert_eq!(check(loud, PushType::Alert), Ok(()));
        let error = InvalidNotification::NothingForTheUser { push_type: PushType::Alert };
        assert_eq!(check(silent, PushType::Alert), Err(error));
        assert_eq!(check(silent, PushType::Background), Ok(()));
        let error = InvalidNotification::NotSilent { key: "badge" };
        assert_eq!(check(loud, PushType::Background), Err(error));
        let error = InvalidNotification::MissingContentAvailable;
        assert_eq!(check(nothing, PushType::Background), Err(error));
        assert_eq!(check(nothing, PushType::Voip), Ok(()));
        assert_eq!(payload_fits_type(nothing, PushType::Alert, &topic("pass.com.example")), Ok(()));
    }

    #[test]
    fn only_mdm_has_mdms_topics() {
        let (mdm, app) = (topic("com.apple.mgmt.XServer.7"), topic("com.example.app"));
        assert_eq!(topic_fits_mdm(&mdm, PushType::Mdm), Ok(()));
        assert_eq!(topic_fits_mdm(&app, PushType::Alert), Ok(()));
        assert_eq!(topic_fits_mdm(&app, PushType::Mdm), Err(InvalidNotification::TopicNotOfMdm));
    }

    #[test]
    fn a_date_has_ten_digits_at_most() {
        assert_eq!(date_is_in_seconds("k", 0), Ok(()));
        assert_eq!(date_is_in_seconds("k", 9_999_999_999), Ok(()));
        let secs = 10_000_000_000;
        assert_eq!(date_is_in_seconds("k", secs), Err(InvalidNotification::DateTooFar { key: "k", secs }));
    }

    #[test]
    fn a_voip_payload_may_be_larger() {
        assert_eq!(payload_fits_limit(&[b' '; 5120], PushType::Voip), Ok(()));
        let push_type = PushType::LiveActivity;
        let error = InvalidNotification::PayloadTooLarge { push_type, len: 4097, limit: 4096 };
        assert_eq!(payload_fits_limit(&[b' '; 4097], push_type), Err(error));
    }

    #[test]
    fn an_alert_without_text_says_nothing() {
        let aps = Aps { alert: Some(Alert::new()), badge: Some(1), ..Aps::default() };
        let error = InvalidNotification::NothingForTheUser { push_type: PushType::Alert };
        assert_eq!(alert_says_something(&aps), Err(error));
        let aps = Aps { badge: Some(1), ..Aps::default() };
        assert_eq!(alert_says_something(&aps), Ok(()));
    }

    #[test]
    fn scores_and_volumes_go_from_0_to_1() {
        for (number, fits) in [(0.0, true), (1.0, true), (-0.1, false), (1.1, false), (f64::NAN, false)] {
            let sound = Some(Sound::critical("s", number));
            let aps = Aps { sound, relevance_score: Some(number), ..Aps::default() };
            assert_eq!(volume_in_range(aps.sound.as_ref()).is_ok(), fits, "{number}");
            assert_eq!(relevance_in_range(&aps).is_ok(), fits, "{number}");
        }
    }
}
