//! Histories of a service: whatever can be done to it, sensible or not. What becomes of pushes is checked elsewhere; here
//! only that it becomes of them again.

use std::{collections::BTreeMap, time::Duration};

use mock_apns_core::{
    App, ConnectionId, DeviceConnectionId, DeviceToken, Effect, KeyId, KeyScope, Opened, Service, Settings,
    TeamAt, TeamId, Timestamp, TokenKind, TokenStatus,
};
use proptest::sample::Index;

use crate::{
    call::{BUILDS, Call, Place, Push, Token},
    common::{self, Jwt, NOW, OTHER_TEAM, TEAM, bundle_id, device},
    double::{BUILT, CERTIFICATES, DEVICE_NAMES},
    step::{Look, More, Step},
};

/// A service in the middle of a history, with what its users know.
pub(crate) struct Run {
    pub(crate) service: Service,
    pub(crate) now: Timestamp,
    known: Known,
}

/// What providers and devices know.
#[derive(Clone, Debug, Default)]
struct Known {
    tokens: BTreeMap<Token, DeviceToken>,
    activities: Vec<DeviceToken>,
    builds: [Option<ConnectionId>; BUILDS],
    with_token: Option<ConnectionId>,
    providers: Vec<ConnectionId>,
    devices: Vec<DeviceConnectionId>,
    streams: u32,
}

impl Run {
    pub(crate) fn new() -> Self {
        let mut service = common::service(Settings::default(), 7);
        let mut team = service.team_at(NOW, team_id(false)).unwrap();
        for name in DEVICE_NAMES {
            team.add_device(device(name)).unwrap();
        }
        let mut run = Self { service, now: NOW, known: Known::default() };
        for place in Place::all() {
            run.step(&Step::Call(Call::Install(place)));
            run.step(&Step::Call(Call::Register(place)));
        }
        run
    }

    /// Another service for the same users.
    pub(crate) fn with(&self, service: Service) -> Self {
        Self { service, now: self.now, known: self.known.clone() }
    }

    /// Nobody is connected any more, and everyone knows.
    pub(crate) fn all_leave(&mut self) {
        self.step(&Step::More(More::AllLeave));
    }

    /// Does one thing, and returns what comes of it.
    pub(crate) fn step(&mut self, step: &Step) -> Vec<Effect> {
        match step {
            Step::Call(call) => self.call(*call),
            Step::More(more) => self.more(more),
        }
        std::iter::from_fn(|| self.service.poll_effect()).collect()
    }

    /// Does one thing after the other, and lets nobody know.
    pub(crate) fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            self.step(step);
        }
    }

    fn team(&mut self) -> Option<TeamAt<'_>> {
        self.service.team_at(self.now, team_id(false))
    }

    fn call(&mut self, call: Call) {
        let at = |place: Place| {
            let (app, environment) = BUILT[place.build];
            (device(DEVICE_NAMES[place.device]), bundle_id(app), environment)
        };
        if let Call::Push(push) = call {
            return self.push(&push);
        }
        let Some(mut team) = self.service.team_at(self.now, team_id(false)) else { return };
        // What is refused is refused by both.
        match call {
            Call::Push(_) => {}
            Call::State(index, state) => _ = team.set_device_state(&device(DEVICE_NAMES[index]), state),
            Call::NewTokens(index, cause) => _ = team.new_tokens(&device(DEVICE_NAMES[index]), cause),
            Call::Advance(by) => _ = team.advance_clock(Duration::from_millis(by)),
            Call::Install(place) => {
                let (device, app, environment) = at(place);
                _ = team.install(&device, &app, environment);
            }
            Call::Uninstall(place) => {
                let (device, app, environment) = at(place);
                _ = team.uninstall(&device, &app, environment);
            }
            Call::Permission(place, allowed) => {
                let (device, app, environment) = at(place);
                _ = team.set_permission(&device, &app, environment, allowed);
            }
            Call::Unregister(place) => {
                let (device, app, environment) = at(place);
                _ = team.unregister(&device, &app, environment, TokenKind::App);
            }
            Call::Register(place) => {
                let (device, app, environment) = at(place);
                if let Ok(token) = team.register(&device, &app, environment, TokenKind::App) {
                    self.learn(place, token);
                }
            }
        }
    }

    fn learn(&mut self, place: Place, token: DeviceToken) {
        let nth = 1 + self.known.tokens.keys().filter(|known| known.place == place).count();
        if !self.known.tokens.values().any(|known| *known == token) {
            self.known.tokens.insert(Token { place, nth }, token);
        }
    }

    fn push(&mut self, push: &Push) {
        let (app, environment) = BUILT[push.token.place.build];
        let connection = *self.known.builds[push.token.place.build].get_or_insert_with(|| {
            let certificate = Some(CERTIFICATES[push.token.place.build].as_slice());
            self.service.connected(self.now, Opened { environment, server_name: None, certificate })
        });
        let Some(token) = self.known.tokens.get(&push.token) else { return };
        let mut request = request(token).with("apns-topic", app);
        request = request.with("apns-push-type", if push.alert { "alert" } else { "background" });
        if let Some(priority) = push.priority {
            request = request.with("apns-priority", &priority.to_string());
        }
        if let Some(expiration) = push.expiration {
            request = request.with("apns-expiration", &expiration.to_string());
        }
        if let Some(collapse_id) = push.collapse_id {
            request = request.with("apns-collapse-id", collapse_id);
        }
        let body =
            if push.alert { r#"{"aps":{"alert":"Hello"}}"# } else { r#"{"aps":{"content-available":1}}"# };
        self.send(connection, &request.with_body(body));
    }

    fn send(&mut self, connection: ConnectionId, push: &common::Push) {
        self.known.streams += 2;
        self.service.request(self.now, connection, self.known.streams, &push.request(), &push.body);
    }

    fn connection(&mut self) -> ConnectionId {
        *self.known.with_token.get_or_insert_with(|| {
            let connection = self.service.connected(self.now, common::sandbox());
            self.known.providers.push(connection);
            connection
        })
    }

    fn more(&mut self, more: &More) {
        match more {
            More::WithToken { other_team, age, forged } => {
                let iat = (self.now.as_secs() - age).to_string();
                let (team, kid) = if *other_team { (OTHER_TEAM, "OTHERKEY01") } else { (TEAM, common::KEY) };
                let signer = if *forged { "forged" } else { "" };
                let connection = self.connection();
                let token = DeviceToken::from_hex(common::TOKEN.as_bytes()).unwrap();
                let push = request(&token).signed_by(&Jwt { team, kid, iat: &iat, signer, ..Jwt::default() });
                self.send(connection, &push.with_body([b'{', 0xff]).with("apns-priority", "5"));
            }
            More::NobodysPush => {
                let connection = self.connection();
                let push = request(&DeviceToken::from_hex(b"00").unwrap());
                self.send(connection, &push.with("x-odd", "\u{e9}"));
            }
            More::DeviceConnects(index) => {
                let connection = self.service.device_connected(self.now, device(DEVICE_NAMES[*index]));
                self.known.devices.push(connection);
                self.service.device_line(self.now, connection, br#"{"type":"connect"}"#);
            }
            More::DeviceSays(connection, line) => {
                if !self.known.devices.is_empty() {
                    let connection = *connection.get(&self.known.devices);
                    self.service.device_line(self.now, connection, line.as_bytes());
                }
            }
            More::DeviceLeaves(connection) => {
                if !self.known.devices.is_empty() {
                    let at = connection.index(self.known.devices.len());
                    self.service.device_disconnected(self.now, self.known.devices.remove(at));
                }
            }
            More::ProviderLeaves(connection) => {
                self.known.with_token = None;
                if !self.known.providers.is_empty() {
                    let at = connection.index(self.known.providers.len());
                    self.service.disconnected(self.now, self.known.providers.remove(at));
                }
            }
            More::AllLeave => {
                self.service.disconnect_all(self.now);
                self.known.builds = [None; BUILDS];
                self.known.with_token = None;
                self.known.providers.clear();
                self.known.devices.clear();
            }
            More::ResetAll => self.service.reset(self.now),
            More::RemoveTeam(other) => _ = self.service.remove_team(team_id(*other)),
            More::AddTeam(other) => {
                let team = if *other { common::other_team() } else { common::team() };
                _ = self.service.add_team(team);
            }
            More::Machine(by, look) => {
                self.now = Timestamp::from_millis(self.now.as_millis().saturating_add_signed(*by));
                match look {
                    Look::Nobody => {}
                    Look::AtTeam => drop(self.team()),
                    Look::Woken => self.service.handle_timeout(self.now),
                }
            }
            in_team => self.in_team(in_team),
        }
    }

    fn in_team(&mut self, more: &More) {
        let name = |place: &Place| device(DEVICE_NAMES[place.device]);
        let build = |place: &Place| (bundle_id(BUILT[place.build].0), BUILT[place.build].1);
        if let More::UpdateActivity { index, event, timestamp } = more {
            return self.update_activity(*index, event, *timestamp);
        }
        let Some(mut team) = self.service.team_at(self.now, team_id(false)) else { return };
        match more {
            More::Set(name, value) => {
                let mut settings = team.team().settings().clone();
                settings.set(name, value).unwrap();
                team.set_settings(settings);
            }
            More::Bury(token, ago) => {
                let tokens: Vec<DeviceToken> = self.known.tokens.values().cloned().collect();
                let since = Timestamp::from_millis(NOW.as_millis() - ago);
                _ = team.set_token_status(token.get(&tokens), TokenStatus::Expired { since });
            }
            More::RemoveDevice(index) => _ = team.remove_device(&device(DEVICE_NAMES[*index])),
            More::AddDevice(index) => _ = team.add_device(device(DEVICE_NAMES[*index])),
            More::Give(place, byte) => {
                let (app, environment) = build(place);
                let token = DeviceToken::from_bytes(&[*byte; 9]).unwrap();
                let given = team.register_as(&name(place), &app, environment, TokenKind::App, token.clone());
                if given.is_ok() {
                    self.learn(*place, token);
                }
            }
            More::StartActivity(place) => {
                let (app, environment) = build(place);
                if let Ok((_, token)) = team.start_activity(&name(place), &app, environment) {
                    self.known.activities.push(token);
                }
            }
            More::EndActivity(place, activity) => {
                let (app, environment) = build(place);
                _ = team.end_activity(&name(place), &app, environment, *activity);
            }
            More::AddKey(id) => _ = team.add_key(common::provider_key(id, KeyScope::Legacy)),
            More::RevokeKey(id) => _ = team.revoke_key(KeyId::parse(id).unwrap()),
            More::AddApp(id) => _ = team.add_app(App::new(bundle_id(id))),
            More::ResetTeam => team.reset(),
            More::SetClock(ahead) => {
                _ = team.set_clock(team.now().saturating_add(Duration::from_millis(*ahead)));
            }
            More::FollowMachine => team.follow_machine(),
            other => panic!("not of a team: {other:?}"),
        }
    }

    fn update_activity(&mut self, index: Index, event: &str, timestamp: u32) {
        if self.known.activities.is_empty() {
            return;
        }
        let token = index.get(&self.known.activities).clone();
        let connection = self.connection();
        let push = request(&token)
            .with("apns-topic", "com.example.app.push-type.liveactivity")
            .with("apns-push-type", "liveactivity")
            .signed_by(&Jwt { iat: &self.now.as_secs().to_string(), ..Jwt::default() })
            .with_body(format!(
                r#"{{"aps":{{"timestamp":{timestamp},"event":"{event}","content-state":{{}}}}}}"#
            ));
        self.send(connection, &push);
    }
}

/// A push to this token without credentials.
fn request(token: &DeviceToken) -> common::Push {
    let fields = [
        (":method", "POST"),
        (":scheme", "https"),
        (":path", &format!("/3/device/{token}")),
        ("apns-topic", "com.example.app"),
        ("apns-push-type", "alert"),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    common::Push { fields, body: b"{}".to_vec() }
}

pub(crate) fn team_id(other: bool) -> TeamId {
    TeamId::parse(if other { OTHER_TEAM } else { TEAM }).unwrap()
}
