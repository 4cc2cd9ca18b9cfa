use apns_provider_core::{CollapseId, Expiration, NotificationBuilder, Priority};
use clap::Args;

/// How a push is delivered, whatever it says.
#[derive(Args, Debug)]
#[command(next_help_heading = "Delivery")]
pub(super) struct DeliveryArgs {
    /// How urgent: 10 at once, 5 considering power, 1 power before all else. The push type's own if not
    /// given.
    #[arg(long, value_name = "1|5|10", value_parser = priority)]
    priority: Option<Priority>,

    /// Until when APNs may keep it, in seconds since 1970; 0 tries once.
    #[arg(long, value_name = "SECONDS", value_parser = expiration)]
    expiration: Option<Expiration>,

    /// Replaces what was sent under the same ID; 64 bytes at most.
    #[arg(long, value_name = "ID", value_parser = CollapseId::parse)]
    collapse_id: Option<CollapseId>,
}

impl DeliveryArgs {
    pub(super) fn applied<M>(&self, mut builder: NotificationBuilder<M>) -> NotificationBuilder<M> {
        if let Some(priority) = self.priority {
            builder = builder.priority(priority);
        }
        if let Some(expiration) = self.expiration {
            builder = builder.expiration(expiration);
        }
        if let Some(collapse_id) = &self.collapse_id {
            builder = builder.collapse_id(collapse_id.clone());
        }
        builder
    }
}

fn priority(text: &str) -> Result<Priority, String> {
    text.parse().ok().and_then(Priority::from_number).ok_or_else(|| "it is 10, 5 or 1".to_owned())
}

fn expiration(text: &str) -> Result<Expiration, String> {
    match text.parse() {
        Ok(0) => Ok(Expiration::ONCE),
        Ok(seconds) => Expiration::at_secs(seconds).map_err(|error| error.to_string()),
        Err(_) => Err("it is a number of seconds since 1970, or 0".to_owned()),
    }
}
