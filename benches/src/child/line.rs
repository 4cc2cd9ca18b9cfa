use std::{io::Write as _, net::SocketAddr};

use serde::{Deserialize, Serialize};

/// What the parent writes to a child, one word a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Command {
    /// The measured part begins. A client sends its pushes; a server notes what it has used so far.
    Begin,
    /// The measured part is over; a server reports.
    End,
}

impl Command {
    const ALL: [Self; 2] = [Self::Begin, Self::End];

    /// The word on the line.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::End => "end",
        }
    }

    /// The command of a line, if it is one.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|command| command.word() == line)
    }
}

/// What a child writes, one JSON object a line.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    /// It can begin: a server listens there, a client has connected and warmed up.
    Ready {
        /// Where a server listens; a client repeats where it connected.
        address: SocketAddr,
    },
    /// A server noted where its measured part begins.
    Begun,
    /// A server's report.
    Served(Served),
    /// A client's report.
    Sent(Sent),
    /// It cannot go on.
    Failed {
        /// What went wrong.
        why: String,
    },
}

/// What the measured part cost a server.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Served {
    /// User and system time of the process, microseconds.
    pub(crate) cpu_us: u64,
}

/// What the measured part cost a client, and what came of it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Sent {
    /// Pushes answered with 200; any other answer is a failure.
    pub(crate) pushes: u64,
    /// From the first push to the last answer, microseconds.
    pub(crate) wall_us: u64,
    /// User and system time of the process, microseconds.
    pub(crate) cpu_us: u64,
    /// From a push to its answer, microseconds: half of the pushes took no longer.
    pub(crate) p50_us: u32,
    /// The same for 99 of 100 pushes.
    pub(crate) p99_us: u32,
}

impl Line {
    /// Writes the line to standard output. A parent that no longer reads is gone, and this process is about to end as well.
    pub(crate) fn print(&self) {
        let json = serde_json::to_string(self).expect("a line has string keys and finite numbers only");
        let mut stdout = std::io::stdout().lock();
        let _ = writeln!(stdout, "{json}").and_then(|()| stdout.flush());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_back_as_it_was_written() {
        let line = Line::Sent(Sent { pushes: 5, wall_us: 4, cpu_us: 3, p50_us: 1, p99_us: 2 });
        let json = serde_json::to_string(&line).unwrap();
        assert_eq!(json, r#"{"sent":{"pushes":5,"wall_us":4,"cpu_us":3,"p50_us":1,"p99_us":2}}"#);
        assert_eq!(serde_json::from_str::<Line>(&json).unwrap(), line);
    }

    #[test]
    fn commands_are_their_words_and_nothing_else() {
        for command in Command::ALL {
            assert_eq!(Command::parse(command.word()), Some(command));
        }
        assert_eq!(Command::parse("Begin"), None);
    }
}
