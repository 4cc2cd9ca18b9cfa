//! The whole state of a service, to be kept and restored to the byte.

use serde::{Deserialize, Deserializer, Serialize, de};

use super::Service;
use crate::{
    Settings, Timestamp, VerifyEs256,
    bytes::is_default,
    connection::{Connection, ConnectionForm},
    fault::FaultsForm,
    gateway::{GatewayForm, GatewayPeers},
    journal::{COUNT_MAX, EventForm, Log},
    message_id::Identifiers,
    providers::Providers,
    snapshot::{Problem, SnapshotError},
    team::{Team, TeamForm},
    token_updates::{KeyPastForm, TokenPast},
    transcript::{Replaying, ReplayingForm},
};

/// The whole state of a service. It serialises to JSON with keys in kebab case, and reads what it has written, and is for
/// formats that describe themselves alone.
///
/// It has everything that was pushed, headers and all, provider tokens among them: who reads it can push for as long as they are
/// good. Effects that were not polled are not in it, and neither is what was counted for metrics:
/// [`totals`](Service::totals), [`answers`](Service::answers) and
/// [`provider_tokens_seen`](Service::provider_tokens_seen) begin at zero in a service that is made of it.
///
/// ```
/// use mock_apns_core::{Service, Settings, Snapshot, Timestamp};
///
/// # fn verify(_: &[u8; 65], _: &[u8], _: &mock_apns_core::Signature<'_>) -> bool { false }
/// let service = Service::new(Settings::default(), 42, verify);
/// let json = serde_json::to_string(&service.snapshot())?;
/// let snapshot: Snapshot = serde_json::from_str(&json)?;
/// let again = Service::restore(Timestamp::from_secs(1_700_000_000), &snapshot, verify)?;
/// assert_eq!(serde_json::to_string(&again.snapshot())?, json);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Snapshot {
    #[serde(deserialize_with = "known_version")]
    version: u32,
    #[serde(with = "hex_number")]
    seed: u64,
    settings: Settings,
    identifiers: Identifiers,
    /// By their places; `null`: the team was removed.
    teams: Vec<Option<TeamForm>>,
    token_past: Vec<KeyPastForm>,
    unclaimed: Log<EventForm>,
    gateway: GatewayForm,
    /// How many connections of providers were opened ever.
    opened: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    connections: Vec<ConnectionForm>,
    /// Those for everyone.
    #[serde(default, skip_serializing_if = "is_default")]
    faults: FaultsForm,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    transcript: Option<ReplayingForm>,
}

impl Service {
    /// The whole state but for the connections of providers, which whoever [restores](Self::restore) it does not have.
    pub fn snapshot(&self) -> Snapshot {
        let teams = self.teams.places().map(|team| team.map(Team::to_form)).collect();
        let Ok(unclaimed) = self
            .unclaimed
            .try_map(|_, event| Ok::<_, std::convert::Infallible>(EventForm::of_turned_away(event)));
        Snapshot {
            version: VERSION,
            seed: self.seed,
            settings: self.settings.clone(),
            identifiers: self.identifiers.clone(),
            teams,
            token_past: self.providers.token_past.to_forms(),
            unclaimed,
            gateway: self.gateway.to_form(),
            opened: self.providers.next_id().0,
            connections: Vec::new(),
            faults: self.faults.to_form(),
            transcript: self.replaying.as_deref().map(Replaying::to_form),
        }
    }

    /// The whole state and the connections of providers, to [resume](Self::resume) from and to do there again what is
    /// recorded from now on.
    pub fn checkpoint(&self) -> Snapshot {
        let connections = self.providers.connections.iter();
        let mut connections: Vec<_> = connections.map(|(id, connection)| connection.to_form(*id)).collect();
        connections.sort_unstable_by_key(|connection| connection.id);
        Snapshot { connections, ..self.snapshot() }
    }

    /// A service as it was. Nobody is connected to it any more: a device that was connected is offline from `now` on, as
    /// when its connection is lost. IDs of connections count on. A snapshot of it equals the one that it was made
    /// of, if no device was connected.
    ///
    /// # Errors
    ///
    /// The snapshot was not made by a service, or was changed since.
    pub fn restore(now: Timestamp, snapshot: &Snapshot, verify: VerifyEs256) -> Result<Self, SnapshotError> {
        let mut service = Self::resume(snapshot, verify)?;
        service.disconnect_all(now);
        service.effects.clear();
        Ok(service)
    }

    /// A service as it was, with everyone connected who was, to do again what was recorded since. When that is done,
    /// [`disconnect_all`](Self::disconnect_all) tells it that they are not.
    ///
    /// # Errors
    ///
    /// As of [`restore`](Self::restore).
    pub fn resume(snapshot: &Snapshot, verify: VerifyEs256) -> Result<Self, SnapshotError> {
        let mut service = Self::new(snapshot.settings.clone(), snapshot.seed, verify);
        service.identifiers = snapshot.identifiers.clone();
        service.faults.restore(&snapshot.faults).map_err(|problem| problem.at("faults"))?;
        let replaying = snapshot.transcript.as_ref().map(Replaying::from_form).transpose();
        service.replaying = replaying.map_err(|problem| problem.at("transcript"))?.map(Box::new);
        service.gateway = GatewayPeers::from_form(&snapshot.gateway)?;
        for (at, form) in snapshot.teams.iter().enumerate() {
            service.restore_team(form.as_ref()).map_err(|error| error.within(&format!("teams[{at}]")))?;
        }
        if service.faults.players().any(|team| service.team(team).is_none()) {
            return Err(Problem::Misplaced("a fault of a team that there is not").at("faults"));
        }
        service.unclaimed = snapshot.unclaimed.try_map(|at, event| {
            event.turned_away().map_err(|problem| problem.at(&format!("unclaimed.entries[{at}]")))
        })?;
        if !service.unclaimed.is_sound() || snapshot.opened > COUNT_MAX {
            return Err(Problem::TooMany.at("unclaimed, opened"));
        }
        let is_key = |key| service.teams.key(key).is_some();
        let token_past = TokenPast::from_forms(&snapshot.token_past, is_key);
        let token_past = token_past.map_err(|problem| problem.at("token-past"))?;
        service.providers = Providers::after(snapshot.opened, token_past);
        for (at, form) in snapshot.connections.iter().enumerate() {
            let place = || format!("connections[{at}]");
            let connection = Connection::from_form(form, &service.teams);
            let connection = connection.map_err(|problem| problem.at(&place()))?;
            let restored = service.providers.restore(form.id, connection);
            restored.map_err(|problem| problem.at(&place()))?;
        }
        service.wake_for_first_timers();
        Ok(service)
    }

    fn restore_team(&mut self, form: Option<&TeamForm>) -> Result<(), SnapshotError> {
        let team = match form {
            Some(form) => {
                let index = self.teams.next_index();
                let is_open = |connection, device| self.gateway.has_joined(connection, index, device);
                Some(Team::from_form(form, (index, self.seed), is_open)?)
            }
            None => None,
        };
        self.teams.restore(team).map_err(|problem| problem.at("id"))
    }
}

/// The form that snapshots have. It counts up when a snapshot of before cannot be read any more.
const VERSION: u32 = 2;

fn known_version<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    let version = u32::deserialize(from)?;
    if version == VERSION {
        Ok(version)
    } else {
        let message = format_args!("it is of version {version}, and this service reads version {VERSION}");
        Err(de::Error::custom(message))
    }
}

/// A number of 64 bits in hexadecimal: as a number it is not safe with all that reads JSON.
mod hex_number {
    use serde::{Deserializer, Serializer};

    use crate::bytes::hex;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
    pub(super) fn serialize<S: Serializer>(number: &u64, to: S) -> Result<S::Ok, S::Error> {
        hex::serialize(&number.to_be_bytes(), to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        hex::deserialize(from).map(u64::from_be_bytes)
    }
}
