//! What devices ask for, and what they are answered.

use std::num::NonZeroU64;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::{
    ConnectedMessage, DeviceConnectionId, DeviceMessage, DeviceRequest, FromDevice, GatewayErrorCode,
    ToDevice, TokenMessage,
};
use crate::{
    BundleId, DeviceError, DeviceId, DeviceToken, Environment, Recorded, Service, TeamId, Timestamp,
    TokenKind,
    device::DeviceIndex,
    journal::COUNT_MAX,
    snapshot::{Problem, SnapshotError},
    team::{TeamAt, TeamIndex},
};

/// The connections of devices.
#[derive(Debug, Default)]
pub(crate) struct GatewayPeers {
    peers: FxHashMap<DeviceConnectionId, Peer>,
    opened: u64,
}

/// A device's connection.
#[derive(Debug)]
struct Peer {
    device: DeviceId,
    /// The team that it has named, and its place there.
    joined: Option<(TeamIndex, DeviceIndex)>,
}

/// The connections of devices, as they are written in a snapshot.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct GatewayForm {
    opened: u64,
    peers: Vec<PeerForm>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct PeerForm {
    connection: DeviceConnectionId,
    device: DeviceId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    joined: Option<(TeamIndex, DeviceIndex)>,
}

impl GatewayPeers {
    pub(crate) fn to_form(&self) -> GatewayForm {
        let form = |(connection, peer): (&DeviceConnectionId, &Peer)| PeerForm {
            connection: *connection,
            device: peer.device.clone(),
            joined: peer.joined,
        };
        let mut peers: Vec<PeerForm> = self.peers.iter().map(form).collect();
        peers.sort_unstable_by_key(|peer| peer.connection);
        GatewayForm { opened: self.opened, peers }
    }

    pub(crate) fn from_form(form: &GatewayForm) -> Result<Self, SnapshotError> {
        if form.opened > COUNT_MAX {
            return Err(Problem::TooMany.at("gateway.opened"));
        }
        let mut gateway = Self { peers: FxHashMap::default(), opened: form.opened };
        for (at, PeerForm { connection, device, joined }) in form.peers.iter().enumerate() {
            let place = || format!("gateway.peers[{at}]");
            if connection.0.get() > form.opened {
                return Err(Problem::NoSuch("connection", connection.0.get()).at(&place()));
            }
            let peer = Peer { device: device.clone(), joined: *joined };
            if gateway.peers.insert(*connection, peer).is_some() {
                return Err(Problem::Twice("a connection").at(&place()));
            }
        }
        Ok(gateway)
    }

    /// Whether this connection is open, and is that of a device of a team.
    pub(crate) fn has_joined(
        &self,
        connection: DeviceConnectionId,
        team: TeamIndex,
        device: DeviceIndex,
    ) -> bool {
        self.peers.get(&connection).is_some_and(|peer| peer.joined == Some((team, device)))
    }

    /// The IDs of all connections, in the order in which they were opened.
    pub(crate) fn connections(&self) -> Vec<DeviceConnectionId> {
        let mut connections: Vec<DeviceConnectionId> = self.peers.keys().copied().collect();
        connections.sort_unstable();
        connections
    }
}

/// Why a request is answered with an error.
struct Refused {
    code: GatewayErrorCode,
    message: String,
}

/// What is answered; nothing to an acknowledgement.
type Reply = Result<Option<DeviceMessage>, Refused>;

impl Service {
    /// A device's connection is open: to be called when its TLS handshake is done. `device` is the one that its
    /// certificate names.
    pub fn device_connected(&mut self, now: Timestamp, device: DeviceId) -> DeviceConnectionId {
        self.record(|| Recorded::device_connected(now, device.clone()));
        let id = DeviceConnectionId(NonZeroU64::MIN.saturating_add(self.gateway.opened));
        self.gateway.opened += 1;
        self.gateway.peers.insert(id, Peer { device, joined: None });
        id
    }

    /// A device has sent a line, here without its line break. What is wrong with it is replied, and nothing else
    /// changes. A device that was told to go away gets no reply.
    pub fn device_line(&mut self, now: Timestamp, connection: DeviceConnectionId, line: &[u8]) {
        self.record(|| Recorded::device_line(now, connection, line));
        let message = match FromDevice::parse(line) {
            Ok(message) => message,
            Err(error) => return self.tell_device(connection, error.into()),
        };
        let reply = match self.gateway.peers.get(&connection) {
            None => return,
            Some(Peer { joined: None, device }) => {
                let device = device.clone();
                self.join(now, connection, device, &message)
            }
            Some(Peer { joined: Some((team, device)), .. }) => {
                let (team, device) = (*team, *device);
                self.in_team(now, team, connection, device, message.request)
            }
        };
        match reply {
            Ok(None) => {}
            Ok(Some(reply)) => self.tell_device(connection, ToDevice { id: message.id, message: reply }),
            Err(Refused { code, message: text }) => {
                self.tell_device(connection, ToDevice::error(message.id, code, text));
            }
        }
    }

    /// A device's connection is closed, by whichever side: the device is offline, unless it has a newer one.
    pub fn device_disconnected(&mut self, now: Timestamp, connection: DeviceConnectionId) {
        self.record(|| Recorded::device_disconnected(now, connection));
        self.disconnect_device(now, connection);
    }

    pub(crate) fn disconnect_device(&mut self, now: Timestamp, connection: DeviceConnectionId) {
        let Some(Peer { joined: Some((team, device)), .. }) = self.gateway.peers.remove(&connection) else {
            return;
        };
        if let Some(mut team) = self.at(now, team) {
            team.unlink(device, connection);
        }
    }

    /// The team whose device a connection has said to be; `None`: none yet, or it is not open.
    pub fn device_team(&self, connection: DeviceConnectionId) -> Option<TeamId> {
        let (team, _) = self.gateway.peers.get(&connection)?.joined?;
        self.teams.get(team).map(crate::Team::id)
    }

    fn tell_device(&mut self, connection: DeviceConnectionId, message: ToDevice) {
        if self.gateway.peers.contains_key(&connection) {
            self.effects.push_back(crate::Effect::ToDevice { connection, message: Box::new(message) });
        }
    }

    /// `connect`: the device becomes one of a team, and gets what waits for it.
    fn join(
        &mut self,
        now: Timestamp,
        connection: DeviceConnectionId,
        id: DeviceId,
        message: &FromDevice,
    ) -> Reply {
        let DeviceRequest::Connect { team: asked, state } = &message.request else {
            return Err(GatewayErrorCode::ConnectFirst.into());
        };
        let index = match asked {
            Some(asked) => self.teams.index_of(*asked),
            None => self.teams.indices().next(),
        };
        let Some((index, mut team)) = index.and_then(|index| Some((index, self.at(now, index)?))) else {
            return Err(Refused::unknown_team(*asked));
        };
        let device = match team.device(&id) {
            Ok(device) => device,
            Err(_) => team.add(id.clone())?,
        };
        team.link(device, connection);
        // Before what waits for the device: it is the first message.
        let connected = ConnectedMessage { team: team.team().id(), device: id, now: team.now() };
        team.tell(connection, ToDevice { id: message.id, message: DeviceMessage::Connected(connected) });
        team.set_state(device, *state);
        if let Some(peer) = self.gateway.peers.get_mut(&connection) {
            peer.joined = Some((index, device));
        }
        Ok(None)
    }

    /// Everything but `connect`.
    fn in_team(
        &mut self,
        now: Timestamp,
        team: TeamIndex,
        connection: DeviceConnectionId,
        device: DeviceIndex,
        request: DeviceRequest,
    ) -> Reply {
        // Told to go away, or its team is gone or was reset: it has been sent its last message.
        let Some(mut team) = self.at(now, team) else { return Ok(None) };
        if team.team.devices.get(device).is_none_or(|device| device.connection != Some(connection)) {
            return Ok(None);
        }
        team.device_request(connection, device, request)
    }
}

impl TeamAt<'_> {
    fn device_request(
        &mut self,
        connection: DeviceConnectionId,
        index: DeviceIndex,
        request: DeviceRequest,
    ) -> Reply {
        let id = &self.team.device_id(index).clone();
        match request {
            DeviceRequest::Connect { .. } => return Err(GatewayErrorCode::ConnectedAlready.into()),
            DeviceRequest::Install { app, environment } => self.install(id, &app, environment)?,
            DeviceRequest::Uninstall { app, environment } => self.uninstall(id, &app, environment)?,
            DeviceRequest::Register { app, environment, kind } => {
                self.install(id, &app, environment)?;
                let token = self.register(id, &app, environment, kind)?;
                return Ok(Some(token_message(app, environment, kind, &token, None)));
            }
            DeviceRequest::Unregister { app, environment, kind } => {
                self.unregister(id, &app, environment, kind)?;
            }
            DeviceRequest::Permission { app, environment, allowed } => {
                self.set_permission(id, &app, environment, allowed)?;
            }
            DeviceRequest::State { state } => self.set_state(index, state),
            DeviceRequest::StartActivity { app, environment } => {
                self.install(id, &app, environment)?;
                let (activity, token) = self.start_activity(id, &app, environment)?;
                let kind = TokenKind::LiveActivity;
                return Ok(Some(token_message(app, environment, kind, &token, Some(activity))));
            }
            DeviceRequest::EndActivity { app, environment, activity } => {
                self.end_activity(id, &app, environment, activity)?;
            }
            DeviceRequest::NewTokens { cause } => self.new_tokens(id, cause)?,
            DeviceRequest::Acknowledge { delivery } => {
                let known = self.acknowledge(connection, delivery);
                return if known { Ok(None) } else { Err(Refused::unknown_delivery(delivery)) };
            }
        }
        Ok(Some(DeviceMessage::Ok))
    }
}

pub(super) fn token_message(
    app: BundleId,
    environment: Environment,
    kind: TokenKind,
    token: &DeviceToken,
    activity: Option<u32>,
) -> DeviceMessage {
    let topic = kind.topic(&app);
    let token = token.to_string();
    DeviceMessage::Token(Box::new(TokenMessage { app, environment, kind, topic, token, activity }))
}

impl Refused {
    fn unknown_team(asked: Option<TeamId>) -> Self {
        let message = match asked {
            Some(team) => {
                format!("there is no team {team}: create it first, or leave \"team\" out for the first one")
            }
            None => "there is no team yet: create one first".to_owned(),
        };
        Self { code: GatewayErrorCode::UnknownTeam, message }
    }

    fn unknown_delivery(delivery: u64) -> Self {
        let message = format!(
            "no notification {delivery} waits for its ack on this connection: it was acknowledged already, or was sent \
             on an earlier connection"
        );
        Self { code: GatewayErrorCode::UnknownDelivery, message }
    }
}

impl From<GatewayErrorCode> for Refused {
    /// Where the code says all there is to say.
    fn from(code: GatewayErrorCode) -> Self {
        Self { code, message: code.meaning().to_owned() }
    }
}

impl From<DeviceError> for Refused {
    fn from(error: DeviceError) -> Self {
        let code = match error {
            DeviceError::UnknownApp(_) => GatewayErrorCode::UnknownApp,
            DeviceError::KindNotReceived { .. } => GatewayErrorCode::KindNotReceived,
            DeviceError::NotInstalled { .. } => GatewayErrorCode::NotInstalled,
            DeviceError::NotRegistered { .. } => GatewayErrorCode::NotRegistered,
            DeviceError::UnknownActivity { .. } => GatewayErrorCode::UnknownActivity,
            DeviceError::UnknownDevice(_)
            | DeviceError::DuplicateDevice(_)
            | DeviceError::TokenInUse(_)
            | DeviceError::TooManyDevices => GatewayErrorCode::NoRoom,
        };
        Self { code, message: error.to_string() }
    }
}
