use apns_provider_core::{
    BundleId, ChannelId, InvalidNotification, LiveActivityAlert, LiveActivityEnd, LiveActivityStart,
    LiveActivityUpdate, Notification, PushType, UnixTime,
};
use clap::{Args, ValueEnum};
use serde_json::Value;

use super::{
    delivery::DeliveryArgs,
    message::{CustomKey, Given, json, with_custom},
};

/// What becomes of a Live Activity.
#[derive(Args, Debug)]
#[command(next_help_heading = "Live Activity (--push-type liveactivity)")]
pub(super) struct LiveActivityArgs {
    /// What happens to the activity. To start one, give --attributes-type, --attributes, --content-state and
    /// --alert.
    #[arg(long, value_name = "EVENT")]
    event: Option<Event>,

    /// What the activity shows: a JSON object.
    #[arg(long, value_name = "JSON", value_parser = json)]
    content_state: Option<Value>,

    /// The name of the app's type of attributes.
    #[arg(long, value_name = "NAME")]
    attributes_type: Option<String>,

    /// The attributes: a JSON object.
    #[arg(long, value_name = "JSON", value_parser = json)]
    attributes: Option<Value>,

    /// When the content state was true, in seconds since 1970; now if not given.
    #[arg(long, value_name = "SECONDS")]
    timestamp: Option<u64>,

    /// When what the activity shows will be out of date, in seconds since 1970.
    #[arg(long, value_name = "SECONDS")]
    stale_date: Option<u64>,

    /// When an ended activity leaves the Lock Screen, in seconds since 1970.
    #[arg(long, value_name = "SECONDS")]
    dismissal_date: Option<u64>,

    /// The started activity asks for a token for its updates.
    #[arg(long, conflicts_with = "input_push_channel")]
    input_push_token: bool,

    /// The started activity takes its updates from this channel.
    #[arg(long, value_name = "CHANNEL", value_parser = ChannelId::parse)]
    input_push_channel: Option<ChannelId>,
}

/// The words of `event`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Event {
    Start,
    Update,
    End,
}

impl LiveActivityArgs {
    pub(super) fn given(&self) -> [Given; 9] {
        const ONLY: &[PushType] = &[PushType::LiveActivity];
        [
            ("--event", self.event.is_some(), ONLY),
            ("--content-state", self.content_state.is_some(), ONLY),
            ("--attributes-type", self.attributes_type.is_some(), ONLY),
            ("--attributes", self.attributes.is_some(), ONLY),
            ("--timestamp", self.timestamp.is_some(), ONLY),
            ("--stale-date", self.stale_date.is_some(), ONLY),
            ("--dismissal-date", self.dismissal_date.is_some(), ONLY),
            ("--input-push-token", self.input_push_token, ONLY),
            ("--input-push-channel", self.input_push_channel.is_some(), ONLY),
        ]
    }

    pub(super) fn notification(
        &self,
        bundle_id: BundleId,
        alert: Option<LiveActivityAlert>,
        custom: &[CustomKey],
        delivery: &DeliveryArgs,
        now: UnixTime,
    ) -> Result<Result<Notification, InvalidNotification>, String> {
        let timestamp = self.timestamp.map_or(now, UnixTime::from_secs);
        let event = self.event.ok_or("--event is missing: start, update or end")?;
        self.fits(event)?;
        // Three types and one shape: what they share cannot be named by a bound, since the trait is sealed.
        macro_rules! built {
            ($builder:expr) => {{
                let mut builder = delivery.applied(with_custom!($builder, custom));
                if let Some(state) = &self.content_state {
                    builder = builder.content_state(state);
                }
                if let Some(date) = self.stale_date {
                    builder = builder.stale_date(UnixTime::from_secs(date));
                }
                if let Some(alert) = alert {
                    builder = builder.alert(alert);
                }
                builder.build()
            }};
        }
        let built = match event {
            Event::Start => built!(self.start(LiveActivityStart::new(bundle_id, timestamp))),
            Event::Update => built!(LiveActivityUpdate::new(bundle_id, timestamp)),
            Event::End => built!(self.end(LiveActivityEnd::new(bundle_id, timestamp))),
        };
        Ok(built)
    }

    /// What speaks of another event is an error, not silence.
    fn fits(&self, event: Event) -> Result<(), String> {
        let of_start = [
            ("--attributes-type", self.attributes_type.is_some()),
            ("--attributes", self.attributes.is_some()),
            ("--input-push-token", self.input_push_token),
            ("--input-push-channel", self.input_push_channel.is_some()),
        ];
        let of_end = [("--dismissal-date", self.dismissal_date.is_some())];
        let given = |options: &[(&'static str, bool)]| {
            options.iter().find(|(_, given)| *given).map(|(name, _)| *name)
        };
        let of_start =
            given(&of_start).filter(|_| !matches!(event, Event::Start)).map(|option| (option, "start"));
        let of_end = given(&of_end).filter(|_| !matches!(event, Event::End)).map(|option| (option, "end"));
        let stranger = of_start.or(of_end);
        match stranger {
            Some((option, owner)) => Err(format!("{option} goes with --event {owner}")),
            None => Ok(()),
        }
    }

    fn start(&self, mut builder: LiveActivityStart) -> LiveActivityStart {
        if self.attributes_type.is_some() || self.attributes.is_some() {
            builder = builder.attributes(self.attributes_type.clone().unwrap_or_default(), &self.attributes);
        }
        if self.input_push_token {
            builder = builder.input_push_token();
        }
        match &self.input_push_channel {
            Some(channel_id) => builder.input_push_channel(channel_id.clone()),
            None => builder,
        }
    }

    fn end(&self, builder: LiveActivityEnd) -> LiveActivityEnd {
        match self.dismissal_date {
            Some(date) => builder.dismissal_date(UnixTime::from_secs(date)),
            None => builder,
        }
    }
}
