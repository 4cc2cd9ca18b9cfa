//! What a device token is for: one table.

use std::fmt;

use apns_provider_core::PushType;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Declares [`Kind`]: the number it is stored by, its name, and the push types that go to it. The name is a `tt`: of what comes as a
/// `literal`, utoipa does not see that it is one.
macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident $number:literal $name:tt [$($push_type:ident),+];)*) => {
        /// What a device token was issued for. It decides the suffix of the topic and which push types go to it.
        #[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum Kind {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl Kind {
            /// Every kind, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The number it is stored by, which does not change.
            pub const fn number(self) -> u8 {
                match self { $(Self::$variant => $number,)* }
            }

            /// The kind with this number.
            pub const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }

            /// The push types that go to it.
            pub const fn push_types(self) -> &'static [PushType] {
                match self { $(Self::$variant => &[$(PushType::$push_type),+],)* }
            }
        }
    };
}

kinds! {
    /// Of the app itself: alerts, and background pushes.
    #[default]
    Alert 1 "alert" [Alert, Background];
    /// Of a watchOS complication.
    Complication 2 "complication" [Complication];
    /// Of the app's controls.
    Controls 3 "controls" [Controls];
    /// Of a File Provider extension.
    FileProvider 4 "fileprovider" [FileProvider];
    /// Of one Live Activity: updates, and its end.
    LiveActivity 5 "liveactivity" [LiveActivity];
    /// Of an app that lets Live Activities be started by a push.
    LiveActivityStart 6 "liveactivity-start" [LiveActivity];
    /// Of a location push extension.
    Location 7 "location" [Location];
    /// Of a managed device; the app is the MDM certificate's topic.
    Mdm 8 "mdm" [Mdm];
    /// Of Push to Talk.
    PushToTalk 9 "pushtotalk" [PushToTalk];
    /// Of calls.
    Voip 10 "voip" [Voip];
    /// Of the app's widgets.
    Widgets 11 "widgets" [Widgets];
}

impl Kind {
    /// The kind with this name.
    pub fn parse(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text).ok_or(UnknownKind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is no kind.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error(
    "it is no kind of device token; write alert, complication, controls, fileprovider, liveactivity, liveactivity-start, location, mdm, \
     pushtotalk, voip or widgets"
)]
pub struct UnknownKind;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_number_and_its_name() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_number(kind.number()), Some(*kind));
            assert_eq!(Kind::parse(kind.as_str()), Ok(*kind));
            assert_eq!(serde_json::to_string(kind).unwrap(), format!("{:?}", kind.as_str()));
            assert!(UnknownKind.to_string().contains(kind.as_str()), "{kind}");
        }
        assert_eq!((Kind::from_number(0), Kind::parse("Alert")), (None, Err(UnknownKind)));
    }

    #[test]
    fn every_push_type_goes_to_some_kind_and_a_kinds_types_share_a_topic() {
        for push_type in PushType::all() {
            assert!(Kind::ALL.iter().any(|kind| kind.push_types().contains(&push_type)), "{push_type}");
        }
        for kind in Kind::ALL {
            let suffix = kind.push_types()[0].topic_suffix();
            assert!(kind.push_types().iter().all(|it| it.topic_suffix() == suffix), "{kind}");
        }
    }
}
