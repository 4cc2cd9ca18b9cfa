//! What was done to a service, written down so that it can be done again.
//!
//! A service is deterministic: another that was equal and is done the same to is equal again. So whoever keeps a snapshot, and
//! what was recorded since, keeps the service.

mod team_call;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use thiserror::Error;

use crate::{
    ConnectionId, DeviceConnectionId, DeviceId, Environment, Opened, Request, Service, TeamId, Timestamp,
    Transcript,
    bytes::Bytes,
    fault::{Fault, FaultName, Moment},
    team::Declared,
};
pub(crate) use team_call::{Place, TeamCall};

/// One call that changed a service, with all that it was given: to be done again by [`Service::redo`].
///
/// It has everything that came with it: of a request every header, the provider token among them, and the payload.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Recorded(Call);

/// The calls, one variant each. Their order is that of the byte form: add at the end, or count [`VERSION`] up.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
enum Call {
    AddTeam {
        id: TeamId,
        declared: Declared,
    },
    RemoveTeam {
        id: TeamId,
    },
    InTeam {
        now: Timestamp,
        id: TeamId,
        call: TeamCall,
    },
    Connected {
        now: Timestamp,
        environment: Environment,
        server_name: Option<String>,
        certificate: Option<Bytes>,
    },
    Request {
        now: Timestamp,
        connection: ConnectionId,
        stream: u32,
        fields: Bytes,
        body: Bytes,
    },
    Disconnected {
        now: Timestamp,
        connection: ConnectionId,
    },
    DeviceConnected {
        now: Timestamp,
        device: DeviceId,
    },
    DeviceLine {
        now: Timestamp,
        connection: DeviceConnectionId,
        line: Bytes,
    },
    DeviceDisconnected {
        now: Timestamp,
        connection: DeviceConnectionId,
    },
    DisconnectAll {
        now: Timestamp,
    },
    Timeout {
        now: Timestamp,
    },
    Reset {
        now: Timestamp,
    },
    /// The fault as JSON, which leaves out what this form cannot.
    AddFault {
        now: Timestamp,
        json: String,
    },
    RemoveFault {
        name: FaultName,
    },
    ClearFaults,
    AtDoor {
        now: Timestamp,
        moment: Moment,
        environment: Environment,
    },
    /// The transcript as JSON.
    SetTranscript(Option<String>),
}

impl Recorded {
    /// It in a compact form of bytes: postcard's, behind a byte that says which version of it.
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_extend(self, vec![VERSION]).expect("a list grows, and every length is known")
    }

    /// Reads what [`to_bytes`](Self::to_bytes) has written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordedError> {
        let (&version, bytes) = bytes.split_first().ok_or(RecordedError::Broken)?;
        if version != VERSION {
            return Err(RecordedError::UnknownVersion(version));
        }
        let (recorded, rest) = postcard::take_from_bytes(bytes).map_err(|_| RecordedError::Broken)?;
        if rest.is_empty() { Ok(recorded) } else { Err(RecordedError::Broken) }
    }

    pub(crate) fn add_team(id: TeamId, declared: Declared) -> Self {
        Self(Call::AddTeam { id, declared })
    }

    pub(crate) fn remove_team(id: TeamId) -> Self {
        Self(Call::RemoveTeam { id })
    }

    pub(crate) fn connected(now: Timestamp, opened: &Opened<'_>) -> Self {
        let Opened { environment, server_name, certificate } = *opened;
        let server_name = server_name.map(ToOwned::to_owned);
        Self(Call::Connected { now, environment, server_name, certificate: certificate.map(Bytes::from) })
    }

    pub(crate) fn request(
        now: Timestamp,
        connection: ConnectionId,
        stream: u32,
        request: &Request,
        body: &[u8],
    ) -> Self {
        let (fields, body) = (request.written().into(), body.into());
        Self(Call::Request { now, connection, stream, fields, body })
    }

    pub(crate) fn disconnected(now: Timestamp, connection: ConnectionId) -> Self {
        Self(Call::Disconnected { now, connection })
    }

    pub(crate) fn device_connected(now: Timestamp, device: DeviceId) -> Self {
        Self(Call::DeviceConnected { now, device })
    }

    pub(crate) fn device_line(now: Timestamp, connection: DeviceConnectionId, line: &[u8]) -> Self {
        Self(Call::DeviceLine { now, connection, line: line.into() })
    }

    pub(crate) fn device_disconnected(now: Timestamp, connection: DeviceConnectionId) -> Self {
        Self(Call::DeviceDisconnected { now, connection })
    }

    pub(crate) fn disconnect_all(now: Timestamp) -> Self {
        Self(Call::DisconnectAll { now })
    }

    pub(crate) fn timeout(now: Timestamp) -> Self {
        Self(Call::Timeout { now })
    }

    pub(crate) fn reset(now: Timestamp) -> Self {
        Self(Call::Reset { now })
    }

    pub(crate) fn add_fault(now: Timestamp, fault: &Fault) -> Self {
        Self(Call::AddFault { now, json: to_json(fault) })
    }

    pub(crate) fn remove_fault(name: &FaultName) -> Self {
        Self(Call::RemoveFault { name: name.clone() })
    }

    pub(crate) fn clear_faults() -> Self {
        Self(Call::ClearFaults)
    }

    pub(crate) fn at_door(now: Timestamp, moment: Moment, environment: Environment) -> Self {
        Self(Call::AtDoor { now, moment, environment })
    }

    pub(crate) fn set_transcript(transcript: Option<Transcript>) -> Self {
        Self(Call::SetTranscript(transcript.map(|transcript| to_json(&transcript))))
    }

    /// Does it again. What it returned at first, an error perhaps, it returns again.
    pub(crate) fn apply(self, service: &mut Service) {
        match self.0 {
            Call::AddTeam { id, declared } => {
                let _ = declared.team(id).map(|team| service.add_team(team));
            }
            Call::RemoveTeam { id } => {
                service.remove_team(id);
            }
            Call::InTeam { now, id, call } => {
                if let Some(mut team) = service.team_at(now, id) {
                    call.apply(&mut team);
                }
            }
            Call::Connected { now, environment, server_name, certificate } => {
                let (server_name, certificate) = (server_name.as_deref(), certificate.as_deref());
                service.connected(now, Opened { environment, server_name, certificate });
            }
            Call::Request { now, connection, stream, fields, body } => {
                service.request(now, connection, stream, &Request::from_written(&fields), &body);
            }
            Call::Disconnected { now, connection } => service.disconnected(now, connection),
            Call::DeviceConnected { now, device } => {
                service.device_connected(now, device);
            }
            Call::DeviceLine { now, connection, line } => service.device_line(now, connection, &line),
            Call::DeviceDisconnected { now, connection } => service.device_disconnected(now, connection),
            Call::DisconnectAll { now } => service.disconnect_all(now),
            Call::Timeout { now } => service.handle_timeout(now),
            Call::Reset { now } => service.reset(now),
            Call::AddFault { now, json } => {
                let _ = from_json(&json).map(|fault| service.add_fault(now, fault));
            }
            Call::RemoveFault { name } => _ = service.remove_fault(&name),
            Call::ClearFaults => service.clear_faults(),
            Call::AtDoor { now, moment: Moment::Accept, environment } => {
                _ = service.accepting(now, environment);
            }
            Call::SetTranscript(json) => service.set_transcript(json.as_deref().and_then(from_json)),
            Call::AtDoor { now, environment, .. } => _ = service.shaking_hands(now, environment),
        }
    }
}

fn to_json(it: &impl Serialize) -> String {
    serde_json::to_string(it).expect("faults and scenarios have a form in JSON, and keys are texts: tested")
}

fn from_json<T: DeserializeOwned>(json: &str) -> Option<T> {
    serde_json::from_str(json).ok()
}

/// Bytes are not something that was recorded.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum RecordedError {
    /// They were written by another version.
    #[error(
        "this was recorded by another version ({0}; this one writes and reads {VERSION}): start from a snapshot"
    )]
    UnknownVersion(u8),
    /// Some are missing, or others than were written.
    #[error("these bytes are cut short, or are not what was recorded")]
    Broken,
}

/// What was recorded and not yet taken.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    calls: VecDeque<Recorded>,
    /// A team that was looked at, which let something happen that was due. The next call may imply it.
    looked: Option<(Timestamp, TeamId)>,
}

impl Recorder {
    pub(crate) fn record(&mut self, recorded: Recorded) {
        if let Some((now, id)) = self.looked.take() {
            let is_implied = matches!(&recorded.0, Call::InTeam { now: then, id: team, .. } if (*then, *team) == (now, id));
            if !is_implied {
                self.calls.push_back(Recorded(Call::InTeam { now, id, call: TeamCall::Look }));
            }
        }
        self.calls.push_back(recorded);
    }

    pub(crate) fn record_in_team(&mut self, now: Timestamp, id: TeamId, call: TeamCall) {
        self.record(Recorded(Call::InTeam { now, id, call }));
    }

    /// Time has passed for a team. A later look lets happen what an earlier one does, each thing at its time.
    pub(crate) fn look(&mut self, now: Timestamp, id: TeamId) {
        match self.looked {
            Some((earlier, team)) if team == id && earlier <= now => self.looked = Some((now, id)),
            None => self.looked = Some((now, id)),
            Some(_) => self.record_in_team(now, id, TeamCall::Look),
        }
    }

    pub(crate) fn poll(&mut self) -> Option<Recorded> {
        let look = |(now, id)| Recorded(Call::InTeam { now, id, call: TeamCall::Look });
        self.calls.pop_front().or_else(|| self.looked.take().map(look))
    }
}

/// The version of the byte form.
const VERSION: u8 = 2;
