use crate::{HostRow, LimitRow, PushTypeRow, ReasonRow, SpecError, table::read};

/// What is known of APNs: all tables, every row well-formed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Spec {
    channel_reasons: Vec<ReasonRow>,
    hosts: Vec<HostRow>,
    limits: Vec<LimitRow>,
    push_types: Vec<PushTypeRow>,
    reasons: Vec<ReasonRow>,
}

impl Spec {
    /// Reads the tables that this crate was built with.
    ///
    /// # Errors
    /// [`SpecError`] names the first row that is not well-formed: a column is missing, unknown or out of range, an id
    /// occurs twice or is not of the table's form, or there is no source.
    pub fn load() -> Result<Self, SpecError> {
        Ok(Self {
            channel_reasons: read("channel-reasons.toml", include_str!("../spec/channel-reasons.toml"))?,
            hosts: read("hosts.toml", include_str!("../spec/hosts.toml"))?,
            limits: read("limits.toml", include_str!("../spec/limits.toml"))?,
            push_types: read("push-types.toml", include_str!("../spec/push-types.toml"))?,
            reasons: read("reasons.toml", include_str!("../spec/reasons.toml"))?,
        })
    }

    /// Every reason that only broadcasts and channel management give.
    pub fn channel_reasons(&self) -> &[ReasonRow] {
        &self.channel_reasons
    }

    /// Every host name that says which environment is meant.
    pub fn hosts(&self) -> &[HostRow] {
        &self.hosts
    }

    /// Every number that bounds a push, a provider token or a connection.
    pub fn limits(&self) -> &[LimitRow] {
        &self.limits
    }

    /// Every push type of the device API.
    pub fn push_types(&self) -> &[PushTypeRow] {
        &self.push_types
    }

    /// Every reason of the device API.
    pub fn reasons(&self) -> &[ReasonRow] {
        &self.reasons
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_well_formed_and_has_rows() {
        let spec = Spec::load().unwrap_or_else(|error| panic!("{error}"));
        let (reasons, channels) = (spec.reasons(), spec.channel_reasons());
        let rows =
            [spec.hosts.len(), spec.limits.len(), spec.push_types.len(), reasons.len(), channels.len()];
        assert!(!rows.contains(&0), "{rows:?}");
    }

    #[test]
    fn a_reason_stands_in_one_table() {
        let spec = Spec::load().unwrap_or_else(|error| panic!("{error}"));
        let twice = |row: &&ReasonRow| spec.reasons().iter().any(|other| other.reason == row.reason);
        assert_eq!(spec.channel_reasons().iter().find(twice), None);
    }
}
