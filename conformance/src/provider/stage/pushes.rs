//! What an adapter is told to send.

use std::ops::Range;

use mock_apns::{DeviceId, Environment, MockTeam, Named as _, TokenKind};
use serde_json::json;

use super::{Stage, broken};
use crate::provider::{
    evidence::{Sent, word},
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

    /// A push that goes well, to one of the [`device_tokens`](Self::device_tokens).
    pub(crate) fn push_to(&self, device_token: &str) -> Push {
        Push { device_token: device_token.to_owned(), ..self.push() }
    }

    /// A push whose payload has so many bytes.
    pub(crate) fn push_of(&self, bytes: usize) -> Push {
        let empty = r#"{"aps":{"alert":""}}"#;
        let text = "x".repeat(bytes.saturating_sub(empty.len()));
        Push { payload: format!(r#"{{"aps":{{"alert":"{text}"}}}}"#), ..self.push() }
    }

    /// A push that can be told from all others on the wire, if it is the next one that is sent: by its `apns-id`, and by a word in its
    /// payload, which has so many bytes at least.
    pub(crate) fn numbered(&self, bytes: usize) -> Push {
        let word = word(self.next_id);
        let around = r#"{"aps":{"alert":""}}"#.len() + word.len();
        let more = "x".repeat(bytes.saturating_sub(around));
        Push {
            payload: format!(r#"{{"aps":{{"alert":"{word}{more}"}}}}"#),
            apns_id: Some(format!("3c0ffee0-0000-4000-8000-{:012x}", self.next_id)),
            ..self.push()
        }
    }

    /// Has so many pushes sent that can be told apart. Returns their ids.
    ///
    /// # Errors
    /// The adapter has ended, or does not read.
    pub(crate) async fn send_numbered(&mut self, count: usize) -> Result<Range<u64>, Stop> {
        let first = self.next_id;
        for _ in 0..count {
            self.send(self.numbered(0)).await?;
        }
        Ok(first..self.next_id)
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

    /// From now on, or so many times, pushes to this device token are answered otherwise: an `answer` of docs/faults.md.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn answer_to(
        &mut self,
        device_token: &str,
        times: Option<u32>,
        answer: &serde_json::Value,
    ) -> Result<(), Stop> {
        let name = format!("answer-{}", self.faults.len());
        let matching = json!({"token": device_token});
        let mut fault = json!({"name": name, "match": matching, "action": {"answer": answer}});
        if let Some(times) = times {
            fault["times"] = times.into();
        }
        self.fault(&fault.to_string())
    }

    /// Device tokens of the app, of so many devices.
    ///
    /// # Errors
    /// The double makes none.
    pub(crate) fn device_tokens(&self, count: usize) -> Result<Vec<String>, Stop> {
        device_tokens_of(&self.team(), Environment::Sandbox, count)
    }
}

/// Device tokens of the app that a team began with, of so many devices.
///
/// # Errors
/// The double makes none.
pub(crate) fn device_tokens_of(
    team: &MockTeam,
    environment: Environment,
    count: usize,
) -> Result<Vec<String>, Stop> {
    let app = team.app().clone();
    team.at_work(|team| {
        let tokens = (0..count).map(|number| {
            let device =
                DeviceId::parse(&format!("{}-device-{number}", environment.name())).map_err(broken)?;
            team.add_device(device.clone()).map_err(broken)?;
            team.install(&device, &app, environment).map_err(broken)?;
            let token = team.register(&device, &app, environment, TokenKind::App);
            Ok(token.map_err(broken)?.to_string())
        });
        tokens.collect()
    })
}
