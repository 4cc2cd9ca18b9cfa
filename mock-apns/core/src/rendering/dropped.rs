//! Why a device does nothing with a push that arrived: one table.

use super::explained::{
    ACTIVITIES, BACKGROUND, FILE_PROVIDER, MDM, PAYLOADS, PERMISSION, REQUESTS, WIDGETS, explained,
};

explained! {
    /// Why a device does nothing with a push that arrived.
    Dropped {
        // Any push.
        NotJson "not-json" "The payload is not JSON in UTF-8." PAYLOADS;
        NotADictionary "not-a-dictionary" "The payload is JSON, but no dictionary; it may be serialised twice." PAYLOADS;
        NoAps "no-aps" "The payload has no aps key." PAYLOADS;
        ApsNotADictionary "aps-not-a-dictionary" "The payload's aps is no dictionary." PAYLOADS;
        PushTypeNotForToken "push-type-not-for-token"
            "The apns-push-type belongs to another kind of device token." REQUESTS;

        // Alerts and background updates.
        NothingToShow "nothing-to-show"
            "aps has neither an alert with text, nor a badge, a sound or content-available." PAYLOADS;
        NoContentAvailable "no-content-available"
            "A push of type background wakes the app only if content-available is 1." BACKGROUND;
        PermissionOff "permission-off" "The user does not let the app show notifications." PERMISSION;

        // What else a token may be for.
        NoPushMagic "no-push-magic" "A push of type mdm has no string mdm in its payload." MDM;
        NoContainerIdentifier "no-container-identifier"
            "A push to a file provider has no string container-identifier in its payload." FILE_PROVIDER;
        NoContentChanged "no-content-changed"
            "A push to widgets or controls reloads them only if content-changed is true." WIDGETS;

        // Live Activities.
        UnknownEvent "unknown-event" "event is not start, update or end." ACTIVITIES;
        EventNotForToken "event-not-for-token"
            "A push-to-start token takes the event start and nothing else, an activity's own token all but start."
            ACTIVITIES;
        NoTimestamp "no-timestamp" "timestamp is not a number of seconds since 1970." ACTIVITIES;
        NoContentState "no-content-state"
            "content-state is no dictionary, so that there is nothing to decode the activity's state from." ACTIVITIES;
        NoAttributes "no-attributes"
            "The event start needs attributes-type and a dictionary attributes." ACTIVITIES;
        StartWithoutAlert "start-without-alert" "The event start needs an alert with text." ACTIVITIES;
        OlderTimestamp "older-timestamp"
            "The activity has already been given a newer state; the newest timestamp wins." ACTIVITIES;
        ActivityEnded "activity-ended" "The activity has ended, and takes no more updates."
            "Apple, Activity.update(_:alertConfiguration:timestamp:)";
    }
}
