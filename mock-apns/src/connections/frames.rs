//! The frames of a connection that are kept, to be looked at when something went wrong.

use std::{collections::VecDeque, time::Duration};

use apns_http2::trace::Seen;

/// Frames of one connection that are kept, as many as one page of the control API has at most. The oldest
/// make room.
pub(crate) const FRAMES_KEPT_MAX: usize = 1000;
/// Bytes that the kept frames of one connection take. A push with its answer takes about two thousand.
pub(crate) const FRAME_BYTES_KEPT_MAX: usize = 256 * 1024;
/// Bytes that the kept frames of all connections take. The connections that were closed first make room, then
/// the one that has more to keep.
pub(crate) const FRAME_BYTES_OF_ALL_KEPT_MAX: usize = 64 * 1024 * 1024;

/// Something that was seen of a connection's bytes.
#[derive(Clone, Debug)]
pub(crate) struct LoggedFrame {
    /// Since the connection's handshake.
    pub(crate) elapsed: Duration,
    pub(crate) direction: Direction,
    pub(crate) seen: Seen,
}

/// Which way a frame went.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Direction {
    /// From the provider.
    Received,
    /// To the provider.
    Sent,
}

/// The latest frames of one connection, each under a number that counts from 0.
#[derive(Debug, Default)]
pub(crate) struct FrameLog {
    kept: VecDeque<LoggedFrame>,
    bytes: usize,
    /// The number of the oldest that is kept; as many have made room.
    oldest: u64,
}

impl FrameLog {
    pub(crate) fn push(&mut self, frame: LoggedFrame) {
        self.bytes += frame.bytes();
        self.kept.push_back(frame);
        while self.kept.len() > FRAMES_KEPT_MAX || self.bytes > FRAME_BYTES_KEPT_MAX {
            self.drop_oldest();
        }
    }

    /// Lets go of the oldest. `false`: there is none.
    pub(crate) fn drop_oldest(&mut self) -> bool {
        let Some(frame) = self.kept.pop_front() else { return false };
        self.bytes -= frame.bytes();
        self.oldest += 1;
        true
    }

    /// The number of the oldest that is kept, and of the next that will be.
    pub(crate) fn range(&self) -> (u64, u64) {
        (self.oldest, self.oldest + self.kept.len() as u64)
    }

    /// Those that are kept from this number on.
    pub(crate) fn from(&self, number: u64) -> impl Iterator<Item = (u64, &LoggedFrame)> {
        let skipped = usize::try_from(number.saturating_sub(self.oldest)).unwrap_or(usize::MAX);
        (self.oldest..).zip(&self.kept).skip(skipped)
    }

    /// Bytes of memory that those kept take, about.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl LoggedFrame {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.seen.bytes()
    }

    /// The lines of `nghttp -v`: when and which way, then what is in it.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = self.seen.lines();
        if let Some(first) = lines.first_mut() {
            let way = match self.direction {
                Direction::Received => "recv",
                Direction::Sent => "send",
            };
            *first = format!("[{:>7.3}] {way} {first}", self.elapsed.as_secs_f64());
        }
        lines
    }

    /// The same as text, as `nghttp -v` has it.
    pub(crate) fn text(&self) -> String {
        self.lines().join(INDENT)
    }
}

/// Before what is said of a frame: a line break, and blanks as wide as the time.
const INDENT: &str = "\n          ";

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(bytes: usize) -> LoggedFrame {
        let seen = Seen::NotPreface(vec![b'x'; bytes]);
        LoggedFrame { elapsed: Duration::from_micros(1_012_345), direction: Direction::Sent, seen }
    }

    #[test]
    fn the_oldest_make_room_and_numbers_stay() {
        let mut log = FrameLog::default();
        for _ in 0..FRAMES_KEPT_MAX + 3 {
            log.push(frame(0));
        }
        assert_eq!(log.range(), (3, FRAMES_KEPT_MAX as u64 + 3));
        for (from, first) in [(0, Some(3)), (3, Some(3)), (4, Some(4)), (u64::MAX, None)] {
            assert_eq!(log.from(from).next().map(|(number, _)| number), first, "{from}");
        }
    }

    #[test]
    fn large_ones_make_room_sooner() {
        let mut log = FrameLog::default();
        for _ in 0..100 {
            log.push(frame(16 * 1024));
            assert!(log.bytes() <= FRAME_BYTES_KEPT_MAX);
        }
        assert_eq!(log.from(0).count(), FRAME_BYTES_KEPT_MAX / frame(16 * 1024).bytes());
        while log.drop_oldest() {}
        assert_eq!((log.bytes(), log.range()), (0, (100, 100)));
    }

    #[test]
    fn the_first_line_has_time_and_way() {
        assert_eq!(frame(1).lines()[0], "[  1.012] send no connection preface but [x]");
    }
}
