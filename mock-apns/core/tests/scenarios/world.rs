//! A team with a device called phone, on which com.example.app is installed and registered.

use std::time::Duration;

use mock_apns_core::{
    Answer, BundleId, DeviceState, DeviceToken, Environment, Event, NewTokens, Reason, Settings, Status,
    TeamAt, Timestamp, TokenKind, rendering::Screen,
};

pub(crate) use crate::common::Push;
use crate::common::{Bench, PHONE, TEAM, bundle_id, certificate, device};

pub(crate) const APP: &str = "com.example.app";
pub(crate) const SANDBOX: Environment = Environment::Sandbox;
pub(crate) const MINUTE: Duration = Duration::from_mins(1);
pub(crate) const DAY: Duration = Duration::from_hours(24);

/// A bench and the phone's token. Pushes are sent with a certificate, which outlives a provider token's hour.
pub(crate) struct World {
    pub(crate) bench: Bench,
    pub(crate) token: DeviceToken,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// With these settings.
    pub(crate) fn with(values: &[(&str, &str)]) -> Self {
        let mut settings = Settings::default();
        for (name, value) in values {
            settings.set(name, value).unwrap();
        }
        let mut bench = Bench::with_settings(settings);
        bench.team_at().remove_device(&device(PHONE)).unwrap();
        bench.team_at().add_device(device(PHONE)).unwrap();
        bench.connect_with(&CERTIFICATE.with(Clone::clone));
        let mut world = Self { bench, token: DeviceToken::from_hex(b"00").unwrap() };
        world.team().install(&device(PHONE), &app(), SANDBOX).unwrap();
        world.token = world.register(TokenKind::App);
        world
    }

    pub(crate) fn team(&mut self) -> TeamAt<'_> {
        self.bench.team_at()
    }

    pub(crate) fn register(&mut self, kind: TokenKind) -> DeviceToken {
        self.team().register(&device(PHONE), &app(), SANDBOX, kind).unwrap()
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, span: Duration) {
        self.bench.now = self.bench.now.saturating_add(span);
    }

    /// So long from now, as `apns-expiration` has it.
    pub(crate) fn after(&self, span: Duration) -> String {
        self.bench.now.saturating_add(span).as_secs().to_string()
    }

    pub(crate) fn state(&mut self, state: DeviceState) {
        self.team().set_device_state(&device(PHONE), state).unwrap();
    }

    pub(crate) fn offline(&mut self) {
        self.state(DeviceState::Offline);
    }

    pub(crate) fn online(&mut self) {
        self.state(DeviceState::Online);
    }

    pub(crate) fn uninstall(&mut self) {
        self.team().uninstall(&device(PHONE), &app(), SANDBOX).unwrap();
    }

    /// Puts the app back, which then registers.
    pub(crate) fn reinstall(&mut self) -> DeviceToken {
        self.team().install(&device(PHONE), &app(), SANDBOX).unwrap();
        self.register(TokenKind::App)
    }

    pub(crate) fn new_tokens(&mut self, cause: NewTokens) {
        self.team().new_tokens(&device(PHONE), cause).unwrap();
    }

    pub(crate) fn permission(&mut self, allowed: bool) {
        self.team().set_permission(&device(PHONE), &app(), SANDBOX, allowed).unwrap();
    }

    /// An alert to the phone that says this.
    pub(crate) fn alert(&self, text: &str) -> Push {
        let token = self.token.clone();
        self.push_to(&token, "", "alert").with_body(format!(r#"{{"aps":{{"alert":"{text}"}}}}"#))
    }

    /// A background push to the phone.
    pub(crate) fn background(&self) -> Push {
        let token = self.token.clone();
        let push = self.push_to(&token, "", "background").with("apns-priority", "5");
        push.with_body(r#"{"aps":{"content-available":1}}"#)
    }

    pub(crate) fn push_to(&self, token: &DeviceToken, suffix: &str, push_type: &str) -> Push {
        let push = self.bench.push().without("authorization").with(":path", &format!("/3/device/{token}"));
        push.with("apns-topic", &format!("{APP}{suffix}")).with("apns-push-type", push_type)
    }

    /// Sends a push that is accepted, and returns the number of its notification.
    pub(crate) fn send(&mut self, push: &Push) -> u64 {
        let answer = self.answer(push);
        assert_eq!(answer.reason, None);
        let mut log = self.bench.service.team(team_id()).unwrap().delivery_log(answer.apns_id.as_str());
        log.next_back().unwrap().notification().unwrap().number
    }

    pub(crate) fn answer(&mut self, push: &Push) -> Answer {
        self.bench.answer(push)
    }

    pub(crate) fn reason(&mut self, push: &Push) -> Option<Reason> {
        self.answer(push).reason
    }

    /// What has become of a notification, but that it was received.
    pub(crate) fn life(&mut self, number: u64) -> Vec<&'static str> {
        self.life_at(number).into_iter().map(|(_, status)| status).collect()
    }

    /// What has become of a notification, and when.
    pub(crate) fn life_at(&mut self, number: u64) -> Vec<(Timestamp, &'static str)> {
        let team = self.team();
        let mine = team.team().journal(0).filter_map(|record| match record.event {
            Event::Notification { notification, status, .. } if notification.number == number => {
                Some((record.at, status.as_str()))
            }
            _ => None,
        });
        let mut life: Vec<_> = mine.collect();
        assert_eq!(life.remove(0).1, Status::Received.as_str());
        life
    }

    /// Why something became of a notification, as the journal says it: the last cause.
    pub(crate) fn because(&mut self, number: u64) -> serde_json::Value {
        let team = self.team();
        let of_it = |record: &mock_apns_core::Record<'_>| {
            record.notification().is_some_and(|notification| notification.number == number)
        };
        let last = team.team().journal(0).rfind(of_it).unwrap();
        serde_json::to_value(last).unwrap()["because"].clone()
    }

    /// The texts of the notifications on the phone's screen, newest first.
    pub(crate) fn shown(&mut self) -> Vec<String> {
        let screen = self.screen();
        screen.notifications().map(|it| it.banner.body.clone().unwrap_or_default()).collect()
    }

    pub(crate) fn screen(&mut self) -> Screen {
        self.team().team().screen(&device(PHONE))
    }

    /// The whole journal, a line of JSON for each entry.
    pub(crate) fn journal(&mut self) -> String {
        let team = self.team();
        let lines = team.team().journal(0).map(|record| serde_json::to_string(&record).unwrap() + "\n");
        lines.collect()
    }
}

pub(crate) fn app() -> BundleId {
    bundle_id(APP)
}

pub(crate) fn team_id() -> mock_apns_core::TeamId {
    mock_apns_core::TeamId::parse(TEAM).unwrap()
}

// Certificates are dear, and always the same.
thread_local! {
    static CERTIFICATE: Vec<u8> = certificate("universal");
}
