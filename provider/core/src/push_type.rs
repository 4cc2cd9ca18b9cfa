use std::fmt;

use crate::expiration::Expiration;
use crate::priority::Priority;

/// What kind of push it is, `apns-push-type`.
///
/// What each type asks of the topic, the priority and the payload; the usual priority comes first:
///
/// | type | header value | topic: bundle ID and | priorities | expiration | bytes |
/// |---|---|---|---|---|---|
/// | [`Alert`](Self::Alert) | `alert` |  | 10, 5, 1 |  | 4096 |
/// | [`Background`](Self::Background) | `background` |  | 5 |  | 4096 |
/// | [`Complication`](Self::Complication) | `complication` | `.complication` | 10, 5, 1 |  | 4096 |
/// | [`Controls`](Self::Controls) | `controls` | `.push-type.controls` | 10, 5, 1 |  | 4096 |
/// | [`FileProvider`](Self::FileProvider) | `fileprovider` | `.pushkit.fileprovider` | 10, 5, 1 |  | 4096 |
/// | [`LiveActivity`](Self::LiveActivity) | `liveactivity` | `.push-type.liveactivity` | 10, 5 |  | 4096 |
/// | [`Location`](Self::Location) | `location` | `.location-query` | 10, 5, 1 |  | 4096 |
/// | [`Mdm`](Self::Mdm) | `mdm` |  | 10, 5, 1 |  | 4096 |
/// | [`PushToTalk`](Self::PushToTalk) | `pushtotalk` | `.voip-ptt` | 10, 5, 1 | 0 | 4096 |
/// | [`Voip`](Self::Voip) | `voip` | `.voip` | 10, 5, 1 |  | 5120 |
/// | [`Widgets`](Self::Widgets) | `widgets` | `.push-type.widgets` | 10, 5, 1 |  | 4096 |
///
/// The source is Apple's "Sending notification requests to APNs" unless a row of the table in this file says
/// more. Without an expiration APNs' own storage time applies, up to 30 days.
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

    /// The expiration of a push that asks for none. Without one APNs' own storage time applies.
    pub fn default_expiration(self) -> Option<Expiration> {
        self.row().expiration
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
    /// Of a push that asks for none.
    expiration: Option<Expiration>,
    payload_bytes_max: usize,
    audience: Audience,
}

const fn row(
    push_type: PushType,
    wire: &'static str,
    topic_suffix: &'static str,
    priorities: &'static [Priority],
    expiration: Option<Expiration>,
    payload_bytes_max: usize,
    audience: Audience,
) -> Row {
    Row { push_type, wire, topic_suffix, priorities, expiration, payload_bytes_max, audience }
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

/// APNs' storage time.
const STORED: Option<Expiration> = None;
/// Apple advises 0 for what is worthless a moment later (the PushToTalk framework).
const ONCE: Option<Expiration> = Some(Expiration::ONCE);

/// In the order of the enum. Columns: type, header value, topic suffix, priorities, expiration, payload limit,
/// audience.
static TABLE: [Row; 11] = [
    row(PushType::Alert, "alert", "", ANY, STORED, REGULAR, Audience::User),
    row(PushType::Background, "background", "", FIVE, STORED, REGULAR, Audience::App),
    row(PushType::Complication, "complication", ".complication", ANY, STORED, REGULAR, Audience::Other),
    // From iOS 18 (WidgetKit).
    row(PushType::Controls, "controls", ".push-type.controls", ANY, STORED, REGULAR, Audience::Other),
    row(
        PushType::FileProvider,
        "fileprovider",
        ".pushkit.fileprovider",
        ANY,
        STORED,
        REGULAR,
        Audience::Other,
    ),
    // 5120 is for broadcasts; to a device it is 4096.
    row(
        PushType::LiveActivity,
        "liveactivity",
        ".push-type.liveactivity",
        TEN_FIVE,
        STORED,
        REGULAR,
        Audience::Other,
    ),
    row(PushType::Location, "location", ".location-query", ANY, STORED, REGULAR, Audience::Other),
    // The topic is the UID of the MDM certificate's subject, com.apple.mgmt.External.<uuid>.
    row(PushType::Mdm, "mdm", "", ANY, STORED, REGULAR, Audience::Other),
    row(PushType::PushToTalk, "pushtotalk", ".voip-ptt", ANY, ONCE, REGULAR, Audience::Other),
    row(PushType::Voip, "voip", ".voip", ANY, STORED, LARGE, Audience::Other),
    // From iOS 26 (WidgetKit).
    row(PushType::Widgets, "widgets", ".push-type.widgets", ANY, STORED, REGULAR, Audience::Other),
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

    /// What the documentation tells is what the table says; to renew it, paste what the test shows.
    #[test]
    fn the_documentation_tells_the_table() {
        let rows: Vec<String> = PushType::all().map(documented).collect();
        let told: Vec<&str> =
            include_str!("push_type.rs").lines().filter(|line| line.starts_with("/// | [`")).collect();
        assert_eq!(told, rows, "\n{}\n", rows.join("\n"));
    }

    fn documented(push_type: PushType) -> String {
        let priorities: Vec<&str> = push_type.priorities().iter().map(|it| it.as_str()).collect();
        let suffix = match push_type.topic_suffix() {
            "" => String::new(),
            suffix => format!("`{suffix}`"),
        };
        let expiration =
            push_type.default_expiration().map_or_else(String::new, |it| it.as_secs().to_string());
        format!(
            "/// | [`{push_type:?}`](Self::{push_type:?}) | `{push_type}` | {suffix} | {} | {expiration} | {} |",
            priorities.join(", "),
            push_type.payload_bytes_max()
        )
    }

    #[test]
    fn only_speech_is_worthless_a_moment_later() {
        let once: Vec<PushType> = PushType::all().filter(|it| it.default_expiration().is_some()).collect();
        assert_eq!(once, [PushType::PushToTalk]);
        assert_eq!(PushType::PushToTalk.default_expiration(), Some(Expiration::ONCE));
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
