//! Whose frames are logged, and how many are kept of all of them.

use super::{Connections, Id, LoggedFrame, Name, frames::FRAME_BYTES_OF_ALL_KEPT_MAX};

/// The frames of a connection cannot be logged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LogFramesError {
    /// There is none of this name.
    Unknown,
    /// It is closed already.
    Closed,
    /// It is a device's, and has no frames.
    Device,
}

impl Connections {
    /// Whether a connection is to log its frames; asked once a batch.
    pub(crate) fn logs_frames(&self, id: Id) -> bool {
        self.logging > 0 && self.known.get(&id.name()).is_some_and(|entry| entry.is_logged)
    }

    /// Whether the frames of providers that connect from now on are logged.
    pub(crate) fn logs_new(&self) -> bool {
        self.logs_new
    }

    /// Switches the log of frames on or off for all that are open, and all that will be.
    pub(crate) fn log_frames_of_all(&mut self, on: bool) {
        self.logs_new = on;
        self.logging = 0;
        for entry in self.known.values_mut() {
            entry.is_logged = on && entry.id.has_frames() && entry.closed().is_none();
            self.logging += usize::from(entry.is_logged);
        }
    }

    /// Switches the log of frames on or off for one that is open.
    pub(crate) fn log_frames(&mut self, name: Name, on: bool) -> Result<(), LogFramesError> {
        let entry = self.known.get_mut(&name).ok_or(LogFramesError::Unknown)?;
        if !entry.id.has_frames() {
            return Err(LogFramesError::Device);
        }
        if entry.closed().is_some() {
            return Err(LogFramesError::Closed);
        }
        self.logging -= usize::from(entry.is_logged);
        entry.is_logged = on;
        self.logging += usize::from(on);
        Ok(())
    }

    /// Keeps frames of a connection. For room, the closed ones forget theirs, the one that was closed first
    /// before the others; then it forgets its own.
    pub(crate) fn keep_frames(&mut self, id: Id, frames: impl IntoIterator<Item = LoggedFrame>) {
        let Some(entry) = self.known.get_mut(&id.name()) else { return };
        let before = entry.frames.bytes();
        frames.into_iter().for_each(|frame| entry.frames.push(frame));
        self.frame_bytes = self.frame_bytes - before + entry.frames.bytes();
        if self.frame_bytes <= FRAME_BYTES_OF_ALL_KEPT_MAX {
            return;
        }
        for name in self.closed.iter().chain([&id.name()]) {
            let Some(entry) = self.known.get_mut(name) else { continue };
            let before = entry.frames.bytes();
            let others = self.frame_bytes - before;
            while others + entry.frames.bytes() > FRAME_BYTES_OF_ALL_KEPT_MAX && entry.frames.drop_oldest() {}
            self.frame_bytes = others + entry.frames.bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use apns_http2::trace::Seen;
    use mock_apns_core::{Service, Settings};

    use super::*;
    use crate::connections::{
        Because, CLOSED_KEPT_MAX, Direction,
        frames::FRAME_BYTES_KEPT_MAX,
        tests::{AT, connect},
    };
    use crate::es256::verify_es256;

    fn large_frames(count: usize) -> impl Iterator<Item = LoggedFrame> {
        let seen = Seen::NotPreface(vec![b'x'; 16 * 1024]);
        let frame = LoggedFrame { elapsed: Duration::ZERO, direction: Direction::Received, seen };
        std::iter::repeat_n(frame, count)
    }

    #[test]
    fn all_frames_together_are_bounded_and_what_was_closed_first_makes_room() {
        let mut service = Service::new(Settings::default(), 0, verify_es256);
        let mut connections = Connections::default();
        let kept =
            |connections: &Connections, id: Id| connections.get(id.name()).map_or(0, |it| it.frames.bytes());
        let mut all = Vec::new();
        for _ in 0..FRAME_BYTES_OF_ALL_KEPT_MAX / FRAME_BYTES_KEPT_MAX + 30 {
            let (id, _until) = connect(&mut connections, &mut service);
            connections.keep_frames(id, large_frames(20));
            connections.close(id, AT, Because::Peer.into(), &service);
            all.push(id);
        }
        let sum = |connections: &Connections| all.iter().map(|id| kept(connections, *id)).sum::<usize>();
        assert_eq!(connections.frame_bytes, sum(&connections));
        assert!(connections.frame_bytes <= FRAME_BYTES_OF_ALL_KEPT_MAX);
        assert_eq!(kept(&connections, all[0]), 0);
        assert!(kept(&connections, *all.last().unwrap()) > FRAME_BYTES_KEPT_MAX / 2);
        for _ in 0..CLOSED_KEPT_MAX {
            let (id, _until) = connect(&mut connections, &mut service);
            connections.close(id, AT, Because::Peer.into(), &service);
        }
        assert_eq!((connections.frame_bytes, sum(&connections)), (0, 0));
    }

    #[test]
    fn one_that_is_open_lets_go_of_its_own_where_no_closed_one_can() {
        let mut service = Service::new(Settings::default(), 0, verify_es256);
        let mut connections = Connections::default();
        let mut last = None;
        for _ in 0..FRAME_BYTES_OF_ALL_KEPT_MAX / FRAME_BYTES_KEPT_MAX + 30 {
            let (id, _until) = connect(&mut connections, &mut service);
            connections.keep_frames(id, large_frames(20));
            last = Some(id);
        }
        assert!(connections.frame_bytes <= FRAME_BYTES_OF_ALL_KEPT_MAX);
        let last = connections.get(last.unwrap().name()).unwrap().frames();
        assert_eq!((last.from(0).count(), last.range()), (0, (20, 20)), "and says so");
    }

    #[test]
    fn what_is_logged_is_counted_whoever_switches_and_closes() {
        let mut service = Service::new(Settings::default(), 0, verify_es256);
        let mut connections = Connections::default();
        let (first, _until) = connect(&mut connections, &mut service);
        for on in [true, true, false, false, true] {
            assert_eq!(connections.log_frames(first.name(), on), Ok(()));
            assert_eq!(connections.logs_frames(first), on);
        }
        connections.log_frames_of_all(true);
        let (second, _until) = connect(&mut connections, &mut service);
        assert!(connections.logs_frames(first) && connections.logs_frames(second));
        connections.close(first, AT, Because::Peer.into(), &service);
        assert_eq!((connections.logging, connections.logs_frames(first)), (1, false));
        assert_eq!(connections.log_frames(first.name(), true), Err(LogFramesError::Closed));
        connections.log_frames_of_all(false);
        assert_eq!((connections.logging, connections.logs_frames(second)), (0, false));
    }
}
