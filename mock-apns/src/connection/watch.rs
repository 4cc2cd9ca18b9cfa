//! How long a peer may keep the double waiting.
//!
//! A connection may be idle for days, and an honest provider's often is. What is not honest is to begin something and not to go on:
//! a frame, a request, the reading of an answer. A look at the connection now and then tells.

use std::time::Duration;

use crate::listener::HANDSHAKE_MAX;

/// How long a peer may take for the rest of a frame or a request, and for the next bytes of an answer. A provider that reads and
/// writes at all, over whatever network, does it in a fraction of that.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// From the TLS handshake to the peer's first SETTINGS, without which the connection is of no use.
pub(super) const GREETING_MAX: Duration = HANDSHAKE_MAX;

/// For what a connection was cut off.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Offence {
    Greeting,
    Frame,
    Request,
    Answer,
    Memory,
}

/// A connection at one moment. Times are since it was opened.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Look {
    pub(super) now: Duration,
    /// Whether the peer's first SETTINGS have come.
    pub(super) is_greeted: bool,
    /// When the oldest request began that is not whole.
    pub(super) request_since: Option<Duration>,
    /// Whether a part of a frame has come, or of a field block.
    pub(super) is_within_frame: bool,
    /// Frames that have come until now.
    pub(super) frames: u64,
    /// Whether something waits until the peer reads, or opens a window.
    pub(super) is_unread: bool,
    /// Bytes that the peer's side of the socket has taken until now.
    pub(super) sent: u64,
}

/// What was seen of a connection at the looks before.
#[derive(Debug)]
pub(super) struct Watch {
    patience: Duration,
    /// Since when there is a part of the same frame, and which.
    frame: Option<(Duration, u64)>,
    /// Since when something waits and nothing goes, and how many bytes had gone.
    unread: Option<(Duration, u64)>,
    /// Until when it was not the peer that kept anyone waiting.
    excused: Duration,
}

impl Watch {
    pub(super) const fn new(patience: Duration) -> Self {
        Self { patience, frame: None, unread: None, excused: Duration::ZERO }
    }

    /// How long until the next look, while there is something to look at.
    pub(super) fn every(&self) -> Duration {
        self.patience / 4
    }

    /// It is a fault of the double that nothing goes on, until now.
    pub(super) fn excuse(&mut self, now: Duration) {
        (self.frame, self.unread, self.excused) = (None, None, now);
    }

    /// What the connection is to be cut off for.
    pub(super) fn look(&mut self, look: Look) -> Option<Offence> {
        let Look { now, .. } = look;
        let too_long = |since: Duration| now.saturating_sub(since.max(self.excused)) >= self.patience;
        let stuck = |before: Option<(Duration, u64)>, is_waiting: bool, progress: u64| {
            is_waiting.then(|| before.filter(|(_, at)| *at == progress).unwrap_or((now, progress)))
        };
        self.frame = stuck(self.frame, look.is_within_frame, look.frames);
        self.unread = stuck(self.unread, look.is_unread, look.sent);
        if !look.is_greeted && now.saturating_sub(self.excused) >= GREETING_MAX {
            Some(Offence::Greeting)
        } else if look.request_since.is_some_and(too_long) {
            Some(Offence::Request)
        } else if self.frame.is_some_and(|(since, _)| too_long(since)) {
            Some(Offence::Frame)
        } else if self.unread.is_some_and(|(since, _)| too_long(since)) {
            Some(Offence::Answer)
        } else {
            None
        }
    }
}

impl Look {
    /// Whether there is nothing that could keep the double waiting.
    pub(super) fn is_idle(&self) -> bool {
        self.is_greeted && self.request_since.is_none() && !self.is_within_frame && !self.is_unread
    }
}

impl Offence {
    pub(crate) const ALL: &'static [Self] =
        &[Self::Greeting, Self::Frame, Self::Request, Self::Answer, Self::Memory];

    /// Its name, in metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Greeting => "greeting",
            Self::Frame => "frame",
            Self::Request => "request",
            Self::Answer => "answer",
            Self::Memory => "memory",
        }
    }

    /// What the peer did; the GOAWAY says it.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Greeting => "no HTTP/2 preface and SETTINGS came within ten seconds of the TLS handshake",
            Self::Frame => "the rest of a frame did not come for a minute",
            Self::Request => "a request was not whole a minute after it began",
            Self::Answer => "an answer was not read, or had no window, for a minute",
            Self::Memory => {
                "all connections hold too much, and this one more than its share: unfinished requests, unread answers"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const GOOD: Look = Look {
        now: Duration::ZERO,
        is_greeted: true,
        request_since: None,
        is_within_frame: false,
        frames: 1,
        is_unread: false,
        sent: 0,
    };

    /// Looks once a second; what it says, and when.
    fn first(look_at: impl Fn(u64) -> Look) -> Option<(u64, Offence)> {
        let mut watch = Watch::new(PATIENCE);
        (0..300).find_map(|second| {
            let look = Look { now: SECOND * second as u32, ..look_at(second) };
            watch.look(look).map(|offence| (second, offence))
        })
    }

    #[test]
    fn who_was_held_up_by_a_fault_is_excused() {
        let look_at = |second: u64| Look { request_since: Some(SECOND), now: SECOND * second as u32, ..GOOD };
        let mut watch = Watch::new(PATIENCE);
        watch.excuse(SECOND * 100);
        assert_eq!((100..160).find_map(|second| watch.look(look_at(second))), None);
        assert_eq!(watch.look(look_at(160)), Some(Offence::Request));
    }

    #[test]
    fn the_document_has_every_cause() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/limits.md");
        let document = std::fs::read_to_string(path).unwrap();
        let row = |it: &Offence| format!("| `{}` | {} |\n", it.as_str(), it.words());
        let rows: String = Offence::ALL.iter().map(row).collect();
        assert!(document.contains(&rows), "docs/limits.md lacks these rows:\n{rows}");
    }

    #[test]
    fn a_connection_may_be_idle_for_ever_once_it_has_greeted() {
        assert_eq!(first(|_| GOOD), None);
        assert!(GOOD.is_idle());
        assert_eq!(first(|_| Look { is_greeted: false, ..GOOD }), Some((10, Offence::Greeting)));
    }

    #[test]
    fn what_begins_has_a_minute_to_end() {
        let request = |_| Look { request_since: Some(5 * SECOND), ..GOOD };
        assert_eq!(first(request), Some((65, Offence::Request)));
        let frame = |second: u64| Look { is_within_frame: second >= 7, ..GOOD };
        assert_eq!(first(frame), Some((67, Offence::Frame)));
        let unread = |second: u64| Look { is_unread: second >= 7, ..GOOD };
        assert_eq!(first(unread), Some((67, Offence::Answer)));
    }

    #[test]
    fn progress_is_no_offence_and_standing_still_after_it_is() {
        assert_eq!(first(|second| Look { is_within_frame: true, frames: second, ..GOOD }), None);
        assert_eq!(first(|second| Look { is_unread: true, sent: second / 50, ..GOOD }), None);
        let stops = |second: u64| Look { is_unread: true, sent: second.min(100), ..GOOD };
        assert_eq!(first(stops), Some((160, Offence::Answer)));
        let pauses = |second: u64| Look { is_unread: !second.is_multiple_of(40), ..GOOD };
        assert_eq!(first(pauses), None);
    }
}
