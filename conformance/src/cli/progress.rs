use std::io::{IsTerminal as _, Write as _, stderr};

use crate::Outcome;

/// How far it is, in one line that is written anew: on a terminal alone.
pub(super) struct Progress {
    is_shown: bool,
    cases: usize,
    done: usize,
    failed: usize,
}

impl Progress {
    pub(super) fn new(cases: usize) -> Self {
        Self { is_shown: stderr().is_terminal(), cases, done: 0, failed: 0 }
    }

    pub(super) fn tell(&mut self, outcome: &Outcome) {
        self.done += 1;
        self.failed += usize::from(outcome.verdict.is_bad());
        if self.is_shown {
            let Self { cases, done, failed, .. } = self;
            let _ = write!(stderr(), "\r\x1b[K{done}/{cases}, {failed} failed: {}", outcome.about.id); // only a show
        }
    }

    pub(super) fn end(&self) {
        if self.is_shown {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}
