//! A notification as a person reads it in a terminal.

use std::fmt::{self, Display, Formatter};

use mock_apns_core::{NotificationMessage, Priority};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::Named as _;

/// Two lines of who and when, then what the device shows.
pub(super) struct Banner<'a>(pub(super) &'a NotificationMessage);

/// The `shown` of a message: what the device shows, and what is to be noticed about it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Shown {
    shown: Map<String, Value>,
    warnings: Vec<Value>,
}

impl Display for Banner<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let it = self.0;
        write!(f, "{} {} ({}", Time(it.received_at.as_secs()), it.app, it.environment.name())?;
        write!(f, ", {}", it.push_type.map_or("no push type", |push_type| push_type.as_str()))?;
        match it.priority {
            Priority::Immediate => {}
            Priority::PowerConsiderate => write!(f, ", priority 5")?,
            Priority::PowerFirst => write!(f, ", priority 1")?,
        }
        if let Some(activity) = it.activity {
            write!(f, ", activity {activity}")?;
        }
        if let Some(id) = &it.collapse_id {
            write!(f, ", collapse id {}", Plain(id))?;
        }
        writeln!(f, "{})", if it.from_storage { ", was stored" } else { "" })?;
        let Shown { shown, warnings } = it.shown.read().unwrap_or_default();
        // What is no rendering as we know it is shown as it is.
        if shown.is_empty() {
            writeln!(f, "  {}", Plain(it.shown.as_str()))?;
        }
        write_shown(f, &shown)?;
        for warning in &warnings {
            writeln!(f, "  warning: {}", Text(warning))?;
        }
        Ok(())
    }
}

/// A banner's texts on lines of their own, and all else by its name.
fn write_shown(f: &mut Formatter<'_>, shown: &Map<String, Value>) -> fmt::Result {
    match shown.get("type").and_then(Value::as_str) {
        Some("banner") | None => {}
        Some(other) => writeln!(f, "  {}", Plain(other))?,
    }
    for name in ["title", "subtitle", "body"] {
        if let Some(text) = shown.get(name) {
            writeln!(f, "  {}", Text(text))?;
        }
    }
    for (name, value) in shown {
        if !matches!(name.as_str(), "type" | "title" | "subtitle" | "body") && !value.is_null() {
            writeln!(f, "  {}: {}", Plain(name), Text(value))?;
        }
    }
    Ok(())
}

/// A JSON value; a string without its quotes.
struct Text<'a>(&'a Value);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::String(text) => Plain(text).fmt(f),
            other => Plain(&other.to_string()).fmt(f),
        }
    }
}

/// Text from outside without what a terminal would obey: line breaks are indented as the text is, other control
/// characters are made visible.
struct Plain<'a>(&'a str);

impl Display for Plain<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '\n' => f.write_str("\n  ")?,
                control if control.is_control() => write!(f, "{}", control.escape_default())?,
                other => write!(f, "{other}")?,
            }
        }
        Ok(())
    }
}

/// The time of day of a moment in seconds since 1970, UTC.
struct Time(u64);

impl Display for Time {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (hours, minutes, seconds) = (self.0 / 3600 % 24, self.0 / 60 % 60, self.0 % 60);
        write!(f, "{hours:02}:{minutes:02}:{seconds:02} UTC")
    }
}

#[cfg(test)]
mod tests {
    use mock_apns_core::{DeviceMessage, ToDevice};

    use super::*;

    /// What is printed of a notification with these fields beside the usual ones.
    fn banner(fields: &str) -> String {
        let line = format!(
            r#"{{"type":"notification","delivery":7,"app":"com.example.app","environment":"sandbox","kind":"app",
                "topic":"com.example.app","apns-id":"53175D61-490B-23DF-61DA-6F3DC380D507",
                "received-at":1700000000000,"from-storage":false,{fields}}}"#
        );
        match ToDevice::parse(line.as_bytes()).unwrap().message {
            DeviceMessage::Notification(notification) => Banner(&notification).to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_banner_reads_as_on_the_device() {
        let shown = r#""shown":{"shown":{"badge":3,"body":"Body","sound":"default","title":"Title","type":"banner"},
            "warnings":["no-push-type"]}"#;
        let expected = "22:13:20 UTC com.example.app (sandbox, no push type)\n  Title\n  Body\n  badge: 3\n  \
                        sound: default\n  warning: no-push-type\n";
        assert_eq!(banner(&format!("\"priority\":10,{shown}")), expected);
    }

    #[test]
    fn what_is_no_banner_is_named_and_nothing_is_left_out() {
        let shown = r#""shown":{"shown":{"type":"nothing","why":"permission-off"},"warnings":[]}"#;
        let rest = r#""priority":5,"push-type":"liveactivity","collapse-id":"a","activity":2"#;
        let expected = "22:13:20 UTC com.example.app (sandbox, liveactivity, priority 5, activity 2, collapse id a)\n  \
                        nothing\n  why: permission-off\n";
        assert_eq!(banner(&format!("{rest},{shown}")), expected);
        assert!(banner(r#""priority":10,"shown":[1]"#).ends_with("\n  [1]\n"));
    }

    #[test]
    fn a_notification_cannot_command_the_terminal() {
        let shown = r#""shown":{"shown":{"type":"banner","body":"a\u001b[2Jb\nc"}}"#;
        assert!(banner(&format!("\"priority\":10,{shown}")).ends_with("\n  a\\u{1b}[2Jb\n  c\n"));
    }
}
