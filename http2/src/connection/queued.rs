//! Bodies that wait for window or for the peer to read.
//!
//! A stream whose own window is open stands in line (`State::blocked`), and each in turn sends one frame when the connection's window
//! and the output have room. One whose own window is shut is not in line: a WINDOW_UPDATE or SETTINGS put it back. So every look at the
//! line sends something, and a peer that opens a window byte by byte cannot make us walk over a thousand streams for each.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};

use super::{State, framing::padding_bytes, output::Output};
use crate::{
    error::{CommandError, Violation},
    hpack::Field,
    stream::{Direction, SendQueue, Stream, StreamEnd},
    stream_id::StreamId,
    window::Window,
};

impl State {
    /// Sends a part of a body, or queues what the windows do not allow.
    pub(super) fn send_or_queue(
        &mut self,
        id: StreamId,
        data: Bytes,
        end_stream: bool,
    ) -> Result<(), CommandError> {
        let stream = self.streams.get_mut(id).ok_or(CommandError::StreamNotOpen)?;
        let ended = stream.queue.as_ref().is_some_and(|queue| queue.end.is_some());
        if stream.sending != Direction::Body || ended {
            return Err(CommandError::StreamNotOpen);
        }
        let end = end_stream.then_some(StreamEnd::Data);
        if let Some(queue) = stream.queue.as_mut() {
            if !data.is_empty() {
                queue.chunks.push_back(data);
            }
            queue.end = end;
            return Ok(());
        }
        let window = stream.send_window.available().min(self.send_window.available());
        let room = window.min(self.peers.max_frame_size as usize);
        let goes_now = data.len() + padding_bytes(stream.framing.padding) <= room && !self.out.is_high();
        // An empty frame needs no window, so that a body can end while windows are shut.
        if goes_now || data.is_empty() {
            let (_, padding) = stream.framing.fill(data.len(), room);
            put_part(&mut self.out, &mut self.send_window, id, stream, (&data, padding), end_stream);
            if stream.is_closed() {
                self.streams.remove(id);
            }
            return Ok(());
        }
        stream.queue = Some(Box::new(SendQueue { chunks: [data].into(), end }));
        stand_in_line(&mut self.blocked, id, stream);
        self.send_queued();
        Ok(())
    }

    /// Sends what the windows allow: a frame of each stream in line, in turn.
    pub(super) fn send_queued(&mut self) {
        while self.send_window.available() > 0 && !self.out.is_high() {
            let Some(id) = self.blocked.pop_front() else { return };
            let Some(stream) = self.streams.get_mut(id) else { continue };
            stream.in_line = false;
            let frame_max = self.peers.max_frame_size as usize;
            send_next_of(&mut self.out, &mut self.send_window, id, stream, frame_max);
            if stream.is_closed() {
                self.streams.remove(id);
            } else {
                stand_in_line(&mut self.blocked, id, stream);
            }
        }
    }

    /// Forgets a stream, and what it still had to send, before its time; false if it was not open.
    pub(super) fn break_off(&mut self, id: StreamId) -> bool {
        let Some(stream) = self.streams.remove(id) else { return false };
        if stream.in_line {
            // A peer that opens and resets while its window is shut must not make the line grow.
            self.blocked.retain(|waiting| *waiting != id);
        }
        true
    }

    /// Forgets the streams above `last`.
    pub(super) fn break_off_above(&mut self, last: StreamId) {
        self.streams.remove_above(last);
        self.blocked.retain(|waiting| *waiting <= last);
    }

    /// The peer has widened the window of an open stream.
    pub(super) fn widen_stream(&mut self, id: StreamId, increment: u32) -> Result<(), Violation> {
        let Some(stream) = self.streams.get_mut(id) else { return Ok(()) };
        stream.send_window.widen(increment)?;
        if stream.queue.is_some() {
            stand_in_line(&mut self.blocked, id, stream);
            self.send_queued();
        }
        Ok(())
    }

    /// The peer has moved the windows of all streams by `difference`.
    pub(super) fn shift_streams(&mut self, difference: i64) -> Result<(), Violation> {
        self.streams.try_for_each(|stream| stream.send_window.shift(difference))?;
        for (id, stream) in self.streams.in_order() {
            stand_in_line(&mut self.blocked, id, stream);
        }
        Ok(())
    }
}

/// Puts a stream at the end of the line if it has something to send and its window is open.
fn stand_in_line(line: &mut VecDeque<StreamId>, id: StreamId, stream: &mut Stream) {
    if stream.queue.is_some() && stream.send_window.available() > 0 && !stream.in_line {
        stream.in_line = true;
        line.push_back(id);
    }
}

/// Sends the next frame of a queued body, and the trailers after its last one.
fn send_next_of(
    out: &mut Output,
    connection: &mut Window,
    id: StreamId,
    stream: &mut Stream,
    frame_max: usize,
) {
    let Some(queue) = stream.queue.as_mut() else { return };
    let Some(chunk) = queue.chunks.front_mut() else { return };
    let room = stream.send_window.available().min(connection.available()).min(frame_max);
    let (len, padding) = stream.framing.fill(chunk.len(), room);
    let part = chunk.split_to(len);
    if part.is_empty() {
        return; // SETTINGS have shut the stream's window while it stood in line
    }
    if !chunk.has_remaining() {
        queue.chunks.pop_front();
    }
    if !queue.chunks.is_empty() {
        put_part(out, connection, id, stream, (&part, padding), false);
        return;
    }
    let end = queue.end.take();
    stream.queue = None;
    put_part(out, connection, id, stream, (&part, padding), matches!(end, Some(StreamEnd::Data)));
    if let Some(StreamEnd::Trailers(trailers)) = end {
        let borrowed = trailers.iter().map(|(name, value, index)| Field { name, value, index: *index });
        out.put_headers(id, &borrowed.collect::<Vec<_>>(), true, frame_max, stream.framing);
        stream.sending = Direction::Ended;
    }
}

/// Frames data and its padding, which both windows allow: all of a payload counts (RFC 9113 section 6.1).
fn put_part(
    out: &mut Output,
    connection: &mut Window,
    id: StreamId,
    stream: &mut Stream,
    (data, padding): (&[u8], Option<u8>),
    end_stream: bool,
) {
    let taken = data.len() + padding_bytes(padding);
    let fits = stream.send_window.consume(taken).and_then(|()| connection.consume(taken));
    debug_assert!(fits.is_ok(), "the caller looked at both windows");
    out.put_data(id, data, padding, end_stream);
    if end_stream {
        stream.sending = Direction::Ended;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Connection, ErrorCode};

    #[test]
    fn only_open_streams_stand_in_line_and_each_once() {
        let mut client = Connection::client(Config::default());
        let mut open = || {
            let stream = client.open(&[Field::literal(b":method", b"POST")], false).unwrap();
            client.send_data(stream, Bytes::from(vec![0; 100_000]), true).unwrap();
            stream
        };
        let [first, second, third, fourth] = [open(), open(), open(), open()];
        let line = |client: &Connection| client.state.blocked.iter().copied().collect::<Vec<_>>();
        assert_eq!(line(&client), [second, third, fourth], "the first has used up its own window");
        for _ in 0..2 {
            client.state.widen_stream(first, 1).unwrap();
        }
        assert_eq!(line(&client), [second, third, fourth, first]);
        client.reset(second, ErrorCode::CANCEL).unwrap();
        assert_eq!(line(&client), [third, fourth, first]);
        client.state.break_off_above(third);
        assert_eq!(line(&client), [third, first]);
    }
}
