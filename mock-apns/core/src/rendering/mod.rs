//! What the device shows: what iOS makes of a push that has arrived.
//!
//! 200 says that APNs took a push, not that anybody sees it. [`render`] tells what a device would do with it, and what
//! is wrong with it; a [`Screen`] adds up everything that has arrived.
//!
//! ```text
//!   Arrival ──▶ render ──▶ Rendering ── Shown: a banner, a wake-up, a Live Activity's state, … nothing, and why
//!      │                           └── Warning, …
//!      └──▶ Screen::arrive: collapses, counts badges, keeps Live Activities; then the same Rendering
//! ```
//!
//! | module | what |
//! |---|---|
//! | `shown`, `display` | [`Shown`]: what a push can do; the same as text for a terminal |
//! | `app` | alerts, background updates and MDM, which go to the app's own token |
//! | `banner`, `alert`, `strings` | [`Banner`]: a notification; its texts; [`Strings`]: their localisation |
//! | `live_activity` | [`LiveActivity`]: start, update, end |
//! | `warning`, `dropped`, `explained` | [`Warning`] and [`Dropped`]: the tables of what can be wrong |
//! | `aps`, `as_json` | reading a payload's values by their documented types; writing the core's own |
//! | `screen`, `activities` | [`Screen`]: what has arrived so far |

mod activities;
mod alert;
mod app;
mod aps;
mod as_json;
mod banner;
mod display;
mod dropped;
mod explained;
mod live_activity;
mod screen;
#[cfg(test)]
mod sent;
mod shown;
mod strings;
mod warning;

pub use activities::{ACTIVITIES_MAX, ACTIVITY_STAYS_MS_MAX, Activity};
pub use banner::{Banner, InterruptionLevel, Sound};
pub use dropped::Dropped;
pub use live_activity::{LiveActivity, LiveActivityEvent};
pub use screen::{NOTIFICATIONS_MAX, Screen, ShownNotification, Thread};
pub use shown::{Reloaded, Shown};
pub use strings::{LOCALIZED_TEXT_BYTES_MAX, Strings};
pub use warning::Warning;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Priority, PushType, TokenKind};
use aps::Reader;

/// A push that has arrived at a device, and what of the app matters for showing it.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// The kind of device token that it was sent to.
    pub kind: TokenKind,
    /// Its `apns-push-type`, if it has one.
    pub push_type: Option<PushType>,
    /// Its `apns-priority`, if it has one.
    pub priority: Option<Priority>,
    /// Its `apns-collapse-id`, if it has one.
    pub collapse_id: Option<&'a [u8]>,
    /// Its payload, whatever it is.
    pub payload: &'a [u8],
    /// Whether the user lets the app show notifications.
    pub permission: bool,
    /// The app's localised strings.
    pub strings: &'a Strings,
    /// The app's Live Activity that the device token belongs to. `None` for a push-to-start token, and for every
    /// other kind.
    pub activity: Option<u32>,
}

/// What becomes of a push at a device.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Rendering {
    /// What the device does.
    pub shown: Shown,
    /// What is wrong with the push, each mistake once.
    pub warnings: Vec<Warning>,
}

/// What a device does with this push, looked at by itself.
///
/// What Apple does not document, how a device takes a push that breaks a rule, is decided here the way that a
/// sender should fear: the page on sending requests says that APNs may drop such a push altogether.
///
/// ```
/// use mock_apns_core::{
///     PushType, TokenKind,
///     rendering::{Arrival, Shown, Strings, render},
/// };
///
/// let rendering = render(&Arrival {
///     kind: TokenKind::App,
///     push_type: Some(PushType::Alert),
///     priority: None,
///     collapse_id: None,
///     payload: br#"{"aps":{"alert":{"loc-key":"GREETING","loc-args":["Ann"]}}}"#,
///     permission: true,
///     strings: &Strings::from_iter([("GREETING", "%@ says hello")]),
///     activity: None,
/// });
/// let Shown::Banner(banner) = rendering.shown else { panic!("nothing to read") };
/// assert_eq!(banner.body.as_deref(), Some("Ann says hello"));
/// assert_eq!(rendering.warnings, []);
/// ```
pub fn render(arrival: &Arrival<'_>) -> Rendering {
    let mut reader = Reader::new(arrival.strings);
    let shown = shown(arrival, &mut reader).unwrap_or_else(|why| Shown::Nothing { why });
    Rendering { shown, warnings: reader.into_warnings() }
}

fn shown(arrival: &Arrival<'_>, reader: &mut Reader<'_>) -> Result<Shown, Dropped> {
    match arrival.push_type {
        None => reader.warn(Warning::NoPushType),
        Some(push_type) if push_type.token_kind() != arrival.kind => {
            reader.warn(Warning::PushTypeNotForToken);
            return Err(Dropped::PushTypeNotForToken);
        }
        Some(_) => {}
    }
    let payload = reader.payload(arrival.payload)?;
    match arrival.kind {
        TokenKind::App => app::shown(arrival, &payload, reader),
        TokenKind::Voip => Ok(Shown::Call),
        TokenKind::Complication => Ok(Shown::ComplicationUpdate),
        TokenKind::FileProvider => file_provider_signal(&payload),
        TokenKind::Location => Ok(Shown::LocationQuery),
        TokenKind::LiveActivity => {
            let aps = reader.aps(&payload)?;
            let live_activity = LiveActivity::read(arrival.activity, aps, reader)?;
            Ok(Shown::LiveActivity(Box::new(live_activity)))
        }
        TokenKind::PushToTalk => Ok(Shown::PushToTalk),
        TokenKind::Widgets => reload(Reloaded::Widgets, &payload, reader),
        TokenKind::Controls => reload(Reloaded::Controls, &payload, reader),
    }
}

fn file_provider_signal(payload: &Map<String, Value>) -> Result<Shown, Dropped> {
    let text = |key| payload.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
    let container_identifier = text("container-identifier").ok_or(Dropped::NoContainerIdentifier)?;
    Ok(Shown::FileProviderSignal { container_identifier, domain: text("domain") })
}

fn reload(what: Reloaded, payload: &Map<String, Value>, reader: &mut Reader<'_>) -> Result<Shown, Dropped> {
    match reader.aps(payload)?.get("content-changed") {
        Some(Value::Bool(true)) => {}
        Some(number) if number.as_u64() == Some(1) => reader.warn(Warning::ContentChangedNotTrue),
        _ => return Err(Dropped::NoContentChanged),
    }
    Ok(Shown::Reload { what })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{sent::Sent, *};

    #[test]
    fn a_payload_that_is_no_dictionary_of_json_shows_nothing_whatever_the_kind_of_token() {
        for &push_type in PushType::ALL {
            let sent = Sent::new(push_type, &json!({}));
            for (payload, why) in [
                (&b"hello"[..], Dropped::NotJson),
                (b"", Dropped::NotJson),
                (b"\xff", Dropped::NotJson),
                (b"{\"aps\":{}", Dropped::NotJson),
                (b"[]", Dropped::NotADictionary),
                (b"\"{}\"", Dropped::NotADictionary),
            ] {
                let rendering = Sent { payload: payload.to_vec(), ..sent.clone() }.render();
                assert_eq!(rendering.shown, Shown::Nothing { why }, "{push_type:?}");
                assert_eq!(rendering.warnings, [Warning::MalformedAps], "{push_type:?}");
            }
        }
    }

    #[test]
    fn what_is_nested_too_deeply_is_not_json() {
        let sent = Sent { payload: b"[".repeat(4096), ..Sent::alert(&json!({})) };
        assert_eq!(sent.dropped(), Dropped::NotJson);
    }

    #[test]
    fn what_needs_aps_shows_nothing_without_it() {
        for push_type in [
            PushType::Alert,
            PushType::Background,
            PushType::LiveActivity,
            PushType::Widgets,
            PushType::Controls,
        ] {
            for (payload, why) in [
                (json!({ "alert": "outside" }), Dropped::NoAps),
                (json!({ "aps": "alert" }), Dropped::ApsNotADictionary),
                (json!({ "aps": null }), Dropped::ApsNotADictionary),
            ] {
                let sent =
                    Sent { priority: Some(Priority::PowerConsiderate), ..Sent::new(push_type, &payload) };
                assert_eq!(sent.dropped(), why, "{push_type:?}");
                assert_eq!(sent.warnings(), [Warning::MalformedAps], "{push_type:?}");
            }
        }
    }

    #[test]
    fn a_push_type_of_another_kind_of_token_shows_nothing() {
        let payload = json!({ "aps": { "alert": "Hello" } });
        for (kind, push_type) in [
            (TokenKind::Voip, PushType::Alert),
            (TokenKind::App, PushType::Voip),
            (TokenKind::App, PushType::LiveActivity),
            (TokenKind::Widgets, PushType::Controls),
        ] {
            let sent = Sent { kind, ..Sent::new(push_type, &payload) };
            assert_eq!(sent.dropped(), Dropped::PushTypeNotForToken);
            assert_eq!(sent.warnings(), [Warning::PushTypeNotForToken]);
        }
    }

    #[test]
    fn every_kind_of_token_goes_without_a_push_type_and_is_warned_of() {
        for &push_type in PushType::ALL {
            let sent = Sent { push_type: None, ..Sent::new(push_type, &json!({ "aps": {} })) };
            assert_eq!(sent.warnings().first(), Some(&Warning::NoPushType), "{push_type:?}");
        }
        let call = Sent { push_type: None, ..Sent::new(PushType::Voip, &json!({})) };
        assert_eq!(call.shown(), Shown::Call);
    }

    #[test]
    fn pushkit_and_location_pushes_need_neither_aps_nor_permission() {
        for (push_type, shown) in [
            (PushType::Voip, Shown::Call),
            (PushType::PushToTalk, Shown::PushToTalk),
            (PushType::Complication, Shown::ComplicationUpdate),
            (PushType::Location, Shown::LocationQuery),
        ] {
            let sent = Sent { permission: false, ..Sent::new(push_type, &json!({ "any": "thing" })) };
            assert_eq!(sent.render(), Rendering { shown, warnings: vec![] });
        }
    }

    #[test]
    fn a_file_provider_is_told_its_container() {
        let sent =
            Sent::new(PushType::FileProvider, &json!({ "container-identifier": "root", "domain": "work" }));
        let domain = Some("work".to_owned());
        assert_eq!(
            sent.shown(),
            Shown::FileProviderSignal { container_identifier: "root".to_owned(), domain }
        );
        let sent = Sent::new(PushType::FileProvider, &json!({ "domain": "work" }));
        assert_eq!(sent.dropped(), Dropped::NoContainerIdentifier);
    }

    #[test]
    fn widgets_and_controls_reload_when_their_content_has_changed() {
        for (push_type, what) in
            [(PushType::Widgets, Reloaded::Widgets), (PushType::Controls, Reloaded::Controls)]
        {
            let sent =
                |changed: Value| Sent::new(push_type, &json!({ "aps": { "content-changed": changed } }));
            let (shown, warnings) = (Shown::Reload { what }, vec![]);
            assert_eq!(sent(json!(true)).render(), Rendering { shown, warnings });
            let (shown, warnings) = (Shown::Reload { what }, vec![Warning::ContentChangedNotTrue]);
            assert_eq!(sent(json!(1)).render(), Rendering { shown, warnings });
            for changed in [json!(false), json!(0), json!("true"), json!(null)] {
                assert_eq!(sent(changed).dropped(), Dropped::NoContentChanged);
            }
        }
    }
}
