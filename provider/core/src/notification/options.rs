use crate::collapse_id::CollapseId;
use crate::expiration::Expiration;
use crate::priority::Priority;

/// What any notification may ask of its delivery.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Options {
    /// Without one: the push type's default.
    pub(super) priority: Option<Priority>,
    /// Without one: the push type's default.
    pub(super) expiration: Option<Expiration>,
    pub(super) collapse_id: Option<CollapseId>,
}
