//! Connections: what the service knows of a provider before its first push, and learns from its pushes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    Environment, KeyId, ProviderCertificate, Reason, Service, TeamId, Timestamp,
    bytes::is_default,
    journal::COUNT_MAX,
    snapshot::Problem,
    team::{KeyIndex, Team, TeamIndex, Teams},
    throttling::Errors,
    token_updates::{KeyPastForm, TokenPast},
    verified_tokens::VerifiedToken,
};

/// Names a connection for as long as the service lives; never used again.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct ConnectionId(pub(crate) u64);

impl ConnectionId {
    /// The ordinal of the connection, from 0.
    pub const fn ordinal(self) -> u64 {
        self.0
    }
}

impl std::fmt::Display for ConnectionId {
    /// The ordinal of the connection, from 0.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.0, f)
    }
}

/// What is known of a connection when its TLS handshake is done.
#[derive(Clone, Copy, Debug)]
pub struct Opened<'a> {
    /// The environment of the listener that accepted it.
    pub environment: Environment,
    /// The server name that the client asked for (RFC 6066, 3). A name of Apple's overrides `environment`.
    pub server_name: Option<&'a str>,
    /// The DER of the client's leaf certificate, where TLS has verified its chain.
    pub certificate: Option<&'a [u8]>,
}

/// The state of a connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) environment: Environment,
    pub(crate) admission: Admission,
    opened_at: Timestamp,
    /// The last provider token that was accepted, by its bytes: most pushes of a connection carry the same.
    last_token: Vec<u8>,
    last_verified: Option<VerifiedToken>,
    /// The key of the first accepted push, to which the connection is bound.
    first_key: Option<KeyIndex>,
    pub(crate) token_past: TokenPast,
    /// How many requests have come on it.
    requests: u64,
    /// Which of its team's connections it is, counted from 1.
    ordinal: Option<u64>,
    pub(crate) errors: Errors,
}

/// What the service knows of a provider's connection that is open.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ConnectedProvider {
    /// The environment that its pushes are for, unless a push names another host.
    pub environment: Environment,
    /// The teams whose provider it is: of its certificate, or of the keys below. None before the first accepted token.
    pub teams: Vec<TeamId>,
    /// The keys of the provider tokens that were accepted on it, since their team was reset.
    pub keys: Vec<KeyId>,
}

impl Service {
    /// What is known of a provider's connection; `None`: it is not open.
    pub fn connected_provider(&self, connection: ConnectionId) -> Option<ConnectedProvider> {
        let state = self.providers.connections.get(&connection)?;
        let of_certificate = state.team().and_then(|index| self.teams.get(index)).map(Team::id);
        let used = || state.token_past.keys();
        let of_keys = used().filter_map(|key| self.teams.get(key.team)).map(Team::id);
        let mut teams: Vec<TeamId> = of_certificate.into_iter().chain(of_keys).collect();
        teams.sort_unstable();
        teams.dedup();
        let mut keys: Vec<KeyId> = used().filter_map(|key| self.teams.key(key)).map(|key| key.id).collect();
        keys.sort_unstable();
        Some(ConnectedProvider { environment: state.environment, teams, keys })
    }
}

/// An accepted provider token, for the connection that it came on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Accepted {
    /// Its first.
    First,
    /// The same as the last.
    Again,
    /// Another than the last.
    Another,
}

/// What the certificate of a connection, or the lack of one, makes of it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Admission {
    /// No certificate: each push brings a provider token.
    ByToken,
    /// A certificate that may push; `authorization` is ignored.
    ByCertificate { team: TeamIndex, certificate: ProviderCertificate },
    /// Told to go away: its pushes get no answer.
    Refused(Reason),
}

impl Connection {
    pub(crate) fn open(now: Timestamp, opened: &Opened<'_>, teams: &Teams) -> Self {
        let named = opened.server_name.and_then(Environment::of_host);
        let environment = named.unwrap_or(opened.environment);
        let admission = match opened.certificate {
            None => Admission::ByToken,
            Some(der) => admit(now, der, environment, teams),
        };
        Self {
            environment,
            admission,
            opened_at: now,
            last_token: Vec::new(),
            last_verified: None,
            first_key: None,
            token_past: TokenPast::default(),
            requests: 0,
            ordinal: None,
            errors: Errors::default(),
        }
    }

    /// What the last accepted token says, if these are its bytes.
    pub(crate) fn recall(&self, token: &[u8]) -> Option<VerifiedToken> {
        self.last_verified.filter(|_| self.last_token == token)
    }

    /// Remembers an accepted token, and says whether it is news.
    pub(crate) fn accepted(&mut self, now: Timestamp, bytes: &[u8], token: VerifiedToken) -> Accepted {
        if self.recall(bytes).is_some() {
            return Accepted::Again;
        }
        self.last_token.clear();
        self.last_token.extend_from_slice(bytes);
        self.last_verified = Some(token);
        self.token_past.remember(token, now);
        let is_first = self.first_key.is_none();
        self.first_key.get_or_insert(token.key);
        if is_first {
            self.errors.streams_are_usual();
        }
        if is_first { Accepted::First } else { Accepted::Another }
    }

    /// Whether it has as many streams as a good credential gets, but for its errors.
    pub(crate) fn has_streams(&self) -> bool {
        matches!(self.admission, Admission::ByCertificate { .. }) || self.first_key.is_some()
    }

    /// Whether it was told to go away, or is about to be closed: what comes on it has no answer.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.admission, Admission::Refused(_)) || self.errors.has_ended()
    }

    /// The team whose provider it is, once that is known.
    pub(crate) fn team(&self) -> Option<TeamIndex> {
        match &self.admission {
            Admission::ByCertificate { team, .. } => Some(*team),
            Admission::ByToken | Admission::Refused(_) => self.first_key.map(|key| key.team),
        }
    }

    /// For how long it has been open.
    pub(crate) fn open_for(&self, now: Timestamp) -> Duration {
        now.saturating_since(self.opened_at)
    }

    /// A request has come.
    pub(crate) fn count_request(&mut self) {
        self.requests += 1;
    }

    /// How many requests have come, this one among them.
    pub(crate) fn requests(&self) -> u64 {
        self.requests
    }

    /// Which of its team's connections it is, counted from 1; `None`: it has not shown whose it is.
    pub(crate) fn ordinal(&self) -> Option<u64> {
        self.ordinal
    }

    /// It has shown whose it is, as that one of the team's connections.
    pub(crate) fn set_ordinal(&mut self, ordinal: u64) {
        self.ordinal = Some(ordinal);
    }

    /// Forgets what a provider token of a team has proven.
    pub(crate) fn verify_anew(&mut self, team: TeamIndex) {
        self.last_verified = self.last_verified.filter(|token| token.key.team != team);
    }

    /// Forgets which provider tokens of a team were used, and the errors of its provider.
    pub(crate) fn forget(&mut self, team: TeamIndex) {
        if self.team() == Some(team) {
            self.ordinal = None;
            self.errors.forget();
        }
        self.first_key = self.first_key.filter(|key| key.team != team);
        self.token_past.forget(team);
    }

    pub(crate) fn first_key(&self) -> Option<KeyIndex> {
        self.first_key
    }
}

/// A connection, as it is written in a snapshot: without what its last token has proven.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ConnectionForm {
    pub(crate) id: ConnectionId,
    environment: Environment,
    admission: Admission,
    opened_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_key: Option<KeyIndex>,
    token_past: Vec<KeyPastForm>,
    #[serde(default, skip_serializing_if = "is_default")]
    requests: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ordinal: Option<u64>,
    errors: Errors,
}

impl Connection {
    pub(crate) fn to_form(&self, id: ConnectionId) -> ConnectionForm {
        ConnectionForm {
            id,
            environment: self.environment,
            admission: self.admission.clone(),
            opened_at: self.opened_at,
            first_key: self.first_key,
            token_past: self.token_past.to_forms(),
            requests: self.requests,
            ordinal: self.ordinal,
            errors: self.errors,
        }
    }

    pub(crate) fn from_form(form: &ConnectionForm, teams: &Teams) -> Result<Self, Problem> {
        if form.requests.max(form.ordinal.unwrap_or(0)) > COUNT_MAX {
            return Err(Problem::TooMany);
        }
        Ok(Self {
            environment: form.environment,
            admission: form.admission.clone(),
            opened_at: form.opened_at,
            last_token: Vec::new(),
            last_verified: None,
            first_key: form.first_key,
            token_past: TokenPast::from_forms(&form.token_past, |key| teams.key(key).is_some())?,
            requests: form.requests,
            ordinal: form.ordinal,
            errors: form.errors,
        })
    }
}

/// Decides what a certificate makes of a connection. Apple refuses a certificate that it cannot use by a GOAWAY frame
/// with a reason, not by an answer (observed in a frame trace of 2016). An expired one should not get through TLS; it
/// is looked at again because the team's clock may be ahead of the machine's.
fn admit(now: Timestamp, der: &[u8], environment: Environment, teams: &Teams) -> Admission {
    let Ok(certificate) = ProviderCertificate::from_der(der) else {
        return Admission::Refused(Reason::BadCertificate);
    };
    let Some((index, team)) = team_of(&certificate, teams).and_then(|index| Some((index, teams.get(index)?)))
    else {
        return Admission::Refused(Reason::BadCertificate);
    };
    if team.now(now) > certificate.not_after {
        return Admission::Refused(Reason::BadCertificate);
    }
    if !certificate.environments.contains(&environment) {
        return Admission::Refused(Reason::BadCertificateEnvironment);
    }
    Admission::ByCertificate { team: index, certificate }
}

/// The team whose certificate this is, whether or not it may push with it. `None` also of one that cannot be read.
pub(crate) fn team_named_by(der: &[u8], teams: &Teams) -> Option<TeamIndex> {
    team_of(&ProviderCertificate::from_der(der).ok()?, teams)
}

/// The team whose certificate it is: the one that its subject names, else the first that has an app for one of its
/// topics, as MDM certificates name no team.
pub(crate) fn team_of(certificate: &ProviderCertificate, teams: &Teams) -> Option<TeamIndex> {
    let named = certificate.team_id.and_then(|id| teams.index_of(id));
    let owns_a_topic = |team: &Team| certificate.topics.iter().any(|topic| team.owns_topic(topic));
    named.or_else(|| teams.find(owns_a_topic))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Effect,
        bench::{
            Bench, KEY, NOW, OTHER_TEAM, TEAM, authority, certificate, certificate_for, sandbox, unix_now,
        },
        team::Beginning,
    };

    /// Why a connection with this certificate is told to go away.
    fn refusal(now: Timestamp, opened: Opened<'_>) -> Option<Reason> {
        let mut bench = Bench::new();
        let id = bench.service.connected(now, opened);
        match bench.service.poll_effect() {
            Some(Effect::GoAway { connection, reason }) if connection == id => Some(reason),
            None => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_listener_decides_the_environment_unless_the_client_asks_for_a_name_of_apples() {
        let teams = Teams::default();
        let production = Environment::Production;
        for (server_name, environment) in [
            (None, production),
            (Some("localhost"), production),
            (Some("api.sandbox.push.apple.com"), Environment::Sandbox),
            (Some("api.push.apple.com"), production),
        ] {
            let opened = Opened { environment: production, server_name, certificate: None };
            assert_eq!(Connection::open(NOW, &opened, &teams).environment, environment, "{server_name:?}");
        }
    }

    #[test]
    fn it_is_known_whose_provider_a_connection_is_once_it_has_shown_it() {
        let mut bench = Bench::new();
        let known = |bench: &Bench| {
            let it = bench.service.connected_provider(bench.connection).unwrap();
            let text = |ids: &[TeamId]| ids.iter().map(TeamId::to_string).collect::<Vec<_>>().join(",");
            (text(&it.teams), it.keys.iter().map(KeyId::to_string).collect::<Vec<_>>().join(","))
        };
        assert_eq!(known(&bench), (String::new(), String::new()));
        let push = bench.push();
        bench.effects(&push);
        bench.effects(&push);
        assert_eq!(known(&bench), (TEAM.to_owned(), KEY.to_owned()));
        bench.connect_with(&certificate("development"));
        assert_eq!(known(&bench), (TEAM.to_owned(), String::new()));
        bench.service.disconnected(NOW, bench.connection);
        assert_eq!(bench.service.connected_provider(bench.connection), None);
    }

    #[test]
    fn a_certificate_for_the_other_environment_is_sent_away() {
        let [development, production, universal] =
            ["development", "production", "universal"].map(certificate);
        let apples_name = Some("api.push.apple.com");
        let opened = |der, server_name| Opened { certificate: Some(der), server_name, ..sandbox() };
        assert_eq!(refusal(NOW, opened(&development, None)), None);
        let wrong = Some(Reason::BadCertificateEnvironment);
        assert_eq!(refusal(NOW, opened(&development, apples_name)), wrong);
        assert_eq!(refusal(NOW, opened(&production, None)), wrong);
        assert_eq!(refusal(NOW, opened(&universal, apples_name)), None);
    }

    #[test]
    fn a_certificate_that_is_none_for_push_or_of_no_team_is_sent_away() {
        let server = authority().server(&[], unix_now()).unwrap();
        let stranger = certificate_for("development", "com.stranger.app", "NOSUCHTEAM");
        for der in [&b"nonsense"[..], server.certificate(), &stranger] {
            let opened = Opened { certificate: Some(der), ..sandbox() };
            assert_eq!(refusal(NOW, opened), Some(Reason::BadCertificate));
        }
    }

    #[test]
    fn a_certificate_ages_by_the_services_clock() {
        let der = certificate("development");
        let not_after = ProviderCertificate::from_der(&der).unwrap().not_after;
        let opened = Opened { certificate: Some(&der), ..sandbox() };
        assert_eq!(refusal(not_after, opened), None);
        let later = not_after.saturating_add(Duration::from_secs(1));
        assert_eq!(refusal(later, opened), Some(Reason::BadCertificate));
    }

    #[test]
    fn the_subject_names_the_team_before_its_topics_do() {
        let mut teams = Teams::default();
        for id in [TEAM, OTHER_TEAM] {
            let mut team = Team::new(TeamId::parse(id).unwrap());
            let bundle_id = crate::BundleId::parse("com.example.app").unwrap();
            team.add_app(crate::App::new(bundle_id)).unwrap();
            let settings = crate::Settings::default();
            teams.add(team, Beginning { settings: &settings, seed: 0 }).unwrap();
        }
        for (unit, expected) in [(TEAM, TEAM), (OTHER_TEAM, OTHER_TEAM), ("NOSUCHTEAM", TEAM)] {
            let der = certificate_for("development", "com.example.app", unit);
            let certificate = ProviderCertificate::from_der(&der).unwrap();
            let team = team_of(&certificate, &teams).unwrap();
            assert_eq!(teams.get(team).unwrap().id().as_str(), expected);
        }
    }
}
