//! A rule that fires: what is decided then.

use std::{sync::Arc, time::Duration};

use super::{Action, Deed, Fault, FaultName, FaultyPush, Firing, Reply, action::Course, chance::Chance};
use crate::{Answer, ConnectionId, Reason, Timestamp};

/// A rule that fires at something.
#[derive(Clone, Debug)]
pub(crate) struct Strike {
    rule: Arc<Fault>,
    draws: Draws,
}

/// What is random in a strike.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Draws {
    pub(super) delay: Duration,
    pub(super) body_delay: Duration,
}

impl Strike {
    pub(super) fn new(rule: &Arc<Fault>, chance: &mut Chance) -> Self {
        let draws = match &rule.action {
            Action::Answering(it) => Draws {
                delay: it.delay.map(|delay| delay.draw(chance)).unwrap_or_default(),
                body_delay: it.body_delay.map(|delay| delay.draw(chance)).unwrap_or_default(),
            },
            _ => Draws::default(),
        };
        Self { rule: Arc::clone(rule), draws }
    }

    pub(crate) fn name(&self) -> &FaultName {
        &self.rule.name
    }

    pub(crate) fn action(&self) -> &Action {
        &self.rule.action
    }

    /// What becomes of the request on `stream`, if it fires at one.
    pub(crate) fn course(&self, stream: u32) -> Course {
        self.rule.action.course(stream)
    }

    /// Whether the request's usual answer goes out before the deed is done: what ends a connection, or its writing, lets it pass.
    pub(crate) fn answers_first(&self) -> bool {
        matches!(self.rule.action, Action::Close(_) | Action::Stall(_))
    }

    /// What is to be done at a request that the service would answer so. `is_named`: the answer says which rule it was.
    pub(crate) fn deed_at_request(&self, own: &Answer, now: Timestamp, is_named: bool) -> Deed {
        let mut reply = match &self.rule.action {
            Action::Answering(it) => Reply::of(it, own, now, self.draws),
            Action::NoAnswer(_) => Reply::never(),
            Action::ResetStream(it) => Reply::reset(it.at, it.code(), own),
            _ => return self.deed(),
        };
        if is_named {
            reply.name(self.name());
        }
        Deed::Reply(Box::new(reply))
    }

    /// What is to be done to a connection.
    pub(crate) fn deed(&self) -> Deed {
        Deed::Connection(Box::new(self.rule.action.clone()))
    }

    /// The status and the reason that the provider is told at a request that the service would answer so; `None`: nothing.
    pub(crate) fn told<'a>(&'a self, own: &'a Answer, stream: u32) -> (Option<u16>, Option<&'a str>) {
        match &self.rule.action {
            Action::Answering(it) => {
                let status = it.status().unwrap_or(own.status);
                (Some(status), it.reason(own))
            }
            _ if self.course(stream).is_answered => (Some(own.status), own.reason.map(Reason::as_str)),
            _ => (None, None),
        }
    }

    /// What the journal says of it.
    pub(crate) fn firing(&self, at: Option<(ConnectionId, Option<FaultyPush>)>) -> Firing {
        let (connection, push) = at.unzip();
        let push = push.flatten().map(Box::new);
        Firing { fault: self.name().clone(), action: self.rule.action.name().into(), connection, push }
    }
}
