//! A message as it is stored: written out in each language, once.

use apns_provider_core::{
    BundleId, CollapseId, Expiration, InvalidNotification, Notification, Priority, PushType, Topic,
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Deadline, Expiry};
use crate::{device::Kind, ids::Locale};

/// A message written out: one variant for each language. It is stored with its notification, so that a template may change while a
/// campaign goes on, and sending is only looking up.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Composed {
    pub(super) push_type: PushType,
    pub(super) kind: Kind,
    pub(super) priority: Option<Priority>,
    pub(super) collapse_id: Option<CollapseId>,
    pub(super) expiry: Expiry,
    /// The first one is for whoever no other is for; the others are sorted by locale.
    pub(super) variants: Vec<Variant>,
}

/// A message in one language.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Variant {
    pub(super) locale: Option<Locale>,
    pub(super) payload: Bytes,
}

impl Composed {
    /// `apns-push-type`.
    pub fn push_type(&self) -> PushType {
        self.push_type
    }

    /// Which kind of device tokens it goes to.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// `apns-collapse-id`.
    pub fn collapse_id(&self) -> Option<&CollapseId> {
        self.collapse_id.as_ref()
    }

    /// Until when it is of use.
    pub fn expiry(&self) -> Expiry {
        self.expiry
    }

    /// How many variants it has.
    pub fn variants(&self) -> usize {
        self.variants.len()
    }

    /// The variant for this locale: the nearest that there is, from the whole locale down to its language; else the first.
    pub fn variant_for(&self, locale: Option<&Locale>) -> u16 {
        let Some((_, others)) = self.variants.split_first().filter(|(_, others)| !others.is_empty()) else {
            return 0;
        };
        let find = |wanted: &str| {
            let is_first = self.variants[0].locale.as_ref().is_some_and(|locale| locale.as_str() == wanted);
            if is_first {
                return Some(0);
            }
            let order = |variant: &Variant| variant.locale.as_ref().map(Locale::as_str).cmp(&Some(wanted));
            others.binary_search_by(order).ok().map(|at| at + 1)
        };
        let found = locale.and_then(|locale| locale.fallbacks().find_map(find)).unwrap_or(0);
        u16::try_from(found).unwrap_or(0)
    }

    /// The notification that a recipient of this variant gets; of one that is not there, the first.
    pub fn notification(
        &self,
        app: &BundleId,
        variant: u16,
        deadline: &Deadline,
    ) -> Result<Notification, InvalidNotification> {
        let variant = self.variants.get(usize::from(variant)).or_else(|| self.variants.first());
        let payload = variant.map(|variant| variant.payload.clone()).unwrap_or_default();
        self.build(app, payload, deadline.expiration)
    }

    pub(super) fn build(
        &self,
        app: &BundleId,
        payload: Bytes,
        expiration: Option<Expiration>,
    ) -> Result<Notification, InvalidNotification> {
        let mut builder = Notification::raw(self.push_type, Topic::of(app, self.push_type), payload);
        if let Some(priority) = self.priority {
            builder = builder.priority(priority);
        }
        if let Some(collapse_id) = &self.collapse_id {
            builder = builder.collapse_id(collapse_id.clone());
        }
        if let Some(expiration) = expiration {
            builder = builder.expiration(expiration);
        }
        builder.build()
    }

    /// The bytes to store.
    pub fn to_bytes(&self) -> Vec<u8> {
        let variants = self.variants.iter().map(|variant| {
            let payload = String::from_utf8_lossy(&variant.payload); // JSON, which was checked
            (variant.locale.clone(), payload.into_owned())
        });
        let stored = Stored {
            form: FORM,
            push_type: self.push_type.as_str().into(),
            kind: self.kind,
            priority: self.priority.map(Priority::as_str).map(Into::into),
            collapse_id: self.collapse_id.as_ref().map(|id| id.as_str().into()),
            expiry: self.expiry,
            variants: variants.collect(),
        };
        serde_json::to_vec(&stored).expect("a struct of texts and numbers has a JSON form")
    }

    /// Reads what was stored.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DamagedMessage> {
        let stored: Stored =
            serde_json::from_slice(bytes).map_err(|error| DamagedMessage(error.to_string()))?;
        if stored.form != FORM {
            return Err(DamagedMessage(format!(
                "it is of form {}, and this version reads form {FORM}",
                stored.form
            )));
        }
        let damaged = |what: &str| DamagedMessage(format!("its {what} is none"));
        let priority = |text: String| {
            text.parse().ok().and_then(Priority::from_number).ok_or_else(|| damaged("priority"))
        };
        let collapse_id = |text: String| CollapseId::parse(&text).map_err(|_| damaged("collapse ID"));
        let variant = |(locale, payload): (_, String)| Variant { locale, payload: payload.into() };
        Ok(Self {
            push_type: PushType::from_wire(&stored.push_type).ok_or_else(|| damaged("push type"))?,
            kind: stored.kind,
            priority: stored.priority.map(priority).transpose()?,
            collapse_id: stored.collapse_id.map(collapse_id).transpose()?,
            expiry: stored.expiry,
            variants: stored.variants.into_iter().map(variant).collect(),
        })
    }
}

/// What is stored is no message.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("the stored message cannot be read: {0}; the store is damaged, or of a newer version")]
pub struct DamagedMessage(String);

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Stored {
    form: u8,
    push_type: String,
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    collapse_id: Option<String>,
    expiry: Expiry,
    variants: Vec<(Option<Locale>, String)>,
}

/// The form that is written.
const FORM: u8 = 1;
