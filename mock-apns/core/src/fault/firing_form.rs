//! A rule that has fired as it is written in a snapshot, secrets and all.

use serde::{Deserialize, Serialize};

use super::{Action, FaultName, FaultyPush, FiredAt, Firing, Moment, Otherwise, Strike};
use crate::{ConnectionId, MessageId, UniqueId, bytes::is_default, journal::RequestForm};

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(from = "FiringForm", into = "FiringForm")]
pub(crate) struct KeptFiring(pub(crate) Box<Firing>);

#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct FiringForm {
    fault: FaultName,
    on: Moment,
    action: Action,
    at: AtForm,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum AtForm {
    Door { opened: u64 },
    Connection { connection: ConnectionId, requests: u64 },
    Request(PushForm),
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct PushForm {
    apns_id: MessageId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    apns_unique_id: Option<UniqueId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<Box<str>>,
    otherwise: Otherwise,
    #[serde(default, skip_serializing_if = "is_default")]
    took_effect: bool,
    request: RequestForm,
}

impl From<KeptFiring> for FiringForm {
    fn from(KeptFiring(firing): KeptFiring) -> Self {
        let (fault, on, action) = (firing.fault().clone(), firing.moment(), firing.action());
        let at = match firing.at {
            FiredAt::Door { opened } => AtForm::Door { opened },
            FiredAt::Connection { connection, requests } => AtForm::Connection { connection, requests },
            FiredAt::Request(push) => AtForm::Request(PushForm {
                apns_id: push.apns_id,
                apns_unique_id: push.apns_unique_id,
                status: push.status,
                reason: push.reason,
                otherwise: push.otherwise,
                took_effect: push.took_effect,
                request: (&push.request).into(),
            }),
        };
        Self { fault, on, action, at }
    }
}

impl From<FiringForm> for KeptFiring {
    fn from(FiringForm { fault, on, action, at }: FiringForm) -> Self {
        let at = match at {
            AtForm::Door { opened } => FiredAt::Door { opened },
            AtForm::Connection { connection, requests } => FiredAt::Connection { connection, requests },
            AtForm::Request(push) => FiredAt::Request(Box::new(FaultyPush {
                apns_id: push.apns_id,
                apns_unique_id: push.apns_unique_id,
                status: push.status,
                reason: push.reason,
                otherwise: push.otherwise,
                took_effect: push.took_effect,
                request: push.request.into(),
            })),
        };
        Self(Box::new(Firing { strike: Strike::again(fault, on, action), at }))
    }
}
