use std::collections::HashMap;

use apns_provider_core::{DeviceToken, HygienePolicy, Outcome, TokenHygiene, TokenVerdict, UnixTime};
use serde_json::{Value, json};

/// The device tokens of somebody who listens to what the engine says of them.
#[derive(Debug)]
pub(super) struct Registry {
    registered_at: HashMap<DeviceToken, UnixTime>,
    hygiene: TokenHygiene,
}

impl Default for Registry {
    fn default() -> Self {
        Self { registered_at: HashMap::new(), hygiene: TokenHygiene::new(HygienePolicy::default()) }
    }
}

impl Registry {
    pub(super) fn register(&mut self, device_token: DeviceToken, at: UnixTime) {
        self.registered_at.insert(device_token, at);
    }

    /// When it was registered last; `None`: it never was, or is removed.
    pub(super) fn registered_at(&self, device_token: &DeviceToken) -> Option<UnixTime> {
        self.registered_at.get(device_token).copied()
    }

    /// Takes note of what became of a push to a device token that had been registered at that time. What there is to tell of it.
    pub(super) fn judge(
        &mut self,
        now: UnixTime,
        outcome: &Outcome,
        device_token: &DeviceToken,
        registered_at: UnixTime,
    ) -> Option<Value> {
        match self.hygiene.judge(now, outcome, Some(registered_at)) {
            TokenVerdict::Remove(removal) if removal.applies_to(self.registered_at(device_token)) => {
                self.registered_at.remove(device_token);
                Some(json!({"event": "token-removed", "device-token": device_token.as_str()}))
            }
            TokenVerdict::Withheld { .. } => Some(json!({"event": "removals-suspended"})),
            TokenVerdict::Keep | TokenVerdict::Check | TokenVerdict::Remove(_) => None,
        }
    }
}
