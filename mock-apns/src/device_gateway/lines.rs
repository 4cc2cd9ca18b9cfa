//! Bytes as they come → lines.

use thiserror::Error;

/// Longest line of a device in bytes, without its line break. The longest message there is has a few hundred.
pub(super) const LINE_BYTES_MAX: usize = 64 * 1024;

/// Puts lines together that come in pieces. Holds no memory between lines: ten thousand devices wait most of
/// their time.
#[derive(Debug)]
pub(crate) struct Lines {
    /// Longest line, in bytes.
    max: usize,
    /// The beginning of a line whose end has not come.
    begun: Vec<u8>,
    /// A line was too long: no more is read.
    lost: bool,
}

/// A line is too long. Where the next one begins cannot be told: nothing after it is read.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("a line is longer than {max} bytes")]
pub(crate) struct LineTooLong {
    max: usize,
}

impl Lines {
    /// For lines of up to `max` bytes.
    pub(crate) const fn new(max: usize) -> Self {
        Self { max, begun: Vec::new(), lost: false }
    }

    /// Takes the next bytes, and gives each line that they end, without its line break, to `take`. Empty lines
    /// are left out: they keep a connection alive and say nothing. `\r\n` breaks a line as well.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], mut take: impl FnMut(&[u8])) -> Result<(), LineTooLong> {
        if self.lost {
            return Err(LineTooLong { max: self.max });
        }
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.bound(end)?;
            if self.begun.is_empty() {
                give(&bytes[..end], &mut take);
            } else {
                let mut line = std::mem::take(&mut self.begun);
                line.extend_from_slice(&bytes[..end]);
                give(&line, &mut take);
            }
            bytes = &bytes[end + 1..];
        }
        self.bound(bytes.len())?;
        self.begun.extend_from_slice(bytes);
        Ok(())
    }

    /// Whether a line was begun and not ended.
    pub(crate) fn is_within_a_line(&self) -> bool {
        !self.begun.is_empty()
    }

    /// Sees to it that a line which grows by `len` bytes does not get too long.
    fn bound(&mut self, len: usize) -> Result<(), LineTooLong> {
        if self.begun.len() + len <= self.max {
            return Ok(());
        }
        self.lost = true;
        self.begun = Vec::new();
        Err(LineTooLong { max: self.max })
    }
}

fn give(line: &[u8], take: &mut impl FnMut(&[u8])) {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if !line.is_empty() {
        take(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOO_LONG: LineTooLong = LineTooLong { max: LINE_BYTES_MAX };

    /// The lines of pieces that come one after the other.
    fn lines(pieces: &[&[u8]]) -> (Vec<String>, Lines) {
        let (mut all, mut lines) = (Vec::new(), Lines::new(LINE_BYTES_MAX));
        for piece in pieces {
            lines.feed(piece, |line| all.push(String::from_utf8_lossy(line).into_owned())).unwrap();
        }
        (all, lines)
    }

    #[test]
    fn lines_come_whole_however_they_were_cut() {
        let text = b"one\ntwo\r\n\n\r\nthree\n";
        for at in 0..=text.len() {
            let (all, rest) = lines(&[&text[..at], &text[at..]]);
            assert_eq!(all, ["one", "two", "three"], "cut at {at}");
            assert!(!rest.is_within_a_line());
        }
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(lines(&bytes).0, ["one", "two", "three"]);
    }

    #[test]
    fn half_a_line_is_none() {
        let (all, rest) = lines(&[b"one\n{\"type\":"]);
        assert_eq!(all, ["one"]);
        assert!(rest.is_within_a_line());
    }

    #[test]
    fn between_lines_no_memory_is_held() {
        let (_, rest) = lines(&[&[b'x'; 1000], b"\n"]);
        assert_eq!(rest.begun.capacity(), 0);
    }

    #[test]
    fn a_line_that_is_too_long_is_the_end() {
        let longest = vec![b'x'; LINE_BYTES_MAX];
        let (all, _) = lines(&[&longest, b"\n"]);
        assert_eq!(all[0].len(), LINE_BYTES_MAX);
        let (_, mut rest) = lines(&[&longest]);
        for piece in [&b"x"[..], b"\n", b"{}\n"] {
            assert_eq!(rest.feed(piece, |line| panic!("{line:?}")), Err(TOO_LONG));
        }
    }

    #[test]
    fn lines_before_one_that_is_too_long_are_read() {
        let mut text = b"one\n".to_vec();
        text.resize(LINE_BYTES_MAX + 10, b'x');
        text.push(b'\n');
        let (mut all, mut lines) = (Vec::new(), Lines::new(LINE_BYTES_MAX));
        assert_eq!(lines.feed(&text, |line| all.push(line.to_vec())), Err(TOO_LONG));
        assert_eq!(all, [b"one"]);
    }
}
