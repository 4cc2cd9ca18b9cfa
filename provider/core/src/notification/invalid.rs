use thiserror::Error;

use crate::priority::Priority;
use crate::push_type::PushType;

/// Why a notification is not sent at all: what APNs, or the device, would refuse or drop.
///
/// Each message names the field, the rule and what to do.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum InvalidNotification {
    /// A Live Activity's alert has neither title nor body.
    #[error("payload: aps.alert of a push of type {push_type} has no text; give it a title and a body")]
    AlertWithoutText {
        /// The push type.
        push_type: PushType,
    },
    /// `aps` is something other than an object.
    #[error("payload: `aps` is not an object; write {{\"aps\":{{…}}}}")]
    ApsNotAnObject,
    /// The payload is too large even with its texts cut to the ellipsis.
    #[error(
        "payload: with nothing left of the alert's texts it still has {len} bytes, and {limit} are allowed; \
         drop some of the app's own keys"
    )]
    CannotBeShortened {
        /// Size of the payload in bytes without the texts.
        len: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// One of the app's own keys is one that Apple reads.
    #[error(
        "custom key `{key}`: in pushes of type {push_type} that key is Apple's; use the builder's methods, \
         or a raw notification"
    )]
    CustomKeyTaken {
        /// The push type.
        push_type: PushType,
        /// The key.
        key: String,
    },
    /// The value of one of the app's own keys has no JSON form.
    #[error("custom key `{key}`: its value has no JSON form ({why}); use text keys and JSON values")]
    CustomValue {
        /// The key.
        key: String,
        /// The serializer's words.
        why: String,
    },
    /// A date lies after the year 2286.
    #[error("payload: {key} is {secs}, after the year 2286; pass seconds since 1970, not milliseconds")]
    DateTooFar {
        /// Where it stands.
        key: &'static str,
        /// What was given.
        secs: u64,
    },
    /// A text that has to say something is empty.
    #[error("payload: {key} is empty; it names what the push is about")]
    EmptyText {
        /// Where it stands.
        key: &'static str,
    },
    /// A background push without `content-available` 1.
    #[error("payload: a background push needs aps.content-available 1; without it the app is not woken")]
    MissingContentAvailable,
    /// Without this key the device does nothing with the push.
    #[error("payload: {key} is missing; a push of type {push_type} needs it")]
    MissingKey {
        /// The push type.
        push_type: PushType,
        /// Where it belongs.
        key: &'static str,
    },
    /// A value for one of Apple's keys has no JSON form.
    #[error("payload: {key} has no JSON form ({why}); use text keys and JSON values")]
    NoJsonForm {
        /// Where it stands.
        key: &'static str,
        /// The serializer's words.
        why: String,
    },
    /// A dictionary is something else.
    #[error("payload: {key} is not an object; write {{…}}, or pass a struct or a map")]
    NotAnObject {
        /// Where it stands.
        key: &'static str,
    },
    /// A number is one that JSON does not have.
    #[error("payload: {key} is not a number or infinite; use a finite number")]
    NotFinite {
        /// Where it stands.
        key: &'static str,
    },
    /// A background push with something for the user in it.
    #[error("payload: a background push must not have aps.{key}; drop the key, or use push type alert")]
    NotSilent {
        /// The key that does not belong there.
        key: &'static str,
    },
    /// An alert push with nothing to show, hear or count.
    #[error(
        "payload: push type {push_type} needs aps.alert with a text, aps.badge or aps.sound; \
         to wake the app in silence use push type background"
    )]
    NothingForTheUser {
        /// The push type.
        push_type: PushType,
    },
    /// The payload has no bytes.
    #[error("payload: it is empty; the shortest payload is {{}}")]
    PayloadEmpty,
    /// The payload is JSON, but no object.
    #[error("payload: it is not a JSON object; write {{\"aps\":{{…}}}}")]
    PayloadNotAnObject,
    /// The payload cannot be read.
    #[error("payload: it is not JSON in UTF-8 without a byte order mark ({why})")]
    PayloadNotJson {
        /// The parser's words, with line and column.
        why: String,
    },
    /// The payload has more bytes than the push type allows.
    #[error(
        "payload: it has {len} bytes, push type {push_type} allows {limit}; shorten it, \
         or let the app fetch the rest"
    )]
    PayloadTooLarge {
        /// The push type.
        push_type: PushType,
        /// Size of the payload in bytes.
        len: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The push type does not go with the priority.
    #[error("apns-priority: push type {push_type} does not allow {priority}; use {}", allowed(*push_type))]
    PriorityNotAllowed {
        /// The push type.
        push_type: PushType,
        /// The priority asked for.
        priority: Priority,
    },
    /// `relevance-score` is not between 0 and 1.
    #[error("payload: aps.relevance-score is {score}; use a number from 0 to 1")]
    RelevanceScore {
        /// What was given.
        score: f64,
    },
    /// The topic of an MDM push is none of an MDM certificate.
    #[error(
        "apns-topic: for push type mdm it has to be the UID of the MDM push certificate's subject, which \
         begins with `com.apple.mgmt.`"
    )]
    TopicNotOfMdm,
    /// The topic has no suffix, or not the push type's.
    #[error(
        "apns-topic: for push type {push_type} it has to be the bundle ID followed by `{}`",
        push_type.topic_suffix()
    )]
    TopicSuffixMissing {
        /// The push type.
        push_type: PushType,
    },
    /// The topic has the suffix of another push type.
    #[error(
        "apns-topic: the suffix `{}` belongs to push type {owner}, not to {push_type}; change one of them",
        owner.topic_suffix()
    )]
    TopicSuffixOfOtherType {
        /// The push type.
        push_type: PushType,
        /// The push type whose suffix the topic has.
        owner: PushType,
    },
    /// The volume of a critical sound is not between 0 and 1.
    #[error("payload: the sound's volume is {volume}; use a number from 0 to 1")]
    Volume {
        /// What was given.
        volume: f64,
    },
    /// A key of a payload written elsewhere has a value of another kind than Apple asks for.
    #[error("payload: {key} of a push of type {push_type} has to be {expected}")]
    WrongValue {
        /// The push type.
        push_type: PushType,
        /// Where it stands.
        key: &'static str,
        /// What Apple asks for.
        expected: &'static str,
    },
}

fn allowed(push_type: PushType) -> String {
    let priorities: Vec<&str> = push_type.priorities().iter().map(|priority| priority.as_str()).collect();
    priorities.join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_field_the_rule_and_the_way_out() {
        let error = InvalidNotification::PriorityNotAllowed {
            push_type: PushType::LiveActivity,
            priority: Priority::PowerFirst,
        };
        assert_eq!(error.to_string(), "apns-priority: push type liveactivity does not allow 1; use 10 or 5");
        let error = InvalidNotification::TopicSuffixMissing { push_type: PushType::Voip };
        assert_eq!(
            error.to_string(),
            "apns-topic: for push type voip it has to be the bundle ID followed by `.voip`"
        );
        let push_type = PushType::LiveActivity;
        let error = InvalidNotification::MissingKey { push_type, key: "aps.content-state" };
        let told = "payload: aps.content-state is missing; a push of type liveactivity needs it";
        assert_eq!(error.to_string(), told);
        let error = InvalidNotification::CustomKeyTaken { push_type, key: "aps".into() };
        let told = "custom key `aps`: in pushes of type liveactivity that key is Apple's; \
                    use the builder's methods, or a raw notification";
        assert_eq!(error.to_string(), told);
        let expected = "an object";
        let error = InvalidNotification::WrongValue { push_type, key: "aps.attributes", expected };
        let told = "payload: aps.attributes of a push of type liveactivity has to be an object";
        assert_eq!(error.to_string(), told);
        assert_eq!(
            InvalidNotification::ApsNotAnObject.to_string(),
            r#"payload: `aps` is not an object; write {"aps":{…}}"#
        );
    }
}
