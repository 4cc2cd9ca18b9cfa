//! Apps: what a team may push to.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{BundleId, PushType, TokenKind, rendering::Strings};

/// An app of a team, with its capabilities.
///
/// ```
/// use mock_apns_core::{App, BundleId, PushType, PushTypes, TokenKind};
///
/// let mut app = App::new(BundleId::parse("com.example.app")?);
/// app.push_types = PushTypes::of(&[PushType::Alert, PushType::Voip]);
/// assert!(app.takes(TokenKind::Voip) && !app.takes(TokenKind::Location));
/// # Ok::<(), mock_apns_core::BundleIdError>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct App {
    /// Its bundle identifier, which is its topic; or the topic of an MDM server, a Wallet pass type or a website,
    /// which take pushes like an app's.
    pub bundle_id: BundleId,
    /// What it was built to receive. It has topics, and its devices get tokens, for these alone.
    pub push_types: PushTypes,
    /// Whether broadcast push notifications are switched on for it.
    pub broadcast: bool,
    /// Its localised strings, which `loc-key` and its like name.
    pub strings: Strings,
}

impl App {
    /// An app with this bundle identifier that receives every push type, without broadcasts and localised strings.
    pub fn new(bundle_id: BundleId) -> Self {
        Self { bundle_id, push_types: PushTypes::ALL, broadcast: false, strings: Strings::default() }
    }

    /// Whether it receives some push type that goes to this kind of device token.
    pub fn takes(&self, kind: TokenKind) -> bool {
        PushType::ALL
            .iter()
            .any(|push_type| push_type.token_kind() == kind && self.push_types.contains(*push_type))
    }
}

/// Where an app stands in its team. Apps are never removed, so a place stays valid.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) struct AppIndex(pub(crate) u16);

/// A set of push types.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PushTypes(u16);

impl PushTypes {
    /// Every push type.
    pub const ALL: Self = Self::of(PushType::ALL);

    /// These push types.
    pub const fn of(push_types: &[PushType]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < push_types.len() {
            bits |= 1 << push_types[at] as u16;
            at += 1;
        }
        Self(bits)
    }

    /// Whether this push type is one of them.
    pub const fn contains(self, push_type: PushType) -> bool {
        self.0 & (1 << push_type as u16) != 0
    }
}

/// A list of push types.
impl Serialize for PushTypes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let push_types: Vec<PushType> =
            PushType::ALL.iter().copied().filter(|push_type| self.contains(*push_type)).collect();
        push_types.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PushTypes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(|push_types| Self::of(&push_types))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_it_was_made_of() {
        let set = PushTypes::of(&[PushType::Alert, PushType::Controls]);
        for &push_type in PushType::ALL {
            let expected = matches!(push_type, PushType::Alert | PushType::Controls);
            assert_eq!(set.contains(push_type), expected, "{push_type:?}");
            assert!(PushTypes::ALL.contains(push_type));
        }
    }

    #[test]
    fn background_pushes_go_to_the_token_of_alerts() {
        let mut app = App::new(BundleId::parse("com.example.app").unwrap());
        app.push_types = PushTypes::of(&[PushType::Background]);
        let taken: Vec<TokenKind> = TokenKind::ALL.iter().copied().filter(|kind| app.takes(*kind)).collect();
        assert_eq!(taken, [TokenKind::App]);
    }
}
