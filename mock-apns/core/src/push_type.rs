//! Push types, and the kinds of device token that they go to: two tables.

use crate::{BundleId, Priority};

/// Declares [`TokenKind`] and what is known of each kind.
macro_rules! token_kinds {
    ($($variant:ident $name:literal $suffix:literal $meaning:literal;)*) => {
        /// What a device token is for. An app has one token for each kind that it registers for, and a kind has one
        /// topic: the bundle identifier and this suffix.
        /// Source: Apple, "Sending notification requests to APNs" and the pages of each framework.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum TokenKind {
            $(#[doc = $meaning] $variant,)*
        }

        impl TokenKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name, in messages and on command lines.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What is appended to the bundle identifier to make the topic.
            pub const fn topic_suffix(self) -> &'static str {
                match self { $(Self::$variant => $suffix,)* }
            }
        }
    };
}

token_kinds! {
    App "app" "" "The app itself: alerts, background updates, MDM, Wallet passes.";
    Voip "voip" ".voip" "Incoming calls through PushKit.";
    Complication "complication" ".complication" "Watch complications through PushKit.";
    FileProvider "file-provider" ".pushkit.fileprovider" "A file provider extension.";
    Location "location" ".location-query" "A location push service extension.";
    LiveActivity "live-activity" ".push-type.liveactivity" "One Live Activity, or the start of one.";
    PushToTalk "push-to-talk" ".voip-ptt" "A joined Push to Talk channel.";
    Widgets "widgets" ".push-type.widgets" "The app's widgets.";
    Controls "controls" ".push-type.controls" "The app's controls.";
}

impl TokenKind {
    /// The kind that a topic's ending speaks of; `App` when it has none of the suffixes. Only a guess: a bundle
    /// identifier may end in `.voip` by itself, so a team's list of apps is asked first.
    pub(crate) fn of_topic(topic: &str) -> Self {
        let suffixed = |kind: &&Self| **kind != Self::App && topic.ends_with(kind.topic_suffix());
        Self::ALL.iter().find(suffixed).copied().unwrap_or(Self::App)
    }

    /// The topic of an app's tokens of this kind.
    pub fn topic(self, bundle_id: &BundleId) -> String {
        format!("{bundle_id}{}", self.topic_suffix())
    }

    /// The largest payload in bytes that a push to this kind of token may have.
    pub const fn payload_bytes_max(self) -> usize {
        match self {
            Self::Voip => VOIP_PAYLOAD_BYTES_MAX,
            _ => PAYLOAD_BYTES_MAX,
        }
    }
}

/// Declares [`PushType`] and what is known of each type.
macro_rules! push_types {
    ($($variant:ident $name:literal $kind:ident $refused:expr, $token_only:literal;)*) => {
        /// The `apns-push-type` of a push. Source: Apple, "Sending notification requests to APNs".
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum PushType {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl PushType {
            /// Every push type.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Reads an `apns-push-type` value. Apple prints it in lower case; other spellings are unknown to it.
            pub fn parse(value: &[u8]) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| it.as_str().as_bytes() == value)
            }

            /// The value of the header.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The kind of token that it goes to, and with it the topic's suffix.
            pub const fn token_kind(self) -> TokenKind {
                match self { $(Self::$variant => TokenKind::$kind,)* }
            }

            /// The priority that Apple's page calls an error for it.
            pub const fn refused_priority(self) -> Option<Priority> {
                match self { $(Self::$variant => $refused,)* }
            }

            /// Whether Apple documents it for token authentication only. No rule asks: a certificate may push to the
            /// topics that it lists, and Apple's certificates list none of these.
            pub const fn token_only(self) -> bool {
                match self { $(Self::$variant => $token_only,)* }
            }
        }
    };
}

push_types! {
    // name                            goes to       called an error            token only
    Alert        "alert"               App           None,                      false;
    Background   "background"          App           Some(Priority::Immediate), false;
    Voip         "voip"                Voip          None,                      false;
    Complication "complication"        Complication  None,                      false;
    FileProvider "fileprovider"        FileProvider  None,                      false;
    Mdm          "mdm"                 App           None,                      false;
    Location     "location"            Location      None,                      true;
    LiveActivity "liveactivity"        LiveActivity  None,                      true;
    PushToTalk   "pushtotalk"          PushToTalk    None,                      true;
    Widgets      "widgets"             Widgets       None,                      true;
    Controls     "controls"            Controls      None,                      true;
}

/// Largest payload in bytes of everything but VoIP. Source: Apple, "Generating a remote notification".
pub const PAYLOAD_BYTES_MAX: usize = 4096;

/// Largest payload in bytes of a VoIP push. Source: Apple, "Generating a remote notification".
///
/// It is the largest of all, so a shell need keep no more than one byte beyond it of any request's body: what is
/// longer is refused for its length whatever it says.
pub const VOIP_PAYLOAD_BYTES_MAX: usize = 5120;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_value_finds_its_push_type_exactly() {
        for &push_type in PushType::ALL {
            assert_eq!(PushType::parse(push_type.as_str().as_bytes()), Some(push_type));
        }
        for value in [&b""[..], b"Alert", b"alert ", b"silent"] {
            assert_eq!(PushType::parse(value), None);
        }
    }

    #[test]
    fn a_topic_ending_speaks_of_its_kind() {
        for &kind in TokenKind::ALL {
            assert_eq!(TokenKind::of_topic(&format!("com.example.app{}", kind.topic_suffix())), kind);
        }
        assert_eq!(TokenKind::of_topic("com.example.voiphone"), TokenKind::App);
    }

    #[test]
    fn only_voip_may_be_longer() {
        for &kind in TokenKind::ALL {
            let expected = if kind == TokenKind::Voip { 5120 } else { 4096 };
            assert_eq!(kind.payload_bytes_max(), expected, "{kind:?}");
        }
    }
}
