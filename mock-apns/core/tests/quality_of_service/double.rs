//! The service under test: the same calls, through its public functions.

use std::{collections::BTreeMap, sync::LazyLock, time::Duration};

use mock_apns_core::{
    Answer, App, BundleId, ConnectionId, DeviceError, DeviceId, DeviceToken, Effect, Environment, Event,
    Opened, Reason, Record, Request, Service, Settings, Team, TeamAt, TeamId, Timestamp, TokenKind,
};

use crate::{
    call::{BUILDS, Call, DEVICES, Line, Outcome, Place, Push, Returned, Token},
    common::{self, NOW, TEAM},
};

pub(crate) struct Double {
    pub(crate) service: Service,
    /// What the machine's clock shows. The team's is ahead, once it was advanced.
    pub(crate) now: Timestamp,
    /// One for each build, once it is needed: a certificate is for one app, a connection for one environment.
    connections: [Option<ConnectionId>; BUILDS],
    devices: [DeviceId; DEVICES],
    apps: [BundleId; BUILDS],
    tokens: BTreeMap<Token, DeviceToken>,
}

impl Double {
    /// Two devices that are online, with all apps installed and registered.
    pub(crate) fn with_setting(name: &str, value: u32) -> Self {
        let mut settings = Settings::default();
        settings.set(name, &value.to_string()).unwrap();
        let mut service = Service::new(settings, SEED, common::verify);
        let mut team = Team::new(team_id());
        team.add_app(App::new(common::bundle_id("com.example.app"))).unwrap();
        team.add_app(App::new(common::bundle_id("com.example.second"))).unwrap();
        service.add_team(team).unwrap();
        let devices = DEVICE_NAMES.map(common::device);
        let apps = BUILT.map(|(app, _)| common::bundle_id(app));
        let connections = [None; BUILDS];
        let mut double = Self { service, now: NOW, connections, devices, apps, tokens: BTreeMap::new() };
        for device in double.devices.clone() {
            double.team_at().add_device(device).unwrap();
        }
        for place in Place::all() {
            double.carry_out(Call::Install(place));
            double.carry_out(Call::Register(place));
        }
        double
    }

    pub(crate) fn team_at(&mut self) -> TeamAt<'_> {
        self.service.team_at(self.now, team_id()).unwrap()
    }

    pub(crate) fn team(&self) -> &Team {
        self.service.team(team_id()).unwrap()
    }

    pub(crate) fn call(&mut self, call: Call) -> Outcome {
        let cursor = self.team_at().team().next_cursor();
        let returned = self.carry_out(call);
        let mut lines: Vec<Line> = self.team().journal(cursor).filter_map(|record| line(&record)).collect();
        if let Call::Advance(_) = call {
            // Which of two comes first that expire in the same millisecond, no rule says.
            let moments = lines.chunk_by_mut(|line, next| line.at == next.at);
            moments.for_each(|lines| lines.sort_by_key(|line| line.number));
        }
        Outcome { returned, lines }
    }

    fn carry_out(&mut self, call: Call) -> Returned {
        let mut team = self.service.team_at(self.now, team_id()).unwrap();
        let at = |place: Place| (&self.devices[place.device], &self.apps[place.build], BUILT[place.build].1);
        let done = match call {
            Call::Push(push) => return self.push(&push),
            Call::State(device, state) => team.set_device_state(&self.devices[device], state),
            Call::NewTokens(device, cause) => team.new_tokens(&self.devices[device], cause),
            Call::Advance(by) => {
                team.advance_clock(Duration::from_millis(by));
                Ok(())
            }
            Call::Install(place) => {
                let (device, app, environment) = at(place);
                team.install(device, app, environment)
            }
            Call::Uninstall(place) => {
                let (device, app, environment) = at(place);
                team.uninstall(device, app, environment)
            }
            Call::Permission(place, allowed) => {
                let (device, app, environment) = at(place);
                team.set_permission(device, app, environment, allowed)
            }
            Call::Unregister(place) => {
                let (device, app, environment) = at(place);
                team.unregister(device, app, environment, TokenKind::App)
            }
            Call::Register(place) => {
                let (device, app, environment) = at(place);
                match team.register(device, app, environment, TokenKind::App) {
                    Ok(token) => return Returned::Registered(self.token(place, token)),
                    Err(error) => Err(error),
                }
            }
        };
        match done {
            Ok(()) => Returned::Done,
            Err(DeviceError::NotInstalled { .. }) => Returned::NotInstalled,
            Err(DeviceError::NotRegistered { .. }) => Returned::NotRegistered,
            Err(other) => panic!("{call:?}: {other}"),
        }
    }

    fn push(&mut self, push: &Push) -> Returned {
        let cursor = self.team().next_cursor();
        let answer = self.answer(push);
        let events: Vec<Event<'_>> = self.team().journal(cursor).map(|record| record.event).collect();
        match (answer.status, answer.reason, answer.timestamp, events.as_slice()) {
            (200, None, None, [Event::Notification { notification, .. }, ..])
                if notification.apns_id == answer.apns_id =>
            {
                Returned::Accepted
            }
            (410, Some(Reason::Unregistered), Some(timestamp), [Event::Refused(refused)])
                if refused.apns_id == answer.apns_id =>
            {
                Returned::Unregistered { timestamp: timestamp.as_millis() }
            }
            _ => panic!("{push:?}: {answer:?}, {events:?}"),
        }
    }

    fn answer(&mut self, push: &Push) -> Answer {
        let connection = self.connection(push.token.place.build);
        let (request, payload) = self.request(push);
        self.service.request(self.now, connection, 1, &request, payload);
        let mut effects = std::iter::from_fn(|| self.service.poll_effect());
        // Pushing to a dead token again and again is what is to be tried here.
        match effects.find(|effect| !matches!(effect, Effect::WouldThrottle { .. })) {
            Some(Effect::Respond { answer, .. }) => answer,
            other => panic!("no answer but {other:?}"),
        }
    }

    fn connection(&mut self, build: usize) -> ConnectionId {
        *self.connections[build].get_or_insert_with(|| {
            let certificate = Some(CERTIFICATES[build].as_slice());
            let opened = Opened { environment: BUILT[build].1, server_name: None, certificate };
            self.service.connected(NOW, opened)
        })
    }

    /// The request, and its payload.
    fn request(&self, push: &Push) -> (Request, &'static [u8]) {
        let mut request = Request::new();
        let mut field = |name: &str, value: &str| request.field(name.as_bytes(), value.as_bytes());
        field(":method", "POST");
        field(":path", &format!("/3/device/{}", self.tokens[&push.token]));
        field("apns-topic", BUILT[push.token.place.build].0);
        field("apns-push-type", if push.alert { "alert" } else { "background" });
        if let Some(priority) = push.priority {
            field("apns-priority", &priority.to_string());
        }
        if let Some(expiration) = push.expiration {
            field("apns-expiration", &expiration.to_string());
        }
        if let Some(collapse_id) = push.collapse_id {
            field("apns-collapse-id", collapse_id);
        }
        (
            request,
            if push.alert { br#"{"aps":{"alert":"Hello"}}"# } else { br#"{"aps":{"content-available":1}}"# },
        )
    }

    /// Which of the tokens of a place this is: one that it had before, or its next.
    fn token(&mut self, place: Place, token: DeviceToken) -> Token {
        if let Some((known, _)) = self.tokens.iter().find(|(_, known)| **known == token) {
            return *known;
        }
        let nth = 1 + self.tokens.keys().filter(|known| known.place == place).count();
        self.tokens.insert(Token { place, nth }, token);
        Token { place, nth }
    }
}

fn line(record: &Record<'_>) -> Option<Line> {
    let Event::Notification { notification, status, cause: because } = record.event else { return None };
    Some(Line { at: record.at.as_millis(), number: notification.number, status, because })
}

fn team_id() -> TeamId {
    TeamId::parse(TEAM).unwrap()
}

const SEED: u64 = 42;
pub(crate) const DEVICE_NAMES: [&str; DEVICES] = ["alice-iphone", "bob-ipad"];

/// The same app in both environments is two builds, whose pushes never meet.
pub(crate) const BUILT: [(&str, Environment); BUILDS] = [
    ("com.example.app", Environment::Sandbox),
    ("com.example.second", Environment::Sandbox),
    ("com.example.app", Environment::Production),
];

pub(crate) static CERTIFICATES: LazyLock<[Vec<u8>; BUILDS]> =
    LazyLock::new(|| BUILT.map(|(app, _)| common::certificate_for("universal", app, TEAM)));
