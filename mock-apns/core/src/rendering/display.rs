//! What a device shows, as text for a terminal.
//!
//! ```text
//! ┃ Lunch
//! ┃ Ann is waiting
//! ┃ badge 3 · sound default · thread lunch
//! warning no-push-type: There is no apns-push-type header. …
//! ```

use std::fmt::{self, Display, Formatter, Write as _};

use super::{Banner, InterruptionLevel, LiveActivity, LiveActivityEvent, Reloaded, Rendering, Shown, Sound};

impl Display for Rendering {
    /// What is shown, and a line for each warning.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.shown)?;
        self.warnings.iter().try_for_each(|warning| write!(f, "\nwarning {}: {warning}", warning.id()))
    }
}

impl Display for Shown {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Banner(banner) => banner.fmt(f),
            Self::BadgeOrSound { badge, sound, wakes_app } => {
                let banner = Banner {
                    badge: *badge,
                    sound: sound.clone(),
                    wakes_app: *wakes_app,
                    ..Banner::default()
                };
                banner.fmt(f)
            }
            Self::Wake => f.write_str("wakes the app in the background"),
            Self::Call => f.write_str("incoming call: the app reports it to CallKit"),
            Self::PushToTalk => f.write_str("Push to Talk: the channel wakes the app"),
            Self::ComplicationUpdate => f.write_str("the watch complication renews its data"),
            Self::FileProviderSignal { container_identifier, .. } => {
                write!(f, "the file provider looks at {}", Plain(container_identifier))
            }
            Self::LocationQuery => f.write_str("the location extension is asked where the device is"),
            Self::MdmCheckIn { .. } => f.write_str("the device contacts its MDM server"),
            Self::Reload { what: Reloaded::Widgets } => f.write_str("the app's widgets reload"),
            Self::Reload { what: Reloaded::Controls } => f.write_str("the app's controls reload"),
            Self::LiveActivity(live_activity) => live_activity.fmt(f),
            Self::Nothing { why } => write!(f, "nothing ({}): {why}", why.id()),
        }
    }
}

impl Display for Banner {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut block = Block(String::new());
        for text in [&self.title, &self.subtitle, &self.body].into_iter().flatten() {
            block.lines(text);
        }
        block.notes(&self.notes());
        f.write_str(&block.0)
    }
}

impl Banner {
    /// What goes with the text, a few words each.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        notes.extend(self.badge.map(|badge| match badge {
            0 => "no badge".to_owned(),
            badge => format!("badge {badge}"),
        }));
        notes.extend(self.sound.as_ref().map(ToString::to_string));
        notes.extend(self.thread_id.as_ref().map(|thread_id| format!("thread {thread_id}")));
        notes.extend(self.category.as_ref().map(|category| format!("category {category}")));
        notes.extend(self.interruption_level.map(|level| {
            let level = match level {
                InterruptionLevel::Passive => "passive",
                InterruptionLevel::Active => "active",
                InterruptionLevel::TimeSensitive => "time-sensitive",
                InterruptionLevel::Critical => "critical",
            };
            level.to_owned()
        }));
        notes.extend(self.mutable_content.then(|| "the service extension may change it".to_owned()));
        notes.extend(self.wakes_app.then(|| "wakes the app".to_owned()));
        notes
    }
}

impl Display for Sound {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}sound {}", if self.critical { "critical " } else { "" }, Plain(&self.name))?;
        self.volume.map_or(Ok(()), |volume| write!(f, " at {volume}"))
    }
}

impl Display for LiveActivity {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let event = match self.event {
            LiveActivityEvent::Start => "starts",
            LiveActivityEvent::Update => "changes",
            LiveActivityEvent::End => "ends",
        };
        let mut block = Block(String::new());
        match self.activity {
            Some(activity) => block.lines(&format!("Live Activity {activity} {event}")),
            None => block.lines(&format!("Live Activity {event}")),
        }
        if let Some(attributes_type) = &self.attributes_type {
            block.lines(attributes_type);
        }
        if let Some(content_state) = &self.content_state {
            block.lines(&content_state.to_string());
        }
        let mut notes = vec![format!("as of {}", self.timestamp)];
        notes.extend(self.stale_date.as_ref().map(|date| format!("stale from {date}")));
        notes.extend(self.dismissal_date.as_ref().map(|date| format!("gone from {date}")));
        block.notes(&notes);
        if let Some(alert) = &self.alert {
            write!(block.0, "\n{alert}")?;
        }
        f.write_str(&block.0)
    }
}

/// Lines with a bar before each, so that what a push says stands apart from what is said about it.
struct Block(String);

impl Block {
    fn lines(&mut self, text: &str) {
        for line in text.lines() {
            if !self.0.is_empty() {
                self.0.push('\n');
            }
            self.0.push_str("┃ ");
            self.0.extend(Plain(line).chars());
        }
    }

    fn notes(&mut self, notes: &[String]) {
        if !notes.is_empty() {
            self.lines(&notes.join(" · "));
        }
    }
}

/// Text from outside without control characters: it must not command the terminal that shows it.
struct Plain<'a>(&'a str);

impl Plain<'_> {
    fn chars(&self) -> impl Iterator<Item = char> {
        self.0.chars().map(|char| if char.is_control() { char::REPLACEMENT_CHARACTER } else { char })
    }
}

impl Display for Plain<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.chars().try_for_each(|char| f.write_char(char))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{PushType, rendering::sent::Sent};

    #[test]
    fn a_banner_is_a_block_of_text() {
        let sent = Sent::alert(&json!({
            "alert": { "title": "Lunch", "subtitle": "with Ann", "body": "At noon,\nin the park" },
            "badge": 3, "sound": "default", "thread-id": "meals", "category": "INVITATION",
            "interruption-level": "time-sensitive", "mutable-content": 1, "content-available": 1,
        }));
        let expected = "\
            ┃ Lunch\n\
            ┃ with Ann\n\
            ┃ At noon,\n\
            ┃ in the park\n\
            ┃ badge 3 · sound default · thread meals · category INVITATION · time-sensitive · the service extension \
            may change it · wakes the app";
        assert_eq!(sent.shown().to_string(), expected);
    }

    #[test]
    fn a_badge_or_a_critical_sound_is_a_line() {
        let critical = json!({ "name": "siren.caf", "critical": 1, "volume": 0.5 });
        let sent = Sent::alert(&json!({ "badge": 0, "sound": critical }));
        assert_eq!(sent.shown().to_string(), "┃ no badge · critical sound siren.caf at 0.5");
    }

    #[test]
    fn a_live_activity_shows_its_state_and_its_alert() {
        let sent = Sent::activity(
            Some(7),
            &json!({
                "event": "update", "timestamp": 100, "content-state": { "score": 1 }, "stale-date": 200,
                "alert": { "title": "Goal", "body": "1 : 0" },
            }),
        );
        let expected = "\
            ┃ Live Activity 7 changes\n\
            ┃ {\"score\":1}\n\
            ┃ as of 100 · stale from 200\n\
            ┃ Goal\n\
            ┃ 1 : 0";
        assert_eq!(sent.shown().to_string(), expected);
    }

    #[test]
    fn nothing_says_why_and_each_warning_has_a_line() {
        let sent = Sent { push_type: None, ..Sent::new(PushType::Alert, &json!({})) };
        let text = sent.render().to_string();
        let starts = ["nothing (no-aps): The ", "warning no-push-type: ", "warning malformed-aps: "];
        assert_eq!(text.lines().count(), starts.len());
        for (line, start) in text.lines().zip(starts) {
            assert!(line.starts_with(start) && line.ends_with('.'), "{line}");
        }
    }

    #[test]
    fn a_push_cannot_command_the_terminal() {
        let aps = json!({ "alert": { "title": "\u{1b}[2J", "body": "a\u{9b}b\u{7}" }, "sound": "x\u{1b}c" });
        let text = Sent::alert(&aps).shown().to_string();
        assert!(
            text.contains("\u{fffd}[2J") && !text.chars().any(|it| it.is_control() && it != '\n'),
            "{text:?}"
        );
    }

    #[test]
    fn what_only_wakes_something_is_a_sentence() {
        for (push_type, payload, start) in [
            (PushType::Background, json!({ "aps": { "content-available": 1 } }), "wakes the app"),
            (PushType::Voip, json!({}), "incoming call"),
            (PushType::PushToTalk, json!({}), "Push to Talk"),
            (PushType::Complication, json!({}), "the watch complication"),
            (
                PushType::FileProvider,
                json!({ "container-identifier": "root" }),
                "the file provider looks at root",
            ),
            (PushType::Location, json!({}), "the location extension"),
            (PushType::Mdm, json!({ "mdm": "magic" }), "the device contacts"),
            (PushType::Widgets, json!({ "aps": { "content-changed": true } }), "the app's widgets"),
            (PushType::Controls, json!({ "aps": { "content-changed": true } }), "the app's controls"),
        ] {
            let text = Sent::new(push_type, &payload).shown().to_string();
            assert!(text.starts_with(start), "{text}");
        }
    }
}
