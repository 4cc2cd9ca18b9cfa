//! What each role may do: one table.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a key is for. It may have several.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// All of a tenant: its apps with their credentials, its keys, webhooks, and what the others may.
    Admin,
    /// Registers devices and removes them: for the server that apps talk to.
    Devices,
    /// The server itself, of all tenants: its tuning, its tenants. For whoever runs it.
    Operator,
    /// Looks at everything of a tenant but secrets, and changes nothing: for dashboards.
    Read,
    /// Hands in notifications, runs campaigns.
    Send,
}

/// Declares [`Permission`]: its name, which roles have it, and what it allows.
macro_rules! permissions {
    ($($variant:ident $name:literal [$($role:ident)*] $meaning:literal;)*) => {
        /// What somebody may do.
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

            /// The roles that have it.
            pub const fn roles(self) -> &'static [Role] {
                match self { $(Self::$variant => &[$(Role::$role),*],)* }
            }

            /// What it allows, in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

permissions! {
    ChangeApps "change-apps" [Admin] "Add apps, change their credentials and limits, pause and remove them.";
    ChangeChannels "change-channels" [Admin Send] "Create and delete broadcast channels.";
    ChangeDevices "change-devices" [Admin Devices] "Register devices, remove them, unsubscribe users.";
    ChangeKeys "change-keys" [Admin] "Make and revoke API keys of the tenant.";
    ChangeServer "change-server" [Operator] "Tune the server, and add and remove tenants.";
    ChangeTemplates "change-templates" [Admin Send] "Write and remove templates.";
    ChangeWebhooks "change-webhooks" [Admin] "Add, change and remove webhooks.";
    ReadApps "read-apps" [Admin Devices Read Send] "See apps, without their secrets.";
    ReadAudit "read-audit" [Admin Read] "See who has done what.";
    ReadDevices "read-devices" [Admin Devices Read] "See devices and users.";
    ReadKeys "read-keys" [Admin] "See which API keys there are.";
    ReadNotifications "read-notifications" [Admin Read Send] "See notifications, campaigns, outcomes and dead letters.";
    ReadServer "read-server" [Operator] "See how the server is tuned, and its tenants.";
    ReadTemplates "read-templates" [Admin Read Send] "See templates.";
    ReadWebhooks "read-webhooks" [Admin Read] "See webhooks, without their secrets.";
    RunCampaigns "run-campaigns" [Admin Send] "Pause, resume and cancel campaigns and notifications.";
    Send "send" [Admin Send] "Hand in notifications, and replay dead letters.";
}

impl Role {
    /// All, by name.
    pub const ALL: [Self; 5] = [Self::Admin, Self::Devices, Self::Operator, Self::Read, Self::Send];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Devices => "devices",
            Self::Operator => "operator",
            Self::Read => "read",
            Self::Send => "send",
        }
    }

    /// Whether it may.
    pub fn may(self, permission: Permission) -> bool {
        permission.roles().contains(&self)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permissions(role: Role) -> Vec<&'static str> {
        Permission::ALL.iter().filter(|it| role.may(**it)).map(|it| it.as_str()).collect()
    }

    #[test]
    fn whoever_reads_changes_nothing_and_sees_no_keys() {
        let reads = permissions(Role::Read);
        assert!(reads.iter().all(|name| name.starts_with("read-")), "{reads:?}");
        assert!(!reads.contains(&"read-keys") && !reads.contains(&"read-server"));
    }

    #[test]
    fn an_admin_may_all_of_the_tenant_and_nothing_of_the_server() {
        let server = [Permission::ChangeServer, Permission::ReadServer];
        for permission in Permission::ALL {
            assert_eq!(Role::Admin.may(*permission), !server.contains(permission), "{permission}");
            assert_eq!(Role::Operator.may(*permission), server.contains(permission), "{permission}");
        }
    }

    #[test]
    fn a_leaked_device_key_cannot_push_and_a_leaked_send_key_cannot_see_devices() {
        assert_eq!(permissions(Role::Devices), ["change-devices", "read-apps", "read-devices"]);
        assert!(!Role::Send.may(Permission::ReadDevices) && !Role::Send.may(Permission::ChangeDevices));
    }

    #[test]
    fn every_permission_is_somebodys() {
        for permission in Permission::ALL {
            assert!(!permission.roles().is_empty() && permission.meaning().ends_with('.'), "{permission}");
        }
    }
}
