//! Whether DATA fitted into the windows that the double had opened (RFC 9113, 5.2 and 6.9).

use std::{collections::HashMap, fmt, time::Duration};

use super::{
    Connection, SETTINGS_INITIAL_WINDOW_SIZE, SETTINGS_MAX_FRAME_SIZE,
    in_force::InForce,
    said::{Data, Side, What},
};

/// DATA that was more than the double had allowed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Overrun {
    /// When.
    pub(crate) at: Duration,
    /// The stream that it was on.
    pub(crate) stream: u32,
    /// Its bytes, padding included.
    pub(crate) bytes: usize,
    /// What was too small for it.
    pub(crate) of: Bound,
    /// How much that took.
    pub(crate) took: i64,
}

/// What bounds DATA.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Bound {
    ConnectionWindow,
    StreamWindow,
    FrameSize,
}

impl Connection {
    /// The first DATA that did not fit. What is under way to the provider counts if it allows more.
    pub(crate) fn overrun(&self) -> Option<Overrun> {
        let (mut windows, mut in_force) = (Windows::default(), InForce::default());
        for said in &self.said {
            in_force.see(said);
            match (said.side, &said.what) {
                (Side::Double, What::Window { stream, increment }) => windows.widen(*stream, *increment),
                (Side::Provider, What::Data(data)) => {
                    if let Some((of, took)) = windows.take(data, &in_force) {
                        let Data { stream, flow, .. } = *data;
                        return Some(Overrun { at: said.at, stream, bytes: flow, of, took });
                    }
                }
                _ => {}
            }
        }
        None
    }
}

/// The windows for what the provider sends.
#[derive(Debug)]
struct Windows {
    connection: i64,
    /// What each stream's differs from the initial size; it may be missing while there is no difference.
    streams: HashMap<u32, i64>,
}

impl Default for Windows {
    fn default() -> Self {
        Self { connection: WINDOW_AT_FIRST.into(), streams: HashMap::new() }
    }
}

impl Windows {
    fn widen(&mut self, stream: u32, increment: u32) {
        match stream {
            0 => self.connection += i64::from(increment),
            stream => *self.streams.entry(stream).or_default() += i64::from(increment),
        }
    }

    /// Takes the room of a frame; what was too small, and how much it took, if anything was.
    fn take(&mut self, data: &Data, in_force: &InForce) -> Option<(Bound, i64)> {
        let bytes = i64::try_from(data.flow).unwrap_or(i64::MAX);
        let initial = in_force.most(SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_AT_FIRST);
        let stream = self.streams.entry(data.stream).or_default();
        let rooms = [
            (Bound::FrameSize, i64::from(in_force.most(SETTINGS_MAX_FRAME_SIZE, FRAME_SIZE_AT_FIRST))),
            (Bound::ConnectionWindow, self.connection),
            (Bound::StreamWindow, *stream + i64::from(initial)),
        ];
        self.connection -= bytes;
        *stream -= bytes;
        // A frame without bytes needs no window, not even one above 0.
        rooms.into_iter().find(|(_, room)| bytes > 0 && bytes > *room)
    }
}

impl fmt::Display for Overrun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stream, bytes, took, .. } = self;
        let of = match self.of {
            Bound::ConnectionWindow => "the connection's window",
            Bound::StreamWindow => "the stream's window",
            Bound::FrameSize => "MAX_FRAME_SIZE",
        };
        write!(f, "{bytes} bytes on stream {stream}, where {of} took {took}")
    }
}

/// Every window before anything was said of it (RFC 9113, 6.9.2).
const WINDOW_AT_FIRST: u32 = 65_535;
/// MAX_FRAME_SIZE before anything was said of it (RFC 9113, 6.5.2).
const FRAME_SIZE_AT_FIRST: u32 = 16_384;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::evidence::made;

    fn data(stream: u32, bytes: usize) -> (Side, What) {
        (Side::Provider, made::data(stream, bytes, false))
    }

    fn window(stream: u32, increment: u32) -> (Side, What) {
        (Side::Double, What::Window { stream, increment })
    }

    fn initial(size: u32) -> [(Side, What); 2] {
        let settings = What::Settings(vec![(SETTINGS_INITIAL_WINDOW_SIZE, size)]);
        [(Side::Double, settings), (Side::Provider, What::SettingsAck)]
    }

    fn overrun(said: Vec<(Side, What)>) -> Option<String> {
        made::connection(said).overrun().map(|it| it.to_string())
    }

    #[test]
    fn a_connections_window_is_that_of_all_its_streams() {
        let mut said: Vec<_> = [1, 3, 5, 7].map(|stream| data(stream, 16_000)).to_vec();
        said.push(data(9, 1535));
        assert_eq!(overrun(said.clone()), None);
        said.push(window(0, 10));
        said.push(data(11, 11));
        let expected = "11 bytes on stream 11, where the connection's window took 10";
        assert_eq!(overrun(said), Some(expected.to_owned()));
    }

    #[test]
    fn another_initial_size_moves_windows_that_are_in_use_even_below_zero() {
        let mut said = initial(1000).to_vec();
        said.push(data(1, 1000));
        said.extend(initial(100));
        said.push(data(1, 0)); // which goes below zero, too
        said.push(window(1, 1000));
        said.push(data(1, 100));
        assert_eq!(overrun(said.clone()), None);
        said.push(data(1, 1));
        let expected = "1 bytes on stream 1, where the stream's window took 0";
        assert_eq!(overrun(said), Some(expected.to_owned()));
    }

    #[test]
    fn a_smaller_size_binds_once_it_is_acknowledged() {
        let [settings, acknowledgement] = initial(10);
        assert_eq!(overrun(vec![settings.clone(), data(1, 11)]), None);
        assert!(overrun(vec![settings, acknowledgement, data(1, 11)]).is_some());
    }

    #[test]
    fn a_frame_has_the_size_that_was_allowed() {
        let long = made::connection([data(1, 16_385)]);
        assert_eq!(long.overrun().unwrap().of, Bound::FrameSize);
    }
}
