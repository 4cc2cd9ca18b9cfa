//! An adapter as a process: instructions in, events out, and an end whatever it does.

mod command;
mod trouble;

use std::{
    process::Stdio,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use nix::{sys::signal::Signal, unistd::Pid};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin},
    sync::mpsc,
    time::timeout,
};

use super::{
    protocol::{Event, Instruction, Ready},
    recorder::Recorder,
};

pub(crate) use command::{AdapterCommand, FakeClock, Surroundings, can_have_hosts};
pub(crate) use trouble::Trouble;

/// An adapter that runs.
#[derive(Debug)]
pub(crate) struct Adapter {
    child: Child,
    group: Pid,
    ready: Ready,
    instructions: mpsc::Sender<String>,
    state: Arc<State>,
    patience: Duration,
}

/// What its tasks have found out.
#[derive(Debug, Default)]
struct State {
    trouble: Mutex<Option<Trouble>>,
    /// Its standard output has ended.
    is_over: AtomicBool,
}

impl Adapter {
    /// Starts it, and waits until it has said who it is.
    ///
    /// # Errors
    /// It cannot be started, says something else, or nothing in time.
    pub(crate) async fn start(
        command: &AdapterCommand,
        surroundings: &Surroundings,
        recorder: &Arc<Recorder>,
    ) -> Result<Self, Trouble> {
        let mut child = command
            .with(surroundings)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .process_group(0) // so that all that it starts can be ended with it
            .spawn()
            .map_err(|error| Trouble::Start(error.to_string()))?;
        let group = Pid::from_raw(child.id().and_then(|id| i32::try_from(id).ok()).unwrap_or_default());
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = (stdin, stdout, stderr) else {
            return Err(Trouble::Start("it has no pipes".to_owned()));
        };
        let state = Arc::new(State::default());
        let (instructions, queue) = mpsc::channel(INSTRUCTIONS_AHEAD);
        let patience = command.patience;
        tokio::spawn(write(stdin, queue, Arc::clone(&state), Arc::clone(recorder), patience));
        tokio::spawn(collect(stderr, Arc::clone(recorder)));
        let (first, greeting) = mpsc::channel(1);
        tokio::spawn(read(stdout, Arc::clone(&state), Arc::clone(recorder), first));
        let mut adapter = Self { child, group, ready: Ready::default(), instructions, state, patience };
        adapter.ready = adapter.greeting(greeting).await?;
        Ok(adapter)
    }

    async fn greeting(&self, mut greeting: mpsc::Receiver<Event>) -> Result<Ready, Trouble> {
        match timeout(self.patience, greeting.recv()).await {
            Ok(Some(Event::Ready(ready))) => Ok(ready),
            Ok(Some(other)) => Err(Trouble::Greeting(format!("{other:?}"))),
            Ok(None) => Err(self.trouble().unwrap_or(Trouble::Ended)),
            Err(_) => Err(Trouble::Silent { awaited: "`ready`".to_owned(), within: self.patience }),
        }
    }

    /// Who it is.
    pub(crate) fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Tells it something, as soon as it reads.
    ///
    /// # Errors
    /// It has ended, or does not read.
    pub(crate) async fn tell(&self, instruction: &Instruction) -> Result<(), Trouble> {
        if let Some(trouble) = self.trouble() {
            return Err(trouble);
        }
        let line = serde_json::to_string(instruction).map_err(|error| Trouble::Start(error.to_string()))?;
        match timeout(self.patience, self.instructions.send(line)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(self.trouble().unwrap_or(Trouble::Ended)),
            Err(_) => Err(Trouble::ReadsNothing { within: self.patience }),
        }
    }

    /// The most memory that it has ever taken, in bytes. `None`: this system does not say.
    pub(crate) fn memory_max(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(kilobytes * 1024)
    }

    /// What is wrong with it, if anything is.
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        let known = self.state.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
        known.or_else(|| self.state.is_over.load(Ordering::Acquire).then_some(Trouble::Ended))
    }

    /// Asks it to end, and ends it if it does not.
    ///
    /// # Errors
    /// It did not end in time by itself, or not with exit code 0.
    pub(crate) async fn stop(mut self) -> Result<(), Trouble> {
        let asked = self.tell(&Instruction::Exit {}).await;
        let Ok(Ok(status)) = timeout(self.patience, self.child.wait()).await else {
            self.kill().await;
            return Err(Trouble::Stays { within: self.patience });
        };
        if status.success() { asked } else { Err(Trouble::Status(status.to_string())) }
    }

    /// Ends it, and all that it has started, at once.
    pub(crate) async fn kill(&mut self) {
        if self.group.as_raw() > 1 {
            let _ = nix::sys::signal::killpg(self.group, Signal::SIGKILL); // it may be gone
        }
        let _ = timeout(self.patience, self.child.wait()).await; // nothing outlives SIGKILL for long
    }
}

impl Drop for Adapter {
    fn drop(&mut self) {
        // Nothing to do once it was waited for: its id may be another's then.
        if self.child.id().is_some() && self.group.as_raw() > 1 {
            let _ = nix::sys::signal::killpg(self.group, Signal::SIGKILL);
        }
    }
}

impl State {
    fn is_wrong(&self, trouble: Trouble) {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(trouble);
    }
}

/// Writes instructions until there are none any more or nobody reads.
async fn write(
    mut stdin: ChildStdin,
    mut queue: mpsc::Receiver<String>,
    state: Arc<State>,
    recorder: Arc<Recorder>,
    patience: Duration,
) {
    let mut lines = Vec::new();
    while queue.recv_many(&mut lines, INSTRUCTIONS_AHEAD).await > 0 {
        let mut text = lines.join("\n");
        text.push('\n');
        lines.clear();
        match timeout(patience, stdin.write_all(text.as_bytes())).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return, // how it ended is found out where its output ends
            Err(_) => {
                state.is_wrong(Trouble::ReadsNothing { within: patience });
                return recorder.nudge();
            }
        }
    }
}

/// Reads events until the end, the first apart.
async fn read(
    stdout: impl AsyncRead + Unpin,
    state: Arc<State>,
    recorder: Arc<Recorder>,
    first: mpsc::Sender<Event>,
) {
    let mut first = Some(first);
    let mut stdout = BufReader::new(stdout);
    let (mut line, mut lines) = (Vec::new(), 0_u64);
    loop {
        line.clear();
        let read = (&mut stdout).take(LINE_BYTES_MAX).read_until(b'\n', &mut line).await;
        if !matches!(read, Ok(1..)) {
            break;
        }
        lines += 1;
        if line.trim_ascii().is_empty() && lines <= LINES_MAX {
            continue;
        }
        match serde_json::from_slice::<Event>(&line) {
            Ok(event) if lines <= LINES_MAX => match first.take() {
                Some(first) => drop(first.try_send(event)), // there is room for one
                None => recorder.reported(event),
            },
            parsed => {
                let begin = String::from_utf8_lossy(&line[..line.len().min(SHOWN_BYTES)]).trim().to_owned();
                let why =
                    parsed.err().map_or(format!("more than {LINES_MAX} lines"), |error| error.to_string());
                state.is_wrong(Trouble::Rubbish { line: begin, why });
                break;
            }
        }
    }
    state.is_over.store(true, Ordering::Release);
    recorder.nudge();
}

async fn collect(mut stderr: impl AsyncRead + Unpin, recorder: Arc<Recorder>) {
    let mut buffer = vec![0; STDERR_BUFFER_BYTES];
    while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
        recorder.wrote(&String::from_utf8_lossy(&buffer[..read]));
    }
}

/// Instructions that wait to be written.
const INSTRUCTIONS_AHEAD: usize = 256;
/// The longest line of an adapter.
const LINE_BYTES_MAX: u64 = 1024 * 1024;
/// Lines of an adapter in one play: several for each push of the largest.
const LINES_MAX: u64 = 2_000_000;
/// What is shown of a line that is no event.
const SHOWN_BYTES: usize = 200;
/// What is read of standard error at once.
const STDERR_BUFFER_BYTES: usize = 8192;
