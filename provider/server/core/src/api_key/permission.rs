//! Who may do what: two tables.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Declares [`Permission`]: its name, and what it lets one do.
macro_rules! permissions {
    ($($variant:ident $name:literal $meaning:literal;)*) => {
        /// What an operation of the API needs.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Permission {
            $(#[doc = $meaning] $variant,)*
        }

        impl Permission {
            /// Every permission, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it lets one do, in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

/// Declares [`Role`]: its name, what it is for, whose keys have it, and its permissions. The name is a `tt`: of what comes as a `literal`,
/// utoipa does not see that it is one.
macro_rules! roles {
    ($($variant:ident $name:tt $meaning:literal $whose:ident [$($permission:ident),+];)*) => {
        /// What a key is for: a set of permissions.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum Role {
            $(#[doc = $meaning] #[serde(rename = $name)] $variant,)*
        }

        impl Role {
            /// Every role, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Whether it is for keys of the operator, and not for those of a tenant.
            pub const fn is_operators(self) -> bool {
                match self { $(Self::$variant => matches!(Whose::$whose, Whose::Operator),)* }
            }

            /// What it may do.
            pub const fn permissions(self) -> &'static [Permission] {
                match self { $(Self::$variant => &[$(Permission::$permission),+],)* }
            }
        }
    };
}

permissions! {
    Operate "operate" "Make tenants and keys of the operator, tune what runs.";
    Observe "observe" "Read metrics, and queues and outcomes of all tenants as numbers.";
    Manage "manage" "Change apps, credentials, templates, webhooks and keys; read the audit log.";
    Send "send" "Hand in notifications, pause and cancel them, replay dead letters.";
    WriteDevices "write-devices" "Register and remove devices.";
    ReadDevices "read-devices" "Look at devices, and at whose they are.";
    Read "read" "Look at everything else that is not secret.";
}

roles! {
    Operator "operator" "Whoever runs the server." Operator
        [Operate, Observe, Manage, Send, WriteDevices, ReadDevices, Read];
    Observer "observer" "What watches over the server." Operator [Observe];
    Admin "admin" "Whoever runs a tenant." Tenant [Manage, Send, WriteDevices, ReadDevices, Read];
    Send "send" "A program that sends." Tenant [Send, Read];
    Devices "devices" "A program that apps register with." Tenant [WriteDevices, ReadDevices];
    Read "read" "A program that looks." Tenant [ReadDevices, Read];
}

enum Whose {
    Operator,
    Tenant,
}

/// The roles of a key: at least one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Roles(BTreeSet<Role>);

/// There is no role.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("there is no role; give at least one")]
pub struct NoRoles;

impl Roles {
    /// These.
    pub fn new(roles: impl IntoIterator<Item = Role>) -> Result<Self, NoRoles> {
        let roles: BTreeSet<Role> = roles.into_iter().collect();
        if roles.is_empty() { Err(NoRoles) } else { Ok(Self(roles)) }
    }

    /// Reads what [`Display`](fmt::Display) has written. A role that this version does not know lets nobody do anything.
    pub fn parse(text: &str) -> Result<Self, NoRoles> {
        Self::new(
            text.split(' ').filter_map(|name| Role::ALL.iter().copied().find(|role| role.as_str() == name)),
        )
    }

    /// Whether one of them has this permission.
    pub fn have(&self, permission: Permission) -> bool {
        self.0.iter().any(|role| role.permissions().contains(&permission))
    }

    /// In the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = Role> {
        self.0.iter().copied()
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Roles {
    /// The form that is stored.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, role) in self.0.iter().enumerate() {
            let space = if at == 0 { "" } else { " " };
            write!(f, "{space}{}", role.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_role_of_a_tenant_reaches_beyond_it() {
        for role in Role::ALL.iter().filter(|role| !role.is_operators()) {
            for permission in [Permission::Operate, Permission::Observe] {
                assert!(!role.permissions().contains(&permission), "{role:?}");
            }
        }
        let operator = Role::Operator.permissions();
        assert!(Permission::ALL.iter().all(|permission| operator.contains(permission)));
    }

    #[test]
    fn whoever_looks_changes_nothing() {
        assert_eq!(Role::Read.permissions(), [Permission::ReadDevices, Permission::Read]);
        assert_eq!(Role::Observer.permissions(), [Permission::Observe]);
    }

    #[test]
    fn every_permission_is_somebodys_and_says_what_it_is_for() {
        for permission in Permission::ALL {
            assert!(Role::ALL.iter().any(|role| role.permissions().contains(permission)), "{permission}");
            assert!(permission.meaning().ends_with('.'), "{permission}");
        }
    }

    #[test]
    fn who_registers_devices_cannot_push_to_them_and_who_pushes_cannot_see_them() {
        let devices = Roles::new([Role::Devices]).unwrap();
        assert!(devices.have(Permission::WriteDevices) && !devices.have(Permission::Send));
        let send = Roles::new([Role::Send]).unwrap();
        assert!(send.have(Permission::Send) && !send.have(Permission::ReadDevices));
        let both = Roles::new([Role::Send, Role::Devices]).unwrap();
        assert!(both.have(Permission::WriteDevices) && both.have(Permission::Send));
    }

    #[test]
    fn roles_are_read_as_they_were_written_and_unknown_ones_count_for_nothing() {
        let roles = Roles::new([Role::Read, Role::Send]).unwrap();
        assert_eq!(roles.to_string(), "send read");
        assert_eq!(Roles::parse(&roles.to_string()), Ok(roles));
        assert_eq!(Roles::parse("emperor"), Err(NoRoles));
        assert_eq!(Roles::parse(""), Err(NoRoles));
    }
}
