//! A double on a bad day, and a client that pushes to it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

pub(crate) use crate::control::PATIENCE;
use crate::control::get;
use apns_certs::Purpose;
use apns_provider::{
    Client, ClientBuilder, Credential, Endpoint,
    core::{AlertNotification, BundleId, DeviceToken, Notification, Outcome, RetryPolicy},
};
use futures::future::join_all;
use mock_apns::{Filter, MockApns, ReceivedPush};

/// A double on a bad day.
pub(crate) struct World {
    pub(crate) mock: MockApns,
}

impl World {
    /// Everything goes well.
    pub(crate) async fn good() -> Self {
        Self { mock: MockApns::builder().trace_frames().start().await.unwrap() }
    }

    /// These faults are there, the ready-made team's.
    pub(crate) async fn with(faults: &[&str]) -> Self {
        let world = Self::good().await;
        for fault in faults {
            world.mock.team().fault(fault.parse().unwrap()).unwrap().keep();
        }
        world
    }

    /// This fault is there for everyone: at the door, where nobody is known yet.
    pub(crate) async fn for_everyone(fault: &str) -> Self {
        let world = Self::good().await;
        world.mock.fault(fault.parse().unwrap()).unwrap().keep();
        world
    }

    /// A client that tries once.
    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        self.builder_to("localhost", self.mock.sandbox().port())
    }

    /// A client that knows the double by another name or at another port.
    pub(crate) fn builder_to(&self, host: &str, port: u16) -> ClientBuilder {
        let ready_made = self.mock.ready_made();
        let key = &ready_made.keys[0];
        Client::builder(Endpoint::custom(host, port).unwrap())
            .ca_pem(&self.ca_pem())
            .credential(
                Credential::from_p8(key.key.to_p8().as_bytes(), key.key_id, ready_made.team_id).unwrap(),
            )
            .retry(RetryPolicy::never())
    }

    /// What the double's clients have to trust.
    pub(crate) fn ca_pem(&self) -> Vec<u8> {
        self.mock.certificates().authority().root_pem(Purpose::Server).into_bytes()
    }

    pub(crate) fn token(&self) -> DeviceToken {
        DeviceToken::from_hex(&self.mock.ready_made().device_token("sandbox").unwrap().token).unwrap()
    }

    /// One push.
    pub(crate) async fn send(&self, client: &Client) -> Outcome {
        client.send(hello(), self.token()).await
    }

    /// So many pushes at once.
    pub(crate) async fn send_many(&self, client: &Client, count: usize) -> Vec<Outcome> {
        let (hello, token) = (Arc::new(hello()), self.token());
        join_all((0..count).map(|_| client.send(Arc::clone(&hello), token.clone()))).await
    }

    /// What the double has seen.
    pub(crate) fn seen(&self) -> Vec<ReceivedPush> {
        self.mock.team().pushes(&Filter::default())
    }

    /// The providers' connections in the order in which they were opened, those that were closed lately too.
    pub(crate) async fn connections(&self) -> Vec<serde_json::Value> {
        let control = self.mock.control();
        let text = tokio::task::spawn_blocking(move || get(control, "/v1/connections?kind=provider"));
        let connections: serde_json::Value = serde_json::from_str(&text.await.unwrap()).unwrap();
        connections["connections"].as_array().unwrap().clone()
    }

    /// The frames of the first connection, open or not, decoded, line by line.
    pub(crate) async fn frames(&self) -> Vec<String> {
        let id = self.connections().await[0]["id"].as_str().unwrap().to_owned();
        self.frames_of(&id).await
    }

    /// The frames of a connection, open or not.
    pub(crate) async fn frames_of(&self, id: &str) -> Vec<String> {
        let (mut lines, mut page) = (Vec::new(), String::new());
        loop {
            let (control, path) = (self.mock.control(), format!("/v1/connections/{id}/frames{page}"));
            let text = tokio::task::spawn_blocking(move || get(control, &path)).await.unwrap();
            lines.extend(text.lines().map(str::to_owned));
            // The last line says that there are more.
            match lines.last().and_then(|last| last.split_once("more frames: ")) {
                Some((_, after)) => page = format!("?{after}"),
                None => return lines,
            }
            lines.pop();
        }
    }
}

/// Waits until something holds, for as long as anything here may take.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(crate) fn hello() -> Notification {
    alert("Hello")
}

/// A device token where nobody looks at it.
pub(crate) fn some_token() -> DeviceToken {
    DeviceToken::from_hex("00fc13adff785122b4ad28809a342098").unwrap()
}

pub(crate) fn alert(text: &str) -> Notification {
    AlertNotification::new(BundleId::parse("com.example.app").unwrap()).alert(text).build().unwrap()
}

pub(crate) fn accepted(outcomes: &[Outcome]) -> usize {
    outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Accepted(_))).count()
}
