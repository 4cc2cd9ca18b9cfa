//! What becomes of a notification, in the words of Apple's console.

/// Declares [`Status`] and the name of each.
macro_rules! statuses {
    ($($variant:ident $name:literal $meaning:literal;)*) => {
        /// What has become of a notification. Each that it reaches is logged and counted: one that is stored and later
        /// delivered has both.
        /// Source: Apple, "Viewing the status of push notifications using Metrics and APNs", and the console itself.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum Status {
            $(#[doc = $meaning] $variant,)*
        }

        impl Status {
            /// Every status, in the order in which Apple's console lists them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The console's name of it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it says, in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

statuses! {
    Received "Received by APNs"
        "It was accepted: the provider got a 200.";
    Delivered "Delivered to Device"
        "The device has acknowledged it.";
    DeliveredFromStorage "Delivered to Device (From Storage)"
        "The device has acknowledged it after it was stored.";
    StoredDeviceOffline "Stored - Device Offline"
        "It waits until the device connects.";
    StoredPowerConsiderations "Stored - Power Considerations"
        "It waits until the device can spare the power.";
    DiscardedUnregistered "Discarded - Token Unregistered"
        "The device has nothing for this token any more: the app is gone, or has another token.";
    DiscardedUnregisteredFromStorage "Discarded - Token Unregistered (From Storage)"
        "When the device could be reached, it had nothing for this token any more.";
    DiscardedExpired "Discarded - Expired"
        "It could not be delivered before its expiration, or within 30 days.";
    DiscardedDisabled "Discarded - Disabled"
        "The user does not let the app show notifications.";
    DiscardedDisabledFromStorage "Discarded - Disabled (From Storage)"
        "When the device could be reached, the user did not let the app show notifications any more.";
    DiscardedOverwritten "Discarded - Overwritten"
        "A later one for the same app took its place in storage; Apple documents it without a name for it.";
}

impl Status {
    /// Whether nothing more becomes of the notification.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Received) && !self.is_wait()
    }

    /// Whether the notification waits.
    pub(crate) const fn is_wait(self) -> bool {
        matches!(self, Self::StoredDeviceOffline | Self::StoredPowerConsiderations)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Status {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for Status {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let found = Self::ALL.iter().copied().find(|status| status.as_str() == text);
        found.ok_or_else(|| {
            serde::de::Error::custom(format_args!("{text:?} is not a status of a notification"))
        })
    }
}

/// How many notifications have reached each status.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Counters([u64; Status::ALL.len()]);

impl Counters {
    /// How many have reached this one.
    pub fn get(&self, status: Status) -> u64 {
        self.0[status as usize]
    }

    /// Whether they leave room for more.
    pub(crate) fn is_sound(&self) -> bool {
        self.0.iter().all(|count| *count <= super::COUNT_MAX)
    }

    pub(crate) fn count(&mut self, status: Status) {
        self.0[status as usize] += 1;
    }
}

impl serde::Serialize for Counters {
    /// A map from the names, those that are zero among them.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(Status::ALL.iter().map(|status| (status, self.get(*status))))
    }
}

impl<'de> serde::Deserialize<'de> for Counters {
    /// Those that are left out are zero.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let counts = std::collections::BTreeMap::<Status, u64>::deserialize(deserializer)?;
        let mut counters = Self::default();
        for (status, count) in counts {
            counters.0[status as usize] = count;
        }
        Ok(counters)
    }
}
