//! An API key to be made.

use std::{collections::BTreeSet, time::Duration};

use apns_provider_core::UnixTime;
use serde::{Deserialize, Serialize};

use super::Role;
use crate::{
    ids::Label,
    problem::{Field, FieldErrors, Problem},
};

/// Days that a key may live, if it is to end at all.
pub const KEY_DAYS_MAX: u32 = 3650;

/// A key to be made: the body of `POST /v1/keys`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KeyRequest {
    /// What people call it.
    pub label: String,
    /// What it is for: admin, send, devices, read.
    pub roles: Vec<Role>,
    /// After how many days it ends; left out, never.
    #[serde(default)]
    pub days: Option<u32>,
}

/// A key to be made, that cannot be wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewKey {
    /// What people call it.
    pub label: Label,
    /// What it is for: something.
    pub roles: BTreeSet<Role>,
    /// When it ends.
    pub ends_at: Option<UnixTime>,
}

impl KeyRequest {
    /// Checks it. Whoever makes a key cannot give it more than their own `roles` have: only an operator makes operators.
    pub fn check(self, now: UnixTime, roles: &BTreeSet<Role>) -> Result<NewKey, Problem> {
        let mut errors = FieldErrors::default();
        let label = errors.keep(Field::new("label"), Label::try_from(self.label));
        if self.roles.is_empty() {
            errors.refuse(Field::new("roles"), "there are none; give one of admin, send, devices and read");
        }
        for (at, role) in self.roles.iter().enumerate() {
            if *role == Role::Operator && !roles.contains(&Role::Operator) {
                errors.refuse(Field::new("roles").at(at), "only an operator's key can make an operator's");
            }
        }
        let ends_at = errors.keep_optional(Field::new("days"), self.days, |days| match days {
            1..=KEY_DAYS_MAX => {
                let life = Duration::from_secs(u64::from(days) * 86_400);
                Ok(UnixTime::from_secs(now.as_secs() + life.as_secs()))
            }
            _ => Err(format!("{days} is not 1 to {KEY_DAYS_MAX}")),
        });
        let key = label.zip(ends_at).map(|(label, ends_at)| NewKey {
            label,
            roles: self.roles.into_iter().collect(),
            ends_at,
        });
        errors.finish(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

    fn check(body: &str, roles: &[Role]) -> Result<NewKey, Problem> {
        json::read::<KeyRequest>(body.as_bytes())?.check(NOW, &roles.iter().copied().collect())
    }

    #[test]
    fn a_key_has_a_name_roles_and_perhaps_an_end() {
        let key = check(r#"{"label":"Backend","roles":["send","devices","send"],"days":30}"#, &[Role::Admin])
            .unwrap();
        assert_eq!(key.roles, BTreeSet::from([Role::Send, Role::Devices]));
        assert_eq!(key.ends_at, Some(UnixTime::from_secs(NOW.as_secs() + 30 * 86_400)));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let problem = check(r#"{"label":"","roles":[],"days":0}"#, &[Role::Admin]).unwrap_err();
        let fields: Vec<&str> = problem.fields().iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["label", "roles", "days"]);
        let problem = check(r#"{"label":"x","roles":["root"]}"#, &[Role::Admin]).unwrap_err();
        assert_eq!(problem.fields()[0].field, "roles[0]");
    }

    #[test]
    fn nobody_makes_a_key_that_may_more_than_they() {
        let body = r#"{"label":"x","roles":["read","operator"]}"#;
        assert_eq!(check(body, &[Role::Admin]).unwrap_err().fields()[0].field, "roles[1]");
        assert!(check(body, &[Role::Operator]).is_ok());
    }
}
