//! The half of an adapter that all libraries share: reads instructions, tells events (docs/adapter-protocol.md). The other half, the
//! call of one library, is a [`Library`]; each program in `src/bin` has one.

mod instruction;
mod outcome;

use std::{
    io::{self, BufRead, Read as _, Write as _},
    process::ExitCode,
    sync::Arc,
    thread,
};

use serde_json::{Value, json};
use tokio::{
    runtime::Runtime,
    sync::{Semaphore, mpsc},
};

use instruction::Instruction;
pub use instruction::{Configure, Credential, Push};
pub use outcome::{Outcome, explain};

/// A library that sends pushes, as its users call it.
pub trait Library: Send + Sync + Sized + 'static {
    /// The name of its crate.
    const NAME: &'static str;
    /// What it can be told beyond sending.
    const CAN: &'static [&'static str];
    /// What has to be so for it to reach the suite's service at all.
    const NEEDS: &'static [&'static str];

    /// A client.
    ///
    /// # Errors
    /// The library makes none of this, and why.
    fn configure(order: &Configure) -> Result<Self, String>;

    /// Sends one push and says what the library told of it.
    fn send(&self, push: &Push) -> impl Future<Output = Outcome> + Send;
}

/// Does what standard input says until it ends.
#[must_use]
pub fn run<L: Library>() -> ExitCode {
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            tell(&failed(&error.to_string()));
            return ExitCode::FAILURE;
        }
    };
    let (sender, lines) = mpsc::channel(LINES_AHEAD);
    // Ends with the input, or with the process: a read of standard input cannot be given up.
    thread::spawn(move || read_lines(&mut io::stdin().lock(), &sender));
    let code = runtime.block_on(serve::<L>(lines));
    runtime.shutdown_background(); // pushes may be under way
    code
}

async fn serve<L: Library>(mut lines: mpsc::Receiver<Vec<u8>>) -> ExitCode {
    let version = version_in_lock_file(L::NAME);
    tell(&json!({"event": "ready", "name": L::NAME, "version": version, "can": L::CAN, "needs": L::NEEDS}));
    let in_hand = Arc::new(Semaphore::new(IN_HAND_MAX));
    let mut client = None;
    while let Some(line) = lines.recv().await {
        match serde_json::from_slice(&line) {
            Ok(Instruction::Configure(order)) => match L::configure(&order) {
                Ok(new) => {
                    client = Some(Arc::new(new)); // pushes under way keep the old one
                    tell(&json!({"event": "configured"}));
                }
                Err(why) => tell(&failed(&why)),
            },
            Ok(Instruction::Send(push)) => match &client {
                Some(client) => send(Arc::clone(client), push, &in_hand).await,
                None => tell(&failed("nothing was configured")),
            },
            Ok(Instruction::Exit) => break,
            Ok(Instruction::Other) => tell(&failed("this adapter can configure, send and exit")),
            Err(error) => {
                tell(&failed(&format!("not an instruction: {error}")));
                return ExitCode::from(NO_INSTRUCTION);
            }
        }
    }
    ExitCode::SUCCESS
}

/// Returns when it is in hand; its result is told when it is known.
async fn send<L: Library>(client: Arc<L>, push: Box<Push>, in_hand: &Arc<Semaphore>) {
    let permit = Arc::clone(in_hand).acquire_owned().await;
    tokio::spawn(async move {
        let outcome = client.send(&push).await;
        let mut event = serde_json::to_value(outcome).unwrap_or_else(|error| failed(&error.to_string()));
        event["event"] = "result".into();
        event["id"] = push.id.into();
        tell(&event);
        drop(permit);
    });
}

fn failed(why: &str) -> Value {
    json!({"event": "failed", "why": why})
}

/// Whoever has closed the other end has read enough.
fn tell(event: &Value) {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{event}").and_then(|()| stdout.flush());
}

fn read_lines(input: &mut impl BufRead, lines: &mpsc::Sender<Vec<u8>>) {
    loop {
        let mut line = Vec::new();
        match input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) if line.trim_ascii().is_empty() => {}
            Ok(_) => {
                if lines.blocking_send(line).is_err() {
                    return;
                }
            }
        }
    }
}

/// The version of a crate that this was built with.
fn version_in_lock_file(name: &str) -> Option<&'static str> {
    let (_, package) = LOCK_FILE.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    package.split_once('"').map(|(version, _)| version)
}

const LOCK_FILE: &str = include_str!("../Cargo.lock");
/// Pushes whose result has not been told; whoever says more waits.
const IN_HAND_MAX: usize = 10_000;
/// Instructions that are read before the one before is done.
const LINES_AHEAD: usize = 16;
/// The longest instruction; the rest of a longer one is none.
const LINE_BYTES_MAX: u64 = 1024 * 1024;
/// The exit code after what is no instruction.
const NO_INSTRUCTION: u8 = 2;
