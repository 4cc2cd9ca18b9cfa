//! A service with teams, keys, apps and device tokens, and a push that it accepts: what every test starts from.

#![allow(dead_code, unreachable_pub, reason = "each test program uses another part of it")]
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::time::Duration;

use apns_certs::{Authority, ProviderCertificateKind, ProviderCertificateRequest};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use mock_apns_core::{
    Answer, App, BundleId, ConnectionId, DeviceId, DeviceToken, Effect, Environment, KeyId, KeyScope, Opened,
    ProviderKey, Reason, Request, Service, Settings, Signature, Team, TeamAt, TeamId, Timestamp, TokenKind,
};
use p256::ecdsa::{
    self, SigningKey, VerifyingKey,
    signature::{Signer as _, Verifier as _},
};
use rand_core::{Rng as _, SeedableRng as _};
use rand_xoshiro::Xoshiro256PlusPlus;
use rustls_pki_types::UnixTime;

/// 2023-11-14T22:13:20Z: some present.
pub const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);
pub const HOUR: Duration = Duration::from_hours(1);

pub const TEAM: &str = "TEAM000001";
pub const OTHER_TEAM: &str = "TEAM000002";
pub const KEY: &str = "LEGACYKEY1";

/// The alert token and the VoIP token of the app.
pub const TOKEN: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
pub const VOIP_TOKEN: &str = "80ff";

pub struct Bench {
    pub service: Service,
    pub connection: ConnectionId,
    pub now: Timestamp,
    authorization: String,
    next_stream: u32,
}

impl Bench {
    pub fn new() -> Self {
        Self::with_settings(Settings::default())
    }

    pub fn with_setting(name: &str, value: &str) -> Self {
        let mut settings = Settings::default();
        settings.set(name, value).unwrap();
        Self::with_settings(settings)
    }

    pub fn with_settings(settings: Settings) -> Self {
        let mut service = service(settings, 42);
        let connection = service.connected(NOW, sandbox());
        let authorization = AUTHORIZATION.with(Clone::clone);
        Self { service, connection, now: NOW, authorization, next_stream: 1 }
    }

    /// A new connection without a certificate, used from now on.
    pub fn connect(&mut self) {
        self.connection = self.service.connected(self.now, sandbox());
    }

    /// A new connection with a certificate, used from now on.
    pub fn connect_with(&mut self, certificate: &[u8]) {
        let opened = Opened { certificate: Some(certificate), ..sandbox() };
        self.connection = self.service.connected(self.now, opened);
    }

    /// Gives a team's setting a value.
    pub fn set(&mut self, team: &str, name: &str, value: &str) {
        let mut team = self.service.team_at(self.now, TeamId::parse(team).unwrap()).unwrap();
        let mut settings = team.team().settings().clone();
        settings.set(name, value).unwrap();
        team.set_settings(settings);
    }

    /// The team of the bench, now.
    pub fn team_at(&mut self) -> TeamAt<'_> {
        self.service.team_at(self.now, TeamId::parse(TEAM).unwrap()).unwrap()
    }

    /// Makes the app's token one of this environment.
    pub fn register(&mut self, environment: Environment) {
        let mut team = self.team_at();
        let _ = team.remove_device(&device(PHONE)); // after a reset there is none
        register(&mut team, TOKEN, TokenKind::App, environment);
    }

    /// A push that is accepted.
    pub fn push(&self) -> Push {
        let fields = [
            (":method", "POST"),
            (":scheme", "https"),
            (":path", &format!("/3/device/{TOKEN}")),
            (":authority", "localhost:2197"),
            ("authorization", &self.authorization),
            ("apns-topic", "com.example.app"),
            ("apns-push-type", "alert"),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Push { fields, body: br#"{"aps":{"alert":"Hello"}}"#.to_vec() }
    }

    /// Everything that the service wants done about a push.
    pub fn effects(&mut self, push: &Push) -> Vec<Effect> {
        let stream = self.next_stream;
        self.next_stream += 2;
        self.service.request(self.now, self.connection, stream, &push.request(), &push.body);
        std::iter::from_fn(|| self.service.poll_effect()).collect()
    }

    pub fn answer(&mut self, push: &Push) -> Answer {
        match self.effects(push).pop() {
            Some(Effect::Respond { answer, .. }) => answer,
            other => panic!("no answer but {other:?}"),
        }
    }

    /// Why a push is refused; `None`: it is not.
    pub fn reason(&mut self, push: &Push) -> Option<Reason> {
        self.answer(push).reason
    }
}

/// A request in the making.
#[derive(Clone, Debug)]
pub struct Push {
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Push {
    /// With this field, in place of one of the same name.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        match self.fields.iter_mut().find(|field| field.0 == name) {
            Some(field) => value.clone_into(&mut field.1),
            None => return self.and(name, value),
        }
        self
    }

    /// With one more field, whatever there is.
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|field| field.0 != name);
        self
    }

    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub fn signed_by(self, jwt: &Jwt<'_>) -> Self {
        self.with("authorization", &format!("bearer {}", jwt.sign()))
    }

    pub fn value(&self, name: &str) -> String {
        self.fields.iter().find(|field| field.0 == name).unwrap().1.clone()
    }

    pub fn request(&self) -> Request {
        let mut request = Request::new();
        for (name, value) in &self.fields {
            request.field(name.as_bytes(), value.as_bytes());
        }
        request
    }
}

/// A provider token in the making.
#[derive(Clone, Copy, Debug)]
pub struct Jwt<'a> {
    pub alg: &'a str,
    pub kid: &'a str,
    pub team: &'a str,
    /// As JSON; empty: now.
    pub iat: &'a str,
    /// The name of the key that signs; empty: the one that `kid` names.
    pub signer: &'a str,
    pub der: bool,
}

impl Default for Jwt<'_> {
    fn default() -> Self {
        Self { alg: "ES256", kid: KEY, team: TEAM, iat: "", signer: "", der: false }
    }
}

impl Jwt<'_> {
    pub fn sign(&self) -> String {
        let now = NOW.as_secs().to_string();
        let iat = if self.iat.is_empty() { &now } else { self.iat };
        let header = format!(r#"{{"alg":"{}","kid":"{}"}}"#, self.alg, self.kid);
        let claims = format!(r#"{{"iss":"{}","iat":{iat}}}"#, self.team);
        let encode = |part: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(part);
        let signed = format!("{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()));
        let key = if self.signer.is_empty() { self.kid } else { self.signer };
        let signature: ecdsa::Signature = signing_key(key).sign(signed.as_bytes());
        let signature =
            if self.der { signature.to_der().as_bytes().to_vec() } else { signature.to_bytes().to_vec() };
        format!("{signed}.{}", encode(&signature))
    }
}

/// The DER of a certificate of the team's app, of this kind.
pub fn certificate(kind: &str) -> Vec<u8> {
    certificate_for(kind, "com.example.app", TEAM)
}

pub fn certificate_for(kind: &str, bundle_id: &str, team: &str) -> Vec<u8> {
    let request = ProviderCertificateRequest::new(
        ProviderCertificateKind::all().find(|it| it.name() == kind).unwrap(),
        apns_certs::Topic::new(bundle_id).unwrap(),
        apns_certs::TeamId::new(team).unwrap(),
    );
    authority().provider(&request, unix_now()).unwrap().certificate().to_vec()
}

pub fn authority() -> Authority {
    Authority::generate(unix_now()).unwrap()
}

pub fn unix_now() -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(NOW.as_secs()))
}

/// A payload of exactly so many bytes.
pub fn payload_of(bytes: usize) -> Vec<u8> {
    format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8)).into_bytes()
}

/// A connection to the sandbox without certificate.
pub fn sandbox() -> Opened<'static> {
    Opened { environment: Environment::Sandbox, server_name: None, certificate: None }
}

/// A service with the team of the bench, and another.
pub fn service(settings: Settings, seed: u64) -> Service {
    let mut service = Service::new(settings, seed, verify);
    service.add_team(team()).unwrap();
    service.add_team(other_team()).unwrap();
    for id in [TEAM, OTHER_TEAM] {
        let mut team = service.team_at(NOW, TeamId::parse(id).unwrap()).unwrap();
        register(&mut team, TOKEN, TokenKind::App, Environment::Sandbox);
        if id == TEAM {
            register(&mut team, VOIP_TOKEN, TokenKind::Voip, Environment::Sandbox);
        }
    }
    service
}

// Keys and signatures are dear, and always the same.
thread_local! {
    static KEYS: [ProviderKey; 7] = keys();
    static AUTHORIZATION: String = format!("bearer {}", Jwt::default().sign());
}

fn keys() -> [ProviderKey; 7] {
    let topics = |related: Option<&str>| KeyScope::Topics {
        environment: Environment::Sandbox,
        bundle_ids: [bundle_id("com.example.app")].into(),
        related: related.map(|id| KeyId::parse(id).unwrap()),
    };
    [
        (KEY, KeyScope::Legacy),
        ("SANDTEAM01", KeyScope::Team { environment: Environment::Sandbox }),
        ("PRODTEAM01", KeyScope::Team { environment: Environment::Production }),
        ("TOPICKEY01", topics(Some("TOPICKEY02"))),
        ("TOPICKEY02", topics(None)),
        ("TOPICKEY03", topics(Some("TOPICKEY02"))),
        ("OTHERKEY01", KeyScope::Legacy),
    ]
    .map(|(id, scope)| provider_key(id, scope))
}

pub fn team() -> Team {
    let mut team = Team::new(TeamId::parse(TEAM).unwrap());
    for key in KEYS.with(Clone::clone).into_iter().take(6) {
        team.add_key(key).unwrap();
    }
    team.add_app(App::new(bundle_id("com.example.app"))).unwrap();
    team.add_app(App::new(bundle_id("com.example.second"))).unwrap();
    team
}

/// A team that has an app and a token of the same names: nothing is shared between teams.
pub fn other_team() -> Team {
    let mut team = Team::new(TeamId::parse(OTHER_TEAM).unwrap());
    team.add_key(KEYS.with(|keys| keys[6].clone())).unwrap();
    team.add_app(App::new(bundle_id("com.example.app"))).unwrap();
    team.add_app(App::new(bundle_id("com.other.app"))).unwrap();
    team
}

/// The one device of the bench.
pub const PHONE: &str = "phone";

pub fn device(name: &str) -> DeviceId {
    DeviceId::parse(name).unwrap()
}

/// Registers the app on the phone under a token that is written down.
fn register(team: &mut TeamAt<'_>, token: &str, kind: TokenKind, environment: Environment) {
    let (phone, app) = (device(PHONE), bundle_id("com.example.app"));
    if team.team().device(&phone).is_none() {
        team.add_device(phone.clone()).unwrap();
    }
    team.install(&phone, &app, environment).unwrap();
    let token = DeviceToken::from_hex(token.as_bytes()).unwrap();
    team.register_as(&phone, &app, environment, kind, token).unwrap();
}

pub fn bundle_id(text: &str) -> BundleId {
    BundleId::parse(text).unwrap()
}

pub fn provider_key(id: &str, scope: KeyScope) -> ProviderKey {
    let point = signing_key(id).verifying_key().to_sec1_point(false);
    ProviderKey::new(KeyId::parse(id).unwrap(), point.as_bytes().try_into().unwrap(), scope)
}

/// A key made from its name: the same in every run, and written down nowhere.
fn signing_key(name: &str) -> SigningKey {
    let seed = name.bytes().fold(0, |seed, byte| seed * 31 + u64::from(byte));
    let mut generator = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut scalar = [0; 32];
    generator.fill_bytes(&mut scalar);
    SigningKey::from_slice(&scalar).unwrap()
}

pub fn verify(public_key: &[u8; 65], message: &[u8], signature: &Signature<'_>) -> bool {
    let Ok(key) = VerifyingKey::from_sec1_bytes(public_key) else { return false };
    let signature = match signature {
        Signature::RawRs(raw) => ecdsa::Signature::from_slice(raw),
        Signature::Der(der) => ecdsa::Signature::from_der(der),
    };
    signature.is_ok_and(|signature| key.verify(message, &signature).is_ok())
}
