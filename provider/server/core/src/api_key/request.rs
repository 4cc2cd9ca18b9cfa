//! An API key to be made.

use serde::{Deserialize, Serialize};

use super::{Role, Roles};
use crate::{
    ids::Label,
    problem::{Field, FieldErrors, Problem},
};

/// A key to be made: the body of `POST /v1/keys` and of `POST /v1/operator/keys`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KeyRequest {
    /// What people call it: at most 100 bytes.
    pub label: String,
    /// What it is for: at least one. Tenants' keys have admin, send, devices or read; the operator's operator or observer.
    pub roles: Vec<Role>,
}

/// A key to be made, that cannot be wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewKey {
    /// What people call it.
    pub label: Label,
    /// What it is for.
    pub roles: Roles,
}

impl KeyRequest {
    /// Checks it, as a key of the operator or as one of a tenant. Each has roles of its own: whoever makes keys of a tenant cannot make
    /// one that reaches beyond it.
    pub fn check(self, is_operators: bool) -> Result<NewKey, Problem> {
        let mut errors = FieldErrors::default();
        let label = errors.keep(Field::new("label"), Label::try_from(self.label));
        let at = Field::new("roles");
        for (index, role) in self.roles.iter().enumerate() {
            if role.is_operators() != is_operators {
                let its = Role::ALL.iter().filter(|role| role.is_operators() == is_operators);
                let names: Vec<_> = its.map(|role| role.as_str()).collect();
                let why =
                    format_args!("{} is no role of such a key; write {}", role.as_str(), names.join(", "));
                errors.refuse(at.at(index), why);
            }
        }
        let roles = errors.keep(at, Roles::new(self.roles));
        errors.finish(label.zip(roles).map(|(label, roles)| NewKey { label, roles }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn check(body: &str, is_operators: bool) -> Result<NewKey, Problem> {
        json::read::<KeyRequest>(body.as_bytes())?.check(is_operators)
    }

    fn wrong_fields(body: &str, is_operators: bool) -> Vec<String> {
        let problem = check(body, is_operators).unwrap_err();
        problem.fields().iter().map(|error| error.field.clone()).collect()
    }

    #[test]
    fn a_key_has_a_name_and_roles() {
        let key = check(r#"{"label":"Backend","roles":["send","devices","send"]}"#, false).unwrap();
        assert_eq!(key.label.as_str(), "Backend");
        assert_eq!(key.roles, Roles::new([Role::Send, Role::Devices]).unwrap());
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(wrong_fields(r#"{"label":"","roles":[]}"#, false), ["label", "roles"]);
        assert_eq!(wrong_fields(r#"{"label":"x","roles":["read","root"]}"#, false), ["roles[1]"]);
    }

    #[test]
    fn nobody_makes_a_key_that_reaches_beyond_its_tenant() {
        let body = r#"{"label":"x","roles":["read","operator"]}"#;
        assert_eq!(wrong_fields(body, false), ["roles[1]"]);
        let problem = check(body, false).unwrap_err();
        assert_eq!(
            problem.message(),
            "roles[1]: operator is no role of such a key; write admin, send, devices, read"
        );
        assert_eq!(wrong_fields(body, true), ["roles[0]"], "the operator's keys have no tenant");
        assert!(check(r#"{"label":"x","roles":["operator"]}"#, true).is_ok());
    }
}
