use std::path::Path;

use apns_provider_core::{
    BackgroundNotification, BundleId, ComplicationNotification, ControlsNotification, Cut,
    FileProviderNotification, InvalidNotification, LocationNotification, MdmNotification, Notification,
    PushToTalkNotification, PushType, Topic, UnixTime, VoipNotification, WidgetsNotification,
};
use clap::Args;
use serde_json::Value;

use super::{alert::AlertArgs, delivery::DeliveryArgs, live_activity::LiveActivityArgs, read};

/// What to say, to which app.
#[derive(Args, Debug)]
#[command(next_help_heading = "Message")]
pub(crate) struct MessageArgs {
    /// The app's bundle ID; the push type's suffix is added to make the topic.
    #[arg(long, env = "APNS_PROVIDER_BUNDLE_ID", value_name = "ID", value_parser = BundleId::parse)]
    bundle_id: Option<BundleId>,

    /// The whole topic instead, suffix included: for --payload, and for push type mdm, which has no bundle
    /// ID.
    #[arg(long, value_name = "TOPIC", value_parser = Topic::parse)]
    topic: Option<Topic>,

    /// alert, background, complication, controls, fileprovider, liveactivity, location, mdm, pushtotalk, voip
    /// or widgets; alert if not given.
    #[arg(long, value_name = "TYPE", value_parser = push_type)]
    push_type: Option<PushType>,

    /// A payload that is sent byte for byte: a file, `-` for standard input, or the JSON itself, which begins
    /// with `{`.
    #[arg(long, value_name = "FILE|-|JSON")]
    payload: Option<String>,

    /// One of the app's own keys, beside `aps`: KEY=TEXT, or KEY:=JSON. May be given more than once.
    #[arg(long, value_name = "KEY=TEXT", value_parser = custom_key)]
    custom: Vec<CustomKey>,

    /// Cuts the texts of an alert that is too long, and says what it cut.
    #[arg(long)]
    shorten: bool,

    #[command(flatten)]
    delivery: DeliveryArgs,

    #[command(flatten)]
    alert: AlertArgs,

    #[command(flatten)]
    live_activity: LiveActivityArgs,

    #[command(flatten)]
    others: OtherArgs,
}

/// What single push types need.
#[derive(Args, Debug)]
#[command(next_help_heading = "Other push types")]
struct OtherArgs {
    /// fileprovider: the container in which something changed.
    #[arg(long, value_name = "ID")]
    container_identifier: Option<String>,

    /// fileprovider: the domain that the container is in.
    #[arg(long, value_name = "ID")]
    domain: Option<String>,

    /// mdm: the push magic that the device told when it enrolled.
    #[arg(long, value_name = "TEXT")]
    push_magic: Option<String>,
}

/// A notification, and what was cut off for it to fit.
#[derive(Debug)]
pub(crate) struct Composed {
    pub(crate) notification: Notification,
    pub(crate) cuts: Vec<Cut>,
}

/// An option's name, whether it was given, and the push types that it goes with.
pub(super) type Given = (&'static str, bool, &'static [PushType]);

/// One of the app's own keys.
pub(super) type CustomKey = (String, Value);

/// A builder with the app's own keys. A macro, since the trait that all messages share is sealed.
macro_rules! with_custom {
    ($builder:expr, $custom:expr) => {{
        let mut builder = $builder;
        for (key, value) in $custom {
            builder = builder.custom(key, value);
        }
        builder
    }};
}
pub(super) use with_custom;

impl MessageArgs {
    /// The push type asked for, or `alert`.
    pub(crate) fn push_type(&self) -> PushType {
        self.push_type.unwrap_or(PushType::Alert)
    }

    /// Whether `--payload` does.
    pub(crate) fn reads_standard_input(&self) -> bool {
        self.payload.as_deref() == Some("-")
    }

    /// What `--payload` names, byte for byte and unchecked.
    pub(crate) fn payload(&self) -> Result<Option<Vec<u8>>, String> {
        let Some(payload) = &self.payload else { return Ok(None) };
        self.nothing_beside_payload()?;
        if payload.trim_start().starts_with('{') {
            return Ok(Some(payload.clone().into_bytes()));
        }
        read(Path::new(payload), "--payload").map(Some)
    }

    /// A payload of one's own as a notification of the type and delivery asked for.
    pub(crate) fn raw(&self, payload: Vec<u8>) -> Result<Notification, String> {
        let builder = Notification::raw(self.push_type(), self.topic()?, payload);
        self.delivery.applied(builder).build().map_err(|error| error.to_string())
    }

    /// The notification. `now` is the timestamp of a Live Activity that names none.
    pub(crate) fn compose(&self, now: UnixTime) -> Result<Composed, String> {
        match self.payload()? {
            Some(payload) => Ok(Composed { notification: self.raw(payload)?, cuts: Vec::new() }),
            None => self.typed(now),
        }
    }

    /// Whether texts are to be cut.
    pub(crate) fn shorten(&self) -> bool {
        self.shorten
    }

    /// The topic of a payload of one's own.
    fn topic(&self) -> Result<Topic, String> {
        match &self.topic {
            Some(topic) => Ok(topic.clone()),
            None => Ok(Topic::of(&self.app()?, self.push_type())),
        }
    }

    fn app(&self) -> Result<BundleId, String> {
        self.bundle_id.clone().ok_or_else(|| "--bundle-id is missing".to_owned())
    }

    fn typed(&self, now: UnixTime) -> Result<Composed, String> {
        let push_type = self.push_type();
        self.fits(push_type)?;
        if self.topic.is_some() && push_type != PushType::Mdm {
            return Err(format!(
                "--topic goes with --payload and push type mdm; {push_type} takes --bundle-id"
            ));
        }
        macro_rules! built {
            ($builder:expr) => {
                self.delivery.applied(with_custom!($builder, &self.custom)).build()
            };
        }
        let built = match push_type {
            PushType::Alert => return self.alert(),
            PushType::LiveActivity => return self.live_activity(now),
            PushType::Background => built!(BackgroundNotification::new(self.app()?)),
            PushType::Complication => built!(ComplicationNotification::new(self.app()?)),
            PushType::Controls => built!(ControlsNotification::new(self.app()?)),
            PushType::FileProvider => built!(self.file_provider()?),
            PushType::Location => built!(LocationNotification::new(self.app()?)),
            PushType::Mdm => built!(self.mdm()?),
            PushType::PushToTalk => built!(PushToTalkNotification::new(self.app()?)),
            PushType::Voip => built!(VoipNotification::new(self.app()?)),
            PushType::Widgets => built!(WidgetsNotification::new(self.app()?)),
        };
        uncut(built)
    }

    fn alert(&self) -> Result<Composed, String> {
        let builder = with_custom!(self.alert.notification(self.app()?), &self.custom);
        let builder = self.delivery.applied(builder);
        if !self.shorten {
            return uncut(builder.build());
        }
        let (notification, cuts) = builder.build_shortened().map_err(|error| error.to_string())?;
        Ok(Composed { notification, cuts })
    }

    fn live_activity(&self, now: UnixTime) -> Result<Composed, String> {
        let alert = self.alert.of_live_activity();
        uncut(self.live_activity.notification(self.app()?, alert, &self.custom, &self.delivery, now)?)
    }

    fn file_provider(&self) -> Result<FileProviderNotification, String> {
        let container =
            self.others.container_identifier.as_ref().ok_or("--container-identifier is missing")?;
        let builder = FileProviderNotification::new(self.app()?, container);
        Ok(match &self.others.domain {
            Some(domain) => builder.domain(domain),
            None => builder,
        })
    }

    fn mdm(&self) -> Result<MdmNotification, String> {
        let topic =
            self.topic.clone().ok_or("--topic is missing: com.apple.mgmt.…, of the MDM certificate")?;
        let magic = self.others.push_magic.as_ref().ok_or("--push-magic is missing")?;
        Ok(MdmNotification::new(topic, magic))
    }

    /// What speaks of another push type is an error, not silence.
    fn fits(&self, push_type: PushType) -> Result<(), String> {
        for (option, given, owners) in self.given() {
            if given && !owners.contains(&push_type) {
                let owners: Vec<&str> = owners.iter().map(|owner| owner.as_str()).collect();
                return Err(format!(
                    "{option} goes with push type {}, not with {push_type}",
                    owners.join(" or ")
                ));
            }
        }
        Ok(())
    }

    fn nothing_beside_payload(&self) -> Result<(), String> {
        let beside = self.given().into_iter().find(|(_, given, _)| *given).map(|(option, ..)| option);
        match beside.or_else(|| (!self.custom.is_empty()).then_some("--custom")) {
            Some(option) => Err(format!("{option} does not go with --payload, which is sent byte for byte")),
            None => Ok(()),
        }
    }

    fn given(&self) -> Vec<Given> {
        const FILE_PROVIDER: &[PushType] = &[PushType::FileProvider];
        let OtherArgs { container_identifier, domain, push_magic } = &self.others;
        let others: [Given; 4] = [
            ("--container-identifier", container_identifier.is_some(), FILE_PROVIDER),
            ("--domain", domain.is_some(), FILE_PROVIDER),
            ("--push-magic", push_magic.is_some(), &[PushType::Mdm]),
            ("--shorten", self.shorten, &[PushType::Alert]),
        ];
        let (alert, live_activity) = (self.alert.given(), self.live_activity.given());
        alert.into_iter().chain(live_activity).chain(others).collect()
    }
}

fn uncut(built: Result<Notification, InvalidNotification>) -> Result<Composed, String> {
    let notification = built.map_err(|error| error.to_string())?;
    Ok(Composed { notification, cuts: Vec::new() })
}

fn push_type(text: &str) -> Result<PushType, String> {
    let all = || PushType::all().map(PushType::as_str).collect::<Vec<_>>().join(", ");
    PushType::from_wire(text).ok_or_else(|| format!("it is one of {}", all()))
}

pub(super) fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("it is not JSON ({error})"))
}

/// `KEY=TEXT` or `KEY:=JSON`.
fn custom_key(text: &str) -> Result<CustomKey, String> {
    let (key, value) = text.split_once('=').ok_or("it is KEY=TEXT, or KEY:=JSON")?;
    match key.strip_suffix(':') {
        Some(key) => Ok((key.to_owned(), json(value)?)),
        None => Ok((key.to_owned(), Value::from(value))),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        message: MessageArgs,
    }

    const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

    fn compose(arguments: &[&str]) -> Result<Composed, String> {
        let cli = Cli::try_parse_from([&["test"], arguments].concat()).map_err(|error| error.to_string())?;
        cli.message.compose(NOW)
    }

    /// The topic and the payload of a push to the app `a.b`.
    fn said(arguments: &[&str]) -> (String, String) {
        let notification = compose(&[&["--bundle-id", "a.b"], arguments].concat()).unwrap().notification;
        let payload = String::from_utf8(notification.payload().to_vec()).unwrap();
        (notification.topic().as_str().to_owned(), payload)
    }

    #[test]
    fn every_push_type_has_its_options() {
        let cases: &[(&[&str], &str, &str)] = &[
            (&["--alert", "Hi", "--title", "T"], "a.b", r#"{"aps":{"alert":{"title":"T","body":"Hi"}}}"#),
            (&["--push-type", "background"], "a.b", r#"{"aps":{"content-available":1}}"#),
            (&["--push-type", "voip", "--custom", "caller=Ada"], "a.b.voip", r#"{"caller":"Ada"}"#),
            (&["--push-type", "complication", "--custom", "n:=[1]"], "a.b.complication", r#"{"n":[1]}"#),
            (&["--push-type", "controls"], "a.b.push-type.controls", r#"{"aps":{"content-changed":true}}"#),
            (&["--push-type", "widgets"], "a.b.push-type.widgets", r#"{"aps":{"content-changed":true}}"#),
            (&["--push-type", "location"], "a.b.location-query", r#"{"aps":{}}"#),
            (&["--push-type", "pushtotalk"], "a.b.voip-ptt", r#"{"aps":{}}"#),
            (
                &["--push-type", "fileprovider", "--container-identifier", "root"],
                "a.b.pushkit.fileprovider",
                r#"{"container-identifier":"root"}"#,
            ),
            (
                &["--push-type", "mdm", "--topic", "com.apple.mgmt.External.x", "--push-magic", "m"],
                "com.apple.mgmt.External.x",
                r#"{"mdm":"m"}"#,
            ),
            (
                &["--push-type", "liveactivity", "--event", "update", "--content-state", r#"{"n":1}"#],
                "a.b.push-type.liveactivity",
                r#"{"aps":{"timestamp":1700000000,"event":"update","content-state":{"n":1}}}"#,
            ),
            (&["--push-type", "voip", "--payload", r#"{"caller":1}"#], "a.b.voip", r#"{"caller":1}"#),
        ];
        for (arguments, topic, payload) in cases {
            assert_eq!(said(arguments), ((*topic).to_owned(), (*payload).to_owned()), "{arguments:?}");
        }
        for push_type in PushType::all() {
            let shown = |(arguments, ..): &&(&[&str], &str, &str)| {
                arguments.contains(&push_type.as_str()) || push_type == PushType::Alert
            };
            assert!(cases.iter().any(|case| shown(&case)), "{push_type}");
        }
    }

    #[test]
    fn an_option_of_another_push_type_is_named() {
        for (arguments, words) in [
            (
                &["--push-type", "voip", "--badge", "1"][..],
                "--badge goes with push type alert, not with voip",
            ),
            (&["--event", "start", "--alert", "x"], "--event goes with push type liveactivity"),
            (&["--payload", "{}", "--alert", "x"], "--alert does not go with --payload"),
            (&["--payload", "{}", "--custom", "a=b"], "--custom does not go with --payload"),
            (&["--push-type", "background", "--shorten"], "--shorten goes with push type alert"),
            (&["--topic", "a.b", "--alert", "x"], "--topic goes with --payload and push type mdm"),
            (
                &["--push-type", "liveactivity", "--event", "end", "--attributes", "{}"],
                "--attributes goes with --event start",
            ),
        ] {
            let error = compose(&[&["--bundle-id", "a.b"], arguments].concat()).unwrap_err();
            assert!(error.contains(words), "{arguments:?}: {error}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        for (arguments, words) in [
            (&["--alert", "x"][..], "--bundle-id is missing"),
            (&["--bundle-id", "a.b"], "aps.alert"),
            (&["--bundle-id", "a.b", "--push-type", "liveactivity"], "--event is missing"),
            (&["--bundle-id", "a.b", "--push-type", "fileprovider"], "--container-identifier is missing"),
            (&["--push-type", "mdm"], "--topic is missing"),
            (&["--bundle-id", "a.b", "--payload", "/none/such"], "--payload /none/such"),
            (&["--bundle-id", "a.b", "--custom", "key:=text"], "it is not JSON"),
        ] {
            let error = compose(arguments).unwrap_err();
            assert!(error.contains(words), "{arguments:?}: {error}");
        }
    }

    #[test]
    fn long_texts_are_cut_only_on_demand() {
        let text = "x".repeat(5000);
        assert!(compose(&["--bundle-id", "a.b", "--alert", &text]).unwrap_err().contains("4096"));
        let composed = compose(&["--bundle-id", "a.b", "--alert", &text, "--shorten"]).unwrap();
        assert_eq!((composed.notification.payload().len(), composed.cuts.len()), (4096, 1));
    }
}
