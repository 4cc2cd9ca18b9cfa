//! A notification as a person reads it in a terminal.

use std::fmt::{self, Display, Formatter};

use mock_apns_core::{NotificationMessage, Priority};

use crate::Named as _;

/// A line of who and when, then what the device shows.
pub(super) struct Banner<'a>(pub(super) &'a NotificationMessage);

impl Display for Banner<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let it = self.0;
        write!(f, "{} {} ({}", Time(it.received_at.as_secs()), it.app, it.environment.name())?;
        write!(f, ", {}", it.push_type.map_or("no push type", |push_type| push_type.as_str()))?;
        if it.priority != Priority::Immediate {
            write!(f, ", priority {}", it.priority.number())?;
        }
        if let Some(activity) = it.activity {
            write!(f, ", activity {activity}")?;
        }
        if let Some(id) = &it.collapse_id {
            write!(f, ", collapse id {}", id.escape_debug())?;
        }
        writeln!(f, "{})", if it.from_storage { ", was stored" } else { "" })?;
        writeln!(f, "{}", it.text)
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
    fn a_banner_says_who_and_when_and_what_is_shown() {
        let fields = r#""priority":10,"shown":{},"text":"┃ Title\n┃ Body\nwarning no-push-type: …""#;
        let expected = "22:13:20 UTC com.example.app (sandbox, no push type)\n┃ Title\n┃ Body\nwarning no-push-type: …\n";
        assert_eq!(banner(fields), expected);
    }

    #[test]
    fn what_is_unusual_about_a_push_is_said() {
        let fields = r#""priority":5,"push-type":"liveactivity","collapse-id":"a\u001b[2J","activity":2"#;
        let expected = "22:13:20 UTC com.example.app (sandbox, liveactivity, priority 5, activity 2, collapse id a\\u{1b}[2J)\n┃ On\n";
        assert_eq!(banner(&format!(r#"{fields},"shown":{{}},"text":"┃ On""#)), expected);
    }
}
