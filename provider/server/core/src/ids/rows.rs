//! Numbers of rows in the store.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// The row with this number.
            pub const fn new(row: i64) -> Self {
                Self(row)
            }

            /// Its number.
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

rows! {
    /// An app in the store: what its bundle ID stands for within one tenant.
    AppId;
    /// A device in the store. It stays while the device's token is replaced by another one.
    DeviceId;
    /// Which registration of a device is meant. Each registration in the store gets the next number, and none is ever given out
    /// twice: a removal that was decided for an earlier registration does not touch a later one.
    RegistrationNumber;
    /// Where a notification stands among all of the store: a later one has a greater number.
    Sequence;
    /// A tenant in the store.
    TenantId;
}
