//! Bodies that wait for window or for the peer to read.

use bytes::{Buf, Bytes};

use super::State;
use crate::{
    frame::{self, flag, kind},
    hpack::Field,
    stream::{Direction, StreamEnd},
    stream_id::StreamId,
};

impl State {
    /// Sends what the windows allow, each waiting stream in turn.
    pub(super) fn send_queued(&mut self) {
        for _ in 0..self.blocked.len() {
            if self.send_window.available() == 0 || self.out.is_high() {
                return;
            }
            let Some(id) = self.blocked.pop_front() else { return };
            self.send_queued_of(id);
            if self.streams.get(id).is_some_and(|stream| stream.queue.is_some()) {
                self.blocked.push_back(id);
            }
        }
    }

    /// Sends what the windows allow of one stream. Leaves it in `blocked`, where [`Self::send_queued`] passes over it if nothing waits.
    pub(super) fn send_queued_of(&mut self, id: StreamId) {
        while !self.out.is_high() {
            let frame_max = self.peers.max_frame_size as usize;
            let Some(stream) = self.streams.get_mut(id) else { return };
            let Some(queue) = stream.queue.as_mut() else { return };
            let Some(chunk) = queue.chunks.front_mut() else { return };
            let room = self.send_window.available().min(stream.send_window.available()).min(frame_max);
            let part = chunk.split_to(room.min(chunk.len()));
            let chunk_done = !chunk.has_remaining();
            if part.is_empty() && !chunk_done {
                return;
            }
            if chunk_done {
                queue.chunks.pop_front();
            }
            let end = if queue.chunks.is_empty() { queue.end.take() } else { None };
            if queue.chunks.is_empty() {
                stream.queue = None;
            }
            let ends_with_data = matches!(end, Some(StreamEnd::Data));
            self.put_data(id, &part, ends_with_data);
            if let Some(StreamEnd::Trailers(trailers)) = end {
                let fields: Vec<Field<'_>> = trailers
                    .iter()
                    .map(|(name, value, index)| Field { name, value, index: *index })
                    .collect();
                self.put_headers(id, &fields, true);
            }
        }
    }

    /// Frames `data`, which the windows allow.
    pub(super) fn put_data(&mut self, id: StreamId, data: &Bytes, end_stream: bool) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        let flags = if end_stream { flag::END_STREAM } else { 0 };
        let fits = stream.send_window.consume(data.len()).and_then(|()| self.send_window.consume(data.len()));
        debug_assert!(fits.is_ok(), "the caller looked at both windows");
        frame::put(self.out.buffer(), kind::DATA, flags, id, data);
        if end_stream {
            stream.sending = Direction::Ended;
            self.streams.remove_if_closed(id);
        }
    }
}
