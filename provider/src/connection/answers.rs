use apns_http2::{FieldVisitor, StreamId};
use apns_provider_core::{Answer, ChannelAnswer};

/// What an answer is gathered in.
pub(crate) trait Gather: Sized {
    /// An answer with this `:status` and nothing else yet.
    fn new(status: u16) -> Self;
    /// Takes note of a header field.
    fn read_header(&mut self, name: &[u8], value: &[u8]);
}

/// Reads the fields of an answer as they are decompressed.
#[derive(Debug)]
pub(crate) struct AnswerFields<A = Answer>(Option<A>);

impl<A> AnswerFields<A> {
    /// The answer whose fields came last.
    pub(crate) fn take(&mut self) -> Option<A> {
        self.0.take()
    }
}

impl<A> Default for AnswerFields<A> {
    fn default() -> Self {
        Self(None)
    }
}

impl<A: Gather> FieldVisitor for AnswerFields<A> {
    fn begin(&mut self, _: StreamId) {
        self.0 = None;
    }

    fn field(&mut self, name: &[u8], value: &[u8]) {
        match (name, &mut self.0) {
            // HTTP/2 lets three digits through, and first.
            (b":status", answer) => {
                *answer = str::from_utf8(value).ok().and_then(|s| s.parse().ok()).map(A::new);
            }
            (_, Some(answer)) => answer.read_header(name, value),
            (_, None) => {}
        }
    }
}

impl Gather for Answer {
    fn new(status: u16) -> Self {
        Self::new(status)
    }

    fn read_header(&mut self, name: &[u8], value: &[u8]) {
        self.read_header(name, value);
    }
}

impl Gather for ChannelAnswer {
    fn new(status: u16) -> Self {
        Self::new(status)
    }

    fn read_header(&mut self, name: &[u8], value: &[u8]) {
        self.read_header(name, value);
    }
}
