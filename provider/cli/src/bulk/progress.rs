//! How far it is: a bar on a terminal, a line every few seconds elsewhere. Both go to standard error.

use std::{
    io::{IsTerminal as _, stderr},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::Instant;

use crate::{dates::span, report, tally::Tally};

/// What tells how far a run is.
#[derive(Debug)]
pub(super) struct Progress {
    pace: Pace,
    began: Instant,
    last_line: Instant,
    bar: Option<ProgressBar>,
}

/// How fast it goes, and how long it will take. Pure.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Pace {
    /// Pushes that have their outcome.
    pushes: u64,
    /// Bytes of the file that they stood in, of so many.
    bytes: u64,
    bytes_total: Option<u64>,
}

impl Progress {
    /// `bytes_total` is the file's size, if it has one.
    pub(super) fn new(bytes_total: Option<u64>) -> Self {
        let now = Instant::now();
        let bar = stderr().is_terminal().then(|| {
            let bar = bytes_total.map_or_else(ProgressBar::no_length, ProgressBar::new);
            let template =
                if bytes_total.is_some() { "{bar:30} {percent:>3} %  {msg}" } else { "{spinner} {msg}" };
            match ProgressStyle::with_template(template) {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        });
        Self { pace: Pace { bytes_total, ..Pace::default() }, began: now, last_line: now, bar }
    }

    /// A push has its outcome; its line ends there in the file.
    pub(super) fn advance(&mut self, bytes: u64) {
        self.pace.pushes += 1;
        self.pace.bytes = self.pace.bytes.max(bytes);
    }

    /// Shows it, if it is time.
    pub(super) fn tick(&mut self, tally: &Tally) {
        let message = || format!("{}  {}", self.pace.told(self.began.elapsed()), tally.told());
        if let Some(bar) = &self.bar {
            bar.set_position(self.pace.bytes);
            bar.set_message(message());
        } else if self.last_line.elapsed() >= LINE_EVERY {
            report::note(&message());
            self.last_line = Instant::now();
        }
    }

    /// Takes the bar away: the summary follows.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Pace {
    fn told(&self, elapsed: Duration) -> String {
        let rate = rate(self.pushes, elapsed);
        match self.left(elapsed) {
            Some(left) => format!("{} pushes, {rate}/s, {} to go", self.pushes, span(left)),
            None => format!("{} pushes, {rate}/s", self.pushes),
        }
    }

    /// By bytes of the file: how many lines it has is not known.
    fn left(&self, elapsed: Duration) -> Option<Duration> {
        let (done, left) = (self.bytes.max(1), self.bytes_total?.saturating_sub(self.bytes));
        let nanos = elapsed.as_nanos() * u128::from(left) / u128::from(done);
        (self.bytes > 0).then(|| Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }
}

/// So many a second.
pub(crate) fn rate(count: u64, elapsed: Duration) -> u64 {
    let per_second = u128::from(count) * Duration::from_secs(1).as_nanos() / elapsed.as_nanos().max(1);
    u64::try_from(per_second).unwrap_or(u64::MAX)
}

/// Between two looks at the bar.
pub(super) const TICK: Duration = Duration::from_millis(200);
/// Between two lines, where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_of_pushes_and_the_rest_of_bytes() {
        let pace = Pace { pushes: 5_000, bytes: 250, bytes_total: Some(1_000) };
        assert_eq!(pace.told(Duration::from_secs(10)), "5000 pushes, 500/s, 30 s to go");
        let endless = Pace { bytes_total: None, ..pace };
        assert_eq!(endless.told(Duration::from_secs(10)), "5000 pushes, 500/s");
        assert_eq!(Pace { bytes_total: Some(0), ..Pace::default() }.left(Duration::ZERO), None);
    }
}
