//! Requests as they come in: fields first, then a body, many at a time.

use std::time::Duration;

use apns_http2::{FieldVisitor, StreamId};
use mock_apns_core::Request;
use rustc_hash::FxHashMap;

/// Bytes of a request's body that are kept. More than the largest payload of APNs (5120), so that the size
/// check sees that it is too large; the rest is read and dropped.
const BODY_BYTES_KEPT_MAX: usize = 8 * 1024;
/// Answered requests that are kept for reuse: as many as Apple lets a provider have under way. They go when
/// none is under way any more, all but a few.
const SPARE_REQUESTS_MAX: usize = 1000;
const SPARE_REQUESTS_IDLE_MAX: usize = 8;
/// Bytes of fields that a request has room for when it is kept for reuse: what Apple lets a request have. A client that has not
/// acknowledged that yet may send more.
const SPARE_FIELD_BYTES_MAX: usize = 8 * 1024;

/// A request of which something is still to come.
#[derive(Debug, Default)]
pub(super) struct Open {
    stream: StreamId,
    request: Request,
    body: Vec<u8>,
    /// When its fields were complete, after the connection was opened.
    since: Duration,
}

/// The requests of one connection.
///
/// Mostly HEADERS and the one DATA frame of a request follow each other; then the request stays in `current`
/// and its body is read where it lies. Requests that interleave, as they do when the provider waits for
/// window, go through the map.
#[derive(Debug)]
pub(super) struct Requests {
    current: Box<Open>,
    /// Whether `current` has fields and waits for its body.
    waiting: bool,
    others: FxHashMap<StreamId, Box<Open>>,
    #[expect(clippy::vec_box, reason = "they move between here and the map; a box is moved, not copied")]
    spare: Vec<Box<Open>>,
    /// What `others` hold, in bytes.
    others_held: usize,
    /// The time of this batch, after the connection was opened.
    now: Duration,
}

impl Requests {
    pub(super) fn new() -> Self {
        Self {
            current: Box::default(),
            waiting: false,
            others: FxHashMap::default(),
            spare: Vec::new(),
            others_held: 0,
            now: Duration::ZERO,
        }
    }

    /// Now is so long after the connection was opened.
    pub(super) fn now(&mut self, now: Duration) {
        self.now = now;
    }

    /// When the oldest request began whose end has not come. Looks at each.
    pub(super) fn oldest(&self) -> Option<Duration> {
        let current = self.waiting.then_some(self.current.since);
        self.others.values().map(|open| open.since).chain(current).min()
    }

    /// Memory that requests hold whose end has not come, and what is kept of the last one, in bytes.
    pub(super) fn held_bytes(&self) -> usize {
        self.current.held_bytes() + self.others_held
    }

    /// The fields of `stream` are complete and its body follows.
    pub(super) fn expect_body(&mut self) {
        self.waiting = true;
    }

    /// The request whose fields came just now and that has no body.
    pub(super) fn without_body(&self) -> &Request {
        &self.current.request
    }

    /// A part of a body. Gives the request to `done` when it was the last.
    pub(super) fn data(
        &mut self,
        stream: StreamId,
        data: &[u8],
        end_stream: bool,
        done: impl FnOnce(&Request, &[u8]),
    ) {
        let is_current = self.waiting && self.current.stream == stream;
        if is_current && end_stream && self.current.body.is_empty() {
            self.waiting = false;
            return done(&self.current.request, data);
        }
        let open = if is_current { Some(&mut self.current) } else { self.others.get_mut(&stream) };
        let Some(open) = open else { return };
        let held = open.held_bytes();
        open.keep(data);
        if !is_current {
            self.others_held += open.held_bytes() - held;
        }
        if end_stream {
            done(&open.request, &open.body);
            self.forget(stream);
        }
    }

    /// The stream has ended before its request was complete, or its request was answered.
    pub(super) fn forget(&mut self, stream: StreamId) {
        if self.waiting && self.current.stream == stream {
            self.waiting = false;
        } else if let Some(mut open) = self.others.remove(&stream) {
            self.others_held -= open.held_bytes();
            open.request.clear();
            open.request.shrink_to(SPARE_FIELD_BYTES_MAX);
            let kept = if self.others.is_empty() { SPARE_REQUESTS_IDLE_MAX } else { SPARE_REQUESTS_MAX };
            self.spare.push(open);
            self.spare.truncate(kept);
        }
    }
}

impl FieldVisitor for Requests {
    fn begin(&mut self, stream: StreamId) {
        if self.waiting {
            // Also when these are the trailers of that very stream: they mean nothing to APNs and go into a
            // request that nobody reads.
            let fresh = self.spare.pop().unwrap_or_default();
            let open = std::mem::replace(&mut self.current, fresh);
            self.others_held += open.held_bytes();
            self.others.insert(open.stream, open);
            self.waiting = false;
        }
        self.current.begin(stream, self.now);
    }

    fn field(&mut self, name: &[u8], value: &[u8]) {
        self.current.request.field(name, value);
    }
}

impl Open {
    fn begin(&mut self, stream: StreamId, now: Duration) {
        self.stream = stream;
        self.since = now;
        self.request.clear();
        self.request.shrink_to(SPARE_FIELD_BYTES_MAX);
        self.body.clear();
    }

    /// Memory that it takes, in bytes.
    fn held_bytes(&self) -> usize {
        size_of::<Self>() + self.request.held_bytes() + self.body.capacity()
    }

    fn keep(&mut self, data: &[u8]) {
        let room = BODY_BYTES_KEPT_MAX - self.body.len();
        self.body.extend_from_slice(&data[..data.len().min(room)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(requests: &mut Requests, stream: u32, path: &str) {
        requests.begin(StreamId::new(stream));
        requests.field(b":path", path.as_bytes());
        requests.expect_body();
    }

    fn end(requests: &mut Requests, stream: u32, data: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        let mut got = None;
        requests.data(StreamId::new(stream), data, true, |request, body| {
            got = Some((request.path().unwrap().to_vec(), body.to_vec()));
        });
        got
    }

    #[test]
    fn interleaved_requests_keep_their_own_fields_and_bodies() {
        let mut requests = Requests::new();
        begin(&mut requests, 1, "/one");
        requests.data(StreamId::new(1), b"first ", false, |_, _| unreachable!());
        begin(&mut requests, 3, "/three");
        begin(&mut requests, 5, "/five");
        assert_eq!(end(&mut requests, 5, b"5"), Some((b"/five".to_vec(), b"5".to_vec())));
        assert_eq!(end(&mut requests, 1, b"body"), Some((b"/one".to_vec(), b"first body".to_vec())));
        assert_eq!(end(&mut requests, 3, b"3"), Some((b"/three".to_vec(), b"3".to_vec())));
        assert_eq!(end(&mut requests, 3, b"again"), None);
    }

    #[test]
    fn a_reset_request_is_forgotten() {
        let mut requests = Requests::new();
        begin(&mut requests, 1, "/one");
        begin(&mut requests, 3, "/three");
        requests.forget(StreamId::new(1));
        requests.forget(StreamId::new(3));
        assert_eq!((end(&mut requests, 1, b""), end(&mut requests, 3, b"")), (None, None));
    }

    #[test]
    fn a_body_without_end_takes_bounded_memory() {
        let mut requests = Requests::new();
        begin(&mut requests, 1, "/one");
        for _ in 0..100 {
            requests.data(StreamId::new(1), &[b' '; 1000], false, |_, _| unreachable!());
        }
        let (_, body) = end(&mut requests, 1, b"").unwrap();
        assert_eq!(body.len(), BODY_BYTES_KEPT_MAX);
    }

    #[test]
    fn what_is_held_is_given_back_and_the_oldest_is_known() {
        let mut requests = Requests::new();
        let empty = requests.held_bytes();
        for stream in [1, 3, 5] {
            requests.now(Duration::from_secs(stream.into()));
            begin(&mut requests, stream, "/one");
            requests.field(b"x", &vec![b'x'; 100_000]);
        }
        requests.data(StreamId::new(1), &[b' '; 5_000], false, |_, _| unreachable!());
        assert!(requests.held_bytes() > 305_000);
        assert_eq!(requests.oldest(), Some(Duration::from_secs(1)));
        requests.forget(StreamId::new(1));
        assert_eq!(requests.oldest(), Some(Duration::from_secs(3)));
        end(&mut requests, 3, b"");
        end(&mut requests, 5, b"");
        assert_eq!(requests.oldest(), None);
        begin(&mut requests, 7, "/seven");
        end(&mut requests, 7, b"");
        assert!(requests.held_bytes() < empty + 2 * SPARE_FIELD_BYTES_MAX);
        let spare: usize = requests.spare.iter().map(|open| open.request.held_bytes()).sum();
        assert!(spare <= 2 * SPARE_FIELD_BYTES_MAX, "{spare}");
    }
}
