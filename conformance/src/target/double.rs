//! The double in this process, as a target that has everything.

use std::collections::BTreeMap;

use apns_certs::{AuthKey, Flaw, Identity, KeyId, ProviderCertificateKind, Purpose};
use apns_spec::Spec;
use mock_apns::{MockApns, MockTeam};
use mock_apns_core::{
    BundleId, DeviceId, Environment, KeyId as ProviderKeyId, KeyScope, ProviderKey, TokenKind,
};
use rustls::{RootCertStore, pki_types::ServerName};
use thiserror::Error;

use super::{ClientCertificate, Key, Target};

/// A double, and what is good for its sandbox. It is there until it is dropped or stopped.
#[derive(Debug)]
pub struct Double {
    /// The double.
    pub mock: MockApns,
    /// The suite's way to it.
    pub target: Target,
}

/// Why there is no double.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("starting the double: {0}")]
pub struct DoubleError(String);

/// Names of keys, and the ready-made ones that have these properties.
const KEYS: [(&str, &str); 4] = [
    ("main", "MOCKKEY001"),
    ("this-environment", "MOCKKEYDEV"),
    ("other-environment", "MOCKKEYPRO"),
    ("topic-specific", "MOCKKEYTOP"),
];
/// A key that the team has revoked.
const REVOKED_KEY: &str = "REVOKED001";
/// Names of device tokens, and the ready-made ones.
const TOKENS: [(&str, &str); 7] = [
    ("unregistered", "sandbox-unregistered"),
    ("expired", "sandbox-ended-live-activity"),
    ("other-environment", "production"),
    ("other-topic", "sandbox-other-app"),
    ("host-api", "production"),
    ("host-api-sandbox", "sandbox"),
    ("host-api-development", "sandbox"),
];
/// The ready-made device that tokens of more kinds are made on.
const DEVICE: &str = "phone";

impl Double {
    /// Starts one on free ports.
    ///
    /// # Errors
    /// It does not start, or is not as this suite knows it.
    pub async fn start() -> Result<Self, DoubleError> {
        let mock = MockApns::start().await.map_err(failed)?;
        let mut roots = RootCertStore::empty();
        roots.add(mock.certificates().authority().root(Purpose::Server).clone()).map_err(failed)?;
        let target = Target {
            name: "the double".to_owned(),
            address: mock.sandbox().to_string(),
            server_name: ServerName::try_from("localhost").map_err(failed)?,
            roots,
            topic: mock.ready_made().bundle_id.to_owned(),
            control: Some(mock.control().to_string()),
            texts: texts(&mock)?,
            keys: keys(&mock)?,
            certificates: certificates(&mock)?,
        };
        Ok(Self { mock, target })
    }
}

fn keys(mock: &MockApns) -> Result<BTreeMap<String, Key>, DoubleError> {
    let ready = mock.ready_made();
    let mut keys = BTreeMap::new();
    for (name, id) in KEYS {
        let key = ready.keys.iter().find(|key| key.key_id == id).ok_or_else(|| not_there(id))?;
        keys.insert(name.to_owned(), Key { team_id: ready.team_id.to_owned(), key: key.key.clone() });
    }
    let revoked = revoked_key(&mock.team())?;
    keys.insert("revoked".to_owned(), Key { team_id: ready.team_id.to_owned(), key: revoked });
    let other = mock.create_team("com.example.of-another-team").map_err(failed)?;
    keys.insert("other-team".to_owned(), Key { team_id: other.id().to_string(), key: other.key().clone() });
    Ok(keys)
}

fn revoked_key(team: &MockTeam) -> Result<AuthKey, DoubleError> {
    let key = AuthKey::generate(KeyId::new(REVOKED_KEY).map_err(failed)?).map_err(failed)?;
    let id = ProviderKeyId::parse(REVOKED_KEY).map_err(failed)?;
    let known = ProviderKey::new(id, key.private_key.public_key(), KeyScope::Legacy);
    team.at_work(|team| {
        team.add_key(known).map_err(failed)?;
        team.revoke_key(id);
        Ok(())
    })?;
    Ok(key)
}

fn texts(mock: &MockApns) -> Result<BTreeMap<String, String>, DoubleError> {
    let spec = Spec::load().map_err(failed)?;
    let ready = mock.ready_made();
    let mut texts = BTreeMap::new();
    for (name, known) in TOKENS {
        let token = ready.device_token(known).ok_or_else(|| not_there(known))?;
        texts.insert(format!("tokens.{name}"), token.token.clone());
        if name == "other-topic" {
            texts.insert("topics.other".to_owned(), token.topic.clone());
        }
    }
    for row in spec.push_types() {
        let token = token_of(&mock.team(), ready.bundle_id, &row.topic_suffix)?;
        texts.insert(format!("tokens.{}", row.push_type), token);
    }
    for row in spec.hosts() {
        if texts.contains_key(&format!("tokens.{}", row.id)) {
            texts.insert(format!("authorities.{}", row.id), row.host.clone());
        }
    }
    Ok(texts)
}

/// A device token of the app in the sandbox, of the kind that a topic with this suffix is for.
fn token_of(team: &MockTeam, bundle_id: &str, topic_suffix: &str) -> Result<String, DoubleError> {
    let kind = TokenKind::ALL.iter().find(|kind| kind.topic_suffix() == topic_suffix);
    let kind = *kind.ok_or_else(|| not_there(topic_suffix))?;
    let device = DeviceId::parse(DEVICE).map_err(failed)?;
    let app = BundleId::parse(bundle_id).map_err(failed)?;
    let token = team.at_work(|team| match kind {
        TokenKind::LiveActivity => {
            team.start_activity(&device, &app, Environment::Sandbox).map(|(_, token)| token)
        }
        kind => team.register(&device, &app, Environment::Sandbox, kind),
    });
    Ok(token.map_err(failed)?.to_string())
}

fn certificates(mock: &MockApns) -> Result<BTreeMap<String, ClientCertificate>, DoubleError> {
    let made = mock.certificates();
    let good = [
        ("topic", ProviderCertificateKind::Development),
        ("universal", ProviderCertificateKind::Universal),
        ("voip", ProviderCertificateKind::Voip),
        ("other-environment", ProviderCertificateKind::Production),
    ];
    let bad = [
        ("no-topics", Flaw::NoTopics),
        ("expired", Flaw::Expired),
        ("not-yet-valid", Flaw::NotYetValid),
        ("revoked", Flaw::Revoked),
        ("foreign-ca", Flaw::ForeignCa),
    ];
    let good = good.into_iter().map(|(name, kind)| (name, made.provider(kind)));
    let bad = bad.into_iter().map(|(name, flaw)| (name, made.flawed_provider(flaw)));
    good.chain(bad).map(|(name, identity)| Ok((name.to_owned(), shown(&identity.map_err(failed)?)))).collect()
}

fn shown(identity: &Identity) -> ClientCertificate {
    ClientCertificate { chain: identity.chain().to_vec(), key: identity.private_key().to_der() }
}

fn not_there(what: &str) -> DoubleError {
    DoubleError(format!("it has no {what}"))
}

fn failed(error: impl std::fmt::Display) -> DoubleError {
    DoubleError(error.to_string())
}
