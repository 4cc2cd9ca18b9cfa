//! How the core's own types are written in JSON, for serde's `serialize_with` and `skip_serializing_if`.

#![expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "the signatures that serde asks for"
)]

use serde::{Serialize, Serializer};

use crate::{BundleId, Timestamp};

pub(super) fn bundle_id<S: Serializer>(bundle_id: &BundleId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(bundle_id.as_str())
}

pub(super) fn millis<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(at.as_millis())
}

pub(super) fn optional_millis<S: Serializer>(
    at: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    at.map(Timestamp::as_millis).serialize(serializer)
}

/// A header's value need not be text, but what is not is nothing to show.
pub(super) fn optional_text<S: Serializer>(
    bytes: &Option<Box<[u8]>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    bytes.as_deref().map(String::from_utf8_lossy).serialize(serializer)
}

pub(super) const fn is_false(flag: &bool) -> bool {
    !*flag
}
