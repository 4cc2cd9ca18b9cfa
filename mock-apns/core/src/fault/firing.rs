//! That a rule has fired, as the journal has it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::FaultName;
use crate::{ConnectionId, MessageId, ReceivedRequest, UniqueId, bytes::is_default, journal::RequestForm};

/// That a rule has fired.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Firing {
    /// Which rule.
    pub fault: FaultName,
    /// The name of its action.
    pub action: Box<str>,
    /// The connection that it happened to; `None`: to none, as there was none yet.
    pub connection: Option<ConnectionId>,
    /// The request that it happened to, if it was to one.
    pub push: Option<Box<FaultyPush>>,
}

/// A push that a rule has fired at.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FaultyPush {
    /// The `apns-id` of the answer.
    pub apns_id: MessageId,
    /// The `apns-unique-id` of the answer, where the setting of that name asks for it.
    pub apns_unique_id: Option<UniqueId>,
    /// The `:status` of the answer; `None`: there is none.
    pub status: Option<u16>,
    /// The reason in the answer, of Apple's list or any other.
    pub reason: Option<Box<str>>,
    /// Whether the service has done what it would have done without the rule: an entry of its own tells what.
    pub took_effect: bool,
    /// What came over the wire.
    pub request: ReceivedRequest,
}

impl FaultyPush {
    /// What stands in the path where a device token belongs.
    pub fn device_token(&self) -> Option<Cow<'_, str>> {
        self.request.device_token()
    }
}

impl Firing {
    /// The push that it was about, if no entry of its own is.
    pub fn swallowed(&self) -> Option<&FaultyPush> {
        self.push.as_deref().filter(|push| !push.took_effect)
    }
}

/// As it is written in a snapshot, secrets and all.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(from = "FiringForm", into = "FiringForm")]
pub(crate) struct KeptFiring(pub(crate) Box<Firing>);

#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct FiringForm {
    fault: FaultName,
    action: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    connection: Option<ConnectionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    push: Option<PushForm>,
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
    #[serde(default, skip_serializing_if = "is_default")]
    took_effect: bool,
    request: RequestForm,
}

impl From<KeptFiring> for FiringForm {
    fn from(KeptFiring(firing): KeptFiring) -> Self {
        let push = firing.push.map(|push| PushForm {
            apns_id: push.apns_id,
            apns_unique_id: push.apns_unique_id,
            status: push.status,
            reason: push.reason,
            took_effect: push.took_effect,
            request: (&push.request).into(),
        });
        Self { fault: firing.fault, action: firing.action, connection: firing.connection, push }
    }
}

impl From<FiringForm> for KeptFiring {
    fn from(form: FiringForm) -> Self {
        let push = form.push.map(|push| {
            Box::new(FaultyPush {
                apns_id: push.apns_id,
                apns_unique_id: push.apns_unique_id,
                status: push.status,
                reason: push.reason,
                took_effect: push.took_effect,
                request: push.request.into(),
            })
        });
        let FiringForm { fault, action, connection, .. } = form;
        Self(Box::new(Firing { fault, action, connection, push }))
    }
}
