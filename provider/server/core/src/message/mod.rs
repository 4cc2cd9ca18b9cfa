//! What a notification says.
//!
//! ```text
//!   MessageRequest ──check──▶ Message ──compose (app, template)──▶ Composed: stored ──notification──▶ what the engine sends
//! ```
//!
//! All that is wrong is found when the notification is handed in: by the rules of `apns_provider_core`, for each language.

mod composed;
mod expiry;
mod request;

use apns_provider_core::{BundleId, CollapseId, InvalidNotification, Priority, PushType};
use bytes::Bytes;
use serde_json::{Map, Value};

pub use composed::{Composed, DamagedMessage};
pub use expiry::{Deadline, Expiry, ONCE_WAITS_MAX};
pub use request::MessageRequest;

use composed::Variant;

use crate::{
    device::Kind,
    ids::TemplateName,
    problem::{Code, Field, FieldErrors, Problem},
    template::Template,
};

/// Bytes of a template's values, as JSON: twice what fits a payload.
pub const VALUES_BYTES_MAX: usize = 8 * 1024;

/// A message whose own fields are right. What it says is checked when it is [composed](Message::compose).
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// `apns-push-type`.
    pub push_type: PushType,
    /// What it says.
    pub content: Content,
    /// `apns-priority`, if not the push type's usual one.
    pub priority: Option<Priority>,
    /// `apns-collapse-id`.
    pub collapse_id: Option<CollapseId>,
    /// Until when it is of use.
    pub expiry: Expiry,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// A payload, sent as it is.
    Payload(Bytes),
    /// A template and what stands for its placeholders.
    Template {
        /// What it is called.
        name: TemplateName,
        /// By the names of the placeholders.
        values: Map<String, Value>,
    },
}

impl Message {
    /// The template it needs, which the store has to find before it can be composed.
    pub fn template(&self) -> Option<&TemplateName> {
        match &self.content {
            Content::Payload(_) => None,
            Content::Template { name, .. } => Some(name),
        }
    }

    /// Writes it out for this app in each language, and checks it as a push. `template` is the one it [needs](Message::template), and
    /// `at` is where the message stands in the request.
    pub fn compose(
        self,
        at: Field<'_>,
        app: &BundleId,
        template: Option<&Template>,
    ) -> Result<Composed, Problem> {
        let Self { push_type, content, priority, collapse_id, expiry } = self;
        let variants = match (content, template) {
            (Content::Payload(payload), _) => vec![Variant { locale: None, payload }],
            (Content::Template { values, .. }, Some(template)) => {
                let rendered =
                    template.render(&values).map_err(|why| Problem::of_field(at.key("values"), why))?;
                rendered
                    .into_iter()
                    .map(|it| Variant { locale: it.locale, payload: it.payload.into() })
                    .collect()
            }
            (Content::Template { name, .. }, None) => {
                return Err(Problem::new(Code::UnknownTemplate, format!("the app has no template {name}")));
            }
        };
        let kind = kind(push_type, &variants);
        let composed = Composed { push_type, kind, priority, collapse_id, expiry, variants };
        composed.check(at, app)?;
        Ok(composed)
    }
}

impl Composed {
    /// Builds each variant once, as it will be built when it is sent.
    fn check(&self, at: Field<'_>, app: &BundleId) -> Result<(), Problem> {
        let mut errors = FieldErrors::default();
        for variant in &self.variants {
            let Err(error) = self.build(app, variant.payload.clone(), None) else { continue };
            let key = match error {
                InvalidNotification::PriorityNotAllowed { .. } => "priority",
                InvalidNotification::TopicNotOfMdm
                | InvalidNotification::TopicSuffixMissing { .. }
                | InvalidNotification::TopicSuffixOfOtherType { .. } => "push-type",
                _ if self.variants.len() > 1 || variant.locale.is_some() => "template",
                _ => "payload",
            };
            match &variant.locale {
                Some(locale) => errors.refuse(at.key(key), format_args!("in {locale}: {error}")),
                None => errors.refuse(at.key(key), error),
            }
        }
        errors.finish(Some(()))
    }
}

/// The kind of device tokens it goes to. Live Activities are started under other tokens than they are updated.
fn kind(push_type: PushType, variants: &[Variant]) -> Kind {
    if push_type == PushType::LiveActivity {
        let payload = variants.first().map(|variant| serde_json::from_slice::<Value>(&variant.payload));
        let starts = matches!(payload, Some(Ok(payload)) if payload["aps"]["event"] == "start");
        return if starts { Kind::LiveActivityStart } else { Kind::LiveActivity };
    }
    let goes_to = |kind: &&Kind| kind.push_types().contains(&push_type);
    Kind::ALL.iter().find(goes_to).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
