//! Speaks a conformance suite's protocol: takes instructions from standard input, tells results on standard output
//! (docs/adapter-protocol.md).

mod clock;
mod instruction;

use std::{
    io::{self, BufRead, Read as _},
    process::ExitCode,
    sync::Arc,
    thread,
    time::Duration,
};

use apns_provider::Client;
use apns_provider_core::{Push, UnixTime};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};

use super::{exit, report, runtime};
use clock::SetClock;
use instruction::{Instruction, ToSend};

/// What this adapter can be told beyond sending.
const CAN: [&str; 9] = [
    "set-clock",
    "rotate",
    "drain",
    "deadline",
    "attempts-max",
    "ambiguous",
    "connections-max",
    "keep-alive",
    "correct-clock",
];

pub(super) fn run() -> Result<ExitCode, String> {
    let (sender, lines) = mpsc::channel(LINES_AHEAD);
    // Ends with the input, or with the process: a read of standard input cannot be given up.
    thread::spawn(move || {
        let mut input = io::stdin().lock();
        while let Some(line) = next_line(&mut input).transpose() {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    runtime::for_many(serve(lines))?
}

/// Until the input ends, or says so.
async fn serve(mut lines: mpsc::Receiver<Result<String, String>>) -> Result<ExitCode, String> {
    let version = env!("CARGO_PKG_VERSION");
    report::print(json!({"event": "ready", "name": "apns-provider", "version": version, "can": CAN}))?;
    let mut adapter = Adapter::default();
    while let Some(line) = lines.recv().await {
        let instruction = match serde_json::from_str(&line?) {
            Ok(Instruction::Exit {}) => break,
            Ok(instruction) => instruction,
            // The suite is wrong, and whatever it says next would be misunderstood.
            Err(error) => {
                report::print(json!({"event": "failed", "why": format!("not an instruction: {error}")}))?;
                return Ok(ExitCode::from(exit::MISCONFIGURED));
            }
        };
        report::print(match adapter.obey(instruction).await {
            Ok(Some(event)) => event,
            Ok(None) => continue,
            Err(why) => json!({"event": "failed", "why": why}),
        })?;
    }
    Ok(ExitCode::SUCCESS)
}

struct Adapter {
    client: Option<Client>,
    clock: SetClock,
    /// One permit for each push that may be in hand: a suite that says more waits.
    in_hand: Arc<Semaphore>,
}

impl Default for Adapter {
    fn default() -> Self {
        Self { client: None, clock: SetClock::default(), in_hand: Arc::new(Semaphore::new(IN_HAND_MAX)) }
    }
}

impl Adapter {
    /// Does what it is told. What there is to tell of it at once, if anything.
    async fn obey(&mut self, instruction: Instruction) -> Result<Option<Value>, String> {
        match instruction {
            Instruction::Configure(configure) => {
                self.client = Some(configure.client(self.clock.clone())?);
                Ok(Some(json!({"event": "configured"})))
            }
            Instruction::Send(send) => self.send(&send).await,
            Instruction::SetClock { now } => {
                self.clock.set(UnixTime::from_secs(now));
                Ok(Some(json!({"event": "clock-set"})))
            }
            Instruction::Rotate { credential } => {
                let credential = credential.credential()?;
                self.client()?.rotate(&credential).map_err(|error| error.to_string())?;
                Ok(Some(json!({"event": "rotated"})))
            }
            Instruction::Drain { within_ms } => {
                let all = self.client()?.drain(Duration::from_millis(within_ms)).await;
                Ok(Some(json!({"event": "drained", "all": all})))
            }
            Instruction::Exit {} => Ok(None),
        }
    }

    fn client(&self) -> Result<&Client, String> {
        self.client.as_ref().ok_or_else(|| "nothing was configured".to_owned())
    }

    /// Its result is told when it is known.
    async fn send(&self, send: &ToSend) -> Result<Option<Value>, String> {
        let client = self.client()?.clone();
        let id = send.id.clone();
        let push: Push = match send.push() {
            Ok(push) => push,
            Err(why) => {
                return Ok(Some(json!({"event": "result", "id": id, "outcome": "invalid", "why": why})));
            }
        };
        let apns_id = *push.apns_id();
        let permit = Arc::clone(&self.in_hand).acquire_owned().await.map_err(|error| error.to_string())?;
        tokio::spawn(async move {
            let outcome = client.send_push(push).await;
            let mut event = report::json_line(&outcome, &apns_id);
            event["event"] = "result".into();
            event["id"] = id.into();
            report::print_of_pushes(event);
            drop(permit);
        });
        Ok(None)
    }
}

/// The next line that is not empty, and nothing when there is none.
fn next_line(input: &mut impl BufRead) -> Result<Option<String>, String> {
    loop {
        let mut line = String::new();
        let read = input.by_ref().take(LINE_BYTES_MAX).read_line(&mut line);
        let read = read.map_err(|error| format!("standard input: {error}"))? as u64;
        if read == LINE_BYTES_MAX && !line.ends_with('\n') {
            return Err(format!("a line of standard input has more than {LINE_BYTES_MAX} bytes"));
        }
        if read == 0 {
            return Ok(None);
        }
        if !line.trim().is_empty() {
            return Ok(Some(line));
        }
    }
}

/// Pushes whose result has not been told.
const IN_HAND_MAX: usize = 10_000;
/// Instructions that are read before the one before is done.
const LINES_AHEAD: usize = 16;
/// The longest instruction: a payload that is too large on purpose, or a certificate, escaped.
const LINE_BYTES_MAX: u64 = 1024 * 1024;
