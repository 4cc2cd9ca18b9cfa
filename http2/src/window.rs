//! Flow-control windows (RFC 9113 section 5.2 and 6.9).

use crate::{error::Violation, settings::MAX_WINDOW};

/// How many bytes one side may send. Below 0 after SETTINGS_INITIAL_WINDOW_SIZE was lowered (RFC 9113 section 6.9.2).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window(i32);

impl Window {
    pub(crate) const fn new(size: u32) -> Self {
        // Sizes above 2^31-1 are refused where settings are checked.
        Self(if size > MAX_WINDOW { i32::MAX } else { size.cast_signed() })
    }

    /// Bytes that may be sent now; 0 if the window is negative.
    pub(crate) const fn available(self) -> usize {
        if self.0 < 0 { 0 } else { self.0.cast_unsigned() as usize }
    }

    pub(crate) const fn size(self) -> i32 {
        self.0
    }

    /// Takes `bytes` out of the window, or says that they do not fit.
    pub(crate) fn consume(&mut self, bytes: usize) -> Result<(), WindowExceeded> {
        if bytes > self.available() {
            return Err(WindowExceeded);
        }
        self.0 -= (bytes as u32).cast_signed(); // fits: it is at most the window
        Ok(())
    }

    /// Widens the window by a WINDOW_UPDATE's increment.
    pub(crate) fn widen(&mut self, increment: u32) -> Result<(), Violation> {
        self.shift(i64::from(increment))
    }

    /// Moves the window by what SETTINGS_INITIAL_WINDOW_SIZE moved.
    pub(crate) fn shift(&mut self, difference: i64) -> Result<(), Violation> {
        let size = i64::from(self.0) + difference;
        if size > i64::from(MAX_WINDOW) {
            return Err(Violation::WindowOverflow);
        }
        self.0 = i32::try_from(size).map_err(|_| Violation::WindowOverflow)?;
        Ok(())
    }
}

/// The part of a stream's window that is worth a WINDOW_UPDATE: most messages end before, and need none at all.
pub(crate) const fn stream_share(window: u32) -> u32 {
    window / 2
}

/// The part of a connection's window that is worth a WINDOW_UPDATE. What is owed and not granted is missing to the peer for a whole
/// round trip, and over a long way the window of the connection is what bounds its pushes: with halves owed, it was half of them.
pub(crate) const fn connection_share(window: u32) -> u32 {
    window / 32
}

/// More bytes than the window holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct WindowExceeded;

/// A receiving window together with what was received and not yet granted again.
///
/// ```text
///   received ──▶ held ──release──▶ owed ──WINDOW_UPDATE──▶ window
/// ```
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReceiveWindow {
    window: Window,
    /// Bytes received that nobody has given back yet.
    held: u32,
    /// Bytes given back, to grant with the next WINDOW_UPDATE.
    owed: u32,
}

impl ReceiveWindow {
    pub(crate) const fn new(size: u32) -> Self {
        Self { window: Window::new(size), held: 0, owed: 0 }
    }

    pub(crate) const fn window(self) -> Window {
        self.window
    }

    pub(crate) fn receive(&mut self, bytes: usize) -> Result<(), WindowExceeded> {
        self.window.consume(bytes)?;
        self.held += bytes as u32; // fits: what is held was in the window, which is below 2^31
        Ok(())
    }

    pub(crate) fn shift(&mut self, difference: i64) -> Result<(), Violation> {
        self.window.shift(difference)
    }

    /// Gives `bytes` back, as many as are held; returns the increment of a WINDOW_UPDATE once at least `worth_a_frame` is owed:
    /// small updates for each frame would cost a peer more than the bytes themselves.
    pub(crate) fn release(&mut self, bytes: usize, worth_a_frame: u32) -> Option<u32> {
        self.give_back(bytes);
        self.grant(worth_a_frame)
    }

    /// Gives `bytes` back, as many as are held, to be granted later.
    pub(crate) fn give_back(&mut self, bytes: usize) {
        let bytes = self.held.min(u32::try_from(bytes).unwrap_or(u32::MAX));
        self.held -= bytes;
        self.owed += bytes;
    }

    /// The increment of a WINDOW_UPDATE, if at least `worth_a_frame` is owed.
    pub(crate) fn grant(&mut self, worth_a_frame: u32) -> Option<u32> {
        if self.owed == 0 || self.owed < worth_a_frame {
            return None;
        }
        let increment = std::mem::take(&mut self.owed);
        self.window.widen(increment).ok()?; // a window that was widened by hand to its end needs no more
        Some(increment)
    }

    /// Widens the window beyond what was received.
    pub(crate) fn widen(&mut self, increment: u32) -> Result<(), Violation> {
        self.window.widen(increment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_can_be_negative_and_recovers() {
        let mut window = Window::new(65_535);
        window.consume(60_000).unwrap();
        window.shift(i64::from(100) - 65_535).unwrap();
        assert_eq!(window.size(), 5_535 - 65_435);
        assert_eq!(window.available(), 0);
        assert_eq!(window.consume(1), Err(WindowExceeded));
        window.widen(60_000).unwrap();
        assert_eq!(window.available(), 100);
    }

    #[test]
    fn a_window_above_the_highest_is_refused() {
        let mut window = Window::new(MAX_WINDOW);
        assert_eq!(window.widen(1), Err(Violation::WindowOverflow));
    }

    #[test]
    fn what_was_received_is_granted_again_once_it_is_worth_a_frame() {
        let mut window = ReceiveWindow::new(1000);
        window.receive(700).unwrap();
        assert_eq!(window.release(499, 500), None);
        assert_eq!(window.release(201, 500), Some(700));
        assert_eq!(window.window().available(), 1000);
    }

    #[test]
    fn no_more_is_given_back_than_was_received() {
        let mut window = ReceiveWindow::new(1000);
        window.receive(600).unwrap();
        assert_eq!(window.release(usize::MAX, 500), Some(600));
        assert_eq!(window.release(600, 0), None);
        assert_eq!(window.window().available(), 1000);
    }
}
