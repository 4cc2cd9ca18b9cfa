//! What can be done to a team that a service has, beside its devices and its clock: each counts from the next push on.

use super::{TeamAt, TeamError};
use crate::{App, DeviceToken, KeyId, ProviderKey, Settings, TokenStatus, recording::TeamCall};

impl TeamAt<'_> {
    /// As [`Team::add_key`](crate::Team::add_key).
    pub fn add_key(&mut self, key: ProviderKey) -> Result<(), TeamError> {
        self.record(|| TeamCall::AddKey(key.clone()));
        self.team.add_key(key)
    }

    /// Revokes a key. `false`: the team has no such key.
    pub fn revoke_key(&mut self, id: KeyId) -> bool {
        self.record(|| TeamCall::RevokeKey(id));
        self.team.keys.get_mut(&id).map(|key| key.revoked = true).is_some()
    }

    /// As [`Team::add_app`](crate::Team::add_app).
    pub fn add_app(&mut self, app: App) -> Result<(), TeamError> {
        self.record(|| TeamCall::AddApp(app.clone()));
        self.team.add_app(app)
    }

    /// Gives the team settings of its own. What its provider tokens have proven under the former ones is forgotten.
    pub fn set_settings(&mut self, settings: Settings) {
        self.record(|| TeamCall::SetSettings(Box::new(settings.clone())));
        self.change_settings(settings);
    }

    pub(super) fn change_settings(&mut self, settings: Settings) {
        self.team.settings = settings;
        self.around.providers.verify_anew(self.index);
    }

    /// Says what APNs knows of a device token, as if a delivery had found it out: to begin a test with a dead one, or to
    /// bring one back to life. `false`: the team has no such token.
    pub fn set_token_status(&mut self, token: &DeviceToken, status: TokenStatus) -> bool {
        self.record(|| TeamCall::SetTokenStatus(token.clone(), status));
        let Some(identity) = self.team.identify(token.as_bytes()) else { return false };
        match status {
            TokenStatus::Active => self.team.gone.remove(&identity),
            dead => self.team.gone.insert(identity, dead),
        };
        true
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        DeviceToken, KeyId, Reason, TokenStatus,
        bench::{Bench, Jwt, NOW, TEAM},
    };

    #[test]
    fn what_is_not_there_cannot_be_changed() {
        let mut bench = Bench::new();
        let mut team = bench.team_at();
        assert!(!team.revoke_key(KeyId::parse("KEY0000001").unwrap()));
        assert!(!team.set_token_status(&DeviceToken::from_hex(b"00").unwrap(), TokenStatus::Active));
    }

    /// What is remembered of a provider token spares work, and decides nothing.
    #[test]
    fn settings_count_for_provider_tokens_that_were_verified_before() {
        let mut bench = Bench::new();
        let iat = format!("\"{}\"", NOW.as_secs());
        let push = bench.push().signed_by(&Jwt { iat: &iat, ..Jwt::default() });
        assert_eq!(bench.reason(&push), None);
        bench.set(TEAM, "string-iat", "InvalidProviderToken");
        assert_eq!(bench.reason(&push), Some(Reason::InvalidProviderToken));
        bench.connect();
        assert_eq!(bench.reason(&push), Some(Reason::InvalidProviderToken));
        bench.set(TEAM, "string-iat", "accept");
        assert_eq!(bench.reason(&push), None);
    }
}
