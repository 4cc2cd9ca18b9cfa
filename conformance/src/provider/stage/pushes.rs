//! What an adapter is told to send.

use std::ops::Range;

use mock_apns::{DeviceId, Environment, TokenKind};

use super::{Stage, broken};
use crate::provider::{
    evidence::Sent,
    item::Stop,
    protocol::{Instruction, Push},
};

impl Stage {
    /// A push that goes well: an alert to the ready-made device.
    pub(crate) fn push(&self) -> Push {
        let ready_made = self.mock.ready_made();
        let device_token = ready_made.device_token("sandbox").map(|token| token.token.clone());
        Push {
            device_token: device_token.unwrap_or_default(),
            topic: ready_made.bundle_id.to_owned(),
            push_type: "alert",
            payload: r#"{"aps":{"alert":"Hello"}}"#.to_owned(),
            ..Push::default()
        }
    }

    /// A push whose payload has so many bytes.
    pub(crate) fn push_of(&self, bytes: usize) -> Push {
        let empty = r#"{"aps":{"alert":""}}"#;
        let text = "x".repeat(bytes.saturating_sub(empty.len()));
        Push { payload: format!(r#"{{"aps":{{"alert":"{text}"}}}}"#), ..self.push() }
    }

    /// Has a push sent, and does not wait for what becomes of it. Its id is the stage's to give; it is returned.
    ///
    /// # Errors
    /// The adapter has ended, or does not read.
    pub(crate) async fn send(&mut self, push: Push) -> Result<u64, Stop> {
        let id = self.next_id;
        self.next_id += 1;
        let sent = Sent {
            at: self.recorder.now(),
            device_token: push.device_token.clone(),
            payload: push.payload.clone(),
            apns_id: push.apns_id.clone(),
        };
        self.recorder.told(id, sent);
        self.tell(&Instruction::Send(Push { id: id.to_string(), ..push })).await?;
        Ok(id)
    }

    /// Has so many equal pushes sent. Returns their ids.
    ///
    /// # Errors
    /// The adapter has ended, or does not read.
    pub(crate) async fn send_many(&mut self, count: usize, push: &Push) -> Result<Range<u64>, Stop> {
        let first = self.next_id;
        for _ in 0..count {
            self.send(push.clone()).await?;
        }
        Ok(first..self.next_id)
    }

    /// Device tokens of the app, of so many devices.
    ///
    /// # Errors
    /// The double makes none.
    pub(crate) fn device_tokens(&self, count: usize) -> Result<Vec<String>, Stop> {
        let team = self.team();
        let app = team.app().clone();
        team.at_work(|team| {
            let tokens = (0..count).map(|number| {
                let device = DeviceId::parse(&format!("device-{number}")).map_err(broken)?;
                team.add_device(device.clone()).map_err(broken)?;
                team.install(&device, &app, Environment::Sandbox).map_err(broken)?;
                let token = team.register(&device, &app, Environment::Sandbox, TokenKind::App);
                Ok(token.map_err(broken)?.to_string())
            });
            tokens.collect()
        })
    }
}
