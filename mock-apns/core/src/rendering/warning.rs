//! What is wrong with a push that APNs accepted: one table.

use super::explained::{
    ACTIVITIES, BACKGROUND, LEVELS, LOCALIZED, MODIFYING, PAYLOADS, PERMISSION, REQUESTS, WIDGETS, explained,
};

explained! {
    /// What is wrong with a push that was answered with 200: the usual reasons why the phone shows nothing, or
    /// something else than was meant.
    ///
    /// A value in `aps` that is not of the documented type is ignored by itself, with a warning; the rest is shown.
    /// Apple does not say what iOS does with one.
    Warning {
        // The headers, and what they have to do with the payload.
        NoPushType "no-push-type"
            "There is no apns-push-type header, which watchOS requires. Others go by the payload. Name the type."
            REQUESTS;
        PushTypeNotForToken "push-type-not-for-token"
            "The apns-push-type belongs to another kind of device token. Give the type and the topic's suffix of the \
             framework that the token comes from."
            REQUESTS;
        AlertOnBackgroundPush "alert-on-background-push"
            "A push of type background has an alert, a badge or a sound, which is not shown. Send it as an alert, or \
             take them out."
            BACKGROUND;
        BackgroundSentAsAlert "background-sent-as-alert"
            "A push of type alert has nothing to show, only content-available. APNs may delay or drop it. Send it as \
             background."
            REQUESTS;
        BackgroundPriority "background-priority"
            "A background push has another apns-priority than 5; without the header it is 10, which is an error. APNs \
             may drop it. Send 5."
            REQUESTS;
        PermissionOff "permission-off"
            "The user does not let the app show notifications, and APNs does not tell. Only a background push gets \
             through."
            PERMISSION;

        // The shape of the payload.
        MalformedAps "malformed-aps"
            "The payload is no JSON dictionary with a dictionary aps in it. See how it was serialised."
            PAYLOADS;
        AlertMalformed "alert-malformed"
            "alert is neither a string nor a dictionary, or one of its keys is not a string. What is malformed is \
             left out."
            PAYLOADS;
        AlertWithoutText "alert-without-text"
            "alert has no title, subtitle or body, so that there is no banner. Give it a body."
            PAYLOADS;
        BadgeMalformed "badge-malformed"
            "badge is not a whole number from 0. The badge stays as it is. Send a number without quotes."
            PAYLOADS;
        SoundMalformed "sound-malformed"
            "sound is neither a string nor a dictionary of name, critical and volume. What is malformed is left out."
            PAYLOADS;
        FlagMalformed "flag-malformed"
            "content-available, mutable-content, critical or input-push-token is not the number 1 or 0. true is taken \
             for 1, all else for 0."
            PAYLOADS;
        TextMalformed "text-malformed"
            "thread-id, category, target-content-id, filter-criteria, attributes-type or input-push-channel is not a \
             string. It is left out."
            PAYLOADS;
        RelevanceScoreMalformed "relevance-score-malformed"
            "relevance-score is not a number, or outside of 0 to 1 in a notification. It is left out."
            PAYLOADS;
        InterruptionLevelUnknown "interruption-level-unknown"
            "interruption-level is not passive, active, time-sensitive or critical. It is taken for active."
            PAYLOADS;
        SoundOnPassive "sound-on-passive"
            "A passive notification plays no sound. Leave the sound out, or raise its interruption-level."
            LEVELS;
        MutableContentWithoutAlert "mutable-content-without-alert"
            "mutable-content needs an alert with text, so the service extension does not run. Give it a body, which \
             the extension may replace."
            MODIFYING;
        ContentChangedNotTrue "content-changed-not-true"
            "content-changed is the number 1. It is taken for true, which is what is documented."
            WIDGETS;

        // Localised text.
        MissingLocalization "missing-localization"
            "The app has no string for a loc-key, so that the key itself is shown. Ship the string first."
            LOCALIZED;
        LocArgsCount "loc-args-count"
            "There are more or fewer loc-args than the localised string has places. A place without one stays as \
             it is written."
            PAYLOADS;
        LocArgsMalformed "loc-args-malformed"
            "loc-args is not an array of strings. Elements that are not strings are shown as they are written."
            PAYLOADS;
        TextAndLocKey "text-and-loc-key"
            "A text is given both as it is and by its loc-key. The loc-key wins. Send one of the two."
            PAYLOADS;

        // Live Activities.
        DateMalformed "date-malformed"
            "stale-date or dismissal-date is not a number of seconds since 1970. It is left out."
            ACTIVITIES;
        TimestampInMilliseconds "timestamp-in-milliseconds"
            "timestamp is so far ahead that it must be milliseconds. It counts seconds, and all right ones will now \
             be older."
            ACTIVITIES;
    }
}
