//! Pushes to the app's own token: alerts, background updates, MDM.

use serde_json::{Map, Value};

use super::{Arrival, Banner, Dropped, Shown, Warning, aps::Reader};
use crate::{Priority, PushType};

pub(super) fn shown(
    arrival: &Arrival<'_>,
    payload: &Map<String, Value>,
    reader: &mut Reader<'_>,
) -> Result<Shown, Dropped> {
    match arrival.push_type {
        Some(PushType::Mdm) => mdm_check_in(payload).ok_or(Dropped::NoPushMagic),
        Some(PushType::Background) => background(arrival, reader.aps(payload)?, reader),
        // MDM servers that are older than push types send none.
        None if !payload.contains_key("aps") && payload.contains_key("mdm") => {
            mdm_check_in(payload).ok_or(Dropped::NoPushMagic)
        }
        _ => by_payload(arrival, reader.aps(payload)?, reader),
    }
}

fn mdm_check_in(payload: &Map<String, Value>) -> Option<Shown> {
    let push_magic = payload.get("mdm")?.as_str()?.to_owned();
    Some(Shown::MdmCheckIn { push_magic })
}

/// A push whose type says that there is nothing to see.
///
/// Apple forbids alert, badge and sound here, and does not say what becomes of them. What is reported is that the
/// user gets none of them ("200 and then nothing"), while content-available still wakes the app.
fn background(
    arrival: &Arrival<'_>,
    aps: &Map<String, Value>,
    reader: &mut Reader<'_>,
) -> Result<Shown, Dropped> {
    check_background_priority(arrival, reader);
    if ["alert", "badge", "sound"].iter().any(|key| aps.contains_key(*key)) {
        reader.warn(Warning::AlertOnBackgroundPush);
    }
    if reader.flag(aps, "content-available") { Ok(Shown::Wake) } else { Err(Dropped::NoContentAvailable) }
}

/// An alert, or a push without a type, which goes by what its payload has.
fn by_payload(
    arrival: &Arrival<'_>,
    aps: &Map<String, Value>,
    reader: &mut Reader<'_>,
) -> Result<Shown, Dropped> {
    let banner = Banner::read(aps, reader);
    let wakes_app = banner.wakes_app;
    if !banner.has_text() && banner.badge.is_none() && banner.sound.is_none() {
        if !wakes_app {
            return Err(Dropped::NothingToShow);
        }
        if arrival.push_type.is_some() {
            reader.warn(Warning::BackgroundSentAsAlert);
        }
        check_background_priority(arrival, reader);
        return Ok(Shown::Wake);
    }
    if !arrival.permission {
        reader.warn(Warning::PermissionOff);
        return if wakes_app { Ok(Shown::Wake) } else { Err(Dropped::PermissionOff) };
    }
    if banner.has_text() {
        Ok(Shown::Banner(Box::new(banner)))
    } else {
        Ok(Shown::BadgeOrSound { badge: banner.badge, sound: banner.sound, wakes_app })
    }
}

/// Source: Apple, "Pushing background updates to your App": 5 it must be. Observed: pushes without the header, which
/// means 10, do arrive, so it stays at a warning.
fn check_background_priority(arrival: &Arrival<'_>, reader: &mut Reader<'_>) {
    if arrival.priority.unwrap_or_default() != Priority::PowerConsiderate {
        reader.warn(Warning::BackgroundPriority);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rendering::{Sound, sent::Sent};

    #[test]
    fn an_alert_is_shown_without_a_warning() {
        for priority in [None, Some(Priority::Immediate), Some(Priority::PowerConsiderate)] {
            let sent = Sent { priority, ..Sent::alert(&json!({ "alert": "Hello" })) };
            assert_eq!(sent.banner().body.as_deref(), Some("Hello"));
            assert_eq!(sent.warnings(), []);
        }
    }

    #[test]
    fn an_alert_without_push_type_is_shown_by_its_payload() {
        let sent = Sent { push_type: None, ..Sent::alert(&json!({ "alert": "Hello" })) };
        assert_eq!(sent.banner().body.as_deref(), Some("Hello"));
        assert_eq!(sent.warnings(), [Warning::NoPushType]);
    }

    #[test]
    fn a_badge_or_a_sound_comes_without_text() {
        let sound = Some(Sound { name: "default".to_owned(), critical: false, volume: None });
        for (aps, shown) in [
            (json!({ "badge": 3 }), Shown::BadgeOrSound { badge: Some(3), sound: None, wakes_app: false }),
            (json!({ "badge": 0 }), Shown::BadgeOrSound { badge: Some(0), sound: None, wakes_app: false }),
            (
                json!({ "sound": "default", "content-available": 1 }),
                Shown::BadgeOrSound { badge: None, sound, wakes_app: true },
            ),
        ] {
            assert_eq!(Sent::alert(&aps).shown(), shown);
            assert_eq!(Sent::alert(&aps).warnings(), []);
        }
    }

    #[test]
    fn nothing_to_show_shows_nothing() {
        for aps in [json!({}), json!({ "content-available": 0 }), json!({ "category": "NEWS", "unknown": 1 })]
        {
            assert_eq!(Sent::alert(&aps).dropped(), Dropped::NothingToShow);
        }
    }

    #[test]
    fn a_background_push_wakes_the_app() {
        let sent = Sent::background(&json!({ "content-available": 1 }));
        assert_eq!((sent.shown(), sent.warnings()), (Shown::Wake, vec![]));
    }

    #[test]
    fn a_background_push_without_push_type_wakes_the_app() {
        let sent = Sent { push_type: None, ..Sent::background(&json!({ "content-available": 1 })) };
        assert_eq!((sent.shown(), sent.warnings()), (Shown::Wake, vec![Warning::NoPushType]));
    }

    #[test]
    fn a_background_push_wakes_nobody_without_content_available() {
        for aps in [json!({}), json!({ "content-available": 0 }), json!({ "alert": "Hello" })] {
            assert_eq!(Sent::background(&aps).dropped(), Dropped::NoContentAvailable);
        }
    }

    #[test]
    fn a_background_push_shows_no_alert_badge_or_sound() {
        for aps in [
            json!({ "content-available": 1, "alert": "Hello" }),
            json!({ "content-available": 1, "badge": 0 }),
            json!({ "content-available": 1, "sound": "default" }),
        ] {
            let sent = Sent::background(&aps);
            assert_eq!((sent.shown(), sent.warnings()), (Shown::Wake, vec![Warning::AlertOnBackgroundPush]));
        }
    }

    #[test]
    fn a_background_push_is_warned_of_every_priority_but_five() {
        for (priority, warned) in [
            (None, true),
            (Some(Priority::Immediate), true),
            (Some(Priority::PowerConsiderate), false),
            (Some(Priority::PowerFirst), true),
        ] {
            let sent = Sent { priority, ..Sent::background(&json!({ "content-available": 1 })) };
            assert_eq!(sent.shown(), Shown::Wake);
            assert_eq!(sent.warnings() == [Warning::BackgroundPriority], warned, "{priority:?}");
        }
    }

    #[test]
    fn a_background_push_sent_as_alert_wakes_the_app_with_a_warning() {
        let sent = Sent::alert(&json!({ "content-available": 1 }));
        let warnings = vec![Warning::BackgroundSentAsAlert, Warning::BackgroundPriority];
        assert_eq!((sent.shown(), sent.warnings()), (Shown::Wake, warnings));
    }

    #[test]
    fn without_permission_alerts_badges_and_sounds_are_not_shown() {
        for aps in [json!({ "alert": "Hello" }), json!({ "badge": 1 }), json!({ "sound": "default" })] {
            let sent = Sent { permission: false, ..Sent::alert(&aps) };
            assert_eq!(sent.dropped(), Dropped::PermissionOff);
            assert_eq!(sent.warnings(), [Warning::PermissionOff]);
        }
    }

    #[test]
    fn without_permission_the_app_still_wakes() {
        let background = Sent::background(&json!({ "content-available": 1 }));
        let sent = Sent { permission: false, ..background };
        assert_eq!((sent.shown(), sent.warnings()), (Shown::Wake, vec![]));
        let both = Sent::alert(&json!({ "alert": "Hello", "content-available": 1 }));
        let sent = Sent { permission: false, ..both };
        assert_eq!((sent.shown(), sent.warnings()), (Shown::Wake, vec![Warning::PermissionOff]));
    }

    #[test]
    fn an_mdm_push_makes_the_device_check_in() {
        let sent = Sent { permission: false, ..Sent::new(PushType::Mdm, &json!({ "mdm": "magic" })) };
        let shown = Shown::MdmCheckIn { push_magic: "magic".to_owned() };
        assert_eq!((sent.shown(), sent.warnings()), (shown.clone(), vec![]));
        let sent = Sent { push_type: None, ..sent };
        assert_eq!((sent.shown(), sent.warnings()), (shown, vec![Warning::NoPushType]));
    }

    #[test]
    fn an_mdm_push_without_its_magic_does_nothing() {
        for payload in [json!({}), json!({ "mdm": 1 }), json!({ "aps": { "alert": "Hello" } })] {
            assert_eq!(Sent::new(PushType::Mdm, &payload).dropped(), Dropped::NoPushMagic);
        }
        assert_eq!(Sent::new(PushType::Alert, &json!({ "mdm": "magic" })).dropped(), Dropped::NoAps);
    }
}
