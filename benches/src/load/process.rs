use std::{
    ffi::OsStr,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, Command as Process, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use super::LoadError;
use crate::child::{Command, Line};

/// A child process that talks in lines. Killed, if it still runs, when this is dropped.
#[derive(Debug)]
pub(crate) struct ChildProcess {
    role: String,
    child: Child,
    commands: ChildStdin,
    lines: Receiver<String>,
}

impl ChildProcess {
    /// Starts `program` with `arguments` and, in its environment, `environment`. `role` names it in errors.
    pub(crate) fn start(
        role: &str,
        program: &Path,
        arguments: &[&OsStr],
        environment: &[(&str, &OsStr)],
    ) -> Result<Self, LoadError> {
        let failed = |why: String| LoadError::NotStarted { role: role.to_owned(), why };
        let mut child = Process::new(program)
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        let (Some(commands), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed("it has no standard input and output".to_owned()));
        };
        let (sender, lines) = channel();
        // Ends with the child's output; a pipe cannot be read with a time limit otherwise.
        thread::spawn(move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            lines.for_each(|line| drop(sender.send(line)));
        });
        Ok(Self { role: role.to_owned(), child, commands, lines })
    }

    /// The process ID.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Tells the child something.
    pub(crate) fn say(&mut self, command: Command) {
        // A child that has ended says so when its answer is waited for.
        let _ = writeln!(self.commands, "{}", command.word());
    }

    /// Waits for a line of the child's that `take` takes; anything else is an error, and so is silence. `expected` says what the
    /// child is to be by then.
    pub(crate) fn expect<T>(
        &self,
        expected: &'static str,
        limit: Duration,
        take: impl FnOnce(Line) -> Result<T, Line>,
    ) -> Result<T, LoadError> {
        let text = self.text(expected, limit)?;
        let unexpected = |instead| LoadError::Unexpected { role: self.role.clone(), expected, instead };
        let line = serde_json::from_str(&text).map_err(|_| unexpected(format!("wrote {text:?}")))?;
        take(line).map_err(|line| match line {
            Line::Failed { why } => LoadError::Failed { role: self.role.clone(), why },
            other => unexpected(format!("wrote {other:?}")),
        })
    }

    /// Waits for a line of the child's, whatever it is.
    pub(crate) fn text(&self, expected: &'static str, limit: Duration) -> Result<String, LoadError> {
        let role = self.role.clone();
        self.lines.recv_timeout(limit).map_err(|error| match error {
            RecvTimeoutError::Timeout => LoadError::Hung { role, expected, seconds: limit.as_secs() },
            RecvTimeoutError::Disconnected => {
                LoadError::Unexpected { role, expected, instead: "ended".to_owned() }
            }
        })
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        // It owns nothing that wants to be put in order, and one that hangs ends in no other way.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Waits for a report of `program`, which is no child of ours.
    fn wait_for(program: &str, argument: &str, limit: Duration) -> LoadError {
        let arguments: &[&OsStr] = if argument.is_empty() { &[] } else { &[argument.as_ref()] };
        let child = ChildProcess::start("it", Path::new(program), arguments, &[]).unwrap();
        child.expect("ready", limit, Err::<(), Line>).unwrap_err()
    }

    #[test]
    fn a_child_that_says_nothing_is_not_waited_for_longer_than_the_limit() {
        let hung = LoadError::Hung { role: "it".to_owned(), expected: "ready", seconds: 0 };
        assert_eq!(wait_for("cat", "", Duration::from_millis(5)), hung);
    }

    #[test]
    fn a_child_that_ends_and_one_that_gives_up_are_told_apart() {
        let patience = Duration::from_mins(1);
        let (role, expected) = ("it".to_owned(), "ready");
        let ended = LoadError::Unexpected { role: role.clone(), expected, instead: "ended".to_owned() };
        assert_eq!(wait_for("true", "", patience), ended);
        let failed = LoadError::Failed { role, why: "no keys".to_owned() };
        assert_eq!(wait_for("echo", r#"{"failed":{"why":"no keys"}}"#, patience), failed);
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let started = ChildProcess::start("it", Path::new("/no/such/program"), &[], &[]);
        assert!(matches!(started, Err(LoadError::NotStarted { role, .. }) if role == "it"));
    }
}
