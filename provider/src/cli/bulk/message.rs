use std::sync::Arc;

use apns_provider_core::{Notification, UnixTime};
use serde_json::{Map, Value};

use super::template::Template;
use crate::cli::options::MessageArgs;

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
        let raw = args.payload()?;
        let composed = if raw.is_none() { Some(args.compose(now)?) } else { None };
        let of_options =
            || composed.iter().flat_map(|composed| composed.notification.payload().to_vec()).collect();
        let payload: Vec<u8> = raw.unwrap_or_else(of_options);
        let text = String::from_utf8(payload).map_err(|_| "the payload is not UTF-8".to_owned())?;
        let template = Template::parse(&text).map_err(|error| error.to_string())?;
        if template.names().next().is_some() {
            if args.shorten() {
                return Err(
                    "--shorten does not go with placeholders: what they become is not known yet".into()
                );
            }
            return Ok(Self::Filled { template, args });
        }
        match composed {
            Some(composed) => {
                crate::cli::report::cuts(&composed.cuts);
                Ok(Self::Same(Arc::new(composed.notification)))
            }
            None => args.raw(text.into_bytes()).map(|notification| Self::Same(Arc::new(notification))),
        }
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
