//! For the tests beneath: a push, and what becomes of it.

use serde_json::{Value, json};

use super::{Arrival, Banner, Dropped, LiveActivity, Rendering, Shown, Strings, Warning, render};
use crate::{Priority, PushType, TokenKind};

/// A push that a test sends; one that breaks no rule unless the test says so.
#[derive(Clone)]
pub(super) struct Sent {
    pub(super) kind: TokenKind,
    pub(super) push_type: Option<PushType>,
    pub(super) priority: Option<Priority>,
    pub(super) collapse_id: Option<&'static [u8]>,
    pub(super) payload: Vec<u8>,
    pub(super) permission: bool,
    pub(super) strings: Strings,
    pub(super) activity: Option<u32>,
}

impl Sent {
    pub(super) fn new(push_type: PushType, payload: &Value) -> Self {
        Self {
            kind: push_type.token_kind(),
            push_type: Some(push_type),
            priority: None,
            collapse_id: None,
            payload: payload.to_string().into_bytes(),
            permission: true,
            strings: Strings::default(),
            activity: None,
        }
    }

    pub(super) fn alert(aps: &Value) -> Self {
        Self::new(PushType::Alert, &json!({ "aps": aps }))
    }

    pub(super) fn background(aps: &Value) -> Self {
        let priority = Some(Priority::PowerConsiderate);
        Self { priority, ..Self::new(PushType::Background, &json!({ "aps": aps })) }
    }

    /// To the token of an activity, or to a push-to-start token.
    pub(super) fn activity(activity: Option<u32>, aps: &Value) -> Self {
        Self { activity, ..Self::new(PushType::LiveActivity, &json!({ "aps": aps })) }
    }

    pub(super) fn arrival(&self) -> Arrival<'_> {
        Arrival {
            kind: self.kind,
            push_type: self.push_type,
            priority: self.priority,
            collapse_id: self.collapse_id,
            payload: &self.payload,
            permission: self.permission,
            strings: &self.strings,
            activity: self.activity,
        }
    }

    pub(super) fn render(&self) -> Rendering {
        render(&self.arrival())
    }

    pub(super) fn shown(&self) -> Shown {
        self.render().shown
    }

    pub(super) fn warnings(&self) -> Vec<Warning> {
        self.render().warnings
    }

    /// The notification, where the test is sure of one.
    pub(super) fn banner(&self) -> Banner {
        let Shown::Banner(banner) = self.shown() else { panic!("no banner: {:?}", self.render()) };
        *banner
    }

    /// The Live Activity, where the test is sure of one.
    pub(super) fn live_activity(&self) -> LiveActivity {
        let Shown::LiveActivity(it) = self.shown() else { panic!("no Live Activity: {:?}", self.render()) };
        *it
    }

    /// Why nothing is shown, where the test is sure of that.
    pub(super) fn dropped(&self) -> Dropped {
        let Shown::Nothing { why } = self.shown() else { panic!("not dropped: {:?}", self.render()) };
        why
    }
}
