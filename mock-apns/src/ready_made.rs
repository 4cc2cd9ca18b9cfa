//! The ready-made team: credentials, apps and device tokens that are there at every start, so that a first
//! push needs nothing but a copy of one line.

use apns_certs::AuthKey;
use mock_apns_core::{
    App, BundleId, DeviceId, DeviceToken, Environment, KeyId, KeyScope, ProviderKey, Service, Team, TeamAt,
    TeamId, Timestamp, TokenKind, TokenStatus,
};

use crate::credentials::Credentials;

/// The team's ID.
pub(crate) const TEAM_ID: &str = "MOCKTEAM01";
/// The app that the ready-made device tokens are for.
pub(crate) const BUNDLE_ID: &str = "com.example.app";
/// Another app of the team, to see `DeviceTokenNotForTopic`.
pub(crate) const OTHER_BUNDLE_ID: &str = "com.example.other";
/// Why nothing of the ready-made team can be malformed.
const CONSTANTS: &str =
    "the tables of this file are well-formed: its tests, and every start, make a team of them";
/// How long ago the dead device tokens died: long enough that a registration of today is younger.
const DEAD_FOR_MS: u64 = 24 * 60 * 60 * 1000;

/// The team, with the private halves of its keys.
#[derive(Clone, Debug)]
pub struct ReadyMade {
    /// The team's ID.
    pub team_id: &'static str,
    /// The app's bundle ID: the topic of an alert.
    pub bundle_id: &'static str,
    /// The team's keys, the one for everything first.
    pub keys: Vec<ReadyKey>,
    /// The team's device tokens, the ones that work first.
    pub device_tokens: Vec<ReadyToken>,
}

/// A key of the ready-made team.
#[derive(Clone, Debug)]
pub struct ReadyKey {
    /// The key ID.
    pub key_id: &'static str,
    /// What its provider tokens may do, in words.
    pub scope: &'static str,
    /// The key itself.
    pub key: AuthKey,
}

/// A device token of the ready-made team.
#[derive(Clone, Debug)]
pub struct ReadyToken {
    /// A name that says what it is for.
    pub name: &'static str,
    /// The device that it leads to.
    pub device: &'static str,
    /// The token as hexadecimal digits.
    pub token: String,
    /// The environment that it belongs to.
    pub environment: Environment,
    /// The topic that a push to it needs.
    pub topic: String,
    /// What a correct push to it is answered.
    pub answer: &'static str,
}

/// One row of [`TOKENS`].
struct TokenRow {
    name: &'static str,
    device: &'static str,
    environment: Environment,
    bundle_id: &'static str,
    kind: TokenKind,
    dead: Option<fn(Timestamp) -> TokenStatus>,
    answer: &'static str,
}

/// A device in use, and one whose apps are gone.
const PHONE: &str = "phone";
const OLD_PHONE: &str = "old-phone";

/// The ready-made device tokens.
const TOKENS: &[TokenRow] = &[
    alive("sandbox", Environment::Sandbox, BUNDLE_ID, TokenKind::App),
    alive("production", Environment::Production, BUNDLE_ID, TokenKind::App),
    alive("sandbox-voip", Environment::Sandbox, BUNDLE_ID, TokenKind::Voip),
    alive("sandbox-live-activity", Environment::Sandbox, BUNDLE_ID, TokenKind::LiveActivity),
    alive("sandbox-other-app", Environment::Sandbox, OTHER_BUNDLE_ID, TokenKind::App),
    TokenRow {
        device: OLD_PHONE,
        dead: Some(|since| TokenStatus::Unregistered { since }),
        answer: "410 Unregistered",
        ..alive("sandbox-unregistered", Environment::Sandbox, BUNDLE_ID, TokenKind::App)
    },
    TokenRow {
        device: OLD_PHONE,
        dead: Some(|since| TokenStatus::Unregistered { since }),
        answer: "410 Unregistered",
        ..alive("production-unregistered", Environment::Production, BUNDLE_ID, TokenKind::App)
    },
    TokenRow {
        device: OLD_PHONE,
        dead: Some(|since| TokenStatus::Expired { since }),
        answer: "410 ExpiredToken",
        ..alive("sandbox-ended-live-activity", Environment::Sandbox, BUNDLE_ID, TokenKind::LiveActivity)
    },
];

const fn alive(
    name: &'static str,
    environment: Environment,
    bundle_id: &'static str,
    kind: TokenKind,
) -> TokenRow {
    TokenRow { name, device: PHONE, environment, bundle_id, kind, dead: None, answer: "200" }
}

/// How many keys the team has.
pub(crate) const KEYS: usize = 4;

/// The ready-made keys: one of each kind that Apple issues.
fn key_scopes() -> [(&'static str, &'static str, KeyScope); KEYS] {
    let bundle_ids = BundleId::parse(BUNDLE_ID).into_iter().collect();
    [
        ("MOCKKEY001", "all topics, both environments", KeyScope::Legacy),
        ("MOCKKEYDEV", "all topics, sandbox only", KeyScope::Team { environment: Environment::Sandbox }),
        (
            "MOCKKEYPRO",
            "all topics, production only",
            KeyScope::Team { environment: Environment::Production },
        ),
        (
            "MOCKKEYTOP",
            "com.example.app only, sandbox only",
            KeyScope::Topics { environment: Environment::Sandbox, bundle_ids, related: None },
        ),
    ]
}

impl ReadyMade {
    /// Fresh private keys for the team, in the order of its keys.
    pub(crate) fn new_keys() -> Result<Vec<AuthKey>, apns_certs::Error> {
        key_scopes().into_iter().map(|(id, ..)| AuthKey::generate(apns_certs::KeyId::new(id)?)).collect()
    }

    /// Reads keys that were kept.
    pub(crate) fn keys_from_p8(p8s: &[String; KEYS]) -> Result<Vec<AuthKey>, apns_certs::Error> {
        let ids = key_scopes().into_iter().map(|(id, ..)| id);
        ids.zip(p8s).map(|(id, p8)| AuthKey::from_p8(apns_certs::KeyId::new(id)?, p8)).collect()
    }

    /// Adds the team to a service, with these keys. Device tokens follow from the service's seed.
    pub(crate) fn add_to(service: &mut Service, now: Timestamp, keys: Vec<AuthKey>) -> Self {
        let team_id = TeamId::parse(TEAM_ID).expect(CONSTANTS);
        let mut team = Team::new(team_id);
        for bundle_id in [BUNDLE_ID, OTHER_BUNDLE_ID] {
            let mut app = App::new(BundleId::parse(bundle_id).expect(CONSTANTS));
            app.broadcast = bundle_id == BUNDLE_ID;
            team.add_app(app).expect(CONSTANTS);
        }
        let mut ready_keys = Vec::new();
        for ((key_id, words, scope), key) in key_scopes().into_iter().zip(keys) {
            let public_key = key.private_key.public_key();
            let provider_key = ProviderKey::new(KeyId::parse(key_id).expect(CONSTANTS), public_key, scope);
            team.add_key(provider_key).expect(CONSTANTS);
            ready_keys.push(ReadyKey { key_id, scope: words, key });
        }
        service.add_team(team).expect("a new service has no team of this ID");
        let mut team = service.team_at(now, team_id).expect("it was just added");
        let device_tokens = Self::register_devices(&mut team);
        Self { team_id: TEAM_ID, bundle_id: BUNDLE_ID, keys: ready_keys, device_tokens }
    }

    /// Adds the devices to the team, which has none, and registers its apps on them: their tokens are always the same.
    pub(crate) fn register_devices(team: &mut TeamAt<'_>) -> Vec<ReadyToken> {
        for name in [PHONE, OLD_PHONE] {
            team.add_device(device_id(name)).expect(CONSTANTS);
        }
        TOKENS.iter().map(|row| row.register(team)).collect()
    }

    /// The private halves of its keys.
    pub(crate) fn credentials(&self) -> Credentials {
        let credentials = Credentials::default();
        let team = TeamId::parse(self.team_id).expect(CONSTANTS);
        for key in &self.keys {
            credentials.remember(team, KeyId::parse(key.key_id).expect(CONSTANTS), key.key.clone());
        }
        credentials
    }

    /// The device token of that name in [`device_tokens`](Self::device_tokens).
    pub fn device_token(&self, name: &str) -> Option<&ReadyToken> {
        self.device_tokens.iter().find(|token| token.name == name)
    }
}

impl TokenRow {
    /// Installs the app and registers it, and says what became of the token since.
    fn register(&self, team: &mut TeamAt<'_>) -> ReadyToken {
        let (device, bundle_id) = (device_id(self.device), BundleId::parse(self.bundle_id).expect(CONSTANTS));
        team.install(&device, &bundle_id, self.environment).expect(CONSTANTS);
        let token = match self.kind {
            TokenKind::LiveActivity => {
                team.start_activity(&device, &bundle_id, self.environment).map(|(_, token)| token)
            }
            kind => team.register(&device, &bundle_id, self.environment, kind),
        };
        let token = token.expect(CONSTANTS);
        if let Some(dead) = self.dead {
            bury(team, &token, dead);
        }
        ReadyToken {
            name: self.name,
            device: self.device,
            token: token.to_string(),
            environment: self.environment,
            topic: self.kind.topic(&bundle_id),
            answer: self.answer,
        }
    }
}

/// A delivery has found the token dead, some time ago.
fn bury(team: &mut TeamAt<'_>, token: &DeviceToken, dead: fn(Timestamp) -> TokenStatus) {
    let died = Timestamp::from_millis(team.now().as_millis().saturating_sub(DEAD_FOR_MS));
    let _ = team.set_token_status(token, dead(died)); // the team has just given the token out
}

fn device_id(name: &str) -> DeviceId {
    DeviceId::parse(name).expect(CONSTANTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(seed: u64) -> Vec<String> {
        let mut service = Service::new(mock_apns_core::Settings::default(), seed, crate::verify_es256);
        let ready_made = ReadyMade::add_to(
            &mut service,
            Timestamp::from_secs(1_700_000_000),
            ReadyMade::new_keys().unwrap(),
        );
        ready_made.device_tokens.into_iter().map(|token| token.token).collect()
    }

    #[test]
    fn device_tokens_follow_from_the_seed() {
        assert_eq!(tokens(0), tokens(0));
        assert_ne!(tokens(0), tokens(1));
    }

    #[test]
    fn no_two_device_tokens_are_equal() {
        let mut all = tokens(7);
        all.sort();
        all.dedup();
        assert_eq!(all.len(), TOKENS.len());
    }
}
