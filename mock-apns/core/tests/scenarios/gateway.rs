//! The device gateway: devices that connect, acknowledge, and are cut off. No socket is needed for it.

use mock_apns_core::{
    CloseReason, DeviceConnectionId, DeviceMessage, DeviceState, DeviceToken, Effect, GatewayErrorCode,
    NotificationMessage, Status, ToDevice, TokenKind,
};

use crate::{
    common::{PHONE, device},
    world::{MINUTE, World},
};

/// A connection of a device, and what it was told.
struct Connection {
    id: DeviceConnectionId,
    told: Vec<ToDevice>,
    closed: bool,
}

impl World {
    fn open(&mut self, name: &str) -> Connection {
        let now = self.bench.now;
        let id = self.bench.service.device_connected(now, device(name));
        Connection { id, told: Vec::new(), closed: false }
    }

    /// A connection that has said `connect` and was told that it is.
    fn connect(&mut self, name: &str) -> Connection {
        let mut connection = self.open(name);
        self.say(&mut connection, r#"{"type":"connect"}"#);
        assert!(matches!(connection.told.remove(0).message, DeviceMessage::Connected(_)));
        connection
    }

    fn say(&mut self, connection: &mut Connection, line: &str) {
        let now = self.bench.now;
        self.bench.service.device_line(now, connection.id, line.as_bytes());
        self.listen(&mut [connection]);
    }

    /// Hands out what the service has to tell.
    fn listen(&mut self, connections: &mut [&mut Connection]) {
        while let Some(effect) = self.bench.service.poll_effect() {
            let (id, message) = match effect {
                Effect::ToDevice { connection, message } => (connection, Some(message)),
                Effect::CloseDevice { connection } => (connection, None),
                _ => continue,
            };
            let Some(connection) = connections.iter_mut().find(|it| it.id == id) else { continue };
            match message {
                Some(message) => connection.told.push(*message),
                None => connection.closed = true,
            }
        }
    }

    fn push(&mut self, text: &str) -> (u64, Vec<Effect>) {
        let push = self.alert(text);
        let effects = self.bench.effects(&push);
        let team = self.team();
        let number =
            team.team().journal(0).filter_map(|it| it.notification().cloned()).next_back().unwrap().number;
        (number, effects)
    }

    /// Sends an alert, and hands out what connected devices are told.
    fn push_and_listen(&mut self, text: &str, connection: &mut Connection) -> u64 {
        let (number, effects) = self.push(text);
        for effect in effects {
            if let Effect::ToDevice { connection: id, message } = effect {
                assert_eq!(id, connection.id);
                connection.told.push(*message);
            }
        }
        number
    }

    fn drop_connection(&mut self, connection: &Connection) {
        let now = self.bench.now;
        self.bench.service.device_disconnected(now, connection.id);
    }
}

impl Connection {
    fn notifications(&self) -> Vec<&NotificationMessage> {
        let notification = |message: &'_ ToDevice| matches!(message.message, DeviceMessage::Notification(_));
        let told = self.told.iter().filter(|message| notification(message));
        told.map(|message| match &message.message {
            DeviceMessage::Notification(notification) => &**notification,
            other => panic!("{other:?}"),
        })
        .collect()
    }

    /// The code of the one error that it was told.
    fn error(&mut self) -> (GatewayErrorCode, String) {
        match self.told.pop().map(|it| it.message) {
            Some(DeviceMessage::Error(error)) => (error.code, error.message),
            other => panic!("{other:?}"),
        }
    }
}

fn body(notification: &NotificationMessage) -> String {
    let shown = serde_json::to_value(&notification.shown).unwrap();
    shown["shown"]["body"].as_str().unwrap().to_owned()
}

#[test]
fn a_notification_is_delivered_once_it_is_acknowledged() {
    let mut world = World::new();
    let mut phone = world.connect(PHONE);
    let number = world.push_and_listen("Hello", &mut phone);
    assert!(world.life(number).is_empty());
    let notification = phone.notifications()[0].clone();
    assert_eq!((body(&notification), notification.from_storage), ("Hello".to_owned(), false));
    world.say(&mut phone, &format!(r#"{{"type":"ack","delivery":{}}}"#, notification.delivery));
    assert_eq!(world.life(number), ["Delivered to Device"]);
}

#[test]
fn what_was_not_acknowledged_is_delivered_again_the_latest_of_it() {
    let mut world = World::new();
    let mut phone = world.connect(PHONE);
    let numbers = ["one", "two"].map(|text| world.push_and_listen(text, &mut phone));
    assert_eq!(phone.notifications().len(), 2);
    world.drop_connection(&phone);
    assert_eq!(world.life(numbers[0]), ["Stored - Device Offline", "Discarded - Overwritten"]);
    world.pass(MINUTE);
    let mut again = world.connect(PHONE);
    world.listen(&mut [&mut again]);
    let redelivered = again.notifications()[0].clone();
    assert_eq!((body(&redelivered), redelivered.from_storage), ("two".to_owned(), true));
    assert_eq!(world.life(numbers[1]), ["Stored - Device Offline"]);
    world.say(&mut again, &format!(r#"{{"type":"ack","delivery":{}}}"#, redelivered.delivery));
    assert_eq!(world.life(numbers[1]), ["Stored - Device Offline", "Delivered to Device (From Storage)"]);
}

#[test]
fn a_device_is_online_while_it_is_connected() {
    let mut world = World::new();
    let phone = world.connect(PHONE);
    let state = |world: &mut World| world.team().team().device(&device(PHONE)).unwrap().state();
    assert_eq!(state(&mut world), DeviceState::Online);
    world.drop_connection(&phone);
    assert_eq!(state(&mut world), DeviceState::Offline);
}

#[test]
fn the_newest_connection_wins_and_gets_what_the_older_one_has_not_acknowledged() {
    let mut world = World::new();
    let mut old = world.connect(PHONE);
    world.push_and_listen("Hello", &mut old);
    let mut new = world.open(PHONE);
    let now = world.bench.now;
    world.bench.service.device_line(now, new.id, br#"{"type":"connect"}"#);
    world.listen(&mut [&mut old, &mut new]);
    assert!(old.closed && !new.closed);
    assert_eq!(old.told.last().unwrap().message, DeviceMessage::Closed { reason: CloseReason::Replaced });
    assert!(matches!(new.told[0].message, DeviceMessage::Connected(_)));
    assert_eq!(body(new.notifications()[0]), "Hello");
    // What the old one still says changes nothing, nor does its end.
    let delivery = old.notifications()[0].delivery;
    world.say(&mut old, &format!(r#"{{"type":"ack","delivery":{delivery}}}"#));
    world.drop_connection(&old);
    let team = world.team();
    assert_eq!(team.team().device(&device(PHONE)).unwrap().state(), DeviceState::Online);
    assert_eq!(team.team().counters().get(Status::Delivered), 0);
}

#[test]
fn a_device_registers_and_gets_the_token_that_a_provider_pushes_to() {
    let mut world = World::new();
    let mut watch = world.connect("watch");
    world.say(
        &mut watch,
        r#"{"type":"register","app":"com.example.app","environment":"sandbox","kind":"voip","id":9}"#,
    );
    let reply = watch.told.pop().unwrap();
    let DeviceMessage::Token(token) = reply.message else { panic!("{reply:?}") };
    assert_eq!((reply.id, token.kind, &token.topic[..]), (Some(9), TokenKind::Voip, "com.example.app.voip"));
    let token = DeviceToken::from_hex(token.token.as_bytes()).unwrap();
    let call = world.push_to(&token, ".voip", "voip");
    world.bench.effects(&call).into_iter().for_each(|effect| {
        if let Effect::ToDevice { message, .. } = effect {
            watch.told.push(*message);
        }
    });
    assert_eq!(watch.notifications()[0].kind, TokenKind::Voip);
}

#[test]
fn a_device_may_save_power_and_say_so_when_it_connects() {
    let mut world = World::new();
    world.offline();
    let push = world.send(&world.alert("5").with("apns-priority", "5"));
    let mut phone = world.open(PHONE);
    world.say(&mut phone, r#"{"type":"connect","state":"power-saving"}"#);
    assert!(phone.notifications().is_empty());
    assert_eq!(world.life(push), ["Stored - Device Offline", "Stored - Power Considerations"]);
    world.say(&mut phone, r#"{"type":"state","state":"online"}"#);
    assert_eq!(phone.notifications().len(), 1);
}

#[test]
fn a_device_that_does_not_acknowledge_is_sent_so_many_and_the_latest_of_the_rest() {
    let mut world = World::with(&[("unacknowledged-pushes", "2")]);
    let mut phone = world.connect(PHONE);
    let numbers: Vec<u64> = (0..4).map(|n| world.push_and_listen(&n.to_string(), &mut phone)).collect();
    assert_eq!(phone.notifications().len(), 2);
    assert_eq!(world.because(numbers[3]), serde_json::json!({ "cause": "unacknowledged" }));
    let delivery = phone.notifications()[0].delivery;
    world.say(&mut phone, &format!(r#"{{"type":"ack","delivery":{delivery}}}"#));
    let texts: Vec<String> = phone.notifications().into_iter().map(body).collect();
    assert_eq!(texts, ["0", "1", "3"]);
}

#[test]
fn one_to_be_tried_once_is_not_tried_twice() {
    let mut world = World::new();
    let mut phone = world.connect(PHONE);
    let once = world.alert("once").with("apns-expiration", "0");
    world.bench.effects(&once);
    world.drop_connection(&phone);
    phone = world.connect(PHONE);
    assert!(phone.notifications().is_empty());
    assert_eq!(world.team().team().counters().get(Status::DiscardedExpired), 1);
}

#[test]
fn a_device_that_is_taken_offline_is_told_and_closed() {
    let mut world = World::new();
    let mut phone = world.connect(PHONE);
    world.offline();
    world.listen(&mut [&mut phone]);
    assert_eq!(
        phone.told.pop().unwrap().message,
        DeviceMessage::Closed { reason: CloseReason::TakenOffline }
    );
    assert!(phone.closed);
}

#[test]
fn a_mistake_is_told_and_nothing_else_changes() {
    let mut world = World::new();
    let mut phone = world.open(PHONE);
    for (line, code) in [
        (
            r#"{"type":"install","app":"com.example.app","environment":"sandbox"}"#,
            GatewayErrorCode::ConnectFirst,
        ),
        (r#"{"type":"connect","team":"NOSUCHTEAM"}"#, GatewayErrorCode::UnknownTeam),
        (r#"{"type":"conn"#, GatewayErrorCode::NotJson),
    ] {
        world.say(&mut phone, line);
        assert_eq!(phone.error().0, code, "{line}");
    }
    let mut phone = world.connect(PHONE);
    let before = world.journal();
    for (line, code) in [
        (r#"{"type":"connect"}"#, GatewayErrorCode::ConnectedAlready),
        (r#"{"type":"install","app":"com.unknown"}"#, GatewayErrorCode::UnknownApp),
        (r#"{"type":"uninstall","app":"com.example.second"}"#, GatewayErrorCode::NotInstalled),
        (
            r#"{"type":"unregister","app":"com.example.app","kind":"controls"}"#,
            GatewayErrorCode::NotRegistered,
        ),
        (
            r#"{"type":"end-activity","app":"com.example.app","activity":3}"#,
            GatewayErrorCode::UnknownActivity,
        ),
        (r#"{"type":"ack","delivery":77}"#, GatewayErrorCode::UnknownDelivery),
        (r#"{"type":"dance"}"#, GatewayErrorCode::UnknownType),
    ] {
        world.say(&mut phone, line);
        let (found, message) = phone.error();
        assert_eq!(found, code, "{line}");
        assert!(message.len() > 20, "{message}");
    }
    assert_eq!(world.journal(), before);
}

/// An alert begins a Live Activity, and what was not acknowledged has not happened.
#[test]
fn a_live_activity_that_a_push_starts_is_begun_once_and_its_token_is_told() {
    let mut world = World::new();
    let to_start = world.register(TokenKind::LiveActivity);
    let start = world
        .bench
        .push()
        .with(":path", &format!("/3/device/{to_start}"))
        .with("apns-topic", "com.example.app.push-type.liveactivity")
        .with("apns-push-type", "liveactivity")
        .with_body(
            r#"{"aps":{"event":"start","timestamp":100,"content-state":{},"attributes-type":"Match","attributes":{},
                "alert":{"title":"Match","body":"begins"}}}"#,
        );
    let mut phone = world.connect(PHONE);
    world.bench.connect(); // certificates list no topic for Live Activities
    assert_eq!(world.bench.effects(&start).len(), 3);
    world.drop_connection(&phone);
    phone = world.open(PHONE);
    world.say(&mut phone, r#"{"type":"connect"}"#);
    let delivery = phone.notifications()[0].delivery;
    phone.told.clear();
    world.say(&mut phone, &format!(r#"{{"type":"ack","delivery":{delivery}}}"#));
    let told = phone.told.pop().unwrap();
    let DeviceMessage::Token(token) = told.message else { panic!("{told:?}") };
    assert_eq!((told.id, token.activity, token.token.len()), (None, Some(1), 160));
    assert!(phone.told.is_empty());
}

#[test]
fn live_activities_start_and_end_on_the_device() {
    let mut world = World::new();
    let mut phone = world.connect(PHONE);
    world.say(&mut phone, r#"{"type":"start-activity","app":"com.example.app"}"#);
    let reply = phone.told.pop().unwrap();
    let DeviceMessage::Token(token) = reply.message else { panic!("{reply:?}") };
    assert_eq!((token.activity, token.token.len()), (Some(1), 160));
    world.say(&mut phone, r#"{"type":"end-activity","app":"com.example.app","activity":1}"#);
    assert_eq!(phone.told.pop().unwrap().message, DeviceMessage::Ok);
}
