use std::fmt;

use crate::priority::Priority;

/// What kind of push it is, `apns-push-type`.
///
/// What each type asks of the topic, the priority and the payload is one row of the table in this file; the
/// source is Apple's "Sending notification requests to APNs" unless a row says more.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum PushType {
    /// Something for the user: an alert, a sound, a badge.
    Alert,
    /// Wakes the app in silence.
    Background,
    /// New data for a watchOS complication.
    Complication,
    /// Tells the system to reload controls.
    Controls,
    /// Tells a File Provider extension of changes.
    FileProvider,
    /// Starts, updates or ends a Live Activity.
    LiveActivity,
    /// Asks for the device's location.
    Location,
    /// Tells a managed device to contact its MDM server.
    Mdm,
    /// Push to Talk.
    PushToTalk,
    /// An incoming call.
    Voip,
    /// Tells the system to reload widgets.
    Widgets,
}

impl PushType {
    /// Every type, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.push_type)
    }

    /// The type with this header value.
    pub fn from_wire(text: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.wire == text).map(|row| row.push_type)
    }

    /// The header's value.
    pub fn as_str(self) -> &'static str {
        self.row().wire
    }

    /// What follows the bundle ID in the topic; empty for types whose topic is the bundle ID.
    pub fn topic_suffix(self) -> &'static str {
        self.row().topic_suffix
    }

    /// The priorities APNs takes for this type, the usual one first.
    pub fn priorities(self) -> &'static [Priority] {
        self.row().priorities
    }

    /// The priority of a push that asks for none.
    pub fn default_priority(self) -> Priority {
        self.row().priorities[0]
    }

    /// The largest payload, in bytes.
    pub fn payload_bytes_max(self) -> usize {
        self.row().payload_bytes_max
    }

    pub(crate) fn audience(self) -> Audience {
        self.row().audience
    }

    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

impl fmt::Display for PushType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whom a payload speaks to, as far as the `aps` dictionary can tell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Audience {
    /// The app alone: `content-available` 1, and no `alert`, `badge` or `sound`.
    App,
    /// An extension, the system or the app: nothing is asked of `aps` here.
    Other,
    /// The user: at least one of `alert`, `badge` and `sound`.
    User,
}

struct Row {
    push_type: PushType,
    wire: &'static str,
    topic_suffix: &'static str,
    priorities: &'static [Priority],
    payload_bytes_max: usize,
    audience: Audience,
}

const fn row(
    push_type: PushType,
    wire: &'static str,
    topic_suffix: &'static str,
    priorities: &'static [Priority],
    payload_bytes_max: usize,
    audience: Audience,
) -> Row {
    Row { push_type, wire, topic_suffix, priorities, payload_bytes_max, audience }
}

/// A regular payload (Apple, "Generating a remote notification").
const REGULAR: usize = 4096;
/// A VoIP payload.
const LARGE: usize = 5120;

/// Apple restricts nothing, or says only which one is usual.
const ANY: &[Priority] = &[Priority::Immediate, Priority::PowerConsiderate, Priority::PowerFirst];
/// Background pushes go at 5; Apple calls 10 an error and names no other.
const FIVE: &[Priority] = &[Priority::PowerConsiderate];
/// 10 counts against the activity's budget, 5 does not; 1 exists for broadcasts only (ActivityKit push page).
const TEN_FIVE: &[Priority] = &[Priority::Immediate, Priority::PowerConsiderate];

/// In the order of the enum. Columns: type, header value, topic suffix, priorities, payload limit, audience.
static TABLE: [Row; 11] = [
    row(PushType::Alert, "alert", "", ANY, REGULAR, Audience::User),
    row(PushType::Background, "background", "", FIVE, REGULAR, Audience::App),
    row(PushType::Complication, "complication", ".complication", ANY, REGULAR, Audience::Other),
    // From iOS 18 (WidgetKit).
    row(PushType::Controls, "controls", ".push-type.controls", ANY, REGULAR, Audience::Other),
    row(PushType::FileProvider, "fileprovider", ".pushkit.fileprovider", ANY, REGULAR, Audience::Other),
    // 5120 is for broadcasts; to a device it is 4096.
    row(
        PushType::LiveActivity,
        "liveactivity",
        ".push-type.liveactivity",
        TEN_FIVE,
        REGULAR,
        Audience::Other,
    ),
    row(PushType::Location, "location", ".location-query", ANY, REGULAR, Audience::Other),
    // The topic is the UID of the MDM certificate's subject, com.apple.mgmt.External.<uuid>.
    row(PushType::Mdm, "mdm", "", ANY, REGULAR, Audience::Other),
    row(PushType::PushToTalk, "pushtotalk", ".voip-ptt", ANY, REGULAR, Audience::Other),
    row(PushType::Voip, "voip", ".voip", ANY, LARGE, Audience::Other),
    // From iOS 26 (WidgetKit).
    row(PushType::Widgets, "widgets", ".push-type.widgets", ANY, REGULAR, Audience::Other),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_finds_its_own_row() {
        for (at, row) in TABLE.iter().enumerate() {
            assert_eq!(row.push_type as usize, at, "{}", row.wire);
            assert_eq!(PushType::from_wire(row.wire), Some(row.push_type));
        }
        assert_eq!(PushType::from_wire("Alert"), None);
    }

    #[test]
    fn the_table_is_apples() {
        let wires: Vec<&str> = PushType::all().map(PushType::as_str).collect();
        assert_eq!(
            wires,
            [
                "alert",
                "background",
                "complication",
                "controls",
                "fileprovider",
                "liveactivity",
                "location",
                "mdm",
                "pushtotalk",
                "voip",
                "widgets"
            ]
        );
        let large: Vec<PushType> = PushType::all().filter(|ty| ty.payload_bytes_max() != 4096).collect();
        assert_eq!(large, [PushType::Voip]);
        let plain: Vec<PushType> = PushType::all().filter(|ty| ty.topic_suffix().is_empty()).collect();
        assert_eq!(plain, [PushType::Alert, PushType::Background, PushType::Mdm]);
    }

    #[test]
    fn the_default_is_apns_default_wherever_it_is_allowed() {
        for push_type in PushType::all() {
            let expected = match push_type {
                PushType::Background => Priority::PowerConsiderate,
                _ => Priority::Immediate,
            };
            assert_eq!(push_type.default_priority(), expected, "{push_type}");
        }
    }
}
