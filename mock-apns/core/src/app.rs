//! Apps: what a team may push to.

use crate::BundleId;

/// An app of a team.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct App {
    /// Its bundle identifier, which is its topic; or the topic of an MDM server, a Wallet pass type or a website,
    /// which take pushes like an app's.
    pub bundle_id: BundleId,
}

impl App {
    /// An app with this bundle identifier.
    pub const fn new(bundle_id: BundleId) -> Self {
        Self { bundle_id }
    }
}
