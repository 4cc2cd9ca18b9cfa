//! The ready-made team: credentials, apps and device tokens that are there at every start, so that a first
//! push needs nothing but a copy of one line.

use apns_certs::AuthKey;
use mock_apns_core::{
    App, BundleId, DeviceToken, Environment, KeyId, KeyScope, ProviderKey, Registration, Team, TeamId,
    Timestamp, TokenKind, TokenStatus,
};
use ring::digest::{Context, SHA256};

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
    environment: Environment,
    bundle_id: &'static str,
    kind: TokenKind,
    dead: Option<fn(Timestamp) -> TokenStatus>,
    answer: &'static str,
}

/// The ready-made device tokens.
const TOKENS: &[TokenRow] = &[
    alive("sandbox", Environment::Sandbox, BUNDLE_ID, TokenKind::App),
    alive("production", Environment::Production, BUNDLE_ID, TokenKind::App),
    alive("sandbox-voip", Environment::Sandbox, BUNDLE_ID, TokenKind::Voip),
    alive("sandbox-live-activity", Environment::Sandbox, BUNDLE_ID, TokenKind::LiveActivity),
    alive("sandbox-other-app", Environment::Sandbox, OTHER_BUNDLE_ID, TokenKind::App),
    TokenRow {
        dead: Some(|since| TokenStatus::Unregistered { since }),
        answer: "410 Unregistered",
        ..alive("sandbox-unregistered", Environment::Sandbox, BUNDLE_ID, TokenKind::App)
    },
    TokenRow {
        dead: Some(|since| TokenStatus::Unregistered { since }),
        answer: "410 Unregistered",
        ..alive("production-unregistered", Environment::Production, BUNDLE_ID, TokenKind::App)
    },
    TokenRow {
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
    TokenRow { name, environment, bundle_id, kind, dead: None, answer: "200" }
}

/// The ready-made keys: one of each kind that Apple issues.
fn key_scopes() -> Vec<(&'static str, &'static str, KeyScope)> {
    let bundle_ids = BundleId::parse(BUNDLE_ID).into_iter().collect();
    vec![
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
    /// Makes the team with fresh keys. Device tokens follow from `seed`.
    pub(crate) fn new(seed: u64, now: Timestamp) -> Result<(Self, Team), apns_certs::Error> {
        let mut team = Team::new(TeamId::parse(TEAM_ID).expect(CONSTANTS));
        for bundle_id in [BUNDLE_ID, OTHER_BUNDLE_ID] {
            team.add_app(App::new(BundleId::parse(bundle_id).expect(CONSTANTS))).expect(CONSTANTS);
        }
        let mut keys = Vec::new();
        for (key_id, words, scope) in key_scopes() {
            let key = AuthKey::generate(apns_certs::KeyId::new(key_id)?)?;
            let public_key = key.private_key.public_key();
            let provider_key = ProviderKey::new(KeyId::parse(key_id).expect(CONSTANTS), public_key, scope);
            team.add_key(provider_key).expect(CONSTANTS);
            keys.push(ReadyKey { key_id, scope: words, key });
        }
        let died = Timestamp::from_millis(now.as_millis().saturating_sub(DEAD_FOR_MS));
        let mut device_tokens = Vec::new();
        for row in TOKENS {
            let token = hex(&token_bytes(seed, row));
            let status = row.dead.map_or(TokenStatus::Active, |dead| dead(died));
            let registration = Registration {
                bundle_id: BundleId::parse(row.bundle_id).expect(CONSTANTS),
                environment: row.environment,
                kind: row.kind,
                status,
            };
            let device_token = DeviceToken::from_hex(token.as_bytes()).expect(CONSTANTS);
            team.register(device_token, registration).expect(CONSTANTS);
            device_tokens.push(ReadyToken {
                name: row.name,
                token,
                environment: row.environment,
                topic: format!("{}{}", row.bundle_id, row.kind.topic_suffix()),
                answer: row.answer,
            });
        }
        Ok((Self { team_id: TEAM_ID, bundle_id: BUNDLE_ID, keys, device_tokens }, team))
    }

    /// The device token of that name in [`device_tokens`](Self::device_tokens).
    pub fn device_token(&self, name: &str) -> Option<&ReadyToken> {
        self.device_tokens.iter().find(|token| token.name == name)
    }
}

/// A token that looks like any other and cannot meet one by chance: 32 bytes, or 80 for a Live Activity, as
/// seen of Apple's.
fn token_bytes(seed: u64, row: &TokenRow) -> Vec<u8> {
    let len = if row.kind == TokenKind::LiveActivity { 80 } else { 32 };
    let blocks = (0_u8..).flat_map(|block| {
        let mut context = Context::new(&SHA256);
        context.update(b"mock-apns ready-made device token");
        context.update(&seed.to_be_bytes());
        context.update(&[block]);
        context.update(row.name.as_bytes());
        context.finish().as_ref().to_vec()
    });
    blocks.take(len).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        use std::fmt::Write as _;
        write!(text, "{byte:02x}").expect("a String takes every write");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(seed: u64) -> Vec<String> {
        let (ready_made, _) = ReadyMade::new(seed, Timestamp::from_millis(1_700_000_000_000)).unwrap();
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
