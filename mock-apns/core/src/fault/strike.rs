//! A rule that fires: what is decided then.

use std::{sync::Arc, time::Duration};

use super::{
    Action, Answering, Deed, Delay, Fault, FaultName, FiredAt, Firing, Moment, Reply, action::Course,
    chance::Chance,
};
use crate::{Answer, Reason, Timestamp};

/// A rule that fires at something.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Strike {
    rule: Arc<Fault>,
    draws: Draws,
    /// Whether an answer says which rule it was.
    is_named: bool,
}

/// What is random in a strike.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Draws {
    pub(super) delay: Duration,
    pub(super) body_delay: Duration,
    /// Of a 410 that says when: that.
    told_at: Option<Timestamp>,
}

impl Strike {
    pub(super) fn new(rule: &Arc<Fault>, chance: &mut Chance) -> Self {
        let draws = match &rule.action {
            Action::Answering(it) => Draws {
                delay: it.delay.map(|delay| delay.draw(chance)).unwrap_or_default(),
                body_delay: it.body_delay.map(|delay| delay.draw(chance)).unwrap_or_default(),
                told_at: None,
            },
            _ => Draws::default(),
        };
        Self { rule: Arc::clone(rule), draws, is_named: true }
    }

    /// One that is known from the journal, where nothing is left to chance any more.
    pub(crate) fn again(name: FaultName, on: Moment, action: Action) -> Self {
        let mut chance = Chance::new(Some(0), 0, &name); // nothing is drawn from it
        let rule = Fault { on: Some(on), ..Fault::new(name, action) };
        Self::new(&Arc::new(rule), &mut chance)
    }

    /// The same, but that no answer says which rule it was.
    pub(crate) fn unnamed(self) -> Self {
        Self { is_named: false, ..self }
    }

    /// The rule's action, where what is left to chance is as it was drawn.
    pub(crate) fn as_drawn(&self) -> Action {
        match &self.rule.action {
            Action::Answering(it) => Action::Answering(Answering {
                delay: it.delay.map(|_| Delay::Always(self.draws.delay)),
                body_delay: it.body_delay.map(|_| Delay::Always(self.draws.body_delay)),
                timestamp: it.timestamp.or_else(|| self.draws.told_at.filter(|_| it.makes_up_timestamp())),
                ..it.clone()
            }),
            action => action.clone(),
        }
    }

    pub(crate) fn moment(&self) -> Moment {
        self.rule.moment()
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
        if is_named && self.is_named {
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

    /// It has fired at a request that the service would answer so now.
    pub(crate) fn told_at(&self, own: &Answer, now: Timestamp) -> Self {
        let told_at = Some(own.timestamp.unwrap_or(now));
        Self { draws: Draws { told_at, ..self.draws }, ..self.clone() }
    }

    /// What the journal says of it.
    pub(crate) fn firing(&self, at: FiredAt) -> Firing {
        Firing { strike: self.clone(), at }
    }
}
