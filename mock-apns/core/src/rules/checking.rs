//! A push under judgement: what came in, and what the rules have read so far.

use std::time::Duration;

use crate::{
    Environment, Expiration, FieldName, Priority, ProviderCertificate, ProviderKey, PushType, Request,
    Settings, Timestamp, TokenKind, TokenStatus, Topic, VerifyEs256,
    connection::{Admission, Connection},
    device_token::{TokenBytes, TokenIdentity},
    provider_token::ProviderToken,
    settings::TokenUpdates,
    team::{KeyIndex, Team, TeamIndex, Teams, TopicOwner},
    token_updates::TokenPast,
    verified_tokens::{VerifiedToken, VerifiedTokens},
};

/// What a rule looks at, and where it leaves what it has read.
pub(crate) struct Checking<'a> {
    pub(crate) input: Input<'a>,
    /// Signatures verified before; a rule that verifies one adds it.
    pub(crate) tokens: &'a mut VerifiedTokens,
    /// The environment of the push: of the host that it names, else of its connection.
    pub(crate) environment: Environment,
    /// The provider token's bytes. `None` with a certificate: then there is no token to judge.
    pub(crate) bearer: Option<&'a [u8]>,
    /// The token as read, unless it was verified before.
    pub(crate) unverified: Option<ProviderToken<'a>>,
    /// The token, its signature verified now or before.
    pub(crate) verified: Option<VerifiedToken>,
    pub(crate) push_type: Option<PushType>,
    pub(crate) topic: Option<Topic<'a>>,
    /// The app that the topic belongs to. `None` for a certificate's topic that no app of the team has.
    pub(crate) topic_owner: Option<&'a TopicOwner>,
    /// The device token's digits, as they stand in the path.
    pub(crate) device_token_digits: &'a [u8],
    pub(crate) device_token: Option<TokenBytes>,
    /// What the device token stands for.
    pub(crate) identity: Option<TokenIdentity>,
    pub(crate) token_status: Option<TokenStatus>,
    pub(crate) payload_is_json: bool,
}

/// What has become of a push under judgement, for the one who asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judged {
    /// The team whose credentials came with it, if they are some.
    pub(crate) team: Option<TeamIndex>,
    /// That team's time.
    pub(crate) now: Timestamp,
    pub(crate) environment: Environment,
    pub(crate) verified: Option<VerifiedToken>,
    pub(crate) token_updates: TokenUpdates,
    pub(crate) max_concurrent_streams: u32,
    pub(crate) push_type: Option<PushType>,
    pub(crate) priority: Option<Priority>,
    pub(crate) expiration: Expiration,
    pub(crate) device_token: Option<TokenIdentity>,
    pub(crate) token_status: Option<TokenStatus>,
}

/// What comes in with a push, and the state of the service that it meets.
#[derive(Clone, Copy)]
pub(crate) struct Input<'a> {
    pub(crate) now: Timestamp,
    pub(crate) settings: &'a Settings,
    pub(crate) verify: VerifyEs256,
    pub(crate) teams: &'a Teams,
    /// The past of all provider tokens, whatever their connection.
    pub(crate) token_past: &'a TokenPast,
    pub(crate) connection: &'a Connection,
    pub(crate) request: &'a Request,
    pub(crate) body: &'a [u8],
}

impl<'a> Checking<'a> {
    pub(crate) fn new(input: Input<'a>, tokens: &'a mut VerifiedTokens) -> Self {
        let named = input.request.authority().and_then(Environment::of_host_bytes);
        Self {
            input,
            tokens,
            environment: named.unwrap_or(input.connection.environment),
            bearer: None,
            unverified: None,
            verified: None,
            push_type: None,
            topic: None,
            topic_owner: None,
            device_token_digits: &[],
            device_token: None,
            identity: None,
            token_status: None,
            payload_is_json: false,
        }
    }

    pub(super) fn certificate(&self) -> Option<&'a ProviderCertificate> {
        match &self.input.connection.admission {
            Admission::ByCertificate { certificate, .. } => Some(certificate),
            Admission::ByToken | Admission::Refused(_) => None,
        }
    }

    /// The team whose credentials these are. `None` also if it was removed since.
    pub(super) fn team(&self) -> Option<&'a Team> {
        self.input.teams.get(self.team_index()?)
    }

    fn team_index(&self) -> Option<TeamIndex> {
        match &self.input.connection.admission {
            Admission::ByCertificate { team, .. } => Some(*team),
            Admission::ByToken | Admission::Refused(_) => self.verified.map(|token| token.key.team),
        }
    }

    /// The settings that count: the team's, once it is known.
    pub(super) fn settings(&self) -> &'a Settings {
        self.team().map_or(self.input.settings, Team::settings)
    }

    /// The settings that count for a provider token that is not verified yet: of the team that it names, which may be
    /// strict or lenient about what it takes.
    pub(super) fn claimed_settings(&self) -> &'a Settings {
        let named = self.unverified.as_ref().and_then(|token| self.input.teams.index_of(token.team_id));
        named.and_then(|index| self.input.teams.get(index)).map_or(self.input.settings, Team::settings)
    }

    /// The time that counts: the team's, once it is known.
    pub(super) fn now(&self) -> Timestamp {
        self.team().map_or(self.input.now, |team| team.now(self.input.now))
    }

    /// What is left when all rules were asked, or one has refused.
    pub(crate) fn judged(&self) -> Judged {
        let (settings, request) = (self.settings(), self.input.request);
        Judged {
            team: self.team_index(),
            now: self.now(),
            environment: self.environment,
            verified: self.verified,
            token_updates: settings.provider_token_updates,
            max_concurrent_streams: settings.max_concurrent_streams,
            push_type: self.push_type,
            priority: request.get(FieldName::ApnsPriority).and_then(Priority::parse),
            expiration: request
                .get(FieldName::ApnsExpiration)
                .and_then(Expiration::parse)
                .unwrap_or_default(),
            device_token: self.identity,
            token_status: self.token_status,
        }
    }

    /// The key of the verified provider token.
    pub(super) fn key(&self) -> Option<&'a ProviderKey> {
        self.input.teams.key(self.verified?.key)
    }

    /// The key of the connection's first push, unless its team was removed since.
    pub(super) fn first_key(&self) -> Option<KeyIndex> {
        self.input.connection.first_key().filter(|first| self.input.teams.get(first.team).is_some())
    }

    /// The past that the setting `provider-token-updates` asks for.
    pub(super) fn token_past(&self) -> Option<&'a TokenPast> {
        match self.settings().provider_token_updates {
            TokenUpdates::PerConnection => Some(&self.input.connection.token_past),
            TokenUpdates::PerKey => Some(self.input.token_past),
            TokenUpdates::Off => None,
        }
    }

    pub(super) fn token_update_window(&self) -> Duration {
        Duration::from_secs(self.settings().provider_token_update_window.into())
    }

    /// The kind of device token that the topic is for.
    pub(super) fn topic_kind(&self) -> Option<TokenKind> {
        match self.topic_owner {
            Some(owner) => Some(owner.kind),
            None => self.topic.map(|topic| TokenKind::of_topic(topic.as_str())),
        }
    }
}
