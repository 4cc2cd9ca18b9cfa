//! Speaks a conformance suite's protocol: takes instructions from standard input, tells results on standard output
//! (docs/adapter-protocol.md).

mod clock;
mod instruction;
mod registry;

use std::{
    io::{self, BufRead, Read as _},
    process::ExitCode,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use apns_provider::{Client, Clock as _};
use apns_provider_core::{ApnsId, ChannelError, ChannelId, DeviceToken, Outcome, Push, UnixTime};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};
use tracing_subscriber::filter::LevelFilter;

use super::{exit, report, runtime};
use clock::SetClock;
use instruction::{ChannelDeed, Configure, Instruction, ToBroadcast, ToChannel, ToSend, storage_of};
use registry::Registry;

/// What this adapter can be told beyond sending.
const CAN: [&str; 17] = [
    "key",
    "certificate",
    "set-clock",
    "rotate",
    "drain",
    "deadline",
    "attempts-max",
    "ambiguous",
    "connections-max",
    "keep-alive",
    "idle-connection",
    "correct-clock",
    "proxy",
    "register",
    "broadcast",
    "channel",
    "first-stream",
];

pub(super) fn run() -> Result<ExitCode, String> {
    keep_a_log();
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

/// What the engine says to its log, as far as is usual, is for whoever looks on.
fn keep_a_log() {
    let log = tracing_subscriber::fmt().with_ansi(false).with_max_level(LevelFilter::INFO);
    let _ = log.with_writer(io::stderr).try_init(); // somebody else may keep one in this process
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
    /// What the client was made of.
    configured: Option<Box<Configure>>,
    clock: SetClock,
    registry: Arc<Mutex<Registry>>,
    /// One permit for each push that may be in hand: a suite that says more waits.
    in_hand: Arc<Semaphore>,
}

impl Default for Adapter {
    fn default() -> Self {
        Self {
            client: None,
            configured: None,
            clock: SetClock::default(),
            registry: Arc::default(),
            in_hand: Arc::new(Semaphore::new(IN_HAND_MAX)),
        }
    }
}

impl Adapter {
    /// Does what it is told. What there is to tell of it at once, if anything.
    async fn obey(&mut self, instruction: Instruction) -> Result<Option<Value>, String> {
        match instruction {
            Instruction::Configure(configure) => {
                self.client = Some(configure.client(self.clock.clone())?);
                self.configured = Some(configure);
                Ok(Some(json!({"event": "configured"})))
            }
            Instruction::Send(send) => self.send(&send).await,
            Instruction::Broadcast(broadcast) => self.broadcast(&broadcast).await,
            Instruction::Channel(channel) => self.channel(*channel),
            Instruction::Register { device_token, at_ms } => {
                let token = DeviceToken::from_hex(&device_token).map_err(|error| error.to_string())?;
                self.registry().register(token, UnixTime::from_millis(at_ms));
                Ok(Some(json!({"event": "registered"})))
            }
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
        let (apns_id, device_token) = (*push.apns_id(), push.device_token().clone());
        let registered_at = self.registry().registered_at(&device_token);
        let (registry, clock) = (Arc::clone(&self.registry), self.clock.clone());
        let permit = Arc::clone(&self.in_hand).acquire_owned().await.map_err(|error| error.to_string())?;
        tokio::spawn(async move {
            let outcome = client.send_push(push).await;
            let verdict = registered_at.and_then(|registered_at| {
                let mut registry = registry.lock().unwrap_or_else(PoisonError::into_inner);
                registry.judge(clock.now(), &outcome, &device_token, registered_at)
            });
            if let Some(verdict) = verdict {
                report::print_of_pushes(verdict);
            }
            report::print_of_pushes(result(id, &outcome, &apns_id));
            drop(permit);
        });
        Ok(None)
    }

    async fn broadcast(&self, broadcast: &ToBroadcast) -> Result<Option<Value>, String> {
        let client = self.client()?.clone();
        let id = broadcast.id.clone();
        let broadcast = match broadcast.broadcast() {
            Ok(broadcast) => broadcast,
            Err(why) => {
                return Ok(Some(json!({"event": "result", "id": id, "outcome": "invalid", "why": why})));
            }
        };
        let outcome = client.broadcast(broadcast).await;
        Ok(Some(result(id, &outcome, &ApnsId::from_random([0; 16]))))
    }

    /// Its end is told when it is known.
    fn channel(&self, deed: ToChannel) -> Result<Option<Value>, String> {
        let configured = self.configured.as_ref().ok_or_else(|| "nothing was configured".to_owned())?;
        let channels = configured.channels(&deed)?;
        let named = |id: &str| ChannelId::parse(id).map_err(|error| error.to_string());
        let named = match &deed.what {
            ChannelDeed::Read { channel_id } | ChannelDeed::Delete { channel_id } => Some(named(channel_id)?),
            ChannelDeed::Create { .. } | ChannelDeed::List => None,
        };
        tokio::spawn(async move {
            let done = match (deed.what, named) {
                (ChannelDeed::Create { stores }, _) => {
                    channels.create(storage_of(stores)).await.map(|it| Some(it.id))
                }
                (ChannelDeed::Read { .. }, Some(id)) => channels.read(id).await.map(|it| Some(it.id)),
                (ChannelDeed::Delete { .. }, Some(id)) => channels.delete(id).await.map(|()| None),
                _ => channels.list().await.map(|ids| ids.into_iter().next()),
            };
            report::print_of_pushes(channel_done(deed.id, done));
        });
        Ok(None)
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn result(id: String, outcome: &Outcome, apns_id: &ApnsId) -> Value {
    let mut event = report::json_line(outcome, apns_id);
    event["event"] = "result".into();
    event["id"] = id.into();
    event
}

fn channel_done(id: String, done: Result<Option<ChannelId>, ChannelError>) -> Value {
    match done {
        Ok(channel) => json!({"event": "channel-done", "id": id, "status": 200, "channel-id": channel}),
        Err(ChannelError::Rejected(rejection)) => {
            json!({"event": "channel-done", "id": id, "status": rejection.status})
        }
        Err(error) => json!({"event": "channel-done", "id": id, "why": error.to_string()}),
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
