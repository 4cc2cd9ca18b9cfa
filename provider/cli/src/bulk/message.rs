use std::sync::Arc;

use apns_provider_core::{Notification, UnixTime};
use serde_json::{Map, Value};

use super::template::Template;
use crate::{options::MessageArgs, report};

/// What each line's recipient gets.
#[derive(Debug)]
pub(super) enum Message<'a> {
    /// All the same: written once.
    Same(Arc<Notification>),
    /// Each its own.
    Filled { template: Template, args: &'a MessageArgs },
}

impl<'a> Message<'a> {
    /// The message of the options, whose texts may have placeholders.
    pub(super) fn new(args: &'a MessageArgs, now: UnixTime) -> Result<Self, String> {
        let template = if let Some(payload) = args.payload()? {
            let template = parsed(&payload)?;
            if is_constant(&template) {
                return args.raw(payload).map(|notification| Self::Same(Arc::new(notification)));
            }
            template
        } else {
            let composed = args.compose(now)?;
            let template = parsed(composed.notification.payload())?;
            if is_constant(&template) {
                report::cuts(&composed.cuts);
                return Ok(Self::Same(Arc::new(composed.notification)));
            }
            template
        };
        if args.shorten() {
            return Err("--shorten does not go with placeholders: what they become is not known yet".into());
        }
        Ok(Self::Filled { template, args })
    }

    /// Refuses a template that no line can fill.
    pub(super) fn fits(&self, columns: Option<&[String]>) -> Result<(), String> {
        let (Self::Filled { template, .. }, Some(columns)) = (self, columns) else { return Ok(()) };
        match template.names().find(|name| !columns.iter().any(|column| column == name)) {
            Some(name) => Err(format!(
                "the placeholder {{{{{name}}}}} is no column of the file: {}",
                columns.join(", ")
            )),
            None => Ok(()),
        }
    }

    /// The notification for these values.
    pub(super) fn notification(&self, values: &Map<String, Value>) -> Result<Arc<Notification>, String> {
        match self {
            Self::Same(notification) => Ok(Arc::clone(notification)),
            Self::Filled { template, args } => {
                let payload = template.fill(values).map_err(|error| error.to_string())?;
                args.raw(payload).map(Arc::new)
            }
        }
    }
}

fn parsed(payload: &[u8]) -> Result<Template, String> {
    let text = str::from_utf8(payload).map_err(|_| "the payload is not UTF-8".to_owned())?;
    Template::parse(text).map_err(|error| error.to_string())
}

fn is_constant(template: &Template) -> bool {
    template.names().next().is_none()
}
