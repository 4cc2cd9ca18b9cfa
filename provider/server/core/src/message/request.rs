//! What a notification says, as its sender writes it.

use apns_provider_core::{CollapseId, Expiration, Priority, PushType, UnixTime};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};

use super::{Content, Expiry, Message, VALUES_BYTES_MAX};
use crate::{
    ids::TemplateName,
    problem::{Field, FieldErrors},
};

/// What a notification says: a payload of your own, or a template with values; and how it is delivered.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct MessageRequest {
    /// `apns-push-type`; left out, alert. It decides which kind of device tokens it goes to.
    pub push_type: Option<String>,
    /// The payload, which is sent as it is.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub payload: Option<Box<RawValue>>,
    /// The name of a template, instead of a payload.
    pub template: Option<String>,
    /// What stands for the template's placeholders: at most 8 KiB.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub values: Option<Map<String, Value>>,
    /// `apns-priority`: 10, 5 or 1; left out, the push type's usual one.
    pub priority: Option<u8>,
    /// `apns-collapse-id`: replaces what was sent, or still waits to be sent, under the same ID; at most 64 bytes.
    pub collapse_id: Option<String>,
    /// How many seconds after its start it is of use; 0 is now or never. At most 30 days.
    pub ttl: Option<u64>,
    /// `apns-expiration`: until which second since 1970 it is of use.
    pub expiration: Option<u64>,
}

impl MessageRequest {
    /// Checks what can be told without the template, at `at` in the request, for a notification that starts at `start`.
    pub fn check(self, at: Field<'_>, start: UnixTime, errors: &mut FieldErrors) -> Option<Message> {
        let push_type = match self.push_type.as_deref() {
            None => Some(PushType::Alert),
            Some(text) => {
                errors.keep(at.key("push-type"), PushType::from_wire(text).ok_or_else(unknown_push_type))
            }
        };
        let priority = errors.keep_optional(at.key("priority"), self.priority, |number| {
            Priority::from_number(number).ok_or("it is no priority; write 10, 5 or 1")
        });
        let collapse_id =
            errors.keep_optional(at.key("collapse-id"), self.collapse_id, |text| CollapseId::parse(&text));
        let expiry = check_expiry(at, self.ttl, self.expiration, start, errors);
        let content = check_content(at, self.payload, self.template, self.values, errors);
        Some(Message {
            push_type: push_type?,
            content: content?,
            priority: priority?,
            collapse_id: collapse_id?,
            expiry: expiry?,
        })
    }
}

fn check_content(
    at: Field<'_>,
    payload: Option<Box<RawValue>>,
    template: Option<String>,
    values: Option<Map<String, Value>>,
    errors: &mut FieldErrors,
) -> Option<Content> {
    match (payload, template) {
        (Some(payload), None) => {
            if values.is_some() {
                errors.refuse(at.key("values"), "they are for a template, and there is none");
                return None;
            }
            Some(Content::Payload(Bytes::from(String::from(Box::<str>::from(payload)))))
        }
        (None, Some(template)) => {
            let name = errors.keep(at.key("template"), TemplateName::try_from(template));
            let values = values.unwrap_or_default();
            let len = serde_json::to_vec(&values).map_or(usize::MAX, |json| json.len());
            if len > VALUES_BYTES_MAX {
                let why = format_args!("they have {len} bytes as JSON, and {VALUES_BYTES_MAX} are allowed");
                errors.refuse(at.key("values"), why);
                return None;
            }
            Some(Content::Template { name: name?, values })
        }
        (None, None) => {
            errors.refuse(at.key("payload"), "it is missing; give a payload, or the name of a template");
            None
        }
        (Some(_), Some(_)) => {
            errors.refuse(at.key("template"), "there is a payload as well; give one of them");
            None
        }
    }
}

fn check_expiry(
    at: Field<'_>,
    ttl: Option<u64>,
    expiration: Option<u64>,
    start: UnixTime,
    errors: &mut FieldErrors,
) -> Option<Expiry> {
    match (ttl, expiration) {
        (None, None) => Some(Expiry::None),
        (Some(0), None) => Some(Expiry::Once),
        (Some(secs), None) if secs <= Expiry::SECS_MAX => Some(Expiry::AfterSecs(secs)),
        (Some(secs), None) => {
            let max = Expiry::SECS_MAX;
            errors.refuse(
                at.key("ttl"),
                format_args!("{secs} seconds are more than the {max} that APNs keeps a push"),
            );
            None
        }
        (None, Some(secs)) => {
            let at = at.key("expiration");
            let expiration = errors.keep(at, Expiration::at_secs(secs))?;
            if expiration.has_passed(start) {
                let start = start.as_secs();
                errors.refuse(at, format_args!("{secs} is over when the notification starts, at {start}"));
                return None;
            }
            Some(Expiry::AtSecs(secs))
        }
        (Some(_), Some(_)) => {
            errors.refuse(at.key("ttl"), "there is an expiration as well; give one of them");
            None
        }
    }
}

fn unknown_push_type() -> String {
    let names: Vec<&str> = PushType::all().map(PushType::as_str).collect();
    format!("it is no push type; write one of {}", names.join(", "))
}
